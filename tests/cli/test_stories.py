"""`emcheck explain`: each story is a file that a person reads. `UPDATE_STORIES=1` writes them anew."""

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from emcheck.cli import app
from emcheck.domain.instants import DAY, HOUR, MINUTE
from emcheck.domain.register import Register
from emcheck.ports import Message
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.enrolment import load_register
from emcheck.service.pipeline import Pipeline
from emcheck.store.sql import SqlStore
from tests.air import Air
from tests.support import UnitStory, at, england, lines, order, register

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
STORIES = Path(__file__).parent / "stories"
LONDON = register(order(timezone="Europe/London"))
Act = tuple[int, dict[str, Any]]


def evening() -> UnitStory:
    return UnitStory().boots(at("18:30")).hears(at("18:30")).beats(at("18:31"), at("18:59"))


def late_home() -> UnitStory:
    told = evening().loses(at("19:00"), last_heard=at("18:59"))
    return told.beats(at("19:01"), at("19:18")).hears(at("19:19")).beats(at("19:20"), at("20:30"))


def cut_off_while_out() -> UnitStory:
    """Silent from 22:00; at 23:30 the stored facts arrive, and among them that the tag was out from 22:10 to 22:40."""
    told = evening().beats(at("19:00"), at("22:00"))
    for minute in range(1, 90):
        now, late = at("22:00") + minute * MINUTE, at("23:30")
        if minute == 10:
            told.loses(now, last_heard=now - MINUTE, received=late)
        elif minute == 40:
            told.hears(now, received=late)
        else:
            told.tell(now, "unit_status", power="mains", received=late)
    return told.beats(at("23:31"), at("23:59"))


def long_out() -> UnitStory:
    """Out from 21:00; a number that is missing leaves 21:03 on unknown, until it arrives at 23:00: heard at 21:04."""
    told = evening().beats(at("19:00"), at("20:59")).loses(at("21:00"), last_heard=at("20:59"))
    told.beats(at("21:01"), at("21:03"))
    told.skips(1)
    held_back = told.seq
    told.beats(at("21:05"), at("21:09")).loses(at("21:10"), last_heard=at("21:06"))
    told.beats(at("21:11"), at("22:09")).hears(at("22:10")).beats(at("22:11"), at("22:30"))
    last = told.seq
    told.tell(at("21:04"), "presence", seq=held_back, tag="T-1", in_range=True, received=at("23:00"))
    told.seq = last
    return told


def falls_silent_while_out() -> UnitStory:
    """Out from 19:00; the last that comes is of 19:10."""
    return evening().loses(at("19:00"), last_heard=at("18:59")).beats(at("19:01"), at("19:10"))


def in_and_out() -> UnitStory:
    """Out for two minutes and a half, three times; what lies between is not known, for numbers are missing."""
    told = evening().beats(at("19:00"), at("20:00"))
    for minute in (0, 10, 20):
        now = at("20:01") + minute * MINUTE
        told.loses(now, last_heard=now).beats(now + MINUTE, now + 2 * MINUTE).tell(now + 150_000, "unit_status").skips(
            1
        )
    return told.hears(at("20:30")).beats(at("20:31"), at("21:00"))


LEAVE = {
    "type": "authorised_absence", "order_id": "O-1", "from": "2026-03-24T19:00", "until": "2026-03-24T19:30",
    "reason": "medical", "approved_by": "A. Officer", "evidence": "letter of the ward",
}  # fmt: skip
TOLD: dict[str, tuple[UnitStory, str, list[Act], Register]] = {
    "late-return": (late_home(), "curfew.absence", [], LONDON),
    "authorised-afterwards": (late_home(), "curfew.absence", [(at("09:00", "2026-03-25"), LEAVE)], LONDON),
    "silence": (cut_off_while_out(), "unit.silent", [], LONDON),
    "stored-facts-accuse": (cut_off_while_out(), "curfew.absence", [], LONDON),
    "silent-while-out": (falls_silent_while_out(), "curfew.absence", [], LONDON),
    "leave-given-in-silence": (
        falls_silent_while_out(), "curfew.absence", [(at("19:12:30"), LEAVE)], LONDON,
    ),
    "several-absences-add-up": (in_and_out(), "curfew.absence", [], LONDON),
    "a-hole-withdraws": (long_out(), "curfew.absence", [], LONDON),
    "strap": (
        evening().tell(at("18:40"), "tag_tamper", tag="T-1", kind="strap_cut", received=at("19:05")),
        "tag.strap", [], LONDON,
    ),
}  # fmt: skip


async def served(database: Path, told: UnitStory, acts: list[Act], known: Register) -> None:
    """What the decision loop makes of it in a database, as the service does."""
    store = SqlStore(f"sqlite:///{database}")
    await store.open()
    await load_register(store, known, at("18:00"))
    loop = Pipeline(
        store, england(), Acknowledger(store, Air()), published=lambda alert, action, note: b"{}",
        on_alerts=lambda: None, checkpoint_every_ms=DAY,
    )  # fmt: skip
    await loop.recover(at("18:00"))
    steps: list[tuple[int, Any]] = [(line.received_at, line) for line in lines(told)]
    for when, step in sorted([*steps, *acts], key=lambda step: step[0]):
        await loop.tick(when - 1)
        if isinstance(step, dict):
            await store.post(json.dumps(step).encode(), when)
            await loop.instruct(await store.letters(), when)
        else:
            await loop.receive([Message(step.topic, step.payload, False, when)])
    await loop.tick(max(when for when, _ in steps) + HOUR)
    await store.close()


