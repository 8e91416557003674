"""REST for the board, the shift and the equipment: what their pages show, for programs."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from emcheck.domain.instants import format_ms, format_optional_ms, parse_ms
from emcheck.domain.whereabouts import Whereabouts
from emcheck.present import referred, statistics, story
from emcheck.present.shift import shift_at, work_of
from emcheck.service.shift import shift_of
from emcheck.web.api import Limit
from emcheck.web.guarding import MaySeeBoard, MaySeeShift, address_of
from emcheck.web.overview import board as boards
from emcheck.web.overview.equipment import engine_of
from emcheck.web.overview.shift import MOST, OPERATORS_MOST
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
    """Each with `state`, `since`, `curfew_until`, `next_curfew`, `units`, and when those were last heard.

    `open_alerts` is how many are open, `first_alert` the gravest; `tag_off` tells that the tag is off its wearer.
    """
    next: str | None
    """`after` of the next page; null where there is none."""


class Shift(Shape):
    """What a shift hands over, and how it fared."""

    since: str
    """From when on."""
    until: str
    """Until when; what is open is as it stands now."""
    open: list[dict[str, Any]]
    """How many alerts are open by priority, how many of them wait, and since when the first does."""
    shelved: list[dict[str, Any]]
    """What comes back by itself, first that which comes first."""
    promised: list[dict[str, Any]]
    """What somebody acknowledged, claimed or was handed."""
    incidents: list[dict[str, Any]]
    """Incidents that are open, with how many alerts each accounts for."""
    referrals: list[dict[str, Any]]
    """Breaches that are to be reported."""
    work: list[dict[str, Any]]
    """What people did in it, by name."""
    closed: list[dict[str, Any]]
    """What was closed in it, the newest first, at most 200."""
    floods: list[dict[str, Any]]
    """Times of ten minutes in which nobody could attend to all."""
    statistics: dict[str, Any]
    """As `emcheck stats --json`."""


@router.get("/board", summary="How many are where")
async def board(who: MaySeeBoard, parts: WithParts) -> Counts:
    """All wearers by state and by site; everybody in the register is in exactly one state."""
    return Counts(**boards.plain_counts(await boards.board_now(parts)))


@router.get("/board/wearers", summary="Who is where")
async def board_wearers(
    request: Request, who: MaySeeBoard, parts: WithParts, state: Whereabouts | None = None,
    site: Annotated[str, Query(max_length=40)] = "", after: After = "", limit: Limit = 50,
) -> Wearers:  # fmt: skip
    """Wearers of the board, the gravest state first, in it who has a P1, then by id; `site` is a district, `-` none."""
    place = boards.place_named(after)
    if after and place is None:
        raise Problem(422, "after: names no place; use `next` of the page before")
    found = await boards.board_now(parts)
    await boards.note_board(request, parts, who, state, site)
    places = found.page(state, boards.site_asked(site), after=place, limit=limit + 1)
    rows = await boards.wearers_of(parts, places[:limit])
    onward = boards.token_of(places[limit - 1]) if len(places) > limit else None
    return Wearers(wearers=[boards.plain(row) for row in rows], next=onward)


@router.get("/shift", summary="What a shift hands over")
async def shift(
    request: Request, who: MaySeeShift, parts: WithParts, since: Annotated[str | None, Query(max_length=40)] = None,
    until: Annotated[str | None, Query(max_length=40)] = None,
    operators: Annotated[int, Query(ge=1, le=OPERATORS_MOST)] = 1,
) -> Shift:  # fmt: skip
    """Of `[since, until)`, instants as 2026-03-24T19:00:00Z; the shift that goes on, now included, where left out."""
    engine, now = engine_of(parts), parts.clock.now()
    begin = _instant("since", since, shift_at(now, parts.shift_starts, parts.zone).start)
    end = min(now, _instant("until", until, now))
    if not (begin < end or begin == end == now) or end > begin + MOST:
        raise Problem(422, f"until: after since, and at most {MOST // 86_400_000} days later")
    await parts.note_look(who.name, "shift read", address_of(request))
    found = await shift_of(parts.desk, engine.roster, since=begin, until=end, now=now, operators=operators)
    counts = [count._asdict() for count in found.counts]
    return Shift(
        since=format_ms(begin), until=format_ms(end),
        open=[c | {"first_raised_at": format_optional_ms(c["first_raised_at"])} for c in counts],
        shelved=[{"alert": story.alert_json(alert)} for alert in found.shelved],
        promised=[{"alert": story.alert_json(alert)} for alert in found.promised],
        incidents=[{"alert": story.alert_json(alert), "under": under} for alert, under in found.incidents],
        referrals=[referred.plain(one, now) for one in found.referrals],
        work=[{"by": work.by, "acts": dict(work.acts)} for work in work_of(found.steps)],
        closed=[
            {"alert": story.alert_json(alert), "by": step.by, "at": format_ms(step.at)} for alert, step in found.closed
        ],
        floods=[{"start": format_ms(at), "alerts": number} for at, number in found.floods],
        statistics=statistics.as_json(found.statistics),
    )  # fmt: skip


def _instant(name: str, text: str | None, default: int) -> int:
    if text is None:
        return default
    try:
        return parse_ms(text)
    except ValueError:
        raise Problem(422, f"{name}: write it as 2026-03-24T19:00:00Z") from None
