"""What a tag on, off and beside a limb makes a base unit report, for nights that are judged."""

import random
from collections.abc import Sequence
from typing import Any, Protocol

from emcheck.domain.instants import HOUR, MINUTE, format_ms
from emcheck.domain.register import Register
from tests.domain.bodies import Where, asleep, limb, prosthesis, sock, table
from tests.support import UnitStory, at, order, register

CHANNELS = ("skin_c", "ambient_c", "motion_mg", "proximity")
_WHAT = (
    "wear",
    "wear",
    "wear",
    "wear",
    "skips",
    "periodic",
    "reboots",
    "tamper",
    "offset",
    "pause",
    "beats",
    "older",
    "tags",
)


def read(where: Where, minutes: float, chance: random.Random, channels: tuple[str, ...] = CHANNELS) -> dict[str, Any]:
    """The body channels of a report, so many minutes after the tag came to a place."""
    skin, ambient, moving, contact = where(minutes)
    said = {
        "skin_c": round(skin + chance.gauss(0, 0.05), 2),
        "ambient_c": round(ambient + chance.gauss(0, 0.05), 2),
        "motion_mg": float(round(chance.uniform(200, 900))) if chance.random() < moving else 0.0,
        "proximity": round(min(1.0, max(0.0, contact + chance.gauss(0, 0.02))), 2),
    }
    return {name: said[name] for name in channels}


def wears(
    story: UnitStory, where: Where, since: int, until: int, *, seed: int = 0, every_s: int = 60,
    channels: tuple[str, ...] = CHANNELS, late: int = 2_000, spoilt: dict[str, Any] | None = None,
) -> UnitStory:  # fmt: skip
    """Reports of T-1 at a place, each received `late` ms after its time; `spoilt` is what they say otherwise."""
    chance = random.Random(seed * 1_000_003 + since)
    for when in range(since, until, every_s * 1000):
        said = {"strap": "closed"} | read(where, (when - since) / MINUTE, chance, channels) | (spoilt or {})
        story.tell(when, "report", tag="T-1", interval_s=every_s, heard=9, expected=10, received=when + late, **said)
    return story


def restless(seed: int, unit: str, *, steps: int, delays: bool = False) -> UnitStory:
    """A night of a tag that goes from place to place, told with holes, reboots, a wrong clock and a clone."""
    chance = random.Random(seed)
    first, boots, now = f"01JD00{unit[-1]}{'0' * 19}", 0, at("18:00")
    told = UnitStory(unit, boot=first).boots(now, boot_n=0)
    channels = chance.choice([CHANNELS, CHANNELS[:3], CHANNELS[:2], CHANNELS[2:3], CHANNELS[2:]])
    for _ in range(steps):
        now += chance.randrange(1, 900) * 1000
        late = chance.choice([2, 2, 2, 90, 3600]) * 1000 if delays else 2_000
        what = chance.choice(_WHAT)
        if what == "wear":
            tells = chance.choice([channels, channels, channels, channels, ()])
            until = now + chance.choice([5, 10, 25, 40]) * MINUTE + (0 if tells else 30 * MINUTE)
            wears(
                told, chance.choice([limb, table, asleep, prosthesis, sock]), now, until, seed=seed,
                every_s=chance.choice([60, 60, 30, 300]), channels=tells, late=late,
                spoilt=chance.choice([None, None, None, None, *_SPOILT]) if tells else None,
            )  # fmt: skip
            now = until
        elif what == "skips":
            told.skips(2)
        elif what == "periodic":
            told.skips(1)
            number = {"from": told.seq, "to": told.seq}
            told.tell(now, "lost", boot=told.boot, periodic_only=chance.random() < 0.7, **number)
        elif what == "reboots":
            boots += 1
            before = {"prev_boot": told.boot, "prev_last_seq": told.seq + chance.choice([0, 0, 1])}
            numbered = {"boot_n": boots} if chance.random() < 0.8 else {}
            said: dict[str, Any] = numbered | (before if chance.random() < 0.6 else {})
            told.reboots(now, f"01JD00{unit[-1]}{boots:02}{'0' * 17}", **said)
        elif what == "older" and boots:
            boot, seq = told.boot, told.seq
            told.boot, told.seq = first, 5000 + chance.randrange(5)
            wears(told, limb, now, now + 3 * MINUTE, channels=channels)
            told.boot, told.seq = boot, seq
        elif what == "beats":
            told.beats(now, now + 10 * MINUTE)
            now += 10 * MINUTE
        else:
            now += _turn(told, what, now, chance)
    return told


