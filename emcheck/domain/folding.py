"""Folding old nights: what a unit told long ago is replaced by the state it left behind.

What stays says of every instant from `before` on exactly what all facts together say, the facts cited
included. What was folded is in the inbox; whoever needs it again reads it from there (engine, `recall`).

1. Entries of a boot that end before `before` become one, which holds each tag's state at its end.
2. A boot that ended before it, with every number accounted for and its successor begun, goes; its name stays.
3. Of strap and case events the first of each kind and fitting stays: they are latched.
"""

from collections.abc import Callable, Iterable, Sequence

from emcheck.domain.boots import Boot, Entry, Origin, Setting, Tamper
from emcheck.domain.findings import Span
from emcheck.domain.ids import Ms, TagId, UnitId
from emcheck.domain.instants import FOREVER
from emcheck.domain.timeline import Source, SourceFold
from emcheck.domain.track import Track

FittedSpans = Callable[[TagId], Iterable[Span]]
"""The fittings of a tag, as spans of time."""


def fold(track: Track, before: Ms, fitted: FittedSpans) -> None:
    """Fold what ended before `before`."""
    boots = track.in_order()
    starts = [boot.first_at() or 0 for boot in boots]
    for index, boot in enumerate(boots):
        _fold_boot(track, boot, before, min(starts[index + 1 :], default=FOREVER), fitted)
    _drop_finished(track, boots, before)


def _fold_boot(track: Track, boot: Boot, before: Ms, newer: Ms, fitted: FittedSpans) -> None:
    """Rule 1. The entry in which `before` lies is kept, and at least the last; the cut is behind one that vouches."""
    top, count, reached = -FOREVER, 0, -FOREVER
    for place, entry in enumerate(boot.entries[:-1], start=1):
        correction = boot.correction(entry.first)
        vouches = entry.start - correction >= reached
        reached = max(reached, entry.start - correction, entry.end - correction)
        if reached >= before:
            break
        if vouches:
            top, count = reached, place
    if count < 2:
        return
    old, boot.began_at = boot.entries[:count], boot.first_at()
    left = Entry(old[-1].last, top + boot.correction(old[-1].last), _states(track, boot, old, top, newer, fitted))
    boot.entries[:count] = [left]
    latched = [(tamper, tamper.at - boot.correction(tamper.seq)) for tamper in _latched(track, boot, before)]
    in_force = max((place for place, (seq, _) in enumerate(boot.offsets) if seq <= left.first), default=0)
    boot.offsets = boot.offsets[in_force:]
    boot.tampers = tuple(tamper._replace(at=at + boot.correction(tamper.seq)) for tamper, at in latched)


def _states(
    track: Track, boot: Boot, old: Sequence[Entry], top: Ms, newer: Ms, fitted: FittedSpans
) -> tuple[Setting, ...]:
    """The state of every source after the old entries, with the fact that its present stretch began with."""
    states: dict[Setting, int] = {}
    for tag in dict.fromkeys(setting.tag for entry in old for setting in entry.settings):
        for span in fitted(tag):
            source = SourceFold(Source(UnitId(""), tag, span, span))
            source.boot(track, boot, old, newer, last=False)
            if source.state is None:
                continue
            last = source.known[-1] if source.known else None
            goes_on = last is not None and last.end == top and last.present is source.state
            fact = last.fact if goes_on and last is not None else source.fact
            states.setdefault(Setting(tag, source.state, None, Origin(fact.seq, source.said_at)), source.fact.seq)
    return tuple(sorted(states, key=lambda setting: states[setting]))


def _latched(track: Track, boot: Boot, before: Ms) -> Iterable[Tamper]:
    """Rule 3."""
    seen: set[tuple[TagId, tuple[Ms, Ms], str]] = set()
    for tamper in sorted(boot.tampers, key=lambda t: t.at - boot.correction(t.seq)):
        at = tamper.at - boot.correction(tamper.seq)
        latch = (tamper.tag, track.tag_span(tamper.tag, at), tamper.kind)
        if at >= before or latch not in seen:
            yield tamper
        seen.add(latch)


def _drop_finished(track: Track, boots: Sequence[Boot], before: Ms) -> None:
    """Rule 2, for as long as boots follow each other as they should; a `tamper` told in one keeps it."""
    for boot, after in zip(boots, boots[1:], strict=False):
        began, succeeded = boot.first_at() or 0, after.first_at() or 0
        ended = boot.top if boot.top is not None else began
        if not began <= ended <= succeeded < before or boot.sequence.holes() or boot.tampers:
            return
        del track.boots[boot.boot]
        track.settled_boots += (boot.boot,)
        track.settled_n = max(track.settled_n, boot.boot_n if boot.boot_n is not None else -1)
