"""Sequence tracking: which numbers of one boot have come, were refused, or will never come.

Kept as ranges, so that a night without loss is one range; a repeat is known by them without a key per event.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator


class Ranges:
    """A set of whole numbers as sorted, disjoint ranges; adding the next number takes constant time.

    Kept as edges: by turns the first number of a range and the one behind its last. So a number is in where an odd
    count of edges lies at or before it.
    """

    __slots__ = ("_edges",)

    def __init__(self, ranges: list[tuple[int, int]] | None = None) -> None:
        self._edges: list[int] | tuple[()] = [e for start, end in ranges for e in (start, end + 1)] if ranges else ()

    def __contains__(self, number: int) -> bool:
        return bisect_right(self._edges, number) % 2 == 1

    def __iter__(self) -> Iterator[tuple[int, int]]:
        edges = self._edges
        for at in range(0, len(edges), 2):
            yield edges[at], edges[at + 1] - 1

    def __bool__(self) -> bool:
        return bool(self._edges)

    def add(self, start: int, end: int) -> None:
        """Put `start..end` in; what is there already stays."""
        edges = self._edges
        if not edges:
            self._edges = [start, end + 1]
        elif start == edges[-1]:
            edges[-1] = end + 1
        else:
            low, high = bisect_left(edges, start), bisect_right(edges, end + 1)
            edges[low:high] = [start] * (low % 2 == 0) + [end + 1] * (high % 2 == 0)

    def with_(self, start: int, end: int) -> "Ranges":
        """These and `start..end`; itself, unless nothing was in it."""
        ranges = self if self._edges else Ranges()
        ranges.add(start, end)
        return ranges

    def discard(self, number: int) -> None:
        """Take one number out; no error where it is not there."""
        edges = self._edges
        at = bisect_right(edges, number)
        if edges and at % 2 == 1:
            start, behind = edges[at - 1], edges[at]
            edges[at - 1 : at + 1] = [start, number] * (start < number) + [number + 1, behind] * (number + 1 < behind)

    def covers(self, start: int, end: int) -> bool:
        """Whether every number of `start..end` is in."""
        at = bisect_right(self._edges, start)
        return at % 2 == 1 and end < self._edges[at]

    def last(self) -> int:
        """The highest number, 0 where there is none."""
        return self._edges[-1] - 1 if self._edges else 0


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
