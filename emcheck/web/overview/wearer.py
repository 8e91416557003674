"""The wearer: the last nights, what of the allowance is used, order and timetable, equipment, fittings and alerts."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from emcheck.desk import Access
from emcheck.domain.case import KEEP, Case, OrderState
from emcheck.domain.engine import Engine
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, WearerId
from emcheck.domain.instants import DAY, HOUR, parse_ms
from emcheck.domain.rules import curfew_absence
from emcheck.domain.rules.curfew_accumulated import allowance_ms
from emcheck.domain.windows import windows
from emcheck.present.nights import Night, draw_nights, night_words, nights_of
from emcheck.present.standing import in_force
from emcheck.present.timeline_svg import Bar, Mark, Timeline, bar_of, draw_svg, mark_of, told
from emcheck.present.times import clock, duration, local_date
from emcheck.present.week import draw_week, week_of
from emcheck.service import devices
from emcheck.service.open_alerts import concerns
from emcheck.service.sessions import Looking, NoSessionError, document_of
from emcheck.service.showing import resting_on, unfolded
from emcheck.web.alerts.rows import rows_of
from emcheck.web.guarding import MaySeeWearers, address_of
from emcheck.web.held import held_of
from emcheck.web.overview.board import wearers_named
from emcheck.web.overview.equipment import tag_words, unit_words
from emcheck.web.pages import page
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.cases import no_wearer, refuse_others
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem
from emcheck.web.visits.ending import paper

router = APIRouter(include_in_schema=False)
_ALERTS_MAX = 50
_NIGHTS: Ms = KEEP - DAY
"""Nights that stand in memory whole, whenever it is asked."""
_SHOWN = 14
_GLANCE: Ms = _SHOWN * DAY
_COLUMNS = 130
_FAR_DAYS = 3_660
"""Weeks further away are nobody's timetable."""


@router.get("/wearers/{wearer_id}")
async def wearer(request: Request, wearer_id: str, who: MaySeeWearers, parts: WithParts) -> Response:
    """All that an operator needs of one wearer on one page; for an officer, of own cases only."""
    await refuse_others(request, parts, who, wearer_id)
    engine, case = case_of(parts, wearer_id)
    line = Access(parts.clock.now(), who.name, "wearer seen", wearer_id, None, address_of(request))
    await parts.desk.note_access([line])
    told = await told_of(parts, engine, case, unfold=request.query_params.get("nights") == "all")
    week = _week_asked(request.query_params.get("week", ""), parts.clock.now(), told["zone"])
    return page(request, "wearer.html", who=who, **told, **_weeks(case, week))


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    """An order's row with its span in its own local time."""
    begins, ends = (clock(parse_ms(row[edge]), row["timezone"]) for edge in ("starts_at", "ends_at"))
    return row | {"span": f"{begins} to {ends} ({row['timezone']})"}


def _week_asked(text: str, now: Ms, zone: str) -> date:
    """A day of the week that is asked for; today where it is none, or too far away."""
    today = local_date(now, zone)
    try:
        asked = date.fromisoformat(text[:10])
    except ValueError:
        return today
    return asked if abs((asked - today).days) < _FAR_DAYS else today


def _weeks(case: Case, week: date) -> dict[str, Any]:
    """Each order's timetable of a week, and the weeks beside it."""
    return {
        "weeks": [draw_week(week_of(state.order, week), width=_COLUMNS) for state in case.orders],
        "week_before": (week - timedelta(days=7)).isoformat(), "week_after": (week + timedelta(days=7)).isoformat(),
    }  # fmt: skip


def case_of(parts: Parts, wearer_id: str) -> tuple[Engine, Case]:
    """The wearer's live state; Problem where there is no such wearer, or the service is starting."""
    known = parts.known()
    if known is None:
        raise Problem(503, "The service is reading itself back; ask again shortly.", headers={"Retry-After": "5"})
    case = known.engine.cases.get(WearerId(wearer_id))
    if case is None:
        raise no_wearer(wearer_id)
    return known.engine, case


async def told_of(parts: Parts, engine: Engine, case: Case, *, unfold: bool = False) -> dict[str, Any]:
    """What the page says, as text; with `unfold` nights that are folded are drawn from the record."""
    now, wearer_id = parts.clock.now(), case.wearer_id
    found = await parts.desk.alerts(open_only=False, subjects=[wearer_id, *case.units][:500])
    alerts = [alert for alert in found if concerns(case, alert)]
    newest = sorted(alerts, key=lambda alert: (alert.raised_at, alert.alert_id), reverse=True)[:_ALERTS_MAX]
    findings = [f for subject in (wearer_id, *case.units) for f in await parts.desk.findings(subject)]
    beside = [f for f in findings if not f.rule.startswith("curfew.") and concerns(case, f)]
    bars = [bar_of(finding) for finding in beside]
    marks = [mark_of(alert, alert.raised_at) for alert in alerts]
    known, glance = parts.known(), (engine, case)
    if unfold and known is not None:
        glance = await unfolded(parts.desk, known, case)
    raised = [a.raised_at for a in alerts if a.subject == wearer_id]
    shown = _fortnights(*glance, findings, raised, now)
    nights = list(_nights(engine, case, now, bars, marks))
    zone = case.orders[0].order.timezone
    return {
        "wearer_id": wearer_id, "zone": zone, "now": (await wearers_named(parts, [wearer_id]))[0],
        "orders": [_dated(row) for row in in_force(resting_on(engine.roster.register, case), None)],
        "glances": [
            {"order": order, "svg": _markup(draw_nights(each, f"The last nights of {order}", number=number)),
             "words": [night_words(night) for night in each]} for number, (order, each) in enumerate(shown, start=1)
        ],
        "is_folded": any(night.known is None for _, each in shown for night in each),
        "totals": [_total(engine, state) for state in case.orders],
        "allowances": [_allowance(engine, state) for state in case.orders], "alerts": await rows_of(parts, newest),
        "svg": _markup(draw_svg(nights, styled=False, patterns=not shown)) if nights else None,
        "spoken": [line for each in nights for line in told(each)],
        **equipment_of(engine, case, now, zone), **(await held_of(parts.desk, wearer_id))._asdict(),
    }  # fmt: skip


