"""Killed with SIGKILL at any instant, more than fifty times in a night: nothing lost, nothing told twice, the same
findings. The broker is killed some of those times as well."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from emcheck.domain.findings import Finding
from emcheck.ports import InboxRow
from firmware_sim.scenario import parse_scenario
from tests.service.chaos import STEP_MS, Aftermath, blows, mines, run

NIGHT = parse_scenario(
    {
        "name": "killed",
        "about": "4 wearers, one night: late, out for a while, out at the end, cut off while out",
        "seed": 50,
        "starts_at": "2026-03-24T18:40",
        "ends_at": "2026-03-25T07:20",
        "town": {"wearers": 4, "restless_share": 0.0},
        "units": {"report_s": 120, "heartbeat_s": 120},
        "story": [
            {"kind": "late_return", "wearers": [1], "home_at": "2026-03-24T19:31"},
            {"kind": "slip", "wearers": [1], "at": "2026-03-25T02:10", "minutes": 26},
            {"kind": "slip", "wearers": [2], "at": "2026-03-24T22:05", "minutes": 4},
            {"kind": "out_at_end", "wearers": [2], "at": "2026-03-25T05:50"},
            {"kind": "slip", "wearers": [3], "at": "2026-03-25T00:40", "minutes": 35},
        ],
        "fault": [
            {"kind": "uplink_outage", "wearers": [3], "at": "2026-03-25T00:20", "minutes": 95},
            {"kind": "reboot", "wearers": [4], "at": "2026-03-25T03:30"},
        ],
    },
    source="the night of the kills",
)
KILLS = {"busy": 12, "away": 8, "starting": 6, "both": 5, "broker": 4}
"""From outside; `starting` kills twice, so 37 kills, and the broker 9 times. Mines add theirs."""


@pytest.mark.timeout(240)
async def test_killed_fifty_times_in_a_night_it_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    steps = (NIGHT.end_ms - NIGHT.start_ms) // STEP_MS
    calm = await run(NIGHT, tmp_path / "calm", {})
    wild = await run(NIGHT, tmp_path / "wild", blows(20260324, steps, KILLS), mines(20260324))
    assert calm.exits == {-9: 1, 0: 1}
    assert set(wild.exits) == {-9, 0}
    assert wild.exits[-9] >= 50
    for night in (calm, wild):
        assert nothing_lost(night) == {}
        assert rows_that_brought_nothing(night.inbox) == []
        assert numbers_kept_twice(night.inbox) == []
        told_once(night)
    assert curfew(wild.findings) == curfew(calm.findings)
    assert len(curfew(calm.findings)) >= 5


def envelope_of(row: InboxRow) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(row.payload)
    return body


def numbers_of(inbox: Iterable[InboxRow]) -> list[tuple[InboxRow, tuple[str, str], set[int]]]:
    """The numbers that each row of a unit holds, read without any of our own code."""
    return [
        (row, (str(row.unit), body["boot"]), set(range(body["first_seq"], body["first_seq"] + len(body["events"]))))
        for row in inbox
        if row.kind == "up"
        for body in [envelope_of(row)]
    ]


def nothing_lost(night: Aftermath) -> dict[tuple[str, str], set[int]]:
    """Numbers that were sent and are neither in the inbox nor declared lost."""
    held: dict[tuple[str, str], set[int]] = {}
    for row, name, numbers in numbers_of(night.inbox):
        held.setdefault(name, set()).update(numbers)
        for event in envelope_of(row)["events"]:
            if event["type"] == "lost":
                held.setdefault((name[0], event["boot"]), set()).update(range(event["from"], event["to"] + 1))
    return {name: missing for name, sent in night.sent.items() if (missing := sent - held.get(name, set()))}


def rows_that_brought_nothing(inbox: Sequence[InboxRow]) -> list[int]:
    known: dict[tuple[str, str], set[int]] = {}
    useless = []
    for row, name, numbers in numbers_of(inbox):
        if numbers <= known.setdefault(name, set()):
            useless.append(row.row_id)
        known[name] |= numbers
    return useless


def numbers_kept_twice(inbox: Sequence[InboxRow]) -> list[tuple[int, set[int]]]:
    known: dict[tuple[str, str], set[int]] = {}
    twice = []
    for row, name, numbers in numbers_of(inbox):
        if again := numbers & known.setdefault(name, set()):
            twice.append((row.row_id, again))
        known[name] |= numbers
    return twice


def told_once(night: Aftermath) -> None:
    """Each alert was raised once; what was heard is what is owed, each event word for word, however often."""
    assert [name for name, actions in night.actions.items() if actions.count("raised") != 1] == []
    assert [name for name, actions in night.actions.items() if actions[0] != "raised" or "reinstated" in actions] == []
    assert night.heard == {name: {body} for name, body in night.owed.items()}
    assert night.deliveries >= len(night.owed)


def curfew(findings: Iterable[Finding]) -> list[tuple[object, ...]]:
    """Curfew findings, but for the instant of their alert: that may be late after an outage of the service."""
    return sorted(
        (f.wearer_id, f.rule, f.class_, f.window, f.start, f.end, f.absent_ms, f.excluded_ms, f.priority)
        for f in findings
        if f.rule.startswith("curfew.")
    )
