"""From facts to a timeline (domain.md, Presence). The numbers in the checks are that section's.

1. State: what sets a source present or absent, and from when.
2. Vouching: every event vouches for the states in force until the unit's next, at most `vouch_s`.
3. Holes: between neighbours with a number missing, and between boots, time is unknown.
4. Several sources: present if any says so; absent if there is one and all say so; else unknown.
5. Short gaps: an absence shorter than the leave time between present time is present.
6. Order of arrival changes nothing: the fold reads the track, not the arrival.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from emcheck.domain.boots import Boot, Entry
from emcheck.domain.findings import FactRef, Span
from emcheck.domain.ids import AddressId, Ms, TagId, UnitId
from emcheck.domain.instants import FOREVER
from emcheck.domain.register import Fitting, Installation
from emcheck.domain.terms import Terms
from emcheck.domain.track import Track


class Stretch(NamedTuple):
    """Known time of a timeline; what no stretch covers is unknown. `fact` began it."""

    start: Ms
    end: Ms
    present: bool
    fact: FactRef


class Source(NamedTuple):
    """One fitted tag at one unit that is installed at an address, and the time in which it counts."""

    unit: UnitId
    tag: TagId
    fitted: Span
    counts: Span
    address_id: AddressId


def sources_of(fittings: Iterable[Fitting], installations: Iterable[Installation]) -> Iterator[Source]:
    """Every fitted tag at every installed unit where the two overlap in time (4)."""
    for installation in installations:
        for fitting in fittings:
            fitted = Span(fitting.fitted_at, fitting.removed_at or FOREVER)
            start = max(fitted.start, installation.installed_at)
            end = min(fitted.end, installation.removed_at or FOREVER)
            if start < end:
                counts = fitted if fitted == (start, end) else Span(start, end)
                yield Source(installation.unit, fitting.tag, fitted, counts, installation.address_id)


def source_timeline(track: Track, source: Source) -> list[Stretch]:
    """Known time of one source, clipped to where it counts (1, 2, 3)."""
    fold = SourceFold(source)
    boots = track.in_order()
    for boot in boots:
        fold.boot(track, boot, boot.entries, last=boot is boots[-1])
    return _clip(_paint(fold.known, fold.departures), source.counts)


class SourceFold:
    """Reads a track's entries in order for one source: known time, departures, the state at the end."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.known: list[Stretch] = []
        self.departures: list[Stretch] = []
        self.state: bool | None = None

    def boot(self, track: Track, boot: Boot, entries: Sequence[Entry], *, last: bool) -> None:
        """Read the entries of one boot; `last` says that no boot came after it."""
        self.state = None
        top: Ms | None = None
        broken = False
        """A hole, and no event since that vouches: nothing is known from `top` on (2, 3)."""
        previous: Entry | None = None
        for entry in entries:
            correction = boot.correction(entry.first)
            start, end = entry.start - correction, entry.end - correction
            if start > boot.limit:  # dated after a newer boot's start it counts as a hole, whatever is declared lost
                self.state, broken = None, True
                continue
            if previous is not None and _hole(boot, previous, entry):
                self.state, broken = None, True
            if top is None or start >= top:
                if top is not None and not broken:
                    self._know(top, min(top + track.vouch_ms(boot, top), start))
                top, broken = start, False
            self._set(boot, entry, start, top, correction)
            if end > top and not broken:
                self._know(top, end)
                top = end
            previous = entry
        if last and top is not None and not broken:
            self._know(top, top + track.vouch_ms(boot, top))

    def _set(self, boot: Boot, entry: Entry, at: Ms, top: Ms, correction: Ms) -> None:
        """What the entry's first event says of this source, from its time or, dated back, from `top` (1, 2)."""
        for tag, present, heard_at, origin in entry.settings:
            seq, said_at = origin or (entry.first, at)
            if tag != self.source.tag or not self.source.fitted.start <= said_at < self.source.fitted.end:
                continue
            fact = FactRef(self.source.unit, boot.boot, seq)
            if heard_at is not None and at >= top and heard_at - correction < at:
                self.departures.append(Stretch(heard_at - correction, at, present=False, fact=fact))
            self.state, self.fact, self.said_at = present, fact, said_at

    def _know(self, start: Ms, end: Ms) -> None:
        if self.state is None or end <= start:
            return
        if self.known and self.known[-1].end == start and self.known[-1].present is self.state:
            self.known[-1] = self.known[-1]._replace(end=end)
        else:
            self.known.append(Stretch(start, end, self.state, self.fact))


