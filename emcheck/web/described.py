"""The OpenAPI document: what FastAPI reads off the routes, what can go wrong with each, and how programs are known."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from emcheck.web.problems import PROBLEM, title

_PROBLEM: Mapping[str, Any] = {
    "type": "object", "title": "Problem", "description": "What keeps a request from being answered (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "`about:blank`: the status says what kind of problem it is."},
        "title": {"type": "string", "description": "What the status is called here."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What is wrong, and what would be right."},
        "errors": {
            "type": "array", "description": "Where in the request.",
            "items": {
                "type": "object", "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}  # fmt: skip
"""Some problems tell more: the members of their own are named where they are raised."""
_ALWAYS = (413, 422, 503)
_OF_SOMEBODY = (401, 403, 404)
_OF_ACTS = (400, 409, 411, 429, 504)
_KNOWN = "bearer"
_OPEN = frozenset({("post", "/api/v1/session")})
"""What is asked before anybody is known."""


def described(app: FastAPI) -> dict[str, Any]:
    """The document; made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        parts = made.setdefault("components", {})
        parts["securitySchemes"] = {_KNOWN: {"type": "http", "scheme": "bearer"}}
        schemas = parts.setdefault("schemas", {})
        schemas["Problem"] = _PROBLEM
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for path, method, operation in _operations(made):
            is_open = (method, path) in _OPEN
            if not is_open:
                operation["security"] = [{_KNOWN: []}]
            answers = operation["responses"]
            for status in sorted({*_ALWAYS, *(() if is_open else _OF_SOMEBODY), *_wrong_with(method, is_open=is_open)}):
                answers[str(status)] = _told(status)
        app.openapi_schema = made
    return app.openapi_schema


def _operations(made: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _wrong_with(method: str, *, is_open: bool) -> tuple[int, ...]:
    if method == "get":
        return ()
    return (401, *_OF_ACTS) if is_open else _OF_ACTS


def _told(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": title(status), "content": {PROBLEM: {"schema": schema}}}
