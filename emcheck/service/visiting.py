"""Fitters' visits in the decision loop: what an act comes to is found before it is carried out, and kept with it.

The inbox is all there is of a session: its acts, and what its unit told since. What is open is held in memory for the
length of a visit and read back at a start.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from emcheck.clock import Clock
from emcheck.domain.fitting.acts import AddPhoto, AnswerStep, CloseFitting, FittingAct, OpenFitting
from emcheck.domain.fitting.photos import refuse_more
from emcheck.domain.fitting.repeats import refuse_old_name, refuse_repeat
from emcheck.domain.fitting.settling import settled
from emcheck.domain.fitting.visits import Visits, begun, heed_note
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.instructions import parse_instruction
from emcheck.domain.roster import Roster
from emcheck.ports import Store, StoreError
from emcheck.service.history import Telling
from emcheck.service.session import Session, plain_found, schedule_of, take_act

log = structlog.get_logger("emcheck.service")

_LOOK_EVERY_S = 5.0


async def note_of(store: Store, wearer_id: str) -> str | None:
    """A wearer's limb note, where there is one."""
    for person in await store.people(wearer_id):
        note: str | None = json.loads(person.notes or b"{}").get("notes", {}).get("limb")
        return note
    return None


@dataclass(slots=True)
class Visiting:
    """The open sessions of one decision loop."""

    store: Store
    open: dict[str, Session] = field(default_factory=dict)

    async def settled(
        self, act: FittingAct, raw: dict[str, Any], roster: Roster, newest: Mapping[UnitId, int], now: Ms
    ) -> tuple[FittingAct, dict[str, Any]]:
        """The act with what is found of it; InstructionError where it cannot be. `newest` is each unit's last row."""
        raw = {key: said for key, said in raw.items() if key != "found"}
        visits = roster.visits_after(act, now)
        if isinstance(act, OpenFitting):
            refuse_old_name(roster.register, act)
            return self._kept(raw | {"found": begun(visits[act.session])})
        session = self.open[act.session]
        refuse_repeat((said for _, said in session.acts), act)
        note = await note_of(self.store, session.visit.wearer_id)
        policy = roster.policies.own.then(session.visit.opened_at)
        if isinstance(act, AnswerStep):
            heed_note(act, note)
        if isinstance(act, AddPhoto):
            refuse_more((said for _, said in session.acts), act, policy.number("fitting.photo.most"))
        if not isinstance(act, CloseFitting):
            return act, raw
        last = newest.get(session.visit.unit, 0)
        rows = await self.store.unit_history(newest=last, after=session.rows[0]) if last > session.rows[0] else []
        found = settled(
            act, session.visit, session.acts, Telling(rows), now=now, note=note,
            policy=policy, schedule_of=schedule_of(roster, session.visit.unit),
        )  # fmt: skip
        return self._kept(raw | {"found": plain_found(found)})

    def _kept(self, raw: dict[str, Any]) -> tuple[FittingAct, dict[str, Any]]:
        act = parse_instruction(raw)
        if not isinstance(act, FittingAct):
            raise TypeError(f"{act.type} is no act of a session")
        return act, raw

    def note(self, act: FittingAct, at: Ms, row_id: int) -> set[UnitId]:
        """An act was carried out; the unit that is to be told otherwise now."""
        take_act(self.open, act, at, row_id)
        if isinstance(act, CloseFitting):
            return {self.open.pop(act.session).visit.unit}
        return {act.unit} if isinstance(act, OpenFitting) else set()


class EndingVisits:
    """Closes what was left open for too long, through the mailbox like everybody else."""

    def __init__(self, store: Store, clock: Clock, visits: Callable[[], Visits]) -> None:
        self._store, self._clock, self._visits = store, clock, visits
        self._told: set[str] = set()

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                await self.look(self._clock.now())
            except StoreError as error:
                log.warning("fitting.not_ended", error=str(error), remedy=error.remedy)

    async def look(self, now: Ms) -> None:
        """Post a closing for each visit whose time is over."""
        for visit in self._visits().values():
            if visit.until <= now and visit.session not in self._told:
                said = {"type": "fitting_closed", "session": visit.session, "tag": visit.tag, "outcome": "lapsed"}
                await self._store.post(json.dumps(said | {"by": "emcheck"}).encode(), now)
                self._told.add(visit.session)
                log.info("fitting.lapsed", session=visit.session)
