"""Radio between a tag and a base unit: log-distance path loss, walls, body, shadowing, misses, collisions.

Numbers come from measurements on people and in buildings: Obiri and Van Laerhoven (868 MHz, indoors),
Kolakowski (BLE in a furnished flat, carried and by robot), Ng (BLE between bodies). They are rounded
inwards; a scenario may change none of them, a seed draws within them.
"""

from dataclasses import dataclass
from math import log10
from random import Random
from typing import NamedTuple

TAG_POWER_DBM = 0.0
"""An ankle tag that lives for months on a coin cell."""
LOSS_AT_1M_DB = 31.2
"""Free space at 868 MHz over one metre."""
EXPONENT = (3.2, 3.6)
"""Indoor path-loss exponent at 868 MHz (Obiri); a flat at 2.4 GHz has 2.1 to 4.0 (Kolakowski)."""
BRICK_DB = (8.5, 9.7)
"""One brick wall at 868 MHz (Obiri)."""
WOOD_DB = (2.6, 3.0)
"""One wooden wall or door at 868 MHz (Obiri)."""
EXIT_DB = (14.0, 31.0)
"""From inside to outside: old walls to insulated ones with coated panes."""
BODY_DB = 6.6
"""The carrier stands between tag and receiver (mean over a walk, Kolakowski; Ng shows the same for a pocket)."""
SHADOWING_DB = 6.9
"""Spread between places at one distance: furniture, pipes (Kolakowski, robot against model)."""
STILL_DB = 3.3
"""Spread of repeated frames from one place (Kolakowski)."""
AWAKE_DB = 4.5
"""The same where the carrier shifts about: between still and a fast walk (3.7 to 4.6 dB, Kolakowski)."""
MISS = (0.04, 0.15)
"""Frames missed for no reason of level (Kolakowski)."""
SENSITIVITY_DBM = -104.0
"""A narrow-band FSK receiver at 868 MHz."""
AIRTIME_MS = 20
"""Two frames closer than this spoil each other; one frame of about 30 bytes at 12.5 kbit/s."""
WALK_M_S = 1.4
"""How fast somebody who leaves gets away from the door."""
MARGIN_DB = 11
"""The fitter's walk test sets the range this far below the weakest permitted room: 2.5 x the awake spread."""
WEAKEST_ROOM_DBM = -81.0
"""A unit that hears a room worse than this is put elsewhere: else the range would reach down the street."""
DOOR_M = 6.0
"""From the unit to the front door."""


class Path(NamedTuple):
    """What lies between a room and the unit."""

    room: str
    distance_m: float
    brick_walls: int
    wood_walls: int


ROOMS = (
    Path("living room", 2.5, 0, 0),
    Path("hall", 4.0, 0, 1),
    Path("kitchen", 5.5, 0, 2),
    Path("bathroom", 6.0, 1, 1),
    Path("bedroom", 7.0, 1, 0),
)
BEDROOM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A base unit where the fitter put it: mean level of each room, and what the walk test made of it."""

    rooms_dbm: tuple[float, ...]
    door_dbm: float
    exponent: float
    miss: float
    range_dbm: int

    def street_dbm(self, since_door_ms: int) -> float:
        """Mean level of a tag whose wearer went out of the door this long ago and walks on."""
        distance_m = DOOR_M + WALK_M_S * since_door_ms / 1000
        return self.door_dbm - 10 * self.exponent * log10(distance_m / DOOR_M)


def survey(rng: Random) -> Site:
    """Place a unit in a home and walk every room; places that leave a room dead are tried again elsewhere."""
    exponent = rng.uniform(*EXPONENT)
    for _ in range(50):
        levels = [_room_dbm(path, exponent, rng) for path in ROOMS]
        if min(levels) >= WEAKEST_ROOM_DBM:
            break
    levels = [max(level, WEAKEST_ROOM_DBM) for level in levels]
    outside = rng.uniform(*EXIT_DB) + BODY_DB + LOSS_AT_1M_DB + 10 * exponent * log10(DOOR_M)
    return Site(
        rooms_dbm=tuple(levels),
        door_dbm=TAG_POWER_DBM - outside,
        exponent=exponent,
        miss=rng.uniform(*MISS),
        range_dbm=int(min(levels)) - MARGIN_DB,
    )


def _room_dbm(path: Path, exponent: float, rng: Random) -> float:
    """Mean level of a room with the carrier's body in the way: the walk test is done with the tag worn."""
    walls_db = path.brick_walls * rng.uniform(*BRICK_DB) + path.wood_walls * rng.uniform(*WOOD_DB)
    distance_db = LOSS_AT_1M_DB + 10 * exponent * log10(path.distance_m)
    return TAG_POWER_DBM - distance_db - walls_db - BODY_DB + rng.gauss(0, SHADOWING_DB)


def receive(mean_dbm: float, spread_db: float, miss: float, rng: Random) -> float | None:
    """The level at which one frame is received, or None where it is not."""
    level = rng.gauss(mean_dbm, spread_db)
    return None if level < SENSITIVITY_DBM or rng.random() < miss else level
