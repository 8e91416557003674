"""One boot of a base unit, as it was folded: its entries, what it said of clocks and straps, and its numbers."""

from bisect import bisect_right
from typing import NamedTuple

from emcheck.domain.channels import Channels
from emcheck.domain.facts import Event
from emcheck.domain.ids import BootId, Ms, TagId
from emcheck.domain.instants import FOREVER
from emcheck.domain.sequence import Sequence


class Origin(NamedTuple):
    """Who said a setting, where its entry stands for many events: the fact to cite, and when it was said."""

    seq: int
    at: Ms


class Setting(NamedTuple):
    """An event's word about one tag. `heard_at` is a departure's last frame, None for anything else."""

    tag: TagId
    present: bool
    heard_at: Ms | None
    origin: Origin | None = None
    """None: the first event of its entry."""


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


class Boot:
    """One boot of a unit."""

    __slots__ = (
        "began_at", "boot", "boot_n", "broken", "channels", "current", "entries", "firmware", "heartbeat_ms", "limit",
        "offset_seen", "offsets", "sequence", "tampers", "top",
    )  # fmt: skip

    def __init__(self, boot: BootId) -> None:
        self.boot = boot
        self.boot_n: int | None = None
        self.heartbeat_ms: Ms | None = None
        self.firmware = ""
        self.sequence = Sequence()
        self.entries: list[Entry] = []
        self.offsets: tuple[tuple[int, Ms], ...] = ()
        self.tampers: tuple[Tamper, ...] = ()
        self.current: dict[TagId, tuple[bool, Ms, Ms]] = {}
        self.top: Ms | None = None
        """The latest time told; what is dated before it neither vouches nor ends a vouch."""
        self.broken = False
        """A hole was seen and no event that vouches since: from `top` on nothing is known yet (Presence 2, 3)."""
        self.offset_seen = False
        self.limit: Ms = FOREVER
        """Where the boots after it begin: its events dated later are a hole (Presence 3)."""
        self.channels: Channels | None = None
        """What it told beside presence; None while all is as usual."""
        self.began_at: Ms | None = None
        """`first_at` of a boot whose first entries were folded."""

    def correction(self, seq: int) -> Ms:
        """What to take off a time told at number `seq` (protocol.md, Clocks)."""
        if not self.offsets:
            return 0
        newest, correction = self.offsets[-1]
        if seq >= newest:
            return correction
        at = bisect_right(self.offsets, (seq, 1 << 62)) - 1
        return self.offsets[at][1] if at >= 0 else 0

    def first_at(self) -> Ms | None:
        """Corrected time of the first known event."""
        if self.began_at is not None or not self.entries:
            return self.began_at
        entry = self.entries[0]
        return entry.start - self.correction(entry.first)

    def starts_at(self) -> Ms | None:
        """Corrected time of the first event that counts; None where every one is dated after a newer boot's start."""
        if self.began_at is not None:
            return self.began_at
        dated = (entry.start - self.correction(entry.first) for entry in self.entries)
        return next((at for at in dated if at <= self.limit), None)


def settings_of(event: Event) -> tuple[Setting, ...]:
    """What an event says of tags (domain.md, Presence 1)."""
    if event["type"] == "report":
        return (Setting(event["tag"], True, None),) if event["heard"] >= 1 else ()
    if event["type"] == "presence":
        if event["in_range"]:
            return (Setting(event["tag"], True, None),)
        heard_at = event.get("last_heard_at")
        return (Setting(event["tag"], present=False, heard_at=event["at"] if heard_at is None else heard_at),)
    if event["type"] in ("boot", "unit_status"):
        tags = event.get("tags")
        return tuple(Setting(tag, state == "in", None) for tag, state in (tags or {}).items())
    return ()
