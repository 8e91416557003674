"""Whole simulated towns: reproducible, in the protocol's words, and true to what people did."""

import json
from pathlib import Path
from typing import Any

import pytest

from emcheck.domain.instants import SECOND, parse_ms
from emcheck.domain.register import parse_register
from emcheck.wire.codec import decode
from emcheck.wire.topics import unit_of_up
from firmware_sim.run import Simulated, World, simulate_to_stream
from firmware_sim.scenario import Scenario, ScenarioError, parse_scenario
from tests.firmware_sim.conftest import Play, lines
from tests.firmware_sim.test_scenario import SHIPPED

SHORT_MS = 120_000
"""An absence this short between times present is no absence (domain.md, Presence, 5)."""


def evening(**changes: Any) -> Scenario:
    """Four wearers, three hours, some trouble."""
    raw = {
        "name": "evening",
        "seed": 3,
        "starts_at": "2026-03-24T18:30",
        "ends_at": "2026-03-24T21:30",
        "town": {"wearers": 4, "shared_homes": [[1, 2]], "two_units": [3]},
        "story": [{"kind": "slip", "wearers": [2], "at": "2026-03-24T20:00", "minutes": 15}],
        "fault": [
            {"kind": "uplink_outage", "wearers": [3], "at": "2026-03-24T19:10", "minutes": 30},
            {"kind": "reordered", "at": "2026-03-24T19:00", "minutes": 60, "share": 0.3},
            {"kind": "clock", "wearers": [4], "at": "2026-03-24T18:40", "offset_s": 40, "drift_ppm": 50},
        ],
    }
    return parse_scenario(raw | changes, source="evening")


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    first = simulate_to_stream(evening(), None, tmp_path / "a")
    again = simulate_to_stream(evening(), 3, tmp_path / "b")
    other = simulate_to_stream(evening(), 4, tmp_path / "c", compress=False)
    for file in ("stream", "register", "truth"):
        assert getattr(first, file).read_bytes() == getattr(again, file).read_bytes()
    assert lines(first.stream) != lines(other.stream)
    assert other.stream.name == "stream.jsonl"


def test_a_run_is_in_the_words_of_the_contracts(tmp_path: Path) -> None:
    run = simulate_to_stream(evening(), None, tmp_path)
    register = parse_register(run.register.read_text())
    units = {installation.unit for installation in register.installations}
    received = lines(run.stream)
    assert len(received) == run.messages
    assert [line["received_at"] for line in received] == sorted(line["received_at"] for line in received)
    for line in received:
        assert unit_of_up(line["topic"]) in units
        assert decode(json.dumps(line["payload"]).encode()).refused == ()


def test_leave_that_is_entered_later_stands_in_the_stream(tmp_path: Path) -> None:
    story = {
        "kind": "hospital",
        "wearers": [4],
        "at": "2026-03-24T19:30",
        "until": "2026-03-24T20:30",
        "authorised_from": "2026-03-24T19:00",
        "authorised_until": "2026-03-24T21:00",
        "entered_at": "2026-03-24T21:10",
    }
    run = simulate_to_stream(evening(story=[story]), None, tmp_path)
    entered = [line for line in lines(run.stream) if "instruction" in line]
    assert [(line["received_at"], line["instruction"]["order_id"]) for line in entered] == [
        ("2026-03-24T21:10:00.000Z", "O-0004")
    ]


@pytest.mark.parametrize("name", [path.stem for path in SHIPPED])
def test_every_shipped_scenario_runs_and_units_see_what_people_did(name: str, play: Play) -> None:
    scenario, run = play(name, None)
    known = _known_numbers(run)
    truth = lines(run.truth)
    tolerance_ms = (15 + scenario.units.leave_time_s) * SECOND
    faulty = {
        unit
        for fault in truth
        if fault["kind"] == "fault" and fault["fault"]["kind"] in ("clock", "reboot", "power_cut")
        for unit in fault["units"]
    }
    decided = _decisions(known)
    for stay in (record for record in truth if record["kind"] == "presence"):
        for (unit, tag), changes in decided.items():
            if tag == stay["tag"] and unit not in faulty:
                _agrees(stay, changes, tolerance_ms)


