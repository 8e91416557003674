"""The way to the provider elsewhere and back, and out again."""

from typing import NoReturn

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from emcheck.desk import Access
from emcheck.web.guarding import address_of
from emcheck.web.pages import page
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.accounts import let_in, ours
from emcheck.web.people.elsewhere import BACK, Elsewhere, ElsewhereError, Person
from emcheck.web.people.signing_in import Refused
from emcheck.web.problems import Problem

router = APIRouter(include_in_schema=False)


def _elsewhere(parts: Parts) -> Elsewhere:
    if parts.elsewhere is None:
        raise Problem(404, "Nobody signs in elsewhere here (web.oidc).")
    return parts.elsewhere


def _cookie(parts: Parts) -> str:
    return "__Host-emcheck-way" if parts.is_secure else "emcheck-way"


@router.get("/sign-in/elsewhere")
async def begin(request: Request, parts: WithParts) -> Response:
    """To the provider."""
    elsewhere = _elsewhere(parts)
    try:
        address, way = await elsewhere.begin(ours(request.query_params.get("next", "")))
    except ElsewhereError as error:
        return _came_to_nothing(request, error)
    answer = RedirectResponse(address, status_code=303)
    answer.set_cookie(_cookie(parts), way, max_age=600, httponly=True, samesite="lax", secure=parts.is_secure, path="/")
    return answer


@router.get(BACK)
async def back(request: Request, parts: WithParts) -> Response:
    """From the provider: let in, or told why not."""
    elsewhere = _elsewhere(parts)
    try:
        person, onward = await elsewhere.end(request.cookies.get(_cookie(parts), ""), dict(request.query_params))
        role = person.role or await _no_role(parts, request, person)
        token = await parts.signing_in.enter_elsewhere(person.identity, person.name, role, address_of(request))
        answer = await let_in(request, parts, token, onward)
    except ElsewhereError as error:
        answer = _came_to_nothing(request, error)
    except Refused as refused:
        answer = _came_to_nothing(request, ElsewhereError(str(refused)))
    answer.delete_cookie(_cookie(parts), path="/", secure=parts.is_secure, httponly=True, samesite="lax")
    return answer


async def _no_role(parts: Parts, request: Request, person: Person) -> NoReturn:
    line = Access(parts.clock.now(), person.name[:80], "sign-in refused: no group", address=address_of(request))
    await parts.desk.note_access([line])
    known = ", ".join(person.groups[:20]) or "none"
    raise ElsewhereError(
        f"You are {person.name or 'known'} there, but no group of yours has a role here. Your groups: {known}. "
        "Ask an administrator: web.oidc.roles says which group has which role."
    )


def _came_to_nothing(request: Request, error: ElsewhereError) -> Response:
    return page(request, "elsewhere.html", who=None, status=error.status, title="Not signed in", detail=str(error))


@router.get("/signed-out")
async def signed_out(request: Request, parts: WithParts) -> Response:
    """After signing out of here: the sign-in elsewhere goes on until it is ended there."""
    return page(request, "signed_out.html", who=None, elsewhere=_elsewhere(parts).name)


@router.get("/sign-out/elsewhere")
async def out(request: Request, parts: WithParts) -> Response:
    """To the provider's own page for signing out."""
    try:
        address = await _elsewhere(parts).out()
    except ElsewhereError as error:
        return _came_to_nothing(request, error)
    if address is None:
        raise Problem(404, "The provider has no page for signing out; close the browser.")
    return RedirectResponse(address, status_code=303)
