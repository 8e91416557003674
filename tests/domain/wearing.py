"""What a tag on, off and beside a limb makes a base unit report, for nights that are judged."""

import random
from collections.abc import Callable

from tests.domain.bodies import Where
from tests.support import UnitStory

CHANNELS = ("skin_c", "ambient_c", "motion_mg", "proximity")


def read(where: Where, minutes: float, chance: random.Random, channels: tuple[str, ...] = CHANNELS) -> dict[str, float]:
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
    channels: tuple[str, ...] = CHANNELS, received: Callable[[int], int] = lambda when: when + 2_000,
    spoilt: dict[str, float | None] | None = None,
) -> UnitStory:  # fmt: skip
    """Reports of T-1 at a place; `spoilt` are channels that say something else."""
    chance = random.Random(seed * 1_000_003 + since)
    for when in range(since, until, every_s * 1000):
        story.tell(
            when, "report", tag="T-1", interval_s=every_s, heard=9, expected=10, rssi_dbm=-60, strap="closed",
            battery_pct=90, received=received(when),
            **(read(where, (when - since) / 60_000, chance, channels) | (spoilt or {})),
        )  # fmt: skip
    return story
