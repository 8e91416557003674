"""The own account: password, second factor, where it is signed in, and its language.

What changes how it is signed in asks for the password again.
"""

import io
from typing import Any

import segno
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from emcheck.desk import Access
from emcheck.present.roles import ROLE_WORDS, rights_of
from emcheck.present.times import clock
from emcheck.web.guarding import MaySeeSelf, address_of, cookie_name
from emcheck.web.pages import page
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.accounts import home_of, ours, refusal, with_cookie, with_mark
from emcheck.web.people.passwords import PASSWORD_LEAST, wrong_with
from emcheck.web.people.second_factor import address_of_secret
from emcheck.web.people.signing_in import Refused, Who
from emcheck.web.problems import Problem
from emcheck.web.visits.words import LANGUAGE_COOKIE, LANGUAGES

router = APIRouter(include_in_schema=False)
_DONE = {
    "password": "Your password is changed, and all other sign-ins ended.", "ended": "It is ended.",
    "language": "Your language is kept.",
}  # fmt: skip
_A_YEAR_S = 31_536_000


@router.get("/start")
async def start(who: MaySeeSelf) -> Response:
    """To the first page of whoever asks."""
    return RedirectResponse(home_of(who.role), status_code=303)


@router.get("/account")
async def account(request: Request, who: MaySeeSelf, parts: WithParts) -> Response:
    """Who is signed in, what the role may do, and where the account is signed in."""
    done = _DONE.get(request.query_params.get("done", ""), "")
    return page(request, "account.html", who=who, wrong="", done=done, **await _account(parts, who))


async def _account(parts: Parts, who: Who) -> dict[str, Any]:
    sign_ins = [
        {
            "named": each.named, "began": clock(each.began_at, "UTC"), "used": clock(each.used_at, "UTC"),
            "address": each.address or "", "is_this": each.token_sha256 == who.token_sha256,
        }
        for each in await parts.signing_in.sign_ins(who)
    ]  # fmt: skip
    return {
        "role_words": ROLE_WORDS[who.role], "rights": rights_of(who.role), "troubles": parts.troubles(),
        "sign_ins": sign_ins, "has_factor": await parts.signing_in.factors.has(who.name),
        "codes_left": await parts.desk.recovery_codes(who.name), "must": parts.signing_in.must_have_factor(who),
        "languages": LANGUAGES,
    }  # fmt: skip


@router.post("/account/language")
async def language(request: Request, who: MaySeeSelf, parts: WithParts) -> Response:
    """Choose the language of the visits' pages, or none: then the browser says. `back` is where one came from."""
    form = await request.form()
    chosen, back = str(form.get("language", "")), ours(str(form.get("back", "")))
    await choose_language(parts, who, chosen or None)
    answer = RedirectResponse(back or "/account?done=language", status_code=303)
    answer.set_cookie(
        LANGUAGE_COOKIE, chosen, max_age=_A_YEAR_S if chosen else 0, samesite="lax", secure=parts.is_secure,
        httponly=True, path="/",
    )  # fmt: skip
    return answer


async def choose_language(parts: Parts, who: Who, language: str | None) -> None:
    """Keep it with the account; Problem where there is no such language."""
    if language is not None and language not in LANGUAGES:
        wrong = f"There is no language {language[:20]!r}; there are {', '.join(LANGUAGES)}."
        raise Problem(422, wrong, errors=[{"pointer": "/language", "detail": wrong}])
    await parts.desk.choose_language(who.name, language)


@router.post("/account/sign-ins/end")
async def end_sign_ins(request: Request, who: MaySeeSelf, parts: WithParts) -> Response:
    """End the one that is named, or all of them; whoever has a password shows it."""
    form = await request.form()
    named = str(form.get("named", ""))
    try:
        if not who.is_elsewhere:
            await parts.signing_in.prove(who, str(form.get("password", "")), address_of(request))
    except Refused as refused:
        return refusal(request, "account.html", refused, who=who, done="", **await _account(parts, who))
    if named != "all":
        if not await parts.signing_in.end(who, named):
            raise Problem(404, "That sign-in is over already.")
        return RedirectResponse("/account?done=ended", status_code=303)
    await parts.signing_in.end(who, None)
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(cookie_name(is_secure=parts.is_secure), path="/", secure=parts.is_secure, httponly=True)
    return answer


# --- the password -----------------------------------------------------------------------------------------


@router.get("/account/password")
async def password_page(request: Request, who: MaySeeSelf) -> Response:
    """The form."""
    refuse_elsewhere(who)
    return page(request, "password.html", who=who, wrong="", wrong_new="", least=PASSWORD_LEAST)


