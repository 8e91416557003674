"""Presence, point by point of the domain's section, each on a small night computed by hand."""

import pytest

from tests.support import UnitStory, absences, at, judge, lines, order, register

MORNING = at("2026-03-25T08:00")


def home_from(start: str) -> UnitStory:
    return UnitStory().boots(at(start)).hears(at(start))


def test_a_departure_counts_from_the_last_frame_heard() -> None:
    night = home_from("18:55").beats(at("18:56"), at("20:00")).loses(at("20:01"), last_heard=at("20:00:10"))
    night.beats(at("20:02"), at("20:30")).hears(at("20:30:30")).beats(at("20:31"), at("2026-03-25T07:30"))
    assert absences(judge(lines(night), until=MORNING)) == [("left_during", "20:00:10", "20:30:30", 1820)]


def test_a_report_with_nothing_heard_says_nothing() -> None:
    night = home_from("18:55").beats(at("18:56"), at("20:00"))
    night.tell(at("20:01"), "report", tag="T-1", interval_s=60, heard=0, expected=10)
    night.beats(at("20:02"), at("2026-03-25T07:30"))
    assert absences(judge(lines(night), until=MORNING)) == []


@pytest.mark.parametrize(("gap_s", "found"), [(119, 0), (120, 1), (121, 1)])
def test_an_absence_shorter_than_the_leave_time_is_presence(gap_s: int, found: int) -> None:
    night = home_from("18:55").beats(at("18:56"), at("20:00")).loses(at("20:00:30"), last_heard=at("20:00:30"))
    night.hears(at("20:00:30") + gap_s * 1000).beats(at("20:03"), at("2026-03-25T07:30"))
    assert len(absences(judge(lines(night), until=MORNING))) == found


@pytest.mark.parametrize(("away_s", "raised"), [(299, False), (300, True), (301, True)])
def test_the_alert_is_raised_at_300_unexcused_seconds(away_s: int, raised: bool) -> None:
    night = home_from("18:55").beats(at("18:56"), at("20:00")).loses(at("20:00:30"), last_heard=at("20:00:30"))
    back = at("20:00:30") + away_s * 1000
    night.beats(at("20:01"), at("20:05")).hears(back).beats(at("20:07"), at("2026-03-25T07:30"))
    (finding,) = [f for f in judge(lines(night), until=MORNING) if f.rule == "curfew.absence"]
    assert finding.raised_at == (at("20:05:30") if raised else None)


def test_silence_is_unknown_and_accuses_nobody() -> None:
    night = home_from("18:55").loses(at("19:30"), last_heard=at("19:29"))
    night.beats(at("19:31"), at("19:40")).beats(at("23:00"), at("2026-03-25T07:30"))
    found = absences(judge(lines(night), until=MORNING))
    assert found == [("left_during", "19:30:00", "19:42:12", 732), ("out_at_end", "23:00:00", "07:00:00", 28800)]


def test_a_missing_number_is_unknown_until_it_comes() -> None:
    night = home_from("18:55").beats(at("18:56"), at("20:00")).loses(at("20:00:30"), last_heard=at("20:00:30"))
    night.beats(at("20:01"), at("20:10")).skips().beats(at("20:12"), at("20:20"))
    night.hears(at("20:20:30")).beats(at("20:21"), at("2026-03-25T07:30"))
    with_hole = lines(night)
    assert absences(judge(with_hole, until=MORNING)) == [("left_during", "20:00:30", "20:10:00", 570)]
    missing = 3 + 65 + 10 + 1
    night.tell(at("20:11"), "unit_status", seq=missing, received=at("2026-03-25T07:45"), power="mains")
    assert absences(judge(lines(night), until=MORNING)) == [("left_during", "20:00:30", "20:20:30", 1200)]


def test_numbers_lost_as_periodic_only_are_no_hole() -> None:
    night = home_from("18:55").beats(at("18:56"), at("20:00")).loses(at("20:00:30"), last_heard=at("20:00:30"))
    night.beats(at("20:01"), at("20:10")).skips().beats(at("20:12"), at("20:20"))
    missing = 3 + 65 + 10 + 1
    night.tell(at("20:20:10"), "lost", boot=night.boot, periodic_only=True, **{"from": missing, "to": missing})
    night.hears(at("20:20:30")).beats(at("20:21"), at("2026-03-25T07:30"))
    assert absences(judge(lines(night), until=MORNING)) == [("left_during", "20:00:30", "20:20:30", 1200)]


