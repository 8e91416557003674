"""Templates and what every page has: who is signed in, the queue's counts, whether the service is well."""

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emcheck.desk import Count
from emcheck.domain.ids import Ms
from emcheck.domain.rights import Right
from emcheck.present.times import clock, duration
from emcheck.web.parts import Parts
from emcheck.web.people.signing_in import Who

HERE = Path(__file__).parent
_PRIORITIES = ("P1", "P2", "P3", "P4")
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
SHAPES = {"P1": "▲", "P2": "◆", "P3": "●", "P4": "○"}
"""A priority is told by its shape and its name, never by colour alone."""
_ENVIRONMENT.globals["shapes"] = SHAPES
_ENVIRONMENT.globals["clock"] = clock


def drawn(template: str, **said: Any) -> str:
    """A template with what it says."""
    return _ENVIRONMENT.get_template(template).render(**said)


def page(
    request: Request, template: str, *, who: Who | None, status: int = 200, headers: dict[str, str] | None = None,
    **said: Any,
) -> Response:  # fmt: skip
    """A page, or a part of one, for somebody."""
    may = {right.value: who is not None and who.may(right) for right in Right}
    theme = request.cookies.get("emcheck-theme", "")
    text = drawn(
        template, who=who, may=may, theme=theme if theme in ("dark", "light") else "", path=request.url.path, **said
    )
    return HTMLResponse(text, status_code=status, headers=headers)


async def head(parts: Parts) -> dict[str, Any]:
    """What stands at the top: how many wait, and what is wrong with ourselves."""
    now = parts.clock.now()
    return {"counts": counted(await parts.desk.queue_counts(), now), "troubles": parts.troubles()}


def counted(counts: list[Count], now: Ms) -> list[dict[str, Any]]:
    """A line for each priority: how many wait, and for how long the first does."""
    by = {count.priority: count for count in counts}
    lines = []
    for priority in _PRIORITIES:
        count = by.get(priority, Count(priority, 0, 0, None))
        since = count.first_raised_at
        waits = "" if since is None else duration(max(0, now - since) // 1000 * 1000)
        lines.append({"priority": priority, "waiting": count.waiting, "open": count.open, "longest": waits})
    return lines
