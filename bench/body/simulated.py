"""The body check on the simulator (firmware_sim/body): fittings, removals and days of wear, by situation.

1. A fitting, as emcheck/domain/fitting/limb_check.py judges it: a reading a second; a check of its own from the strap's
   closing on, for five minutes, with a lift-off test that it is told of. Validated: the sensor said no while held off,
   the skin side has warmed by `fitting.body.rise_min_c`, and the tag is `attached` after it was put back. The wearer
   moves. The fitter has two minutes.
2. A removal: put on, worn for two hours, a reading every 30 s, then slipped off with the strap closed. Noticed: the
   first `detached` after it, within an hour; or asked about: `body.not_attached`, class `unsure`.
3. A day of wear from putting on: a reading a minute; each stretch from `detached` until `attached` is a false one, and
   a false alert where it lasts for `body.not_attached.alert_after_s`; asked about, as in 2, accuses nobody.
4. Three kinds of tag: with proximity; without, so that temperature and motion are all there is; and such a tag whose
   bias was measured at its fitting.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from random import Random
from statistics import median
from typing import NamedTuple

from bench.body.intervals import at_most, quantile, rate, share
from bench.body.sections import Row, Section, ranged
from bench.progress import Say
from emcheck.domain.body import ATTACHED, DETACHED, UNCERTAIN, BodyCheck, Sample
from emcheck.domain.body.contact import NO_BELOW
from emcheck.domain.defaults import RULES
from emcheck.domain.instants import MINUTE, SECOND
from emcheck.domain.touching import Spell
from firmware_sim.body import (
    PARAMETERS,
    PLACES,
    BodyReading,
    SimulatedBody,
    do,
    fitting,
    perform,
    play,
    removal,
    shaken,
)
from firmware_sim.body.situations import BEGIN, ON_TABLE_MIN, day, put_on

FITTERS_S = 120.0
FITTED_MIN = 5.0
ALERT_MS = round(float(RULES["body.not_attached.alert_after_s"].value)) * SECOND
UNSURE_MS = round(float(RULES["body.not_attached.unsure_after_s"].value)) * SECOND
UNTOUCHED_MS = round(float(RULES["body.not_attached.untouched_after_s"].value)) * SECOND
RISE_MIN_C = float(RULES["fitting.body.rise_min_c"].value)
WORN_MIN, OFF_MIN, ASKED_MIN = 120.0, 60.0, 150.0
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
BY_EYE = ("prosthesis-carbon", "prosthesis-carbon-heat-pack", "metal-post", "bed-post", "shoe", "hot-bottle")
"""Not among the issue's: conductors, and what is warm or half close. No target; they show where eyes are needed."""
TO = ("table", "bag", "warm-bed", "sun", "bed-post", "prosthesis-foam", "shoe", "hot-bottle", "car")
LEFT_AT = ("table", "bag", "warm-bed", "bed-post", "sun")
"""Where lives.py leaves a tag that was taken off."""
CLOTH_READS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is simulated."""

    seeds: int = 20
    fittings: int = 1000
    swept: int = 100
    world: int = 0
    """Which ranges of what nobody has published; 0 are those written down (firmware_sim/body/parameters.py)."""

    def tag(self, seed: str, place: str) -> SimulatedBody:
        """A tag in that world; on a table its strap is open."""
        return SimulatedBody(
            seed=seed,
            at=BEGIN,
            place=place,
            parameters=shaken(PARAMETERS, self.world),
            strap="open" if place == "table" else "closed",
        )


class Kind(NamedTuple):
    """Clause 4."""

    name: str
    proximity: bool = True
    bias: bool = False

    def check(self, body: SimulatedBody) -> BodyCheck:
        """For the tag in `body`."""
        return BodyCheck(bias_c=body.bias_c) if self.bias else BodyCheck()

    def sample(self, reading: BodyReading) -> Sample:
        """What this kind of tag tells of a reading."""
        sample = Sample(*reading)
        return sample if self.proximity else sample._replace(proximity=None)


KINDS = (
    Kind("tag with proximity"),
    Kind("tag without proximity", proximity=False),
    Kind("tag without proximity, bias measured", proximity=False, bias=True),
)


def fit(size: Size, place: str, seed: int | str, *, closeness: float | None = None) -> float:
    """Clause 1: seconds until validated, infinite where never; with `closeness`, the place reads as close as that."""
    acts = fitting(place, Random(f"{seed}/{place}/fitting"))
    closed = BEGIN + round(ON_TABLE_MIN * MINUTE)
    lifts, backs = (next(BEGIN + round(a.at_min * MINUTE) for a in acts if a.kind == kind) for kind in ("lift", "back"))
    body = size.tag(f"{seed}/{place}", "table")
    check, waiting = BodyCheck(), [(BEGIN + round(act.at_min * MINUTE), act) for act in acts]
    last, coldest, rise, said_no = deque[float](maxlen=3), inf, 0.0, False
    for at in range(closed, closed + round(FITTED_MIN * MINUTE), SECOND):
        while waiting and waiting[0][0] <= at:
            when, act = waiting.pop(0)
            do(body, act, when)
            if closeness is not None and act.place == place:
                body.place = replace(body.place, closeness=closeness)
        reading, lifted = body.reading(at), lifts <= at < backs
        state = check.take(Sample(*reading), lifted=lifted).state
        said_no = said_no or (lifted and reading.proximity < NO_BELOW)
        last.append(reading.skin_c)
        if len(last) == last.maxlen:
            smooth = median(last)
            coldest, rise = min(coldest, smooth), max(rise, smooth - coldest)
        if at >= backs and said_no and rise >= RISE_MIN_C and state == ATTACHED:
            return (at - closed) / SECOND
    return inf


def fittings(size: Size, say: Say) -> Iterator[Section]:
    """Clause 1, by place."""
    title = f"simulated fittings on a living limb, {size.fittings:,} of each"
    columns = ("on", "validated in 2 min", "median, s", "in 5 min")
    yield Section(title, columns, [_leg(place, _fitted(place, size, say)) for place in LEGS])
    title = f"simulated fittings on what is no bare skin, {size.fittings:,} of each"
    proves = ("on", "validated in 5 min", "of such at most, at 95 %")
    yield Section(title, proves, [_no_leg(place, _fitted(place, size, say)) for place in (*NOT_LEGS, *BY_EYE)])


def _fitted(place: str, size: Size, say: Say) -> list[float]:
    say(f"fitting {size.fittings:,} tags: {place}")
    return [fit(size, place, seed) for seed in range(size.fittings)]


def _leg(place: str, took: Sequence[float]) -> Row:
    first, middle, last = quantile(took, 0.5)
    cells = (place, _share(took, FITTERS_S), ranged(_s(middle), _s(first), _s(last)), _share(took, 60 * FITTED_MIN))
    return Row(cells, "median under 120 s", middle < FITTERS_S) if place == LEGS[0] else Row(cells)


def _no_leg(place: str, took: Sequence[float]) -> Row:
    """How many were validated at all, and what that proves."""
    wrong = sum(each < inf for each in took)
    cells = (place, f"{wrong:,} of {len(took):,}", f"{at_most(wrong, len(took)):.1%}")
    return Row(cells, "never", wrong == 0) if place in NOT_LEGS else Row(cells)


def sweep(size: Size, say: Say) -> Section:
    """What a tag over cloth would have to read to be taken for skin: nobody has published what it reads."""
    rows = list[Row]()
    for closeness in CLOTH_READS:
        say(f"sweeping contact over cloth: {closeness:g}")
        took = [fit(size, "sock", f"swept/{seed}", closeness=closeness) for seed in range(size.swept)]
        rows.append(Row((f"{closeness:g}", _share(took, 60 * FITTED_MIN))))
    title = f"simulated fittings over a sock on a leg, by what contact reads over cloth, {size.swept} of each"
    return Section(title, ("contact (1 is skin)", "validated in 5 min"), rows)


class Asking:
    """Whether `body.not_attached`, class `unsure`, asks about a tag with proximity."""

    def __init__(self) -> None:
        self.asks = False
        self._was_on = False
        self._unsure_since: int | None = None
        self._spell = Spell()

    def take(self, sample: Sample, state: str) -> bool:
        """With a reading and what the check says of it; true where it begins to ask."""
        if state != UNCERTAIN:
            self._was_on, self._unsure_since = state == ATTACHED, None
        elif self._was_on and self._unsure_since is None:
            self._unsure_since = sample.at
        if sample.proximity is None:
            return False
        self._spell = self._spell.after(sample.at, sample.proximity, counts=self._was_on)
        since, asked = self._unsure_since, self.asks
        long = since is not None and sample.at - since >= UNSURE_MS
        self.asks = since is not None and (asked or long or self._spell.unusual_ms() >= UNTOUCHED_MS)
        return self.asks and not asked


class Removed(NamedTuple):
    """Clause 2: minutes until noticed, and until that or the question of class `unsure`."""

    noticed: float
    asked: float
    late: bool
    """Whether it was called attached a quarter of an hour after."""


def remove(size: Size, to: str, seed: str, kind: Kind) -> Removed:
    """One removal."""
    body = size.tag(seed, "table")
    check, left = kind.check(body), BEGIN + round((ON_TABLE_MIN + WORN_MIN) * MINUTE)
    late, asking, asked = False, Asking(), inf
    told = perform(
        body,
        put_on(removal(to, worn_min=WORN_MIN)),
        begin=BEGIN,
        every_ms=30 * SECOND,
        minutes=ON_TABLE_MIN + WORN_MIN + ASKED_MIN,
    )
    for reading, _, _ in told:
        sample = kind.sample(reading)
        state = check.take(sample).state
        late = late or (state == ATTACHED and reading.at >= left + 15 * MINUTE)
        after = (reading.at - left) / MINUTE
        if state == DETACHED and after >= 0:
            return Removed(after if after <= OFF_MIN else inf, min(asked, after), late)
        if asking.take(sample, state) and after >= 0:
            asked = min(asked, after)
    return Removed(inf, asked, late)


def removals(size: Size, say: Say) -> Iterator[Section]:
    """Clause 2, by destination and kind of tag."""
    number = size.seeds * REMOVALS_A_SEED
    columns = (
        "to", "noticed in 10 min", "in 20 min", "median, min", "95 %, min", "or asked, 95 %", "attached after 15 min"
    )  # fmt: skip
    for kind in KINDS:
        rows = []
        for to in TO:
            say(f"removing {number} tags: to {to}, {kind.name}")
            done = [remove(size, to, f"{n}/{to}/removal", kind) for n in range(number)]
            rows.append(_noticed(to, done))
        title = f"simulated removals, strap closed, {number} each, {kind.name}; alerts {ALERT_MS // MINUTE} min later"
        yield Section(title, columns, rows)


def _noticed(to: str, done: Sequence[Removed]) -> Row:
    after, late = [each.noticed for each in done], sum(each.late for each in done)
    first, middle, last = quantile(after, 0.5)
    _, most, _ = quantile(after, 0.95)
    _, asked, _ = quantile([each.asked for each in done], 0.95)
    spread = ranged(_m(middle), _m(first), _m(last))
    cells = (to, _share(after, 10), _share(after, 20), spread, _m(most), _m(asked), f"{late} of {len(after)}")
    return Row(cells, "median 10, 95 % 20", middle <= 10 and most <= 20) if to == TO[0] else Row(cells)


def days(size: Size, say: Say) -> Section:
    """Clause 3."""
    worn, rows = size.seeds * DAYS_A_SEED, []
    for kind in KINDS:
        say(f"wearing tags for {worn} days, {kind.name}")
        false, alerts, unsure, asked = Counter[str](), 0, 0, 0
        for n in range(worn):
            body = size.tag(f"worn/{n}", "table")
            check, off_since, asking = kind.check(body), inf, Asking()
            doing = put_on(day(Random(f"worn/{n}/day")))
            for reading, _, place in perform(body, doing, begin=BEGIN, minutes=ON_TABLE_MIN + 1440):
                sample = kind.sample(reading)
                state = check.take(sample).state
                if reading.at < BEGIN + round(ON_TABLE_MIN * MINUTE):
                    continue
                unsure += state != ATTACHED
                if state == ATTACHED:
                    off_since = inf
                elif state == DETACHED and off_since == inf:
                    off_since, false[place] = reading.at, false[place] + 1
                asked += asking.take(sample, state)
                alerts += 0 <= reading.at - off_since - ALERT_MS < MINUTE
        number = false.total()
        low, high = rate(number, worn)
        where = ", ".join(f"{n} {place}" for place, n in false.most_common() if n)
        spread = ranged(f"{number / worn:.3f}", f"{low:.3f}", f"{high:.3f}")
        cells = (kind.name, spread, f"{alerts / worn:.3f}", f"{asked / worn:.3f}", where, f"{unsure / worn / 1440:.1%}")
        rows.append(Row(cells, "at most 0.02", number / worn <= 0.02))
    columns = ("", "false detached a worn day", "alerts", "asked about", "where", "minutes not attached")
    return Section(f"simulated wear, {worn} days of as many people", columns, rows)


def everywhere(size: Size, say: Say) -> Section:
    """What is said of each place half an hour after the tag came there."""
    say("every place for four hours")
    since, rows = BEGIN + round((ON_TABLE_MIN + 30) * MINUTE), []
    for place in PLACES:
        said = Counter[str]()
        for seed in range(size.seeds):
            check = BodyCheck()
            known = shaken(PARAMETERS, size.world)
            for reading, _, _ in play(place, seed=f"every/{seed}", parameters=known):
                state = check.take(Sample(*reading)).state
                said[state] += reading.at >= since
        rows.append(Row((place, *(f"{said[state] / said.total():.0%}" for state in (ATTACHED, UNCERTAIN, DETACHED)))))
    title = f"simulated places for 4 h, {size.seeds} tags with proximity, after the first half hour"
    return Section(title, ("on", ATTACHED, UNCERTAIN, DETACHED), rows)


def sections(size: Size, say: Say) -> Iterator[Section]:
    """All of them."""
    yield from fittings(size, say)
    yield sweep(size, say)
    yield from removals(size, say)
    yield days(size, say)
    yield everywhere(size, say)


def _share(took: Sequence[float], limit: float) -> str:
    """Of those within the limit, with its interval."""
    soon = sum(each <= limit for each in took)
    low, high = share(soon, len(took))
    return ranged(f"{soon / len(took):.0%}", f"{low:.0%}", f"{high:.0%}")


def _m(minutes: float) -> str:
    return "over 60" if minutes == inf else f"{minutes:.1f}"


def _s(seconds: float) -> str:
    return "over 300" if seconds == inf else f"{seconds:.0f}"
