"""The fitters' pages: what is to be visited, and one visit step by step, each step a screen."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from emcheck.domain.fitting.acts import CANVAS
from emcheck.domain.fitting.outcomes import OUTCOMES as ENDINGS
from emcheck.domain.fitting.photos import CAPTIONS, gone
from emcheck.domain.fitting.steps import BY_ID
from emcheck.present.times import hour
from emcheck.service.sessions import Look
from emcheck.web.alerts.acting import Wrong
from emcheck.web.guarding import MayAssign, MayFit, MaySeeVisits
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem
from emcheck.web.visits import telling
from emcheck.web.visits.assigning import ToAssign, assign
from emcheck.web.visits.drawing import page
from emcheck.web.visits.following import followed
from emcheck.web.visits.listing import engine_of, listing, order_named
from emcheck.web.visits.saying import Said, said_in, say

router = APIRouter(include_in_schema=False)
CHOICES: dict[str, Any] = {
    "identifiers": telling.IDENTIFIERS, "room_names": telling.ROOMS, "gaps": telling.GAPS_MM,
    "reasons": telling.REASONS, "outcomes": telling.OUTCOMES, "overrides": telling.OVERRIDES, "canvas": CANVAS,
    "endings": {name: ending.words for name, ending in ENDINGS.items()}, "taken": [],
}  # fmt: skip
"""What forms offer."""


@router.get("/visits")
async def visits(
    request: Request, who: MaySeeVisits, parts: WithParts, words: Annotated[str, Query(max_length=80)] = ""
) -> Response:
    """What is open, what wants a fitting, and what was done today."""
    return await _list(request, who, parts, words)


async def _list(
    request: Request, who: Who, parts: Parts, words: str = "", *, wrong: Wrong | None = None, **typed: str
) -> Response:
    listed = await listing(request, parts, who, words)
    register = engine_of(parts).roster.register
    begun = {
        one.visit.session: telling.visit_said(await followed(request).look(who, one.visit.session), register)
        for one in listed.open
        if one.visit.by == who.name  # each is judged for it; whoever sees all of them opens one
    }
    said = {"listed": listed, "begun": begun, "wrong": wrong, "typed": typed}
    return page(request, "list.html", who=who, status=422 if wrong else 200, **said)


@router.post("/visits/assign")
async def assign_one(request: Request, who: MayAssign, parts: WithParts) -> Response:
    """Whose visit an order is to be, or with `nobody` that it is anybody's."""
    form = {key: value.strip() for key, value in (await request.form()).items() if isinstance(value, str)}
    order = order_named(engine_of(parts).roster.register, form.get("order_id", ""))
    seen_at = int(form["seen_at"]) if re.fullmatch(r"[0-9]{1,15}", form.get("seen_at", "")) else None
    said = None
    if form.get("nobody") != "1":
        said = ToAssign(fitter=form.get("fitter", "")[:80], day=form.get("day", "")[:10], seen_at=seen_at)
    outcome = await assign(request, parts, who, order, said, seen_at)
    if isinstance(outcome, Wrong):
        typed = {name: form.get(name, "") for name in ("order_id", "fitter", "day")}
        return await _list(request, who, parts, wrong=outcome, **typed)
    return RedirectResponse("/visits", status_code=303)


@router.get("/visits/here")
async def here(who: MaySeeVisits, parts: WithParts) -> JSONResponse:
    """Whether the service is reached, and as whom: what a phone asks before it sends what it saved."""
    return JSONResponse({"name": who.name, "csrf": who.csrf, "now": parts.clock.now()})


@router.post("/visits/{session}/acts")
async def act(request: Request, session: str, who: MayFit, parts: WithParts) -> Response:
    """An answer or a mark, from a page without JavaScript; after an answer it goes on, after a mark it stays."""
    look = await seen(request, who, session)
    form = await request.form()
    said = said_in(form)
    outcome: Look | Wrong = said if isinstance(said, Wrong) else await say(parts, followed(request), who, session, said)
    step = _step_of(said, str(form.get("step", "")))
    if isinstance(outcome, Wrong):
        return _step(request, who, parts, look, step, wrong=outcome)
    if isinstance(said, Said) and said.type == "fitting_answer" and step not in outcome.standing.open_steps():
        step = telling.next_of(outcome.standing, step)
    return RedirectResponse(f"/visits/{session}/{step}", status_code=303)


def _step_of(said: Said | Wrong, named: str) -> str:
    """The step that an act belongs to."""
    if isinstance(said, Said) and said.type == "fitting_mark":
        return "walk" if said.what in ("room", "walk_over") else "body"
    return named if named in BY_ID else "identity"


@router.get("/visits/{session}")
async def overview(request: Request, session: str, who: MaySeeVisits, parts: WithParts) -> Response:
    """Where a visit stands: every step, and how it ended."""
    look = await seen(request, who, session)
    return shown(request, "overview.html", who, parts, look, wrong=None, taken=await taken(parts, look))


@router.get("/visits/{session}/{step}")
async def step(request: Request, session: str, step: str, who: MaySeeVisits, parts: WithParts) -> Response:
    """One step, a screen."""
    look = await seen(request, who, session)
    if look.session.closed is not None:
        return RedirectResponse(f"/visits/{session}", status_code=303)
    return _step(request, who, parts, look, step, wrong=None)


@router.get("/visits/{session}/{step}/now")
async def step_now(request: Request, session: str, step: str, who: MaySeeVisits, parts: WithParts) -> Response:
    """The part of a step's page that changes by itself."""
    look = await seen(request, who, session)
    return _step(request, who, parts, look, step, wrong=None, template="now.html")


def _step(
    request: Request, who: Who, parts: Parts, look: Look, step: str, *, wrong: Wrong | None, template: str = "step.html"
) -> Response:
    if step not in BY_ID:
        raise Problem(404, f"There is no step {step[:40]}; there are {', '.join(BY_ID)}.")
    said = telling.step_said(look, engine_of(parts).roster.register, step)
    return shown(request, template, who, parts, look, status=422 if wrong else 200, wrong=wrong, **said)


async def taken(parts: Parts, look: Look) -> list[dict[str, Any]]:
    """The photos of a visit, as its page names them."""
    register, visit = engine_of(parts).roster.register, look.session.visit
    zone = next((order.timezone for order in register.orders if order.order_id == visit.order_id), "UTC")
    return [
        {
            "sha256": photo.sha256, "caption": CAPTIONS[photo.caption], "at": hour(photo.at, zone), "by": photo.by,
            "gone": "" if photo.is_held else gone(photo.kept_days),
        }
        for photo in await parts.desk.photos(visit.session)
    ]  # fmt: skip


async def seen(request: Request, who: Who, session: str, *, anew: bool = False) -> Look:
    """The visit, with a line of the access log before it is shown."""
    look = await followed(request).look(who, session, anew=anew)
    await followed(request).note(request, who, look)
    return look


def shown(
    request: Request, template: str, who: Who, parts: Parts, look: Look, *, status: int = 200, **said: Any
) -> Response:
    """A page of one visit."""
    told = telling.visit_said(look, engine_of(parts).roster.register) | CHOICES | said
    told["photo_bytes"] = parts.photo_bytes_max
    return page(request, template, who=who, status=status, own=look.session.visit.by == who.name, **told)
