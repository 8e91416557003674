"""One tag, one body: what the units that hear a tag tell of it, taken together (rules body.*).

1. Each unit's readings are weighed by themselves (`worn`): units lose, keep and send theirs at times of their own, and
   a merged stream would have to be weighed anew for each that comes late.
2. A unit that says *on a limb* outweighs one that says anything else: what the other says ends there, or never counts.
3. A word about the strap tells the removal already (tag.strap, latched): from then on nothing more is said of the body.
4. Stretches of several units that touch each other are one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from emcheck.domain.findings import FactRef
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.instants import FOREVER
from emcheck.domain.register import Fitting
from emcheck.domain.rules import tag_strap
from emcheck.domain.track import Track
from emcheck.domain.worn import OFF, ON, UNUSABLE, Stretch, worn

Tracks = Mapping[UnitId, Track]


class Piece(NamedTuple):
    """A stretch as far as it counts; `until` is the last reading that bears it out, `end` None while it goes on."""

    start: Ms
    until: Ms
    end: Ms | None
    fact: FactRef
    words: str
    untouched_ms: Ms = 0
    """Of *unsure*: the longest time in it without a touch, where that is unusual (`touching`)."""


def pieces(kind: str, fitting: Fitting, tracks: Tracks, now: Ms) -> Iterator[Piece]:
    """Each unit's stretches of a kind that began in a fitting by now (1 to 3)."""
    told = list(_told(fitting, tracks))
    end = fitting.removed_at or FOREVER
    if kind != UNUSABLE:
        straps = (at for at, _, _ in tag_strap.words("strap", fitting, tracks) if at <= now)
        end = min(end, *straps, FOREVER)
    for unit, stretch in told:
        if stretch.kind != kind or stretch.start > now:
            continue
        stop = min(end, FOREVER if stretch.end is None else stretch.end)
        if kind != UNUSABLE:
            stop = min(stop, *(_outweighed(stretch, on) for other, on in told if other != unit), FOREVER)
        if stop > stretch.start:
            fact = FactRef(unit, stretch.boot, stretch.seq)
            ended = stop if stop <= now else None
            untouched_ms = min(stretch.untouched_ms, stop - stretch.start)
            yield Piece(stretch.start, min(stretch.until, stop), ended, fact, stretch.words, untouched_ms)


def _told(fitting: Fitting, tracks: Tracks) -> Iterator[tuple[UnitId, Stretch]]:
    for unit, track in tracks.items():
        known = worn(track, fitting.tag)
        for stretch in known.told if known is not None else ():
            if fitting.fitted_at <= stretch.start < (fitting.removed_at or FOREVER):
                yield unit, stretch


def _outweighed(stretch: Stretch, on: Stretch) -> Ms:
    """Where another unit's word ends a stretch (2)."""
    return max(stretch.start, on.start) if on.kind == ON and on.until >= stretch.start else FOREVER


def together(found: Iterable[Piece]) -> list[Piece]:
    """Those of several units that touch each other as one (4)."""
    joined: list[Piece] = []
    for piece in sorted(found):
        last = joined[-1] if joined else None
        if last is None or (last.end is not None and last.end < piece.start):
            joined.append(piece)
            continue
        end = None if last.end is None or piece.end is None else max(last.end, piece.end)
        joined[-1] = last._replace(until=max(last.until, piece.until), end=end)
    return joined


def in_dispute(tracks: Tracks) -> bool:
    """Whether several units tell of bodies and one says that a tag is off: each further word may then count (2)."""
    telling = [track for track in tracks.values() if track.worn]
    if len(telling) < 2:
        return False
    return any(s.kind != ON and s.end is None for track in telling for known in track.worn for s in known.told)


def steps(tracks: Iterable[Track], now: Ms) -> list[Ms]:
    """When readings count that are dated a little ahead of `now`."""
    edges = (at for track in tracks for known in track.worn for s in known.told for at in (s.start, s.until, s.end))
    return [at for at in edges if at is not None and at > now]


__all__ = ["OFF", "Piece", "Tracks", "in_dispute", "pieces", "steps", "together"]
