"""Base units and tags as lines of a list: sorted and read on over a whole fleet, in slices and with little memory.

1. Nothing is kept for the list: each is read off what stands in memory when it is asked for. So the levels of battery
   and clock are those that differ from the usual (`domain.channels`); the numbers themselves stand in the reports.
2. A list is read on from a line's own key, so that it goes on rightly while lines come and go.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from hashlib import sha256
from heapq import nsmallest
from typing import NamedTuple, TypeVar

from emcheck.domain.channels import BATTERY, CASE, CLOCK, NO_TAG, NOISE, POWER, TAG_BATTERY, USUAL, Change, changes
from emcheck.domain.engine import Engine
from emcheck.domain.ids import Ms, TagId, UnitId
from emcheck.domain.register import Fitting
from emcheck.domain.track import Track
from emcheck.domain.unit import Unit
from emcheck.domain.whereabouts import last_heard_at, says
from emcheck.service.slices import in_slices

_BUFFERED = 8
"""So many pages are gathered before the best page of them is kept."""
Key = tuple[float | str, str]
"""What a line is sorted by, and its name among equals."""


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

    def says(self, words: str) -> bool:
        """Whether it is what somebody searches for."""
        return any(words in text.lower() for text in (self.unit, self.address_id, self.firmware, *self.wearers))


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

    def says(self, words: str) -> bool:
        """Whether it is what somebody searches for."""
        return any(words in text.lower() for text in (self.tag, self.wearer_id, self.unit or "", self.strap_batch))


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
    case = engine.cases.get(fitting.wearer_id)
    best: tuple[Ms, bool | None, UnitId] | None = None
    low: Change | None = None
    for address in () if case is None else case.addresses:
        for source in case.sources(address) if case is not None else ():
            if source.tag != fitting.tag or not source.counts.start <= now < source.counts.end:
                continue
            track = engine.units[source.unit].track
            at = last_heard_at(track, source, now)
            found = (-1 if at is None else at, says(track, source, now), source.unit)
            if best is None or found[0] > best[0]:
                best = found
                low = standing(track, source.unit, TAG_BATTERY, now, fitting.tag)
    heard_at, present, unit = best or (-1, None, None)
    return TagLine(
        fitting.tag, fitting.wearer_id, unit, present, None if heard_at < 0 else heard_at, low,
        fitting.strap_batch or "", fitting.fitted_at, fitting.validation or "",
    )  # fmt: skip


_LAST = float(1 << 62)
"""Behind all that has something to be sorted by."""


def _amount(change: Change | None) -> float:
    return _LAST if change is None else change.amount or 0.0


UNIT_ORDERS: Mapping[str, Callable[[UnitLine], Key]] = {
    "heard": lambda it: (float(-1 if it.heard_at is None else it.heard_at), it.unit),
    "battery": lambda it: (min(_amount(it.battery), _amount(it.power)), it.unit),
    "clock": lambda it: (_LAST if it.clock is None else -abs(it.clock.amount or 0.0), it.unit),
    "firmware": lambda it: (it.firmware, it.unit),
    "key": lambda it: (it.key, it.unit),
    "refused": lambda it: (float(-it.refused), it.unit),
    "unit": lambda it: ("", it.unit),
}
"""What units may be sorted by: what wants attention comes first."""
TAG_ORDERS: Mapping[str, Callable[[TagLine], Key]] = {
    "heard": lambda it: (float(-1 if it.heard_at is None else it.heard_at), it.tag),
    "battery": lambda it: (_amount(it.battery), it.tag),
    "batch": lambda it: (it.strap_batch, it.tag),
    "fitted": lambda it: (float(it.fitted_at), it.tag),
    "tag": lambda it: ("", it.tag),
}
"""What tags may be sorted by."""

_Line = TypeVar("_Line", UnitLine, TagLine)


async def units(engine: Engine, now: Ms, *, words: str = "", silent: bool = False) -> AsyncIterator[UnitLine]:
    """The units of the register that are asked for, in slices."""
    async for unit in in_slices(list(engine.units.values())):
        line = unit_line(engine, unit, now)
        if (not silent or line.silent_since is not None) and (not words or line.says(words)):
            yield line


async def tags(engine: Engine, now: Ms, *, words: str = "") -> AsyncIterator[TagLine]:
    """The tags that are fitted now and asked for, in slices."""
    async for fitting in in_slices(engine.roster.register.fittings):
        if fitting.fitted_at <= now and (fitting.removed_at is None or now < fitting.removed_at):
            line = tag_line(engine, fitting, now)
            if not words or line.says(words):
                yield line


async def first_of(
    lines: AsyncIterable[_Line], key: Callable[[_Line], Key], *, after: Key | None, limit: int
) -> tuple[list[_Line], int]:
    """The first lines behind `after`, by key, and how many lines there are in all."""
    found: list[_Line] = []
    number = 0
    async for line in lines:
        number += 1
        if after is not None and key(line) <= after:
            continue
        found.append(line)
        if len(found) >= _BUFFERED * limit:
            found = nsmallest(limit, found, key=key)
    return nsmallest(limit, found, key=key), number


def comparable(key: Iterable[object], like: Key) -> Key | None:
    """A key that came from outside, where it can be compared with keys of that kind; else None."""
    told = tuple(key)
    if len(told) != len(like) or not isinstance(told[1], str):
        return None
    first = told[0]
    if isinstance(like[0], str):
        return (first, told[1]) if isinstance(first, str) else None
    return (float(first), told[1]) if isinstance(first, (int, float)) and not isinstance(first, bool) else None
