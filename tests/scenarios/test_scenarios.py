"""Every scenario, live and in replay: the same findings, told as `told/NAME.txt` has it.

`UPDATE_STORIES=1` writes those files anew; they are then read by a person.
"""

import asyncio
import json
import os
from dataclasses import replace as revised
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from emcheck.cli import app
from emcheck.domain.findings import Finding
from emcheck.domain.instants import HOUR
from emcheck.ports import Message
from emcheck.present.lines import in_order
from emcheck.present.words import explain
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.enrolment import load_register
from emcheck.service.mailing import stream_of
from emcheck.service.pipeline import Pipeline
from emcheck.service.replay import replay
from emcheck.service.stream import Line, parse_lines
from emcheck.store.sql import SqlStore
from tests.air import Air
from tests.scenarios.nights import Night, nights
from tests.support import england, lines

TOLD = Path(__file__).parent / "told"
NIGHTS = nights()
_BATCH = 50


async def lived(night: Night, database: Path) -> tuple[list[Finding], list[bytes]]:
    """The findings of the decision loop in a database, which is what runs in the service; and the inbox."""
    store = SqlStore(f"sqlite:///{database}")
    await store.open()
    await load_register(store, night.known, night.start)
    loop = Pipeline(
        store, england(), Acknowledger(store, Air()), published=lambda alert, action, note: b"{}",
        on_alerts=lambda: None, checkpoint_every_ms=HOUR,
    )  # fmt: skip
    await loop.recover(night.start)
    batch: list[Message] = []
    steps: list[tuple[int, Line | dict[str, Any]]] = [(line.received_at, line) for line in lines(*night.told)]
    for when, step in sorted([*steps, *night.acts, (night.until + 1, {})], key=lambda step: step[0]):
        if batch and (len(batch) == _BATCH or isinstance(step, dict) or loop.wake_at() < when):
            await loop.receive(batch)
            batch = []
        await loop.tick(when - 1)
        if isinstance(step, Line):
            batch.append(Message(step.topic, step.payload, False, when))
        else:
            await act(loop, store, step, when)
    found = await loop.judge_all(night.until)
    recorded = [line async for line in stream_of(store)]
    await store.close()
    return found, recorded


async def act(loop: Pipeline, store: SqlStore, said: dict[str, Any], when: int) -> None:
    if said.get("service") == "clock":
        await loop.tell_clock({key: value for key, value in said.items() if key != "service"}, when)
    elif said:
        await store.post(json.dumps(said).encode(), when)
        await loop.instruct(await store.letters(), when)


def said(database: Path, *words: str) -> str:
    config = database.with_suffix(".toml")
    config.write_text(f'[store]\nurl = "sqlite:///{database}"\n')
    result = CliRunner().invoke(app, [*words, "--config", str(config)])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def told(name: str, night: Night, found: list[Finding], database: Path) -> str:
    """What a person reads: the findings, and the alerts that matter explained."""
    pieces = [f"{name}: {night.about}\n\nFindings\n", "" if found else "  none\n"]
    for finding in in_order(found):
        what = finding.rule if finding.class_ is None else f"{finding.rule}, {finding.class_}"
        alert = "" if finding.raised_at is not None else ", no alert"
        whom = finding.wearer_id or finding.unit or finding.subject
        pieces.append(f"  {finding.priority}  {what}{alert}: {whom}\n      {explain(finding)}\n")
    listed = [json.loads(line) for line in said(database, "alerts", "list", "--all", "--json").splitlines()]
    for rule, whom in night.explains:
        alerts = [a for a in listed if a["rule"] == rule and whom in ("", a.get("wearer_id"), a.get("unit"))]
        for alert in sorted(alerts, key=lambda alert: str(alert["happened_at"])):
            pieces += ["\n", said(database, "explain", alert["alert_id"][:12])]
        assert alerts, f"{rule} of {whom} is to be explained and was never raised"
    return "".join(pieces)


@pytest.mark.parametrize("name", NIGHTS)
async def test_a_scenario_is_judged_alike_live_and_in_replay_and_told_as_a_person_reads_it(
    name: str, tmp_path: Path
) -> None:
    night = NIGHTS[name]()
    live, recorded = await lived(night, tmp_path / "em.db")
    again = replay(parse_lines(recorded, "inbox"), night.known, england(), until=night.until).findings
    assert plain(again) == plain(live)
    text = await asyncio.to_thread(told, name, night, live, tmp_path / "em.db")
    golden = TOLD / f"{name}.txt"
    if os.environ.get("UPDATE_STORIES"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def plain(found: list[Finding]) -> list[str]:
    return sorted(repr(revised(finding, register="")) for finding in found)


def test_every_story_has_its_night() -> None:
    assert {path.stem for path in TOLD.glob("*.txt")} == set(NIGHTS)
