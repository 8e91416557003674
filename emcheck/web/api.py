"""REST, `/api/v1`: all that the pages do, for programs. Described by OpenAPI at `/api/v1/openapi.json`.

A program signs in for a token and sends it as `Authorization: Bearer`. Errors are problem documents (RFC 9457). Lists
are read on from `next`, which stays right while the queue changes. An act names the revision that was looked at.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from emcheck.desk import Access
from emcheck.domain.instants import format_ms, format_optional_ms
from emcheck.domain.queue import RULES
from emcheck.ports import AlertChange
from emcheck.present import story as telling
from emcheck.present.acted import did
from emcheck.present.roles import rights_of
from emcheck.service.showing import shown
from emcheck.web.alerts import acting
from emcheck.web.alerts.alert import concerned, ended_words, note_view
from emcheck.web.alerts.filtering import Filter
from emcheck.web.alerts.queue import lies_under, note_queue
from emcheck.web.alerts.rows import place_named, rows_of, told_json, zone_of
from emcheck.web.guarding import (
    MayAct,
    MaySeeAccess,
    MaySeeAccounts,
    MaySeeQueue,
    MaySeeSelf,
    MaySeeWearers,
    address_of,
)
from emcheck.web.held import held_of
from emcheck.web.overview.board import plain
from emcheck.web.overview.wearer import case_of, record_of, told_of
from emcheck.web.parts import WithParts
from emcheck.web.people.cases import refuse_others
from emcheck.web.people.own_api import refused_as_problem
from emcheck.web.people.signing_in import CodeWanted, Refused
from emcheck.web.problems import Problem
from emcheck.web.shapes import Password, Shape

router = APIRouter(prefix="/api/v1")
Limit = Annotated[int, Query(ge=1, le=500)]


class Credentials(Shape):
    """Who signs in."""

    name: Annotated[str, Field(max_length=80)]
    """The account."""
    password: Password
    """Its password."""
    code: Annotated[str, Field(max_length=80)] = ""
    """Of the second factor, or a recovery code, where the account has one."""


class Token(Shape):
    """A sign-in."""

    token: str
    """To be sent as `Authorization: Bearer`."""
    name: str
    """The account."""
    role: str
    """Its role."""


class Self(Shape):
    """Who is signed in."""

    name: str
    """The account."""
    role: str
    """Its role."""
    rights: dict[str, str]
    """What the role may do, by right, in words."""
    language: str | None
    """Of the visits' pages; null where the browser says."""


class Acted(Shape):
    """An act on an alert."""

    act: str
    """acknowledge, confirm, shelve, close, claim, hand_over, note, escalate or undo."""
    seen_revision: Annotated[int, Field(ge=1)]
    """The revision that was looked at: refused with 409 where somebody acted since."""
    note: Annotated[str, Field(max_length=2000)] = ""
    """What else is to be known."""
    until: str | None = None
    """Until when it is shelved, as 2026-03-25T07:00:00Z."""
    disposition: str | None = None
    """Why it is closed."""
    to: Annotated[str, Field(max_length=80)] | None = None
    """Who has it after a hand-over: an account that acts on alerts."""


class Alerts(Shape):
    """A page of the queue."""

    alerts: list[dict[str, Any]]
    """As `emcheck schema alert`, with `whom`, `where`, `held` in words and `due_at`."""
    next: str | None
    """`after` of the next page; null where there is none."""


def acted_json(change: AlertChange) -> dict[str, str]:
    """What somebody did, for programs."""
    return {"by": change.by, "action": change.action, "at": format_ms(change.at), "note": change.note}


@router.post("/session", summary="Sign in")
async def sign_in(request: Request, credentials: Credentials, parts: WithParts) -> Token:
    """A token that is good until it is not used for a while, or a shift is over."""
    try:
        token = await parts.signing_in.enter(
            credentials.name, credentials.password, address_of(request), credentials.code
        )
    except CodeWanted as wanted:
        raise Problem(401, f"{wanted} Send it as `code`.", wanted="code") from None
    except Refused as refused:
        raise refused_as_problem(refused, 401) from None
    who = await parts.signing_in.who(token)
    if who is None:
        raise Problem(401, "The account was disabled meanwhile.")
    return Token(token=token, name=who.name, role=who.role)


