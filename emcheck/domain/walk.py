"""The walk test: what a unit hears of a worn tag in every room, and the range setting that follows.

A unit counts a frame weaker than its `range_dbm` as not heard, and calls a tag out when it has counted none for its
leave time (docs/protocol.md). A setting too high accuses somebody who lies in bed behind a chimney; one too low hears
him down the street. `survey` reads one room's walk, `suggest` gives the highest setting that puts no room outside.

1. Levels are smoothed by a Kalman filter of a random walk: on recordings it tells inside from outside better than
   the mean and the median of the last minute, which look back as far (`make bench-range`).
2. A walk passes through a room and misses its worst spot. Spots are taken to spread about the room's mean by 6.9 dB,
   and by more where the walk itself spread more; at one spot repeated frames spread by 3.3 dB, and some are missed.
3. The setting lies below what the walk itself showed: `MARGIN_DB` under the lowest smoothed level, and not above the
   best frame of any stretch of a leave time, so that no walked room is ever outside.
4. The chance of a false absence is that of somebody who stays at a spot of the room drawn by (2) for the leave time
   and is heard above the setting not once. The setting keeps it under the limit that is asked for, in every room,
   as far as the receiver allows; a room where it does not is weak, and the chance is told.
5. A room is dead where half of its frames are missing, nothing is heard for half a leave time, or (3) would set lower
   than the receiver makes out with certainty. A dead room is named, never left outside in silence.

Levels are in dBm, spreads in dB, instants in ms, times in s. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import erf, exp, floor, inf, pi, sqrt
from statistics import fmean, pvariance
from typing import NamedTuple

from emcheck.domain.ids import Ms

DRIFT_DB2_S = 0.05
"""How fast the mean level may wander, dB^2 a second: with FRAME_DB it remembers some 30 s (`make bench-range`)."""
FRAME_DB = 6.0
"""Spread of single frames of somebody who walks about, indoors: 3.3 to 8.2 dB (Kolakowski 2021; Ng 2020)."""
STILL_DB = 3.3
"""Spread of repeated frames from one spot (Kolakowski 2021, by robot)."""
SPOTS_DB = 6.9
"""Spread between the spots of a furnished flat at one distance (Kolakowski 2021, robot against path-loss model)."""
MISS = 0.15
"""Frames missed for no reason of level: 4 to 15 % (Kolakowski 2021); the worse end is taken."""
MARGIN_DB = STILL_DB
"""Kept under the lowest smoothed level: one spread of repeated frames."""
WEAKEST_DBM = -95.0
"""The lowest setting that is suggested: 9 dB over what a narrow-band receiver at 868 MHz makes out (-104 dBm)."""
FALSE_ABSENCE = 0.001
"""The chance (4) that a setting should leave in the worst room."""
_SETTLED = 5
"""Frames after which the smoothed level is trusted."""
_GRID = [-4 + step / 10 for step in range(81)]
_WEIGHTS = [exp(-z * z / 2) / sqrt(2 * pi) / 10 for z in _GRID]


class Reading(NamedTuple):
    """One report of the tag during the walk: its level, None where nothing was heard, and the frames counted."""

    at: Ms
    rssi_dbm: float | None
    heard: int = 1
    expected: int = 1


class Smoother:
    """The level of a tag by a scalar Kalman filter: a mean that wanders, frames that spread about it (1)."""

    __slots__ = ("_at", "_variance", "level_dbm")

    def __init__(self) -> None:
        self.level_dbm: float | None = None
        self._variance, self._at = 0.0, 0

    def take(self, at: Ms, rssi_dbm: float) -> float:
        """The smoothed level with this frame; `at` does not go back."""
        noise = FRAME_DB * FRAME_DB
        if self.level_dbm is None:
            self.level_dbm, self._variance = rssi_dbm, noise
        else:
            self._variance += DRIFT_DB2_S * max(0, at - self._at) / 1000
            gain = self._variance / (self._variance + noise)
            self.level_dbm += gain * (rssi_dbm - self.level_dbm)
            self._variance *= 1 - gain
        self._at = at
        return self.level_dbm


@dataclass(frozen=True, slots=True)
class Room:
    """What the walk showed of one room; levels are None where nothing was heard."""

    name: str
    seconds: float
    heard: int
    expected: int
    mean_dbm: float | None
    lowest_dbm: float | None
    """The lowest smoothed level."""
    spots_db: float
    """How far the spots of the room spread about its mean (2)."""
    held_dbm: float | None
    """The highest setting under which the unit would have held the tag in range all along (3)."""
    silent_s: float
    """The longest stretch without a frame."""
    least_dbm: float | None = None
    """The weakest single frame."""

    @property
    def missed(self) -> float:
        """The share of its frames that were not heard."""
        return 1 - self.heard / self.expected if self.expected else 1.0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The setting that follows from a walk: None where no room can be heard."""

    range_dbm: int | None
    rooms: tuple[Room, ...]
    weakest: Room | None
    """The room that sets it."""
    margin_db: float | None
    """From the weakest room's lowest smoothed level down to the setting."""
    false_absence: dict[str, float]
    """By room: the chance (4) at this setting."""
    weak: tuple[str, ...]
    """Rooms where that chance is over the limit (4): a better place for the unit would help."""
    dead: tuple[str, ...]
    """Rooms that no setting covers (5): put the unit elsewhere, or ask for a second one."""
    outside_heard: float | None = None
    """Where the walk went out of the door: the chance that somebody who stands there is held in range."""


