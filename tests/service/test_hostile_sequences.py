"""Any sequence of hostile messages, without a broker: taken or refused by name, and read back after a restart."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emcheck.alerting.cloudevents import cloud_event
from emcheck.domain.instants import MINUTE, SECOND
from emcheck.ports import Message
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.enrolment import load_register
from emcheck.service.pipeline import Pipeline
from emcheck.store.memory import MemoryStore
from tests.air import Air
from tests.service.hostile import Attack, Attacker
from tests.support import at, england, register

UNITS = ("BU-0001", "BU-0002")
START = at("18:55")


async def judge(attacks: Sequence[Attack], *, every_ms: int) -> Pipeline:
    """All of them into one pipeline, one a batch; then time passes, and it is read back as after a restart."""
    store = MemoryStore()
    await store.open()
    await load_register(store, register(units=UNITS), START)
    acknowledger = Acknowledger(store, Air(), every_s=0.0)
    pipeline = Pipeline(
        store,
        england(),
        acknowledger,
        published=lambda alert, action, note: cloud_event(alert, action=action, at=START, source="test", note=note),
        on_alerts=lambda: None,
        checkpoint_every_ms=3_600_000,
    )
    now = START
    await pipeline.recover(now)
    for attack in attacks:
        now += every_ms
        await pipeline.receive([Message(attack.topic, attack.payload, False, now)])
        await acknowledger.send(now)
    now += 20 * MINUTE
    await pipeline.tick(now)
    await acknowledger.ask(pipeline.engine, now, MINUTE)
    await pipeline.recover(now + SECOND)
    await store.close()
    return pipeline


def attacks_of(seed: int, count: int) -> list[Attack]:
    now = START + 5 * MINUTE
    return list(Attacker(seed, UNITS).attacks(count, lambda: now))


def kinds() -> list[str]:
    return sorted({attack.kind for attack in attacks_of(1, 60)})


@pytest.mark.parametrize("kind", kinds())
async def test_a_kind_alone_again_and_again(kind: str) -> None:
    found = [attack for attack in attacks_of(7, 400) if attack.kind == kind]
    pipeline = await judge(found, every_ms=10 * SECOND)
    refused = sum(bool(attack.reason) + len(set(attack.events)) for attack in found)
    if all(attack.reason is not None for attack in found):
        assert pipeline.quarantined_total == refused


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32), picks=st.lists(st.integers(0, 199), min_size=1, max_size=40), every_s=st.integers(0, 90)
)
async def test_any_sequence_of_them(seed: int, picks: list[int], every_s: int) -> None:
    made = attacks_of(seed, 200)
    await judge([made[pick] for pick in picks], every_ms=every_s * SECOND)
