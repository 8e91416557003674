"""Signing in and out, choosing a password by a link, who has an account, and who looked at what."""

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from emcheck.desk import NAME
from emcheck.domain.rights import RIGHTS, Right, Role
from emcheck.present.times import clock
from emcheck.web.guarding import (
    MaySeeAccess,
    MaySeeAccounts,
    MaySeeSelf,
    address_of,
    cookie_name,
    refuse_foreign,
)
from emcheck.web.pages import page
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.devices import LASTS_S, cookie_of
from emcheck.web.people.passwords import PASSWORD_LEAST, wrong_with
from emcheck.web.people.signing_in import CodeWanted, Refused, Who
from emcheck.web.problems import Problem, is_swap

router = APIRouter(include_in_schema=False)
_PAGE = 100


def home_of(role: Role) -> str:
    """The first page of a role."""
    firsts = ((Right.QUEUE, "/"), (Right.FIT, "/visits"), (Right.OWN_CASES, "/cases"), (Right.ACCOUNTS, "/accounts"))
    return next((path for right, path in firsts if right in RIGHTS[role]), "/account")


@router.get("/sign-in")
async def sign_in_page(request: Request, parts: WithParts) -> Response:
    """The form. `next` is a page of ours to go to afterwards; `chosen` names who has just chosen a password."""
    given = request.query_params
    name = given.get("chosen", "")
    name = name if NAME.fullmatch(name) else ""
    return page(
        request, "sign_in.html", who=None, name=name, chosen=bool(name), onward=ours(given.get("next", "")), wrong="",
        elsewhere=_elsewhere(parts),
    )  # fmt: skip


def _elsewhere(parts: Parts) -> str:
    """With whom one may sign in elsewhere; nothing where nobody may."""
    return "" if parts.elsewhere is None else parts.elsewhere.name


@router.post("/sign-in")
async def sign_in(request: Request, parts: WithParts) -> Response:
    """Try a name and a password."""
    refuse_foreign(request)
    form = await request.form()
    name, password, onward = (str(form.get(key, "")) for key in ("name", "password", "next"))
    name = name.strip().lower()
    try:
        token = await parts.signing_in.enter(name, password, address_of(request), mark=mark_in(request, parts, name))
    except CodeWanted as wanted:
        return page(request, "code.html", who=None, pledge=wanted.pledge, onward=ours(onward), wrong="")
    except Refused as refused:
        return refusal(
            request,
            "sign_in.html",
            refused,
            name=name[:80],
            chosen=False,
            onward=ours(onward),
            elsewhere=_elsewhere(parts),
        )
    return await let_in(request, parts, token, ours(onward))


@router.post("/sign-in/code")
async def sign_in_code(request: Request, parts: WithParts) -> Response:
    """The code of a second factor, after the password."""
    refuse_foreign(request)
    form = await request.form()
    pledge, code, onward = (str(form.get(key, "")) for key in ("pledge", "code", "next"))
    try:
        token = await parts.signing_in.enter_with_code(
            pledge, code, address_of(request), lambda name: mark_in(request, parts, name)
        )
    except Refused as refused:
        return refusal(request, "code.html", refused, pledge=pledge, onward=ours(onward))
    return await let_in(request, parts, token, ours(onward))


async def let_in(request: Request, parts: Parts, token: str, onward: str) -> Response:
    """To the page that was asked for, or the first one of the role, with the cookie; the sign-in of before ends."""
    await parts.signing_in.replace(request.cookies.get(cookie_name(is_secure=parts.is_secure), ""))
    who = await parts.signing_in.who(token)
    answer = RedirectResponse(onward or ("/account" if who is None else home_of(who.role)), status_code=303)
    with_cookie(parts, answer, token)
    if who is not None:
        await with_mark(parts, answer, who.name)
    return answer


def mark_in(request: Request, parts: Parts, name: str) -> str:
    """What the browser has of an earlier sign-in of this name."""
    return request.cookies.get(cookie_of(name, is_secure=parts.is_secure), "")


async def with_mark(parts: Parts, answer: Response, name: str) -> None:
    """The browser is known again as one of this account's."""
    if (mark := await parts.signing_in.mark(name)) is not None:
        answer.set_cookie(
            cookie_of(name, is_secure=parts.is_secure), mark, max_age=LASTS_S, httponly=True, samesite="lax",
            secure=parts.is_secure, path="/",
        )  # fmt: skip


