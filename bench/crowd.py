"""Scene and measurement: a whole country's wearers in one service, and the herd at 19:00:00."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import town, trial, whole
from bench.consuming import until_done
from bench.figures import Figure, at_least, at_most, plain
from bench.load import Generator, Plan
from bench.meter import Meter, rss_bytes, rss_most_bytes
from bench.progress import Say
from emcheck.domain.instants import SECOND
from emcheck.ingest.embedded import EmbeddedBroker

MESSAGES = 20_000
HERD_RATE = 1_700
"""Events a second while the herd is judged: 100,000 units that say something once a minute."""
HERD_S = 12
_GROUP = "100,000 wearers"


def measure(say: Say) -> Iterator[Figure]:
    """Cost per event as the register grows; then all that is asked of 100,000."""
    found = {}
    for wearers in (1_000, 10_000, 100_000):
        say(f"the service with {wearers:,} wearers" + (": about three minutes" if wearers == 100_000 else ""))
        found[wearers] = trial.run("crowd", wearers=wearers, herd=wearers == 100_000)
        yield plain("Processor time an event", f"{wearers:,} wearers", _cost_us(found[wearers]), "µs")
    say("the limit beside it")
    limit = trial.run("consuming", consumer="limit", units=100_000, per_message=1, messages=MESSAGES)
    crowd, few = found[100_000], found[1_000]
    yield plain(_GROUP, "from start to the first event", crowd["start_s"], "s")
    yield plain(_GROUP, "(c) events/s", MESSAGES / crowd["wall_s"], "events/s")
    yield at_least(_GROUP, "(c)/(a)", limit["wall_s"] / crowd["wall_s"], 0.45, "")
    yield at_most(_GROUP, "memory of the process", crowd["rss_bytes"] / 2**30, 1, "GiB")
    yield plain(_GROUP, "memory of the process at its most", crowd["rss_most_bytes"] / 2**30, "GiB")
    each = (crowd["rss_bytes"] - few["rss_bytes"]) / (100_000 - 1_000)
    yield plain(_GROUP, "memory a wearer, register included", each, "B")
    herd = crowd["herd"]
    yield at_most(_GROUP, "the 19:00 herd is judged in", herd["took_s"], 10, "s")
    yield at_most(_GROUP, "longest stretch meanwhile without a look at the network", herd["stall_ms"], 50, "ms")
    yield at_least(_GROUP, "events committed meanwhile", herd["rate"], HERD_RATE * 0.98, "events/s")
    yield plain(_GROUP, "longest wait of one of them for its commit", herd["waited_ms"], "ms")


def _cost_us(result: dict[str, Any]) -> float:
    return float(result["cpu_s"]) / float(result["messages"]) * 1e6


async def play(folder: Path, *, wearers: int, herd: bool) -> dict[str, Any]:
    """All units are heard once, then `MESSAGES` come as fast as may be, then, where wanted, the clock strikes 19."""
    clock = whole.SceneClock(hour=18 + 55 / 60)
    async with EmbeddedBroker(store_dir=folder / "broker") as broker:
        plan = Plan(
            host=broker.host, port=broker.port, units=wearers, per_message=1,
            messages=wearers + MESSAGES + HERD_RATE * HERD_S, start=clock.now(), apart_ms=5,
        )  # fmt: skip
        generator = await Generator.start(plan)
        known = town.register_json(wearers, start=clock.now() - SECOND)
        meter = Meter(generator, warm=wearers, messages=MESSAGES)
        began = time.perf_counter()
        async with whole.running(broker, folder, known, clock) as emcheck:
            start_s = time.perf_counter() - began
            del known
            emcheck.store.committed = meter.committed
            await generator.ready()
            meter.begin()
            await until_done(meter, emcheck.task)
            await emcheck.settled()
            result = asdict(meter.cost()) | {"start_s": start_s}
            result |= {"rss_bytes": rss_bytes(), "rss_most_bytes": rss_most_bytes()}
            if herd:
                result["herd"] = await _herd(emcheck, generator, clock)
            emcheck.check()
        await generator.stop()
        return result


async def _herd(emcheck: whole.Running, generator: Generator, clock: whole.SceneClock) -> dict[str, float]:
    """The clock leaps to two seconds before 19:00:00; events flow on at their rate until all are judged."""
    opens = town.evening(clock.now(), 19.0)
    committed = 0

    def count(messages: int) -> None:
        nonlocal committed
        committed += messages

    emcheck.store.committed = count
    clock.forward_to(opens - 2 * SECOND)
    generator.pace(HERD_RATE)
    await clock.sleep_until(opens)
    emcheck.store.waited_most_ms = 0
    began, before, stall_s = time.perf_counter(), committed, 0.0
    while emcheck.service.pipeline.engine.wake_at() <= opens:
        look = time.perf_counter()
        await asyncio.sleep(0.001)
        stall_s = max(stall_s, time.perf_counter() - look - 0.001)
    took_s = time.perf_counter() - began
    await asyncio.sleep(max(0.0, 3.0 - took_s))
    rate = (committed - before) / (time.perf_counter() - began)
    return {"took_s": took_s, "stall_ms": stall_s * 1000, "rate": rate, "waited_ms": emcheck.store.waited_most_ms}
