"""A start: register, checkpoints, the inbox rows after them, and what was said of it all; nothing is decided anew."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from emcheck.domain.engine import Engine
from emcheck.domain.findings import Decided, Finding
from emcheck.domain.ids import Ms, UnitId, WearerId
from emcheck.domain.instants import FOREVER
from emcheck.domain.keeping import restore
from emcheck.domain.policies import Policies
from emcheck.domain.publishing import touched_by_policy
from emcheck.domain.rules import tag_strap
from emcheck.ports import InboxRow, Store
from emcheck.service.checkpoints import SERVICE, readable, restore_receiving
from emcheck.service.enrolment import InForce, register_in_force
from emcheck.service.history import Recent, Telling, told_in
from emcheck.service.session import Session, sessions_of
from emcheck.service.standing import Standing


@dataclass(slots=True)
class Recovered:
    """The engine as it was at the last commit, and where the inbox stands."""

    engine: Engine
    base: str
    """The hash of the register that was loaded."""
    changed: bool = False
    """Another register was loaded, or facts are read otherwise, than at the last checkpoint."""
    row_id: int = 0
    last_row_of: dict[UnitId, int] = field(default_factory=dict)
    checkpointed: dict[UnitId, int] = field(default_factory=dict)
    """The row as of which each unit's newest good checkpoint was taken."""
    stale: set[UnitId] = field(default_factory=set)
    """Units of which there are rows after that."""
    sessions: dict[str, Session] = field(default_factory=dict)
    """Fitters' visits that are open."""

    def under(self) -> str:
        """Names what facts are folded under: the register that was loaded, and how policies read facts."""
        return f"{self.base} {self.engine.roster.terms.name()}"


async def recover(
    store: Store,
    policies: Policies,
    recent: Recent,
    standing: Standing,
    *,
    decided: Decided,
    on_row: Callable[[int], None] = lambda row_id: None,
) -> Recovered:
    """Read it all back. Where a register was loaded, or facts are read otherwise, all is folded and judged anew."""
    in_force = await register_in_force(store)
    for stored in await store.policies():
        published = policies.known(stored.name, stored.version)
        if stored.as_of_row and published is not None:
            touched = touched_by_policy(published, policies, in_force.register, stored.published_at)
            in_force.touched(touched.wearers, stored.as_of_row)
    engine = Engine(in_force.register, policies, memory=recent, decided=decided, name=in_force.name)
    found = Recovered(engine, in_force.base)
    found.sessions = {name: each for name, each in (await sessions_of(store)).items() if each.closed is None}
    engine.roster.visits = {name: each.visit for name, each in found.sessions.items()}
    from_row, as_of, recalled = await _restore(store, found)
    async for row in store.inbox_after(from_row):
        _play(found, recent, row)
        on_row(row.row_id)
    standing.load(await store.findings(live_after=_settled(engine)))
    if from_row:
        _want_anew(found, in_force, as_of, recalled)
    for name in list(engine.wanting):
        await _reopen(store, found, standing, name)
    engine.remember_straps(await store.findings(rule=tag_strap.RULE))
    at = engine.receiving.last_at or 0
    engine.resume(at, _by_subject(standing), await _undecided(store, engine, at))
    return found


async def _undecided(store: Store, engine: Engine, at: Ms) -> list[tuple[str, Ms]]:
    """Cases that were due by the last sign of life and not decided: a service that died half way through a herd.

    They are decided at their own instants, as in a replay, for the service was receiving then.
    """
    due = await store.deadlines_due(at)
    known = {case.woken_as for case in engine.cases.values()} if due else set()
    return [(one.subject, one.due) for one in due if one.subject in known]


def _want_anew(found: Recovered, in_force: InForce, as_of: Mapping[UnitId, int], recalled: set[WearerId]) -> None:
    """Whoever rests on a checkpoint that an instruction or a recall has overtaken is folded anew."""
    for wearer in sorted(recalled | in_force.touched_at.keys()):
        case, row_id = found.engine.cases.get(wearer), in_force.touched_at.get(wearer, 0)
        if case is not None and (wearer in recalled or any(as_of.get(unit, 0) < row_id for unit in case.units)):
            found.engine.wanting[min(case.units)] = found.engine.receiving.last_at or 0


async def _restore(store: Store, found: Recovered) -> tuple[int, dict[UnitId, int], set[WearerId]]:
    """Units from their checkpoints; the row to read the inbox from, that each was taken at, and whom to recall."""
    from_row, states, under = 0, {}, found.under()
    async for checkpoint in store.checkpoints():
        state = readable(checkpoint, under)
        if state is None:
            found.changed |= checkpoint.unit == SERVICE
            continue
        if checkpoint.unit == SERVICE:
            from_row = found.row_id = state["from_row"]
            restore_receiving(found.engine, state)
        else:
            states[checkpoint.unit] = (checkpoint.row_id, state)
    if from_row == 0:
        return 0, {}, set()
    recalled = restore(found.engine.roster, {name: state for name, (_, state) in states.items()})
    for name, (row_id, _) in states.items():
        found.checkpointed[name] = row_id
        if row_id:
            found.last_row_of[name] = row_id
    return from_row, {name: state["as_of"] for name, (_, state) in states.items()}, recalled


def _play(found: Recovered, recent: Recent, row: InboxRow) -> None:
    """One row into the engine, unless its unit's checkpoint knows it already."""
    found.row_id = row.row_id
    receiving = found.engine.receiving
    if row.kind == "service":
        said = json.loads(row.payload)
        if said["service"] == "clock":
            receiving.tell_clock(said, row.received_at)
        else:
            receiving.sign(said["service"], row.received_at)
        return
    receiving.last_at = row.received_at
    if row.kind == "instruction" or row.unit is None or row.row_id <= found.checkpointed.get(row.unit, 0):
        return
    if row.unit in found.engine.units:
        found.stale.add(row.unit)
        found.engine.units[row.unit].last_received_at = row.received_at
    if row.kind == "heard":
        return
    found.last_row_of[row.unit] = row.row_id
    told, unit = told_in(row.received_at, row.payload), found.engine.units.get(row.unit)
    if told is not None and unit is not None:
        repeat = unit.knows(told.boot, told.first_seq, len(told.events))
        found.engine.absorb(row.unit, told)
        if not repeat:  # afterwards: no envelope is its own original
            recent.remember(row.unit, told.boot, told.first_seq, len(told.events), row.payload)


def _settled(engine: Engine) -> Ms:
    """Before it, the findings of every subject are settled."""
    cases = (case.settled for case in engine.cases.values())
    return min((*cases, *(unit.folded_before for unit in engine.units.values())), default=-FOREVER)


async def _reopen(store: Store, found: Recovered, standing: Standing, name: UnitId) -> None:
    units, wearers = found.engine.roster.around(name)
    told = {}
    for unit in units:
        newest = found.last_row_of.get(unit)
        told[unit] = Telling([] if newest is None else await store.unit_history(newest=newest, after=0))
    found.engine.reopen(name, told, await standing.reopen([*units, *wearers]))


def _by_subject(standing: Standing) -> dict[str, list[Finding]]:
    return {subject: list(held.values()) for subject, held in standing.findings.items()}
