"""The beginning of a visit: for which order, with which tag and unit."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from ulid import ULID

from emcheck.desk import Access
from emcheck.domain.acts import InstructionError
from emcheck.domain.amending import addresses
from emcheck.domain.fitting.limb_note import UNCLEAR, read_note
from emcheck.domain.fitting.visits import Visit, contradiction, worn
from emcheck.domain.instants import FOREVER, format_ms
from emcheck.domain.instructions import parse_instruction
from emcheck.domain.register import Order, Register
from emcheck.present.times import hour
from emcheck.service.visiting import note_of
from emcheck.web.alerts.acting import Wrong, carried_out, wrong
from emcheck.web.guarding import MayFit, address_of
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.signing_in import Who
from emcheck.web.visits.assigning import Holding, holding
from emcheck.web.visits.drawing import page
from emcheck.web.visits.listing import engine_of, order_named
from emcheck.web.visits.numbers import heard_near, spelt

router = APIRouter(include_in_schema=False)
FIELDS = ("tag", "unit", "fitter_tag", "strap_batch", "takes_off")


@router.get("/visits/new")
async def new(request: Request, order: str, who: MayFit, parts: WithParts) -> Response:
    """What is to be told before the first step."""
    return await _form(request, who, parts, order, {}, None)


@router.post("/visits")
async def begin(request: Request, who: MayFit, parts: WithParts) -> Response:
    """Open the visit, or go on with the one that was opened by this form."""
    form = await request.form()
    typed = {key: value.strip() for key, value in form.items() if isinstance(value, str) and value.strip()}
    order = typed.get("order_id", "")
    asked = await _unknown(parts, who, typed)
    outcome = await opened(request, who, parts, typed) if asked is None else asked
    if isinstance(outcome, Wrong):
        return await _form(request, who, parts, order, typed, outcome)
    answer = RedirectResponse(f"/visits/{outcome}/identity", status_code=303)
    if "fitter_tag" in typed:
        answer.set_cookie(
            "emcheck-own-tag", typed["fitter_tag"][:64], max_age=31_536_000, samesite="lax", secure=parts.is_secure,
            httponly=True, path="/visits",
        )  # fmt: skip
    return answer


async def opened(request: Request, who: Who, parts: Parts, said: dict[str, str]) -> str | Wrong:
    """The name of the visit that is open now; `session` names a new one, so that a form sent twice opens one."""
    engine = engine_of(parts)
    name = said.get("session") or f"FS-{ULID()}"
    opening: dict[str, Any] = {"order_id": said.get("order_id"), "by": who.name} | {f: said.get(f) for f in FIELDS}
    order = order_named(engine.roster.register, said.get("order_id", ""))
    await parts.desk.note_access(
        [Access(parts.clock.now(), who.name, "visit opened", order.wearer_id, None, address_of(request))]
    )
    mine = next((v for v in engine.roster.visits.values() if v.by == who.name and v.order_id == order.order_id), None)
    heard = await heard_near(parts.desk, engine.roster.register, order, parts.clock.now())
    registered = {fitting.tag for fitting in engine.roster.register.fittings}
    registered |= set() if mine is None else {mine.tag}
    opening |= {key: spelt(opening[key], heard, registered) for key in ("tag", "takes_off") if opening[key]}
    if opening["tag"] is not None and opening["takes_off"] == opening["tag"]:
        opening["takes_off"] = None
    if mine is not None:
        return mine.session if contradiction(mine, opening) is None else _against(mine, opening)
    raw = {"type": "fitting_opened", "session": name} | {key: value for key, value in opening.items() if value}
    try:
        parse_instruction(raw)
    except InstructionError as error:
        return Wrong(error.path, error.problem)
    outcome = await carried_out(parts, raw)
    return name if outcome.startswith("done") else wrong(outcome)


async def _unknown(parts: Parts, who: Who, typed: dict[str, str]) -> Wrong | None:
    """Asks once about a number of which nothing is known; None where it is known, or was asked about already."""
    roster, tag = engine_of(parts).roster, typed.get("tag", "")
    order = order_named(roster.register, typed.get("order_id", ""))
    visits = roster.visits.values()
    mine = any(visit.by == who.name and visit.order_id == order.order_id for visit in visits)
    if mine or not tag or typed.get("sure_tag") == tag:
        return None
    heard = await heard_near(parts.desk, roster.register, order, parts.clock.now())
    known = {*heard, *(f.tag for f in roster.register.fittings), *(v.tag for v in visits)}
    if order.ends_at <= parts.clock.now() or spelt(tag, known, ()) in known:
        return None
    return Wrong(
        "sure_tag",
        f"{tag} is in no register and no unit hears it: check the number on the tag. If it is right, as of a new tag, "
        "press “Begin the visit” again.",
    )


def _against(mine: Visit, opening: dict[str, Any]) -> Wrong:
    """What of an opening is not so in the visit that is open, in the words of this page (`contradiction`)."""
    if (tag := opening["tag"]) not in (None, mine.tag):
        return Wrong(
            "tag",
            f"Your open visit is about {mine.tag}, and you typed {tag}: go on with it if {mine.tag} is the tag that is "
            f"fitted. If {tag} is, go to the open visit, press “End the visit otherwise”, choose that it was begun by "
            f"mistake, and begin one with {tag}.",
        )
    known = {"unit": mine.unit, "fitter_tag": mine.fitter_tag, "strap_batch": mine.strap_batch}
    field = next((name for name, kept in known.items() if opening[name] not in (None, kept)), "takes_off")
    return Wrong(
        field,
        f"Your open visit with {mine.tag} began with another answer to this: go on with it as it is, or press “End the "
        "visit otherwise” there, choose that it was begun by mistake, and begin anew.",
    )


async def _form(
    request: Request, who: Who, parts: Parts, order_id: str, typed: dict[str, str], wrong_: Wrong | None
) -> Response:
    engine, now = engine_of(parts), parts.clock.now()
    register = engine.roster.register
    order = order_named(register, order_id)
    line = Access(now, who.name, "order seen", order.wearer_id, None, address_of(request))
    await parts.desk.note_access([line])
    note = await note_of(parts.desk, order.wearer_id)
    said = _known(register, order, now) | {
        "heard": await heard_near(parts.desk, register, order, now),
        "order": order, "name": (await parts.desk.names([order.wearer_id])).get(order.wearer_id, ""),
        "limb_note": note or "", "unclear": UNCLEAR if read_note(note).unclear else "",
        "session": typed.get("session") or f"FS-{ULID()}",
        "own_tag": request.cookies.get("emcheck-own-tag", "")[:64], "typed": typed, "wrong": wrong_,
        "assigned": _assigned_to_other(await holding(parts), order, who, now),
        "in_hand": _in_hand(engine.roster.visits.values(), order, who, order.timezone),
        "ended": f"{order.order_id} ended at {format_ms(order.ends_at)}: nothing is to be fitted; remove the tag"
        if order.ends_at <= now else "",
    }  # fmt: skip
    return page(request, "new.html", who=who, status=422 if wrong_ else 200, **said)


def _known(register: Register, order: Order, now: int) -> dict[str, Any]:
    """What can be chosen instead of typed."""
    places = addresses(order)
    here = [i for i in register.installations if i.installed_at <= now < (i.removed_at or FOREVER)]
    return {
        "units": [(i.unit, i.address_id) for i in here if i.address_id in places],
        "places": sorted(places),
        "tags": sorted(f.tag for f in register.fittings if f.wearer_id == order.wearer_id and worn(f, now)),
    }


def _assigned_to_other(held: Holding, order: Order, who: Who, now: int) -> dict[str, str]:
    """Whose visit it is, where it is another's."""
    made = held.of(order, now)
    return {} if made is None or made.fitter == who.name else {"fitter": made.fitter, "day": made.day}


def _in_hand(visits: Any, order: Order, who: Who, zone: str) -> dict[str, str]:
    """The visit that is open for this wearer already."""
    visit: Visit | None = next((v for v in visits if v.wearer_id == order.wearer_id), None)
    if visit is None:
        return {}
    return {
        "session": visit.session,
        "by": visit.by,
        "since": hour(visit.opened_at, zone),
        "own": "1" if visit.by == who.name else "",
    }