def _known_numbers(run: Simulated) -> dict[tuple[str, str, int], dict[str, Any]]:
    """Every event by name; of each boot every number came or was declared lost, but for the last minute's."""
    events: dict[tuple[str, str, int], dict[str, Any]] = {}
    for line in lines(run.stream):
        if "payload" in line:
            unit, body = line["topic"].split("/")[2], line["payload"]
            for seq, event in enumerate(body["events"], start=body["first_seq"]):
                assert events.setdefault((unit, body["boot"], seq), event) == event
    lost = {
        (unit, event["boot"], seq)
        for (unit, _, _), event in events.items()
        if event["type"] == "lost"
        for seq in range(event["from"], event["to"] + 1)
    }
    highest: dict[tuple[str, str], int] = {}
    for unit, boot, seq in events:
        highest[unit, boot] = max(seq, highest.get((unit, boot), 0))
    for (unit, boot), last in highest.items():
        missing = [s for s in range(1, last - 3) if (unit, boot, s) not in events and (unit, boot, s) not in lost]
        assert missing == []
    return events


def _decisions(events: dict[tuple[str, str, int], dict[str, Any]]) -> dict[tuple[str, str], list[tuple[int, bool]]]:
    """Per unit and tag: since when it says in or out, without absences too short to count."""
    decided: dict[tuple[str, str], list[tuple[int, bool]]] = {}
    for (unit, _, _), event in sorted(events.items()):
        if event["type"] == "presence":
            since = parse_ms(event["at"] if event["in_range"] else event.get("last_heard_at", event["at"]))
            decided.setdefault((unit, event["tag"]), []).append((since, event["in_range"]))
    for changes in decided.values():
        changes.sort()
        for i in range(len(changes) - 2, -1, -1):
            if not changes[i][1] and changes[i + 1][0] - changes[i][0] < SHORT_MS and i > 0:
                del changes[i : i + 2]
    return decided


def _agrees(stay: dict[str, Any], changes: list[tuple[int, bool]], tolerance_ms: int) -> None:
    """While somebody was home or away, but near the edges, the unit said so."""
    start, end = parse_ms(stay["start"]) + tolerance_ms, parse_ms(stay["end"]) - tolerance_ms
    booted = changes[0][0]
    for at in range(max(start, booted + tolerance_ms), end, 60_000):
        said = [state for since, state in changes if since <= at][-1]
        assert said == (stay["state"] == "home"), (stay, at)


def test_units_that_cannot_be_answered_are_not_waited_for() -> None:
    fault = {"kind": "uplink_outage", "wearers": [3], "at": "2026-03-24T19:10", "minutes": 30}
    world = World(evening(fault=[fault]), live=True)
    start = world.scenario.start_ms
    world.step(start + 30 * SECOND)
    assert world.unacked() == {}
    for unit in world.units:
        assert world.wants_link(unit)
        world.link(unit, up=True, now_ms=start + 30 * SECOND)
    sent = world.step(start + 31 * SECOND)
    assert {message.unit for message in sent} == set(world.unacked()) == set(world.units)
    outage = parse_ms("2026-03-24T19:15:00Z")
    world.step(outage)
    cut_off = {unit for unit in world.units if not world.wants_link(unit)}
    assert cut_off == {"BU-0003", "BU-0003B"}
    assert set(world.unacked()) == set(world.units) - cut_off


def test_a_tag_that_a_scenario_puts_somewhere_reports_what_it_feels_there(tmp_path: Path) -> None:
    puts = [
        {"kind": "tag_on", "wearers": [2], "at": "2026-03-24T19:30", "place": "table"},
        {"kind": "tag_on", "wearers": [4], "at": "2026-03-24T18:30", "place": "prosthesis-foam"},
    ]
    run = simulate_to_stream(evening(story=puts, town={"wearers": 4, "restless_share": 0}), None, tmp_path)
    reports: dict[str, list[dict[str, Any]]] = {}
    for line in lines(run.stream):
        for event in line["payload"].get("events", ()):
            if event["type"] == "report" and "skin_c" in event:
                reports.setdefault(event["tag"], []).append(event)
    first, last = reports["T-0002"][10], max(reports["T-0002"], key=lambda event: event["at"])
    assert first["proximity"] > 0.8 > 0.5 > last["proximity"]
    assert first["skin_c"] > last["skin_c"] + 2
    assert last["strap"] == "closed"
    assert max(event["proximity"] for event in reports["T-0004"]) < 0.6
    told = [(t["tag"], t["place"], t["on_limb"]) for t in lines(run.truth) if t["kind"] == "body"]
    assert told == [
        ("T-0002", "skin", True),
        ("T-0004", "prosthesis-foam", False),
        ("T-0002", "table", False),
    ]


def test_a_place_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(ScenarioError, match=r"story #1.place: 'tabel' is no place for a tag; there are .*table"):
        evening(story=[{"kind": "tag_on", "wearers": [2], "at": "2026-03-24T19:30", "place": "tabel"}])