def said(database: Path, *words: str) -> str:
    config = database.with_suffix(".toml")
    config.write_text(f'[store]\nurl = "sqlite:///{database}"\n')
    result = CliRunner().invoke(app, [*words, "--config", str(config)])
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("name", TOLD)
async def test_a_story_is_told_as_a_person_reads_it(name: str, tmp_path: Path) -> None:
    told, rule, acts, known = TOLD[name]
    database = tmp_path / "em.db"
    await served(database, told, acts, known)
    listed = await asyncio.to_thread(said, database, "alerts", "list", "--all", "--json")
    alert = next(one for one in map(json.loads, listed.splitlines()) if one["rule"] == rule)
    text = await asyncio.to_thread(said, database, "explain", alert["alert_id"][:10])
    golden = STORIES / f"{name}.txt"
    if os.environ.get("UPDATE_STORIES"):
        golden.write_text(text)
    assert text == golden.read_text()
    whole = json.loads(await asyncio.to_thread(said, database, "explain", alert["alert_id"], "--json"))
    assert alert.pop("escalation")["steps"] == sum(step["action"] == "escalated" for step in whole["history"])
    assert whole["alert"] == alert
    assert len(whole["history"]) == alert["revision"]
    assert all(TIME.fullmatch(fact["event"]["at"]) for fact in whole["rests_on"])
    edges = [(stretch["start"], stretch["end"]) for stretch in whole["timeline"]]
    assert all(TIME.fullmatch(edge) for pair in edges for edge in pair)
    assert [end for _, end in edges[:-1]] == [start for start, _ in edges[1:]]
    if rule == "curfew.absence":
        assert {"present", "absent", "unknown"} == {stretch["state"] for stretch in whole["timeline"]}
        assert [(w["address_id"], w["start"][:16]) for w in whole["windows"]] == [("A-1", "2026-03-24T19:00")]


async def test_a_story_is_drawn_as_a_picture_and_overwrites_nothing(tmp_path: Path) -> None:
    told, rule, acts, known = TOLD["late-return"]
    database, picture = tmp_path / "em.db", tmp_path / "night.svg"
    await served(database, told, acts, known)
    listed = await asyncio.to_thread(said, database, "alerts", "list", "--all", "--json")
    alert = next(one["alert_id"] for one in map(json.loads, listed.splitlines()) if one["rule"] == rule)
    await asyncio.to_thread(said, database, "explain", alert, "--svg", str(picture))
    drawn = {each.get("class") for each in ET.parse(picture).iter()}
    assert {"curfew", "present", "absent", "mark"} <= drawn
    picture.write_text("mine")
    config = str(database.with_suffix(".toml"))
    refused = CliRunner().invoke(app, ["explain", alert, "--svg", str(picture), "--config", config])
    assert (refused.exit_code, picture.read_text()) == (2, "mine")
    assert "is there already; name another with --svg" in refused.stderr


async def test_where_there_is_no_night_to_draw_the_story_is_told_without_a_picture(tmp_path: Path) -> None:
    told, rule, acts, known = TOLD["silence"]
    database, picture = tmp_path / "em.db", tmp_path / "night.svg"
    await served(database, told, acts, known)
    listed = await asyncio.to_thread(said, database, "alerts", "list", "--all", "--json")
    alert = next(one["alert_id"] for one in map(json.loads, listed.splitlines()) if one["rule"] == rule)
    alone = await asyncio.to_thread(said, database, "explain", alert)
    words = ["explain", alert, "--svg", str(picture), "--config", str(database.with_suffix(".toml"))]
    drawn = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert (drawn.exit_code, drawn.stdout, picture.exists()) == (0, alone, False)
    assert drawn.stderr.endswith(f"so that there is no night to draw; {picture} is not written\n")


async def test_statistics_are_told_of_a_database(tmp_path: Path) -> None:
    told, _, acts, known = TOLD["late-return"]
    await served(tmp_path / "em.db", told, acts, known)
    span = ("--since", "2026-03-20T00:00:00Z", "--until", "2026-03-26T00:00:00Z")
    stats = json.loads(await asyncio.to_thread(said, tmp_path / "em.db", "stats", "--json", *span))
    assert (stats["wearers"], stats["by_rule"]["curfew.absence"]) == (1, 1)
    text = await asyncio.to_thread(said, tmp_path / "em.db", "stats", *span)
    assert "P1 acknowledged within 30 s" in text
    lately = json.loads(await asyncio.to_thread(said, tmp_path / "em.db", "stats", "--json"))
    assert (lately["wearers"], lately["by_rule"]) == (stats["wearers"], stats["by_rule"])  # as of the last night stored