@router.delete("/session", summary="Sign out", status_code=204)
async def sign_out(who: MaySeeSelf, parts: WithParts) -> Response:
    """End the sign-in of this token."""
    await parts.signing_in.leave(who)
    return Response(status_code=204)


@router.get("/me", summary="Who am I")
async def me(who: MaySeeSelf) -> Self:
    """The account that the token is of."""
    return Self(name=who.name, role=who.role, rights=rights_of(who.role), language=who.language)


class QueueQuery(Shape):
    """What of the queue is wanted, and from where on."""

    priority: Literal["P1", "P2", "P3", "P4"] | None = None
    """Only this one."""
    waiting: bool = False
    """Only what nobody attends to."""
    mine: bool = False
    """Only what you have."""
    words: Annotated[str, Field(max_length=80)] = ""
    """Sought in ids of alerts, wearers and units, and in names."""
    rule: Annotated[str, Field(max_length=80)] = ""
    """Only alerts of this rule."""
    site: Annotated[str, Field(max_length=80)] = ""
    """Only of whom the register has at this address, unit or postcode."""
    incident: Annotated[str, Field(max_length=80)] = ""
    """Only this incident, by the id of its alert, and what of it somebody attends to."""
    after: Annotated[str, Field(max_length=120)] = ""
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    """How many at most."""


@router.get("/alerts", summary="The queue")
async def alerts(request: Request, query: Annotated[QueueQuery, Query()], who: MaySeeQueue, parts: WithParts) -> Alerts:
    """What is open, by priority, what waits first, and age."""
    place, limit = place_named(query.after), query.limit
    if query.after and place is None:
        raise Problem(422, "after: names no place; use `next` of the page before")
    if query.rule and query.rule not in RULES:
        raise Problem(422, f"rule: there is no rule {query.rule!r}; there are {', '.join(sorted(RULES))}")
    given = query.model_dump(exclude={"after", "limit"})
    wanted = Filter({key: "1" if value is True else value for key, value in given.items() if value})
    await note_queue(request, parts, who, wanted)
    found = await parts.desk.queue_page(wanted.asked(parts, who), after=place, limit=limit + 1)
    rows = await rows_of(parts, found[:limit])
    return Alerts(alerts=[told_json(row) for row in rows], next=rows[-1].place if len(found) > limit else None)


@router.get("/alerts/{alert_id}", summary="One alert")
async def alert(request: Request, alert_id: str, who: MaySeeQueue, parts: WithParts) -> dict[str, Any]:
    """The alert with what it rests on, its windows and timeline, as `emcheck explain --json` writes it.

    `open_at` says at whose consoles it is open now, `ended` what ended it, in words, `contacts` whom to call.
    """
    found = await acting.alert_named(parts, alert_id)
    await note_view(request, parts, who, found, "alert read")
    [row] = await rows_of(parts, [found])
    known = parts.known()
    if known is None:
        raise Problem(503, "The service is reading itself back; ask again shortly.", headers={"Retry-After": "5"})
    seen = await shown(parts.desk, found, known)
    it, now = seen.story, parts.clock.now()
    history = [(c.at, c.action, c.by, c.note, c.alert) for c in it.history]
    facts = [(rest.fact, rest.event, rest.received_at) for rest in it.rests]
    places = [(place.address_id, place.known, place.windows) for place in it.places]
    told = telling.as_json(it.alert, history, facts, places, now)
    held = [await held_of(parts.desk, each) for each in concerned(parts, found)]
    return told | {
        "alert": told_json(row), "open_at": parts.live.together.at(found.alert_id),
        "ended": ended_words(found, it.history, seen, zone_of(found, known.engine), now) or None,
        "contacts": [
            {"wearer_id": each.wearer_id, "name": each.name or None, "contacts": each.contacts} for each in held
        ],
    }  # fmt: skip


@router.get("/alerts/{alert_id}/under", summary="What lies under an incident")
async def under(request: Request, alert_id: str, who: MaySeeQueue, parts: WithParts) -> list[dict[str, Any]]:
    """Alerts that the incident accounts for and nobody attends to, the first of them."""
    found = await acting.alert_named(parts, alert_id)
    await note_view(request, parts, who, found, "alert read")
    shown_under, _ = await lies_under(parts, found.alert_id)
    return [told_json(row) for row in await rows_of(parts, shown_under)]


