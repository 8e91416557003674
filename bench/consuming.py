"""Scene: one of the three consumers takes a load as fast as it can."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import limit, script, town, whole
from bench.load import Generator, Plan
from bench.meter import Meter
from emcheck.domain.instants import SECOND
from emcheck.ingest.embedded import EmbeddedBroker


async def play(folder: Path, *, consumer: str, units: int, per_message: int, messages: int) -> dict[str, Any]:
    """`messages` going round `units`, after one round (of 500 at most where nothing is judged) that warms up."""
    clock = whole.SceneClock()
    warm = units if consumer == "service" else min(units, 500)
    async with EmbeddedBroker(store_dir=folder / "broker") as broker:
        plan = Plan(
            host=broker.host, port=broker.port, units=units, per_message=per_message,
            messages=warm + messages, start=clock.now(), apart_ms=5,
        )  # fmt: skip
        generator = await Generator.start(plan)
        meter = Meter(generator, warm=warm, messages=messages)
        if consumer == "service":
            result = await _service(folder, broker, generator, meter, clock, units)
        else:
            result = await _plain(consumer, folder, broker, generator, meter)
        await generator.stop()
        return result


async def _plain(
    consumer: str, folder: Path, broker: EmbeddedBroker, generator: Generator, meter: Meter
) -> dict[str, Any]:
    consume, ready = {"limit": limit.consume, "script": script.consume}[consumer], asyncio.Event()
    consuming = asyncio.create_task(
        consume(broker.host, broker.port, folder / "plain.db", ready=ready, committed=meter.committed)
    )
    await asyncio.gather(generator.ready(), ready.wait())
    meter.begin()
    await until_done(meter, consuming)
    result = asdict(meter.cost())
    consuming.cancel()
    await asyncio.gather(consuming, return_exceptions=True)
    return result


async def until_done(meter: Meter, consuming: asyncio.Task[None]) -> None:
    """Wait for the last message; whatever ends the consumer first is raised."""
    finished = asyncio.create_task(meter.done.wait())
    await asyncio.wait({consuming, finished}, return_when=asyncio.FIRST_COMPLETED)
    if consuming.done():
        finished.cancel()
        consuming.result()


async def _service(
    folder: Path, broker: EmbeddedBroker, generator: Generator, meter: Meter, clock: whole.SceneClock, wearers: int
) -> dict[str, Any]:
    """A curfew is in force and everybody is at home. Acknowledgements count until the last that is due is sent."""
    known = town.register_json(wearers, start=clock.now() - SECOND, days=3)
    async with whole.running(broker, folder, known, clock) as emcheck:
        emcheck.store.committed = meter.committed
        await generator.ready()
        meter.begin()
        await until_done(meter, emcheck.task)
        await emcheck.settled()
        result = asdict(meter.cost())
        emcheck.check()
        return result | {"answers": emcheck.answered()}
