"""The end of a visit: signatures, another outcome, a supervisor's word, and the record to take away."""

import asyncio
import json
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from emcheck.service.sessions import Look, document_of
from emcheck.web.alerts.acting import Wrong
from emcheck.web.guarding import MayFit, MayOverride, MaySeeVisits
from emcheck.web.parts import Parts, WithParts, parts_of
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem
from emcheck.web.visits import telling
from emcheck.web.visits.fitted import fitted_said
from emcheck.web.visits.following import followed
from emcheck.web.visits.listing import engine_of
from emcheck.web.visits.pages import seen, shown, taken
from emcheck.web.visits.photos import pictures_of
from emcheck.web.visits.saying import record_of, said_in, say, told

router = APIRouter(include_in_schema=False)


@router.get("/visits/{session}/sign")
async def sign(request: Request, session: str, who: MayFit, parts: WithParts) -> Response:
    """The record to be read, and the fields for two signatures."""
    return await _page(request, who, parts, session, "sign", wrong=None, typed={})


@router.get("/visits/{session}/end")
async def end(
    request: Request, session: str, who: MayFit, parts: WithParts, outcome: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """How a visit ends that is no success; `outcome` is chosen already."""
    return await _page(request, who, parts, session, "end", wrong=None, typed={"outcome": outcome})


@router.post("/visits/{session}/close")
async def close(request: Request, session: str, who: MayFit, parts: WithParts) -> Response:
    """The visit is over."""
    await seen(request, who, session)
    form = await request.form()
    said = said_in(form)
    outcome = said if isinstance(said, Wrong) else await say(parts, followed(request), who, session, said)
    if isinstance(outcome, Wrong):
        typed = {key: value for key, value in form.items() if isinstance(value, str)}
        kind = "sign" if typed.get("outcome") == "success" else "end"
        return await _page(request, who, parts, session, kind, wrong=outcome, typed=typed)
    if form.get("anew") == "1":
        order = outcome.session.visit.order_id
        return RedirectResponse(f"/visits/new?{urlencode({'order': order})}", status_code=303)
    return RedirectResponse(f"/visits/{session}", status_code=303)


async def _page(
    request: Request, who: Who, parts: Parts, session: str, kind: str, *, wrong: Wrong | None, typed: dict[str, str]
) -> Response:
    look, it = await followed(request).to_sign(who, session)
    await followed(request).note(request, who, look)
    if look.session.closed is not None:
        return RedirectResponse(f"/visits/{session}", status_code=303)
    said = {"to_sign": record_of(it), "signable": telling.signable(it), "typed": typed, "wrong": wrong}
    said |= fitted_said(it, engine_of(parts).roster.register)
    return shown(request, f"{kind}.html", who, parts, look, status=422 if wrong else 200, **said)


@router.post("/visits/{session}/override")
async def override(request: Request, session: str, who: MayOverride, parts: WithParts) -> Response:
    """A supervisor lets it stand, with a reason."""
    look = await seen(request, who, session)
    form = await request.form()
    reason = str(form.get("other", "")).strip() or str(form.get("reason", "")).strip()
    outcome = await overridden(request, who, parts, session, reason)
    if isinstance(outcome, Wrong):
        said = {"wrong": outcome, "taken": await taken(parts, look)}
        return shown(request, "overview.html", who, parts, look, status=422, **said)
    return RedirectResponse(f"/visits/{session}", status_code=303)


async def overridden(request: Request, who: Who, parts: Parts, session: str, reason: str) -> Look | Wrong:
    """The same as an act."""
    if not reason:
        return Wrong("reason", "missing; say why it is to stand though steps are open")
    raw = {"type": "fitting_override", "session": session, "reason": reason, "by": who.name}
    return await told(parts, followed(request), who, session, raw)


@router.get("/visits/{session}/record.json")
async def record_json(request: Request, session: str, who: MaySeeVisits) -> Response:
    """The record as a file."""
    text = json.dumps(await record_shown(request, who, session), indent=1, ensure_ascii=False) + "\n"
    return _file(text.encode(), f"{session}.json", "application/json")


@router.get("/visits/{session}/record.pdf")
async def record_pdf(request: Request, session: str, who: MaySeeVisits, parts: WithParts) -> Response:
    """The record on paper."""
    return await paper(request, parts, who, await record_shown(request, who, session))


async def record_shown(request: Request, who: Who, session: str) -> dict[str, Any]:
    """The record, with a line of the access log before it is shown."""
    look = await followed(request).look(who, session, anew=True)
    await followed(request).note(request, who, look, "record of a visit read")
    return await document_of(parts_of(request).desk, look)


async def paper(request: Request, parts: Parts, who: Who, of: dict[str, Any]) -> Response:
    """A record as PDF, with its pictures; the compiler is large, and loaded for this alone."""
    from emcheck.evidence.fitting_record import RecordError, record_pdf

    pictures = await pictures_of(request, parts, who, of)
    try:
        pages = await asyncio.to_thread(record_pdf, of, pictures)
    except RecordError as error:
        raise Problem(500, f"The record cannot be set on paper ({error}); it is whole as JSON.") from None
    return _file(pages, f"{of['record']['session']}.pdf", "application/pdf")


def _file(content: bytes, name: str, kind: str) -> Response:
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
