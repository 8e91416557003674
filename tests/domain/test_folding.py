"""Folding is not seen: decisions are the same, to the instant and the fact cited, as if nothing had been folded."""

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from emcheck.domain import case, keeping, nights
from emcheck.domain.findings import Finding
from emcheck.domain.ids import UnitId
from emcheck.domain.instants import DAY, FOREVER, HOUR, MINUTE
from emcheck.domain.policies import Policies
from emcheck.domain.register import Register
from emcheck.domain.roster import Roster
from emcheck.domain.rules import monitoring_not_producing
from emcheck.service.replay import Replayed, replay
from emcheck.service.stream import Line
from emcheck.wire.topics import up
from tests.domain.bodies import limb, table
from tests.domain.wearing import Restless, restless_days, restless_night, wears
from tests.support import UnitStory, at, england, nightly, order, register

FITTED = {"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}
START = at("18:00", "2026-03-10")
WHAT = ["hears", "loses", "away", "report", "skips", "periodic", "reboots", "tamper", "offset", "tags", "stands"]
WAIT, DELAY = st.integers(1, 20 * 3600), st.sampled_from([2, 2, 2, 2, 90, 3600, 100_000, 500_000])
STEP = st.tuples(st.sampled_from(WHAT), WAIT, DELAY)
HOLE_THAT_GREW = [("periodic", 256, 100_000), ("reboots", 74, 2), ("older", 2500, 2), ("tamper", 71_999, 90)]
"""A boot names the last number of the one before it, a clone goes on with that one, and what was missing comes late."""
DAYS = [(seed, restless_days) for seed in range(5)]
STEP_OR_CLONE = st.tuples(st.sampled_from([*WHAT, "older"]), WAIT, DELAY)


def two_addresses() -> Register:
    """Two orders of one wearer, a second unit in the home, an allowance that some nights exceed."""
    return register(
        order(atv_allowance_min=30),
        order(order_id="O-2", curfew=nightly("12:00", "13:00"), timezone="Europe/London"),
        units=("BU-0001", "BU-0002"),
    )


def story(steps: list[tuple[str, int, int]], unit: str) -> UnitStory:  # noqa: C901 - a list of what may happen
    """Days of one unit; the third number is how many seconds a message is under way."""
    told = UnitStory(unit, boot=f"01JD00{unit[-1]}{'0' * 19}").boots(START, boot_n=0)
    now, boots = START, 0
    for what, wait_s, delay_s in steps:
        now += wait_s * 1000
        late = now + delay_s * 1000
        if what == "hears":
            told.hears(now, received=late)
        elif what == "loses":
            told.loses(now, last_heard=now - 20_000, received=late)
        elif what == "away":
            told.loses(now, last_heard=now - 20_000, received=late)
            for minute in range(1, 12):
                told.tell(now + minute * 60_000, "unit_status", power="mains", received=late + minute * 60_000)
            now += 11 * 60_000
        elif what == "report":
            told.reports(now, wait_s, received=late)
        elif what == "stands":
            told.stands(now, wait_s, received=late)
        elif what == "older":
            older(told, now, late, wait_s)
        elif what == "skips":
            told.skips(2)
        elif what == "periodic":
            told.skips(1)
            number = {"from": told.seq, "to": told.seq}
            told.tell(now, "lost", boot=told.boot, periodic_only=True, received=late, **number)
        elif what == "reboots":
            boots += 1
            previous = {"prev_boot": told.boot, "prev_last_seq": told.seq}
            told.reboots(now, f"01JD00{unit[-1]}{boots:02}{'0' * 17}", boot_n=boots, received=late, **previous)
        elif what == "tamper":
            told.tell(now - 400_000, "tag_tamper", tag="T-1", kind="strap_open", received=late)
        elif what == "offset":
            offset = -45_000 if wait_s % 2 else 5
            told.tell(now, "unit_status", power="mains", clock_offset_ms=offset, received=late)
        else:
            state = "out" if wait_s % 2 else "in"
            told.tell(now, "unit_status", power="mains", tags={"T-1": state}, received=late)
    return told


def older(told: UnitStory, now: int, late: int, choice: int) -> None:
    """An earlier boot goes on though a newer one began: a clone."""
    boot, counted = told.boot, told.seq
    earlier = sorted({envelope["boot"] for _, envelope in told.messages} - {boot})
    if earlier:
        told.boot, told.seq = earlier[choice % len(earlier)], 1000 + choice % 5
        told.tell(now, "unit_status", power="mains", received=late)
        told.boot, told.seq = boot, counted


def received(*stories: UnitStory, seed: int, repeats: float = 0.05) -> list[Line]:
    """All messages in the order in which they arrive; some arrive twice, the second time up to days late."""
    chance = random.Random(seed)
    messages = [(when, story.unit, envelope) for story in stories for when, envelope in story.messages]
    messages += [
        (when + chance.choice([1, HOUR, 6 * DAY]), unit, envelope)
        for when, unit, envelope in messages
        if chance.random() < repeats
    ]
    return [
        Line(number, when, "up", up(unit), json.dumps(envelope).encode())
        for number, (when, unit, envelope) in enumerate(sorted(messages, key=lambda m: m[0]), start=1)
    ]


def told(found: list[Finding], *, but: str = "") -> list[str]:
    return sorted(repr(finding) for finding in found if finding.rule != but)


def folded(lines: list[Line], known: Register, until: int, monkeypatch: pytest.MonkeyPatch, keep: int) -> Replayed:
    with monkeypatch.context() as patch:
        patch.setattr(case, "KEEP", keep)
        patch.setattr(nights, "KEEP", keep)
        return replay(lines, known, england(), until=until)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(STEP_OR_CLONE, min_size=5, max_size=30), st.lists(STEP_OR_CLONE, max_size=15), st.integers(0, 2**32))
