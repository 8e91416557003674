"""What the skin-side sensor of one tag reads above the outward one when both are equally warm.

It is given (measured at fitting), or estimated from what is known of such sensors, from the wearer's usual gap, and
from typing import Any

from the tag's own readings while it certainly lies off. `README` and `fit` as in model.py.
"""

from typing import Any

from emcheck.domain.body.model import Model

GIVEN_SPREAD_C = 0.05
"""Over a day the gap of a tag lying off stays within so much (fit: 0.02 to 0.06)."""
_WORN_DAY_MIN = 1440.0
_WORN_FULL_MIN = 360.0
_SEEN_SPREAD_C = 0.06
_SEEN_MIN = 20.0


class Bias:
    """An estimate of the bias with its variance, from three sources."""

    __slots__ = ("given_c", "seen_c", "seen_weight", "worn_c", "worn_min")

    def __init__(self, given_c: float | None = None) -> None:
        self.given_c = given_c
        self.worn_c = self.worn_min = 0.0
        self.seen_c = self.seen_weight = 0.0

    def take_up(self, *values: Any) -> None:
        """Be what `__slots__` held."""
        self.given_c, self.seen_c, self.seen_weight, self.worn_c, self.worn_min = values

    def estimate(self, model: Model) -> tuple[float, float]:
        """The bias in degC, and its variance."""
        if self.given_c is not None:
            return self.given_c, GIVEN_SPREAD_C**2
        mean, spread = model.bias_c
        precision = 1 / (spread * spread)
        total = precision * mean
        if self.worn_min > 0:
            gap, spread = model.worn_gap_c
            sure = min(1.0, self.worn_min / _WORN_FULL_MIN) / (spread * spread)
            precision, total = precision + sure, total + sure * (self.worn_c - gap)
        if self.seen_weight > 0:
            sure = self.seen_weight / _SEEN_SPREAD_C**2
            precision, total = precision + sure, total + sure * self.seen_c
        return total / precision, 1 / precision

    def worn(self, gap_c: float, dt_min: float) -> None:
        """A reading while worn."""
        self.worn_min = min(self.worn_min + dt_min, _WORN_DAY_MIN)
        self.worn_c += (gap_c - self.worn_c) * min(1.0, dt_min / self.worn_min)

    def off(self, gap_c: float, dt_min: float) -> None:
        """A reading while it lies off and has cooled."""
        self.seen_weight = min(self.seen_weight + dt_min / _SEEN_MIN, 2.0)
        self.seen_c += (gap_c - self.seen_c) * min(1.0, dt_min / _SEEN_MIN / self.seen_weight)
