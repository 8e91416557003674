"""Folding old nights: what a unit told long ago is replaced by the state it left behind.

What stays says of every instant from `before` on exactly what all facts together say, the facts cited
included. What was folded is in the inbox; whoever needs it again reads it from there (engine, `recall`).

1. Entries of a boot that end before `before` become one, which holds each tag's state at its end.
2. A boot that ended before it, with every number accounted for and its successor begun, goes; its name stays.
3. Of strap and case events the first of each kind and fitting stays: they are latched.
4. Of what was said of channels, what is in force stays, from where it began; and all of the last day, for motions are
   counted over a day. A low battery keeps the power cuts since, and the last before, for it is not told in them.
5. Of what was read of a body, the check and what goes on stays, and what was not over. Of the times on a limb in one
   fitting one is left, from the first to the last: what another unit said meanwhile stays outweighed (`bodies`, 2).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from emcheck.domain import channels, worn
from emcheck.domain.boots import Boot, Entry, Origin, Setting, Tamper
from emcheck.domain.findings import Span
from emcheck.domain.ids import AddressId, Ms, TagId, UnitId
from emcheck.domain.instants import DAY, FOREVER
from emcheck.domain.rules import evidence
from emcheck.domain.timeline import Source, SourceFold
from emcheck.domain.track import Track

FittedSpans = Callable[[TagId], Iterable[Span]]
"""The fittings of a tag, as spans of time."""


def fold(track: Track, before: Ms, fitted: FittedSpans) -> None:
    """Fold what ended before `before`."""
    boots = track.in_order()
    for boot in boots:
        _fold_boot(track, boot, before, fitted)
    _fold_words(track, boots, before - DAY)
    _fold_worn(track, before)
    _drop_finished(track, boots, before)


def _fold_boot(track: Track, boot: Boot, before: Ms, fitted: FittedSpans) -> None:
    """Rule 1. The entry in which `before` lies is kept, and at least the last; the cut is behind one that vouches.

    A boot whose first event counts as a hole is kept whole: it is ordered by that event, and starts with a later one.
    """
    top, count, reached = -FOREVER, 0, -FOREVER
    overtaken = _overtaken(track, boot, before)
    for place, entry in enumerate(boot.entries[:-1], start=1):
        correction = boot.correction(entry.first)
        if entry.first in overtaken:
            break
        if entry.start - correction > boot.limit:
            continue
        vouches = entry.start - correction >= reached
        reached = max(reached, entry.start - correction, entry.end - correction)
        if reached >= before:
            break
        if vouches:
            top, count = reached, place
    if count < 2 or boot.starts_at() != boot.first_at():
        return
    old, boot.began_at = boot.entries[:count], boot.first_at()
    left = Entry(old[-1].last, top + boot.correction(old[-1].last), _states(track, boot, old, top, fitted))
    boot.entries[:count] = [left]
    latched = [(tamper, tamper.at - boot.correction(tamper.seq)) for tamper in _latched(track, boot, before)]
    words = [] if boot.channels is None else [(w, w.at - boot.correction(w.seq)) for w in boot.channels.words]
    in_force = max((place for place, (seq, _) in enumerate(boot.offsets) if seq <= left.first), default=0)
    boot.offsets = boot.offsets[in_force:]
    boot.tampers = tuple(tamper._replace(at=at + boot.correction(tamper.seq)) for tamper, at in latched)
    if boot.channels is not None:
        boot.channels.words = [word._replace(at=at + boot.correction(word.seq)) for word, at in words]


def _overtaken(track: Track, boot: Boot, before: Ms) -> set[int]:
    """The first numbers of entries that a finding about conflicting boots still rests on."""
    told = [run for other, run in evidence.overtaken(track) if other is boot]
    return {run[0].first for run in told if any(e.end - boot.correction(e.first) >= before for e in run)}


def _states(track: Track, boot: Boot, old: Sequence[Entry], top: Ms, fitted: FittedSpans) -> tuple[Setting, ...]:
    """The state of every source after the old entries, with the fact that its present stretch began with."""
    states: dict[Setting, int] = {}
    for tag in dict.fromkeys(setting.tag for entry in old for setting in entry.settings):
        for span in fitted(tag):
            source = SourceFold(Source(UnitId(""), tag, span, span, AddressId("")))
            source.boot(track, boot, old, last=False)
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
        latch = (tamper.tag, track.terms.tag_span(tamper.tag, at), tamper.kind)
        if at >= before or latch not in seen:
            yield tamper
        seen.add(latch)


def _fold_words(track: Track, boots: Sequence[Boot], before: Ms) -> None:
    """Rule 4."""
    if not channels.speaks(track):
        return
    places = {boot.boot: place for place, boot in enumerate(boots)}
    begun = [boot.first_at() or 0 for boot in boots]

    def is_old(place: int, seq: int, at: Ms) -> bool:
        succeeded = min(begun[place + 1 :], default=FOREVER)
        return at < before and (seq <= boots[place].entries[0].first or succeeded < before)

    kept_from: dict[channels.Key, tuple[int, int]] = {}
    for key in channels.keys(track):
        since: tuple[int, int] | None = None
        for change in channels.changes(track, UnitId(""), *key):
            number = places[change.fact.boot], change.fact.seq
            if not is_old(*number, change.at):
                break
            since = None if change.level == channels.USUAL else (since or number)
        if since is not None:
            kept_from[key] = since
    low, power = (channels.BATTERY, channels.NO_TAG), (channels.POWER, channels.NO_TAG)
    if low in kept_from:
        cuts = [change.fact for change in channels.changes(track, UnitId(""), *power) if change.level != channels.USUAL]
        numbers = [number for fact in cuts if (number := (places[fact.boot], fact.seq)) < kept_from[low]]
        kept_from[power] = max(numbers, default=kept_from[low])
    for place, boot in enumerate(boots):
        if boot.channels is not None:
            boot.channels.words = list(_kept_words(boot, place, kept_from, is_old))
            if boot.channels.is_usual():
                boot.channels = None


def _kept_words(
    boot: Boot, place: int, kept_from: Mapping[channels.Key, tuple[int, int]], is_old: Callable[[int, int, Ms], bool]
) -> Iterable[channels.Word]:
    for word in boot.channels.words if boot.channels is not None else ():
        old = is_old(place, word.seq, word.at - boot.correction(word.seq))
        said = tuple(told for told in word.said if not old or (place, word.seq) >= kept_from.get(told.key, _NEVER))
        if said:
            yield word._replace(said=said)


_NEVER = (1 << 62, 0)


def _fold_worn(track: Track, before: Ms) -> None:
    """Rule 5; what need not wait any more is weighed."""
    for known in track.worn:
        fitted = list(track.terms.fitted(known.tag))
        if known.waiting:
            worn.settle(track, known)
        if known.edge is not None:
            known.edge = known.edge._replace(stretches=_stretches(known.edge.stretches, before, fitted))
        known.told, known.head = _stretches(known.told, before, fitted), None


def _stretches(told: Sequence[worn.Stretch], before: Ms, fitted: Sequence[Span]) -> tuple[worn.Stretch, ...]:
    over = [s for s in told if s.end is not None and s.end < before]
    on: dict[Span, worn.Stretch] = {}
    for stretch in (s for s in over if s.kind == worn.ON):
        span = next((span for span in fitted if span.start <= stretch.start < span.end), None)
        if span is not None and span.end >= before:
            on[span] = stretch._replace(start=on.get(span, stretch).start)
    return (*on.values(), *(s for s in told if s not in over))


def _drop_finished(track: Track, boots: Sequence[Boot], before: Ms) -> None:
    """Rule 2, for as long as boots follow each other as they should; a `tamper` told in one keeps it."""
    for boot, after in zip(boots, boots[1:], strict=False):
        began, succeeded = boot.first_at() or 0, after.first_at() or 0
        ended = boot.top if boot.top is not None else began
        told_late = any(entry.start - boot.correction(entry.first) >= before for entry in boot.entries)
        words = boot.channels is not None and boot.channels.words
        if not began <= ended <= succeeded < before or boot.sequence.holes() or boot.tampers or words or told_late:
            return
        del track.boots[boot.boot]
        track.settled_boots += (boot.boot,)
        track.settled_n = max(track.settled_n, boot.boot_n if boot.boot_n is not None else -1)
