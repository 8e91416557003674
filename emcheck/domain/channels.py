"""What a unit tells beside presence: power, cases, batteries, noise, clock, motion, link; kept as sparsely as presence.

A *channel* is one thing that is told again and again (`power` of a unit, `battery` of a tag), a *level* what is said
of it. Only words that say something new are kept, so that a home where all is well keeps nothing:

1. The usual level is the default and is not kept. A word is kept where its level is not the one in force.
2. What was said last stands until it is said otherwise, over silence and missing numbers alike: equipment does not
   mend itself because a message is missing, and nobody is accused by these words.
3. A boot begins anew: a unit says how it stands when it starts, and what it does not say within 15 min of its start
   is as usual.
4. Behind a missing number the first word about every channel is kept, whatever it says, so that a number that comes
   after all changes what arrival in order would have changed (P1).
5. A word dated back counts from the word before it; a word of an older boot dated after a newer boot's start, not at
   all (protocol.md, last paragraph).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from emcheck.domain.facts import Event
from emcheck.domain.findings import FactRef, Span
from emcheck.domain.ids import Ms, TagId, UnitId
from emcheck.domain.instants import FOREVER, MINUTE
from emcheck.domain.policy import Policy

if TYPE_CHECKING:
    from emcheck.domain.boots import Boot
    from emcheck.domain.track import Track

USUAL = "usual"
"""The level that is not kept."""
POWER, CASE, BATTERY, NOISE, CLOCK, MOTION, LINK = "power", "case", "battery", "noise", "clock", "motion", "link"
TAG_BATTERY, FRAMES, REPLAYED = "tag_battery", "frames", "replayed"
NO_TAG = TagId("")

SAYS_WITHIN_MS: Ms = 15 * MINUTE
"""A unit's status comes every 10 min at least, and at each change (3)."""
ALWAYS = Span(-FOREVER, FOREVER)

Key = tuple[str, TagId]
"""A channel and the tag it is about; `NO_TAG` for the unit's own."""


class Said(NamedTuple):
    """One channel's level in an event, and the number it was read from."""

    channel: str
    tag: TagId
    level: str
    amount: float | None = None

    @property
    def key(self) -> Key:
        """What it is about."""
        return self.channel, self.tag


class Word(NamedTuple):
    """What an event said of channels that was news, by the unit's clock."""

    seq: int
    at: Ms
    said: tuple[Said, ...]


class Change(NamedTuple):
    """A channel's level from `at` on."""

    at: Ms
    level: str
    amount: float | None
    fact: FactRef


