"""Where a wearer is at an instant, beside the timeline that verdicts rest on."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emcheck.domain.case import Case
from emcheck.domain.engine import Engine
from emcheck.domain.whereabouts import Standing, Whereabouts, last_heard_at, no_curfew, off_wearer, says, standing
from emcheck.service.replay import replay
from tests.domain.test_convergence import STEP, tell
from tests.domain.test_worn import removed
from tests.domain.wearing import CHANNELS
from tests.support import UnitStory, at, england, lines, nightly, order, register


def told(*stories: UnitStory, until: int, **parts: Any) -> tuple[Engine, Case]:
    """An engine that took in what units told, and the case of W-1."""
    orders = parts.pop("orders", ())
    engine = replay(lines(*stories), register(*orders, **parts), england(), until=until).engine
    return engine, engine.cases["W-1"]  # type: ignore[index] # its name


def seen(engine: Engine, case: Case, now: int) -> Standing:
    return standing(case, {unit: engine.units[unit].track for unit in case.units}, now)


@given(st.lists(st.tuples(STEP, st.integers(1, 400)), min_size=1, max_size=12), st.integers(0, 300_000))
@settings(max_examples=40)
def test_what_a_source_says_is_what_its_timeline_says(steps: list[tuple[str, int]], after: int) -> None:
    night = tell(steps)
    now = night.messages[-1][0] + after
    engine, case = told(night, until=now)
    (source,) = case.sources(case.addresses[0])
    track = engine.units[source.unit].track
    stretches = case.timeline(case.addresses[0], {source.unit: track})
    expected = next((s.present for s in stretches if s.start <= now < s.end), None)
    assert says(track, source, now) is expected


@pytest.mark.parametrize(
    ("hour", "present", "whereabouts"),
    [
        ("18:45", True, Whereabouts.HOME), ("18:45", False, Whereabouts.OUT_ALLOWED),
        ("19:30", True, Whereabouts.HOME), ("19:30", False, Whereabouts.OUT_IN_CURFEW),
    ],
)  # fmt: skip
def test_out_is_told_apart_by_the_window(hour: str, present: bool, whereabouts: Whereabouts) -> None:
    unit = UnitStory().boots(at("18:30")).hears(at("18:30"))
    if not present:
        unit.loses(at("18:35"))
    unit.beats(at("18:36"), at(hour))
    found = seen(*told(unit, until=at(hour) + 3000), at(hour) + 3000)
    assert found.whereabouts is whereabouts
    assert (found.window is not None) is (hour == "19:30")


def test_silence_is_unknown() -> None:
    unit = UnitStory().boots(at("18:30")).hears(at("18:30")).beats(at("18:31"), at("19:10"))
    engine, case = told(unit, until=at("19:20"))
    assert seen(engine, case, at("19:12")).whereabouts is Whereabouts.HOME
    assert seen(engine, case, at("19:12:12")).whereabouts is Whereabouts.UNKNOWN
    (source,) = case.sources(case.addresses[0])
    assert last_heard_at(engine.units[source.unit].track, source, at("19:20")) == at("19:10")


def test_the_last_time_a_tag_was_heard() -> None:
    unit = UnitStory().boots(at("18:30")).hears(at("18:30")).beats(at("18:31"), at("18:40"))
    engine, case = told(unit, until=at("18:41"))
    (source,) = case.sources(case.addresses[0])
    assert last_heard_at(engine.units[source.unit].track, source, at("18:41")) == at("18:40")
    engine, case = told(unit.loses(at("18:42"), last_heard=at("18:41:30")), until=at("18:43"))
    assert last_heard_at(engine.units[source.unit].track, source, at("18:43")) == at("18:41:30")
    engine, _ = told(until=at("18:43"))
    assert last_heard_at(engine.units[source.unit].track, source, at("18:43")) is None


def test_leave_makes_out_allowed() -> None:
    leave = {"from": "2026-03-24T19:00", "until": "2026-03-24T21:00", "reason": "medical", "approved_by": "A. Clerk"}
    for hour, expected in (("20:30", Whereabouts.OUT_ALLOWED), ("21:30", Whereabouts.OUT_IN_CURFEW)):
        early = UnitStory().boots(at("18:30")).hears(at("18:30")).loses(at("18:35")).beats(at("18:36"), at(hour))
        engine, case = told(early, until=at(hour), orders=[order(authorised_absences=[leave])])
        assert seen(engine, case, at(hour)).whereabouts is expected


@pytest.mark.parametrize(
    ("changes", "parts", "why"),
    [
        ({"starts_at": "2026-03-25T00:00:00Z"}, {}, "the order has not begun"),
        ({"ends_at": "2026-03-24T12:00:00Z"}, {}, "the order has ended"),
        ({"suspensions": [{"from": "2026-03-24T00:00", "until": "2026-03-25T00:00"}]}, {}, "suspended"),
        ({}, {"fittings": []}, "no tag is fitted"),
        ({"curfew": nightly(address="A-9")}, {}, "no base unit where the order wants one"),
    ],
)  # fmt: skip
def test_who_is_not_monitored_and_why(changes: dict[str, Any], parts: dict[str, Any], why: str) -> None:
    unit = UnitStory().boots(at("18:30")).hears(at("18:30")).beats(at("18:31"), at("19:30"))
    found = seen(*told(unit, until=at("19:31"), orders=[order(**changes)], **parts), at("19:31"))
    assert (found.whereabouts, found.why) == (Whereabouts.NOT_MONITORED, why)


def test_of_two_units_one_that_hears_is_enough_and_one_that_is_silent_leaves_it_open() -> None:
    hears = UnitStory("BU-0001").boots(at("18:30")).hears(at("18:30")).beats(at("18:31"), at("19:30"))
    loses = UnitStory("BU-0002").boots(at("18:30")).hears(at("18:30")).loses(at("18:40"))
    loses.beats(at("18:41"), at("19:30"))
    both = ("BU-0001", "BU-0002")
    found = seen(*told(hears, loses, until=at("19:31"), units=both), at("19:31"))
    assert found.whereabouts is Whereabouts.HOME
    found = seen(*told(loses, until=at("19:31"), units=both), at("19:31"))
    assert found.whereabouts is Whereabouts.UNKNOWN


@pytest.mark.parametrize(
    ("night", "hour", "found"),
    [
        (removed(back=False), "22:30", ("body.not_attached", "off")),
        (removed(), "23:50", None),
        (removed(channels=CHANNELS[:3]), "22:30", None),
        (removed(back=False).tell(at("22:31"), "tag_tamper", tag="T-1", kind="strap_cut", received=at("23:01")),
         "23:02", ("tag.strap", "strap_cut")),
    ],
    ids=["off", "on again", "a question only", "cut"],
)  # fmt: skip
def test_a_tag_is_off_while_a_rule_finds_so(night: UnitStory, hour: str, found: tuple[str, str] | None) -> None:
    now = at(hour)
    until = [line for line in lines(night) if line.received_at <= now]
    engine = replay(until, register(), england(), until=now).engine
    case = engine.cases["W-1"]  # type: ignore[index] # its name
    off = off_wearer(case, {unit: engine.units[unit].track for unit in case.units}, now)
    assert (None if off is None else (off.rule, off.class_)) == found


def test_why_nobody_need_be_at_home() -> None:
    leave = {"from": "2026-03-24T20:00", "until": "2026-03-24T22:00", "reason": "medical", "approved_by": "A. Clerk"}
    unit = UnitStory().boots(at("18:30"))
    _, case = told(unit, until=at("18:31"), orders=[order(authorised_absences=[leave])])
    assert no_curfew(case, at("21:00")) == (at("22:00"), None)
    assert no_curfew(case, at("07:30") + 86_400_000) == (None, at("07:00") + 86_400_000)
