"""What a wearer costs in memory while nothing happens: case, unit and deadline, beside the register."""

import gc
import tracemalloc
from collections.abc import Iterator

from bench import town
from bench.figures import Figure, at_most
from bench.progress import Say
from emcheck.domain.engine import Engine
from emcheck.domain.instants import MINUTE, SECOND, parse_ms
from emcheck.domain.policies import Policies
from emcheck.service.history import Recent
from emcheck.service.intake import take

START = parse_ms("2026-03-24T12:00:00Z")
WEARERS = 1_000
TARGET_BYTES = 4_096
READINGS = 30
WORN_TARGET_BYTES = 6_144
"""With the register (4.5 KB) 100,000 of them fit in 1 GiB."""


def measure(say: Say) -> Iterator[Figure]:
    """Python's own count of what an engine holds, after every unit has said some things and all was judged."""
    say(f"{WEARERS:,} wearers at rest")
    yield at_most("Memory", "a wearer at rest, beside the register", _held(2, worn=False), TARGET_BYTES, "B")
    say(f"{WEARERS:,} wearers whose tags tell of the body, for {READINGS} minutes")
    told = _held(READINGS, worn=True)
    yield at_most("Memory", "a wearer whose tag tells of the body", told, WORN_TARGET_BYTES, "B")


def _held(minutes: int, *, worn: bool) -> float:
    """Bytes a wearer, beside the register."""
    known, policy = town.register(WEARERS, start=START), town.policy()
    heard = [
        (
            f"em/v1/{town.unit_name(unit)}/up",
            town.report(unit, round_, per_message=1, at=START, apart=MINUTE, worn=worn),
        )
        for round_ in range(minutes)
        for unit in range(WEARERS)
    ]
    gc.collect()
    tracemalloc.start()
    memory = Recent(bytes_max=0)
    engine = Engine(known, Policies(policy), memory=memory, decided=lambda *decision: None)
    for number, (topic, payload) in enumerate(heard):
        received_at = START + (number // WEARERS) * MINUTE + SECOND
        take(engine, topic, payload, received_at, retained=False, remember=memory.remember)
    engine.tick(START + minutes * MINUTE)
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size / WEARERS
