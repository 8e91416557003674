"""Views: filters of the queue that somebody keeps under a name, for themselves."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from emcheck.desk import View
from emcheck.web.alerts.filtering import filter_of
from emcheck.web.guarding import MaySeeQueue
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem
from emcheck.web.shapes import Shape

router = APIRouter()
MOST = 30
"""Views of one account: more would not be found again."""
_NAME_MAX = 40


async def keep(parts: Parts, who: Who, name: str, query: str) -> View:
    """Keep a filter under a name; Problem where it has none or there are too many."""
    name, kept = " ".join(name.split()), filter_of(query.lstrip("?")).query
    if not name or len(name) > _NAME_MAX:
        raise Problem(422, f"name: give the view a name of at most {_NAME_MAX} letters")
    if not kept:
        raise Problem(422, "query: nothing is filtered; choose what the view shows, then keep it")
    there = await parts.desk.views(who.name)
    if len(there) >= MOST and name not in {view.name for view in there}:
        raise Problem(422, f"You keep {MOST} views; drop one first.")
    view = View(who.name, name, kept)
    await parts.desk.put_view(view)
    return view


@router.post("/views", include_in_schema=False)
async def keep_by_form(request: Request, who: MaySeeQueue, parts: WithParts) -> Response:
    """Keep what the list shows, or drop a view."""
    form = {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
    name, query = form.get("name", ""), form.get("query", "")
    if form.get("act") == "drop":
        await parts.desk.drop_view(who.name, name)
        return RedirectResponse("/", status_code=303)
    view = await keep(parts, who, name, query)
    return RedirectResponse(f"/?{quote(view.query, safe='=&+%')}", status_code=303)


# --- the same for programs --------------------------------------------------------------------------------


class KeptView(Shape):
    """A view."""

    name: str
    """What it is called."""
    query: str
    """The filter, as in the address: `priority=P1&mine=1`."""


class Kept(Shape):
    """What is kept under a name."""

    query: Annotated[str, Field(max_length=1000)]
    """The filter, as in the address; what it does not know is left out."""


ViewName = Annotated[str, Path(max_length=_NAME_MAX)]


@router.get("/api/v1/views", summary="Your views of the queue")
async def views(who: MaySeeQueue, parts: WithParts) -> list[KeptView]:
    """Filters that whoever is signed in keeps, by name."""
    return [KeptView(name=view.name, query=view.query) for view in await parts.desk.views(who.name)]


@router.put("/api/v1/views/{name}", summary="Keep a view")
async def put_view(name: ViewName, body: Kept, who: MaySeeQueue, parts: WithParts) -> KeptView:
    """Keep it, or replace what stands under its name."""
    view = await keep(parts, who, name, body.query)
    return KeptView(name=view.name, query=view.query)


@router.delete("/api/v1/views/{name}", summary="Drop a view", status_code=204)
async def drop_view(name: ViewName, who: MaySeeQueue, parts: WithParts) -> Response:
    """Keep it no more."""
    if not await parts.desk.drop_view(who.name, name):
        raise Problem(404, f"You keep no view {name!r}.")
    return Response(status_code=204)