class Run(NamedTuple):
    """A stretch in which a channel stood at one of some levels; `end` is None while it does."""

    start: Ms
    end: Ms | None
    changes: tuple[Change, ...]

    def until(self, now: Ms) -> Ms:
        """Its end, or `now`."""
        return now if self.end is None else self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Reads levels off events, by policy."""

    noise_max_dbm: float
    frames_share_min: float
    tag_low_pct: float
    tag_clear_pct: float
    tag_empty_pct: float
    unit_low_pct: float
    unit_clear_pct: float
    offset_max_ms: Ms
    far_ms: Ms
    buffered_min: float

    @classmethod
    def of(cls, policy: Policy) -> "Levels":
        """As a policy wants them."""
        return cls(
            noise_max_dbm=policy.number("rf.interference.noise_max_dbm"),
            frames_share_min=policy.number("rf.interference.heard_min_pct") / 100,
            tag_low_pct=policy.number("tag.battery.low_pct"),
            tag_clear_pct=policy.number("tag.battery.clear_pct"),
            tag_empty_pct=policy.number("tag.battery.doubt_pct"),
            unit_low_pct=policy.number("unit.battery.low_pct"),
            unit_clear_pct=policy.number("unit.battery.clear_pct"),
            offset_max_ms=policy.ms("clock.offset_max_s"),
            far_ms=policy.ms("unit.clock.critical_s"),
            buffered_min=policy.number("unit.moved.buffered_min"),
        )

    def usual(self, event: Event) -> bool:
        """Whether an event says nothing but the usual: the fast answer to `said`."""
        if event["type"] == "report":
            battery, expected = event.get("battery_pct"), event.get("expected")
            return (
                (battery is None or battery > self.tag_clear_pct)
                and not event.get("replayed")
                and (not expected or event["heard"] >= expected * self.frames_share_min)
            )
        if event["type"] != "unit_status":
            return True
        battery, noise, offset = event.get("battery_pct"), event.get("noise_dbm"), event.get("clock_offset_ms")
        return (
            event.get("power", "mains") == "mains"
            and not event.get("moved")
            and event.get("case") in _CLOSED
            and (battery is None or battery > self.unit_clear_pct)
            and (noise is None or noise <= self.noise_max_dbm)
            and (offset is None or -self.offset_max_ms <= offset <= self.offset_max_ms)
            and (event.get("buffered") or 0) < self.buffered_min
        )

    def said(self, event: Event) -> tuple[Said, ...]:
        """Everything an event says of channels."""
        if event["type"] == "report":
            return tuple(self._of_tag(event))
        return tuple(self._of_unit(event)) if event["type"] == "unit_status" else ()

    def _of_tag(self, event: Event) -> Iterator[Said]:
        if event["type"] != "report":
            return
        tag, battery, expected = event["tag"], event.get("battery_pct"), event.get("expected")
        if battery is not None:
            low = "empty" if battery <= self.tag_empty_pct else _battery(battery, self.tag_low_pct, self.tag_clear_pct)
            yield _said(TAG_BATTERY, tag, low, battery if low != USUAL else None)
        if expected:
            missed = event["heard"] < expected * self.frames_share_min
            yield _said(FRAMES, tag, "missed" if missed else USUAL)
        replayed = event.get("replayed")
        yield _said(REPLAYED, tag, "replayed" if replayed else USUAL, replayed or None)

    def _of_unit(self, event: Event) -> Iterator[Said]:
        if event["type"] != "unit_status":
            return
        battery, noise, offset = event.get("battery_pct"), event.get("noise_dbm"), event.get("clock_offset_ms")
        if (power := event.get("power")) is not None:
            on_battery = power != "mains"
            yield _said(POWER, NO_TAG, "battery" if on_battery else USUAL, battery if on_battery else None)
        if (case := event.get("case")) is not None:
            yield _said(CASE, NO_TAG, USUAL if case in _CLOSED else "open")
        if battery is not None:
            level = _battery(battery, self.unit_low_pct, self.unit_clear_pct)
            yield _said(BATTERY, NO_TAG, level, battery if level != USUAL else None)
        if noise is not None:
            high = noise > self.noise_max_dbm
            yield _said(NOISE, NO_TAG, "high" if high else USUAL, noise if high else None)
        if offset is not None:
            level = "far" if abs(offset) > self.far_ms else "off" if abs(offset) > self.offset_max_ms else USUAL
            yield _said(CLOCK, NO_TAG, level, offset if level != USUAL else None)
        if (moved := event.get("moved")) is not None:
            yield _said(MOTION, NO_TAG, "moved" if moved else USUAL)
        if (buffered := event.get("buffered")) is not None:
            yield _said(LINK, NO_TAG, "away" if buffered >= self.buffered_min else USUAL)


_CLOSED = ("closed", False, None)
"""What a unit says of a case that is shut; any other word is an open one."""


def _battery(pct: float, low_pct: float, clear_pct: float) -> str:
    """`between` keeps what was: a battery that wavers at the threshold is one low battery, not many."""
    if pct <= low_pct:
        return "low"
    return "between" if pct <= clear_pct else USUAL


@lru_cache(maxsize=4096)
def _said(channel: str, tag: TagId, level: str, amount: float | None = None) -> Said:
    """The same value for the same words: they are told over and over."""
    return Said(channel, tag, level, amount)


TagSpan = Callable[[TagId, Ms], tuple[Ms, Ms]]
"""The fitting of a tag at an instant as `[from, until)`; outside any, the stretch between two fittings."""
InForce = tuple[str, Ms, Ms]
"""A level, and the fitting in which it was said."""
_USUAL: InForce = (USUAL, -FOREVER, FOREVER)
_UNNAMED: InForce = ("", -FOREVER, FOREVER)


class Channels:
    """The words of one boot that are kept, and what is in force behind the last missing number."""

    __slots__ = ("in_force", "whole", "words")

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.in_force: dict[Key, InForce] = {}
        self.whole = True
        """No number is missing so far: what was not named stands at its usual level (1)."""

    def news(self, said: Iterable[Said], at: Ms) -> tuple[Said, ...]:
        """What of it is not in force at the corrected time (1, 4)."""
        default = _USUAL if self.whole else _UNNAMED
        fresh = []
        for told in said:
            level, low, high = self.in_force.get((told.channel, told.tag), default)
            if told.level != level or (level != USUAL and not low <= at < high):
                fresh.append(told)
        return tuple(fresh)

    def is_usual(self) -> bool:
        """Whether there is nothing to keep."""
        return self.whole and not self.words and all(level == USUAL for level, _, _ in self.in_force.values())

    def hole(self) -> None:
        """A number is missing: nothing is in force until it is named (4)."""
        self.in_force, self.whole = {}, False

    def append(self, boot: "Boot", word: Word, tag_span: TagSpan) -> bool:
        """An event in order; whether it may change what is said."""
        fresh = self._take(boot, word, tag_span)
        if fresh is None:
            return False
        self.words.append(fresh)
        return self._unusual()

    def insert(self, boot: "Boot", word: Word, tag_span: TagSpan) -> bool:
        """An event that fills a hole: into its place, then all is read again; whether it may change what is said."""
        self.words = sorted([*self.words, word])
        telling = self._unusual()
        self._compact(boot, tag_span)
        return telling

    def _take(self, boot: "Boot", word: Word, tag_span: TagSpan) -> Word | None:
        """The word as far as it is news, which is in force from now on."""
        at = word.at - boot.correction(word.seq)
        news = self.news(word.said, at)
        for told in news:
            low, high = (-FOREVER, FOREVER) if told.tag == NO_TAG else tag_span(told.tag, at)
            self.in_force[told.key] = (told.level, low, high)
        return word._replace(said=news) if news else None

    def _unusual(self) -> bool:
        return any(told.level != USUAL for word in self.words for told in word.said)

    def _compact(self, boot: "Boot", tag_span: TagSpan) -> None:
        """Keep what arrival in order would have kept, and know again what is in force at the end."""
        kept, words = [], iter(self.words)
        word = next(words, None)
        for first, last in boot.sequence.received:
            self.in_force, self.whole = {}, first == 1
            while word is not None and word.seq <= last:
                fresh = self._take(boot, word, tag_span)
                if fresh is not None:
                    kept.append(fresh)
                word = next(words, None)
        self.words = kept


def changes(track: "Track", unit: UnitId, channel: str, tag: TagId = NO_TAG, *, inside: Span = ALWAYS) -> list[Change]:
    """Every change of a channel's level that was told inside a span, in order of time; the first is from the usual."""
    found: list[Change] = []

    def add(at: Ms, level: str, amount: float | None, boot: "Boot", seq: int) -> None:
        if level != (found[-1].level if found else USUAL):
            found.append(Change(max(at, found[-1].at) if found else at, level, amount, FactRef(unit, boot.boot, seq)))

    for boot in track.in_order() if speaks(track) else ():
        told = list(_told(boot, channel, tag, inside))
        began = boot.first_at() or 0
        unusual = next((at for said, _, at in told if said.level != USUAL), FOREVER)
        if unusual > began + SAYS_WITHIN_MS:  # 3
            add(began, USUAL, None, boot, 1)
        for said, seq, at in told:
            add(at, said.level, said.amount, boot, seq)
    return found


