"""What one base unit told, folded as it comes: boots, and in each a sparse list of entries.

An *entry* is a run of neighbouring events, in order of time and within the vouching span, of which only the
first sets a state that was not in force. So the usual event, in order and saying nothing new, only moves
the end of the last entry: constant time and no memory. Nothing that a later fact could ask about is lost:
runs never cross a missing number, and in each stretch between holes the first word about every tag and the
first clock offset are kept, so that filling a hole gives what arrival in order would have given.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import NamedTuple

from emcheck.domain.facts import Event
from emcheck.domain.ids import BootId, Ms, TagId
from emcheck.domain.sequence import Sequence


class Setting(NamedTuple):
    """An event's word about one tag. `heard_at` is a departure's last frame, None for anything else."""

    tag: TagId
    present: bool
    heard_at: Ms | None


class Tamper(NamedTuple):
    """A strap or case event with its true time."""

    at: Ms
    seq: int
    tag: TagId
    kind: str


class Entry:
    """Numbers `first..last`, from `start` to `end` by the unit's clock; `settings` hold from `start`."""

    __slots__ = ("end", "first", "last", "settings", "start")

    def __init__(self, seq: int, at: Ms, settings: tuple[Setting, ...]) -> None:
        self.first = self.last = seq
        self.start = self.end = at
        self.settings = settings


TagSpan = Callable[[TagId, Ms], tuple[Ms, Ms]]
"""The fitting of a tag at an instant as `[from, until)`; outside any, the stretch between two fittings."""


class Boot:
    """One boot of a unit."""

    __slots__ = (
        "boot", "boot_n", "current", "entries", "heartbeat_ms", "offsets", "sequence", "tampers", "top", "offset_seen",
    )  # fmt: skip

    def __init__(self, boot: BootId) -> None:
        self.boot = boot
        self.boot_n: int | None = None
        self.heartbeat_ms: Ms | None = None
        self.sequence = Sequence()
        self.entries: list[Entry] = []
        self.offsets: list[tuple[int, Ms]] = []
        self.tampers: list[Tamper] = []
        self.current: dict[TagId, tuple[bool, Ms, Ms]] = {}
        self.top: Ms | None = None
        self.offset_seen = False

    def correction(self, seq: int) -> Ms:
        """What to take off a time told at number `seq` (protocol.md, Clocks)."""
        if not self.offsets:
            return 0
        at = bisect_right(self.offsets, (seq, 1 << 62)) - 1
        return self.offsets[at][1] if at >= 0 else 0

    def first_at(self) -> Ms | None:
        """Corrected time of the first known event."""
        if not self.entries:
            return None
        entry = self.entries[0]
        return entry.start - self.correction(entry.first)


def settings_of(event: Event) -> tuple[Setting, ...]:
    """What an event says of tags (domain.md, Presence 1)."""
    if event["type"] == "report":
        return (Setting(event["tag"], present=True, heard_at=None),) if event["heard"] >= 1 else ()
    if event["type"] == "presence":
        if event["in_range"]:
            return (Setting(event["tag"], present=True, heard_at=None),)
        heard_at = event.get("last_heard_at")
        return (Setting(event["tag"], present=False, heard_at=event["at"] if heard_at is None else heard_at),)
    if event["type"] in ("boot", "unit_status"):
        tags = event.get("tags")
        return tuple(Setting(tag, state == "in", None) for tag, state in (tags or {}).items())
    return ()


