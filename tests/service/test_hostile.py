"""Ten thousand hostile payloads: nothing stops, nothing grows without bound, good neighbours are served and judged,
everything refused is in quarantine by its reason, and alarms come at a limited rate."""

import asyncio
import contextlib
import json
import resource
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import aiomqtt
import pytest

from emcheck.clock import VirtualClock
from emcheck.domain.findings import Finding
from emcheck.domain.instants import SECOND
from emcheck.domain.register import Register
from emcheck.ingest.embedded import EmbeddedBroker
from emcheck.service.app import Service
from emcheck.service.mailing import stream_of
from emcheck.service.replay import replay
from emcheck.service.stream import parse_lines
from emcheck.store.sql import SqlStore
from tests.service.hostile import Attack, Attacker
from tests.service.living import living
from tests.service.peers import good_units
from tests.support import at, england, nightly, order, register

HOSTILE_UNITS = tuple(f"BU-9{number:03}" for number in range(1, 81))
GOOD_UNITS = ("BU-0001", "BU-0002", "BU-0003")
ATTACKS = 10_000
AT_ONCE = 50
RETAINED = 20
MEMORY_BYTES_MAX = 400 << 20
PATIENCE_S = 60.0


def town() -> Register:
    """Three good homes, and twenty where four hostile units each stand at a wearer's address."""
    homes: list[tuple[int, tuple[str, ...]]] = [(n, (unit,)) for n, unit in enumerate(GOOD_UNITS, 1)]
    homes += [(90 + n, HOSTILE_UNITS[4 * (n - 1) : 4 * n]) for n in range(1, 21)]
    since = "2026-03-01T00:00:00Z"
    return register(
        *[order(order_id=f"O-{n}", wearer_id=f"W-{n}", curfew=nightly(address=f"A-{n}")) for n, _ in homes],
        wearers=[{"wearer_id": f"W-{n}"} for n, _ in homes],
        installations=[
            {"unit": unit, "address_id": f"A-{n}", "installed_at": since} for n, units in homes for unit in units
        ],
        fittings=[
            {"tag": f"T-{n}", "wearer_id": f"W-{n}", "fitted_at": since, "validation": "validated"} for n, _ in homes
        ],
    )


def serving(
    broker: EmbeddedBroker, database: Path, clock: VirtualClock
) -> contextlib.AbstractAsyncContextManager[Service]:
    return living(broker, database, clock, known=town(), publishers=lambda transport: [])


async def _publish(client: aiomqtt.Client, attacks: list[Attack]) -> None:
    await asyncio.gather(*(client.publish(attack.topic, attack.payload, qos=1, timeout=60) for attack in attacks))


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.timeout(300)
async def test_ten_thousand_hostile_payloads(tmp_path: Path) -> None:
    clock = VirtualClock(at("18:50"))
    attacker = Attacker(20260324, HOSTILE_UNITS)
    sent: list[tuple[str, str | None, tuple[str, ...]]] = []
    async with EmbeddedBroker(store_dir=tmp_path / "nats") as broker:
        await _leave_retained(broker, attacker)
        async with (
            serving(broker, tmp_path / "em.db", clock) as service,
            good_units(broker.host, broker.port, GOOD_UNITS) as good,
            aiomqtt.Client(broker.host, broker.port, identifier="attacker") as client,
        ):
            for neighbour in good:
                there = neighbour.unit != "BU-0001"
                tag = f"T-{int(neighbour.unit[-1])}"
                await neighbour.says(
                    {"type": "boot", "at": _text(clock), "reason": "power_on"},
                    {"type": "presence", "at": _text(clock), "tag": tag, "in_range": there},
                )
            await asyncio.gather(*(neighbour.is_acknowledged() for neighbour in good))
            before = _resident_bytes()
            wave: list[Attack] = []
            for attack in attacker.attacks(ATTACKS, clock.now):
                wave.append(attack)
                sent.append((attack.kind, attack.reason, attack.events))
                if len(wave) == AT_ONCE:
                    telling = asyncio.create_task(_publish(client, wave))
                    for neighbour in good:
                        await neighbour.says(Attacker.status(clock.now()))
                    await asyncio.gather(*(neighbour.is_acknowledged() for neighbour in good))
                    await telling
                    clock.advance(clock.now() + 18 * SECOND)
                    wave = []
            await _taken(service)
            assert service.troubles() == []
            assert _resident_bytes() - before < MEMORY_BYTES_MAX
            figures = {name: value for name, (_, value) in service.readings().items()}
            assert figures["dropped_total"] == 0
            async with service.pipeline.turn:
                judged = await service.pipeline.judge_all(clock.now())
    assert [(f.class_, f.raised_at) for f in judged if f.wearer_id == "W-1" and f.rule == "curfew.absence"] == [
        ("late_return", at("19:05"))
    ]
    assert [f for f in judged if f.wearer_id in ("W-2", "W-3") or f.unit in GOOD_UNITS] == []
    await _everything_is_accounted_for(tmp_path / "em.db", sent, figures)
    assert told_again(await _replayed(tmp_path / "em.db", clock.now())) == told_again(judged)
    async with (
        EmbeddedBroker(store_dir=tmp_path / "nats-again") as broker,
        serving(broker, tmp_path / "em.db", clock) as service,
        service.pipeline.turn,
    ):
        again = await service.pipeline.judge_all(clock.now())
    assert curfew(again) == curfew(judged)


