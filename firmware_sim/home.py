"""One home while time passes: who is in which room, which frames reach which unit, and each unit's own clock.

Frames are drawn only when somebody needs to know: before a unit acts and before somebody moves. As long as
a frame could change a unit's mind at once (`eager`), the world is told to look at each of them.
"""

from dataclasses import dataclass, field
from random import Random

from emcheck.domain.ids import Ms, UnitId
from firmware_sim.base_unit import BaseUnit, Flash
from firmware_sim.people import Move
from firmware_sim.radio import AIRTIME_MS, AWAKE_DB, STILL_DB, Site, receive
from firmware_sim.tag import Tag

STREET_MS = 60_000
"""After a minute's walk nobody is within reach of a unit at home."""


@dataclass(slots=True)
class UnitClock:
    """What a unit believes the time is: stepped by a fault, drifting from then on."""

    offset_ms: int = 0
    drift_ppm: float = 0.0
    since: Ms = 0

    def local(self, now: Ms) -> Ms:
        """The unit's reading at a true instant."""
        return now + self.offset_ms + (round((now - self.since) * self.drift_ppm / 1e6) if self.drift_ppm else 0)

    def true(self, local: Ms) -> Ms:
        """The first true instant at which the unit reads `local` or later."""
        if not self.drift_ppm:
            return local - self.offset_ms
        guess = self.since + round((local - self.offset_ms - self.since) / (1 + self.drift_ppm / 1e6))
        return next(at for at in range(guess - 2, guess + 4) if self.local(at) >= local)

    def fault(self, now: Ms, *, step_ms: int, drift_ppm: float) -> None:
        """Step the clock at `now` and let it drift from here."""
        self.offset_ms = self.local(now) - now + step_ms
        self.drift_ppm, self.since = drift_ppm, now


@dataclass(slots=True)
class Receiver:
    """A base unit at its place. `unit` is None while it is down; `faults` counts what keeps it offline now."""

    name: UnitId
    site: Site
    flash: Flash
    rng: Random
    clock: UnitClock = field(default_factory=UnitClock)
    unit: BaseUnit | None = None
    connected: bool = False
    linked: bool = True
    mains: bool = True
    faults: int = 0
    wake_at: Ms = -1


@dataclass(slots=True)
class Member:
    """A wearer's tag: near the units or not, and at what level each of them hears it."""

    wearer: int
    tag: Tag
    near: bool = False
    left_at: Ms | None = None
    levels: list[float] = field(default_factory=list)
    spread_db: float = AWAKE_DB


class Home:
    """The radio life of one address."""

    def __init__(self, *, receivers: list[Receiver], members: list[Member], rng: Random) -> None:
        self.receivers = receivers
        self.members = members
        self._rng = rng

    def move(self, move: Move) -> None:
        """Somebody goes somewhere. Frames before the move must have been drawn."""
        member = next(m for m in self.members if m.wearer == move.wearer)
        if move.kind == "cut":
            member.tag.cut(move.at)
        elif move.kind == "put":
            member.tag.put(move.place, move.at)
        elif move.kind == "out":
            member.left_at = move.at
        else:
            if not member.near:
                member.tag.unheard_until(move.at)
            member.near, member.left_at = True, None
            member.levels = [receiver.site.rooms_dbm[move.room] for receiver in self.receivers]
            member.spread_db = STILL_DB if move.asleep else AWAKE_DB
            member.tag.asleep = move.asleep

    def hear(self, until: Ms) -> None:
        """Draw every frame up to `until`, in order, for every unit that is up."""
        near = [member for member in self.members if member.near]
        while near:
            member = near[0] if len(near) == 1 else min(near, key=lambda m: m.tag.next_at)
            at = member.tag.next_at
            if at > until:
                return
            if member.left_at is not None and at - member.left_at > STREET_MS:
                member.near = False
                near.remove(member)
                continue
            self._frame(member, at, near)

    def _frame(self, member: Member, at: Ms, near: list[Member]) -> None:
        collided = any(
            abs(other.tag.next_at - at) < AIRTIME_MS or at - other.tag.last_at < AIRTIME_MS
            for other in near
            if other is not member
        )
        frame = member.tag.frame(at)
        for index, receiver in enumerate(self.receivers):
            if collided or receiver.unit is None:
                continue
            site = receiver.site
            mean = member.levels[index] if member.left_at is None else site.street_dbm(at - member.left_at)
            level = receive(mean, member.spread_db, site.miss, self._rng)
            if level is not None:
                receiver.unit.heard(frame, level, receiver.clock.local(at))

    def next_telling_frame(self) -> Ms | None:
        """When the next frame comes that could change a unit's mind at once; None where none could."""
        units = [receiver.unit for receiver in self.receivers if receiver.unit is not None]
        eager = [
            member.tag.next_at
            for member in self.members
            if member.near and any(_eager(unit, member.tag) for unit in units)
        ]
        return min(eager, default=None)


def _eager(unit: BaseUnit, tag: Tag) -> bool:
    return not unit.in_range(tag.tag) or any(not unit.told(tag.tag, entry.number) for entry, _ in tag.memory)
