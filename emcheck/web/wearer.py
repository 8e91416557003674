"""The wearer: order and timetable, what of the allowance is used, equipment, the last nights, and all alerts."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from emcheck.desk import Access
from emcheck.domain.case import KEEP, Case, OrderState
from emcheck.domain.engine import Engine
from emcheck.domain.ids import Ms, WearerId
from emcheck.domain.instants import DAY, HOUR
from emcheck.domain.rules.curfew_accumulated import allowance_ms
from emcheck.domain.windows import windows
from emcheck.present.standing import in_force
from emcheck.present.timeline_svg import Bar, Mark, Timeline, draw_svg, told
from emcheck.present.times import duration
from emcheck.service.showing import resting_on
from emcheck.web.cases import no_wearer, refuse_others
from emcheck.web.guarding import MaySeeWearers, address_of
from emcheck.web.pages import page
from emcheck.web.parts import Parts, WithParts
from emcheck.web.problems import Problem
from emcheck.web.rows import rows_of

router = APIRouter(include_in_schema=False)
_ALERTS_MAX = 50
_NIGHTS: Ms = KEEP - DAY
"""Nights that stand in memory whole, whenever it is asked."""


@router.get("/wearers/{wearer_id}")
async def wearer(request: Request, wearer_id: str, who: MaySeeWearers, parts: WithParts) -> Response:
    """All that an operator needs of one wearer on one page; for an officer, of own cases only."""
    await refuse_others(request, parts, who, wearer_id)
    engine, case = case_of(parts, wearer_id)
    line = Access(parts.clock.now(), who.name, "wearer seen", wearer_id, None, address_of(request))
    await parts.desk.note_access([line])
    return page(request, "wearer.html", who=who, **await told_of(parts, engine, case))


def case_of(parts: Parts, wearer_id: str) -> tuple[Engine, Case]:
    """The wearer's live state; Problem where there is no such wearer, or the service is starting."""
    known = parts.known()
    if known is None:
        raise Problem(503, "The service is reading itself back; ask again shortly.", headers={"Retry-After": "5"})
    case = known.engine.cases.get(WearerId(wearer_id))
    if case is None:
        raise no_wearer(wearer_id)
    return known.engine, case


async def told_of(parts: Parts, engine: Engine, case: Case) -> dict[str, Any]:
    """What the page says, as text."""
    now, wearer_id = parts.clock.now(), case.wearer_id
    alerts = await parts.desk.alerts(open_only=False, subjects=[wearer_id, *case.units][:500])
    newest = sorted(alerts, key=lambda alert: (alert.raised_at, alert.alert_id), reverse=True)[:_ALERTS_MAX]
    findings = [f for subject in (wearer_id, *case.units) for f in await parts.desk.findings(subject)]
    bars = [
        Bar(lane=f.rule.split(".")[0], start=f.start, end=f.end, text=f.rule + (f", {f.class_}" if f.class_ else ""))
        for f in findings
        if not f.rule.startswith("curfew.")
    ]
    marks = [Mark(at=a.raised_at, text=f"{a.priority} {a.rule} raised") for a in alerts]
    nights = list(_nights(engine, case, now, bars, marks))
    name = (await parts.desk.names([wearer_id])).get(wearer_id, "")
    return {
        "wearer_id": wearer_id, "name": name, "orders": in_force(resting_on(engine.roster.register, case), None),
        "totals": [_total(engine, state) for state in case.orders], "alerts": await rows_of(parts, newest),
        "svg": Markup(draw_svg(nights, styled=False)) if nights else None,  # noqa: S704 - escapes what it draws
        "spoken": [line for each in nights for line in told(each)],
    }  # fmt: skip


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
