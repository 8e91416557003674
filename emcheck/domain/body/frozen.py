"""A channel that freezes: the same reading to the last digit while the tag's others go on. It is no evidence.

1. A temperature is frozen when it has not changed at all for 2 h, in 20 readings or more, though the other one has
   changed by 1 degC or the tag has moved in 20 readings: neither skin nor air stands so still beside that.
2. Motion is frozen when it has been the same, and not zero, in 30 readings.
3. Proximity is not judged so: a good sensor rests at its ends.
"""

from typing import Any

from emcheck.domain.ids import Ms

FROZEN_MS: Ms = 7_200_000
READINGS_MIN, MOVES_MIN, SAME_MOVES = 20, 20, 30
OTHER_C = 1.0


class Still:
    """How long one channel has said the same."""

    __slots__ = ("beside", "count", "moves", "since", "value")

    def __init__(self) -> None:
        self.value: float | None = None
        self.beside: float | None = None
        self.since: Ms = 0
        self.count = self.moves = 0

    def take_up(self, *values: Any) -> None:
        """Be what `__slots__` held."""
        self.beside, self.count, self.moves, self.since, self.value = values

    def temperature(self, at: Ms, value: float, beside: float | None, *, moved: bool) -> bool:
        """Whether it is frozen (1)."""
        if value != self.value:
            self.value, self.since, self.beside, self.count, self.moves = value, at, beside, 1, 0
            return False
        self.count += 1
        self.moves += moved
        if self.count < READINGS_MIN or at - self.since < FROZEN_MS:
            return False
        apart = beside is not None and self.beside is not None and abs(beside - self.beside) >= OTHER_C
        return apart or self.moves >= MOVES_MIN

    def motion(self, value: float) -> bool:
        """Whether it is frozen (2)."""
        if value != self.value:
            self.value, self.count = value, 0
        self.count += 1
        return value > 0 and self.count >= SAME_MOVES
