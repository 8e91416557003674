"""What the skin-side sensor of one tag reads above the outward one: its bias off the body, and its wearer's usual gap.

The bias is given (measured at fitting), or estimated from what is known of such sensors and from the tag's own readings
while it certainly lies off. Readings while it is certainly worn tell the sum of bias and usual gap, and so a little of
each: a cool leg shows less than a wrist does. `README` and `fit` as in model.py.
"""

from typing import Any, NamedTuple

from emcheck.domain.body.model import Model

GIVEN_SPREAD_C = 0.05
"""Over a day the gap of a tag lying off stays within so much (fit: 0.02 to 0.06)."""
_WORN_DAY_MIN = 1440.0
_WORN_FULL_MIN = 360.0
WORN_SPREAD_C = 0.1
"""Of a wearer's usual gap from one quarter of a day to the next (chosen)."""
_SEEN_SPREAD_C = 0.06
_SEEN_MIN = 20.0


class Sides(NamedTuple):
    """What a tag's gap is: off the body its bias, worn the bias and the wearer's usual gap; with variances."""

    bias_c: float
    of_bias: float
    usual_c: float
    of_worn: float


class Bias:
    """What is known so far of one tag on one wearer."""

    __slots__ = ("given_c", "seen_c", "seen_weight", "worn_c", "worn_min")

    def __init__(self, given_c: float | None = None) -> None:
        self.given_c = given_c
        self.worn_c = self.worn_min = 0.0
        self.seen_c = self.seen_weight = 0.0

    def take_up(self, *values: Any) -> None:
        """Be what `__slots__` held."""
        self.given_c, self.seen_c, self.seen_weight, self.worn_c, self.worn_min = values

    def estimate(self, model: Model) -> "Sides":
        """The bias and the wearer's usual gap above it, from all that is known of both."""
        if self.given_c is not None:
            bias, of_bias = self.given_c, GIVEN_SPREAD_C**2
        else:
            bias, of_bias = model.bias_c[0], model.bias_c[1] ** 2
            if self.seen_weight > 0:
                of_seen = _SEEN_SPREAD_C**2 / self.seen_weight
                share = of_bias / (of_bias + of_seen)
                bias, of_bias = bias + share * (self.seen_c - bias), of_bias * (1 - share)
        usual, spread = model.worn_gap_c
        of_usual = spread * spread
        if self.worn_min <= 0:
            return Sides(bias, of_bias, usual, of_bias + of_usual)
        of_worn = WORN_SPREAD_C**2 * _WORN_FULL_MIN / min(self.worn_min, _WORN_FULL_MIN)
        total = of_bias + of_usual + of_worn
        more = self.worn_c - bias - usual
        return Sides(
            bias + of_bias / total * more,
            of_bias * (1 - of_bias / total),
            usual + of_usual / total * more,
            (of_bias + of_usual) * of_worn / total,
        )

    def worn(self, gap_c: float, dt_min: float) -> None:
        """A reading while worn."""
        self.worn_min = min(self.worn_min + dt_min, _WORN_DAY_MIN)
        self.worn_c += (gap_c - self.worn_c) * min(1.0, dt_min / self.worn_min)

    def off(self, gap_c: float, dt_min: float) -> None:
        """A reading while it lies off and has cooled."""
        self.seen_weight = min(self.seen_weight + dt_min / _SEEN_MIN, 2.0)
        self.seen_c += (gap_c - self.seen_c) * min(1.0, dt_min / _SEEN_MIN / self.seen_weight)