@example([("away", 20 * 3600, 2)] * 12, [], 1)
@example(HOLE_THAT_GREW, [("hears", 35321, 2), ("tamper", 28303, 2)], 51149)
def test_folding_changes_no_decision(
    monkeypatch: pytest.MonkeyPatch, first: list[Any], second: list[Any], seed: int
) -> None:
    lines = received(story(first, "BU-0001"), story(second, "BU-0002"), seed=seed)
    known, until = two_addresses(), lines[-1].received_at + DAY
    whole = folded(lines, known, until, monkeypatch, FOREVER)
    at_once = folded(lines, known, until, monkeypatch, 0)
    looks_back = monitoring_not_producing.RULE  # two days: less is never kept but here
    assert told(at_once.findings, but=looks_back) == told(whole.findings, but=looks_back)
    as_ever = folded(lines, known, until, monkeypatch, case.KEEP)
    assert told(as_ever.findings) == told(whole.findings)


@pytest.mark.parametrize(("seed", "restless"), [*((s, restless_night) for s in range(8)), *DAYS])
def test_folding_changes_nothing_that_is_said_of_a_body(
    monkeypatch: pytest.MonkeyPatch, seed: int, restless: Restless
) -> None:
    known, stories = restless(seed, steps=6, delays=True)
    lines = received(*stories, seed=seed)
    until = lines[-1].received_at + DAY
    whole, at_once, as_ever = (
        told(folded(lines, known, until, monkeypatch, keep).findings, but=monitoring_not_producing.RULE)
        for keep in (FOREVER, 0, case.KEEP)
    )
    assert whole == at_once == as_ever


@pytest.mark.parametrize("heard_again", [None, 3 * DAY, 6 * DAY])
def test_what_a_unit_on_the_limb_outweighed_stays_so_when_its_night_has_folded(
    monkeypatch: pytest.MonkeyPatch, heard_again: int | None
) -> None:
    """Two units of a home: one called a worn tag off and never heard it again. Once it was accused, days later."""
    home = register(units=("BU-0001", "BU-0002"), fittings=[FITTED])
    right, wrong = (
        UnitStory(unit, boot=f"01JD00{unit[-1]}{'0' * 19}").boots(START, boot_n=0).hears(START + 1000)
        for unit in ("BU-0001", "BU-0002")
    )
    wears(right, limb, START + MINUTE, START + 6 * HOUR)
    wears(wrong, limb, START + MINUTE, START + 2 * HOUR)
    wears(wrong, table, START + 2 * HOUR, START + 4 * HOUR)
    for now in range(START + 7 * HOUR, START + 9 * DAY, HOUR):
        for unit in (right, wrong):
            unit.tell(now, "unit_status", power="mains", tags={"T-1": "in"})
        if heard_again is not None and now == START + 7 * HOUR + heard_again:
            wears(right, limb, now + MINUTE, now + 50 * MINUTE)
    lines = received(right, wrong, seed=1, repeats=0.0)
    until = lines[-1].received_at + HOUR
    whole, as_ever = (folded(lines, home, until, monkeypatch, keep) for keep in (FOREVER, case.KEEP))
    assert [f for f in whole.findings if f.rule == "body.not_attached"] == []
    assert told(as_ever.findings) == told(whole.findings)