def test_after_a_boot_the_state_is_unknown_until_the_tag_is_named() -> None:
    night = home_from("18:55").loses(at("19:10"), last_heard=at("19:10")).beats(at("19:11"), at("19:20"))
    night.reboots(at("19:21"), "01JD0000010000000000000000").beats(at("19:22"), at("19:30"))
    night.loses(at("19:31"), last_heard=at("19:30:30")).beats(at("19:32"), at("19:40"))
    night.hears(at("19:41")).beats(at("19:42"), at("2026-03-25T07:30"))
    found = absences(judge(lines(night), until=MORNING))
    assert found == [("left_during", "19:10:00", "19:20:00", 600), ("left_during", "19:31:00", "19:41:00", 600)]


def test_two_units_present_if_any_says_so_absent_only_if_all() -> None:
    here = home_from("18:55").beats(at("18:56"), at("2026-03-25T07:30"))
    there = UnitStory("BU-0002").boots(at("18:55")).loses(at("18:55:10"))
    there.beats(at("18:56"), at("2026-03-25T07:30"))
    both = register(units=("BU-0001", "BU-0002"))
    assert absences(judge(lines(here, there), both, until=MORNING)) == []
    assert absences(judge(lines(there), register(units=("BU-0002",)), until=MORNING))[0][0] == "out_whole"
    assert absences(judge(lines(there), both, until=MORNING)) == []


def test_a_tamper_told_from_memory_neither_vouches_nor_ends_a_vouch() -> None:
    night = home_from("18:55").beats(at("18:56"), at("20:00")).loses(at("20:00:30"), last_heard=at("20:00:30"))
    night.beats(at("20:01"), at("20:10")).tell(at("19:59"), "tag_tamper", tag="T-1", kind="strap_cut")
    night.hears(at("20:11")).beats(at("20:12"), at("2026-03-25T07:30"))
    found = judge(lines(night), until=MORNING)
    assert absences(found) == [("left_during", "20:00:30", "20:11:00", 630)]
    (strap,) = [f for f in found if f.rule == "tag.strap"]
    assert (strap.class_, strap.start, strap.end) == ("strap_cut", at("19:59"), None)


def test_clock_offsets_beyond_the_policy_correct_from_their_own_number_on() -> None:
    night = home_from("18:55").beats(at("18:56"), at("20:00"))
    night.tell(at("20:03"), "unit_status", received=at("20:01"), power="mains", clock_offset_ms=120_000)
    night.loses(at("20:04"), last_heard=at("20:03:30"), received=at("20:02"))
    for minute in range(5, 15):
        night.tell(at(f"20:{minute:02}"), "unit_status", power="mains")
    night.hears(at("20:15"))
    assert absences(judge(lines(night), until=at("20:16"))) == [("left_during", "20:01:30", "20:13:00", 690)]


def test_a_number_with_two_contents_is_a_hole_and_a_conflict() -> None:
    night = home_from("18:55").beats(at("18:56"), at("20:00"))
    night.loses(at("20:00:30"), last_heard=at("20:00:30")).beats(at("20:01"), at("20:10"))
    number = night.seq - 5
    night.tell(at("20:05:01"), "unit_status", seq=number, received=at("20:30"), power="battery")
    found = judge(lines(night), until=at("20:31"))
    assert [f.rule for f in found if f.rule == "evidence.conflict"] == ["evidence.conflict"]
    assert absences(found) == [("left_during", "20:00:30", "20:04:00", 210)]


def test_events_outside_the_fitting_are_not_used() -> None:
    fitted = {"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-24T20:00:00Z"}
    night = UnitStory().boots(at("19:00")).loses(at("19:00:10")).beats(at("19:01"), at("20:30"))
    night.loses(at("20:31"), last_heard=at("20:30:40")).beats(at("20:32"), at("20:50"))
    found = absences(judge(lines(night), register(fittings=[fitted]), until=at("20:50")))
    assert found == [("left_during", "20:31:00", None, 1140)]


