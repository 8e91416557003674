"""The pipeline against the limit and against the script: (a), (b) and (c) by turns, ratios by turn."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench import trial
from bench.figures import Figure, at_least, at_most, plain
from bench.progress import Say

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Load:
    units: int
    per_message: int
    messages: int
    script_messages: int
    floor: float
    """Of the limit that emcheck is to reach."""

    @property
    def group(self) -> str:
        events = "1 event a message" if self.per_message == 1 else f"{self.per_message} events a message"
        return f"Pipeline, {events}, {'50 units' if self.units == 50 else '500 different units in each batch'}"


LOADS = (
    _Load(50, 1, 12_000, 3_000, 0.75),
    _Load(10_000, 1, 20_000, 3_000, 0.45),
    _Load(50, 10, 5_000, 800, 0.75),
    _Load(10_000, 10, 10_000, 800, 0.75),
)
"""With 10,000 units one comes again after a second or more: every message of it is answered by itself."""


def measure(say: Say) -> Iterator[Figure]:
    """(a), (b), (c) for each load."""
    for number, load in enumerate(LOADS, start=1):
        rounds = []
        for turn in range(1, ROUNDS + 1):
            say(f"load {number} of {len(LOADS)}, turn {turn} of {ROUNDS}: {load.group}")
            rounds.append({name: _trial(name, load) for name in ("limit", "script", "service")})
        yield from _figures(load, rounds)


def _trial(consumer: str, load: _Load) -> dict[str, Any]:
    messages = load.script_messages if consumer == "script" else load.messages
    return trial.run("consuming", consumer=consumer, units=load.units, per_message=load.per_message, messages=messages)


def _rate(load: _Load, cost: dict[str, Any]) -> float:
    return float(cost["messages"]) * load.per_message / float(cost["wall_s"])


def _figures(load: _Load, rounds: list[dict[str, dict[str, Any]]]) -> Iterator[Figure]:
    rates = [{name: _rate(load, cost) for name, cost in turn.items()} for turn in rounds]
    limit, script, service = (median(turn[name] for turn in rates) for name in ("limit", "script", "service"))
    to_limit = median(turn["service"] / turn["limit"] for turn in rates)
    group = load.group
    yield plain(group, "(a) limit: validated and stored, not judged, not answered", limit, "events/s")
    yield plain(group, "(b) a 60-line script, one commit a message", script, "events/s")
    if load.per_message == 1:
        yield plain(group, "(c) emcheck: judged, durable, answered", service, "events/s")
        yield at_least(group, "(c)/(a)", to_limit, load.floor, "")
        yield at_least(group, "(c)/(b)", median(turn["service"] / turn["script"] for turn in rates), 2.5, "")
    else:
        wanted = max(40_000.0, load.floor * limit)
        yield at_least(group, "(c) emcheck: judged, durable, answered", service, wanted, "events/s")
        yield plain(group, "(c)/(a)", to_limit, "")
        yield plain(group, "(c)/(b)", median(turn["service"] / turn["script"] for turn in rates), "")
    by_cpu = median(turn["limit"]["cpu_s"] / turn["service"]["cpu_s"] for turn in rounds)
    yield plain(group, "(c)/(a) by processor time", by_cpu, "")
    costs = [turn["service"] for turn in rounds]
    events = load.messages * load.per_message
    written = median(cost["written_bytes"] for cost in costs) / events
    yield plain(
        group,
        "acknowledgements a message",
        median(cost["answers"] for cost in costs) / (load.units + load.messages),
        "",
    )
    yield at_most(group, "written to the disk (write_bytes of the process)", written, 4096, "B an event")
