"""A breach from its alert to the authority: what the commands say of it at each step."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emcheck.cli import app
from emcheck.service.mailing import stream_of
from emcheck.service.replay import replay
from emcheck.service.stream import parse_lines
from tests.service.test_attending import Desk
from tests.support import at, england, register


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    opened = await Desk(tmp_path / "em.db").open(at("18:20"))
    (tmp_path / "em.toml").write_text(f'[store]\nurl = "sqlite:///{tmp_path}/em.db"\n')
    yield opened
    await opened.close()


async def command(desk: Desk, now: int, *words: str) -> Result:
    """A command beside the loop, which takes what it posts at `now`."""
    config = str(desk.database.with_suffix(".toml"))
    asked = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, app, ["alerts", *words, "--config", config]))
    while not asked.done():
        if letters := await desk.store.letters():
            await desk.loop.instruct(letters, now)
        await asyncio.sleep(0.01)
    return await asked


async def explained(desk: Desk, alert: str, *words: str) -> str:
    config = str(desk.database.with_suffix(".toml"))
    result = await asyncio.to_thread(CliRunner().invoke, app, ["explain", alert, *words, "--config", config])
    assert result.exit_code == 0, result.stderr
    return result.stdout


async def owed(desk: Desk, *words: str) -> list[dict[str, Any]]:
    result = await command(desk, 0, "referrals", "--json", *words)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_a_breach_waits_to_be_referred_is_overdue_and_referred(desk: Desk) -> None:
    strap = await desk.strap()
    assert (await command(desk, 0, "referrals")).stdout == "No breach waits to be referred.\n"
    await desk.does(at("18:50"), alert_id=strap, act="acknowledge")
    await desk.does(at("18:55"), alert_id=strap, act="confirm")
    [waits] = await owed(desk)
    assert (waits["alert_id"], waits["order_id"], waits["identified_by"]) == (strap, "O-1", "op-1")
    assert (waits["due_at"], waits["overdue"]) == ("2026-03-25T18:55:00.000Z", True)  # that was long ago
    told = (await command(desk, 0, "referrals")).stdout
    assert "to be referred by Wed 25 Mar 18:55:00, overdue for " in told

    listed = json.loads((await command(desk, 0, "list", "--json")).stdout.splitlines()[0])
    assert listed["referral"]["overdue"] is True
    closed = await command(desk, at("19:30"), "act", strap, "close", "--by", "op-1", "--disposition", "breach_reported")
    assert closed.stdout.endswith(f"{strap} close: done\n")
    assert closed.stderr.startswith(f"emcheck: {strap}: no referral of it is on record. Identified as a breach at ")
    assert closed.stderr.endswith(f"Record it: emcheck alerts refer {strap} --to ... --by ...\n")

    [row] = [line for line in (await command(desk, 0, "list")).stdout.splitlines() if strap in line]
    assert " closed " in row
    assert "refer it: overdue" in row
    assert "to be referred by Wed 25 Mar 18:55:00, overdue for " in row
    words = ("refer", strap, "--to", "Probation Service", "--by", "B. Officer", "--reference", "PS/12")
    made = await command(desk, at("20:00"), *words, "--at", "2026-03-24T19:45:00Z")
    assert made.stdout.endswith(f"referral of {strap}: done\n")
    assert await owed(desk) == []
    assert strap not in (await command(desk, 0, "list")).stdout
    [one] = await owed(desk, "--all")
    assert one["referred"] == {
        "told_at": "2026-03-24T20:00:00.000Z", "made_at": "2026-03-24T19:45:00.000Z", "to": "Probation Service",
        "by": "B. Officer", "reference": "PS/12", "note": "", "alerts": [strap],
    }  # fmt: skip

    sent = [item for item in await desk.store.outbox_after("mqtt", limit=99) if item.alert_id == strap]
    action, revision, note = json.loads(sent[-1].body)
    assert (action, note) == ("referred", "to Probation Service, for order O-1, reference PS/12")
    assert revision == json.loads(sent[-2].body)[1] + 1
    story = await explained(desk, strap)
    assert story.count("referred by B. Officer, P1") == 1
    assert (
        "Referral\n  Identified as a breach at Tue 24 Mar 18:55:00 by op-1; referred to Probation Service by" in story
    )
    assert "by B. Officer at Tue 24 Mar 19:45:00, reference PS/12.\n" in story
    assert "  Tue 24 Mar 20:00:00  referred by B. Officer, P1: to Probation Service, for order O-1" in story
    whole = json.loads(await explained(desk, strap, "--json"))
    assert [step["action"] for step in whole["history"]][-2:] == ["closed", "referred"]
    assert whole["referral"] == one


async def test_what_cannot_be_referred_is_refused_in_words(desk: Desk) -> None:
    strap = await desk.strap()
    made = ("--to", "Probation Service", "--by", "B. Officer")
    unknown = await command(desk, at("20:00"), "refer", "AL-NONE", *made)
    assert unknown.stderr == "emcheck: AL-NONE: no such alert; `emcheck alerts list --all` shows them\n"
    unknown = await command(desk, at("20:00"), "refer", "AL-NONE", "--order", "O-1", *made)
    assert unknown.stderr == "emcheck: AL-NONE: no such alert; `emcheck alerts list --all` shows them\n"
    ahead = await command(desk, at("20:00"), "refer", strap, *made, "--at", "2026-03-24T20:00:01Z")
    assert ahead.stderr == (
        f"emcheck: referral of {strap}: refused: at: it lies ahead; a referral is told once it is made\n"
    )
    assert await owed(desk, "--all") == []


async def test_a_referral_replays_and_changes_no_finding(desk: Desk) -> None:
    strap = await desk.strap()
    await desk.does(at("18:55"), type="referral", order_id="O-1", alerts=[strap], to="the court")
    [kept] = [(f.start, f.register) for f in await desk.store.findings() if f.rule == "tag.strap"]
    told = [line async for line in stream_of(desk.store)]
    again = replay(parse_lines(told, "the inbox"), register(), england())
    assert [(f.start, f.register) for f in again.findings if f.rule == "tag.strap"] == [kept]
