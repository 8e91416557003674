"""The body check on the simulator (firmware_sim/body): fittings, removals and days of wear, by situation.

1. A fitting: a reading a second; from the strap's closing on five minutes, with a lift-off test that the check is told
   of. Validated: `attached` after the tag was put back. The fitter has two minutes.
2. A removal: worn for two hours, a reading every 30 s, then slipped off with the strap closed. Noticed: the first
   `detached` after it, within an hour.
3. A day of wear: a reading a minute; each episode of `detached` is a false one.
4. A tag of the second kind has no proximity: what temperature and motion do alone.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import inf
from random import Random
from typing import NamedTuple

from bench.body.intervals import at_most, quantile, rate, share
from bench.figures import Figure
from bench.progress import Say
from emcheck.domain.body import ATTACHED, DETACHED, BodyCheck, Sample
from emcheck.domain.instants import MINUTE, SECOND
from firmware_sim.body import BodyReading, SimulatedBody, do, fitting, perform, play, removal
from firmware_sim.body.situations import BEGIN, ON_TABLE_MIN

FITTERS_S = 120.0
FITTED_MIN = 5.0
WORN_MIN, OFF_MIN = 120.0, 60.0
REMOVALS_A_SEED = 10
DAYS_A_SEED = 12
LEGS = ("skin", "cold-feet", "hot-room")
NOT_LEGS = (
    "sock",
    "bandage",
    "prosthesis-foam",
    "prosthesis-socket",
    "prosthesis-sock",
    "prosthesis-hand-warmed",
    "prosthesis-heat-pack",
    "table",
    "bag",
)
BY_EYE = ("prosthesis-carbon", "metal-post", "bed-post", "shoe", "hot-bottle")
"""Not among the issue's: conductors, and what is warm or half close. No target; they show where eyes are needed."""
TO = ("table", "bag", "warm-bed", "sun", "bed-post", "prosthesis-foam", "shoe", "hot-bottle", "car")
CLOTH_READS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is simulated."""

    seeds: int = 20
    fittings: int = 1000
    swept: int = 100


class Fitted(NamedTuple):
    """When a fitting was validated, in seconds after the strap was closed; infinite: never."""

    validated_s: float


@dataclass(slots=True)
class Removals:
    """Of one destination: minutes until noticed (infinite: not in the hour), and how often it was called attached."""

    noticed_min: list[float] = field(default_factory=list)
    attached_after: int = 0


def _sample(reading: BodyReading, *, proximity: bool = True) -> Sample:
    sample = Sample(*reading)
    return sample if proximity else sample._replace(proximity=None)


def fit(place: str, seed: int | str, *, closeness: float | None = None) -> Fitted:
    """Clause 1; with `closeness`, the place reads as close as that."""
    acts = fitting(place, Random(f"{seed}/{place}/fitting"))
    closed = BEGIN + round(ON_TABLE_MIN * MINUTE)
    lifts, backs = (next(BEGIN + round(a.at_min * MINUTE) for a in acts if a.kind == kind) for kind in ("lift", "back"))
    body = SimulatedBody(seed=f"{seed}/{place}", at=BEGIN, place="table")
    check, waiting = BodyCheck(), [(BEGIN + round(act.at_min * MINUTE), act) for act in acts]
    for at in range(BEGIN, closed + round(FITTED_MIN * MINUTE), SECOND):
        while waiting and waiting[0][0] <= at:
            when, act = waiting.pop(0)
            do(body, act, when)
            if act.kind == "move" and act.place == place and closeness is not None:
                body.place = replace(body.place, closeness=closeness)
        state = check.take(_sample(body.reading(at)), lifted=lifts <= at < backs).state
        if at >= backs and state == ATTACHED:
            return Fitted((at - closed) / SECOND)
    return Fitted(inf)


def fittings(size: Size, say: Say) -> Iterator[Figure]:
    """Clause 1, by place."""
    group = f"fittings, {size.fittings:,} of each (simulated): validated within 2 min; median, longest"
    for place in (*LEGS, *NOT_LEGS, *BY_EYE):
        say(f"fitting {size.fittings:,} tags: {place}")
        took = [fit(place, seed).validated_s for seed in range(size.fittings)]
        yield _legs(group, place, took) if place in LEGS else _never(group, place, took)


def _legs(group: str, place: str, took: list[float]) -> Figure:
    soon = sum(each <= FITTERS_S for each in took)
    low, high = share(soon, len(took))
    ever = sum(each < inf for each in took)
    _, middle, _ = quantile(took, 0.5)
    text = f"{soon / len(took):.1%} ({low:.1%} to {high:.1%}); {middle:.0f} s; in 5 min {ever / len(took):.1%}"
    target = "median under 120 s" if place == "skin" else ""
    return Figure(
        group=group,
        what=f"on a living limb: {place}",
        value=middle,
        text=text,
        target=target,
        reached=middle < FITTERS_S if target else None,
    )


def _never(group: str, place: str, took: list[float]) -> Figure:
    """How many were validated at all, and what that proves."""
    wrong = sum(each < inf for each in took)
    text = f"{wrong:,} validated in 5 min (true share at most {at_most(wrong, len(took)):.2%} at 95 %)"
    target = "never" if place in NOT_LEGS else ""
    return Figure(
        group=group,
        what=f"not on skin: {place}",
        value=float(wrong),
        text=text,
        target=target,
        reached=wrong == 0 if target else None,
    )


def sweep(size: Size, say: Say) -> Iterator[Figure]:
    """What a tag over cloth would have to read to be taken for skin: nobody has published what it reads."""
    group = f"over a sock on a leg, by how close it reads (1 is skin), {size.swept} fittings of each (swept)"
    for closeness in CLOTH_READS:
        say(f"sweeping contact over cloth: {closeness:g}")
        took = [fit("sock", f"swept/{seed}", closeness=closeness).validated_s for seed in range(size.swept)]
        wrong = sum(each < inf for each in took)
        low, high = share(wrong, size.swept)
        text = f"{wrong / size.swept:.0%} validated ({low:.0%} to {high:.0%})"
        yield Figure(group=group, what=f"reads {closeness:g}", value=wrong / size.swept, text=text)


def remove(to: str, seed: str, *, proximity: bool) -> tuple[float, bool]:
    """Clause 2: minutes until noticed, and whether it was called attached a quarter of an hour after."""
    body = SimulatedBody(seed=seed, at=BEGIN, place="skin", strap="closed")
    check, left = BodyCheck(), BEGIN + round(WORN_MIN * MINUTE)
    late = False
    told = perform(body, removal(to, worn_min=WORN_MIN), begin=BEGIN, every_ms=30 * SECOND, minutes=WORN_MIN + OFF_MIN)
    for reading, _, _ in told:
        state = check.take(_sample(reading, proximity=proximity)).state
        late = late or (state == ATTACHED and reading.at >= left + 15 * MINUTE)
        if state == DETACHED and reading.at >= left:
            return (reading.at - left) / MINUTE, late
    return inf, late


def removals(size: Size, say: Say) -> Iterator[Figure]:
    """Clause 2, by destination and kind of tag."""
    number = size.seeds * REMOVALS_A_SEED
    for proximity in (True, False):
        kind = "tag with proximity" if proximity else "tag without"
        group = f"slipped off, strap closed, {number} of each (simulated), {kind}: in 10 and 20 min; median; 95 %"
        for to in TO:
            say(f"removing {number} tags: to {to}, {kind}")
            done = [remove(to, f"{n}/{to}/removal", proximity=proximity) for n in range(number)]
            yield _noticed(group, to, [each for each, _ in done], sum(late for _, late in done), proximity=proximity)


def _noticed(group: str, to: str, after: list[float], late: int, *, proximity: bool) -> Figure:
    ten, twenty = (sum(each <= limit for each in after) / len(after) for limit in (10, 20))
    low, middle, high = quantile(after, 0.5)
    _, most, _ = quantile(after, 0.95)
    text = f"{ten:.0%}, {twenty:.0%}; {_min(middle)} ({_min(low)} to {_min(high)}); {_min(most)}"
    if late:
        text += f"; {late} still attached after 15 min"
    target = "10 min, 20 min" if to == "table" and proximity else ""
    return Figure(
        group=group,
        what=f"to: {to}",
        value=middle,
        text=text,
        target=target,
        reached=(middle <= 10 and most <= 20) if target else None,
    )


def _min(minutes: float) -> str:
    return "over 60 min" if minutes == inf else f"{minutes:.1f} min"


def days(size: Size, say: Say) -> Iterator[Figure]:
    """Clause 3."""
    for proximity in (True, False):
        kind = "tag with proximity" if proximity else "tag without"
        group = f"worn, {size.seeds * DAYS_A_SEED} days of as many people (simulated), {kind}"
        say(f"wearing tags for {size.seeds * DAYS_A_SEED} days, {kind}")
        places, uncertain, readings = Counter[str](), 0, 0
        for n in range(size.seeds * DAYS_A_SEED):
            check, before = BodyCheck(), ""
            for reading, _, place in play("day", seed=f"worn/{n}"):
                state = check.take(_sample(reading, proximity=proximity)).state
                places[place] += state == DETACHED != before
                uncertain += state != ATTACHED
                readings += 1
                before = state
        worn = readings / 1440
        false = sum(places.values())
        low, high = rate(false, worn)
        where = ", ".join(f"{n} {place}" for place, n in places.most_common() if n)
        text = f"{false / worn:.3f} a worn day ({low:.3f} to {high:.3f})" + (f": {where}" if where else "")
        yield Figure(
            group=group,
            what="false detached",
            value=false / worn,
            text=text,
            target="at most 0.02 a worn day",
            reached=false / worn <= 0.02,
        )
        yield Figure(group=group, what="not attached", value=uncertain / readings, text=f"{uncertain / readings:.1%} of minutes")


def everywhere(size: Size, say: Say) -> Iterator[Figure]:
    """What is said of each place half an hour after the tag came there."""
    from firmware_sim.body import PLACES

    group = f"each place for 4 h, {size.seeds} tags with proximity (simulated): attached, uncertain, detached of minutes"
    say("every place for four hours")
    since = BEGIN + round((ON_TABLE_MIN + 30) * MINUTE)
    for place in PLACES:
        said = Counter[str]()
        for seed in range(size.seeds):
            check = BodyCheck()
            for reading, _, _ in play(place, seed=f"every/{seed}"):
                state = check.take(_sample(reading)).state
                said[state] += reading.at >= since
        total = said.total()
        yes, no = said[ATTACHED] / total, said[DETACHED] / total
        text = f"{yes:.0%}, {1 - yes - no:.0%}, {no:.0%}"
        yield Figure(group=group, what=place, value=yes, text=text)


def figures(size: Size, say: Say) -> Iterator[Figure]:
    """All of them."""
    yield from fittings(size, say)
    yield from sweep(size, say)
    yield from removals(size, say)
    yield from days(size, say)
    yield from everywhere(size, say)
