"""REST of the fitters' page, `/api/v1/visits`: all that it does, for programs and for its own script."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from emcheck.domain.instants import format_ms
from emcheck.web.alerts.acting import Wrong
from emcheck.web.guarding import MayAssign, MayFit, MayOverride, MaySeeVisits
from emcheck.web.parts import WithParts
from emcheck.web.problems import Problem
from emcheck.web.visits.assigning import Assigned, SeenAt, ToAssign, assign
from emcheck.web.visits.ending import overridden, paper, record_shown
from emcheck.web.visits.following import followed
from emcheck.web.visits.listing import engine_of, listing, order_named
from emcheck.web.visits.opening import opened
from emcheck.web.visits.saying import Said, record_of, say
from emcheck.web.visits.telling import as_json

router = APIRouter(prefix="/api/v1/visits")
_Text = Annotated[str, Field(max_length=200)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Opening(_Shape):
    """A visit that begins."""

    order_id: _Text
    """For which order."""
    tag: _Text
    """The tag in the hand."""
    unit: _Text
    """The base unit at the address."""
    session: _Text | None = None
    """Its name; a new one where it is left out. Sent again with the same name, it opens one visit."""
    fitter_tag: _Text | None = None
    """The fitter's own tag."""
    strap_batch: _Text | None = None
    """Of the strap."""
    takes_off: _Text | None = None
    """A tag of the wearer that this one takes the place of."""


class Override(_Shape):
    """A supervisor's word."""

    reason: _Text
    """Why it is to stand."""


class Visits(_Shape):
    """What somebody has before them."""

    open: list[dict[str, Any]]
    """Visits under way: session, order, wearer, address, tag, unit, by, opened_at."""
    wanted: list[dict[str, Any]]
    """Orders that want a fitting: order, wearer, places, due_at, tags, why (overdue, untagged, unvalidated, revalidate,
    asked), whose visit it is (fitter) on which day, and when that was said (seen_at): the own ones first."""
    more: int
    """How many more want one."""
    over: list[dict[str, Any]]
    """Visits of today that are over: session, order, wearer, outcome."""


def _refused(outcome: Wrong) -> Problem:
    errors = [{"pointer": f"/{outcome.field}", "detail": outcome.problem}] if outcome.field else []
    return Problem(422, outcome.problem, errors=errors)


@router.get("", summary="What is to be visited")
async def visits(
    request: Request, who: MaySeeVisits, parts: WithParts, words: Annotated[str, Query(max_length=80)] = ""
) -> Visits:
    """Open visits, orders that want a fitting, visits of today; `words` finds one by order, wearer, tag or unit."""
    listed = await listing(request, parts, who, words)
    return Visits(
        open=[
            {
                "session": v.session, "order_id": v.order_id, "wearer_id": v.wearer_id, "address_id": v.address_id,
                "tag": v.tag, "unit": v.unit, "by": v.by, "opened_at": format_ms(v.opened_at),
            }
            for v, _ in listed.open
        ],
        wanted=[
            {
                "order_id": w.order_id, "wearer_id": w.wearer_id, "name": listed.names.get(w.wearer_id),
                "places": w.places.split(", "), "why": w.why, "due_at": format_ms(w.due),
                "tags": w.tags.split(", ") if w.tags else [], "in_hand": w.in_hand or None,
                "fitter": w.fitter or None, "day": w.day or None, "seen_at": w.seen_at,
            }
            for w in listed.wanted
        ],
        more=listed.more,
        over=[{"session": o.session, "order_id": o.order_id, "wearer_id": o.wearer_id, "outcome": o.outcome}
              for o in listed.over],
    )  # fmt: skip


@router.post("", summary="Open a visit", status_code=201)
async def open_(request: Request, body: Opening, who: MayFit, parts: WithParts) -> dict[str, Any]:
    """The visit as it begins; one that was opened under this name, or for this order, goes on."""
    outcome = await opened(request, who, parts, body.model_dump(exclude_none=True))
    if isinstance(outcome, Wrong):
        raise _refused(outcome)
    return as_json(await followed(request).look(who, outcome, anew=True))


@router.put("/assignments/{order_id}", summary="Say whose visit it is")
async def assign_to(request: Request, order_id: str, body: ToAssign, who: MayAssign, parts: WithParts) -> Assigned:
    """An account that may fit, and a day; `seen_at` names the assignment that this one takes the place of."""
    order = order_named(engine_of(parts).roster.register, order_id)
    outcome = await assign(request, parts, who, order, body, body.seen_at)
    if isinstance(outcome, Wrong):
        raise _refused(outcome)
    return Assigned.model_validate({} if outcome is None else outcome._asdict())


@router.delete("/assignments/{order_id}", summary="Make it anybody's visit", status_code=204)
async def assign_to_nobody(
    request: Request, order_id: str, who: MayAssign, parts: WithParts, seen_at: SeenAt | None = None
) -> None:
    """The assignment that was made at `seen_at` holds no more."""
    order = order_named(engine_of(parts).roster.register, order_id)
    await assign(request, parts, who, order, None, seen_at)


@router.get("/{session}", summary="Where a visit stands")
async def visit(request: Request, session: str, who: MaySeeVisits) -> dict[str, Any]:
    """Every step with its state, in words and with its readings; the limb note, and what it bars."""
    look = await followed(request).look(who, session)
    await followed(request).note(request, who, look)
    return as_json(look)


@router.post("/{session}/acts", summary="Answer, mark, close")
async def act(request: Request, session: str, body: Said, who: MayFit, parts: WithParts) -> dict[str, Any]:
    """Do it in the name of whoever is signed in; the visit as it stands then. With its `key` it may be sent again."""
    outcome = await say(parts, followed(request), who, session, body)
    if isinstance(outcome, Wrong):
        raise _refused(outcome)
    return as_json(outcome)


@router.post("/{session}/override", summary="Let it stand")
async def override(
    request: Request, session: str, body: Override, who: MayOverride, parts: WithParts
) -> dict[str, Any]:
    """A supervisor lets the fitting stand though steps are open; it is an alert for as long as the tag is worn."""
    outcome = await overridden(request, who, parts, session, body.reason.strip())
    if isinstance(outcome, Wrong):
        raise _refused(outcome)
    return as_json(outcome)


@router.get("/{session}/to-sign", summary="What is to be signed")
async def to_sign(request: Request, session: str, who: MayFit) -> dict[str, Any]:
    """`as_of`, `acts` and `record_sha256` of the record as it would be signed now, and whether it can be."""
    _, it = await followed(request).to_sign(who, session)
    return record_of(it) | {"state": it.state, "open": it.open_steps()}


@router.get("/{session}/record", summary="The record")
async def record(request: Request, session: str, who: MaySeeVisits) -> dict[str, Any]:
    """As `emcheck schema fitting` has it."""
    return await record_shown(request, who, session)


@router.get("/{session}/record.pdf", summary="The record on paper", response_class=Response)
async def record_pdf(request: Request, session: str, who: MaySeeVisits, parts: WithParts) -> Response:
    """The same as PDF, with the pictures that are held."""
    return await paper(request, parts, who, await record_shown(request, who, session))