def told_again(findings: Sequence[Finding]) -> list[str]:
    """What a stream can tell: not in which order one millisecond's messages came."""
    return sorted(
        f"{f.rule} {f.class_} {f.subject} {f.start} {f.end} {f.absent_ms} {dict(f.detail).get('count')}"
        for f in findings
        if f.rule in ("curfew.absence", "evidence.rejected", "evidence.unknown_device")
    )


async def _replayed(database: Path, until: int) -> list[Finding]:
    """The exported database judged again: what was refused is among it."""
    store = SqlStore(f"sqlite:///{database}", read_only=True)
    await store.open()
    lines = [line async for line in stream_of(store)]
    await store.close()
    return replay(parse_lines(lines, "export"), town(), england(), until=until).findings


def curfew(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.rule.startswith("curfew.")]


def _text(clock: VirtualClock) -> str:
    text: str = Attacker.status(clock.now())["at"]
    return text


async def _leave_retained(broker: EmbeddedBroker, attacker: Attacker) -> None:
    """Stale copies that the broker hands to everyone who comes."""
    async with aiomqtt.Client(broker.host, broker.port, identifier="stale") as client:
        for unit in HOSTILE_UNITS[:RETAINED]:
            body = attacker.envelope(unit, Attacker.status(at("12:00")), boot=attacker.ulid())
            await client.publish(f"em/v1/{unit}/up", json.dumps(body), qos=1, retain=True)


async def _taken(service: Service) -> None:
    """Until what was received is decided."""
    async with asyncio.timeout(PATIENCE_S):
        while service.readings()["waiting_messages"][1] or service.pipeline.turn.locked():
            await asyncio.sleep(0.01)


async def _everything_is_accounted_for(
    database: Path, sent: list[tuple[str, str | None, tuple[str, ...]]], figures: dict[str, float]
) -> None:
    store = SqlStore(f"sqlite:///{database}", read_only=True)
    await store.open()
    counts = await store.quarantine_counts()
    alerts = [a for a in await store.alerts(open_only=False) if a.rule.startswith("evidence.")]
    kept = [row async for row in store.inbox_after(0) if row.kind == "up" and row.unit in HOSTILE_UNITS]
    await store.close()
    by_reason: Counter[str] = Counter()
    for held in counts:
        by_reason[held.reason] += held.messages
    assert by_reason.total() == figures["quarantined_total"]
    known = Counter(reason for _, reason, _ in sent if reason) + Counter(
        r for _, _, reasons in sent for r in set(reasons)
    )
    known["retained"] = RETAINED
    chance = sum(1 for _, reason, _ in sent if reason is None)
    for reason, count in known.items():
        assert count <= by_reason[reason] <= count + 2 * chance, reason
    assert set(by_reason) == set(known)
    for reason in ("not_enrolled", "bad_topic", "over_size", "other_unit", "impossible_time", "retained"):
        assert abs(by_reason[reason] - known[reason]) <= (chance // 10 if reason == "impossible_time" else 0), reason
    accepted = sum(1 for _, reason, _ in sent if reason == "")
    assert (
        accepted
        <= len(kept)
        <= accepted + chance + sum(1 for _, reason, _ in sent if reason in ("not_in_schema", "wrong_version"))
    )
    rejected = Counter((a.subject, a.class_) for a in alerts if a.rule == "evidence.rejected")
    assert max(rejected.values()) == 1
    assert sum(1 for a in alerts if a.rule == "evidence.unknown_device") <= 1_001