def test_a_unit_asks_for_all_facts_where_one_of_two_cases_on_it_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two wearers has a second home, whose unit tells of an old night; then theirs in common does."""
    week = nightly()[0]["windows"]
    homes = [{"address_id": "A-1", "windows": week[:3]}, {"address_id": "A-2", "windows": week[3:]}]
    known = register(
        order(curfew=homes),
        order(order_id="O-2", wearer_id="W-2"),
        wearers=[{"wearer_id": "W-1"}, {"wearer_id": "W-2"}],
        installations=[
            {"unit": unit, "address_id": address, "installed_at": "2026-03-01T00:00:00Z"}
            for unit, address in (("BU-0001", "A-1"), ("BU-0002", "A-2"))
        ],
        fittings=[
            {"tag": tag, "wearer_id": who, "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}
            for tag, who in (("T-1", "W-1"), ("T-2", "W-2"))
        ],
    )
    shared, other = (
        UnitStory(unit, boot=f"01JD00{unit[-1]}{'0' * 19}").boots(START) for unit in ("BU-0001", "BU-0002")
    )
    for tag in ("T-1", "T-2"):
        shared.hears(START + 60_000, tag=tag)
    for now in range(START + HOUR, START + 9 * DAY, HOUR):
        if now == START + 3 * HOUR:  # two facts of that night are long under way
            other.tell(now, "presence", tag="T-1", in_range=True, received=START + 8 * DAY)
            shared.loses(now, last_heard=now - 20_000, tag="T-2", received=START + 8 * DAY + 60_000)
        if now == START + 4 * HOUR:
            shared.hears(now, tag="T-2", received=START + 8 * DAY + 60_001)
        for unit in (shared, other):
            unit.tell(now, "unit_status", power="mains")
    lines = received(shared, other, seed=1, repeats=0.0)
    until = lines[-1].received_at + HOUR
    whole = folded(lines, known, until, monkeypatch, FOREVER)
    assert [f for f in whole.findings if f.wearer_id == "W-2" and f.rule == "curfew.absence"]
    as_ever = folded(lines, known, until, monkeypatch, case.KEEP)
    assert told(as_ever.findings) == told(whole.findings)


def test_a_start_asks_for_all_facts_where_a_case_folded_after_its_units_state_was_taken() -> None:
    """The states of two units of a home were taken at other times; what the newer one had folded holds for both."""
    known = two_addresses()
    roster = Roster(known, Policies(england()))
    states = {
        name: keeping.state_of(roster, name) | {"as_of": as_of} for as_of, name in enumerate(sorted(roster.units))
    }
    newer = states[UnitId("BU-0002")]
    newer["cases"]["W-1"][0] = newer["settled"] = START
    keeping.restore(roster, states)
    assert all(unit.settled == START + roster.terms.leave_ms_most for unit in roster.units.values())


def test_a_case_stays_small_however_long_it_runs() -> None:
    nights = story([("away", 5 * 3600, 2), ("hears", 3600, 2), ("reboots", 600, 2), ("tags", 60, 2)] * 100, "BU-0001")
    lines = received(nights, seed=0, repeats=0)
    result = replay(lines, register(order(ends_at="2027-03-01T00:00:00Z")), england())
    (known,) = result.engine.cases.values()
    (unit,) = result.engine.units.values()
    assert len(result.findings) > 50
    assert all(len(state.windows) < 10 and len(state.results) < 10 for state in known.orders)
    assert sum(len(boot.entries) for boot in unit.track.boots.values()) < 100
    assert len(unit.track.boots) < 30


def test_the_whole_timeline_can_be_had_again() -> None:
    nights = story([("away", 5 * 3600, 2), ("hears", 3600, 2)] * 100, "BU-0001")
    lines = received(nights, seed=0)
    result = replay(lines, register(), england(), whole_timeline=True)
    assert result.timeline("W-1", "A-1")[0].start < START + 6 * HOUR  # type: ignore[arg-type]  # a literal address


def test_a_boot_starts_where_it_did_though_it_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first event, dated after the next boot's start, counts as a hole: it starts with the second."""
    night, minute = START + 2 * HOUR, 60_000
    unit = UnitStory().boots(night + HOUR, boot_n=1, received=night + HOUR)
    unit.hears(night).loses(night + 5 * minute).hears(night + 9 * minute).loses(night + 11 * minute)
    unit.reboots(night + 15 * minute, "01JD0000000000000000000009", boot_n=2).hears(night + 15 * minute)
    unit.beats(night + 16 * minute, night + 20 * minute).beats(night + 8 * DAY, night + 9 * DAY, every_s=3600)
    lines = received(unit, seed=0, repeats=0)
    for keep in (FOREVER, 0):
        result = folded(lines, two_addresses(), lines[-1].received_at, monkeypatch, keep)
        (known,) = (known for known in result.engine.units.values() if known.unit == "BU-0001")
        assert [boot.starts_at() for boot in known.track.boots.values()] == [night, night + 15 * minute]
