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
_WINDOW_MIN = 2.0
_LEAST, _PROVEN = -3.0, 6.9
"""Logs of odds. Proven at a thousand to one (chosen: none of a thousand conductors); what is proven lasts a while."""


class Warmth(Trend):
    """A line through the latest readings, and the sum of what they said."""

    __slots__ = ("log",)

    def __init__(self) -> None:
        super().__init__(_WINDOW_MIN)
        self.log = 0.0

    def begin(self) -> None:
        """Clause 3."""
        self.n = self.t = self.tt = self.y = self.ty = self.log = 0.0

    def weigh(self, dt_min: float, skin_c: float, felt: float) -> None:
        """A reading: the skin side, and the log of the odds that it is a limb's (1, 2)."""
        if self.proven():
            return
        self.take(dt_min, skin_c)
        self.log = min(_PROVEN, max(_LEAST, self.log + felt))
        n = self.n
        spread = n * self.tt - self.t * self.t
        if spread > 0 and (n * self.ty - self.t * self.y) / n * sqrt(12 / spread) >= RISE_C:
            self.log = _PROVEN

    def proven(self) -> bool:
        """Whether a limb is behind it, by temperature alone."""
        return self.log >= _PROVEN
