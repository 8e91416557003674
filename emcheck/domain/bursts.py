"""Bursts: troubles of units that have something in common and that began together."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from emcheck.domain.ids import AlertId, Ms, UnitId
from emcheck.domain.instants import DAY, FOREVER, MINUTE
from emcheck.domain.rules import unit_power, unit_silent

KEEP: Mapping[str, Ms] = {unit_silent.RULE: 10 * MINUTE, unit_power.RULE: DAY}
"""Troubles that began longer ago make no new burst: a silence is noticed as it begins, a cut may be told late."""


REMEMBERED: Ms = 8 * DAY
"""So long after its end an incident is known: a silence that it explains counts for nothing in the next 7 days."""


class Group(NamedTuple):
    """What units have in common: `kind` is `all`, `uplink`, `firmware` or `postcode`, `name` which."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"incident {self.kind} {self.name}".rstrip()


EVERYBODY = Group("all")


@dataclass(slots=True)
class Burst:
    """Troubles of a group that began together, from `first` to `last`; an incident once it is raised."""

    rule: str
    group: Group
    first: Ms
    last: Ms
    opened_at: Ms
    raised_at: Ms | None = None
    ended_at: Ms | None = None
    units: int = 0
    lasting: set[UnitId] = field(default_factory=set)
    ends: list[Ms] = field(default_factory=list)
    alert: AlertId | None = None
    """Its name, once it is raised."""
    told_units: int = 0
    """How many they were by what was said before a start."""
    shared: str = ""
    """What nearly all of its units have in common besides, in words."""
    covered: bool = False
    """A wider incident accounts for it."""
    complete: bool = False
    """No more come."""
    done: bool = False
    """It has ended, and whoever has not come back is on its own."""

    def holds(self, start: Ms) -> bool:
        """Whether a trouble that began then belongs to it."""
        return self.first <= start <= self.last

    def begun(self, unit: UnitId, end: Ms | None) -> None:
        """A trouble of a unit belongs to it."""
        self.units += 1
        if end is None:
            self.lasting.add(unit)
        else:
            self.ends.append(end)

    def ended(self, unit: UnitId, end: Ms) -> None:
        """It goes on no more."""
        self.lasting.discard(unit)
        self.ends.append(end)

    def is_over(self, before: Ms) -> bool:
        """Whether it was over by then, so that nothing more is told of it."""
        if self.raised_at is None:
            return self.last <= before
        return self.ended_at is not None and self.ended_at <= before

    def size(self) -> int:
        """How many troubles belong to it; after a start those are told again that are not settled."""
        return max(self.units, self.told_units)

    def is_ending(self, pct: float) -> bool:
        """Whether no more than so many of its troubles go on."""
        return len(self.lasting) <= int(self.units * pct / 100)

    def over_at(self, pct: float) -> Ms | None:
        """Since when; None while more do."""
        if not self.is_ending(pct):
            return None
        return sorted(self.ends)[self.units - int(self.units * pct / 100) - 1] if self.ends else self.ended_at


class Trouble(NamedTuple):
    """A trouble: when it began, when that was known, whose, and when it ended."""

    start: Ms
    known_at: Ms
    unit: UnitId
    end: Ms | None = None


class Bursts:
    """The newest troubles of one kind in one group, and its bursts."""

    def __init__(self, rule: str, group: Group) -> None:
        self.rule, self.group = rule, group
        self.name = f"{rule} {group}"
        self.troubles: list[Trouble] = []
        self.bursts: list[Burst] = []

    def add(self, trouble: Trouble, needed: int, within_ms: Ms) -> None:
        """Note a trouble; `needed` of them within a span are a burst."""
        insort(self.troubles, trouble)
        if (burst := self.burst(trouble.start)) is not None:
            burst.begun(trouble.unit, trouble.end)
            return
        for place in range(bisect_left(self.troubles, (trouble.start,)), len(self.troubles)):
            start = self.troubles[place].start
            if start - trouble.start >= within_ms:
                return
            low = bisect_left(self.troubles, (start - within_ms + 1,))
            if place - low + 1 >= needed:
                self._join(low, place)
                return

    def _join(self, low: int, high: int) -> None:
        """Troubles `low..high` are one burst, with those that they touch."""
        first, last = self.troubles[low].start, self.troubles[high].start
        touched = [burst for burst in self.bursts if burst.first <= last and first <= burst.last]
        burst = next((b for b in touched if b.raised_at is not None), touched[0] if touched else None)
        if burst is None:
            opened_at = max(trouble.known_at for trouble in self.troubles[low : high + 1])
            burst = Burst(self.rule, self.group, first, first - 1, opened_at)
            self.bursts.append(burst)
        for other in touched:
            if other is not burst and other.raised_at is None:
                first, last = min(first, other.first), max(last, other.last)
                self.bursts.remove(other)
        if burst.raised_at is None:  # one that was told begins where it was told to begin
            new = self._between(first, burst.first - 1)
            burst.first = min(burst.first, first)
        else:
            new = []
        new += self._between(burst.last + 1, last)
        burst.last = max(burst.last, last)
        for trouble in new:
            burst.begun(trouble.unit, trouble.end)

    def _between(self, first: Ms, last: Ms) -> list[Trouble]:
        return self.troubles[bisect_left(self.troubles, (first,)) : bisect_right(self.troubles, (last, FOREVER))]

    def end(self, start: Ms, unit: UnitId, end: Ms) -> None:
        """A trouble goes on no more."""
        place = bisect_left(self.troubles, (start,))
        while place < len(self.troubles) and self.troubles[place].start == start:
            if self.troubles[place].unit == unit:
                self.troubles[place] = self.troubles[place]._replace(end=end)
                break
            place += 1
        if (burst := self.burst(start)) is not None and unit in burst.lasting:
            burst.ended(unit, end)

    def take_back(self, start: Ms, unit: UnitId) -> None:
        """There was no such trouble after all."""
        self.troubles = [t for t in self.troubles if (t.start, t.unit) != (start, unit)]
        if (burst := self.burst(start)) is not None:
            burst.units -= 1
            burst.lasting.discard(unit)
            if not burst.size():
                self.bursts.remove(burst)

    def burst(self, start: Ms) -> Burst | None:
        """The burst that a trouble belongs to."""
        return next((burst for burst in self.bursts if burst.holds(start)), None)

    def members(self, burst: Burst) -> list[Trouble]:
        """Its troubles, as far as they are at hand."""
        return self._between(burst.first, burst.last)

    def forget(self, now: Ms) -> None:
        """Let go of what makes no burst any more, and of what is long over."""
        del self.troubles[: bisect_left(self.troubles, (now - KEEP[self.rule],))]
        self.bursts = [burst for burst in self.bursts if not burst.is_over(now - REMEMBERED)]
