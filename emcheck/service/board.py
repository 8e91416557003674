"""Everybody in the register by where they are: one sweep for all who look, in slices, at most so old.

A sweep walks the wearers of the register as it stood when it began, and puts each into exactly one place: so the counts
add up to the register by construction, and a board says so only after counting.
"""

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice, product
from typing import NamedTuple

import structlog

from emcheck.clock import Clock
from emcheck.desk import Asked, Desk
from emcheck.domain.alerts import Alert
from emcheck.domain.case import Case
from emcheck.domain.engine import Engine
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, UnitId, WearerId
from emcheck.domain.track import Track
from emcheck.domain.whereabouts import Standing, Whereabouts, off_wearer, standing
from emcheck.domain.windows import curfew_addresses
from emcheck.service.open_alerts import concerns
from emcheck.service.slices import in_slices

log = structlog.get_logger("emcheck.service")
_URGENT_MOST = 500
"""So many P1 of the queue, the first of it, bring wearers to the front of their state; all are marked in their rows."""
NO_SITE = ""
"""Of a wearer whose base units stand in no district that the register names."""


_FAILED = Standing(Whereabouts.NOT_JUDGED, "emcheck failed on what the units told; its log says more")
_GRAVITY = {kind: number for number, kind in enumerate(Whereabouts)}


class Place(NamedTuple):
    """A place in the list of a board."""

    whereabouts: Whereabouts
    wearer_id: WearerId
    is_urgent: bool = False
    """Whether it stood among those with a P1 in the queue."""


@dataclass(slots=True)
class Board:
    """Everybody at `at`; `members` by whereabouts, whether a P1 is in the queue, and site, each list by id."""

    at: Ms
    wearers: int
    """How many the register has."""
    members: dict[tuple[Whereabouts, bool, str], list[WearerId]] = field(default_factory=dict)

    def counts(self) -> Counter[tuple[Whereabouts, str]]:
        """How many are where."""
        counts: Counter[tuple[Whereabouts, str]] = Counter()
        for (kind, _, site), names in self.members.items():
            counts[kind, site] += len(names)
        return counts

    def page(
        self, whereabouts: Whereabouts | None, site: str | None, *, after: Place | None, limit: int
    ) -> list[Place]:
        """The members asked for from the one after `after`: the gravest whereabouts first, in it those with a P1."""
        found: list[Place] = []
        for part in product(Whereabouts if whereabouts is None else [whereabouts], (True, False)):
            begun = None if after is None else (after.whereabouts, after.is_urgent)
            if begun is not None and _order(*part) < _order(*begun):
                continue
            wearer = after.wearer_id if after is not None and part == begun else ""
            lists = [names for (*of, place), names in self.members.items() if part == (*of,) and site in (None, place)]
            rest = merge(*(islice(names, bisect_right(names, wearer), None) for names in lists))
            found += [Place(part[0], name, part[1]) for name in islice(rest, limit - len(found))]
        return found


def _order(whereabouts: Whereabouts, is_urgent: bool) -> tuple[int, bool]:  # noqa: FBT001 - the parts of a place
    return _GRAVITY[whereabouts], not is_urgent


class Boards:
    """The newest board. `engine` gives the live state; None while the service reads itself back."""

    def __init__(self, engine: Callable[[], Engine | None], clock: Clock, desk: Desk) -> None:
        self._engine, self._clock, self._desk = engine, clock, desk
        self._sweeping = asyncio.Lock()
        self._board: tuple[Engine, Board] | None = None

    async def latest(self, *, at_most_ms: Ms) -> Board | None:
        """A board that is at most so old; None while there is none. Who comes meanwhile waits for the same."""
        async with self._sweeping:
            engine, now = self._engine(), self._clock.now()
            if engine is None:
                return None
            if self._board is None or self._board[0] is not engine or not 0 <= now - self._board[1].at < at_most_ms:
                alerts = await self._desk.queue_page(Asked(priority="P1"), after=None, limit=_URGENT_MOST)
                self._board = engine, await sweep(engine, now, urgent(engine, alerts))
            return self._board[1]


def urgent(engine: Engine, alerts: Iterable[Alert]) -> set[WearerId]:
    """Whom some alerts are about; one of a base unit is about all whom it hears."""
    found: set[WearerId] = set()
    for alert in alerts:
        if alert.wearer_id is not None:
            found.add(alert.wearer_id)
        elif alert.unit is not None:
            cases = engine.roster.cases_of.get(alert.unit, ())
            found |= {case.wearer_id for case in cases if concerns(case, alert)}
    return found


async def sweep(engine: Engine, now: Ms, first: Collection[WearerId] = ()) -> Board:
    """Look at everybody once, in slices; `first` stand before others of their state."""
    wearers = engine.roster.register.wearers
    board = Board(now, len(wearers))
    async for wearer in in_slices(wearers):
        case = engine.cases.get(wearer.wearer_id)
        site = NO_SITE if case is None else site_of(engine, case, now)
        key = placed(engine, case, now).whereabouts, wearer.wearer_id in first, site
        board.members.setdefault(key, []).append(wearer.wearer_id)
    async for names in in_slices(board.members.values()):
        names.sort()  # a register is nearly in order: this is one look at each
    return board


def placed(engine: Engine, case: Case | None, now: Ms) -> Standing:
    """Where somebody is; who cannot be judged is told so, and never left out."""
    if case is None:
        return Standing(Whereabouts.NOT_MONITORED, "no order")
    if case.wearer_id in engine.undecided:
        return Standing(Whereabouts.NOT_JUDGED, "a rule failed on what the units told; operations are told")
    try:
        return standing(case, tracks_of(engine, case), now)
    except Exception as error:  # noqa: BLE001 - one wearer's fault must not hide everybody else from the board
        log.error("board.not_judged", wearer_id=case.wearer_id, error=type(error).__name__)
        return _FAILED


def seen(engine: Engine, case: Case | None, now: Ms) -> tuple[Standing, Finding | None]:
    """Where somebody is, and what says that the tag is not on them."""
    it = placed(engine, case, now)
    if case is None or it.whereabouts in (Whereabouts.NOT_MONITORED, Whereabouts.NOT_JUDGED):
        return it, None
    try:
        return it, off_wearer(case, tracks_of(engine, case), now)
    except Exception as error:  # noqa: BLE001 - as above
        log.error("board.not_judged", wearer_id=case.wearer_id, error=type(error).__name__)
        return _FAILED, None


def tracks_of(engine: Engine, case: Case) -> dict[UnitId, Track]:
    """What the units of a case told."""
    return {unit: engine.units[unit].track for unit in case.units}


def site_of(engine: Engine, case: Case, now: Ms) -> str:
    """The district of the base unit where the wearer's curfew stands now, else of any that the case rests on."""
    if not case.units:
        return NO_SITE
    wanted = {address for state in case.orders for address in curfew_addresses(state.order, now)}
    known = [
        (i.address_id not in wanted or (i.removed_at is not None and i.removed_at <= now), i.postcode)
        for unit in case.units
        for i in engine.units[unit].installations
        if i.postcode is not None
    ]
    return min(known)[1] or NO_SITE if known else NO_SITE