@router.get("/alerts/{alert_id}/history", summary="What was known when")
async def history(request: Request, alert_id: str, who: MaySeeQueue, parts: WithParts) -> list[dict[str, Any]]:
    """Every change of the alert, in order of knowledge, with who made it."""
    found = await acting.alert_named(parts, alert_id)
    await note_view(request, parts, who, found, "alert read")
    return [
        {
            "known_at": format_ms(c.at),
            "action": c.action,
            "by": c.by,
            "note": c.note,
            "alert": telling.alert_json(c.alert),
        }
        for c in await parts.desk.alert_history(found.alert_id)
    ]


@router.post("/alerts/{alert_id}/acts", summary="Act on it")
async def act(request: Request, alert_id: str, body: Acted, who: MayAct, parts: WithParts) -> dict[str, Any]:
    """Acknowledge, confirm, shelve or close it, in the name of whoever is signed in; the alert as it stands then."""
    found = await acting.alert_named(parts, alert_id)
    await note_view(request, parts, who, found, f"alert {body.act[:20]}")
    outcome = await acting.act(parts, who, found.alert_id, body.model_dump(exclude_none=True))
    if isinstance(outcome, acting.Late):
        at, by = format_ms(outcome.by.at), outcome.by
        stands = telling.alert_json(outcome.alert)
        raise Problem(409, f"{by.by} {did(by.action)} at {at}.", acted=acted_json(by), alert=stands)
    if isinstance(outcome, acting.Wrong):
        where = [{"pointer": f"/{outcome.field}", "detail": outcome.problem}] if outcome.field else []
        raise Problem(422, outcome.problem, errors=where)
    [row] = await rows_of(parts, [outcome.alert])
    return told_json(row)


@router.get("/wearers/{wearer_id}", summary="One wearer")
async def wearer(
    request: Request, wearer_id: str, who: MaySeeWearers, parts: WithParts, nights: Literal["all"] | None = None
) -> dict[str, Any]:
    """Where, orders, allowance, the last nights in words, fittings, contacts, notes, alerts; an officer's own only."""
    await refuse_others(request, parts, who, wearer_id)
    engine, case = case_of(parts, wearer_id)
    line = Access(parts.clock.now(), who.name, "wearer read", wearer_id, None, address_of(request))
    await parts.desk.note_access([line])
    told = await told_of(parts, engine, case, unfold=nights == "all")
    kept = {key: told[key] for key in ("wearer_id", "name", "orders", "totals", "fittings", "contacts", "notes")}
    words = {each["order"]: each["words"] for each in told["glances"]}
    kept["now"] = plain(told["now"])
    return kept | {"nights": words, "alerts": [told_json(row) for row in told["alerts"]]}


@router.get("/wearers/{wearer_id}/fittings/{session}", summary="The record of a fitting")
async def fitting(
    request: Request, wearer_id: str, session: str, who: MaySeeWearers, parts: WithParts
) -> dict[str, Any]:
    """What was seen at a fitter's visit, by what, and who signed (docs/formats.md, Fitting record)."""
    return await record_of(request, parts, who, wearer_id, session)


@router.get("/access", summary="The access log")
async def access(
    request: Request, who: MaySeeAccess, parts: WithParts, subject: str | None = None,
    before: Annotated[int | None, Query(ge=1, le=1 << 62)] = None, limit: Limit = 100,
) -> list[dict[str, Any]]:  # fmt: skip
    """Who signed in and whose record was looked at, the newest first; on from the `number` of the last."""
    lines = await parts.desk.access_log(before=before, limit=limit, subject=subject)
    await parts.note_look(who.name, "access log read", address_of(request), subject=subject or "")
    return [{"number": number, **line._asdict(), "at": format_ms(line.at)} for number, line in lines]


@router.get("/accounts", summary="Who has an account")
async def accounts(who: MaySeeAccounts, parts: WithParts) -> list[dict[str, Any]]:
    """Names, roles, and whether they may sign in; never a password or a link."""
    return [
        {
            "name": each.name, "role": each.role.value, "created_at": format_ms(each.created_at),
            "disabled_at": format_optional_ms(each.disabled_at), "has_password": each.password is not None,
            "language": each.language,
        }
        for each in await parts.desk.accounts()
    ]  # fmt: skip
