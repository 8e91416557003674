"""Whether heat comes through: what the temperatures alone say of a limb, so that contact cannot outvote them.

Carbon fibre and metal touch the sensor as skin does, and a prosthesis walks. But no limb is behind them: the skin side
neither warms nor is warmer than the room. `README` and `fit` as in model.py.

1. Heat is proven by a rise: a tag that is put on warms (README: +0.67 +- 0.23 degC/min), one that lies about drifts.
2. Or by gap and slope, weighed as they are for the modes and summed up: a tag that has long been worn rises no more.
3. It begins anew where the strap is closed, where all says off, and for as long as nothing touches the sensor.
"""

from math import sqrt
from typing import Any

from emcheck.domain.body.trends import Trend
from emcheck.domain.ids import Ms
from emcheck.domain.instants import MINUTE

RISE_C = 0.3
"""In the 7 min that the window holds at most, what lies still drifts by 0.2 (fit: 0.03 degC/min)."""
NOISE_RISE_C = 1.6
"""Of so many readings divided by their root: what noise of 0.1 degC (chosen) looks like at four and a half sigma."""
_WINDOW_MIN = 2.0
_LEAST, _PROVEN = -3.0, 9.2
"""Logs of odds. Proven at ten thousand to one (chosen, for the bias is uncertain)."""


class Warmth(Trend):
    """A line through the latest readings of the skin side, and the sum of what they said."""

    __slots__ = ("at", "log")

    def __init__(self) -> None:
        super().__init__(_WINDOW_MIN)
        self.at: Ms | None = None
        self.log = 0.0

    def take_up(self, *values: Any) -> None:
        """Be what `told` told."""
        self.at, self.log, self.n, self.t, self.tt, self.ty, self.y = values
        self.window_min = _WINDOW_MIN

    def told(self) -> tuple[Any, ...]:
        """All of it."""
        return self.at, self.log, self.n, self.t, self.tt, self.ty, self.y

    def begin(self) -> None:
        """Clause 3."""
        self.at = None
        self.n = self.t = self.tt = self.y = self.ty = self.log = 0.0

    def feel(self, at: Ms, skin_c: float) -> None:
        """A reading of the skin side, however soon it comes (1)."""
        if self.proven():
            return
        self.take(0.0 if self.at is None else (at - self.at) / MINUTE, skin_c)
        self.at = at
        n = self.n
        spread = n * self.tt - self.t * self.t
        if spread > 0:
            rise_c = (n * self.ty - self.t * self.y) / n * sqrt(12 / spread)
            if rise_c >= RISE_C and rise_c * sqrt(n) >= NOISE_RISE_C:
                self.log = _PROVEN

    def weigh(self, odds_log: float) -> None:
        """How much likelier a step's temperatures are of a limb (2)."""
        if not self.proven():
            self.log = max(_LEAST, self.log + odds_log)

    def proven(self) -> bool:
        """Whether a limb is behind it, by temperature alone."""
        return self.log >= _PROVEN