_SPOILT: list[dict[str, Any]] = [{"skin_c": None}, {"skin_c": 80.0}, {"proximity": 7.0}, {"skin_c": 22.0}]
"""A sensor that is silent, impossible, or frozen."""


def _turn(told: UnitStory, what: str, now: int, chance: random.Random) -> int:
    """A strap, a clock, a state; or how long nothing comes, in ms."""
    if what == "tamper":
        ago = chance.choice([0, 400_000, 4_000_000])
        told.tell(now - ago, "tag_tamper", tag="T-1", kind="strap_open", received=now)
    elif what == "offset":
        told.tell(now, "unit_status", power="mains", clock_offset_ms=chance.choice([-45_000, 5, 60_000]))
    elif what == "tags":
        told.tell(now, "unit_status", power="mains", tags={"T-1": chance.choice(["in", "out"])})
    return chance.choice([10, 30, 83]) * MINUTE if what in ("pause", "older") else 0


class Restless(Protocol):
    """A time of a tag on and off a limb, as a register and what its units tell."""

    def __call__(self, seed: int, *, steps: int, delays: bool = False) -> tuple[Register, list[UnitStory]]:
        """The same for the same seed; `delays`: some of it comes late."""


def restless_night(seed: int, *, steps: int, delays: bool = False) -> tuple[Register, list[UnitStory]]:
    """Of one unit or two, with a bias that was measured or not, and perhaps a fitter who comes in the night."""
    chance = random.Random(seed)
    units = chance.choice([("BU-0001",), ("BU-0001", "BU-0002")])
    fitting: dict[str, Any] = {
        "tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated",
        "body_bias_c": chance.choice([None, 0.1]),
    }  # fmt: skip
    fittings = [fitting]
    if chance.random() < 0.3:
        visit = format_ms(at("18:00") + chance.randrange(1, 180) * MINUTE)
        fittings = [fitting | {"removed_at": visit}, fitting | {"fitted_at": visit}]
    known = register(order(atv_allowance_min=30), units=units, fittings=fittings)
    told = [restless(seed * 7 + number, unit, steps=steps, delays=delays) for number, unit in enumerate(units)]
    return known, told


def restless_days(seed: int, *, steps: int, delays: bool = False) -> tuple[Register, list[UnitStory]]:
    """Days of a tag that tells motion alone: it moves, or is still, for hours; holes, reboots, and a fitter's visit."""
    chance = random.Random(seed)
    units = chance.choice([("BU-0001",), ("BU-0001", "BU-0002")])
    fitting: dict[str, Any] = {
        "tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated",
    }  # fmt: skip
    fittings = [fitting]
    if chance.random() < 0.5:
        visit = format_ms(at("18:00") + chance.randrange(1, 20 * steps) * HOUR)
        fittings = [fitting | {"removed_at": visit}, fitting | {"fitted_at": visit}]
    known = register(order(atv_allowance_min=30), units=units, fittings=fittings)
    places: list[Where] = [limb, table]
    where = [(chance.choice(places), chance.randrange(2, 36) * HOUR) for _ in range(steps)]
    return known, [_days(seed * 7 + number, unit, where, delays=delays) for number, unit in enumerate(units)]


def _days(seed: int, unit: str, where: Sequence[tuple[Where, int]], *, delays: bool) -> UnitStory:
    chance = random.Random(seed)
    first, now = f"01JD00{unit[-1]}{'0' * 19}", at("18:00")
    told = UnitStory(unit, boot=first).boots(now, boot_n=0, heartbeat_s=300)
    for boots, (place, lasts_ms) in enumerate(where, start=1):
        late = chance.choice([2, 2, 2, 90, 3600, 100_000]) * 1000 if delays else 2_000
        what = chance.choice(["", "", "skips", "reboots", "pause", "beats"])
        since, until = now, now + lasts_ms
        if what == "skips":
            told.skips(2)
        elif what == "reboots":
            told.reboots(now, f"01JD00{unit[-1]}{boots:02}{'0' * 17}", boot_n=boots, heartbeat_s=300)
        elif what == "pause":
            since += chance.choice([10, 83, 300]) * MINUTE
        elif what == "beats":
            told.beats(now, now + HOUR, every_s=600)
        still = {"motion_mg": 0.0} if place is table else None
        wears(
            told, place, since, until, seed=seed, every_s=600, channels=("motion_mg",), late=late, spoilt=still
        )  # fmt: skip
        now = until
    return told
