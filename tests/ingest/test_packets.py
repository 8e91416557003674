"""Packets that we write ourselves are read back by the rules of the standard, and by a real broker."""

import asyncio
from pathlib import Path

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emcheck.clock import SystemClock
from emcheck.domain.ids import UnitId
from emcheck.ingest.embedded import EmbeddedBroker
from emcheck.ingest.mqtt import MqttTransport
from emcheck.ingest.packets import published
from emcheck.ports import Downlink

TOPICS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64)


def read(packets: bytes, *, is_v5: bool) -> list[tuple[str, bytes]]:
    """Chapter 3.3, read from the standard: fixed header, topic, properties in version 5, payload."""
    messages, place = [], 0
    while place < len(packets):
        assert packets[place] == 0x30, "PUBLISH, not a repeat, QoS 0, not retained"
        size, shift = 0, 0
        while True:
            place += 1
            size |= (packets[place] & 0x7F) << shift
            shift += 7
            if packets[place] < 0x80:
                break
        body = packets[place + 1 : place + 1 + size]
        assert len(body) == size
        place += 1 + size
        topic_end = 2 + int.from_bytes(body[:2], "big")
        payload = body[topic_end:]
        if is_v5:
            assert payload[0] == 0, "no properties"
            payload = payload[1:]
        messages.append((body[2:topic_end].decode(), payload))
    return messages


@given(messages=st.lists(st.tuples(TOPICS, st.binary(max_size=300))), is_v5=st.booleans())
def test_what_is_written_is_read_back(messages: list[tuple[str, bytes]], is_v5: bool) -> None:
    assert read(published(messages, is_v5=is_v5), is_v5=is_v5) == messages


@pytest.mark.parametrize("size", [0, 100, 127 - 3, 128 - 3, 16_383 - 3, 16_384 - 3, 2_097_151 - 3, 2_097_152 - 3])
def test_every_length_of_length(size: int) -> None:
    assert read(published([("a", b"x" * size)], is_v5=False), is_v5=False) == [("a", b"x" * size)]


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        published([("a" * 65_536, b"")], is_v5=False)


async def test_a_thousand_answers_come_in_order_and_the_session_lives_on(tmp_path: Path) -> None:
    async with EmbeddedBroker(store_dir=tmp_path / "nats") as broker:
        transport = MqttTransport(host=broker.host, port=broker.port, clock=SystemClock(), store_id="S")
        session = asyncio.create_task(transport.run())
        async with aiomqtt.Client(broker.host, broker.port, identifier="BU-0001") as unit, asyncio.timeout(20):
            await unit.subscribe([("em/v1/BU-0001/down", 0)])
            while not transport.connected:
                await asyncio.sleep(0.01)
            answers = [Downlink(UnitId("BU-0001"), b'{"n":%d}' % number) for number in range(1_000)]
            await transport.send(answers[:1])
            await transport.send(answers[1:])
            heard: list[object] = []
            async for message in unit.messages:
                heard.append(message.payload)
                if len(heard) == len(answers):
                    break
            assert heard == [answer.payload for answer in answers]
            for number in range(500):
                await unit.publish("em/v1/BU-0001/up", b"%d" % number, qos=1)
            taken: list[bytes] = []
            while len(taken) < 500:
                taken += [message.payload for message in await transport.receive(most=100, linger_s=0.01)]
            assert taken == [b"%d" % number for number in range(500)]
            assert (transport.connected, transport.unsent_total, transport.dropped_total) == (True, 0, 0)
        session.cancel()
        await asyncio.gather(session, return_exceptions=True)


async def test_answers_without_a_session_are_counted_as_unsent(tmp_path: Path) -> None:
    transport = MqttTransport(host="127.0.0.1", port=1, clock=SystemClock(), store_id="S")
    await transport.send([Downlink(UnitId("BU-0001"), b"{}")] * 3)
    assert transport.unsent_total == 3
