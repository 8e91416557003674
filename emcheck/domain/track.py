"""What one base unit told, folded as it comes: boots, and in each a sparse list of entries.

An *entry* is a run of neighbouring events, in order of time and within the vouching span, of which only the
first sets a state that was not in force. So the usual event, in order and saying nothing new, only moves
the end of the last entry: constant time and no memory. Nothing that a later fact could ask about is lost:
runs never cross a missing number, and in each stretch between holes the first word about every tag and the
first clock offset are kept, so that filling a hole gives what arrival in order would have given.
"""

from bisect import bisect_left
from collections.abc import Mapping
from sys import intern

from emcheck.domain import channels, worn
from emcheck.domain.boots import Boot, Entry, Setting, Tamper, settings_of
from emcheck.domain.channels import NO_TAG, Channels
from emcheck.domain.facts import Event
from emcheck.domain.ids import BootId, Ms, TagId
from emcheck.domain.instants import FOREVER
from emcheck.domain.terms import Terms

HEARTBEAT_LEAST_MS: Ms = 1_000
"""A unit that promises more than a message a second is held to that: what it fails to send is no silence."""
NAMED_BOOTS_MAX = 64


class Track:
    """One unit's boots, read on its register's and policy's `terms`."""

    __slots__ = ("boots", "limits", "newest", "reading", "settled_boots", "settled_n", "terms", "torn", "worn")

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.reading = terms.at(0)
        """How facts are read where the newest boot stands."""
        self.boots: dict[BootId, Boot] = {}
        self.newest: Boot | None = None
        """The last of `in_order`."""
        self.settled_boots: tuple[BootId, ...] = ()
        """Boots that were folded away, their every number accounted for."""
        self.settled_n = -1
        """The highest `boot_n` among them."""
        self.limits: Mapping[BootId, Ms] | None = None
        """While all is folded anew, where the boots after each begin, as far as was known."""
        self.torn = False
        """A run is one no more: a later boot began inside it, or a late clock offset or heartbeat counts for it.

        Its events must be told apart, by folding them anew (`retelling`).
        """
        self.worn: tuple[worn.Worn, ...] = ()
        """Tags that told of the body they are on."""

    def boot(self, boot: BootId) -> Boot:
        """The boot of that name, begun if it is new."""
        found = self.boots.get(boot)
        if found is None:
            found = self.boots[boot] = Boot(boot)
            if self.limits is not None:
                found.limit = self.limits.get(boot, FOREVER)
        return found

    def _named(self, boot: BootId) -> Boot:
        """A boot that another one speaks of; of many that never spoke themselves only the first are kept."""
        if boot not in self.boots and sum(not other.entries for other in self.boots.values()) >= NAMED_BOOTS_MAX:
            return Boot(boot)
        return self.boot(boot)

    def correction(self, boot: Boot, seq: int, event: Event) -> Ms:
        """What to take off the times of an event that is not folded in yet; its own clock offset counts already."""
        offset = event.get("clock_offset_ms") if event["type"] == "unit_status" else None
        return boot.correction(seq) if offset is None else self.terms.at(event["at"]).correction(offset)

    def vouch_ms(self, boot: Boot, at: Ms) -> Ms:
        """How long an event of the boot vouches whose corrected time is `at` (Presence 2)."""
        return self.terms.at(at).vouch_ms(boot.heartbeat_ms)

    def know_reading(self) -> None:
        """Know again how facts are read where the newest boot stands."""
        self.reading = self.terms.at((self.newest.top if self.newest is not None else None) or 0)

    def add(self, boot: Boot, seq: int, event: Event) -> Ms | None:
        """Fold one new event in; the earliest instant about which something else may now be said, None for none.

        A usual event of the newest boot only lengthens what is known, from `boot.top` as it was.
        """
        last, top = boot.sequence.received.last(), boot.top
        since = self._place(boot, seq, event)
        self.know_reading()
        worn.hear(self, boot, seq, event)
        if not channels.hear(self, boot, seq, event, last):
            return since
        at = event["at"] - boot.correction(seq)
        return min(at, *(known for known in (since, top) if known is not None))

    def _place(self, boot: Boot, seq: int, event: Event) -> Ms | None:
        """What `add` does to presence."""
        last = boot.sequence.received.last()
        in_order = seq == last + 1 and bool(boot.entries)
        late = not in_order and seq <= last
        top = boot.top
        since = FOREVER
        if not in_order or boot is not self.newest or event["type"] in ("boot", "lost"):
            since = self._before(boot, seq, event, late=late)
        boot.sequence.received.add(seq, seq)
        if not in_order and not late:
            boot.offset_seen = False
        changed = self._note(boot, seq, event, in_order=in_order)
        settings = tuple([setting for setting in settings_of(event) if self.terms.fitted(setting.tag)])
        if late:
            self.torn |= event["type"] == "boot"
            self._insert(boot, seq, event["at"], settings)
            self._order_boots()
            return min(since, self._reach(boot, seq, event))
        at = event["at"] - boot.correction(seq)
        if not in_order:
            self._break(boot)
        if at > boot.limit:
            boot.entries.append(Entry(seq, event["at"], settings))
            boot.heartbeat_ms = None if event["type"] == "boot" else boot.heartbeat_ms
            self._break(boot)
            self._order_boots()
            return min(since, self._reach(boot, seq, event))
        fresh = self._fresh(boot, at, settings)
        if in_order and not changed and not fresh and top is not None and self._joins(boot, top, at):
            entry = boot.entries[-1]
            entry.last = seq
            if at >= top:
                entry.end, boot.top = event["at"], at
            return None if boot is self.newest else since
        boot.entries.append(Entry(seq, event["at"], settings))
        if top is None or at >= top:
            boot.top, boot.broken = at, False
        if top is None or event["type"] == "boot":
            self._order_boots()
        return min(since, self._reach(boot, seq, event))

    def lengthen(self, boot: Boot, seq: int, event: Event, latest: Ms) -> bool:
        """Take in the usual event at once: next of the newest boot, in time (`latest` at most), saying nothing new.

        And read as the one before it. False, and nothing done, for any other: `add` knows them all.
        """
        sequence, top = boot.sequence, boot.top
        received = sequence.received
        if boot is not self.newest or boot.broken or top is None or seq != received.last() + 1:
            return False
        if sequence.refused or sequence.lost or seq <= sequence.declared_last:
            return False
        reading, correction = self.reading, 0
        if boot.offsets:
            correction = boot.correction(seq)
            if not reading.since <= event["at"] < reading.until:
                return False
        at = event["at"] - correction
        if not (
            top <= at <= latest
            and at <= boot.limit
            and at < reading.until
            and at - top <= reading.vouch_ms(boot.heartbeat_ms)
            and self._repeats(boot, event, at, correction)
            and (reading.levels.usual(event) if boot.channels is None else self._says_no_news(boot.channels, event, at))
        ):
            return False
        received.add(seq, seq)
        entry = boot.entries[-1]
        entry.last, entry.end, boot.top = seq, event["at"], at
        return True

    def _says_no_news(self, kept: Channels, event: Event, at: Ms) -> bool:
        news = kept.news(self.reading.levels.said(event), at)
        return all(told.tag != NO_TAG and not self.terms.fitted(told.tag) for told in news)

    def _repeats(self, boot: Boot, event: Event, at: Ms, correction: Ms) -> bool:
        """Whether a report or heartbeat says of tags and clock what is in force already."""
        current = boot.current
        if event["type"] == "report":
            if event.get("strap", "closed") != "closed" or "skin_c" in event or "motion_mg" in event:
                return False
            if "proximity" in event or "ambient_c" in event:
                return False
            known = current.get(event["tag"])
            if event["heard"] and not (known is not None and known[0] and known[1] <= at < known[2]):
                return False
            return not self.worn or worn.worn(self, event["tag"]) is None  # of one that told its body this is news
        if event["type"] != "unit_status":
            return False
        offset = event.get("clock_offset_ms")
        if offset is not None and not (boot.offset_seen and self.reading.correction(offset) == correction):
            return False
        for tag, state in (event.get("tags") or {}).items():
            known = current.get(tag)
            if known is None or known[0] is not (state == "in") or not known[1] <= at < known[2]:
                return False
        return True

    def _break(self, boot: Boot) -> None:
        """A hole: no state stands, and nothing vouches until an event does."""
        boot.current.clear()
        boot.broken = boot.top is not None

    def _joins(self, boot: Boot, top: Ms, at: Ms) -> bool:
        """A run goes on where an event is within the vouch, or is dated back and sets nothing."""
        return not boot.broken and at - top <= self.vouch_ms(boot, top)

    def _order_boots(self) -> None:
        """A boot has begun, or at another time or place than was known."""
        order = self.in_order()
        self.newest = order[-1]
        if self.limits is not None:
            return
        limit = FOREVER
        for boot in reversed(order):
            self._limit(boot, limit)
            starts_at = boot.starts_at()
            limit = limit if starts_at is None else min(limit, starts_at)

    def _limit(self, boot: Boot, limit: Ms) -> None:
        """Events on either side of a new limit that stand in one run, or are kept as a hole, must be told apart."""
        low = min(limit, boot.limit)
        if limit != boot.limit:
            self.torn |= boot.top is not None and boot.top > low
            self.torn |= any(entry.start - boot.correction(entry.first) > low for entry in boot.entries)
            boot.limit = limit

    def know_limits(self) -> dict[BootId, Ms]:
        """Every boot is folded: where those after each begin; `torn` where that is not what was taken for it."""
        self.limits = None
        if self.boots and self.in_order():
            self._order_boots()
        self.know_reading()
        return {boot.boot: boot.limit for boot in self.boots.values()}

    def _reach(self, boot: Boot, seq: int, event: Event) -> Ms:
        """The earliest instant that an event itself speaks of."""
        if event["type"] == "lost":
            other = self._named(event["boot"])
            return min(event["at"] - boot.correction(seq), self._known_before(other, event["from"]))
        heard_at = event.get("last_heard_at") if event["type"] == "presence" else None
        at = event["at"] if not isinstance(heard_at, int) else min(event["at"], heard_at)
        return at - boot.correction(seq)

    def _before(self, boot: Boot, seq: int, event: Event, *, late: bool) -> Ms:
        """Where the time begins that was known, or not, for want of this number (Presence 2, 3)."""
        if self._reopens(boot, event):
            return -FOREVER
        if late:
            shifts = self.correction(boot, seq, event) != boot.correction(seq)
            return -FOREVER if shifts else self._known_before(boot, seq)
        newest = self.newest.top if self.newest is not None else None
        return min(top for top in (boot.top, newest, FOREVER) if top is not None)

    def _reopens(self, boot: Boot, event: Event) -> bool:
        """Whether it may change heartbeat, order or numbers of boots, and so time that seemed settled."""
        if event["type"] == "lost":
            return event["boot"] in self.settled_boots
        if event["type"] != "boot":
            return False
        number = event.get("boot_n")
        mixed = any((other.boot_n is None) is not (number is None) for other in self.boots.values() if other.entries)
        overtaken = number is not None and number <= self.settled_n
        return bool(boot.entries) or mixed or overtaken or event.get("prev_boot") in self.settled_boots

    def _known_before(self, boot: Boot, seq: int) -> Ms:
        """Corrected time of the last event known in front of a number; before all time where there is none.

        A boot that never spoke has no time that could change.
        """
        if not boot.entries:
            return FOREVER
        place = bisect_left(boot.entries, seq, key=lambda entry: entry.first) - 1
        if place < 0:
            return -FOREVER
        entry = boot.entries[place]
        return entry.end - boot.correction(entry.first)

    def _fresh(self, boot: Boot, at: Ms, settings: tuple[Setting, ...]) -> bool:
        """Whether a setting says what was not in force, or is a departure; takes note of it."""
        fresh = False
        for tag, present, heard_at, origin in settings:
            known = boot.current.get(tag)
            if known is None or known[0] is not present or heard_at is not None or not known[1] <= at < known[2]:
                fresh = True
                boot.current[tag] = (present, *self.terms.tag_span(tag, at if origin is None else origin.at))
        return fresh

    def _note(self, boot: Boot, seq: int, event: Event, *, in_order: bool) -> bool:
        """Keep what is not about range: boot facts, clock offsets, tampers, numbers lost."""
        if event["type"] == "boot":
            boot.boot_n, heartbeat_s = event.get("boot_n"), event.get("heartbeat_s")
            boot.firmware = intern(event.get("firmware", ""))
            boot.heartbeat_ms = None if heartbeat_s is None else max(round(heartbeat_s * 1000), HEARTBEAT_LEAST_MS)
            self._note_previous(event.get("prev_boot"), event.get("prev_last_seq"))
        elif event["type"] == "unit_status":
            offset = event.get("clock_offset_ms")
            correction = self.correction(boot, seq, event)
            return offset is not None and self._note_offset(boot, seq, correction, in_order=in_order)
        elif event["type"] == "tag_tamper":
            boot.tampers += (Tamper(event["at"], seq, event["tag"], event["kind"]),)
            return True
        elif event["type"] == "report":
            strap = event.get("strap")
            if strap in ("cut", "open") and not self._latched(boot, event["tag"], event["at"]):
                boot.tampers += (Tamper(event["at"], seq, event["tag"], f"strap_{strap}"),)
                return True
        elif event["type"] == "lost":
            sequence = self._named(event["boot"]).sequence
            counts = event["at"] - boot.correction(seq) <= boot.limit
            sequence.lose(event["from"], event["to"], periodic_only=event["periodic_only"] and counts)
            return True
        return False

    def _latched(self, boot: Boot, tag: TagId, at: Ms) -> bool:
        """Whether an earlier word of the same fitting stands already: a strap is latched, its repeats say nothing."""
        span = self.terms.tag_span(tag, at)
        return any(
            t.tag == tag and t.at <= at and t.kind.startswith("strap") and self.terms.tag_span(tag, t.at) == span
            for t in boot.tampers
        )

    def _note_previous(self, previous: BootId | None, last_seq: int | None) -> None:
        if previous is not None and last_seq:
            sequence = self._named(previous).sequence
            sequence.declared_last = max(sequence.declared_last, last_seq)

    def _note_offset(self, boot: Boot, seq: int, correction: Ms, *, in_order: bool) -> bool:
        """A clock offset corrects from its own number on, beyond the policy only; true where that changes."""
        is_late = bool(boot.entries) and seq < boot.entries[-1].last
        self.torn |= is_late and boot.correction(seq) != correction
        if in_order and boot.offset_seen and boot.correction(seq) == correction:
            return False
        boot.offsets = tuple(sorted((*boot.offsets, (seq, correction))))
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
        boot.top, boot.broken = None, False
        for entry in boot.entries:
            adjoining = bool(kept) and entry.first == kept[-1].last + 1
            if not adjoining:
                self._break(boot)
            start = entry.start - boot.correction(entry.first)
            if start > boot.limit:
                kept.append(entry)
                self._break(boot)
                continue
            fresh = self._fresh(boot, start, entry.settings)
            if adjoining and not fresh and self._continues(boot, kept[-1], entry):
                kept[-1].last = entry.last
                if boot.top is not None and start >= boot.top:
                    kept[-1].end = entry.end
            else:
                kept.append(entry)
            self._advance(boot, entry)
        boot.entries = kept

    def _continues(self, boot: Boot, last: Entry, entry: Entry) -> bool:
        """Whether an entry that sets nothing belongs to the run in front of it."""
        correction, top = boot.correction(entry.first), boot.top
        if top is None or boot.broken or correction != boot.correction(last.first):
            return False
        start, end = entry.start - correction, entry.end - correction
        if start < top:
            return end <= top
        return last.end - correction == top and self._joins(boot, top, start)

    def _advance(self, boot: Boot, entry: Entry) -> None:
        correction = boot.correction(entry.first)
        reached = max(entry.start, entry.end) - correction
        if boot.top is None or reached >= boot.top:
            boot.top, boot.broken = reached, False

    def in_order(self) -> list[Boot]:
        """Boots with events, by `boot_n`, where missing by the time of their first event."""
        told = [boot for boot in self.boots.values() if boot.entries]
        if len(told) < 2:  # nearly always, and asked at every judgement
            return told
        numbered = sorted((b for b in told if b.boot_n is not None), key=lambda b: (b.boot_n or 0, b.first_at() or 0))
        for boot in sorted((b for b in told if b.boot_n is None), key=lambda b: b.first_at() or 0):
            place = next(
                (i for i, b in enumerate(numbered) if (b.first_at() or 0) > (boot.first_at() or 0)), len(numbered)
            )
            numbered.insert(place, boot)
        return numbered
