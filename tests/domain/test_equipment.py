"""The rules about equipment, each at its threshold: one below, at it, and one above; found late, and cleared."""

import random
from typing import Any

import pytest

from emcheck.domain.findings import Finding
from emcheck.domain.instants import DAY, HOUR, MINUTE, SECOND
from emcheck.domain.register import Register
from emcheck.present.words import explain
from emcheck.service.stream import Line
from tests.domain.test_convergence import IN_RECEIVE_TIME
from tests.support import UnitStory, at, judge, lines, register

MORNING = at("2026-03-25T08:00")
FITTED = {"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z"}


def home() -> UnitStory:
    return UnitStory().boots(at("12:00")).hears(at("12:00"))


def of(rule: str, found: list[Finding]) -> list[Finding]:
    return sorted((f for f in found if f.rule == rule), key=lambda f: f.start)


def judged(rule: str, story: UnitStory, until: int, known: Register | None = None) -> list[Finding]:
    return of(rule, judge(lines(story), known, until=until))


def status(story: UnitStory, when: int, **fields: Any) -> UnitStory:
    return story.tell(when, "unit_status", **({"power": "mains"} | fields))


def report(story: UnitStory, when: int, **fields: Any) -> UnitStory:
    return story.tell(when, "report", tag="T-1", **({"interval_s": 60, "heard": 9, "expected": 10} | fields))


# --- unit.power -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lost_ms", "found"), [(30 * MINUTE - 1, 0), (30 * MINUTE, 1), (30 * MINUTE + 1, 1)])
def test_mains_lost_for_half_an_hour(lost_ms: int, found: int) -> None:
    story = status(home(), at("13:00"), power="battery", battery_pct=100)
    status(story, at("13:00") + lost_ms)
    assert len(judged("unit.power", story, MORNING)) == found


@pytest.mark.parametrize(("after_ms", "found"), [(-1, []), (0, [at("13:30")]), (1, [at("13:30")])])
def test_a_cut_is_told_of_by_a_wake_up_at_that_very_instant(after_ms: int, found: list[int]) -> None:
    story = status(home(), at("13:00"), power="battery", battery_pct=100)
    cuts = judged("unit.power", story, at("13:30") + after_ms)
    assert [f.raised_at for f in cuts] == found


@pytest.mark.parametrize(("after_ms", "priority"), [(-1, "P3"), (0, "P2"), (1, "P2")])
def test_a_battery_at_its_end_is_critical(after_ms: int, priority: str) -> None:
    story = status(home(), at("13:00"), power="battery", battery_pct=50)
    [cut] = judged("unit.power", story, at("13:00") + 20 * HOUR + after_ms)
    assert (cut.priority, cut.start, cut.end, cut.unit, cut.wearer_id) == (
        priority, at("13:00"), None, "BU-0001", None
    )  # fmt: skip
    assert "without mains since Tue 24 Mar 13:00:00" in explain(cut)
    assert "held 50 % then; that lasts until about Tue 24 Mar 23:00:00 (UTC)" in explain(cut)


def test_a_cut_that_is_told_late_is_found_at_its_receipt() -> None:
    story = home()
    status(story, at("13:00"), power="battery", battery_pct=100, received=at("18:00"))
    status(story, at("14:00"), received=at("18:00"))
    [cut] = judged("unit.power", story, MORNING)
    assert (cut.start, cut.end, cut.raised_at) == (at("13:00"), at("14:00"), at("18:00"))
    assert explain(cut) == (
        "Base unit BU-0001 ran on its battery, without mains, from Tue 24 Mar 13:00:00 "
        "until Tue 24 Mar 14:00:00 (UTC), 1 h."
    )


def test_a_cut_goes_on_over_silence_a_hole_and_a_boot_that_says_so() -> None:
    story = status(home(), at("13:00"), power="battery")
    status(story.skips(3), at("14:00"), power="battery")
    story.reboots(at("15:00"), "01JD0000010000000000000000")
    status(story, at("15:15"), power="battery")
    assert [(f.start, f.end) for f in judged("unit.power", story, at("16:00"))] == [(at("13:00"), None)]


