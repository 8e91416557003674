"""The dead man's switch, the figures, and a webhook's receiver: what others see of the service."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import httpx
import pytest

from emcheck.alerting.publishers import WebhookPublisher
from emcheck.clock import VirtualClock
from emcheck.domain.instants import MINUTE
from emcheck.ingest.embedded import EmbeddedBroker, free_port
from emcheck.service.app import Service
from tests.service.hostile import Attacker
from tests.service.living import PATIENCE_S, living, locked
from tests.service.peers import good_units
from tests.service.receiver import receiving
from tests.support import at

UNIT = "BU-0001"


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(store_dir=tmp_path / "nats") as started:
        yield started


async def _comes_true(service: Service, *, troubled: bool) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while bool(service.troubles()) is not troubled:
            await asyncio.sleep(0.01)


async def test_the_heartbeat_comes_while_all_is_well_and_only_then(broker: EmbeddedBroker, tmp_path: Path) -> None:
    clock = VirtualClock(at("12:00"))
    async with (
        receiving() as watcher,
        living(broker, tmp_path / "em.db", clock, watchdog_url=watcher.url, watchdog_every_s=0.05) as service,
    ):
        await watcher.took(3)
        assert {line for line, _ in watcher.requests} == {"POST /here HTTP/1.1"}
        await broker.stop(kill=True)
        await _comes_true(service, troubled=True)
        await asyncio.sleep(0.1)  # one that was on its way
        silent = len(watcher.requests)
        await asyncio.sleep(0.5)
        assert len(watcher.requests) == silent
        await broker.restart()
        await _comes_true(service, troubled=False)
        await watcher.took(silent + 2)
    ended = len(watcher.requests)
    await asyncio.sleep(0.2)
    assert len(watcher.requests) == ended


async def test_a_watcher_that_refuses_or_is_gone_is_told_of_and_tried_again(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    clock = VirtualClock(at("12:00"))
    async with (
        receiving() as watcher,
        living(
            broker, tmp_path / "em.db", clock, watchdog_url=watcher.url, watchdog_every_s=0.05, watchdog_timeout_s=0.2
        ) as service,
    ):
        await watcher.took(1)
        watcher.status = 404
        await watcher.took(len(watcher.requests) + 2)
        refused = service.heartbeats_total
        await watcher.took(len(watcher.requests) + 2)
        assert service.heartbeats_total == refused
        watcher.gate.clear()
        await watcher.took(len(watcher.requests) + 2)
        watcher.status = 200
        watcher.gate.set()
        async with asyncio.timeout(PATIENCE_S):
            while service.heartbeats_total == refused:
                await asyncio.sleep(0.01)
        assert service.troubles() == []


COUNTERS = {
    "emcheck_events_total",
    "emcheck_duplicates_total",
    "emcheck_quarantined_total",
    "emcheck_alert_changes_total",
    "emcheck_acknowledgements_total",
    'emcheck_alerts_delivered_total{publisher="mqtt"}',
    'emcheck_alerts_failed_total{publisher="mqtt"}',
    'emcheck_alerts_given_up_total{publisher="mqtt"}',
    "emcheck_heartbeats_total",
    "emcheck_downlinks_unsent_total",
    "emcheck_dropped_total",
    "emcheck_recalls_total",
    "emcheck_configurations_sent_total",
    "emcheck_escalation_steps_total",
    "emcheck_receipts_total",
    *(
        f'emcheck_alerts_{what}_total{{priority="{priority}"}}'
        for what in ("acknowledged", "acknowledged_in_time", "acknowledge_seconds")
        for priority in ("P1", "P2", "P3", "P4")
    ),
}


async def _figures(port: int) -> dict[str, float]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    helped = {line.split()[2] for line in lines if line.startswith("# HELP")}
    found = {line.split()[0]: float(line.split()[1]) for line in lines if not line.startswith("#")}
    assert helped == {name.partition("{")[0] for name in found}
    return found


async def test_the_figures_count_what_happened_and_never_go_back(broker: EmbeddedBroker, tmp_path: Path) -> None:
    clock, port = VirtualClock(at("18:50")), free_port()
    attacker = Attacker(1, (UNIT,))
    async with (
        living(broker, tmp_path / "em.db", clock, http=("127.0.0.1", port)) as service,
        good_units(broker.host, broker.port, [UNIT]) as [unit],
        aiomqtt.Client(broker.host, broker.port, identifier="attacker") as client,
    ):
        seen = [await _figures(port)]
        for attack in attacker.attacks(60, clock.now):
            await client.publish(attack.topic, attack.payload, qos=1)
            await unit.says(Attacker.status(clock.now()))
            await unit.is_acknowledged()
            clock.advance(clock.now() + MINUTE)
            seen.append(await _figures(port))
        async with locked(tmp_path / "em.db"):
            await unit.says(Attacker.status(clock.now()))
            await _comes_true(service, troubled=True)
            seen.append(await _figures(port))
            assert seen[-1]["emcheck_ready"] == 0
        await _comes_true(service, troubled=False)
        await unit.is_acknowledged()
        seen.append(await _figures(port))
    assert {name for name in seen[0] if "_total" in name} == COUNTERS
    for before, after in zip(seen, seen[1:], strict=False):
        assert [name for name in COUNTERS if after[name] < before[name]] == []
    for name in ("events", "quarantined", "acknowledgements", "alert_changes"):
        assert seen[-1][f"emcheck_{name}_total"] > seen[0][f"emcheck_{name}_total"]
    delivered = 'emcheck_alerts_delivered_total{publisher="mqtt"}'
    assert seen[-1][delivered] > seen[0][delivered]
    assert seen[-1]["emcheck_dropped_total"] == 0
    assert seen[-1]["emcheck_ready"] == 1


async def test_a_store_that_fails_under_a_delivery_ends_nothing(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """The receiver has it, the store cannot note it: that is noted later, and nothing is delivered again."""
    clock = VirtualClock(at("12:00"))
    async with receiving() as receiver:
        webhook = WebhookPublisher(receiver.url, timeout_s=30.0)
        async with (
            living(
                broker, tmp_path / "em.db", clock, publishers=lambda transport: [webhook], retry_first_s=0.05
            ) as service,
            aiomqtt.Client(broker.host, broker.port) as client,
        ):
            receiver.gate.clear()
            await client.publish(f"em/v1/{UNIT}/up", b"no envelope", qos=1)
            await receiver.took(1)
            async with locked(tmp_path / "em.db"):
                receiver.gate.set()
                async with asyncio.timeout(PATIENCE_S):
                    while service.outbox.delivered_total < 1:
                        await asyncio.sleep(0.01)
            async with asyncio.timeout(PATIENCE_S):
                while service.outbox.delivered_total < 1 or service.troubles():
                    await asyncio.sleep(0.01)
        await webhook.close()
    assert len({json.loads(body)["id"] for _, body in receiver.requests}) == 1
