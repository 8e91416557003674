"""The queue: what waits, the most urgent first, page by page; and the live line that keeps it so."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from emcheck.desk import Asked
from emcheck.domain.alerts import Alert
from emcheck.domain.rights import Right
from emcheck.web.guarding import MaySeeQueue, cookie_name
from emcheck.web.live import WATCHERS_MAX
from emcheck.web.offering import DISPOSITIONS, SHELVES_MIN
from emcheck.web.pages import drawn, head, page
from emcheck.web.parts import Parts, WithParts
from emcheck.web.problems import Problem, is_swap
from emcheck.web.rows import place_named, rows_of
from emcheck.web.signing_in import Who

PAGE = 50
router = APIRouter(include_in_schema=False)
Priority = Annotated[Literal["P1", "P2", "P3", "P4"] | None, Query()]
Words = Annotated[str, Query(max_length=80)]


def _asked(priority: str, waiting: str, words: str) -> Asked:
    return Asked(priority if priority in ("P1", "P2", "P3", "P4") else None, waiting == "1", words.strip()[:80])


async def listed(parts: Parts, request: Request, who: Who) -> dict[str, Any]:
    """What the list shows: the filter stands in the address, so that it can be kept as a bookmark."""
    given = request.query_params
    asked = _asked(given.get("priority", ""), given.get("waiting", ""), given.get("words", ""))
    after = place_named(given.get("after", ""))
    number = await parts.desk.last_told()  # before the page is read: what comes in between is told again, not missed
    alerts = await parts.desk.queue_page(asked, after=after, limit=PAGE + 1)
    rows = await rows_of(parts, alerts[:PAGE])
    wanted = {"priority": asked.priority, "waiting": "1" if asked.waiting_only else "", "words": asked.words}
    kept = urlencode({key: value for key, value in wanted.items() if value})
    onward = urlencode({"after": rows[-1].place}) if len(alerts) > PAGE else ""
    return {
        "rows": rows, "asked": asked, "kept": f"?{kept}" if kept else "", "after": after, "number": number,
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
    token = request.cookies.get(cookie_name(is_secure=parts.is_secure), "")

    async def still() -> bool:
        return await parts.signing_in.who(token, used=False) is not None

    async def told() -> AsyncIterator[bytes]:
        async for said in parts.live.stream(after, still):
            yield said

    return StreamingResponse(
        told(), media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
