"""Sequence tracking: which numbers of one boot have come, were refused, or will never come.

Kept as ranges, so that a night without loss is one range; a repeat is known by them without a key per event.
"""

from bisect import bisect_right
from collections.abc import Iterator


class Ranges:
    """A set of whole numbers as sorted, disjoint, closed ranges; adding the next number takes constant time."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, ranges: list[tuple[int, int]] | None = None) -> None:
        self._starts: list[int] | tuple[()] = [start for start, _ in ranges] if ranges else ()
        self._ends: list[int] | tuple[()] = [end for _, end in ranges] if ranges else ()

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and number <= self._ends[at]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._starts, self._ends, strict=True)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def add(self, start: int, end: int) -> None:
        """Put `start..end` in; what is there already stays."""
        if not self._starts or not self._ends:
            self._starts, self._ends = [start], [end]
            return
        if start == self._ends[-1] + 1:
            self._ends[-1] = end
            return
        low = bisect_right(self._ends, start - 2)
        high = bisect_right(self._starts, end + 1)
        if low < high:
            start, end = min(start, self._starts[low]), max(end, self._ends[high - 1])
        self._starts[low:high] = [start]
        self._ends[low:high] = [end]

    def with_(self, start: int, end: int) -> "Ranges":
        """These and `start..end`; itself, unless nothing was in it."""
        ranges = self if self._starts else Ranges()
        ranges.add(start, end)
        return ranges

    def discard(self, number: int) -> None:
        """Take one number out; no error where it is not there."""
        at = bisect_right(self._starts, number) - 1
        if not self._starts or not self._ends or at < 0 or number > self._ends[at]:
            return
        start, end = self._starts[at], self._ends[at]
        kept = [(s, e) for s, e in ((start, number - 1), (number + 1, end)) if s <= e]
        self._starts[at : at + 1] = [s for s, _ in kept]
        self._ends[at : at + 1] = [e for _, e in kept]

    def covers(self, start: int, end: int) -> bool:
        """Whether every number of `start..end` is in."""
        at = bisect_right(self._starts, start) - 1
        return at >= 0 and end <= self._ends[at]

    def last(self) -> int:
        """The highest number, 0 where there is none."""
        return self._ends[-1] if self._ends else 0


_NONE = Ranges()
"""Shared by all that have none, which is nearly always; never added to."""


class Sequence:
    """The numbers of one boot: `received` are facts, `refused` in quarantine or in conflict, `lost` declared so."""

    __slots__ = ("declared_last", "lost", "periodic", "received", "refused")

    def __init__(self) -> None:
        self.received = Ranges()
        self.refused = _NONE
        self.lost = _NONE
        self.periodic = _NONE
        self.declared_last = 0
        """The last number the unit says it gave out (`prev_last_seq` of the next boot), 0 where unsaid."""

    def refuse(self, start: int, end: int) -> None:
        """`start..end` are in quarantine or in conflict."""
        self.refused = self.refused.with_(start, end)

    def lose(self, start: int, end: int, *, periodic_only: bool) -> None:
        """`start..end` were declared lost."""
        self.lost = self.lost.with_(start, end)
        if periodic_only:
            self.periodic = self.periodic.with_(start, end)

    def acknowledged(self) -> int:
        """Every number up to it is committed, in quarantine or declared lost (protocol.md, Acknowledgement)."""
        first = next(iter(self.received), None)
        if not self.refused and not self.lost:
            return first[1] if first is not None and first[0] == 1 else 0
        return next((start - 1 for start, _ in self._open(unbounded=True)), 0)

    def holes(self) -> list[tuple[int, int]]:
        """Ranges that are missing and may still come."""
        return list(self._open(unbounded=False))

    def missing_for_good(self) -> list[tuple[int, int]]:
        """Ranges declared lost and not received after all."""
        return _without(list(self.lost), [*self.received, *self.refused])

    def bridged(self, start: int, end: int) -> bool:
        """Whether every number of `start..end` was declared lost with `periodic_only` (Presence 3)."""
        return self.periodic.covers(start, end) and all(end < low or high < start for low, high in self.refused)

    def _open(self, *, unbounded: bool) -> Iterator[tuple[int, int]]:
        known = sorted([*self.received, *self.refused, *self.lost])
        highest = max(self.received.last(), self.refused.last(), self.lost.last(), self.declared_last)
        next_number = 1
        for start, end in known:
            if start > next_number:
                yield next_number, start - 1
            next_number = max(next_number, end + 1)
        if next_number <= highest or unbounded:
            yield next_number, max(highest, next_number)


def _without(spans: list[tuple[int, int]], holes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    left = spans
    for low, high in holes:
        left = [
            piece
            for start, end in left
            for piece in ((start, min(end, low - 1)), (max(start, high + 1), end))
            if piece[0] <= piece[1] and (piece == (start, end) or not (low <= piece[0] <= high))
        ]
        left = sorted(set(left))
    return left
