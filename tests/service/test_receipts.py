"""Receipts of consumers: over a real broker and a real webhook, lost, late, twice, and such as cannot be used."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from emcheck.alerting.publishers import MqttPublisher, WebhookPublisher
from emcheck.clock import VirtualClock
from emcheck.ingest.embedded import EmbeddedBroker
from emcheck.ports import Delivery, Message
from emcheck.service.app import Service
from emcheck.service.mailing import stream_of
from emcheck.service.replay import replay
from emcheck.service.stream import parse_lines
from emcheck.wire.receipts import ReceiptRefused, decode_receipt, receipt_for
from emcheck.wire.topics import RECEIPT, up
from tests.alerting.receiving import Centre, centre
from tests.service.living import living
from tests.service.test_attending import Desk
from tests.service.test_escalating import desk, told
from tests.service.test_recovery import as_lines
from tests.support import UnitStory, at, england, lines, register

__all__ = ["desk"]


async def says(desk: Desk, payload: bytes, when: int, *, retained: bool = False, topic: str = RECEIPT) -> None:
    await desk.loop.receive([Message(topic, payload, retained, when)])


async def test_a_receipt_puts_the_next_step_off(desk: Desk) -> None:
    strap = await desk.strap()
    await desk.loop.tick(at("18:41:30"))
    await says(desk, receipt_for(f"{strap}.2", "centre"), at("18:41:40"))
    await says(desk, receipt_for(f"{strap}.2", "centre"), at("18:41:50"))
    await desk.loop.tick(at("18:44"))
    assert await desk.store.deliveries([strap]) == [Delivery(strap, 2, "centre", at("18:41:40"))]
    assert [when for when, _, _ in await told(desk, strap)] == ["18:40:02", "18:41:02"]
    assert desk.loop.receipts_total == 2


async def test_a_receipt_of_what_came_before_a_step_is_none_of_the_step(desk: Desk) -> None:
    strap = await desk.strap()
    await desk.loop.tick(at("18:41:30"))
    await says(desk, receipt_for(f"{strap}.1", "centre"), at("18:41:40"))
    await desk.loop.tick(at("18:44"))
    assert (await told(desk, strap))[2:] == [
        ("18:42:02", "escalated", "no receipt within 1 min"),
        ("18:43:02", "escalated", "no receipt within 1 min"),
    ]


async def test_a_receipt_that_comes_too_late_undoes_nothing(desk: Desk) -> None:
    strap = await desk.strap()
    await desk.loop.tick(at("18:42:02"))
    await says(desk, receipt_for(f"{strap}.3", "centre"), at("18:42:03"))
    await desk.loop.tick(at("20:00"))
    assert [when for when, _, _ in await told(desk, strap)] == ["18:40:02", "18:41:02", "18:42:02", "19:10:02"]


BAD = [
    (b"", "receipt: Invalid JSON"),
    (b"\xff\xfe", "receipt: Invalid JSON"),
    (b"[" * 3000, "receipt: Invalid JSON"),
    (b"7", "receipt: Input should be an object"),
    (b'{"v":2,"id":"AL-A.1","consumer":"c"}', "v: Input should be 1"),
    (b'{"v":1,"consumer":"c"}', "id: Field required"),
    (b'{"v":1,"id":"AL-A","consumer":"c"}', "id: should be the id of an event"),
    (b'{"v":1,"id":"AL-A.0","consumer":"c"}', "id: should be the id of an event"),
    (b'{"v":1,"id":"AL-A.9999999999999999999","consumer":"c"}', "id: should be the id of an event"),
    (b'{"v":1,"id":7,"consumer":"c"}', "id: Input should be a valid string"),
    (b'{"v":1,"id":"AL-A.1","consumer":" "}', "consumer: should be more than blanks"),
    (b'{"v":1,"id":"AL-A.1","consumer":"' + b"x" * 81 + b'"}', "consumer: String should have at most 80"),
    (b" " * 5000, "5000 bytes; a receipt has at most 4096"),
]


@pytest.mark.parametrize(("payload", "problem"), BAD)
def test_what_is_no_receipt_is_refused_with_the_field(payload: bytes, problem: str) -> None:
    with pytest.raises(ReceiptRefused, match=f"^{problem}"):
        decode_receipt(payload)


def test_what_a_newer_consumer_adds_is_ignored() -> None:
    assert decode_receipt(b'{"v":1,"id":"AL-A7.12","consumer":"c","seen_by":"op-1"}') == ("AL-A7", 12, "c")
    assert decode_receipt(receipt_for("AL-A7.12", "c")) == ("AL-A7", 12, "c")


async def test_bad_receipts_are_kept_in_quarantine_and_harm_nobody(desk: Desk) -> None:
    strap = await desk.strap()
    before = desk.loop.events_total
    messages = [Message(RECEIPT, payload, False, at("18:41")) for payload, _ in BAD]
    messages.append(Message(RECEIPT, receipt_for("AL-NONE.1", "centre"), False, at("18:41")))
    messages.append(Message(RECEIPT, receipt_for(f"{strap}.7", "centre"), False, at("18:41")))
    messages.append(Message(RECEIPT, receipt_for(f"{strap}.1", "centre"), True, at("18:41")))
    good = UnitStory()
    good.seq = 3
    good.beats(at("18:40:30"), at("18:40:30"))
    messages += [Message(line.topic, line.payload, False, at("18:41")) for line in lines(good)]
    messages.append(Message(RECEIPT, receipt_for(f"{strap}.1", "centre"), False, at("18:41")))
    await desk.loop.receive(messages)
    assert desk.loop.events_total == before + 1
    assert len(await desk.store.deliveries([strap])) == 1
    counts = {count.reason: count.messages for count in await desk.store.quarantine_counts()}
    assert counts == {"bad_receipt": len(BAD), "unknown_event": 2, "retained": 1}
    [alarm] = [a for a in await desk.store.alerts(open_only=True) if a.rule == "evidence.rejected"]
    assert alarm.unit == RECEIPT


async def test_receipts_change_no_finding_and_a_replay_of_them_finds_the_same(desk: Desk) -> None:
    """P2: what came of receipts, good and bad, gives the same findings again."""
    strap = await desk.strap()
    await says(desk, b"rubbish", at("18:41"))
    await says(desk, receipt_for(f"{strap}.1", "centre"), at("18:41:10"))
    found = await desk.loop.judge_all(at("18:50"))
    rows = as_lines([row async for row in desk.store.inbox_after(0)])
    refused = [(item.received_at, item.topic, item.payload) for _, item in await desk.store.quarantined(limit=9)]
    stream = sorted([*rows, *(rows[0]._replace(received_at=when, kind="up", topic=topic, payload=body)
                              for when, topic, body in refused)], key=lambda line: line.received_at)  # fmt: skip
    again = replay(stream, register(), england(), until=at("18:50"))
    assert sorted(f.key for f in again.findings) == sorted(f.key for f in found)


async def test_what_one_batch_brings_is_exported_in_the_order_of_receipt(desk: Desk) -> None:
    """A receipt of an unknown event is found out after the batch, and came before the rubbish."""
    unknown = Message(RECEIPT, receipt_for("AL-NONE.1", "centre"), False, at("18:41"))
    await desk.loop.receive([unknown, Message(RECEIPT, b"rubbish", False, at("18:41:01"))])
    told = [json.loads(line)["received_at"] async for line in stream_of(desk.store)]
    assert len(told) >= 2
    assert told == sorted(told)


async def test_what_the_broker_had_kept_is_exported_as_that_and_found_in_a_replay_too(desk: Desk) -> None:
    word = lines(UnitStory().boots(at("18:45")))[0]
    await says(desk, word.payload, at("18:45"), retained=True, topic=word.topic)
    await says(desk, b"no json", at("18:46"), retained=True, topic=word.topic)
    found = await desk.loop.judge_all(at("18:50"))
    told = [line async for line in stream_of(desk.store)]
    assert [json.loads(line)["retained"] for line in told if b'"retained"' in line] == [True, True]
    again = replay(parse_lines(told, "export"), register(), england(), until=at("18:50"))
    assert [f.class_ for f in again.findings if f.rule == "evidence.rejected"] == ["retained"]
    assert sorted(f.key for f in again.findings) == sorted(f.key for f in found)


Watched = tuple[Service, aiomqtt.Client, Centre, VirtualClock]


@contextlib.asynccontextmanager
async def watched(
    folder: Path, *, by_mqtt: bool
) -> AsyncIterator[tuple[Service, aiomqtt.Client, Centre, VirtualClock]]:
    """A service that publishes to a webhook, a client of its broker, the webhook's receiver, and the clock."""
    clock = VirtualClock(at("18:29"))
    with centre() as receiver:
        hook = WebhookPublisher(receiver.url, timeout_s=5.0)
        async with (
            contextlib.aclosing(_Closing(hook)),
            EmbeddedBroker(store_dir=folder / "nats") as broker,
            living(
                broker, folder / "em.db", clock, retry_first_s=0.01,
                publishers=lambda transport: [MqttPublisher(transport), hook] if by_mqtt else [hook],
            ) as service,
            aiomqtt.Client(broker.host, broker.port, identifier="centre") as client,
        ):  # fmt: skip
            await client.subscribe("em/v1/alerts/+", qos=1)
            yield service, client, receiver, clock


