"""Base units and tags as lines of a list: sorted and read on over a whole fleet, in slices and with little memory.

1. Nothing is kept for the list: each is read off what stands in memory when it is asked for. So the levels of battery
   and clock are those that differ from the usual (`domain.channels`); the numbers themselves stand in the reports.
2. A list is read on from a line's own key, so that it goes on rightly while lines come and go.
3. Of a whole fleet only keys are made, which costs a microsecond each; lines are made of those that are shown.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from heapq import nsmallest
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

from emcheck.domain.case import Case
from emcheck.domain.channels import (
    BATTERY,
    CASE,
    CLOCK,
    NO_TAG,
    NOISE,
    POWER,
    TAG_BATTERY,
    USUAL,
    Change,
    changes,
    speaks,
)
from emcheck.domain.engine import Engine
from emcheck.domain.ids import Ms, TagId, UnitId
from emcheck.domain.register import Fitting
from emcheck.domain.timeline import Source
from emcheck.domain.track import Track
from emcheck.domain.unit import Unit
from emcheck.domain.whereabouts import last_heard_at, says
from emcheck.service.slices import in_runs

_BUFFERED = 8
"""So many pages are gathered before the best page of them is kept."""
Key = tuple[float | str, str]
"""What a line is sorted by, and its name among equals."""
_Item = TypeVar("_Item")
_Line = TypeVar("_Line")


class UnitLine(NamedTuple):
    """A base unit as it stands. Channels are None where all is as usual, or nothing was told."""

    unit: UnitId
    address_id: str
    heard_at: Ms | None
    silent_since: Ms | None
    battery: Change | None
    power: Change | None
    clock: Change | None
    case: Change | None
    noise: Change | None
    firmware: str
    key: str
    """How the key begins that it signs with, hashed; empty where none is enrolled."""
    refused: int
    """Messages of late that could not be used."""
    wearers: tuple[str, ...]


class TagLine(NamedTuple):
    """A tag that is fitted, with the last unit that heard it."""

    tag: TagId
    wearer_id: str
    unit: UnitId | None
    present: bool | None
    heard_at: Ms | None
    battery: Change | None
    strap_batch: str
    fitted_at: Ms
    validation: str


def unit_line(engine: Engine, unit: Unit, now: Ms) -> UnitLine:
    """A unit of the register at `now`."""
    here = [i for i in unit.installations if i.removed_at is None or i.removed_at > now] or [*unit.installations]
    told = {name: standing(unit.track, unit.unit, name, now) for name in (BATTERY, POWER, CLOCK, CASE, NOISE)}
    return UnitLine(
        unit.unit, here[-1].address_id if here else "", unit.last_received_at, unit.silent_at, told[BATTERY],
        told[POWER], told[CLOCK], told[CASE], told[NOISE], unit.firmware,
        "" if unit.public_key is None else fingerprint(unit.public_key), sum(run.count for run in unit.refusals),
        tuple(case.wearer_id for case in engine.roster.cases_of.get(unit.unit, ())),
    )  # fmt: skip


def fingerprint(public_key: str) -> str:
    """How a key is told apart by people: the beginning of its hash."""
    return sha256(public_key.encode()).hexdigest()[:12]


def standing(track: Track, unit: UnitId, channel: str, now: Ms, tag: TagId = NO_TAG) -> Change | None:
    """What was last told of a channel, where that is not the usual."""
    told = [change for change in changes(track, unit, channel, tag) if change.at <= now]
    return told[-1] if told and told[-1].level != USUAL else None


def tag_line(engine: Engine, fitting: Fitting, now: Ms) -> TagLine:
    """A fitted tag at `now`, as the unit tells of it that heard it last."""
    heard_at, source = _heard(engine, fitting, now)
    present = None if source is None else says(engine.units[source.unit].track, source, now)
    return TagLine(
        fitting.tag, fitting.wearer_id, None if source is None else source.unit, present,
        None if heard_at < 0 else heard_at, _low(engine, fitting, now), fitting.strap_batch or "",
        fitting.fitted_at, fitting.validation or "",
    )  # fmt: skip


def _heard(engine: Engine, fitting: Fitting, now: Ms) -> tuple[Ms, Source | None]:
    """When a tag was heard last, -1 where it is not known, and by what; nothing where no unit listens for it."""
    case, best, by = engine.cases.get(fitting.wearer_id), -2, None
    for source in () if case is None else case.sources():
        unit, tag, _, (start, end), _ = source  # unpacked, for a list asks it of a whole fleet
        if tag == fitting.tag and start <= now < end:
            at = last_heard_at(engine.units[unit].track, source, now)
            if best < (heard_at := -1 if at is None else at):
                best, by = heard_at, source
    return max(-1, best), by


def _low(engine: Engine, fitting: Fitting, now: Ms) -> Change | None:
    """What the unit that heard a tag last tells of its battery, where that is low."""
    case = engine.cases.get(fitting.wearer_id)
    if case is None or not any(speaks(engine.units[unit].track) for unit in case.units):
        return None  # nearly always
    _, source = _heard(engine, fitting, now)
    if source is None:
        return None
    return standing(engine.units[source.unit].track, source.unit, TAG_BATTERY, now, fitting.tag)


_LAST = float(1 << 62)
"""Behind all that has something to be sorted by."""


def _amount(change: Change | None) -> float:
    return _LAST if change is None else change.amount or 0.0


def _least(unit: Unit, now: Ms) -> float:
    if not speaks(unit.track):
        return _LAST  # nearly always
    return min(_amount(standing(unit.track, unit.unit, channel, now)) for channel in (BATTERY, POWER))


def _off(unit: Unit, now: Ms) -> float:
    clock = standing(unit.track, unit.unit, CLOCK, now) if speaks(unit.track) else None
    return _LAST if clock is None else -abs(clock.amount or 0.0)


UnitOrder = Callable[[Unit, Ms], float | str]
TagOrder = Callable[[Engine, Fitting, Ms], float | str]
UNIT_ORDERS: Mapping[str, UnitOrder] = {
    "heard": lambda it, now: float(-1 if it.last_received_at is None else it.last_received_at),
    "battery": _least,
    "clock": _off,
    "firmware": lambda it, now: it.firmware,
    "key": lambda it, now: "" if it.public_key is None else fingerprint(it.public_key),
    "refused": lambda it, now: float(-sum(run.count for run in it.refusals)),
    "unit": lambda it, now: "",
}
"""What units may be sorted by: what wants attention comes first."""
TAG_ORDERS: Mapping[str, TagOrder] = {
    "heard": lambda engine, it, now: _heard(engine, it, now)[0],
    "battery": lambda engine, it, now: _amount(_low(engine, it, now)),
    "batch": lambda engine, it, now: it.strap_batch or "",
    "fitted": lambda engine, it, now: float(it.fitted_at),
    "tag": lambda engine, it, now: "",
}
"""What tags may be sorted by."""


class Listed(NamedTuple, Generic[_Line]):
    """A page of a list: lines with their keys, and how many there are in all."""

    lines: list[_Line]
    keys: list[Key]
    number: int


async def units(
    engine: Engine, now: Ms, *, by: str, words: str = "", silent: bool = False, after: Key | None = None, limit: int
) -> Listed[UnitLine]:
    """The units of the register that are asked for, from the one behind `after`; `words` in small letters."""
    order, cases = UNIT_ORDERS[by], engine.roster.cases_of

    def keys(some: Iterable[Unit]) -> Iterator[tuple[Key, Unit]]:
        for unit in some:
            if silent and unit.silent_at is None:
                continue
            if words and not _unit_says(unit, cases.get(unit.unit, ()), words, now):
                continue
            yield (order(unit, now), unit.unit), unit

    first, number = await _first(list(engine.units.values()), keys, after=after, limit=limit)
    return Listed([unit_line(engine, unit, now) for _, unit in first], [key for key, _ in first], number)


async def tags(
    engine: Engine, now: Ms, *, by: str, words: str = "", after: Key | None = None, limit: int
) -> Listed[TagLine]:
    """The tags that are fitted now and asked for, from the one behind `after`; `words` in small letters."""
    order = TAG_ORDERS[by]

    def keys(some: Iterable[Fitting]) -> Iterator[tuple[Key, Fitting]]:
        for fitting in some:
            if fitting.fitted_at > now or (fitting.removed_at is not None and fitting.removed_at <= now):
                continue
            if words and not _tag_says(engine, fitting, words):
                continue
            yield (order(engine, fitting, now), fitting.tag), fitting

    first, number = await _first(engine.roster.register.fittings, keys, after=after, limit=limit)
    return Listed([tag_line(engine, fitting, now) for _, fitting in first], [key for key, _ in first], number)


def _unit_says(unit: Unit, cases: Iterable[Case], words: str, now: Ms) -> bool:
    """Whether it is what somebody searches for."""
    if words in unit.unit.lower() or words in unit.firmware.lower():
        return True
    for case in cases:  # loops, not generators: asked of a whole fleet
        if words in case.wearer_id.lower():
            return True
    for here in unit.installations:
        if words in here.address_id.lower() and (here.removed_at is None or here.removed_at > now):
            return True
    return False


def _tag_says(engine: Engine, fitting: Fitting, words: str) -> bool:
    """Whether it is what somebody searches for."""
    if words in fitting.tag.lower() or words in fitting.wearer_id.lower():
        return True
    if fitting.strap_batch is not None and words in fitting.strap_batch.lower():
        return True
    case = engine.cases.get(fitting.wearer_id)
    return case is not None and any(words in unit.lower() for unit in case.units)


async def _first(
    items: Sequence[_Item], keys: Callable[[Iterable[_Item]], Iterator[tuple[Key, _Item]]], *, after: Key | None,
    limit: int,
) -> tuple[list[tuple[Key, _Item]], int]:  # fmt: skip
    """The first items behind `after`, by key, and how many are asked for in all; others have their turn meanwhile."""
    found: list[tuple[Key, _Item]] = []
    number, most = 0, None
    async for some in in_runs(items):
        for key, item in keys(some):
            number += 1
            if (after is None or after < key) and (most is None or key < most):
                found.append((key, item))
        if len(found) > _BUFFERED * limit:
            found = nsmallest(limit, found, key=itemgetter(0))
            most = found[-1][0]
    return nsmallest(limit, found, key=itemgetter(0)), number


def comparable(key: Iterable[object], like: Key) -> Key | None:
    """A key that came from outside, where it can be compared with keys of that kind; else None."""
    told = tuple(key)
    if len(told) != len(like) or not isinstance(told[1], str):
        return None
    first = told[0]
    if isinstance(like[0], str):
        return (first, told[1]) if isinstance(first, str) else None
    return (float(first), told[1]) if isinstance(first, (int, float)) and not isinstance(first, bool) else None
