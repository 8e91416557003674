"""Small made-up traces of tags: on a leg, under a blanket, on a table, on a prosthesis, in the sun."""

import random
from collections.abc import Callable, Iterable
from math import exp
from typing import Any

from emcheck.domain.body import BodyCheck, Judgement, Sample

BEGIN = 1_774_724_400_000
MINUTE = 60_000
Where = Callable[[float], tuple[float, float, float, float]]
"""Skin side, ambient, share of minutes with motion, and proximity, so many minutes after the place was come to."""


def limb(t: float, *, active: float = 0.93) -> tuple[float, float, float, float]:
    """Warm from the first minutes on, and seldom still."""
    skin = 31.5 - 6 * exp(-t / 5.2)
    return skin, skin - 0.85 * (1 - exp(-t)), active, 0.95


def asleep(t: float) -> tuple[float, float, float, float]:
    """Under a blanket: warm all around, and still for most of the time."""
    return 34.0, 33.5, 0.12, 0.95


def table(t: float) -> tuple[float, float, float, float]:
    """Taken off at 31.5 degC and put down in a room of 22."""
    return (skin := 22 + 9.5 * exp(-t / 9.1)), skin - 0.1, 0.03, 0.03


def sock(t: float) -> tuple[float, float, float, float]:
    """As warm as a limb, and no contact."""
    skin, ambient, motion, _ = limb(t)
    return skin - 0.3, ambient - 0.1, motion, 0.35


def prosthesis(t: float) -> tuple[float, float, float, float]:
    """It walks, and is as cool as the room on both sides."""
    return 23.0, 22.9, 0.8, 0.25


def carbon(t: float) -> tuple[float, float, float, float]:
    """A shank of carbon fibre: it walks and conducts as a leg does, and is as cool as the room."""
    return 23.0, 22.9, 0.8, 0.97


def cool_leg(t: float) -> tuple[float, float, float, float]:
    """Hardly warmer than the room, so that little heat comes through the tag."""
    return 25.0, 24.7, 0.7, 0.96


def bag(t: float) -> tuple[float, float, float, float]:
    """Carried."""
    return 24.5, 24.4, 0.55, 0.05


def near(t: float) -> tuple[float, float, float, float]:
    """Warm and moving as a body is, and nothing touches it: spectacles, a collar."""
    skin, ambient, motion, _ = limb(t)
    return skin, ambient, motion, 0.02


def heat(t: float) -> tuple[float, float, float, float]:
    """In surroundings as warm as a body, still."""
    return 36.5, 36.4, 0.05, 0.5


def trace(
    *places: tuple[Where, float],
    every_s: float = 60,
    seed: int = 1,
    channels: Iterable[str] = ("skin_c", "ambient_c", "motion"),
) -> list[Sample]:
    """Readings of one place after the other, each for so many minutes, with the channels named."""
    chance, samples, kept, at = random.Random(seed), [], set(channels), BEGIN
    for where, minutes in places:
        for n in range(int(minutes * 60 / every_s)):
            skin, ambient, share, proximity = where((n * every_s + 1) / 60)
            moves = chance.random() > (1 - share) ** (every_s / 60)
            read: dict[str, Any] = {
                "skin_c": round(skin + chance.gauss(0, 0.03), 2),
                "ambient_c": round(ambient + chance.gauss(0, 0.03), 2),
                "motion": float(chance.randrange(300, 3000)) if moves else 0.0,
                "proximity": min(1.0, max(0.0, proximity + chance.gauss(0, 0.02))),
            }
            samples.append(Sample(at, **{name: value for name, value in read.items() if name in kept}))
            at += round(every_s * 1000)
    return samples


ALL = ("skin_c", "ambient_c", "motion", "proximity")


def judged(samples: Iterable[Sample], check: BodyCheck | None = None) -> list[Judgement]:
    """What a check says of each."""
    check = check or BodyCheck()
    return [check.take(sample) for sample in samples]


def states(samples: Iterable[Sample], check: BodyCheck | None = None) -> list[str]:
    """The state at each."""
    return [each.state for each in judged(samples, check)]