def test_a_boot_that_does_not_say_so_ends_it() -> None:
    story = status(home(), at("13:00"), power="battery")
    story.reboots(at("15:00"), "01JD0000010000000000000000")
    status(story, at("15:15:00.001"), power="battery")
    told = [(f.start, f.end) for f in judged("unit.power", story, at("16:00"))]
    assert told == [(at("13:00"), at("15:00")), (at("15:15:00.001"), None)]


# --- batteries --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pct", "found"), [(21, 0), (20, 1), (19, 1)])
def test_a_tags_battery_is_low(pct: float, found: int) -> None:
    story = report(report(home(), at("13:00"), battery_pct=pct), at("13:01"), battery_pct=pct)
    low = judged("tag.battery", story, MORNING)
    assert len(low) == found
    for finding in low:
        assert (finding.start, finding.end, finding.wearer_id, finding.unit) == (at("13:00"), None, "W-1", None)
        assert finding.raised_at == at("13:00:02")
        assert f"The battery of tag T-1 is low: {pct} % at" in explain(finding)
        assert "A visit is due by Tue 31 Mar 2026." in explain(finding)


@pytest.mark.parametrize(("pct", "end"), [(29, None), (30, None), (31, at("14:00"))])
def test_a_battery_that_wavers_at_the_threshold_is_one_finding(pct: float, end: int | None) -> None:
    story = report(report(home(), at("13:00"), battery_pct=20), at("13:30"), battery_pct=22)
    report(story, at("14:00"), battery_pct=pct)
    assert [(f.start, f.end) for f in judged("tag.battery", story, MORNING)] == [(at("13:00"), end)]


def test_a_battery_between_the_thresholds_begins_nothing() -> None:
    assert judged("tag.battery", report(home(), at("13:00"), battery_pct=25), MORNING) == []


def test_a_tag_that_is_fitted_again_is_told_of_anew() -> None:
    fittings = [
        FITTED | {"removed_at": "2026-03-24T14:00:00Z"},
        FITTED | {"fitted_at": "2026-03-24T15:00:00Z"},
    ]
    story = home()
    for when in ("13:00", "14:30", "15:30"):
        report(story, at(when), battery_pct=10)
    told = judged("tag.battery", story, MORNING, register(fittings=fittings))
    assert [(f.start, f.end) for f in told] == [(at("13:00"), at("14:00")), (at("15:30"), None)]


@pytest.mark.parametrize(("pct", "found"), [(21, 0), (20, 1), (19, 1)])
def test_a_units_battery_is_low_on_mains(pct: float, found: int) -> None:
    assert len(judged("unit.battery", status(home(), at("13:00"), battery_pct=pct), MORNING)) == found


@pytest.mark.parametrize(("after_ms", "found"), [(-1, 0), (0, 1), (1, 1)])
def test_a_battery_may_charge_for_six_hours_after_a_cut(after_ms: int, found: int) -> None:
    story = status(home(), at("13:00"), power="battery", battery_pct=100)
    status(story, at("15:00"), power="battery", battery_pct=15)
    status(story, at("16:00"), battery_pct=12)
    low = judged("unit.battery", story, at("22:00") + after_ms)
    assert [f.raised_at for f in low] == [at("22:00")] * found
    assert len(judged("unit.power", story, at("22:00"))) == 1


# --- cases ------------------------------------------------------------------------------------------------


def test_a_tags_case_is_latched_and_told_from_memory() -> None:
    story = home().tell(at("13:00"), "tag_tamper", tag="T-1", kind="case_open", received=at("14:00"))
    story.tell(at("15:00"), "tag_tamper", tag="T-1", kind="case_open")
    [opened] = judged("tag.case", story, MORNING)
    assert (opened.start, opened.end, opened.priority, opened.raised_at) == (at("13:00"), None, "P1", at("14:00"))
    assert judged("tag.strap", story, MORNING) == []


def test_a_fitters_visit_accuses_nobody() -> None:
    story = home().tell(at("13:00"), "tag_tamper", tag="T-1", kind="case_open")
    known = register(fittings=[FITTED | {"fitted_at": "2026-03-24T13:00:01Z"}])
    assert judged("tag.case", story, MORNING, known) == []


