"""What keeps a request from being answered: for a browser a page, for a program a problem document (RFC 9457)."""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

API = "/api/"
PROBLEM = "application/problem+json"
_TITLES = {
    400: "Bad request", 401: "Not signed in", 403: "Not allowed", 404: "Not found", 405: "Not that way",
    409: "Somebody else was first", 411: "Of unknown length", 413: "Too large",
    422: "Cannot be used", 429: "Too many tries", 503: "Not now", 504: "No answer yet",
}  # fmt: skip


class Problem(Exception):
    """A request that is not answered as asked: `status`, what is wrong and would be right, and more for programs."""

    def __init__(self, status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.more, self.headers = status, detail, more, headers or {}


class NotSignedIn(Problem):
    """Nobody is known by this request."""

    def __init__(self) -> None:
        super().__init__(401, "Sign in first; the sign-in may have ended by itself.")


class FactorFirst(Problem):
    """The role must have a second factor, and the account has none yet."""

    def __init__(self) -> None:
        super().__init__(403, "Your role must have a second factor: set it up first, under your account.")


def is_api(request: Request) -> bool:
    """Whether a program asks."""
    return request.url.path.startswith(API)


def is_swap(request: Request) -> bool:
    """Whether a page asks for a part of itself."""
    return request.headers.get("hx-request") == "true"


def document(problem: Problem) -> Response:
    """`application/problem+json`."""
    told = {"type": "about:blank", "title": title(problem.status), "status": problem.status, "detail": problem.detail}
    headers = problem.headers | ({"WWW-Authenticate": "Bearer"} if problem.status == 401 else {})
    return JSONResponse(told | problem.more, status_code=problem.status, headers=headers, media_type=PROBLEM)


def title(status: int) -> str:
    """What a status is called."""
    return _TITLES.get(status, "Failed")


def to_sign_in(request: Request) -> Response:
    """Where somebody unknown is sent, to come back afterwards."""
    if is_swap(request):
        return sent_to(request, "/sign-in", status=401)
    asked = request.url.path if request.method == "GET" and request.url.path != "/" else ""
    return RedirectResponse(f"/sign-in?next={asked}" if asked else "/sign-in", status_code=303)


def sent_to(request: Request, path: str, status: int = 403) -> Response:
    """Another page; a page that asks for a part of itself goes there as a whole."""
    if is_swap(request):
        return Response(status_code=status, headers={"HX-Redirect": path})
    return RedirectResponse(path, status_code=303)
