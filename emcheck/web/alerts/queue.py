"""The queue: what waits, the most urgent first, page by page; and the live line that keeps it so."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from emcheck.domain.alerts import Alert, AlertState
from emcheck.domain.called import called
from emcheck.domain.queue import RULES
from emcheck.domain.rights import Right
from emcheck.present.acted import DISPOSITIONS
from emcheck.web.alerts.filtering import Filter
from emcheck.web.alerts.live import WATCHERS_MAX
from emcheck.web.alerts.offering import SHELVES_MIN
from emcheck.web.alerts.rows import place_named, rows_of
from emcheck.web.guarding import MaySeeQueue, address_of
from emcheck.web.pages import drawn, head, page
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem, is_swap

PAGE = 50
_UNDER_MAX = 50
_CONSOLE = re.compile(r"[A-Za-z0-9-]{8,40}")
_RULES = sorted((called(rule), rule) for rule in RULES)
router = APIRouter(include_in_schema=False)


async def note_queue(request: Request, parts: Parts, who: Who, wanted: Filter) -> None:
    """Before names are shown, it is kept who looked, and what for."""
    asked = " ".join(f"{key} {value}" for key, value in wanted.said.items() if value)
    await parts.note_look(who.name, f"queue seen {asked}".strip(), address_of(request))


async def listed(parts: Parts, request: Request, who: Who) -> dict[str, Any]:
    """What the list shows: the filter stands in the address, so that it can be kept as a bookmark."""
    given = request.query_params
    wanted = Filter(given)
    await note_queue(request, parts, who, wanted)
    asked, kept = wanted.asked(parts, who), wanted.query
    after = place_named(given.get("after", ""))
    number = await parts.desk.last_told()  # before the page is read: what comes in between is told again, not missed
    alerts = await parts.desk.queue_page(asked, after=after, limit=PAGE + 1)
    rows = await rows_of(parts, alerts[:PAGE])
    onward = urlencode({"after": rows[-1].place}) if len(alerts) > PAGE else ""
    return {
        "rows": rows, "asked": wanted.said, "is_plain": wanted.is_plain, "rules": _RULES, "query": kept,
        "views": await parts.desk.views(who.name), "kept": f"?{kept}" if kept else "", "after": after, "number": number,
        "onward": f"/?{'&'.join(filter(None, (kept, onward)))}" if onward else "", "now": parts.clock.now(),
        "may_pick": who.may(Right.ACT), "picked": (), "result": None,
        "dispositions": DISPOSITIONS, "shelves": SHELVES_MIN,
    }  # fmt: skip


@router.get("/")
async def queue(request: Request, who: MaySeeQueue, parts: WithParts) -> Response:
    """The queue without an alert; to a page that asks for a part of itself, the list."""
    listing = await listed(parts, request, who)
    if is_swap(request):
        return page(request, "list.html", who=who, open_id="", **listing)
    return page(request, "queue.html", who=who, open_id="", shown=None, **listing, **await head(parts))


async def draw_rows(parts: Parts, alerts: list[Alert]) -> dict[str, str]:
    """The HTML of rows by alert, as the live line sends it."""
    rows = await rows_of(parts, alerts)
    return {row.alert.alert_id: drawn("row.html", row=row, kept="", open_id="", picked=()) for row in rows}


@router.get("/live")
async def live(request: Request, who: MaySeeQueue, parts: WithParts) -> Response:
    """Changes of the queue as server-sent events, from the one after `Last-Event-ID`, or after `after`."""
    if parts.live.watchers >= WATCHERS_MAX:
        raise Problem(503, f"{WATCHERS_MAX} consoles are open; close one.", headers={"Retry-After": "30"})
    given = request.headers.get("last-event-id") or request.query_params.get("after", "")
    after = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
    await parts.note_look(who.name, "queue watched", address_of(request))

    async def still() -> bool:
        return await parts.signing_in.holds(who)

    console = request.query_params.get("console", "")

    async def told() -> AsyncIterator[bytes]:
        line = parts.live.together.enter(console, who.name) if _CONSOLE.fullmatch(console) else 0
        try:
            async for said in parts.live.stream(after, still):
                yield said
        finally:
            parts.live.together.leave(console, line)

    return StreamingResponse(
        told(), media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


@router.post("/live/at")
async def at(request: Request, who: MaySeeQueue, parts: WithParts) -> Response:
    """A console that is connected shows another alert, or none: others who have it open are told."""
    form = await request.form()
    console, alert_id = (str(form.get(key, "")) for key in ("console", "at"))
    there = parts.live.together.move(console, who.name, alert_id[:80])
    return Response(status_code=204 if there else 404)


@router.get("/alerts/{alert_id}/under")
async def under(request: Request, alert_id: str, who: MaySeeQueue, parts: WithParts) -> Response:
    """What an incident accounts for and nobody attends to, as rows."""
    await parts.note_look(who.name, f"what lies under {alert_id[:40]} seen", address_of(request))
    shown, count = await lies_under(parts, alert_id)
    rows = await rows_of(parts, shown)
    return page(
        request, "under.html", who=who, rows=rows, count=count, incident=alert_id, may_pick=who.may(Right.ACT),
        kept="", open_id="", picked=(),
    )  # fmt: skip


async def lies_under(parts: Parts, incident: str) -> tuple[list[Alert], int]:
    """Open alerts under an incident, the first of them, and how many it accounts for in all, closed ones too."""
    found = await parts.desk.alerts_under(incident, open_only=True, limit=_UNDER_MAX)
    return [a for a in found if a.state is AlertState.SUPPRESSED], await parts.desk.count_under(incident)