def with_cookie(parts: Parts, answer: Response, token: str) -> Response:
    """An answer that gives the browser its sign-in."""
    answer.set_cookie(
        cookie_name(is_secure=parts.is_secure), token, httponly=True, samesite="lax", secure=parts.is_secure, path="/"
    )
    return answer


def refusal(request: Request, template: str, refused: Refused, *, who: Who | None = None, **said: Any) -> Response:
    """The form again, with why not."""
    status = 401 if refused.after_s is None else 429
    headers = {} if refused.after_s is None else {"Retry-After": str(refused.after_s)}
    return page(request, template, who=who, status=status, headers=headers, wrong=str(refused), **said)


def ours(onward: str) -> str:
    """A path of this site, or nothing: never another site's."""
    return quote(onward, safe="/-._~") if onward.startswith("/") and not onward.startswith(("//", "/\\")) else ""


@router.post("/sign-out")
async def sign_out(who: MaySeeSelf, parts: WithParts) -> Response:
    """End this sign-in."""
    await parts.signing_in.leave(who)
    is_there = who.is_elsewhere and parts.elsewhere is not None
    answer = RedirectResponse("/signed-out" if is_there else "/sign-in", status_code=303)
    answer.delete_cookie(cookie_name(is_secure=parts.is_secure), path="/", secure=parts.is_secure, httponly=True)
    return answer


@router.get("/welcome/{link}")
async def welcome(request: Request, link: str, parts: WithParts) -> Response:
    """The form behind a one-time link. Looking at it does not use it up: mail programs look at links, too."""
    account = await parts.signing_in.invited(link)
    if account is None:
        raise Problem(404, _NO_LINK)
    return page(request, "welcome.html", who=None, name=account.name, wrong="", least=PASSWORD_LEAST)


@router.post("/welcome/{link}")
async def choose(request: Request, link: str, parts: WithParts) -> Response:
    """Choose a password; the link is used up."""
    refuse_foreign(request)
    account = await parts.signing_in.invited(link)
    if account is None:
        raise Problem(404, _NO_LINK)
    form = await request.form()
    password, again = (str(form.get(key, "")) for key in ("password", "again"))
    if (wrong := wrong_with(password, again, account.name)) is not None:
        return page(request, "welcome.html", who=None, status=422, name=account.name, wrong=wrong, least=PASSWORD_LEAST)
    if not await parts.signing_in.choose(account, link, password):
        raise Problem(404, _NO_LINK)
    return RedirectResponse(f"/sign-in?chosen={quote(account.name)}", status_code=303)


_NO_LINK = "This link was used, or is over. An administrator makes a new one: emcheck user reset NAME"


@router.get("/accounts")
async def accounts(request: Request, who: MaySeeAccounts, parts: WithParts) -> Response:
    """Who has an account; accounts are made and ended on the command line."""
    now = parts.clock.now()
    lines = [
        {
            "name": each.name, "role": each.role.value, "since": clock(each.created_at, "UTC"),
            "state": each.state(now),
        }
        for each in await parts.desk.accounts()
    ]  # fmt: skip
    return page(request, "accounts.html", who=who, accounts=lines)


@router.get("/access")
async def access(request: Request, who: MaySeeAccess, parts: WithParts) -> Response:
    """Who signed in and whose record was looked at, the newest first."""
    told = await access_lines(parts, request)
    await parts.note_look(who.name, "access log seen", address_of(request), subject=told["subject"])
    return page(request, "access.html", who=who, **told)


async def access_lines(parts: Parts, request: Request) -> dict[str, Any]:
    """A page of the access log; of one subject where the address names one."""
    given = request.query_params.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
    subject = request.query_params.get("subject", "").strip()[:80] or None
    found = await parts.desk.access_log(before=before, limit=_PAGE + 1, subject=subject)
    lines = [line._asdict() | {"number": number, "when": clock(line.at, "UTC")} for number, line in found[:_PAGE]]
    onward = found[_PAGE - 1][0] if len(found) > _PAGE else None
    return {"lines": lines, "subject": subject or "", "onward": onward, "is_part": is_swap(request)}
