"""A fitter's session as the inbox has it."""

import json
from dataclasses import dataclass
from typing import Any

from emcheck.domain.amending import as_text
from emcheck.domain.configuration import Configurations
from emcheck.domain.fitting.acts import CloseFitting, FittingAct, Found, OpenFitting
from emcheck.domain.fitting.settling import ScheduleOf
from emcheck.domain.fitting.visits import Visit, visit_of
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.instructions import parse_instruction
from emcheck.domain.roster import Roster
from emcheck.ports import Store

_MARK = b'"fitting_'
"""Stands in every act of a session, and so spares the others from being read."""


@dataclass(slots=True)
class Session:
    """A session as the inbox has it. `rows` are the numbers of its first and, once it is closed, its last act."""

    visit: Visit
    acts: list[tuple[Ms, object]]
    rows: tuple[int, int | None]
    closed: CloseFitting | None = None
    closed_at: Ms | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the service told of its opening."""
        return next((act.warnings for _, act in self.acts if isinstance(act, OpenFitting)), ())

    def add(self, act: FittingAct, at: Ms, row_id: int) -> None:
        """One more act; its end is no part of what is signed."""
        if isinstance(act, CloseFitting):
            self.closed, self.closed_at, self.rows = act, at, (self.rows[0], row_id)
        else:
            self.acts.append((at, act))


def take_act(sessions: dict[str, Session], act: object, at: Ms, row_id: int) -> None:
    """Note an act of the inbox, if it is one of a session."""
    if isinstance(act, OpenFitting):
        sessions[act.session] = Session(visit_of(act, at), [(at, act)], (row_id, None))
    elif isinstance(act, FittingAct) and act.session in sessions:
        sessions[act.session].add(act, at, row_id)


async def sessions_of(store: Store) -> dict[str, Session]:
    """Every session that there ever was, in order."""
    found: dict[str, Session] = {}
    for row in await store.instructions_after(0):
        if _MARK in row.payload:
            take_act(found, parse_instruction(json.loads(row.payload)), row.received_at, row.row_id)
    return found


def schedule_of(roster: Roster, unit: UnitId) -> ScheduleOf:
    """The hash of what a unit is to hold, by instant."""
    configurations = Configurations(roster)
    return lambda at: configurations.of(unit, at).schedule_sha256


def plain_found(found: Found) -> dict[str, Any]:
    """What was found of a closing as JSON values, its instants as text."""
    plain: dict[str, Any] = as_text(found.model_dump(mode="json", exclude_none=True))
    return plain
