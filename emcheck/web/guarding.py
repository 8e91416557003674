"""Who may ask for what: each route names the right that it needs, and nothing is served without.

A browser is known by its cookie, and then whatever changes something also proves that it comes from a page of ours: by
a word made of the cookie, in the form or in `X-CSRF-Token`, and by the origin that the browser tells. A program is
known by `Authorization: Bearer`, which no browser sends by itself.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from emcheck.domain.rights import Right
from emcheck.present.roles import RIGHT_WORDS
from emcheck.web.parts import WithParts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import FactorFirst, NotSignedIn, Problem

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name(*, is_secure: bool) -> str:
    """With TLS it is bound to this host and to TLS by its name."""
    return "__Host-emcheck" if is_secure else "emcheck"


def address_of(request: Request) -> str:
    """Where a request comes from, as far as we see."""
    return request.client.host if request.client is not None else ""


def refuse_foreign(request: Request) -> None:
    """Problem where another site's page made the browser send this."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site not in (None, "same-origin", "none"):
        raise Problem(403, "This was sent by a page of another site.")
    if origin not in (None, "null") and origin.partition("://")[2] != request.headers.get("host"):
        raise Problem(403, "This was sent by a page of another site.")


async def _known(request: Request, parts: WithParts) -> Who:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer:
        who = await parts.signing_in.who(bearer.strip())
        if who is None:
            raise NotSignedIn
        return who
    token = request.cookies.get(cookie_name(is_secure=parts.is_secure), "")
    by_itself = request.headers.get("x-by-itself") == "1"  # a page that refreshes itself is no use of it
    who = await parts.signing_in.who(token, used=not by_itself) if token else None
    if who is None:
        raise NotSignedIn
    if request.method not in _SAFE:
        refuse_foreign(request)
        given = request.headers.get("x-csrf-token") or await _csrf_in_form(request)
        if not hmac.compare_digest(given.encode("utf-8", "replace"), who.csrf.encode()):
            raise Problem(403, "This form is of another sign-in. Load the page again, then send it once more.")
    return who


async def _csrf_in_form(request: Request) -> str:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return ""
    given = (await request.form()).get("csrf")
    return given if isinstance(given, str) else ""


Signed = Annotated[Who, Depends(_known)]


class Needs:
    """A dependency: whoever is signed in, if the role has the right."""

    def __init__(self, right: Right) -> None:
        self.right = right

    async def __call__(self, who: Signed) -> Who:
        """The person; Problem where the right is missing."""
        if who.lacks_factor and self.right is not Right.OWN_ACCOUNT:
            raise FactorFirst
        if not who.may(self.right):
            wanted = f"it is for roles that may {RIGHT_WORDS[self.right]} ({self.right})"
            raise Problem(403, f"Your role, {who.role}, does not let you do this: {wanted}.")
        return who


Guard = Callable[[Who], Awaitable[Who]]
MaySeeQueue = Annotated[Who, Depends(Needs(Right.QUEUE))]
MayAct = Annotated[Who, Depends(Needs(Right.ACT))]
MaySeeBoard = Annotated[Who, Depends(Needs(Right.BOARD))]
MaySeeShift = Annotated[Who, Depends(Needs(Right.SHIFT))]
MaySeeEquipment = Annotated[Who, Depends(Needs(Right.EQUIPMENT))]
MaySeeAccess = Annotated[Who, Depends(Needs(Right.ACCESS_LOG))]
MaySeeAccounts = Annotated[Who, Depends(Needs(Right.ACCOUNTS))]
MaySeeVisits = Annotated[Who, Depends(Needs(Right.VISITS))]
MayFit = Annotated[Who, Depends(Needs(Right.FIT))]
MayAssign = Annotated[Who, Depends(Needs(Right.ASSIGN))]
MayOverride = Annotated[Who, Depends(Needs(Right.OVERRIDE))]
MaySeeSelf = Annotated[Who, Depends(Needs(Right.OWN_ACCOUNT))]
MaySeeWearers = Annotated[Who, Depends(Needs(Right.WEARERS))]
MaySeeOwnCases = Annotated[Who, Depends(Needs(Right.OWN_CASES))]