class _Closing:
    def __init__(self, hook: WebhookPublisher) -> None:
        self.aclose = hook.close


CUT = UnitStory().boots(at("18:30")).tell(at("18:40"), "tag_tamper", tag="T-1", kind="strap_cut")


async def cut(client: aiomqtt.Client, clock: VirtualClock) -> None:
    clock.advance(at("18:40:02"))
    for _, envelope in CUT.messages:
        await client.publish(up("BU-0001"), json.dumps(envelope), qos=1)


async def test_over_the_air_and_by_a_webhook_that_takes_it(tmp_path: Path) -> None:
    async with watched(tmp_path, by_mqtt=True) as (service, client, _, clock):
        await cut(client, clock)
        event = await first_of(client, "tag.strap")
        await client.publish(RECEIPT, b"rubbish", qos=1)
        await client.publish(RECEIPT, receipt_for(event["id"], "centre"), qos=1)
        strap = event["data"]["alert_id"]
        while len(await service._store.deliveries([strap])) < 2:
            await asyncio.sleep(0.01)
        assert [d.consumer for d in sorted(await service._store.deliveries([strap]))] == ["centre", "webhook"]
        assert service.readings()["receipts_total"][1] == 1
        assert service.pipeline.quarantined_total == 1
        clock.advance(at("18:41:04"))
        assert (await first_of(client, "tag.strap"))["type"] == "emcheck.alert.escalated"
        assert not service.troubles()


