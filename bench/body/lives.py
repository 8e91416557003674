"""Simulated days of wear with removals, a reading a minute and labelled: a set as the wrists are, of known truth.

A removal lasts 5 min to 6 h (log-uniform, as implants.py has it), one a day on average, strap closed, to one of the
destinations that simulated.py names; then the tag is back where the day had it.
"""

from collections.abc import Callable, Iterator
from random import Random

from bench.body.implants import LONGEST_MIN, SHORTEST_MIN
from bench.body.records import Record
from bench.body.reference import OFF, WORN
from emcheck.domain.body import Sample
from firmware_sim.body import ON_LIMB, Act, SimulatedBody, perform
from firmware_sim.body.situations import BEGIN, day, removal

DAYS = 3
DAY_MIN = 1440.0
_CLEAR_MIN = 90.0
"""Before and after a removal the tag is worn for so long at least."""


Tag = Callable[[str, str], SimulatedBody]
"""A simulated tag of a seed, at a place."""


def lives(people: int, destinations: tuple[str, ...], tag: Tag) -> list[Record]:
    """One recording a person."""
    return [_life(f"life/{person}", destinations, tag) for person in range(people)]


def _life(seed: str, destinations: tuple[str, ...], tag: Tag) -> Record:
    chance = Random(seed)
    doing = [act._replace(at_min=act.at_min + n * DAY_MIN) for n in range(DAYS) for act in day(chance)]
    for since, lasts in _removals(chance):
        doing = list(_with_removal(doing, since, since + lasts, chance.choice(destinations)))
    body = tag(seed, "skin")
    samples, marks = [], []
    for reading, truth, _ in perform(body, doing, begin=BEGIN, minutes=DAYS * DAY_MIN):
        samples.append(Sample(*reading))
        marks.append(WORN if truth in ON_LIMB else OFF)
    return Record(seed, "simulated", samples, marks)


def _removals(chance: Random) -> Iterator[tuple[float, float]]:
    at = 0.0
    while (at := at + _CLEAR_MIN + chance.expovariate(1 / DAY_MIN)) < DAYS * DAY_MIN - LONGEST_MIN - _CLEAR_MIN:
        lasts = SHORTEST_MIN * (LONGEST_MIN / SHORTEST_MIN) ** chance.random()
        yield at, lasts
        at += lasts


def _with_removal(doing: list[Act], since: float, until: float, to: str) -> Iterator[Act]:
    """The acts with a removal in their midst; what would have happened meanwhile is left out but for where it ends."""
    meanwhile = [act for act in doing if act.at_min <= until]
    yield from (act for act in doing if act.at_min < since)
    yield from (act._replace(at_min=act.at_min + since) for act in removal(to, worn_min=0.0) if act.place != "skin")
    yield meanwhile[-1]._replace(at_min=until)
    yield from (act for act in doing if act.at_min > until)
