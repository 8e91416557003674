"""Every order a court makes, judged: short nights computed by hand, with all that the curfew rules find."""

from typing import Any

from emcheck.domain.findings import Finding
from emcheck.domain.instants import format_ms
from emcheck.domain.register import Register
from tests.support import UnitStory, at, judge, lines, nightly, order, register

MORNING = at("2026-03-25T08:00")
NIGHT_END = at("2026-03-25T07:30")


def told(found: list[Finding]) -> list[tuple[str, ...]]:
    """(who, order, class, window, absence, seconds, raised) of every curfew finding; times of day, UTC."""
    return [
        (
            f.wearer_id or "", f.order_id or "", f.class_ or f.rule,
            f"{_clock(f.window.start)}-{_clock(f.window.end)}" if f.window else "",
            f"{_clock(f.start)}-{_clock(f.end)}", str((f.absent_ms or 0) // 1000), _clock(f.raised_at),
        )
        for f in sorted(found, key=lambda f: (f.start, f.wearer_id or "", f.order_id or ""))
        if f.rule.startswith("curfew.")
    ]  # fmt: skip


def _clock(when: int | None) -> str:
    return "never" if when is None else format_ms(when)[11:16]


def out(leaves: str, returns: str, *, unit: str = "BU-0001", tag: str = "T-1", begins: str = "11:00") -> UnitStory:
    """A unit that hears a tag from its boot on, save between these times, until half past seven next morning."""
    story = UnitStory(unit).boots(at(begins)).hears(at(begins), tag)
    story.beats(at(begins) + 60_000, at(leaves)).loses(at(leaves), at(leaves), tag)
    return story.beats(at(leaves) + 60_000, at(returns)).hears(at(returns), tag).beats(at(returns) + 60_000, NIGHT_END)


def window(day: str, start: str, until: str, end: str) -> dict[str, str]:
    return {"from_day": day, "from_time": start, "until_day": until, "until_time": end}


def judged(*stories: UnitStory, known: Register) -> list[tuple[str, ...]]:
    return told(judge(lines(*stories), known, until=MORNING))


def installed(unit: str, address: str, **changes: Any) -> dict[str, Any]:
    return {"unit": unit, "address_id": address, "installed_at": "2026-03-01T00:00:00Z"} | changes


def fitted(tag: str, wearer: str = "W-1", **changes: Any) -> dict[str, Any]:
    return {"tag": tag, "wearer_id": wearer, "fitted_at": "2026-03-01T00:00:00Z"} | changes


def test_other_days_at_another_address() -> None:
    """Heard at the second address on a night that belongs to the first is not being at home."""
    places = [
        {"address_id": "A-1", "windows": [window("tue", "19:00", "tue", "21:00")]},
        {"address_id": "A-2", "windows": [window("tue", "22:00", "wed", "07:00")]},
    ]
    both = [installed("BU-0001", "A-1"), installed("BU-0002", "A-2")]
    first = UnitStory("BU-0001").boots(at("18:50")).loses(at("18:50")).beats(at("18:51"), NIGHT_END)
    second = UnitStory("BU-0002").boots(at("18:50")).hears(at("18:50")).beats(at("18:51"), NIGHT_END)
    known = register(order(curfew=places), installations=both)
    assert judged(first, second, known=known) == [
        ("W-1", "O-1", "out_whole", "19:00-21:00", "19:00-21:00", "7200", "19:05")
    ]
    swapped = register(
        order(curfew=[places[0] | {"address_id": "A-2"}, places[1] | {"address_id": "A-1"}]), installations=both
    )
    assert judged(first, second, known=swapped) == [
        ("W-1", "O-1", "out_whole", "22:00-07:00", "22:00-07:00", "32400", "22:05"),
        ("W-1", "O-1", "curfew.accumulated", "", "00:00-never", "32400", "00:00"),
    ]


def test_one_absence_over_two_of_three_windows_of_a_day() -> None:
    three = [
        window("tue", "11:30", "tue", "13:00"),
        window("tue", "16:00", "tue", "16:30"),
        window("tue", "20:00", "tue", "23:00"),
    ]
    known = register(order(curfew=[{"address_id": "A-1", "windows": three}]))
    assert judged(out("12:30", "20:20"), known=known) == [
        ("W-1", "O-1", "out_at_end", "11:30-13:00", "12:30-13:00", "1800", "12:35"),
        ("W-1", "O-1", "out_whole", "16:00-16:30", "16:00-16:30", "1800", "16:05"),
        ("W-1", "O-1", "late_return", "20:00-23:00", "20:00-20:20", "1200", "20:05"),
    ]


def test_several_wearers_on_one_unit_are_each_judged_by_their_own_tag() -> None:
    known = register(
        order(), order(order_id="O-2", wearer_id="W-2"),
        wearers=[{"wearer_id": "W-1"}, {"wearer_id": "W-2"}], fittings=[fitted("T-1"), fitted("T-2", "W-2")],
    )  # fmt: skip
    both = UnitStory().boots(at("11:00")).hears(at("11:00"), "T-1").hears(at("11:00"), "T-2")
    both.beats(at("11:01"), at("21:00")).loses(at("21:00"), at("21:00"), "T-2").beats(at("21:01"), at("21:10"))
    both.loses(at("21:11"), at("21:10:30"), "T-1").hears(at("21:11:25"), "T-1")  # two tags at once: 55 s not heard
    both.beats(at("21:12"), at("22:00")).hears(at("22:00"), "T-2").beats(at("22:01"), NIGHT_END)
    assert judged(both, known=known) == [
        ("W-2", "O-2", "left_during", "19:00-07:00", "21:00-22:00", "3600", "21:05")
    ]  # fmt: skip


def test_a_tag_swapped_in_mid_order() -> None:
    """What the old tag tells after its removal accuses nobody; the new one is judged from its fitting on."""
    fittings = [
        fitted("T-1", removed_at="2026-03-24T21:00:00Z"), fitted("T-2", fitted_at="2026-03-24T21:10:00Z"),
    ]  # fmt: skip
    story = UnitStory().boots(at("18:50")).hears(at("18:50"), "T-1").beats(at("18:51"), at("21:04"))
    story.loses(at("21:05"), at("21:04"), "T-1").beats(at("21:06"), at("21:09")).hears(at("21:11"), "T-2")
    story.beats(at("21:12"), at("23:00")).loses(at("23:00"), at("23:00"), "T-2").beats(at("23:01"), at("23:30"))
    story.hears(at("23:30"), "T-2").beats(at("23:31"), NIGHT_END)
    assert judged(story, known=register(fittings=fittings)) == [
        ("W-1", "O-1", "left_during", "19:00-07:00", "23:00-23:30", "1800", "23:05")
    ]


def test_a_unit_swapped_in_mid_order() -> None:
    """Between the two nothing is known; the absence that the new unit finds begins where it can tell."""
    units = [
        installed("BU-0001", "A-1", removed_at="2026-03-24T21:00:00Z"),
        installed("BU-0002", "A-1", installed_at="2026-03-24T21:20:00Z"),
    ]
    old = UnitStory("BU-0001").boots(at("18:50")).hears(at("18:50")).beats(at("18:51"), at("20:59"))
    old.loses(at("21:02"), at("21:01"))  # carried away
    new = UnitStory("BU-0002").boots(at("21:25")).loses(at("21:25")).beats(at("21:26"), at("21:40"))
    new.hears(at("21:40")).beats(at("21:41"), NIGHT_END)
    assert judged(old, new, known=register(installations=units)) == [
        ("W-1", "O-1", "left_during", "19:00-07:00", "21:25-21:40", "900", "21:30")
    ]


def test_several_units_of_a_home_where_one_is_taken_away() -> None:
    """Present if any says so; once one is gone, the other alone is believed."""
    units = [installed("BU-0001", "A-1", removed_at="2026-03-24T22:00:00Z"), installed("BU-0002", "A-1")]
    kitchen = UnitStory("BU-0001").boots(at("18:50")).hears(at("18:50")).beats(at("18:51"), at("21:59"))
    bedroom = out("21:00", "23:00", unit="BU-0002", begins="18:50")
    assert judged(kitchen, bedroom, known=register(installations=units)) == [
        ("W-1", "O-1", "left_during", "19:00-07:00", "22:00-23:00", "3600", "22:05")
    ]


def test_a_variation_judges_by_the_version_in_force_at_the_time() -> None:
    varied = [{"effective_at": "2026-03-24T20:30:00Z", "curfew": nightly("21:00", "06:00")}]
    assert judged(out("18:30", "21:10"), known=register(order(variations=varied))) == [
        ("W-1", "O-1", "out_whole", "19:00-20:30", "19:00-20:30", "5400", "19:05"),
        ("W-1", "O-1", "late_return", "21:00-06:00", "21:00-21:10", "600", "21:05"),
    ]


def test_a_variation_moves_the_wearer_to_another_address() -> None:
    moves = [{"effective_at": "2026-03-24T22:00:00Z", "curfew": nightly(address="A-2")}]
    known = register(order(variations=moves), installations=[installed("BU-0001", "A-1"), installed("BU-0002", "A-2")])
    first = out("21:30", "23:30", begins="18:50")
    second = UnitStory("BU-0002").boots(at("18:50")).loses(at("18:50")).beats(at("18:51"), at("22:20"))
    second.hears(at("22:20")).beats(at("22:21"), NIGHT_END)
    assert judged(first, second, known=known) == [
        ("W-1", "O-1", "out_at_end", "19:00-22:00", "21:30-22:00", "1800", "21:35"),
        ("W-1", "O-1", "late_return", "22:00-07:00", "22:00-22:20", "1200", "22:05"),
    ]


def test_a_suspension_takes_its_time_out() -> None:
    hospital = [{"from": "2026-03-24T21:00", "until": "2026-03-24T23:00", "reason": "hospital"}]
    assert judged(out("20:50", "23:10"), known=register(order(suspensions=hospital))) == [
        ("W-1", "O-1", "out_at_end", "19:00-21:00", "20:50-21:00", "600", "20:55"),
        ("W-1", "O-1", "late_return", "23:00-07:00", "23:00-23:10", "600", "23:05"),
    ]
    whole = [{"from": "2026-03-24T12:00", "until": "2026-03-25T12:00"}]
    assert judged(out("20:50", "23:10"), known=register(order(suspensions=whole))) == []


def test_an_order_that_ends_or_begins_in_the_night() -> None:
    ended = register(order(ends_at="2026-03-24T22:00:00Z"))
    assert judged(out("21:30", "23:00"), known=ended) == [
        ("W-1", "O-1", "out_at_end", "19:00-22:00", "21:30-22:00", "1800", "21:35")
    ]
    begun = register(order(starts_at="2026-03-24T22:00:00Z"))
    assert judged(out("21:30", "22:10"), known=begun) == [
        ("W-1", "O-1", "late_return", "22:00-07:00", "22:00-22:10", "600", "22:05")
    ]
    for other in ({"ends_at": "2026-03-24T18:00:00Z"}, {"starts_at": "2026-03-26T00:00:00Z"}):
        assert judged(out("21:30", "23:00"), known=register(order(**other))) == []


def test_the_first_night_begins_earlier_and_at_the_first_address() -> None:
    night = {"from": "2026-03-24T17:00", "until": "2026-03-25T07:00"}
    known = register(order(first_night=night, curfew=nightly()))
    assert judged(out("16:00", "18:00"), known=known) == [
        ("W-1", "O-1", "late_return", "17:00-07:00", "17:00-18:00", "3600", "17:05")
    ]


def test_two_orders_of_one_wearer_are_each_judged() -> None:
    known = register(order(), order(order_id="O-2", kind="bail", curfew=nightly("21:00", "06:00"), atv_allowance_min=5))
    assert judged(out("20:30", "21:20"), known=known) == [
        ("W-1", "O-1", "left_during", "19:00-07:00", "20:30-21:20", "3000", "20:35"),
        ("W-1", "O-2", "late_return", "21:00-06:00", "21:00-21:20", "1200", "21:05"),
        ("W-1", "O-2", "curfew.accumulated", "", "21:05-never", "1200", "21:05"),
    ]


def test_leave_across_a_variation_and_a_suspension_is_counted_once() -> None:
    leave = [
        {"from": "2026-03-24T20:00", "until": "2026-03-24T20:40", "reason": "work", "approved_by": "A. Clerk"},
        {"from": "2026-03-24T20:30", "until": "2026-03-24T21:30", "reason": "medical", "approved_by": "A. Clerk"},
    ]
    known = register(
        order(
            authorised_absences=leave,
            variations=[{"effective_at": "2026-03-24T20:15:00Z", "curfew": nightly("18:00", "06:00")}],
            suspensions=[{"from": "2026-03-24T21:00", "until": "2026-03-24T21:10"}],
        )
    )
    found = judge(lines(out("19:55", "21:40")), known, until=MORNING)
    assert told(found) == [
        ("W-1", "O-1", "out_at_end", "19:00-20:15", "19:55-20:15", "300", "20:00"),
        ("W-1", "O-1", "out_whole", "20:15-21:00", "20:15-21:00", "0", "never"),
        ("W-1", "O-1", "late_return", "21:10-06:00", "21:10-21:40", "600", "21:35"),
    ]
    absences = sorted((f for f in found if f.rule == "curfew.absence"), key=lambda f: f.start)
    assert [(f.excluded_ms or 0) // 1000 for f in absences] == [900, 2700, 1200]
