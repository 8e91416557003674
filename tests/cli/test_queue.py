"""`emcheck alerts list`, `audit` and `watch --receipts-as`, on a database that a service left."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import aiomqtt
import pytest
from typer.testing import CliRunner, Result

from emcheck.alerting.cloudevents import cloud_event
from emcheck.cli import app
from emcheck.cli.watching import confirmation
from emcheck.clock import VirtualClock
from emcheck.ingest.embedded import EmbeddedBroker
from emcheck.store.sql import SqlStore
from emcheck.wire.receipts import decode_receipt
from emcheck.wire.topics import RECEIPT
from tests.service.test_attending import Desk
from tests.store.samples import alert
from tests.support import at, die_with_parent, england


@pytest.fixture
async def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with the alert of a cut strap that was passed on once, and one that is acknowledged."""
    desk = await Desk(tmp_path / "em.db", england()).open(at("18:20"))
    strap = await desk.strap()
    await desk.loop.tick(at("18:41:02"))
    silent = next(a.alert_id for a in await desk.store.alerts(open_only=True) if a.alert_id != strap)
    await desk.does(at("18:41:02"), alert_id=silent, act="acknowledge")
    await desk.close()
    monkeypatch.setenv("EMCHECK_STORE__URL", f"sqlite:///{tmp_path}/em.db")
    return tmp_path


def said(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


async def test_the_list_tells_state_time_left_and_the_next_step(left: Path) -> None:
    text = (await asyncio.to_thread(said, "alerts", "list")).stdout.splitlines()
    assert text[0].split()[:3] == ["pri", "state", "raised"]
    [strap] = [line for line in text if "tag.strap" in line]
    assert strap.split()[:3] == ["P1", "unacknowledged", "2026-03-24T18:40:02.000Z"]
    assert "  0 s  " in strap
    assert "  supervisor on the queue in 1 min  " in strap
    [seen] = [line for line in text if " acknowledged, with op-1 " in line]
    assert "over by" not in seen
    assert "on the queue" not in seen
    assert "  returns in 30 min  " in seen
    assert text[-1] == "As of 2026-03-24T18:41:02.000Z, the last that is stored: no live service runs on this database."


async def test_while_a_service_runs_the_list_counts_to_this_moment(left: Path) -> None:
    serving = SqlStore(f"sqlite:///{left}/em.db")
    await serving.open()
    try:
        assert await serving.is_live()
        text = (await asyncio.to_thread(said, "alerts", "list")).stdout
        told = (await asyncio.to_thread(said, "alerts", "list", "--json")).stdout.splitlines()
    finally:
        await serving.close()
    [strap] = [line for line in text.splitlines() if "tag.strap" in line]
    assert "  over by " in strap
    assert "  supervisor on the queue now  " in strap
    assert "As of" not in text
    assert all("as_of" not in line["escalation"] for line in map(json.loads, told))


async def test_while_a_demo_stands_the_list_counts_to_its_last_instant(left: Path) -> None:
    simulated = SqlStore(f"sqlite:///{left}/em.db", clock=VirtualClock(at("19:00")))
    await simulated.open()
    try:
        text = (await asyncio.to_thread(said, "alerts", "list")).stdout.splitlines()
    finally:
        await simulated.close()
    assert text[-1].startswith("As of 2026-03-24T18:41:02.000Z")


async def test_for_programs_it_tells_the_same(left: Path) -> None:
    lines = (await asyncio.to_thread(said, "alerts", "list", "--json")).stdout.splitlines()
    told = {(line["rule"], line["state"]): line["escalation"] for line in map(json.loads, lines)}
    strap = told["tag.strap", "unacknowledged"]
    assert strap["steps"] == 1
    assert (strap["seconds_left"], strap["as_of"]) == (0, "2026-03-24T18:41:02.000Z")
    assert strap["next"] == {
        "who": "supervisor", "by": "queue", "at": "2026-03-24T18:42:02.000Z", "why": "undelivered", "step": 2, "of": 3,
    }  # fmt: skip
    assert told["unit.silent", "acknowledged"] == {"steps": 0, "as_of": strap["as_of"]}
    [seen] = [line for line in map(json.loads, lines) if line["state"] == "acknowledged"]
    assert seen["lease_until"] == "2026-03-24T19:11:02.000Z"


async def test_how_an_id_begins_is_enough_and_an_unknown_one_is_a_line(left: Path) -> None:
    told = (await asyncio.to_thread(said, "alerts", "list", "--json")).stdout.splitlines()
    name = json.loads(told[0])["alert_id"]
    under = await asyncio.to_thread(said, "alerts", "list", "--incident", name[:8])
    assert (under.exit_code, under.stdout) == (0, f"Nothing waits under {name[:8]}; --all shows all of it.\n")
    none = "emcheck: AL-none: no such alert; `emcheck alerts list --all` shows them\n"
    for words in (
        ("explain", "AL-none"),
        ("alerts", "list", "--incident", "AL-none"),
        ("alerts", "act", "AL-none", "acknowledge", "--by", "D"),
        ("alerts", "refer", name[:8], "AL-none", "--to", "the court", "--by", "D"),
    ):
        result = await asyncio.to_thread(said, *words)
        assert (result.exit_code, result.stdout, result.stderr) == (2, "", none)
    several = await asyncio.to_thread(said, "alerts", "act", "AL-", "acknowledge", "--by", "D")
    assert several.stderr.startswith(f"emcheck: AL-: {len(told)} alerts begin so: AL-")


async def test_where_there_is_no_database_yet_it_says_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMCHECK_STORE__URL", f"sqlite:///{tmp_path}/em.db")
    act = tmp_path / "act.json"
    act.write_text('{"type": "order_end", "order_id": "O-1", "ends_at": "2026-03-25T00:00:00Z", "by": "the court"}')
    for words in (("alerts", "list"), ("instruct", str(act)), ("export", "--out", str(tmp_path / "out.jsonl"))):
        result = await asyncio.to_thread(said, *words)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"emcheck: no database {tmp_path}/em.db yet: `emcheck serve` makes it; ")