def _hole(boot: Boot, previous: Entry, entry: Entry) -> bool:
    """Whether numbers between two entries are missing, and not all declared lost as periodic only (3)."""
    first, last = previous.last + 1, entry.first - 1
    return first <= last and not boot.sequence.bridged(first, last)


def _paint(known: list[Stretch], departures: list[Stretch]) -> list[Stretch]:
    """A departure makes the known time from the last frame heard to its telling absent (1)."""
    if not departures:
        return known
    away = _union(departures)
    ends = [departure.end for departure in away]
    painted: list[Stretch] = []
    for stretch in known:
        if not stretch.present:
            painted.append(stretch)
            continue
        at = stretch.start
        for index in range(bisect_right(ends, at), len(away)):
            departure = away[index]
            if departure.start >= stretch.end:
                break
            low, high = max(at, departure.start), min(stretch.end, departure.end)
            if at < low:
                painted.append(stretch._replace(start=at, end=low))
            painted.append(Stretch(low, high, present=False, fact=departure.fact))
            at = high
        if at < stretch.end:
            painted.append(stretch._replace(start=at))
    return _join(painted)


def _union(departures: list[Stretch]) -> list[Stretch]:
    merged: list[Stretch] = []
    for departure in sorted(departures):
        if merged and departure.start <= merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, departure.end))
        else:
            merged.append(departure)
    return merged


def _join(stretches: Iterable[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for stretch in stretches:
        last = joined[-1] if joined else None
        if last is not None and last.end == stretch.start and last.present is stretch.present:
            joined[-1] = last._replace(end=stretch.end)
        else:
            joined.append(stretch)
    return joined


def _clip(stretches: Iterable[Stretch], span: Span) -> list[Stretch]:
    clipped = (s._replace(start=max(s.start, span.start), end=min(s.end, span.end)) for s in stretches)
    return [s for s in clipped if s.end > s.start]


def merge(sources: Sequence[tuple[Source, list[Stretch]]]) -> list[Stretch]:
    """The timeline of one wearer at one address from that of each source (4)."""
    if len(sources) == 1:
        return sources[0][1]
    edges = sorted({e for source, known in sources for e in (*source.counts, *(x for s in known for x in s[:2]))})
    places = [0] * len(sources)
    merged: list[Stretch] = []
    for start, end in zip(edges, edges[1:], strict=False):
        said: list[Stretch | None] = []
        for index, (source, known) in enumerate(sources):
            if not source.counts.start <= start < source.counts.end:
                continue
            while places[index] < len(known) and known[places[index]].end <= start:
                places[index] += 1
            here = known[places[index]] if places[index] < len(known) else None
            said.append(here if here is not None and here.start <= start else None)
        present = next((s for s in said if s is not None and s.present), None)
        witness = present or (said[0] if said and all(said) else None)
        if witness is not None:
            merged.append(Stretch(start, end, present is not None, witness.fact))
    return _join(merged)


def close_short_gaps(timeline: list[Stretch], terms: Terms) -> list[Stretch]:
    """An absence shorter than the leave time of its beginning, present time adjoining both sides, is present (5)."""
    closed = list(timeline)
    for index in range(1, len(timeline) - 1):
        before, gap, after = timeline[index - 1 : index + 2]
        adjoining = before.present and after.present and before.end == gap.start and gap.end == after.start
        if adjoining and not gap.present and gap.end - gap.start < terms.at(gap.start).leave_ms:
            closed[index] = gap._replace(present=True)
    return _join(closed)
