"""A start: register, checkpoints, the inbox rows after them, and what was said of it all; nothing is decided anew."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from emcheck.domain.engine import Decided, Engine
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.instants import FOREVER
from emcheck.domain.policy import Policy
from emcheck.domain.register import Register, parse_register
from emcheck.ports import InboxRow, Store
from emcheck.service.checkpoints import SERVICE, readable, restore_receiving
from emcheck.service.history import Recent, Telling, told_in
from emcheck.service.standing import Standing


@dataclass(slots=True)
class Recovered:
    """The engine as it was at the last commit, and where the inbox stands."""

    engine: Engine
    row_id: int = 0
    last_row_of: dict[UnitId, int] = field(default_factory=dict)
    checkpointed: dict[UnitId, int] = field(default_factory=dict)
    """The row as of which each unit's newest good checkpoint was taken."""
    stale: set[UnitId] = field(default_factory=set)
    """Units of which there are rows after that."""


async def recover(
    store: Store,
    policy: Policy,
    recent: Recent,
    standing: Standing,
    *,
    decided: Decided,
    on_row: Callable[[int], None] = lambda row_id: None,
) -> Recovered:
    """Read it all back. Where register or policy changed, all facts are folded anew and all findings judged anew."""
    engine = Engine(await _register(store), policy, memory=recent, decided=decided)
    found = Recovered(engine)
    from_row = await _restore(store, found)
    async for row in store.inbox_after(from_row):
        _play(found, recent, row)
        on_row(row.row_id)
    standing.load(await store.findings(live_after=_settled(engine)))
    for name in list(engine.wanting):
        await _reopen(store, found, standing, name)
    engine.resume(engine.receiving.last_at or 0, _by_subject(standing))
    return found


async def _register(store: Store) -> Register:
    stored = await store.register()
    if stored is None:
        return Register(version=1, wearers=(), orders=(), installations=(), fittings=())
    return parse_register(stored.body, name="the stored register")


async def _restore(store: Store, found: Recovered) -> int:
    """Units from their checkpoints; returns the row after which the inbox must be read."""
    from_row, states = 0, {}
    async for checkpoint in store.checkpoints():
        state = readable(checkpoint, found.engine)
        if state is None:
            continue
        if checkpoint.unit == SERVICE:
            from_row = found.row_id = state["from_row"]
            restore_receiving(found.engine, state)
        else:
            states[checkpoint.unit] = (checkpoint.row_id, state)
    if from_row == 0:
        return 0
    for name, (row_id, state) in states.items():
        found.engine.restore(name, state)
        found.checkpointed[name] = row_id
        if row_id:
            found.last_row_of[name] = row_id
    return from_row


def _play(found: Recovered, recent: Recent, row: InboxRow) -> None:
    """One row into the engine, unless its unit's checkpoint knows it already."""
    found.row_id = row.row_id
    receiving = found.engine.receiving
    if row.kind == "service":
        receiving.sign(json.loads(row.payload)["service"], row.received_at)
        return
    receiving.last_at = row.received_at
    if row.unit is None or row.row_id <= found.checkpointed.get(row.unit, 0):
        return
    if row.unit in found.engine.units:
        found.stale.add(row.unit)
        found.engine.units[row.unit].last_received_at = row.received_at
    if row.kind == "heard":
        return
    found.last_row_of[row.unit] = row.row_id
    told = told_in(row.received_at, row.payload)
    if told is not None:
        recent.remember(row.unit, told.boot, told.first_seq, len(told.events), row.payload)
        found.engine.absorb(row.unit, told)


def _settled(engine: Engine) -> Ms:
    """Before it, the findings of every subject are settled."""
    cases = (case.settled for case in engine.cases.values())
    return min((*cases, *(unit.folded_before for unit in engine.units.values())), default=-FOREVER)


async def _reopen(store: Store, found: Recovered, standing: Standing, name: UnitId) -> None:
    units, wearers = found.engine.around(name)
    told = {}
    for unit in units:
        newest = found.last_row_of.get(unit)
        told[unit] = Telling([] if newest is None else await store.unit_history(newest=newest, after=0))
    found.engine.reopen(name, told, await standing.reopen([*units, *wearers]))


def _by_subject(standing: Standing) -> dict[str, list[Finding]]:
    return {subject: list(held.values()) for subject, held in standing.findings.items()}
