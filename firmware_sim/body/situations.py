"""Situations by name: a tag taken from a table to where it then is, and what is done with it there.

`play("prosthesis-foam", seed=1)` gives readings and, with each, what is true. Every place is a situation; those of
`EVENTS` have a story of their own. The first minutes lie on a table, strap open; then the strap is closed.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Literal, NamedTuple

from emcheck.domain.ids import Ms
from emcheck.domain.instants import MINUTE
from firmware_sim.body.motion import ASKED, Motion
from firmware_sim.body.parameters import PARAMETERS, Parameters
from firmware_sim.body.places import PLACES, Truth
from firmware_sim.body.tag_body import BodyReading, SimulatedBody

BEGIN: Ms = 1_774_724_400_000
"""2026-03-28T19:00:00Z, as in the scenarios."""
ON_TABLE_MIN = 3.0
"""A tag lies there before it is put on."""
ABOUT = {
    "put-on": "put on a leg after half an hour on a table",
    "taken-off": "slipped off a leg after two hours, the strap closed, and left on a table",
    "cut": "cut off after two hours and left on a table",
    "lift-off": "a fitting on a leg: lifted off for the test, and put back",
    "day": "a day of wear: seated, about, outdoors, in the sun, the shower, the night",
}


class Act(NamedTuple):
    """What is done, so many minutes after the beginning."""

    at_min: float
    kind: Literal["move", "lift", "back"]
    place: str = ""
    strap: str = "closed"
    motion: Motion | None = None


class Told(NamedTuple):
    """A reading, and what is true."""

    reading: BodyReading
    truth: Truth
    place: str


def known() -> list[str]:
    """Every situation's name."""
    return [*PLACES, *ABOUT]


def acts(situation: str, chance: Random) -> list[Act]:
    """What is done in a situation; ValueError names those that there are."""
    if situation in PLACES:
        return [Act(ON_TABLE_MIN, "move", situation)]
    if situation not in EVENTS:
        raise ValueError(f"no situation {situation!r}; there are {', '.join(known())}")
    return EVENTS[situation](chance)


def play(
    situation: str,
    *,
    seed: int | str,
    every_ms: Ms = MINUTE,
    minutes: float | None = None,
    begin: Ms = BEGIN,
    parameters: Parameters = PARAMETERS,
) -> Iterator[Told]:
    """Readings of a situation, from `begin` on; `minutes` is four hours unless said (a day of a `day`)."""
    doing = acts(situation, Random(f"{seed}/{situation}/acts"))
    lasts = minutes if minutes is not None else 1440.0 if situation == "day" else 240.0
    body = SimulatedBody(seed=f"{seed}/{situation}", at=begin, parameters=parameters)
    yield from perform(body, doing, begin=begin, every_ms=every_ms, minutes=lasts)


def perform(
    body: SimulatedBody, doing: list[Act], *, begin: Ms, every_ms: Ms = MINUTE, minutes: float
) -> Iterator[Told]:
    """Readings while this is done, in its order; what is done at an instant is done before the reading."""
    waiting = [(begin + round(act.at_min * MINUTE), act) for act in doing]
    for at in range(begin, begin + round(minutes * MINUTE), every_ms):
        while waiting and waiting[0][0] <= at:
            when, act = waiting.pop(0)
            do(body, act, when)
        yield Told(body.reading(at), body.truth, body.place.name)


def do(body: SimulatedBody, act: Act, at: Ms) -> None:
    """Do it."""
    if act.kind == "lift":
        body.lift(at)
    elif act.kind == "back":
        body.put_back(at)
    else:
        body.move_to(act.place, at, strap=act.strap, motion=act.motion)


def removal(to: str, *, worn_min: float = 120.0, strap: str = "closed", worn: str = "skin") -> list[Act]:
    """Worn at first, then off the leg: slipped off with the strap closed, or cut; by way of a hand."""
    return [
        Act(0, "move", worn),
        Act(worn_min, "move", "held", strap, ASKED),
        Act(worn_min + 0.5, "move", to, strap),
    ]


def put_on(doing: list[Act]) -> list[Act]:
    """The same, but put on at first: closed on the leg at `ON_TABLE_MIN`, after the table and a hand."""
    closed = [Act(-1, "move", "held", "open"), doing[0]._replace(strap="closed", motion=ASKED)]
    return [act._replace(at_min=act.at_min + ON_TABLE_MIN) for act in (*closed, *doing[1:])]


def fitting(place: str, chance: Random) -> list[Act]:
    """A fitter's visit: handled, closed on `place`, lifted off for the test after half a minute, and put back.

    The strap closes at `ON_TABLE_MIN`; the leg is moved as the fitter asks for.
    """
    lift = ON_TABLE_MIN + chance.uniform(0.4, 0.8)
    return [
        Act(ON_TABLE_MIN - chance.uniform(0.5, 1.5), "move", "held", "open"),
        Act(ON_TABLE_MIN, "move", place, "closed", ASKED),
        Act(lift, "lift"),
        Act(lift + chance.uniform(8, 15) / 60, "back"),
    ]


def day(chance: Random) -> list[Act]:
    """A day and its night, from the morning on; some have a shower, a walk, the sun, a hot bottle, a cold evening."""
    doing = [Act(0, "move", "skin")]
    at = chance.uniform(20, 60)
    if chance.random() < 0.7:
        doing += [Act(at, "move", "shower"), Act(at + chance.uniform(4, 12), "move", "wet")]
        doing.append(Act(doing[-1].at_min + chance.uniform(25, 60), "move", "skin"))
        at = doing[-1].at_min
    while (at := at + chance.uniform(30, 150)) < 840:
        somewhere = chance.choice(("outdoors", "outdoors", "in-sun", "cold-feet", "hot-room", "loose-strap"))
        stays = chance.uniform(10, 70)
        doing += [Act(at, "move", somewhere), Act(at + stays, "move", "skin")]
        at += stays
    bed = chance.uniform(840, 960)
    doing = [act for act in doing if act.at_min < bed]
    night = "in-bed-with-bottle" if chance.random() < 0.05 else "in-bed"
    doing += [Act(bed, "move", night), Act(bed + 60, "move", "in-bed")]
    doing.append(Act(bed + chance.uniform(400, 480), "move", "skin"))
    return doing


EVENTS: dict[str, Callable[[Random], list[Act]]] = {
    "put-on": lambda _: [Act(30, "move", "skin")],
    "taken-off": lambda _: removal("table"),
    "cut": lambda _: removal("table", strap="cut"),
    "lift-off": lambda chance: fitting("skin", chance),
    "day": day,
}