def _told(boot: "Boot", channel: str, tag: TagId, inside: Span) -> Iterator[tuple[Said, int, Ms]]:
    """What a boot said of one channel, with its number and corrected time (5)."""
    for word in boot.channels.words if boot.channels is not None else ():
        at = word.at - boot.correction(word.seq)
        if inside.start <= at < inside.end and at <= boot.limit:
            for said in word.said:
                if said.channel == channel and said.tag == tag:
                    yield said, word.seq, at


def keys(track: "Track") -> set[Key]:
    """The channels of which something unusual is kept."""
    channels = [boot.channels for boot in track.boots.values() if boot.channels is not None]
    return {said.key for kept in channels for word in kept.words for said in word.said if said.level != USUAL}


def ahead(track: "Track", now: Ms) -> list[Ms]:
    """When words and tampers count that are dated a little ahead of `now`."""
    dated: list[Ms] = []
    for boot in track.boots.values():
        told = (*boot.tampers, *(boot.channels.words if boot.channels is not None else ()))
        dated += [word.at - boot.correction(word.seq) for word in told]
    return [at for at in dated if at > now]


def speaks(track: "Track") -> bool:
    """Whether any word is kept; nearly never."""
    for boot in track.boots.values():  # noqa: SIM110 - asked at every judgement: a generator is five times as slow
        if boot.channels is not None and boot.channels.words:
            return True
    return False


def tells(track: "Track") -> bool:
    """Whether a word or a tamper may be kept."""
    for boot in track.boots.values():  # noqa: SIM110 - as above
        if boot.tampers or boot.channels is not None:
            return True
    return False


def runs(told: Iterable[Change], now: Ms, within: Iterable[Span], *levels: str, keeping: str = "") -> list[Run]:
    """Stretches at any of `levels` that began by `now`, clipped to `within`; `keeping` neither begins nor ends one."""
    found: list[Run] = []
    for change in told:
        if change.at > now:
            break
        is_open = bool(found) and found[-1].end is None
        if change.level in levels or (is_open and change.level == keeping):
            if is_open:
                found[-1] = found[-1]._replace(changes=(*found[-1].changes, change))
            else:
                found.append(Run(change.at, None, (change,)))
        elif is_open:
            found[-1] = found[-1]._replace(end=change.at)
    return [piece for run in found for piece in _clipped(run, within, now)]


def _clipped(run: Run, within: Iterable[Span], now: Ms) -> Iterator[Run]:
    for span in within:
        start, end = max(run.start, span.start), min(FOREVER if run.end is None else run.end, span.end)
        if start < end and start <= now:
            yield run._replace(start=start, end=None if end > now else end)


def hear(track: "Track", boot: "Boot", seq: int, event: Event, last: int) -> bool:
    """Keep what an event says of channels, `last` the highest number before it; whether something else may be said."""
    if seq > last + 1:
        boot.channels = boot.channels or Channels()
        boot.channels.hole()
    levels, terms = track.terms.at(event["at"]).levels, track.terms
    if boot.channels is None and levels.usual(event):
        return False
    said = tuple([told for told in levels.said(event) if told.tag == NO_TAG or terms.fitted(told.tag)])
    if not said and seq > last:
        return False
    boot.channels = boot.channels or Channels()
    word = Word(seq, event["at"], said)
    if seq > last:
        return boot.channels.append(boot, word, terms.tag_span)
    return boot.channels.insert(boot, word, terms.tag_span)