def test_the_sum_of_an_order_is_a_finding_only_beyond_its_allowance() -> None:
    night = home_from("18:55").loses(at("19:00"), last_heard=at("19:00"))
    night.beats(at("19:01"), at("20:00")).hears(at("20:00:00")).beats(at("20:01"), at("2026-03-25T07:30"))
    exact = judge(lines(night), register(order(atv_allowance_min=60)), until=MORNING)
    over = judge(lines(night), register(order(atv_allowance_min=59)), until=MORNING)
    assert [f for f in exact if f.rule == "curfew.accumulated"] == []
    assert [f.start for f in over if f.rule == "curfew.accumulated"] == [at("19:59")]


def test_an_authorised_absence_excludes_seconds_and_keeps_the_record() -> None:
    leave = {"from": "2026-03-24T19:00", "until": "2026-03-24T20:00", "reason": "medical", "approved_by": "A. Clerk"}
    night = home_from("18:50").loses(at("18:55"), last_heard=at("18:55"))
    night.beats(at("18:56"), at("20:10")).hears(at("20:10:30")).beats(at("20:11"), at("2026-03-25T07:30"))
    known = register(order(authorised_absences=[leave]))
    (finding,) = [f for f in judge(lines(night), known, until=MORNING) if f.rule == "curfew.absence"]
    assert (finding.class_, finding.absent_ms, finding.excluded_ms) == ("late_return", 630_000, 3_600_000)
    assert finding.raised_at == at("20:05")


def test_who_is_out_when_the_window_opens_is_noticed_without_an_event() -> None:
    night = (
        home_from("18:50")
        .loses(at("18:58"), last_heard=at("18:58"))
        .beats(at("18:59"), at("19:30"), tags={"T-1": "out"})
    )
    (finding,) = [f for f in judge(lines(night), until=at("19:30")) if f.rule == "curfew.absence"]
    assert (finding.class_, finding.start, finding.raised_at) == ("late_return", at("19:00"), at("19:05"))


def test_an_absence_that_is_told_ahead_of_its_time_is_raised_when_it_is_due() -> None:
    """A unit's clock runs three minutes fast, within what is believed; nothing comes after."""
    night = UnitStory().boots(at("18:50"), heartbeat_s=300).hears(at("18:51"))
    night.beats(at("18:55"), at("19:55"), every_s=300)
    night.loses(at("20:01"), last_heard=at("20:00"), received=at("19:58"))
    (finding,) = [f for f in judge(lines(night), until=at("20:30")) if f.rule == "curfew.absence"]
    assert (finding.start, finding.raised_at) == (at("20:00"), at("20:05"))


def test_an_absence_that_goes_on_ahead_of_its_time_is_raised_when_its_seconds_are_reached() -> None:
    """132 and 132 s are over by 20:13:12; of a third stretch, told ahead from 20:13:13 on, 36 s are wanting."""
    night = UnitStory().boots(at("19:59")).loses(at("20:00"), received=at("20:11:13"))
    night.beats(at("20:11"), at("20:11")).tell(at("20:13:13"), "unit_status", received=at("20:11:13"), power="mains")
    raised = {f.raised_at for f in judge(lines(night), until=at("21:00")) if f.rule == "curfew.absence"}
    assert raised == {at("20:13:49")}


def test_an_absence_after_one_that_ended_at_the_instant_of_judgement_is_raised_for_itself() -> None:
    night = home_from("18:55").loses(at("20:01")).beats(at("20:02"), at("20:19"))
    night.hears(at("20:20"), received=at("20:20")).beats(at("20:21"), at("20:35"))
    night.loses(at("20:36"), last_heard=at("20:30")).beats(at("20:37"), at("20:50"))
    found = [f for f in judge(lines(night), until=at("20:50")) if f.rule == "curfew.absence"]
    assert [(f.start, f.raised_at) for f in found] == [
        (at("20:01"), at("20:06")),
        (at("20:30"), at("20:36:02")),
    ]


def test_an_open_absence_is_open_only_while_it_is_known_to_go_on() -> None:
    night = home_from("18:55").loses(at("20:00"), last_heard=at("20:00")).beats(at("20:01"), at("20:10"))
    assert absences(judge(lines(night), until=at("20:11"))) == [("left_during", "20:00:00", None, 660)]
    assert absences(judge(lines(night), until=at("20:13"))) == [("left_during", "20:00:00", "20:12:12", 732)]
