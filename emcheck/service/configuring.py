"""Configuration downlinks: every installed unit is told what it should do until it says that it does.

A unit is told only when something of it has just come: what is said at QoS 0 to one that is away is lost. So units
are told one by one as they speak, never all at once. A curfew is in force at its time whatever its unit holds; what
is not acknowledged is counted.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, cast

import structlog

from emcheck.clock import Clock
from emcheck.domain.configuration import Configuration, Configurations
from emcheck.domain.configured import Configured, Echo
from emcheck.domain.facts import Event
from emcheck.domain.ids import BootId, Ms, UnitId
from emcheck.domain.register import Register
from emcheck.domain.roster import Roster
from emcheck.ports import Store, StoreError
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.intake import Taken

log = structlog.get_logger("emcheck.service")

_LOOK_EVERY_S = 30.0
_CHUNK = 20
"""Configurations made between two looks at the event loop; one takes a tenth of a millisecond."""
_REST_S = 0.01
"""The loop's after each chunk: what units are told can wait, and so takes a tenth of the loop or two."""
_PIECE = 200
"""Configurations sent between two looks at the event loop: some 5 ms."""
_AT_ONCE = 2_000
"""Units looked at in one turn; the others have theirs a second later."""

_HURRIED_MAX = 20
"""So few units are told without waiting until they are heard."""


class Configuring:
    """Keeps every unit's configuration up to date. Losing its memory is harmless: units say what they hold."""

    def __init__(
        self,
        store: Store,
        acknowledger: Acknowledger,
        clock: Clock,
        *,
        roster: Callable[[], Roster],
        turn: asyncio.Lock,
        pause_s: float = 1.0,
    ) -> None:
        self._store = store
        self._acknowledger = acknowledger
        self._clock = clock
        self._roster = roster
        self._turn = turn
        self._pause_s = pause_s
        self._known: Register | None = None
        self._configurations: Configurations | None = None
        self._units: dict[UnitId, Configured] = {}
        self._heard: dict[UnitId, None] = {}
        """In order, each once."""
        self._something = asyncio.Event()
        self.sent_total = 0

    def taken(self, taken: Taken) -> None:
        """The pipeline took a message, live or from the inbox: note what its unit says it holds."""
        if taken.unit is None or taken.receipt is None:
            return
        self._heard[taken.unit] = None
        self._something.set()
        if taken.envelope is None:
            return
        for seq, event in enumerate(taken.envelope.events, start=taken.envelope.first_seq):
            if event is not None and event["type"] in ("boot", "unit_status"):
                self._echo(taken.unit, event, taken.envelope.boot, seq)

    def _echo(self, name: UnitId, event: Event, boot: BootId, seq: int) -> None:
        """What an event says of it: a boot that names none holds none; a status that names none says nothing."""
        fields = cast("dict[str, Any]", event)
        rev = fields.get("config_rev")
        if rev is None and event["type"] != "boot":
            return
        echo = Echo(rev, fields.get("schedule_sha256")) if rev else None
        self._units.setdefault(name, Configured()).says(echo, boot, seq)

    def amended(self, units: Iterable[UnitId]) -> None:
        """An instruction touched some units: what they should hold is made anew.

        A few are told at once: a fitter waits beside one. Where that is lost, it is told again as the unit speaks.
        """
        touched = list(units)
        for unit in touched:
            self._units.setdefault(unit, Configured()).until = 0
        if len(touched) <= _HURRIED_MAX:
            self._heard |= dict.fromkeys(touched)
        self._something.set()

    async def run(self) -> None:
        """Tell units as they are heard, for ever. What was heard until now came from the inbox, not just now."""
        self._heard.clear()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._something.wait()
            self._something.clear()
            await self.refresh(self._clock.now())
            wanted = await self.wanted(self._clock.now())
            async with self._turn:
                try:
                    await self.send(wanted, self._clock.now())
                except StoreError as error:
                    log.warning("config.not_sent", error=str(error), remedy=error.remedy)
            await asyncio.sleep(self._pause_s)

    async def refresh(self, now: Ms) -> None:
        """Make anew the configurations that an edge or an instruction may have changed; the loop goes on between."""
        roster = self._roster()
        if self._configurations is None or self._configurations.roster is not roster:
            self._configurations = Configurations(roster)
        if roster.register is not self._known:
            self._known = roster.register
            self._units = {unit: self._units.get(unit) or Configured() for unit in roster.units}
        stale = [name for name, state in self._units.items() if state.until <= now]
        async for name, configuration in self._made(stale, now):
            self._units[name].wants(configuration)

    async def _made(self, names: Iterable[UnitId], now: Ms) -> AsyncIterator[tuple[UnitId, Configuration]]:
        """The configurations of some units; the loop goes on between."""
        for count, name in enumerate(names, start=1):
            if self._configurations is not None:
                yield name, self._configurations.of(name, now)
            if count % _CHUNK == 0:
                await asyncio.sleep(_REST_S)

    async def wanted(self, now: Ms) -> list[tuple[UnitId, Configuration]]:
        """What those are to be told that were heard and hold something else."""
        heard = list(islice(self._heard, _AT_ONCE))
        for name in heard:
            del self._heard[name]
        if self._heard:
            self._something.set()
        if self._acknowledger.silent:
            return []
        due = [name for name in heard if name in self._units and self._units[name].due(now)]
        return [(name, made) async for name, made in self._made(due, now)]

    async def send(self, wanted: Sequence[tuple[UnitId, Configuration]], now: Ms) -> None:
        """Tell them. Hold the pipeline's turn."""
        if not wanted:
            return
        first = await self._store.reserve_counter("config_rev", len(wanted))
        for start in range(0, len(wanted), _PIECE):
            await self._tell(wanted[start : start + _PIECE], first + start, now)
            await asyncio.sleep(0)

    async def _tell(self, wanted: Sequence[tuple[UnitId, Configuration]], first: int, now: Ms) -> None:
        said = []
        for number, (name, configuration) in enumerate(wanted, start=first):
            self._units[name].wants(configuration)
            body = self._units[name].tell(configuration.members, number, now)
            if body is not None:
                said.append((name, body))
        self.sent_total += len(said)
        await self._acknowledger.tell(said)

    def unacknowledged(self) -> list[UnitId]:
        """Installed units that do not say that they hold what they should; for people to look at."""
        return sorted(name for name, state in self._units.items() if state.told and not state.acknowledged)

    def readings(self) -> dict[str, tuple[str, float]]:
        """The figures of `/metrics`."""
        waiting = [self._units[name] for name in self.unacknowledged()]
        return {
            "configurations_sent_total": ("Configurations sent to units", self.sent_total),
            "configurations_unacknowledged": ("Installed units that hold another configuration", len(waiting)),
            "configurations_unanswered": (
                "Of these, units that never named one: firmware that does not, or units that are away",
                sum(not state.echoes for state in waiting),
            ),
        }
