"""Everybody in the register by where they are: one sweep for all who look, in slices, at most so old.

A sweep walks the wearers of the register as it stood when it began, and puts each into exactly one place: so the counts
add up to the register by construction, and a board says so only after counting.
"""

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import NamedTuple

import structlog

from emcheck.clock import Clock
from emcheck.domain.case import Case
from emcheck.domain.engine import Engine
from emcheck.domain.ids import Ms, UnitId, WearerId
from emcheck.domain.track import Track
from emcheck.domain.whereabouts import Standing, Whereabouts, standing
from emcheck.domain.windows import curfew_addresses
from emcheck.service.slices import in_slices

log = structlog.get_logger("emcheck.service")
NO_SITE = ""
"""Of a wearer whose base units stand in no district that the register names."""


_GRAVITY = {kind: number for number, kind in enumerate(Whereabouts)}


class Place(NamedTuple):
    """A place in the list of a board."""

    whereabouts: Whereabouts
    wearer_id: WearerId


@dataclass(slots=True)
class Board:
    """Everybody at `at`; `members` by whereabouts and site, each list by id."""

    at: Ms
    wearers: int
    """How many the register has."""
    members: dict[tuple[Whereabouts, str], list[WearerId]] = field(default_factory=dict)

    def counts(self) -> Counter[tuple[Whereabouts, str]]:
        """How many are where."""
        return Counter({key: len(found) for key, found in self.members.items()})

    def page(
        self, whereabouts: Whereabouts | None, site: str | None, *, after: Place | None, limit: int
    ) -> list[Place]:
        """The members asked for, the gravest whereabouts first, then by id, from the one after `after`."""
        found: list[Place] = []
        for kind in Whereabouts if whereabouts is None else [whereabouts]:
            if after is not None and _GRAVITY[kind] < _GRAVITY[after.whereabouts]:
                continue
            wearer = after.wearer_id if after is not None and after.whereabouts is kind else ""
            lists = [names for (one, place), names in self.members.items() if one is kind and site in (None, place)]
            rest = merge(*(islice(names, bisect_right(names, wearer), None) for names in lists))
            found += [Place(kind, name) for name in islice(rest, limit - len(found))]
        return found


class Boards:
    """The newest board. `engine` gives the live state; None while the service reads itself back."""

    def __init__(self, engine: Callable[[], Engine | None], clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self._sweeping = asyncio.Lock()
        self._board: tuple[Engine, Board] | None = None

    async def latest(self, *, at_most_ms: Ms) -> Board | None:
        """A board that is at most so old; None while there is none. Who comes meanwhile waits for the same."""
        async with self._sweeping:
            engine, now = self._engine(), self._clock.now()
            if engine is None:
                return None
            if self._board is None or self._board[0] is not engine or not 0 <= now - self._board[1].at < at_most_ms:
                self._board = engine, await sweep(engine, now)
            return self._board[1]


async def sweep(engine: Engine, now: Ms) -> Board:
    """Look at everybody once, in slices."""
    wearers = engine.roster.register.wearers
    board = Board(now, len(wearers))
    async for wearer in in_slices(wearers):
        case = engine.cases.get(wearer.wearer_id)
        site = NO_SITE if case is None else site_of(engine, case, now)
        board.members.setdefault((placed(engine, case, now).whereabouts, site), []).append(wearer.wearer_id)
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
        return Standing(Whereabouts.NOT_JUDGED, "emcheck failed on what the units told; its log says more")


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
