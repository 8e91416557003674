"""One tag, one body: what the units that hear a tag tell of it, taken together (rules body.*).

1. Each unit's readings are weighed by themselves (`worn`): units lose, keep and send theirs at times of their own, and
   a merged stream would have to be weighed anew for each that comes late.
2. A unit that says *on a limb* outweighs one that says anything else, from its first such word in the other's stretch
   until it says otherwise, or has not said so for `HOLDS_MS`. From then on the other's word counts anew: the tag may
   have left the limb where the first does not hear it.
3. A word about the strap tells the removal already (tag.strap, latched): from then on nothing more is said of the body.
4. Stretches of several units that touch each other are one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from emcheck.domain.findings import FactRef
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.instants import FOREVER, MINUTE
from emcheck.domain.register import Fitting
from emcheck.domain.rules import tag_strap
from emcheck.domain.track import Track
from emcheck.domain.worn import OFF, ON, UNUSABLE, Stretch, worn

Tracks = Mapping[UnitId, Track]
HOLDS_MS: Ms = 15 * MINUTE
"""Three reports at the slowest (formats.md)."""


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
        fact = FactRef(unit, stretch.boot, stretch.seq)
        on = [s for other, s in told if other != unit and s.kind == ON and kind != UNUSABLE]
        for start, stop in _uncontradicted(stretch, on):
            ended = min(stop, end)
            until = min(stretch.until, ended)
            if start < ended and start <= min(until, now):
                untouched_ms = min(stretch.untouched_ms, until - start)
                yield Piece(start, until, ended if ended <= now else None, fact, stretch.words, untouched_ms)


def _told(fitting: Fitting, tracks: Tracks) -> Iterator[tuple[UnitId, Stretch]]:
    for unit, track in tracks.items():
        known = worn(track, fitting.tag)
        for stretch in known.told if known is not None else ():
            if fitting.fitted_at <= stretch.start < (fitting.removed_at or FOREVER):
                yield unit, stretch


def _uncontradicted(stretch: Stretch, on: Iterable[Stretch]) -> Iterator[tuple[Ms, Ms]]:
    """The times in a stretch in which no other unit outweighs it (2); the last may have no end."""
    start, end = stretch.start, FOREVER if stretch.end is None else stretch.end
    for each in sorted(on, key=lambda s: s.start):
        if start <= each.until and each.start < end:
            if start < each.start:
                yield start, each.start
            start = each.end if each.end is not None and each.end > each.until else each.until + HOLDS_MS
    if start < end:
        yield start, end


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
