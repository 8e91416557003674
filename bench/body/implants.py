"""Removals put into real wrists: a labelled set, for nobody wrote down when these were off.

From a worn minute on, the skin side cools to the room as a removed watch does, the outward one with it, and motion
stops; then the real trace goes on, warming as a watch put on does. Figures as in data/README: cooling 9.1 min (5.1 to
11.6), warming 5.2 (2.6 to 12.7), motionless 94 to 98 % of minutes. Not known, and so swept: the room (16 to 31 degC),
how fast the gap closes (0.5 to 2.5 min), which side is left cooler for a while (-0.6 to +0.2 degC), and the bias
(+0.28 +- 0.17 on half of the wrists).
"""

import random
from math import exp

from bench.body.records import Record
from bench.body.reference import OFF, UNCLEAR, WORN, bias_of, labels
from emcheck.domain.body import Sample

SHORTEST_MIN, LONGEST_MIN = 5, 360
_APART_MIN = 120
_NOISE_C = 0.03


def implanted(record: Record, seed: int, *, a_day: float = 1.0, shifted: bool = False) -> Record:
    """The recording with removals of 5 min to 6 h, log-uniform, and its labels; the same for the same seed."""
    chance = random.Random(f"{record.name} {seed}")
    marks = labels(record.samples)
    bias = bias_of(record.samples)
    samples = list(record.samples)
    for _ in range(round(a_day * len(samples) / 1440)):
        length = round(SHORTEST_MIN * (LONGEST_MIN / SHORTEST_MIN) ** chance.random())
        for _ in range(50):
            at = chance.randrange(_APART_MIN, max(_APART_MIN + 1, len(samples) - length - _APART_MIN))
            if all(mark == WORN for mark in marks[at - _APART_MIN : at + length + _APART_MIN]):
                _remove(samples, record.samples, at, length, bias, chance)
                marks[at : at + length] = [OFF] * length
                break
    if shifted:
        by = chance.gauss(0.28, 0.17) - bias
        samples = [s._replace(ambient_c=round((s.ambient_c or 0.0) - by, 2)) for s in samples]
    return Record(record.name, record.device, samples, marks)


def _remove(
    samples: list[Sample], real: list[Sample], at: int, length: int, bias: float, chance: random.Random
) -> None:
    cooling = min(14.0, max(4.0, chance.gauss(9.1, 1.9)))
    warming = min(13.0, max(2.6, chance.gauss(5.2, 1.8)))
    closing, under = chance.uniform(0.5, 2.5), chance.uniform(-0.6, 0.2)
    still = chance.uniform(0.94, 0.98)
    skin, gap = real[at].skin_c or 0.0, (real[at].skin_c or 0.0) - (real[at].ambient_c or 0.0)
    room = min(chance.uniform(16, 31), (real[at].ambient_c or 30.0) - 0.5)
    for n in range(length):
        was, t = samples[at + n], n + 0.5
        cool = room + (skin - room) * exp(-t / cooling) + chance.gauss(0, _NOISE_C)
        rest = bias + (gap - bias) * exp(-t / closing) + under * (exp(-t / 7) - exp(-t / closing))
        handled = n == 0 or (n == 1 and chance.random() < 0.3)
        motion = was.motion if handled else chance.choice([6.0, 13.0, 40.0, 900.0]) if chance.random() > still else 0.0
        samples[at + n] = was._replace(
            skin_c=round(cool, 2), ambient_c=round(cool - rest + chance.gauss(0, _NOISE_C), 2), motion=motion
        )
    last = samples[at + length - 1]
    for n in range(min(60, len(samples) - at - length)):
        was, t = real[at + length + n], n + 0.5
        behind = exp(-t / warming)
        of_skin = (was.skin_c or 0.0) + ((last.skin_c or 0.0) - (was.skin_c or 0.0)) * behind
        gap = (was.skin_c or 0.0) - (was.ambient_c or 0.0)
        of_gap = gap + 0.6 * behind - (gap - bias) * exp(-t / 0.4)
        motion = max(was.motion or 0.0, 800.0) if n == 0 else was.motion
        samples[at + length + n] = was._replace(
            skin_c=round(of_skin, 2), ambient_c=round(of_skin - of_gap, 2), motion=motion
        )


__all__ = ["OFF", "UNCLEAR", "WORN", "implanted"]
