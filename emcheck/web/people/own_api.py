"""REST for the own account: what the pages under `/account` do."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from emcheck.domain.instants import format_ms
from emcheck.web.guarding import MaySeeOwnCases, MaySeeSelf, address_of
from emcheck.web.parts import WithParts
from emcheck.web.people.cases import alerts_told, cases_told, own_of, plain, plain_alert
from emcheck.web.people.own_account import change_factor, choose_language, refuse_elsewhere
from emcheck.web.people.passwords import wrong_with
from emcheck.web.people.second_factor import address_of_secret
from emcheck.web.people.signing_in import Refused
from emcheck.web.problems import Problem
from emcheck.web.shapes import Password, Shape

router = APIRouter(prefix="/api/v1/me")


class OwnCase(Shape):
    """A wearer whose order names the account as officer."""

    wearer_id: str
    """As `/wearers/{wearer_id}` tells more of."""
    name: str
    """Empty where it is not held."""
    state: str
    """Where they are, by the board's words."""
    since: str | None
    """Since when the address says so; null where that is not known."""
    orders: list[dict[str, str]]
    """Each with `order_id`, `kind` and `ends_at`."""
    open_alerts: dict[str, int]
    """How many are open, by priority."""


class Held(Shape):
    """A sign-in that holds."""

    id: str
    """Names it, to end it."""
    began_at: str
    """When it was made, UTC."""
    used_at: str
    """When it was used last, to a minute."""
    address: str | None
    """Where it was made from."""
    is_this: bool
    """Whether it is the one that asks."""


class NewPassword(Shape):
    """Another password."""

    password: Password
    """The one of now."""
    new: Password
    """The one from now on."""


class Renewed(Shape):
    """All sign-ins ended, and this one goes on."""

    token: str
    """To be sent as `Authorization: Bearer` from now on."""


class Factor(Shape):
    """The second factor."""

    is_on: bool
    """Whether a code is asked for at each sign-in."""
    is_required: bool
    """Whether the role must have one."""
    recovery_codes_left: int
    """How many of the codes on paper are not used yet."""
    secret: str | None
    """Of a device that waits for its confirmation, in Base32; null where none does."""
    otpauth: str | None
    """The same as an address for the device."""


class FactorAct(Shape):
    """An act on the second factor."""

    act: Literal["begin", "confirm", "recovery-codes", "remove"]
    """`begin` makes a secret, `confirm` shows a code of it; the others need a code of the device that counts."""
    password: Password = ""
    """Asked by all but `confirm`."""
    code: Annotated[str, Field(max_length=80)] = ""
    """Of the device, or a recovery code."""


class FactorChanged(Shape):
    """What became of it."""

    recovery_codes: list[str]
    """Shown this once; empty where none were made."""
    token: str | None
    """Set where all sign-ins ended: this one goes on under it."""


class Language(Shape):
    """The language of the visits' pages."""

    language: Annotated[str, Field(max_length=20)] | None
    """As `de`; null where the browser says."""


def refused_as_problem(refused: Refused, status: int = 403) -> Problem:
    """For programs."""
    headers = {} if refused.after_s is None else {"Retry-After": str(refused.after_s)}
    return Problem(status if refused.after_s is None else 429, str(refused), headers=headers)


@router.get("/cases", summary="My cases")
async def own(request: Request, who: MaySeeOwnCases, parts: WithParts) -> list[OwnCase]:
    """An officer's: at most 500, by id."""
    mine = await own_of(request, parts, who, "own cases read")
    return [OwnCase(**plain(row)) for row in await cases_told(parts, mine)]


@router.get("/alerts", summary="Alerts of my cases")
async def own_alerts(request: Request, who: MaySeeOwnCases, parts: WithParts) -> list[dict[str, Any]]:
    """An officer's: what is open of own cases and of the equipment in their homes, at most 200, the gravest first.

    As `/alerts` has them, with the `cases` that each is about; those that an incident accounts for come last.
    """
    mine = await own_of(request, parts, who, "alerts of own cases read")
    return [plain_alert(each) for each in await alerts_told(parts, mine)]


@router.get("/sign-ins", summary="Where I am signed in")
async def sign_ins(who: MaySeeSelf, parts: WithParts) -> list[Held]:
    """The newest first."""
    return [
        Held(
            id=each.named, began_at=format_ms(each.began_at), used_at=format_ms(each.used_at), address=each.address,
            is_this=each.token_sha256 == who.token_sha256,
        )
        for each in await parts.signing_in.sign_ins(who)
    ]  # fmt: skip


@router.delete("/sign-ins", summary="Sign out everywhere", status_code=204)
async def end_all(who: MaySeeSelf, parts: WithParts) -> Response:
    """The sign-in that asks ends, too."""
    await parts.signing_in.end(who, None)
    return Response(status_code=204)


@router.delete("/sign-ins/{sign_in_id}", summary="End one sign-in", status_code=204)
async def end_one(sign_in_id: str, who: MaySeeSelf, parts: WithParts) -> Response:
    """By its `id`."""
    if not await parts.signing_in.end(who, sign_in_id):
        raise Problem(404, "There is no such sign-in.")
    return Response(status_code=204)


@router.put("/language", summary="Choose my language")
async def put_language(body: Language, who: MaySeeSelf, parts: WithParts) -> Language:
    """Of the visits' pages; all others are in English."""
    await choose_language(parts, who, body.language)
    return body


@router.post("/password", summary="Change the password")
async def change_password(request: Request, body: NewPassword, who: MaySeeSelf, parts: WithParts) -> Renewed:
    """All sign-ins end; this one goes on under a new token."""
    refuse_elsewhere(who)
    if (wrong := wrong_with(body.new, body.new, who.name)) is not None:
        raise Problem(422, wrong, errors=[{"pointer": "/new", "detail": wrong}])
    try:
        await parts.signing_in.prove(who, body.password, address_of(request))
    except Refused as refused:
        raise refused_as_problem(refused) from None
    if not await parts.signing_in.change_password(who, body.new):
        raise Problem(409, "The password was changed meanwhile.")
    return Renewed(token=await parts.signing_in.renew(who, address_of(request), "password changed"))


@router.get("/second-factor", summary="My second factor")
async def factor(who: MaySeeSelf, parts: WithParts) -> Factor:
    """Whether there is one, and what is to be confirmed."""
    refuse_elsewhere(who)
    secret = await parts.signing_in.factors.pending(who.name)
    return Factor(
        is_on=await parts.signing_in.factors.has(who.name), is_required=parts.signing_in.must_have_factor(who),
        recovery_codes_left=await parts.desk.recovery_codes(who.name), secret=secret,
        otpauth=None if secret is None else address_of_secret(who.name, secret),
    )  # fmt: skip


@router.post("/second-factor", summary="Set it up, renew its recovery codes, or remove it")
async def factor_act(request: Request, body: FactorAct, who: MaySeeSelf, parts: WithParts) -> FactorChanged:
    """After `begin`, `GET` tells the secret; `confirm` answers with the recovery codes."""
    refuse_elsewhere(who)
    try:
        done = await change_factor(parts, who, body.act, body.password, body.code, address_of(request))
    except Refused as refused:
        raise refused_as_problem(refused) from None
    return FactorChanged(recovery_codes=done.codes or [], token=done.token or None)
