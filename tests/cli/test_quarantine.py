"""`emcheck quarantine`: what was refused, with reason, field and the bytes as they came; and how alerts tell of it."""

import asyncio
import base64
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from emcheck.cli import app
from emcheck.ports import Message
from emcheck.wire.topics import RECEIPT, up
from tests.service.test_attending import Desk
from tests.support import at

HOSTILE = b'{"v":1,"boot":"\xff\x1b[2J'
EVENT = {"type": "unit_status", "at": "2026-03-24T18:31:00.000Z", "power": "steam"}
ENVELOPE = {
    "v": 1, "boot": "01JD0000000000000000000000", "first_seq": 1, "sent_at": EVENT["at"], "events": [EVENT],
}  # fmt: skip


@pytest.fixture
async def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with a field that is wrong, bytes that are no text, a bad receipt and a strange topic."""
    desk = await Desk(tmp_path / "em.db").open(at("18:20"))
    for number, (topic, payload) in enumerate(
        [
            (up("BU-0001"), json.dumps(ENVELOPE).encode()),
            (up("BU-0001"), HOSTILE),
            (RECEIPT, b'{"v":1,"id":"nonsense","consumer":"desk 3"}'),
            ("em/v1/BU-0001/upp", b"{}"),
        ]
    ):
        await desk.loop.receive([Message(topic, payload, False, at("18:31") + number * 1000)])
    await desk.close()
    monkeypatch.setenv("EMCHECK_STORE__URL", f"sqlite:///{tmp_path}/em.db")
    return tmp_path


async def said(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(words))


async def test_the_list_names_reason_and_field(left: Path) -> None:
    rows = (await said("quarantine", "list")).stdout.splitlines()
    assert rows[0].split() == ["number", "received", "(UTC)", "from", "reason", "events", "what", "is", "wrong"]
    assert rows[1].startswith("1       2026-03-24T18:31:00.000Z  BU-0001")
    assert "unit_status.power: Input should be" in rows[1]
    assert len(rows) == 6
    assert "em/v1/alerts/receipt" in rows[3]
    of_unit = (await said("quarantine", "list", "--unit", "BU-0001", "--json")).stdout.splitlines()
    assert [json.loads(line)["reason"] for line in of_unit] == ["not_in_schema", "not_json"]
    [newest] = (await said("quarantine", "list", "--most", "1", "--json")).stdout.splitlines()
    assert json.loads(newest)["reason"] == "bad_topic"
    assert (await said("quarantine", "list", "--reason", "over_size")).stdout == "Nothing of that was refused.\n"
    unknown = await said("quarantine", "list", "--reason", "wibble")
    assert unknown.exit_code == 2
    assert "nothing is refused for that; there are not_enrolled, retained," in unknown.stderr


async def test_one_is_shown_as_it_came_and_moves_no_cursor(left: Path) -> None:
    text = (await said("quarantine", "show", "2")).stdout
    assert "reason:        not_json" in text
    assert text.endswith('{"v":1,"boot":"\\xff\\x1b[2J\n')
    assert (await said("quarantine", "show", "2", "--raw")).stdout_bytes == HOSTILE
    told = json.loads((await said("quarantine", "show", "2", "--json")).stdout)
    assert base64.b64decode(told["payload_b64"]) == HOSTILE
    first = json.loads((await said("quarantine", "show", "1", "--json")).stdout)
    assert json.loads(first["payload_text"]) == ENVELOPE
    assert (first["first_seq"], first["last_seq"]) == (1, 1)
    none = await said("quarantine", "show", "99")
    assert (none.exit_code, none.stderr) == (
        2, "emcheck: 99: nothing was refused under that number; `emcheck quarantine list` shows the numbers\n",
    )  # fmt: skip


async def test_alerts_name_the_field_and_a_consumer_s_receipt_is_no_device(left: Path) -> None:
    alerts = [json.loads(line) for line in (await said("alerts", "list", "--json")).stdout.splitlines()]
    told = {(alert["rule"], alert.get("class")): alert["text"] for alert in alerts}
    assert "; of the first: unit_status.power: Input should be" in told["evidence.rejected", "not_in_schema"]
    receipt = told["evidence.rejected", "bad_receipt"]
    assert "consumer of the monitoring queue" in receipt
    assert "; of the first: id: should be the id of an event of the monitoring queue, such as" in receipt
    assert "no unit's topic" in told["evidence.unknown_device", "bad_topic"]
    [alert] = [one for one in alerts if one.get("class") == "bad_receipt"]
    story = (await said("explain", alert["alert_id"])).stdout
    assert "To do next\n  For operations: tell who runs that consumer" in story


async def test_what_was_refused_is_known_again_after_a_start(left: Path) -> None:
    desk = await Desk(left / "em.db").open(at("18:32"))
    await desk.loop.receive([Message(RECEIPT, b"{}", False, at("18:33"))])
    await desk.loop.receive([Message(up("BU-0001"), b'{"v":1}', False, at("18:33"))])
    found = {(str(f.rule), f.class_): dict(f.detail) for f in await desk.loop.judge_all(at("18:34"))}
    await desk.close()
    assert found["evidence.rejected", "bad_receipt"]["count"] == 2
    assert found["evidence.rejected", "not_in_schema"]["count"] == 2
    assert str(found["evidence.rejected", "not_in_schema"]["what"]).startswith("unit_status.power: ")
