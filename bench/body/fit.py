"""Fits the body check's weights: `python -m bench.body.fit DATA`; what it finds is put into model.py by hand.

1. On half of the wrists, by person (`halves`); the other half is for the figures of `make bench-body` only.
2. A seeded search: a few numbers at a time are changed at random, and kept where the aim is better.
3. The aim: F1 of minutes, a little for short removals found, and a heavy price on false episodes above 0.05 a worn day.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.body.implants import implanted
from bench.body.records import Record, wrists
from bench.body.scoring import Score, score
from emcheck.domain.body import MODEL, Model
from emcheck.domain.body.modes import ACTIVE, COOLING, MOVING, RESTING, STILL

FALSE_A_DAY_MAX = 0.05
SHORT_WORTH, FALSE_PRICE = 0.15, 1.0
SEED_PLAIN, SEED_SHIFTED = 1, 2
START = {
    "gap_weight": 0.35, "slope_weight": 0.35, "level_weight": 0.1, "motion_weight": 0.8, "gap_change_c": 0.5,
    "error": 0.005, "back": 1.0, "removed": 1.0, "moving": 1.0, "still_gap": 0.08, "rest_stray": 0.05,
    "cool_gap": 0.3, "no_flow_c": 36.7,
}  # fmt: skip
_MOST = {"gap_weight": 1.0, "motion_weight": 1.0, "rest_stray": 0.5, "error": 0.05}


def halves(records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """The half to fit on and the half to score on, each with removals put in: as recorded, and with another bias."""
    fit, held = records[::2], records[1::2]
    return _sets(fit), _sets(held)


def _sets(records: Sequence[Record]) -> list[Record]:
    plain = [implanted(record, SEED_PLAIN) for record in records]
    return plain + [implanted(record, SEED_SHIFTED, shifted=True) for record in records]


def _slower(source: int, target: int, values: dict[str, float]) -> float:
    """How much rarer a turn is than in the model."""
    if source in (COOLING, STILL, MOVING) and target == ACTIVE:
        return values["back"]
    if source in (ACTIVE, RESTING) and target in (COOLING, STILL):
        return values["removed"]
    return values["moving"] if (source, target) == (ACTIVE, MOVING) else 1.0


def built(values: dict[str, float]) -> Model:
    """The model with these numbers in it."""
    turns = tuple((a, b, every * _slower(a, b, values)) for a, b, every in MODEL.turns)
    gap = list(MODEL.gap)
    gap[STILL] = gap[STILL]._replace(spread=values["still_gap"])
    gap[RESTING] = gap[RESTING]._replace(stray=values["rest_stray"])
    gap[COOLING] = gap[COOLING]._replace(spread=values["cool_gap"])
    return replace(
        MODEL,
        turns=turns,
        gap=tuple(gap),
        detached_from=1 - values["error"],
        gap_weight=values["gap_weight"],
        slope_weight=values["slope_weight"],
        level_weight=values["level_weight"],
        motion_weight=values["motion_weight"],
        gap_change_c=values["gap_change_c"],
        no_flow_c=values["no_flow_c"],
    )


def aim(got: Score) -> float:
    """Clause 3."""
    short = got.short_found / max(1, got.short)
    return got.f1 + SHORT_WORTH * short - FALSE_PRICE * max(0.0, got.false_a_day - FALSE_A_DAY_MAX)


def search(records: Sequence[Record], *, seed: int, seconds: float) -> Iterator[tuple[float, Score, dict[str, float]]]:
    """Clause 2: each better set of numbers, as it is found."""
    chance, began, best, values = random.Random(seed), time.monotonic(), float("-inf"), dict(START)
    kept = values
    while time.monotonic() - began < seconds:
        got = score(records, model=built(values))
        if aim(got) > best:
            best, kept = aim(got), values
            yield best, got, values
        values = dict(kept)
        for name in chance.sample(sorted(values), 3):
            changed = (
                values[name] + chance.gauss(0, 0.5) if name == "no_flow_c" else values[name] * 2 ** chance.gauss(0, 0.7)
            )
            values[name] = min(changed, _MOST.get(name, changed))


def main() -> None:
    """Print each better set."""
    parser = argparse.ArgumentParser(prog="python -m bench.body.fit", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    fit, _ = halves(wrists(asked.data))
    for best, got, values in search(fit, seed=asked.seed, seconds=asked.minutes * 60):
        print(f"{best:.3f}  F1 {got.f1:.3f}  short {got.short_found} of {got.short}  false {got.false_a_day:.3f} a day")
        print("       " + ", ".join(f"{name} {value:.4g}" for name, value in values.items()), flush=True)


if __name__ == "__main__":
    main()
