"""The application: routes, files beside them, and what every answer carries.

The policy for content allows this site's own files and nothing else: no script and no style inside a page, no other
site, no frame around it. What an answer says of a person is kept in no cache.
"""

import re
import traceback
from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emcheck import __version__
from emcheck.domain.alerts import Alert
from emcheck.ports import StoreError
from emcheck.present.timeline_svg import STYLE
from emcheck.web import api, api_pages
from emcheck.web.alerts import alert, bulk, queue, views
from emcheck.web.described import described
from emcheck.web.overview import api_equipment, board, equipment, shift, wearer
from emcheck.web.pages import HERE, page
from emcheck.web.parts import Parts
from emcheck.web.people import accounts, cases, elsewhere_pages, own_account, own_api
from emcheck.web.people.sealing import SealError
from emcheck.web.problems import (
    API,
    FactorFirst,
    NotSignedIn,
    Problem,
    document,
    is_api,
    is_swap,
    sent_to,
    title,
    to_sign_in,
)
from emcheck.web.visits.rooms import add_visits

log = structlog.get_logger("emcheck.web")
CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_BODY_MAX = 64 << 10
_PHOTOS = re.compile(r"/api/v1/visits/[^/]+/photos")
_HTTP: Mapping[int, str] = {
    400: "The body cannot be read; send what its Content-Type says, in UTF-8.",
    404: "There is no such page.",
    405: "This address does not take that.",
}


class Shell:
    """Puts the headers on every answer, and refuses a body that no form of ours has."""

    def __init__(self, app: ASGIApp, *, is_secure: bool, photo_bytes_max: int) -> None:
        self._app = app
        self._is_secure = is_secure
        self._photo_bytes_max = photo_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_file, begun = scope["path"].startswith("/static/"), False

        async def dressed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if self._is_secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
                headers.setdefault("Cache-Control", "no-cache" if is_file else "no-store")
                headers.add_vary_header("HX-Request")
            await send(message)

        told = dict(scope["headers"])
        given = told.get(b"content-length", b"0")
        if b"transfer-encoding" in told:
            await _refusal(scope, 411, "Say how long it is.")(scope, receive, dressed)
            return
        most = self._photo_bytes_max if _PHOTOS.fullmatch(scope["path"]) else _BODY_MAX
        if not given.isdigit() or int(given) > most:
            await _refusal(scope, 413, f"At most {most} bytes are read.")(scope, receive, dressed)
            return
        try:
            await self._app(scope, receive, dressed)
        except Exception as error:  # whatever it is: an answer that failed carries the same headers as any other
            if begun:
                raise
            await (await _failed(Request(scope), error))(scope, receive, dressed)


def _refusal(scope: Scope, status: int, words: str) -> Response:
    """What is refused unread: for a program a problem document, for a browser a line."""
    if scope["path"].startswith(API):
        return document(Problem(status, words))
    return PlainTextResponse(words + "\n", status_code=status)


def console_app(parts: Parts) -> FastAPI:
    """The console over its parts."""
    app = FastAPI(
        title="emcheck", version=__version__, description=api.__doc__ or "", docs_url=None, redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )  # fmt: skip
    app.state.parts = parts
    app.openapi = lambda: described(app)  # type: ignore[method-assign] # FastAPI's own way to another document

    async def draw(alerts: "list[Alert]") -> dict[str, str]:
        return await queue.draw_rows(parts, alerts)

    parts.live.draw = lambda alerts: draw(list(alerts))
    for part in (
        accounts,
        elsewhere_pages,
        own_account,
        queue,
        bulk,
        views,
        alert,
        wearer,
        board,
        cases,
        equipment,
        shift,
        own_api,
        api,
        api_pages,
        api_equipment,
    ):
        app.include_router(part.router)
    add_visits(app, parts)
    app.add_api_route("/static/timeline.css", _timeline_css, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    app.add_middleware(Shell, is_secure=parts.is_secure, photo_bytes_max=parts.photo_bytes_max)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(StoreError, _store_failed)
    app.add_exception_handler(SealError, _seal_failed)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http)
    return app


async def _timeline_css() -> Response:
    """What a timeline looks like; it stands beside the page, whose policy allows no style inside it."""
    return Response(STYLE, media_type="text/css", headers={"Cache-Control": "no-cache"})


async def _problem(request: Request, problem: Exception) -> Response:
    if not isinstance(problem, Problem):
        raise problem
    if is_api(request):
        return document(problem)
    if isinstance(problem, NotSignedIn):
        return to_sign_in(request)
    if isinstance(problem, FactorFirst):
        return sent_to(request, "/account/second-factor")
    said = {"title": title(problem.status), "detail": problem.detail}
    return page(
        request, "problem_part.html" if is_swap(request) else "problem.html", who=None, status=problem.status,
        headers=problem.headers, **said,
    )  # fmt: skip


async def _store_failed(request: Request, error: Exception) -> Response:
    log.error("web.store_failed", error=str(error))
    problem = Problem(503, "The database does not answer. Nothing was done; try again shortly.")
    return await _problem(request, problem)


async def _seal_failed(request: Request, error: Exception) -> Response:
    log.error("web.key_failed", error=str(error))
    detail = (
        "Second factors cannot be checked: their key is missing, and the log names its file. Recovery codes still work."
    )
    return await _problem(request, Problem(503, detail))


async def _not_valid(request: Request, error: Exception) -> Response:
    """Where in the request, and what is wrong; never what was typed, which may be a secret."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [
        {"pointer": "/" + "/".join(str(part) for part in each["loc"][1:]), "detail": str(each["msg"])} for each in found
    ]
    told = "; ".join(f"{each['pointer'][1:]}: {each['detail']}" for each in errors)
    return await _problem(request, Problem(422, told or "The request cannot be read.", errors=errors))


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = _HTTP.get(status, "It cannot be answered.")
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return await _problem(request, Problem(status, detail, headers=headers))


async def _failed(request: Request, error: Exception) -> Response:
    frame = traceback.extract_tb(error.__traceback__)[-1:]  # the place, never the values: they may be a person's
    log.error("web.failed", error=type(error).__name__, at=[f"{each.filename}:{each.lineno}" for each in frame])
    return await _problem(request, Problem(500, "emcheck failed on this; the log names it. Nothing more was done."))
