"""Whether heat comes through: what the temperatures alone say of a limb, so that contact cannot outvote them.

Carbon fibre and metal touch the sensor as skin does, and a prosthesis walks. But no limb is behind them: the skin side
neither warms nor is warmer than the room.

1. Heat is proven by a rise: a tag that is put on warms (README of model.py: +0.67 +- 0.23 degC/min), one that lies
   about drifts.
2. Or by gap and slope, weighed as they are for the modes and summed up: a tag that has long been worn rises no more.
3. It begins anew where the strap is closed, where all says off, and for as long as nothing touches the sensor.
"""

from math import sqrt

from emcheck.domain.body.trends import Trend

RISE_C = 0.3
"""In the 7 min that the window holds at most, what lies still drifts by 0.2 (fit: 0.03 degC/min)."""
NOISE_RISE_C = 1.6
"""Of one reading: what noise of 0.1 degC (chosen, as of a plain sensor) looks like at four and a half sigma."""
_WINDOW_MIN = 2.0
_LEAST, _PROVEN = -3.0, 9.2
"""Logs of odds. Proven at ten thousand to one (chosen, for the bias is uncertain)."""


class Warmth(Trend):
    """A line through the latest readings, and the sum of what they said."""

    __slots__ = ("log",)

    def __init__(self) -> None:
        super().__init__(_WINDOW_MIN)
        self.log = 0.0

    def begin(self) -> None:
        """Clause 3."""
        self.n = self.t = self.tt = self.y = self.ty = self.log = 0.0

    def feel(self, dt_min: float, skin_c: float) -> None:
        """A reading of the skin side, however soon it comes (1)."""
        self.take(dt_min, skin_c)
        n = self.n
        spread = n * self.tt - self.t * self.t
        if spread > 0:
            rise_c = (n * self.ty - self.t * self.y) / n * sqrt(12 / spread)
            if rise_c >= RISE_C and rise_c * rise_c * n >= NOISE_RISE_C * NOISE_RISE_C:
                self.log = _PROVEN

    def weigh(self, felt: float) -> None:
        """The log of the odds that a step's temperatures are a limb's (2)."""
        if not self.proven():
            self.log = max(_LEAST, self.log + felt)

    def proven(self) -> bool:
        """Whether a limb is behind it, by temperature alone."""
        return self.log >= _PROVEN