async def first_of(client: aiomqtt.Client, rule: str) -> dict[str, Any]:
    """The next event of a rule on the queue."""
    async for message in client.messages:
        if message.topic.value == RECEIPT:
            continue
        event: dict[str, Any] = json.loads(bytes(message.payload))
        if event["data"]["rule"] == rule:
            return event
    raise AssertionError("the queue has ended")


async def test_a_webhook_that_is_down_confirms_nothing_until_it_is_back(tmp_path: Path) -> None:
    async with watched(tmp_path, by_mqtt=False) as (service, client, receiver, clock):
        store = service._store
        receiver.answers = 503
        await cut(client, clock)
        while not (held := [a for a in await store.alerts(open_only=True) if a.rule == "tag.strap"]):
            await asyncio.sleep(0.01)
        strap = held[0].alert_id
        clock.advance(at("18:42:30"))
        while (await store.alerts_named([strap]))[0].course.steps < 2:
            await asyncio.sleep(0.01)
        assert await store.deliveries([strap]) == []
        receiver.answers = 204
        while len(await store.deliveries([strap])) < 3:
            await asyncio.sleep(0.01)
        clock.advance(at("18:44:01"))
        async with service.pipeline.turn:
            await service.pipeline.tick(at("18:44"))
        assert (await store.alerts_named([strap]))[0].course.steps == 2
