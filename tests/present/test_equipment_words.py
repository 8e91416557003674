"""What the rules about equipment and register say to a person, one of each, as `equipment.txt` has it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emcheck.domain.register import Register
from emcheck.present.words import explain
from tests.support import UnitStory, at, judge, lines, register

FITTED = {"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}
AHEAD = {"received": at("13:00"), "clock_offset_ms": 95_000}


def home() -> UnitStory:
    return UnitStory().boots(at("12:00"), boot_n=1).hears(at("12:00"))


def status(**said: Any) -> UnitStory:
    return home().tell(at("13:00"), "unit_status", **said)


def report(**said: Any) -> UnitStory:
    return home().tell(at("13:00"), "report", tag="T-1", **({"heard": 9, "expected": 10} | said))


def clone() -> UnitStory:
    story = home()
    old, seq = story.boot, story.seq
    story.reboots(at("13:00"), "01JD0000010000000000000000", boot_n=2)
    story.boot = old
    return story.tell(at("13:01"), "unit_status", seq=seq + 1)


STORIES: dict[str, Callable[[], UnitStory]] = {
    "unit.power": lambda: status(power="battery", battery_pct=80),
    "unit.battery": lambda: status(power="mains", battery_pct=12),
    "unit.case": lambda: status(case="open"),
    "unit.clock": lambda: status(**AHEAD).tell(at("14:00"), "unit_status", clock_offset_ms=0),
    "unit.moved": lambda: status(moved=True).tell(at("13:01"), "unit_status", power="battery"),
    "rf.interference": lambda: status(noise_dbm=-80).tell(at("13:01"), "report", tag="T-1", heard=1, expected=10),
    "tag.battery": lambda: report(battery_pct=15),
    "tag.case": lambda: home().tell(at("13:00"), "tag_tamper", tag="T-1", kind="case_open"),
    "evidence.replayed": lambda: report(replayed=7),
    "evidence.conflict": clone,
}
REGISTERS: dict[str, tuple[Register, int]] = {
    "fitting.overdue": (register(fittings=[]), at("2026-03-05T00:00")),
    "fitting.unvalidated": (register(fittings=[FITTED | {"validation": "pending"}]), at("12:00")),
    "monitoring.removal_due": (register(), at("2026-05-02T00:00")),
}
SAID = dict(
    line.split(": ", 1) for line in (Path(__file__).parent / "equipment.txt").read_text(encoding="utf-8").splitlines()
)


@pytest.mark.parametrize("rule", STORIES)
def test_what_facts_say(rule: str) -> None:
    [finding] = [f for f in judge(lines(STORIES[rule]()), until=at("14:30")) if f.rule == rule]
    assert explain(finding) == SAID[rule]


@pytest.mark.parametrize("rule", REGISTERS)
def test_what_a_register_says(rule: str) -> None:
    known, until = REGISTERS[rule]
    [finding] = [f for f in judge([], known, until=until) if f.rule == rule]
    assert explain(finding) == SAID[rule]


def test_nothing_is_said_that_is_not_tested() -> None:
    assert SAID.keys() == STORIES.keys() | REGISTERS.keys()