class Track:
    """One unit's boots. `vouch_factor`, `heartbeat_default_ms` and `offset_max_ms` are policy."""

    __slots__ = ("_tag_span", "boots", "heartbeat_default_ms", "offset_max_ms", "vouch_factor")

    def __init__(self, *, tag_span: TagSpan, vouch_factor: float, heartbeat_default_ms: Ms, offset_max_ms: Ms) -> None:
        self._tag_span = tag_span
        self.vouch_factor = vouch_factor
        self.heartbeat_default_ms = heartbeat_default_ms
        self.offset_max_ms = offset_max_ms
        self.boots: dict[BootId, Boot] = {}

    def boot(self, boot: BootId) -> Boot:
        """The boot of that name, begun if it is new."""
        found = self.boots.get(boot)
        if found is None:
            found = self.boots[boot] = Boot(boot)
        return found

    def vouch_ms(self, boot: Boot) -> Ms:
        """How long an event of the boot vouches (Presence 2)."""
        return round((boot.heartbeat_ms or self.heartbeat_default_ms) * self.vouch_factor)

    def add(self, boot: Boot, seq: int, event: Event) -> bool:
        """Fold one new event in; whether anything could now be judged otherwise."""
        in_order = seq == boot.sequence.received.last() + 1 and bool(boot.entries)
        late = not in_order and seq <= boot.sequence.received.last()
        boot.sequence.received.add(seq, seq)
        if not in_order and not late:
            boot.offset_seen = False
        changed = self._note(boot, seq, event, in_order=in_order)
        settings = settings_of(event)
        if late:
            self._insert(boot, seq, event["at"], settings)
            return True
        at = event["at"] - boot.correction(seq)
        if not in_order:
            boot.current.clear()
        fresh = self._fresh(boot, at, settings)
        top = boot.top
        if in_order and not changed and not fresh and top is not None:
            entry = boot.entries[-1]
            if at < top:
                entry.last = seq
                return False
            if at - top <= self.vouch_ms(boot):
                entry.last, entry.end, boot.top = seq, event["at"], at
                return False
        boot.entries.append(Entry(seq, event["at"], settings))
        boot.top = at if top is None else max(top, at)
        return True

    def _fresh(self, boot: Boot, at: Ms, settings: tuple[Setting, ...]) -> bool:
        """Whether a setting says what was not in force, or is a departure; takes note of it."""
        fresh = False
        for tag, present, heard_at in settings:
            known = boot.current.get(tag)
            if known is None or known[0] is not present or heard_at is not None or not known[1] <= at < known[2]:
                fresh = True
                boot.current[tag] = (present, *self._tag_span(tag, at))
        return fresh

    def _note(self, boot: Boot, seq: int, event: Event, *, in_order: bool) -> bool:
        """Keep what is not about range: boot facts, clock offsets, tampers, numbers lost."""
        if event["type"] == "boot":
            boot.boot_n, heartbeat_s = event.get("boot_n"), event.get("heartbeat_s")
            boot.heartbeat_ms = None if heartbeat_s is None else round(heartbeat_s * 1000)
            self._note_previous(event.get("prev_boot"), event.get("prev_last_seq"))
        elif event["type"] == "unit_status":
            offset = event.get("clock_offset_ms")
            return offset is not None and self._note_offset(boot, seq, round(offset), in_order=in_order)
        elif event["type"] == "tag_tamper":
            boot.tampers.append(Tamper(event["at"], seq, event["tag"], event["kind"]))
            return True
        elif event["type"] == "report":
            strap = event.get("strap")
            if strap in ("cut", "open") and not self._latched(boot, event["tag"], event["at"]):
                boot.tampers.append(Tamper(event["at"], seq, event["tag"], f"strap_{strap}"))
                return True
        elif event["type"] == "lost":
            sequence = self.boot(event["boot"]).sequence
            sequence.lost.add(event["from"], event["to"])
            if event["periodic_only"]:
                sequence.periodic.add(event["from"], event["to"])
            return True
        return False

    def _latched(self, boot: Boot, tag: TagId, at: Ms) -> bool:
        """Whether an earlier word of the same fitting stands already: a strap is latched, its repeats say nothing."""
        span = self._tag_span(tag, at)
        return any(t.tag == tag and t.at <= at and self._tag_span(tag, t.at) == span for t in boot.tampers)

    def _note_previous(self, previous: BootId | None, last_seq: int | None) -> None:
        if previous is not None and last_seq:
            sequence = self.boot(previous).sequence
            sequence.declared_last = max(sequence.declared_last, last_seq)

    def _note_offset(self, boot: Boot, seq: int, offset: Ms, *, in_order: bool) -> bool:
        """A clock offset corrects from its own number on, beyond the policy only; true where that changes."""
        correction = offset if abs(offset) > self.offset_max_ms else 0
        if in_order and boot.offset_seen and boot.correction(seq) == correction:
            return False
        boot.offsets.insert(bisect_left(boot.offsets, (seq, -(1 << 62))), (seq, correction))
        boot.offset_seen = True
        return boot.correction(seq - 1) != correction or not in_order

    def _insert(self, boot: Boot, seq: int, at: Ms, settings: tuple[Setting, ...]) -> None:
        """A number that fills a hole: into its place, then the tail's state is read again."""
        place = bisect_left(boot.entries, seq, key=lambda entry: entry.first)
        boot.entries.insert(place, Entry(seq, at, settings))
        self._compact(boot)

    def _compact(self, boot: Boot) -> None:
        """Join entries as arrival in order would have, and know again what is in force at the end."""
        kept: list[Entry] = []
        boot.current.clear()
        boot.top = None
        for entry in boot.entries:
            correction = boot.correction(entry.first)
            start, end = entry.start - correction, entry.end - correction
            adjoining = bool(kept) and entry.first == kept[-1].last + 1
            if not adjoining:
                boot.current.clear()
            fresh = self._fresh(boot, start, entry.settings)
            top: Ms | None = boot.top
            same_clock = adjoining and correction == boot.correction(kept[-1].first)
            if (
                adjoining
                and same_clock
                and not fresh
                and top is not None
                and self._joins(kept[-1], start, end, top, boot)
            ):
                kept[-1].last = entry.last
                if start >= top:
                    kept[-1].end = entry.end
            else:
                kept.append(entry)
            boot.top = end if top is None else max(top, end)
        boot.entries = kept

    def _joins(self, last: Entry, start: Ms, end: Ms, top: Ms, boot: Boot) -> bool:
        """A run goes on where the next event is within the vouch, or is dated back and stands alone."""
        if start < top:
            return end <= top
        return last.end - boot.correction(last.first) == top and start - top <= self.vouch_ms(boot)

    def forget(self, boot: Boot, seq: int) -> None:
        """A number turned out to be in conflict: it counts as a hole for good. The caller rebuilds."""
        boot.sequence.received.discard(seq)
        boot.sequence.refused.add(seq, seq)

    def in_order(self) -> list[Boot]:
        """Boots with events, by `boot_n`, where missing by the time of their first event."""
        told = [boot for boot in self.boots.values() if boot.entries]
        numbered = sorted((b for b in told if b.boot_n is not None), key=lambda b: (b.boot_n or 0, b.first_at() or 0))
        for boot in sorted((b for b in told if b.boot_n is None), key=lambda b: b.first_at() or 0):
            place = next(
                (i for i, b in enumerate(numbered) if (b.first_at() or 0) > (boot.first_at() or 0)), len(numbered)
            )
            numbered.insert(place, boot)
        return numbered
