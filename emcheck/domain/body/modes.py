"""The forward recursion: how likely each mode is now, from what was likely before and the evidence of a step.

A limb at rest and one at work differ more from each other than a limb at rest differs from a table, so that each
hypothesis is made of modes; a tag just taken off is a mode of its own, which lasts while it cools.
"""

from functools import lru_cache
from math import exp, log, pi, sqrt
from typing import Final, TypeVar

from emcheck.domain.body.model import Bell, Model

ACTIVE, RESTING, COOLING, STILL, MOVING = range(5)
START: Final = (0.35, 0.15, 0.01, 0.29, 0.20)
"""Before any evidence a tag is as likely worn as not."""
_FLOOR: Final = 1e-9
"""Nothing is ever impossible: a new turn of evidence must be able to win."""
_DAY_MIN: Final = 1440.0
_SQRT_2PI: Final = sqrt(2 * pi)

Curve = tuple[float, float, float, float]
"""Mean, spread squared, share that is no stray, and the strays' density."""
_T = TypeVar("_T")
Rows = tuple[tuple[float, ...], ...]
MotionLogs = tuple[list[float], list[float], list[float]]


def curves(bells: tuple[Bell, ...], span: float) -> tuple[Curve, ...]:
    """Strays lie anywhere in `span`."""
    return tuple((b.mean, b.spread * b.spread, 1 - b.stray, b.stray / span) for b in bells)


def density(curve: Curve, value: float, variance: float = 0.0) -> float:
    """Of a value; `variance` is that of the value's zero."""
    mean, square, share, stray = curve
    square += variance
    return share * exp(-0.5 * (value - mean) ** 2 / square) / (_SQRT_2PI * sqrt(square)) + stray


class Weights:
    """A model, made ready: its curves, and what a step of some length means, kept for lengths that come again."""

    __slots__ = ("_gaps", "_motions", "_rows", "level", "model", "slope")

    def __init__(self, model: Model) -> None:
        self.model = model
        self._gaps: dict[int, tuple[Curve, ...]] = {}
        self.slope = curves(model.slope, 2.0)
        self.level = curves(model.level, 50.0)
        self._rows: dict[int, Rows] = {}
        self._motions: dict[int, MotionLogs] = {}

    def gaps(self, around_c: float) -> tuple[Curve, ...]:
        """The gap's curves where the surroundings are so warm: what flows from a limb grows with how cool they are."""
        tenth = round(around_c * 10)
        found = self._gaps.get(tenth)
        if found is None:
            flow = max(0.0, self.model.gap_per_c * (self.model.no_flow_c - tenth / 10))
            bells = tuple(
                bell._replace(mean=min(bell.mean, flow), spread=bell.spread * min(1.0, 0.3 + 0.7 * flow / bell.mean))
                if mode in (ACTIVE, RESTING)
                else bell
                for mode, bell in enumerate(self.model.gap)
            )
            found = _kept(self._gaps)[tenth] = curves(bells, 4.0)
        return found

    def rows(self, dt_min: float) -> Rows:
        """Where each mode goes in a step: row `i` is what comes into mode `i`, from each. Rounded to a second."""
        length_s = round(min(dt_min, _DAY_MIN) * 60)
        found = self._rows.get(length_s)
        if found is None:
            found = _kept(self._rows)[length_s] = _transitions(self.model, length_s / 60)
        return found

    def motion(self, dt_min: float) -> MotionLogs:
        """The log-likelihoods of a step without, with faint and with strong motion; it comes as a Poisson stream."""
        length_s = round(dt_min * 60)
        found = self._motions.get(length_s)
        if found is None:
            found = _kept(self._motions)[length_s] = _motion(self.model, length_s / 60)
        return found


def _kept(kept: dict[int, _T]) -> dict[int, _T]:
    if len(kept) >= 512:
        kept.clear()
    return kept


@lru_cache(maxsize=8)
def weights(model: Model) -> Weights:
    """One for all wearers."""
    return Weights(model)


def _transitions(model: Model, dt_min: float) -> Rows:
    """The exponential of the rates, by squaring a step of at most 5 s."""
    squarings = 0
    while dt_min > 1 / 12:
        dt_min, squarings = dt_min / 2, squarings + 1
    rows = [[float(i == j) for j in range(5)] for i in range(5)]
    for source, target, every_min in model.turns:
        rows[target][source] += dt_min / every_min
        rows[source][source] -= dt_min / every_min
    for _ in range(squarings):
        rows = [[sum(a * rows[k][j] for k, a in enumerate(row)) for j in range(5)] for row in rows]
    return tuple(tuple(row) for row in rows)


def _motion(model: Model, dt_min: float) -> MotionLogs:
    none, faint, strong = [], [], []
    for minute in model.motion:
        zero = max(1 - minute.strong - minute.faint, 1e-6) ** max(dt_min, 1 / 60)
        share = minute.strong / (minute.strong + minute.faint)
        none.append(log(zero))
        faint.append(log((1 - zero) * (1 - share)))
        strong.append(log((1 - zero) * share))
    return none, faint, strong


def forward(p: list[float], rows: Rows, told: list[float]) -> list[float]:
    """The modes' probabilities after a step, from the logs of its evidence."""
    a, b, c, d, e = p
    top = max(told)
    new = [
        (a * ra + b * rb + c * rc + d * rd + e * re) * exp(each - top) + _FLOOR
        for (ra, rb, rc, rd, re), each in zip(rows, told, strict=True)
    ]
    total = sum(new)
    return [each / total for each in new]