def survey(name: str, readings: Iterable[Reading], *, leave_time_s: float) -> Room:
    """What the unit heard while the tag was walked through a room.

    Raises:
        ValueError: no reading at all, or one dated before the one before it.

    """
    taken = list(readings)
    if not taken:
        raise ValueError(f"room {name}: no report came while it was walked; walk it again with the unit reporting fast")
    if any(later.at < before.at for before, later in zip(taken, taken[1:], strict=False)):
        raise ValueError(f"room {name}: the readings of the walk are not in order of time")
    frames = [(each.at, each.rssi_dbm) for each in taken if each.rssi_dbm is not None and each.heard > 0]
    smoother = Smoother()
    smoothed = [smoother.take(at, level) for at, level in frames]
    levels = [level for _, level in frames]
    own_db2 = pvariance(levels) - STILL_DB * STILL_DB if levels else 0.0
    edges = [taken[0].at, *(at for at, _ in frames), taken[-1].at]
    return Room(
        name=name,
        seconds=(taken[-1].at - taken[0].at) / 1000,
        heard=sum(each.heard for each in taken),
        expected=sum(max(each.expected, each.heard) for each in taken),
        mean_dbm=fmean(levels) if levels else None,
        lowest_dbm=min(smoothed[_SETTLED - 1 :] or smoothed[-1:], default=None),
        spots_db=max(SPOTS_DB, sqrt(max(own_db2, 0.0))),
        held_dbm=_held(frames, round(leave_time_s * 1000)),
        silent_s=max(after - before for before, after in zip(edges, edges[1:], strict=False)) / 1000,
        least_dbm=min(levels, default=None),
    )


def suggest(
    rooms: Sequence[Room],
    *,
    leave_time_s: float,
    frame_s: float,
    outside: Room | None = None,
    false_absence: float = FALSE_ABSENCE,
    weakest_dbm: float = WEAKEST_DBM,
) -> Suggestion:
    """The highest setting that leaves no walked room outside, for a tag that sends every `frame_s` seconds."""
    frames = max(1, floor(leave_time_s / frame_s))
    alive = [room for room in rooms if _audible(room, leave_time_s) and _walked(room) >= weakest_dbm]
    dead = tuple(room.name for room in rooms if room not in alive)
    wanted = {room.name: _setting(room, frames, false_absence, weakest_dbm) for room in alive}
    weakest = min(alive, key=lambda room: (wanted[room.name], _walked(room)), default=None)
    if weakest is None or weakest.lowest_dbm is None:
        return Suggestion(None, tuple(rooms), None, None, {room.name: 1.0 for room in rooms}, (), dead)
    setting = floor(wanted[weakest.name])
    chances = {room.name: chance_unheard(room, setting, frames) for room in rooms}
    return Suggestion(
        range_dbm=setting,
        rooms=tuple(rooms),
        weakest=weakest,
        margin_db=weakest.lowest_dbm - setting,
        false_absence=chances,
        weak=tuple(room.name for room in alive if chances[room.name] > false_absence),
        dead=dead,
        outside_heard=None if outside is None else 1 - chance_unheard(outside, setting, frames),
    )


def chance_unheard(room: Room, range_dbm: float, frames: int) -> float:
    """The chance that of so many frames from one spot of the room none is heard at this setting (2, 4)."""
    if room.mean_dbm is None:
        return 1.0
    above = (range_dbm - room.mean_dbm) / STILL_DB
    steps = [above - z * room.spots_db / STILL_DB for z in _GRID]
    missed = max(MISS, room.missed)
    unheard = (missed + (1 - missed) * _below(step) for step in steps)
    return min(1.0, sum(weight * each**frames for weight, each in zip(_WEIGHTS, unheard, strict=True)))


def _walked(room: Room) -> float:
    """The highest setting that leaves nothing outside of what was walked (3)."""
    if room.lowest_dbm is None or room.held_dbm is None:
        return -inf
    return min(room.lowest_dbm - MARGIN_DB, room.held_dbm)


def _setting(room: Room, frames: int, false_absence: float, weakest_dbm: float) -> float:
    """The highest setting for this room alone, in steps of 0.5 dB, as far down as the receiver allows (3, 4)."""
    setting = _walked(room)
    while setting > weakest_dbm and chance_unheard(room, setting, frames) > false_absence:
        setting = max(weakest_dbm, setting - 0.5)
    return setting


def _audible(room: Room, leave_time_s: float) -> bool:
    """Whether most of the room's frames are heard, and none of its stretches is silent for long (5)."""
    return room.missed <= 0.5 and room.silent_s < leave_time_s / 2


def _held(frames: Sequence[tuple[Ms, float]], leave_ms: Ms) -> float | None:
    """The lowest, over all stretches of a leave time, of the best frame in it."""
    if not frames:
        return None
    last = frames[-1][0]
    bests = [
        max(level for at, level in frames[first:] if at <= begin + leave_ms)
        for first, (begin, _) in enumerate(frames)
        if first == 0 or begin + leave_ms <= last
    ]
    return min(bests)


def _below(z: float) -> float:
    """The standard normal distribution function."""
    return (1 + erf(z / sqrt(2))) / 2
