"""P2 where one number comes with several contents: what a killed service found is what a replay finds."""

import json
import random
from typing import Any

import pytest

from emcheck.domain import case, nights
from emcheck.domain.instants import DAY, HOUR
from emcheck.domain.rules.evidence import CONFLICT
from emcheck.service.replay import replay
from emcheck.service.stream import Line
from tests.domain.test_folding import WHAT, received, story, two_addresses
from tests.service.test_recovery import as_lines, live, told
from tests.support import england


def night_of_clones(chance: random.Random, seed: int) -> tuple[int, list[Line]]:
    """How often a checkpoint is taken; and a night of which some numbers come again with up to three other contents."""
    steps = []
    for _ in range(chance.randint(8, 25)):
        what, waits = chance.choice(WHAT), [chance.randint(1, 20 * 3600), chance.randint(1, 900)]
        steps.append((what, chance.choice(waits), chance.choice([2, 2, 2, 2, 90, 3600, 100_000, 500_000])))
    every_ms = chance.choice([HOUR, 7 * DAY])
    lines = received(story(steps, "BU-0001"), seed=seed)
    told = [(line.received_at, line.topic, line.payload) for line in lines]
    for line in lines:
        for _ in range(chance.randint(1, 3) if chance.random() < 0.15 else 0):
            said = json.loads(line.payload)
            said["events"] = [_other(event, chance) if chance.random() < 0.7 else event for event in said["events"]]
            late = chance.choice([1, 60_000, HOUR, DAY, 5 * DAY])
            told.append((line.received_at + late, line.topic, json.dumps(said).encode()))
    return every_ms, [
        Line(number, at, "up", topic, payload)
        for number, (at, topic, payload) in enumerate(sorted(told, key=lambda one: one[0]), start=1)
    ]


def night_of_overlaps(chance: random.Random, seed: int) -> list[Line]:
    """A night of whose messages some come again together with the one that follows, perhaps with other contents."""
    steps = [("hears", chance.randint(600, 7200), 2) for _ in range(chance.randint(6, 14))]
    lines = received(story(steps, "BU-0001"), seed=seed, repeats=0.0)
    told = []
    for before, line in zip([None, *lines], lines, strict=False):
        said = json.loads(line.payload)
        if before is not None and chance.random() < 0.5:
            first = json.loads(before.payload)
            events = [_other(event, chance) if chance.random() < 0.7 else event for event in first["events"]]
            said = first | {"events": [*events, *said["events"]]}
        told.append(Line(line.number, line.received_at, "up", line.topic, json.dumps(said).encode()))
    return told


def _other(event: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    power, charge = chance.choice(["mains", "battery"]), chance.randint(1, 99)
    return {"type": "unit_status", "at": event["at"], "power": power, "battery_pct": charge}


NOTICED_AT = [("conflict", seed, DAY) for seed in (18, 44, 45)]
"""Nights whose holes were noticed at another time after a kill than in a replay."""
NO_ORIGINAL = [("conflict0", 2015, 0)]
"""A number was told before a checkpoint, and otherwise between it and the kill."""


@pytest.mark.parametrize(("name", "seed", "keep"), NOTICED_AT + NO_ORIGINAL)
async def test_one_number_with_several_contents_is_judged_alike_live_and_in_a_replay(
    monkeypatch: pytest.MonkeyPatch, name: str, seed: int, keep: int
) -> None:
    """P2 where one number has several contents and the service is killed meanwhile."""
    chance = random.Random(f"{name} {seed}")
    every_ms, lines = night_of_clones(chance, seed)
    until = lines[-1].received_at + HOUR
    restarts = {chance.randrange(1, len(lines)): chance.choice(["killed", "stopped"]) for _ in range(3)}
    with monkeypatch.context() as patch:
        patch.setattr(case, "KEEP", keep)
        patch.setattr(nights, "KEEP", keep)
        store, _ = await live(lines, two_addresses(), until, restarts=restarts, checkpoint_every_ms=every_ms)
        rows = [row async for row in store.inbox_after(0)]
        again = replay(as_lines(rows), two_addresses(), england(), until=until)
        assert told(await store.findings()) == told(again.findings)
    await store.close()


@pytest.mark.parametrize("seed", [0, 1, 3, 4, 5, 6])
async def test_an_envelope_that_overlaps_old_numbers_is_not_its_own_original_after_a_start(seed: int) -> None:
    """What else it says of a number is a conflict, though what came first is no longer at hand."""
    chance = random.Random(f"overlap {seed}")
    lines = night_of_overlaps(chance, seed)
    until = lines[-1].received_at + HOUR
    restarts = {number: chance.choice(["stopped", "stopped", "killed"]) for number in range(2, len(lines), 2)}
    store, _ = await live(lines, two_addresses(), until, restarts=restarts, checkpoint_every_ms=HOUR)
    found = [finding for finding in await store.findings() if finding.rule == CONFLICT]
    await store.close()
    again = replay(lines, two_addresses(), england(), until=until)
    assert found
    assert told(found) == told([finding for finding in again.findings if finding.rule == CONFLICT])
