"""A slope over a window in time, whatever the samples' distance: a straight line, older samples weighing less."""

from math import exp
from typing import Any


class Trend:
    """Exponentially weighted regression on time; five sums, no samples kept."""

    __slots__ = ("n", "t", "tt", "ty", "window_min", "y")

    def __init__(self, window_min: float) -> None:
        self.window_min = window_min
        self.n = self.t = self.tt = self.y = self.ty = 0.0

    def take_up(self, *values: Any) -> None:
        """Be what `__slots__` held."""
        self.n, self.t, self.tt, self.ty, self.window_min, self.y = values

    def take(self, dt_min: float, value: float) -> None:
        """A value so many minutes after the last; time is counted from the newest, and values from the first kept."""
        keep = exp(-dt_min / self.window_min)
        n, t, y = self.n, self.t, self.y
        self.tt = keep * (self.tt - 2 * dt_min * t + dt_min * dt_min * n)
        self.ty = keep * (self.ty - dt_min * y)
        self.t = keep * (t - dt_min * n)
        self.n = keep * n + 1.0
        self.y = keep * y + value

    def slope(self) -> float | None:
        """Units a minute; None until the samples reach over a fifth of the window."""
        n = self.n
        spread = n * self.tt - self.t * self.t
        if spread < 0.04 * n * n * self.window_min * self.window_min:
            return None
        return (n * self.ty - self.t * self.y) / spread