async def test_an_audit_finds_what_a_service_that_stands_still_did_not_do(left: Path) -> None:
    text = await asyncio.to_thread(said, "alerts", "audit")
    assert text.exit_code == 1
    assert "step overdue" in text.stdout
    assert "publisher behind  log" in text.stdout
    found = await asyncio.to_thread(said, "alerts", "audit", "--json")
    told = {(one["kind"], one["publisher"]): one for one in json.loads(found.stdout)["differences"]}
    assert told.keys() == {("step_overdue", ""), ("publisher_behind", "log"), ("publisher_behind", "mqtt")}
    assert told["step_overdue", ""]["since"] == "2026-03-24T18:42:02.000Z"


async def test_where_nothing_waits_nothing_is_owed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await Desk(tmp_path / "em.db", england()).open(at("18:20"))
    await desk.close()
    monkeypatch.setenv("EMCHECK_STORE__URL", f"sqlite:///{tmp_path}/em.db")
    result = await asyncio.to_thread(said, "alerts", "audit")
    assert (result.exit_code, result.stdout) == (0, "Every step that was due was made, and nothing is owed.\n")
    assert (await asyncio.to_thread(said, "alerts", "list", "--json")).stdout == ""


def test_only_events_are_confirmed() -> None:
    event = cloud_event(alert("AL-A7"), action="raised", at=0, source="emcheck/x", note="")
    word = confirmation(event, "desk 3")
    assert word is not None
    assert decode_receipt(word) == ("AL-A7", 1, "desk 3")
    for other in (b"", b"{}", b"rubbish", word):
        assert confirmation(other, "desk 3") is None


async def test_who_watches_may_confirm_what_was_shown(tmp_path: Path) -> None:
    event = cloud_event(alert("AL-A7", revision=2), action="raised", at=0, source="emcheck/x", note="")
    async with (
        EmbeddedBroker(store_dir=tmp_path / "nats") as broker,
        aiomqtt.Client(broker.host, broker.port, identifier="emcheck") as service,
    ):
        await service.subscribe(RECEIPT, qos=1)
        settings = tmp_path / "emcheck.toml"
        await asyncio.to_thread(settings.write_text, f"[mqtt]\nport = {broker.port}\n")
        command = ("from emcheck.cli import main; main()", "alerts", "watch", "--config", str(settings))
        watching = await asyncio.create_subprocess_exec(
            sys.executable, "-c", *command, "--json", "--receipts-as", "desk 3",
            stdout=subprocess.PIPE, preexec_fn=die_with_parent,
        )  # fmt: skip
        assert watching.stdout is not None
        shown = asyncio.create_task(watching.stdout.readline())
        while not shown.done():  # until it has subscribed
            await service.publish("em/v1/alerts/P1", event, qos=1)
            await asyncio.wait({shown}, timeout=0.2)
        assert json.loads(shown.result())["id"] == "AL-A7.2"
        word = await anext(aiter(service.messages))
        assert decode_receipt(bytes(word.payload)) == ("AL-A7", 2, "desk 3")
        watching.kill()
        await watching.wait()


async def test_who_has_an_alert_is_told_and_asked_for(left: Path) -> None:
    text = (await asyncio.to_thread(said, "alerts", "list")).stdout
    assert "acknowledged, with op-1" in text
    mine = (await asyncio.to_thread(said, "alerts", "list", "--with", "op-1", "--json")).stdout.splitlines()
    assert [json.loads(line)["holder"] for line in mine] == ["op-1"]
    assert (await asyncio.to_thread(said, "alerts", "list", "--with", "jo")).stdout == "jo has none.\n"


async def test_acts_are_posted_as_they_are_said(left: Path) -> None:
    name = json.loads((await asyncio.to_thread(said, "alerts", "list", "--json")).stdout.splitlines()[0])["alert_id"]
    for words, problem in (
        (("hand-over",), "to: missing; say who is to have it"),
        (("note",), "note: missing; say what is to be known"),
        (("forget",), "act: "),
    ):
        result = await asyncio.to_thread(said, "alerts", "act", name, *words, "--by", "jo")
        assert result.exit_code == 2
        assert problem in result.stderr