def _markup(drawn: str) -> Markup:
    return Markup(drawn)  # noqa: S704 - what draws escapes what it draws


def _fortnights(
    engine: Engine, case: Case, findings: list[Finding], raised: list[Ms], now: Ms
) -> list[tuple[str, list[Night]]]:
    """The last 14 nights of each order that had any; what is folded is told by what was found."""
    tracks = {unit: engine.units[unit].track for unit in case.units}
    settled = max((engine.units[unit].settled for unit in case.units), default=-1)
    shown = []
    for state in case.orders:
        order, found = state.order, windows(state.order, now - _GLANCE, now + HOUR)
        nights = nights_of(
            [window for window in found if window.start >= now - _GLANCE],
            {address: case.timeline(address, tracks) for address in {window.address_id for window in found}},
            zone=order.timezone, settled=settled, excused=state.excused, raised=raised, now=now,
            absences=[f for f in findings if f.rule == curfew_absence.RULE and f.order_id == order.order_id],
        )  # fmt: skip
        days = sorted({night.day for night in nights})[-_SHOWN:]
        if days:
            shown.append((str(order.order_id), [night for night in nights if night.day in days]))
    return shown


def equipment_of(engine: Engine, case: Case, now: Ms, zone: str) -> dict[str, Any]:
    """What is fitted and installed, and how; what was, when, and by which visit."""
    worn = [f for f in case.fittings if f.fitted_at <= now and (f.removed_at is None or now < f.removed_at)]
    fittings = sorted(case.fittings, key=lambda fitting: fitting.fitted_at, reverse=True)
    units = [devices.unit_line(engine, engine.units[unit], now) for unit in case.units]
    return {
        "tags": [tag_words(devices.tag_line(engine, fitting, now), zone) for fitting in worn],
        "units": [unit_words(unit, now, zone) for unit in units if unit.address_id in case.addresses],
        "fittings": [
            {"tag": f.tag, "limb": f.limb or "", "batch": f.strap_batch or "", "fitted": clock(f.fitted_at, zone)[:16],
             "removed": "" if f.removed_at is None else clock(f.removed_at, zone)[:16], "session": f.session or "",
             "validation": (f.validation or "not validated").replace("_", " "),
             "override": "" if f.override is None else f"by {f.override.by}: {f.override.reason}"} for f in fittings
        ],
    }  # fmt: skip


def _allowance(engine: Engine, state: OrderState) -> dict[str, Any]:
    """What of the allowance is used, as a bar has it."""
    used_ms = state.before.absent_ms + sum(finding.absent_ms or 0 for finding in state.absences())
    allowed_ms = allowance_ms(state.order, engine.roster.policies.of(state.order))
    return {"used": used_ms // 60_000, "allowed": allowed_ms // 60_000, "over": used_ms > allowed_ms}


@router.get("/wearers/{wearer_id}/fittings/{session}.pdf")
async def fitting(request: Request, wearer_id: str, session: str, who: MaySeeWearers, parts: WithParts) -> Response:
    """The record of a visit on paper."""
    return await paper(request, parts, who, await record_of(request, parts, who, wearer_id, session))


async def record_of(request: Request, parts: Parts, who: Who, wearer_id: str, session: str) -> dict[str, Any]:
    """The record of one of a wearer's fittings, kept in the access log before it is told."""
    await refuse_others(request, parts, who, wearer_id)
    _, case = case_of(parts, wearer_id)
    if session not in {fitting.session for fitting in case.fittings}:
        raise Problem(404, f"{wearer_id[:40]} has no fitting of a session {session[:60]}.")
    line = Access(parts.clock.now(), who.name, "record of a visit read", wearer_id, None, address_of(request))
    await parts.desk.note_access([line])
    try:
        looking = await Looking.at(parts.desk, session)
    except NoSessionError as error:
        raise Problem(404, f"The record of this visit is not held: {error}") from None
    return await document_of(parts.desk, await looking.look(parts.clock.now()))


def _nights(engine: Engine, case: Case, now: Ms, bars: list[Bar], marks: list[Mark]) -> Iterator[Timeline]:
    """The windows of the last two days, and one that begins within the hour, as far as memory tells them whole."""
    settled = max((engine.units[unit].settled for unit in case.units), default=0)
    tracks = {unit: engine.units[unit].track for unit in case.units}
    for state in case.orders:
        near = [w for w in windows(state.order, now - _NIGHTS, now + HOUR) if w.start - HOUR >= settled]
        for address in sorted({window.address_id for window in near}):
            yield Timeline(
                title=f"{case.wearer_id} at {address}", zone=state.order.timezone,
                windows=[w for w in near if w.address_id == address], known=case.timeline(address, tracks), until=now,
                now=now, excused=state.excused, bars=bars, marks=marks,
            )  # fmt: skip


def _total(engine: Engine, state: OrderState) -> str:
    """What of the order's allowance is used up."""
    used_ms = state.before.absent_ms + sum(finding.absent_ms or 0 for finding in state.absences())
    allowed_ms = allowance_ms(state.order, engine.roster.policies.of(state.order))
    return f"order {state.order.order_id}: {duration(used_ms)} of {duration(allowed_ms)} of unexcused absence"
