"""A unit that is cut off for a whole day, over a real broker and a new database: its silence is raised, nobody is
accused, and in the end its stored facts say what was; the silence stays on record."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from emcheck.cli import app
from emcheck.domain.ids import Ms
from emcheck.domain.instants import MINUTE, format_ms, parse_ms
from emcheck.ports import InboxRow
from emcheck.store.sql import SqlStore
from firmware_sim.run import World
from firmware_sim.scenario import parse_scenario
from firmware_sim.worlds.night import Watcher, run_night
from tests.support import england

DAY = parse_scenario(
    {
        "name": "day-offline",
        "about": "2 wearers, a night and a day; one unit is cut off from before the curfew to the next evening",
        "seed": 4,
        "starts_at": "2026-03-03T18:30",
        "ends_at": "2026-03-04T19:20",
        "town": {"wearers": 2, "restless_share": 0.0},
        "units": {"report_s": 120, "heartbeat_s": 120},
        "story": [
            {"kind": "late_return", "wearers": [1], "home_at": "2026-03-03T20:05"},
            {"kind": "slip", "wearers": [1], "at": "2026-03-04T03:10", "minutes": 25},
        ],
        "fault": [{"kind": "uplink_outage", "wearers": [1], "at": "2026-03-03T18:40", "minutes": 1440}],
    },
    source="the day offline",
)
CUT_OFF, BACK = parse_ms("2026-03-03T18:40:00Z"), parse_ms("2026-03-04T18:40:00Z")
DURING = parse_ms("2026-03-04T12:00:00Z")
SLACK_MS = 3 * MINUTE
"""A step of the world, a heartbeat and the leave time: instants are told to within this."""


@pytest.mark.timeout(240)
async def test_a_day_of_silence_is_revised_by_what_the_unit_stored(tmp_path: Path) -> None:
    night = await run_night(DAY, england(), tmp_path, watcher=Watcher())
    assert night.service_troubles == []

    told = {event["data"]["alert_id"]: event["data"] for event in night.alerts}
    raised = [e["data"] for e in night.alerts if e["type"] == "emcheck.alert.raised" and about_the_first(e["data"])]
    assert len({data["alert_id"] for data in raised}) == len(raised)
    silence, *absences = raised
    assert silence["rule"] == "unit.silent"
    assert CUT_OFF < parse_ms(silence["raised_at"]) < CUT_OFF + 4 * MINUTE + SLACK_MS
    assert {data["rule"] for data in absences} == {"curfew.absence"}
    assert min(parse_ms(data["raised_at"]) for data in absences) >= BACK
    last = told[silence["alert_id"]]
    assert (last["withdrawn"], last["priority"]) == (False, "P1")
    assert abs(parse_ms(last["ended_at"]) - BACK) < SLACK_MS

    [kept] = [f for f in night.findings if f.rule == "unit.silent"]
    assert (kept.unit, kept.start) == ("BU-0001", parse_ms(silence["happened_at"]))
    assert kept.end is not None
    assert abs(kept.end - BACK) < SLACK_MS
    found = [f for f in night.findings if f.rule == "curfew.absence"]
    assert [(f.wearer_id, f.class_) for f in found] == [("W-0001", "late_return"), ("W-0001", "left_during")]
    assert abs((found[0].absent_ms or 0) - 65 * MINUTE) < SLACK_MS
    assert abs((found[1].absent_ms or 0) - 25 * MINUTE) < SLACK_MS

    stream = await recorded(tmp_path, json.dumps(World(DAY).register()))
    then, in_the_end = replayed(stream, DURING), replayed(stream, night.until)
    assert [line["rule"] for line in then if "rule" in line] == ["unit.silent"]
    assert state_of(then, CUT_OFF + 2 * SLACK_MS, DURING) <= {"unknown"}  # what is not told of is unknown too
    assert state_of(in_the_end, CUT_OFF, DURING) == {"present", "absent"}
    assert [line["rule"] for line in in_the_end if "rule" in line] == [
        f.rule for f in sorted(night.findings, key=lambda f: f.start)
    ]


def about_the_first(data: dict[str, Any]) -> bool:
    return bool(data["wearer_id"] == "W-0001" or data["unit"] == "BU-0001")


async def recorded(folder: Path, register: str) -> Path:
    """The inbox as a stream, and the register beside it."""
    store = SqlStore(f"sqlite:///{folder / 'emcheck.db'}", read_only=True)
    await store.open()
    rows = [row async for row in store.inbox_after(0)]
    await store.close()
    return written(folder, rows, register)


def written(folder: Path, rows: Sequence[InboxRow], register: str) -> Path:
    lines, last = [], 0
    for row in rows:
        last = max(last, row.received_at)  # a sign of life may be dated a millisecond before the start it follows
        line: dict[str, Any] = {"received_at": format_ms(last)}
        body = {"heard": row.unit} if row.kind == "heard" else json.loads(row.payload)
        lines.append(line | ({"topic": f"em/v1/{row.unit}/up", "payload": body} if row.kind == "up" else body))
    (folder / "register.json").write_text(register)
    (folder / "stream.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "stream.jsonl"


def replayed(stream: Path, until: Ms) -> list[dict[str, Any]]:
    """Findings and intervals as at an instant, by the command that anybody can run."""
    register = stream.with_name("register.json")
    command = ["replay", str(stream), "--register", str(register), "--until", format_ms(until), "--format", "jsonl"]
    answer = CliRunner().invoke(app, [*command, "--timeline"])
    assert answer.exit_code == 0, answer.output
    return [json.loads(line) for line in answer.stdout.splitlines()]


def state_of(lines: list[dict[str, Any]], start: Ms, end: Ms) -> set[str]:
    """Everything that is said of W-0001 between two instants."""
    spans = [line["timeline"] for line in lines if "timeline" in line and line["timeline"]["wearer_id"] == "W-0001"]
    return {
        span["state"]
        for span in spans
        if parse_ms(span["start"]) < end and (span["end"] is None or parse_ms(span["end"]) > start)
    }
