"""P2 and P5 over the pipeline: killed, restarted and replayed, the same inbox gives the same decisions."""

import json
import random
from dataclasses import replace as revised
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emcheck.domain import case, engine
from emcheck.domain.findings import Finding
from emcheck.domain.instants import DAY, HOUR
from emcheck.domain.queue import alert_id
from emcheck.domain.register import Register
from emcheck.ports import InboxRow, Message
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.enrolment import load_register
from emcheck.service.pipeline import Pipeline
from emcheck.service.replay import replay
from emcheck.service.stream import Line
from emcheck.store.memory import MemoryStore
from emcheck.wire.topics import up
from tests.air import Air
from tests.domain.test_folding import STEP, received, story, two_addresses
from tests.support import england

RELAXED = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def pipeline(store: MemoryStore, checkpoint_every_ms: int) -> Pipeline:
    """A service's decision loop over a store that may have seen others."""
    return Pipeline(
        store,
        england(),
        Acknowledger(store, Air()),
        published=lambda alert, action, note: json.dumps([alert.alert_id, action]).encode(),
        on_alerts=lambda: None,
        checkpoint_every_ms=checkpoint_every_ms,
    )


async def live(
    lines: list[Line], known: Register, until: int, *, restarts: dict[int, str], checkpoint_every_ms: int
) -> tuple[MemoryStore, Pipeline]:
    """Serve the lines; before those that `restarts` names the service is killed or stopped, and starts again."""
    store = MemoryStore()
    await store.open()
    await load_register(store, known, lines[0].received_at)
    service = pipeline(store, checkpoint_every_ms)
    await service.recover(lines[0].received_at)
    for number, line in enumerate(lines):
        if number in restarts:
            if restarts[number] == "stopped":
                await service.stopped(lines[number - 1].received_at)
            service = pipeline(store, checkpoint_every_ms)
            await service.recover(max(line.received_at - 1, lines[number - 1].received_at))
        await service.tick(line.received_at - 1)
        await service.receive([Message(line.topic, line.payload, False, line.received_at)])
    await service.judge_all(until)
    return store, service


def told(found: list[Finding]) -> list[str]:
    return sorted(repr(revised(finding, register="")) for finding in found)


def as_lines(rows: list[InboxRow]) -> list[Line]:
    """The inbox as the stream that it is."""
    lines = []
    for row in rows:
        payload: Any = {"service": lambda r: json.loads(r.payload)["service"], "heard": lambda r: r.unit}.get(
            row.kind, lambda r: r.payload
        )(row)
        lines.append(Line(row.row_id, row.received_at, row.kind, up(str(row.unit)), payload))
    return lines


@RELAXED
@given(
    st.lists(STEP, min_size=8, max_size=25),
    st.lists(STEP, max_size=10),
    st.integers(0, 2**32),
    st.sampled_from([HOUR, 7 * DAY]),
)
async def test_a_replay_is_the_live_system(
    monkeypatch: pytest.MonkeyPatch, first: list[Any], second: list[Any], seed: int, checkpoint_every_ms: int
) -> None:
    """P2: the inbox of a service that was killed and restarted gives its findings, to the byte."""
    chance = random.Random(seed)
    lines = received(story(first, "BU-0001"), story(second, "BU-0002"), seed=seed)
    until = lines[-1].received_at + HOUR
    restarts = {chance.randrange(1, len(lines)): chance.choice(["killed", "stopped"]) for _ in range(3)}
    with monkeypatch.context() as patch:
        patch.setattr(case, "KEEP", 0)
        patch.setattr(engine, "KEEP", 0)
        store, _service = await live(
            lines, two_addresses(), until, restarts=restarts, checkpoint_every_ms=checkpoint_every_ms
        )
        rows = [row async for row in store.inbox_after(0)]
        again = replay(as_lines(rows), two_addresses(), england(), until=until)
        assert told(await store.findings()) == told(again.findings)
        alerts = await store.alerts(open_only=False)
        raised = {alert_id(finding) for finding in again.findings if finding.raised_at is not None}
        assert {alert.alert_id for alert in alerts if not alert.withdrawn} == raised
    await store.close()


async def test_a_start_reads_checkpoints_and_only_what_came_after() -> None:
    steps = [("away", 5 * 3600, 2), ("hears", 3600, 2)] * 30
    lines = received(story(steps, "BU-0001"), seed=0, repeats=0)
    store, service = await live(lines, two_addresses(), lines[-1].received_at, restarts={}, checkpoint_every_ms=HOUR)
    await service.stopped(lines[-1].received_at + 1)
    kept = [checkpoint async for checkpoint in store.checkpoints()]
    assert {checkpoint.unit for checkpoint in kept} == {"BU-0001", "(service)"}
    assert all(len(checkpoint.state) < 10_000 for checkpoint in kept)
    assert sum(len(taken) for taken in store._checkpoints.values()) <= 2 * len(kept), "what was replaced is gone"
    read: list[int] = []
    whole = store.inbox_after

    async def counted(row_id: int) -> Any:
        async for row in whole(row_id):
            read.append(row.row_id)
            yield row

    store.inbox_after = counted  # type: ignore[method-assign]  # to see what is read
    again = pipeline(store, HOUR)
    await again.recover(lines[-1].received_at + 2)
    assert len(read) == 0
    assert told(await store.findings()) == told(await service.judge_all(lines[-1].received_at + 2))
    await store.close()
