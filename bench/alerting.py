"""Scene and measurement: from a unit's publish to the alert on the queue, at half of the maximum load."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench import town, trial, whole
from bench.consuming import until_done
from bench.figures import Figure, at_most, plain
from bench.load import Generator, Plan
from bench.meter import Meter
from bench.progress import Say
from emcheck.domain.ids import Ms
from emcheck.domain.instants import MINUTE, SECOND
from emcheck.ingest.embedded import EmbeddedBroker

UNITS = 1_000
MESSAGES = 10_000
ALARMS, ALARMS_PER_S = 200, 20
LEFT_AGO = 330 * SECOND
"""Longer than the policy's delay of 300 s: what is measured is beyond that delay."""
_GROUP = "From publish to alert, half of the maximum load"


def measure(say: Say) -> Iterator[Figure]:
    """The median, the worst of a hundred, and the worst."""
    say(f"{ALARMS} wearers have left, under load")
    found = trial.run("alerting")
    delays = sorted(found["delays_ms"])
    yield plain(_GROUP, "load meanwhile", found["load"], "events/s")
    yield plain(_GROUP, "median", delays[len(delays) // 2], "ms")
    yield at_most(_GROUP, "99 of 100 within", delays[len(delays) * 99 // 100], 250, "ms")
    yield plain(_GROUP, "the longest", delays[-1], "ms")


async def play(folder: Path) -> dict[str, Any]:
    """First the maximum is found, then half of it flows while other units tell of departures."""
    clock, seconds = whole.SceneClock(), ALARMS / ALARMS_PER_S + 3
    async with EmbeddedBroker(store_dir=folder / "broker") as broker:
        plan = Plan(
            host=broker.host, port=broker.port, units=UNITS, per_message=1,
            messages=UNITS + MESSAGES + round(10_000 * seconds), start=clock.now(), apart_ms=5,
        )  # fmt: skip
        generator = await Generator.start(plan)
        booted_at = clock.now() - LEFT_AGO - MINUTE
        known = town.register_json(UNITS + ALARMS, start=booted_at - SECOND)
        meter = Meter(generator, warm=UNITS, messages=MESSAGES)
        async with whole.running(broker, folder, known, clock) as emcheck:
            emcheck.store.committed = meter.committed
            await generator.ready()
            meter.begin()
            await until_done(meter, emcheck.task)
            half = min(10_000, round(MESSAGES / meter.cost().wall_s / 2))
            emcheck.store.committed = lambda messages: None
            delays = await _departures(broker, clock, booted_at, lambda: generator.pace(half))
            emcheck.check()
        await generator.stop()
        return {"load": half, "delays_ms": delays}


async def _departures(
    broker: EmbeddedBroker, clock: whole.SceneClock, booted_at: Ms, load: Callable[[], None]
) -> list[float]:
    """Units that booted minutes ago tell of departures minutes ago, under load: late, so that nobody waits for them."""
    arguments = {"host": broker.host, "port": broker.port, "first": UNITS, "at": booted_at}
    pipe = asyncio.subprocess.PIPE
    probe = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.probe", json.dumps(arguments), stdin=pipe, stdout=pipe
    )
    if probe.stdout is None or await probe.stdout.readline() != b"ready\n":
        raise RuntimeError("the probe did not start; what it says is above")
    load()
    told, _ = await probe.communicate(b"%d\n" % clock.now())
    delays: list[float] = json.loads(told)
    return delays