@pytest.mark.parametrize(("said", "found"), [("closed", 0), (False, 0), (None, 0), ("open", 1), (True, 1), ("ajar", 1)])
def test_a_units_case(said: object, found: int) -> None:
    story = status(status(home(), at("13:00"), case=said), at("14:00"), case="closed")
    told = judged("unit.case", story, MORNING)
    assert [(f.start, f.end, f.priority) for f in told] == [(at("13:00"), at("14:00"), "P2")] * found


# --- unit.clock -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset_ms", "priorities"),
    [(30_000, []), (30_001, ["P3"]), (-30_001, ["P3"]), (900_000, ["P3"]), (900_001, ["P2"])],
)
def test_a_clock_that_is_off(offset_ms: int, priorities: list[str]) -> None:
    story = status(home(), at("13:00"), clock_offset_ms=offset_ms, received=at("13:20"))
    status(story, at("14:00"), clock_offset_ms=0, received=at("14:20"))
    told = judged("unit.clock", story, MORNING)
    assert [f.priority for f in told] == priorities
    assert all((f.start, f.end) == (at("13:00") - offset_ms, at("14:00")) for f in told)


# --- rf.interference --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noise_dbm", "heard", "found"), [(-95, 4, 0), (-94.9, 4, 1), (-80, 5, 0), (-80, 4, 1), (-110, 0, 0)]
)
def test_noise_while_frames_are_missed(noise_dbm: float, heard: int, found: int) -> None:
    story = report(status(home(), at("13:00"), noise_dbm=noise_dbm), at("13:01"), heard=heard)
    status(story, at("13:10"), noise_dbm=-110)
    told = judged("rf.interference", story, MORNING)
    assert [(f.start, f.end, f.unit) for f in told] == [(at("13:01"), at("13:10"), "BU-0001")] * found


# --- unit.moved -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("apart_ms", "found"), [(119_999, 1), (120_000, 1), (120_001, 0)])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(
    ("also", "class_"),
    [({"power": "battery"}, "with_power"), ({"buffered": 20}, "with_link"), ({"buffered": 19}, None)],
)
def test_motion_with_something_else(
    apart_ms: int, found: int, sign: int, also: dict[str, Any], class_: str | None
) -> None:
    when = {at("13:00"): {"moved": True}, at("13:00") + sign * apart_ms: also}
    story = home()
    for moment in sorted(when):
        story.tell(moment, "unit_status", **when[moment])
    told = judged("unit.moved", story, at("13:20"))
    assert [f.class_ for f in told] == ([class_] * found if class_ else [])


@pytest.mark.parametrize(("third_ms", "found"), [(DAY - 1, 1), (DAY, 1), (DAY + 1, 0)])
def test_the_third_motion_in_a_day(third_ms: int, found: int) -> None:
    story = home()
    for after_ms in (0, HOUR, third_ms):
        status(story, at("13:00") + after_ms, moved=True)
        status(story, at("13:00") + after_ms + SECOND, moved=False)
    told = judged("unit.moved", story, at("2026-03-26T08:00"))
    assert [(f.class_, f.start) for f in told] == [("repeated", at("13:00") + third_ms)] * found


def test_motion_alone_is_information() -> None:
    assert judged("unit.moved", status(home(), at("13:00"), moved=True), MORNING) == []


# --- evidence ---------------------------------------------------------------------------------------------


def test_frames_whose_counter_went_back() -> None:
    story = report(report(home(), at("13:00"), replayed=0), at("13:01"), replayed=7)
    report(report(story, at("13:02"), replayed=2), at("13:03"))
    [told] = judged("evidence.replayed", story, MORNING)
    assert (told.start, told.end, told.priority, dict(told.detail)["frames"]) == (at("13:01"), at("13:03"), "P2", 7)


