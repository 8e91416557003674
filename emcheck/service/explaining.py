"""An alert's story out of the database: what was known when, what it rests on, and the time it is about, drawn anew."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from emcheck.domain.alerts import Alert
from emcheck.domain.case import Case
from emcheck.domain.engine import Engine
from emcheck.domain.escalation import Due
from emcheck.domain.facts import Event
from emcheck.domain.findings import FactRef, Finding, Span
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.instants import DAY, HOUR
from emcheck.domain.policies import Policies
from emcheck.domain.queue import alert_id
from emcheck.domain.receipt import Told
from emcheck.domain.referrals import Referral
from emcheck.domain.timeline import Stretch
from emcheck.domain.windows import Window, windows
from emcheck.ports import AlertChange, Store
from emcheck.present.referred import note
from emcheck.service.attending import arrived
from emcheck.service.enrolment import register_in_force
from emcheck.service.history import Recent, told_in
from emcheck.service.own import Own
from emcheck.service.referring import referrals_of

_AROUND: Ms = 12 * HOUR
"""An alert that is about no window is drawn with the windows that begin so soon after it."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A fact that a finding rests on, with its content and receipt; None where the inbox does not hold it."""

    fact: FactRef
    event: Event | None
    received_at: Ms | None


@dataclass(frozen=True, slots=True)
class Place:
    """A wearer's known time at an address, and the curfew windows there."""

    address_id: str
    zone: str
    known: list[Stretch]
    windows: list[Window]
    excused: tuple[Span, ...] = ()
    """Authorised absences."""


@dataclass(frozen=True, slots=True)
class Story:
    """All that can be said of an alert. `history` is in order of knowledge."""

    alert: Alert
    history: list[AlertChange]
    grounds: list[Finding]
    rests: list[Rest]
    places: list[Place]
    referral: Referral | None = None
    """How it was referred to the authority, or until when it is to be."""
    under: int = 0
    """How many alerts an incident accounts for."""
    beside: list[Finding] = field(default_factory=list)
    """What else was found of the wearer and the units at these addresses."""
    step: Due | None = None
    """The next step of its tree, None where nothing follows."""
    of: int = 0
    """How many steps its tree has."""


async def matching(store: Store, name: str) -> list[Alert]:
    """The alert of that id, else those whose id begins with `name`."""
    return await store.alerts_named([name]) or [
        alert for alert in await store.alerts(open_only=False) if alert.alert_id.startswith(name)
    ]


async def story_of(store: Store, alert: Alert, policies: Policies, *, on_row: Callable[[int], None]) -> Story:
    """Read everything that the alert rests on; `on_row` is told of each inbox row, for this may take a while."""
    history = await store.alert_history(alert.alert_id)
    findings = await store.findings(alert.subject)
    grounds = grounds_among(findings, alert)
    in_force = await register_in_force(store)
    engine = Engine(in_force.register, policies, memory=Recent(0), decided=lambda *decision: None, name=in_force.name)
    case = engine.cases.get(alert.wearer_id) if alert.wearer_id is not None else None
    wanted = set(case.units if case is not None else ()) | {fact.unit for f in grounds for fact in f.evidence}
    told: dict[UnitId, list[Told]] = {unit: [] for unit in wanted}
    async for row in store.inbox_after(0):
        on_row(row.row_id)
        if row.kind == "up" and row.unit in told and (envelope := told_in(row.received_at, row.payload)) is not None:
            told[row.unit].append(envelope)
    places: list[Place] = []
    if case is not None:
        for unit in case.units:
            engine.units[unit].rebuild(told[unit], engine.roster.track)
        places = places_of(engine, case, alert)
    facts = dict.fromkeys(fact for finding in grounds for fact in finding.evidence)
    rests = [rest_in(told.get(fact.unit, []), fact) for fact in facts]
    referral = next(iter(await referrals_of(store, policies, [alert], in_force.register)), None)
    under = 0 if alert.size is None else len(await store.alerts_under(alert.alert_id, open_only=False))
    beside = [*findings, *[f for unit in case.units for f in await store.findings(unit)]] if case is not None else []
    step, of = await next_call(store, alert, policies)
    return Story(alert, with_referral(history, referral), grounds, rests, places, referral, under, beside, step, of)


async def next_call(store: Store, alert: Alert, policies: Policies) -> tuple[Due | None, int]:
    """The next step of an alert's tree, None where nothing follows, and how many steps the tree has."""
    plan, has = Own(policies.own).plan(alert), arrived(await store.deliveries([alert.alert_id]))
    step = plan.due(alert, delivered=has.get(alert.alert_id, 0) >= alert.course.told_revision)
    return step, len(plan.tree_of(alert.rule, alert.priority))


def grounds_among(findings: Iterable[Finding], alert: Alert) -> list[Finding]:
    """Those of a subject's findings that an alert rests on."""
    known = list(findings)
    grounds = [f for f in known if f.raised_at is not None and alert_id(f) == alert.alert_id]
    return grounds or [f for f in known if _is_of(f, alert)]


def places_of(engine: Engine, case: Case, alert: Alert, *, nights: int = 0) -> list[Place]:
    """A wearer's known time wherever the alert is about, as the tracks of the units there tell it.

    `nights` later than the alert's own, or earlier where it is negative.
    """
    places: list[Place] = []
    tracks = {unit: engine.units[unit].track for unit in case.units}
    for state in case.orders:
        near = windows(state.order, *(at + nights * DAY for at in _reach(alert)))
        near = _near(alert, near) if nights == 0 else near
        for address in sorted({window.address_id for window in near}):
            here = [window for window in near if window.address_id == address]
            known = case.timeline(address, tracks)
            places.append(Place(address, state.order.timezone, known, here, state.excused))
    return places


def with_referral(history: list[AlertChange], referral: Referral | None) -> list[AlertChange]:
    """An alert's history with its referral, which changes nothing of it, where that became known."""
    if referral is None or referral.referred is None or referral.referred_at is None:
        return history
    if any(change.action == "referred" for change in history):
        return history
    before = [change for change in history if change.at <= referral.referred_at]
    act, known = referral.referred, before[-1].alert if before else history[0].alert
    told = AlertChange(known, "referred", referral.referred_at, act.by, note(referral), None)
    return [*before, told, *history[len(before) :]]


def _is_of(finding: Finding, alert: Alert) -> bool:
    """What is left of a withdrawn alert's absence: the record stays, though nothing is raised for it any more."""
    same = (finding.rule, finding.order_id, finding.window) == (alert.rule, alert.order_id, alert.window)
    end = finding.start if finding.end is None else finding.end
    ended = alert.happened_at if alert.ended_at is None else alert.ended_at
    return same and finding.start <= ended and alert.happened_at <= end


def _reach(alert: Alert) -> tuple[Ms, Ms]:
    if alert.window is not None:
        return alert.window
    end = alert.happened_at if alert.ended_at is None else alert.ended_at
    return alert.happened_at - HOUR, max(end, alert.happened_at) + _AROUND


def _near(alert: Alert, found: list[Window]) -> list[Window]:
    """The alert's own window; else those it is near."""
    if alert.window is None:
        return found
    return [window for window in found if (window.start, window.end) == alert.window] or found


def rest_in(told: Iterable[Told], fact: FactRef) -> Rest:
    """A fact with its content, as far as what its unit told holds it."""
    for received_at, boot, first_seq, events in told:
        if boot == fact.boot and first_seq <= fact.seq < first_seq + len(events):
            return Rest(fact, events[fact.seq - first_seq], received_at)
    return Rest(fact, None, None)
