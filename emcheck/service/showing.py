"""An alert's story as the running service has it in memory: at once, whatever the length of the record.

The last nights stand in the tracks that the decisions rest on, exactly (`domain.folding`). A night that is folded is
drawn from all that the wearer's own units ever told, walked unit by unit in the inbox, in a thread of its own.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from emcheck.desk import Desk
from emcheck.domain.alerts import Alert
from emcheck.domain.case import Case
from emcheck.domain.engine import Engine
from emcheck.domain.findings import FactRef, Finding
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.instants import HOUR
from emcheck.domain.receipt import Told
from emcheck.domain.referrals import Referral
from emcheck.domain.register import Register, changed
from emcheck.ports import AlertChange, InboxRow
from emcheck.service.explaining import Place, Rest, Story, grounds_among, next_call, places_of, rest_in, with_referral
from emcheck.service.history import Recent, told_in
from emcheck.service.referring import referrals_of

_BEFORE: Ms = 2 * HOUR
"""A fact reaches us after it happened, but for what a unit's clock is off."""


class Known(NamedTuple):
    """What the service has in memory: its engine, and the newest inbox row of each unit."""

    engine: Engine
    newest_row: Callable[[UnitId], int | None]


class Shown(NamedTuple):
    """A story, and whether its night is folded: then its places are drawn on request only."""

    story: Story
    is_folded: bool


async def shown(desk: Desk, alert: Alert, known: Known, *, unfold: bool = False, nights: int = 0) -> Shown:
    """All that can be said of an alert; with `unfold` an old night is read from the record.

    What is drawn is the alert's own night, or one so many `nights` later, earlier where that is negative.
    """
    engine = known.engine
    history = await desk.alert_history(alert.alert_id)
    findings = await desk.findings(alert.subject)
    grounds = grounds_among(findings, alert)
    case = engine.cases.get(alert.wearer_id) if alert.wearer_id is not None else None
    places: list[Place] = []
    folded = False
    if case is not None:
        places = places_of(engine, case, alert, nights=nights)
        folded = _is_folded(engine, case, places)
        if folded:
            places = await _unfolded(desk, alert, known, case, nights) if unfold else []
    facts = list(dict.fromkeys(fact for finding in grounds for fact in finding.evidence))
    rests = await _rests(desk, known, facts, grounds)
    referral = await _referral(desk, alert, history, engine)
    under = 0 if alert.size is None else await desk.count_under(alert.alert_id)
    beside = [*findings, *[f for unit in case.units for f in await desk.findings(unit)]] if case is not None else []
    step, of = await next_call(desk, alert, engine.roster.policies)
    told = with_referral(history, referral)
    story = Story(alert, told, grounds, rests, places, referral, under, beside, step, of)
    return Shown(story, folded)


async def _referral(desk: Desk, alert: Alert, history: Sequence[AlertChange], engine: Engine) -> Referral | None:
    """How it was referred; only what somebody identified as a breach is, and all that was ever instructed tells it."""
    identified = alert.disposition is not None or any(change.action == "confirmed" for change in history)
    if not identified:
        return None
    roster = engine.roster
    return next(iter(await referrals_of(desk, roster.policies, [alert], roster.register)), None)


def _is_folded(engine: Engine, case: Case, places: Sequence[Place]) -> bool:
    begins = [window.start - HOUR for place in places for window in place.windows]
    return any(engine.units[unit].settled > min(begins) for unit in case.units) if begins else False


async def _unfolded(desk: Desk, alert: Alert, known: Known, case: Case, nights: int) -> list[Place]:
    """The night drawn anew."""
    engine, anew = await unfolded(desk, known, case)
    return await asyncio.to_thread(places_of, engine, anew, alert, nights=nights)


async def unfolded(desk: Desk, known: Known, case: Case) -> tuple[Engine, Case]:
    """A case folded anew, from all that the wearer's units told; what the service decides on stays as it is."""
    roster = known.engine.roster
    rows = {
        unit: await desk.unit_history(newest=newest, after=0)
        for unit in case.units
        if (newest := known.newest_row(unit)) is not None
    }

    def fold_anew() -> Engine:
        engine = Engine(
            resting_on(roster.register, case), roster.policies, memory=Recent(0), decided=lambda *decision: None
        )
        for unit, told in rows.items():
            engine.units[unit].rebuild(_envelopes(told), engine.roster.track)
        return engine

    engine = await asyncio.to_thread(fold_anew)
    return engine, engine.cases[case.wearer_id]


def resting_on(register: Register, case: Case) -> Register:
    """What of the register a case rests on."""
    return changed(
        register,
        wearers=tuple(w for w in register.wearers if w.wearer_id == case.wearer_id),
        orders=tuple(state.order for state in case.orders),
        installations=tuple(i for i in register.installations if i.unit in case.units),
        fittings=case.fittings,
    )


def _envelopes(rows: Sequence[InboxRow]) -> list[Told]:
    """What the rows of a unit told."""
    told = (told_in(row.received_at, row.payload) for row in rows if row.kind == "up")
    return [each for each in told if each is not None]


async def _rests(desk: Desk, known: Known, facts: Sequence[FactRef], grounds: Sequence[Finding]) -> list[Rest]:
    """The facts with their content, of each unit from shortly before the findings begin."""
    if not facts:
        return []
    after = await desk.row_before(min(finding.start for finding in grounds) - _BEFORE)
    told: dict[UnitId, list[Told]] = {}
    for unit in dict.fromkeys(fact.unit for fact in facts):
        newest = known.newest_row(unit)
        rows = [] if newest is None else await desk.unit_history(newest=newest, after=after)
        told[unit] = await asyncio.to_thread(_envelopes, rows)
    return [rest_in(told[fact.unit], fact) for fact in facts]