@pytest.mark.parametrize(("after_ms", "found"), [(0, 0), (1, 1)])
def test_an_older_boots_event_after_a_newer_boots_start(after_ms: int, found: int) -> None:
    story = UnitStory().boots(at("12:00"), boot_n=1).hears(at("12:00"))
    old, seq = story.boot, story.seq
    story.reboots(at("13:00"), "01JD0000010000000000000000", boot_n=2)
    story.boot = old
    status(story, at("13:00") + after_ms, seq=seq + 1, received=at("13:05"))
    told = judged("evidence.conflict", story, MORNING)
    assert [(f.class_, f.start, f.raised_at) for f in told] == [
        ("older_boot", at("13:00") + after_ms, at("13:05"))
    ] * found


def test_what_is_dated_a_little_ahead_counts_at_its_very_instant() -> None:
    story = report(home(), at("13:00"), battery_pct=10, received=at("12:59:20"))
    story.tell(at("13:00"), "tag_tamper", tag="T-1", kind="case_open", received=at("12:59:20"))
    status(story, at("13:00"), case="open", received=at("12:59:20"))
    for until, found in ((at("13:00") - 1, []), (at("13:00"), [at("13:00")] * 3)):
        told = judge(lines(story), until=until)
        assert [f.raised_at for f in told if f.rule in ("tag.battery", "tag.case", "unit.case")] == found


# --- doubts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "doubts"),
    [
        ({"noise_dbm": -80}, {}, ("interference",)),
        ({"noise_dbm": -95}, {}, ()),
        ({"clock_offset_ms": 31_000}, {}, ("clock",)),
        ({"power": "battery", "moved": True}, {}, ()),
        ({}, {"noise_dbm": -80}, ("interference",)),
    ],
)
def test_what_a_unit_told_weakens_an_absence(
    before: dict[str, Any], after: dict[str, Any], doubts: tuple[str, ...]
) -> None:
    story = status(home(), at("19:30"), **before).loses(at("20:00"), last_heard=at("19:59"))
    status(story, at("20:02"), **after).beats(at("20:03"), at("20:30"))
    [absence] = judged("curfew.absence", story, at("20:30"))
    assert absence.doubts == doubts


@pytest.mark.parametrize(("pct", "doubts"), [(6, ()), (5, ("tag_battery",)), (4, ("tag_battery",))])
def test_a_tag_that_is_all_but_empty_weakens_an_absence(pct: float, doubts: tuple[str, ...]) -> None:
    story = report(home(), at("19:30"), battery_pct=pct).loses(at("20:00"), last_heard=at("19:59"))
    [absence] = judged("curfew.absence", story.beats(at("20:01"), at("20:30")), at("20:30"))
    assert absence.doubts == doubts
    assert ("In doubt, for in this time the tag's battery was all but empty." in explain(absence)) is bool(doubts)


def test_what_is_over_before_an_absence_does_not_weaken_it() -> None:
    story = status(status(home(), at("19:30"), noise_dbm=-80), at("19:59"), noise_dbm=-110)
    story.loses(at("20:00"), last_heard=at("19:59")).beats(at("20:01"), at("20:30"))
    assert [f.doubts for f in judged("curfew.absence", story, at("20:30"))] == [()]


# --- all of them, in any order ----------------------------------------------------------------------------


def test_a_night_of_everything_told_backwards_says_the_same() -> None:
    story = home()
    for minute in range(40):
        story.stands(at("19:00") + minute * 10 * MINUTE, minute)
        story.reports(at("19:05") + minute * 10 * MINUTE, minute)
    ordered = lines(story)
    received = [Line(n, MORNING, line.kind, line.topic, line.payload) for n, line in enumerate(ordered)]
    backwards = [Line(n, MORNING, line.kind, line.topic, line.payload) for n, line in enumerate(reversed(ordered))]
    mixed = random.Random(7).sample(received, len(received)) + received[::5]
    told = [
        sorted(
            (f.rule, f.class_ or "", f.start, f.end or 0, f.evidence, f.detail)
            for f in judge(stream, until=MORNING)
            if f.rule not in IN_RECEIVE_TIME
        )
        for stream in (received, backwards, mixed)
    ]
    assert told[1] == told[0]
    assert told[2] == told[0]
    rules = {row[0] for row in told[0]}
    assert rules == {"evidence.replayed", "rf.interference", "tag.battery", "unit.case", "unit.moved"}
