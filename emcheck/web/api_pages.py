"""REST for the board, the shift and the equipment: what their pages show, for programs."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from emcheck.domain.whereabouts import Whereabouts
from emcheck.web import board as boards
from emcheck.web.api import Limit
from emcheck.web.guarding import MaySeeBoard
from emcheck.web.parts import WithParts
from emcheck.web.problems import Problem
from emcheck.web.shapes import Shape

router = APIRouter(prefix="/api/v1")
After = Annotated[str, Query(max_length=120)]


class Counts(Shape):
    """How many wearers are where."""

    as_of: str
    """The instant that is told of."""
    wearers: int
    """How many the register has."""
    reconciles: bool
    """Whether the counts add up to that."""
    counts: dict[str, int]
    """By state: `out_in_curfew`, `not_judged`, `unknown`, `out_allowed`, `home`, `not_monitored`."""
    sites: list[dict[str, Any]]
    """The same by site; null where the register names no district."""


class Wearers(Shape):
    """A page of the board."""

    wearers: list[dict[str, Any]]
    """Each with `state`, `since`, `curfew_until`, `next_curfew`, `units`, and when those were last heard."""
    next: str | None
    """`after` of the next page; null where there is none."""


@router.get("/board", summary="How many are where")
async def board(who: MaySeeBoard, parts: WithParts) -> Counts:
    """All wearers by state and by site; everybody in the register is in exactly one state."""
    return Counts(**boards.plain_counts(await boards.board_now(parts)))


@router.get("/board/wearers", summary="Who is where")
async def board_wearers(
    request: Request, who: MaySeeBoard, parts: WithParts, state: Whereabouts | None = None,
    site: Annotated[str, Query(max_length=40)] = "", after: After = "", limit: Limit = 50,
) -> Wearers:  # fmt: skip
    """Wearers of the board, the gravest state first, then by id; `site` is a district, or `-` for none named."""
    place = boards.place_named(after)
    if after and place is None:
        raise Problem(422, "after: names no place; use `next` of the page before")
    found = await boards.board_now(parts)
    await boards.note_board(request, parts, who, state, site)
    places = found.page(state, boards.site_asked(site), after=place, limit=limit + 1)
    rows = await boards.wearers_of(parts, places[:limit])
    onward = boards.token_of(places[limit - 1]) if len(places) > limit else None
    return Wearers(wearers=[boards.plain(row) for row in rows], next=onward)