@router.post("/account/password")
async def password(request: Request, who: MaySeeSelf, parts: WithParts) -> Response:
    """Another password, shown the one of before; all sign-ins end and this one goes on anew."""
    refuse_elsewhere(who)
    form = await request.form()
    now, new, again = (str(form.get(key, "")) for key in ("now", "password", "again"))
    if (wrong := wrong_with(new, again, who.name)) is not None:
        return page(request, "password.html", who=who, status=422, wrong="", wrong_new=wrong, least=PASSWORD_LEAST)
    try:
        await parts.signing_in.prove(who, now, address_of(request))
    except Refused as refused:
        return refusal(request, "password.html", refused, who=who, wrong_new="", least=PASSWORD_LEAST)
    if not await parts.signing_in.change_password(who, new):
        raise Problem(409, "The password was changed meanwhile; sign in with the new one.")
    token = await parts.signing_in.renew(who, address_of(request), "password changed")
    answer = RedirectResponse("/account?done=password", status_code=303)
    await with_mark(parts, answer, who.name)
    return with_cookie(parts, answer, token)


def refuse_elsewhere(who: Who) -> None:
    """Problem where a provider keeps password and second factor."""
    if who.is_elsewhere:
        raise Problem(404, "This account signs in elsewhere; its password and second factor are kept there.")


# --- the second factor ------------------------------------------------------------------------------------


@router.get("/account/second-factor")
async def factor_page(request: Request, who: MaySeeSelf, parts: WithParts) -> Response:
    """What there is, and the form for what may be done next."""
    refuse_elsewhere(who)
    return page(request, "second_factor.html", who=who, wrong="", **await _factor(parts, who))


async def _factor(parts: Parts, who: Who) -> dict[str, Any]:
    secret = await parts.signing_in.factors.pending(who.name)
    return {
        "has_factor": await parts.signing_in.factors.has(who.name),
        "codes_left": await parts.desk.recovery_codes(who.name),
        "must": parts.signing_in.must_have_factor(who),
        "secret": "" if secret is None else " ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
        "otpauth": "" if secret is None else address_of_secret(who.name, secret),
    }


@router.get("/account/second-factor/code.svg")
async def factor_svg(who: MaySeeSelf, parts: WithParts) -> Response:
    """The QR code of a device that waits for its confirmation."""
    secret = await parts.signing_in.factors.pending(who.name)
    if secret is None:
        raise Problem(404, "No device waits for its confirmation.")
    out = io.BytesIO()
    segno.make(address_of_secret(who.name, secret), error="m").save(
        out, kind="svg", scale=5, border=4, dark="#000", light="#fff", svgclass=None, lineclass=None
    )
    return Response(out.getvalue(), media_type="image/svg+xml")


@router.post("/account/second-factor")
async def factor_act(request: Request, who: MaySeeSelf, parts: WithParts) -> Response:
    """Begin, confirm, make new recovery codes, or remove."""
    refuse_elsewhere(who)
    form = await request.form()
    act, given, code = (str(form.get(key, "")) for key in ("act", "password", "code"))
    try:
        outcome = await change_factor(parts, who, act, given, code, address_of(request))
    except Refused as refused:
        return refusal(request, "second_factor.html", refused, who=who, **await _factor(parts, who))
    if outcome.codes is None:
        answer: Response = RedirectResponse("/account/second-factor", status_code=303)
    else:
        renewed = await parts.signing_in.who(outcome.token) if outcome.token else who
        answer = page(request, "recovery_codes.html", who=renewed, codes=outcome.codes)
    return with_cookie(parts, answer, outcome.token) if outcome.token else answer


class Changed:
    """What became of an act on the second factor: recovery codes to be shown once, and the sign-in's new token."""

    def __init__(self, *, codes: list[str] | None = None, token: str = "") -> None:
        self.codes, self.token = codes, token


async def change_factor(parts: Parts, who: Who, act: str, password: str, code: str, address: str) -> Changed:
    """One act of its owner; Refused where it is not proved, Problem where there is no such act now."""
    signing_in, factors = parts.signing_in, parts.signing_in.factors
    has = await factors.has(who.name)
    if act == "begin" and not has:
        await signing_in.prove(who, password, address)
        await factors.begin(who.name)
        return Changed()
    if act == "confirm" and not has:
        codes = await signing_in.confirm_factor(who, code, address)
        return Changed(codes=codes, token=await signing_in.renew(who, address, "second factor set up"))
    if act == "recovery-codes" and has:
        await signing_in.prove(who, password, address, code=code)
        codes = await factors.new_recovery_codes(who.name)
        line = Access(parts.clock.now(), who.name, "recovery codes made", who.name, address=address)
        await parts.desk.note_access([line])
        return Changed(codes=codes)
    if act == "remove" and has:
        await signing_in.prove(who, password, address, code=code)
        await parts.desk.drop_second_factor(who.name)
        return Changed(token=await signing_in.renew(who, address, "second factor removed"))
    raise Problem(409, "The second factor is not as this page was; load it again.")
