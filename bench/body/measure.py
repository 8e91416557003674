"""What the wrists themselves say, for model.py: `python -m bench.body.measure DATA`.

Worn and off are the reference's (reference.py); resting is under two moving minutes in five, in half an hour around.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.body.records import Record, wrists
from bench.body.reference import OFF, WORN, bias_of, labels
from emcheck.domain.body.check import TREND_MIN
from emcheck.domain.body.trends import Trend

_HALF = 15
_SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


class Minute(NamedTuple):
    """A reading with its kind: active, resting or off."""

    kind: str
    gap_c: float
    around_c: float
    slope: float
    skin_c: float
    zero: bool


def minutes(record: Record) -> Iterator[Minute]:
    """The record's readings, gaps above its bias."""
    samples, marks, bias = record.samples, labels(record.samples), bias_of(record.samples)
    trend = Trend(TREND_MIN)
    for i, (sample, mark) in enumerate(zip(samples, marks, strict=True)):
        skin, ambient = sample.skin_c or 0.0, sample.ambient_c or 0.0
        trend.take(1.0, skin)
        around = samples[max(0, i - _HALF) : i + _HALF + 1]
        resting = sum(not s.motion for s in around) > 0.6 * len(around)
        kind = "off" if mark == OFF else ("resting" if resting else "active") if mark == WORN else ""
        if kind and i >= 60:
            yield Minute(kind, skin - ambient - bias, ambient + bias, trend.slope() or 0.0, skin, not sample.motion)


def spread(values: list[float]) -> str:
    """Percentiles."""
    values = sorted(values)
    return "  ".join(f"{values[int(share * (len(values) - 1))]:7.2f}" for share in _SHARES)


def main() -> None:
    """Print the distributions."""
    parser = argparse.ArgumentParser(prog="python -m bench.body.measure", description=__doc__)
    parser.add_argument("data", type=Path)
    records = wrists(parser.parse_args().data)
    by_kind: dict[str, list[Minute]] = defaultdict(list)
    for record in records:
        for minute in minutes(record):
            by_kind[minute.kind].append(minute)
    biases = sorted(bias_of(record.samples) for record in records)
    print(f"bias, degC: {biases[0]:.2f} to {biases[-1]:.2f}, median {biases[len(biases) // 2]:.2f}")
    print(f"{'':32}" + "  ".join(f"{share:6.0%} " for share in _SHARES))
    for kind, found in sorted(by_kind.items()):
        print(f"{kind}: {len(found)} minutes, {sum(m.zero for m in found) / len(found):.0%} without motion")
        print(f"{'  gap above bias, degC':32}{spread([m.gap_c for m in found])}")
        print(f"{'  slope, degC/min':32}{spread([m.slope for m in found])}")
        print(f"{'  skin side, degC':32}{spread([m.skin_c for m in found])}")
    for degree in range(20, 37):
        there = [m.gap_c for m in by_kind["resting"] if degree <= m.around_c < degree + 1]
        if len(there) >= 100:
            print(f"{f'resting, surroundings at {degree} degC':32}{spread(there)}")


if __name__ == "__main__":
    main()
