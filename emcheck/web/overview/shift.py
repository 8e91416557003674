"""The shift: what is handed over, what was done, and how it fared beside the targets; on screen and on paper."""

from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response

from emcheck.domain.alerts import Alert
from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY
from emcheck.present.acted import DISPOSITIONS
from emcheck.present.referred import state
from emcheck.present.shift import (
    DONE,
    flood_words,
    instant_of_input,
    local_input,
    shift_at,
    shift_before,
    work_of,
)
from emcheck.present.statistics import FLOOD, tables
from emcheck.present.times import clock
from emcheck.service.shift import CLOSED_SHOWN, IN_HAND_SHOWN, OPEN_SHOWN, Shift, shift_of
from emcheck.web.alerts.rows import rows_of
from emcheck.web.guarding import MaySeeShift, address_of
from emcheck.web.overview.equipment import engine_of
from emcheck.web.pages import counted, page
from emcheck.web.parts import Parts, WithParts

router = APIRouter(include_in_schema=False)
MOST: Ms = 31 * DAY
OPERATORS_MOST = 200
REFERRALS_SHOWN = 200
"""So many are named on the page, the earliest due first."""


class Wanted(NamedTuple):
    """The time that is asked for, or what is wrong with what was typed, by field."""

    since: Ms
    until: Ms
    operators: int
    wrong: dict[str, str]


def wanted(given: dict[str, str], now: Ms, parts: Parts) -> Wanted:
    """The span of a form; the shift that goes on where nothing is asked, or what is asked cannot be."""
    zone, this = parts.zone, shift_at(now, parts.shift_starts, parts.zone)
    wrong: dict[str, str] = {}
    since, until = this.start, now
    if given.get("shift") == "last":
        since, until = shift_before(this, parts.shift_starts, zone)
    elif given.get("shift") == "day":
        since, until = now - DAY, now
    for name in ("from", "until"):
        if not (text := given.get(name, "")):
            continue
        if (at := instant_of_input(text, zone)) is None:
            wrong[name] = "write it as 2026-03-24T19:00"
        elif name == "from":
            since = at
        else:
            until = at
    if not wrong and until <= since and not since == until == now:
        wrong["until"] = "it is not after the beginning"
    elif not wrong and until - since > MOST:
        wrong["from"] = f"at most {MOST // DAY} days are shown at once"
    elif not wrong and since > now:
        wrong["from"] = "it lies ahead"
    number = given.get("operators", "1") or "1"
    if not (number.isascii() and number.isdigit() and 1 <= int(number[:4]) <= OPERATORS_MOST):
        wrong["operators"], number = f"a number from 1 to {OPERATORS_MOST}", "1"
    if wrong:
        since, until = this.start, now
    return Wanted(since, min(until, now), int(number[:4]), wrong)


@router.get("/shift")
async def shift(request: Request, who: MaySeeShift, parts: WithParts) -> Response:
    """The page that one shift leaves to the next."""
    engine, now, given = engine_of(parts), parts.clock.now(), dict(request.query_params)
    asked = wanted(given, now, parts)
    await parts.note_look(who.name, "shift seen", address_of(request))
    found = await shift_of(
        parts.desk, engine.roster, since=asked.since, until=asked.until, now=now, operators=asked.operators
    )
    said: dict[str, Any] = {
        "from_typed": given.get("from", "")[:30] if asked.wrong else local_input(found.since, parts.zone),
        "until_typed": given.get("until", "")[:30] if asked.wrong else local_input(found.until, parts.zone),
        "operators_typed": given.get("operators", "1")[:5], "wrong": asked.wrong, "zone": parts.zone,
        "from_words": clock(found.since, parts.zone), "until_words": clock(found.until, parts.zone),
        "goes_on": found.until >= now, "as_of": clock(now, parts.zone), "by": who.name,
    }  # fmt: skip
    shown = await _shown(parts, found, now)
    return page(request, "shift.html", who=who, status=422 if asked.wrong else 200, **said, **shown)


async def _shown(parts: Parts, found: Shift, now: Ms) -> dict[str, Any]:
    """A shift for people."""
    zone = parts.zone
    closed = await rows_of(parts, [alert for alert, _ in found.closed])
    steps = [step for _, step in found.closed]
    owed = await rows_of(parts, [one.alert for one in found.referrals[:REFERRALS_SHOWN]])
    return {
        "counts": counted(found.counts, now), "open": await rows_of(parts, found.open), "open_max": OPEN_SHOWN,
        "shelved": await _until(parts, found.shelved), "promised": await _until(parts, found.promised),
        "in_hand_max": IN_HAND_SHOWN, "incidents": [
            (row, under) for row, (_, under) in
            zip(await rows_of(parts, [alert for alert, _ in found.incidents]), found.incidents, strict=True)
        ],
        "referrals": [
            {"row": row, "overdue": one.is_overdue(now), "order": "" if one.order is None else one.order.order_id,
             "state": state(one, now, zone if one.order is None else one.order.timezone)}
            for row, one in zip(owed, found.referrals, strict=False)
        ],
        "referrals_count": len(found.referrals),
        "work": work_of(found.steps), "acts": DONE,
        "closed": [
            {"row": row, "at": clock(step.at, zone), "by": step.by,
             "why": DISPOSITIONS.get(row.alert.disposition or "", row.alert.disposition or "")}
            for row, step in zip(closed, steps, strict=True)
        ],
        "closed_count": found.closed_count, "closed_max": CLOSED_SHOWN,
        "floods": flood_words(found.floods, zone), "flood": FLOOD, "operators": max(1, found.operators),
        "tables": [table for table in tables(found.statistics) if table[2]],
    }  # fmt: skip


async def _until(parts: Parts, alerts: list[Alert]) -> list[dict[str, Any]]:
    """Rows with when they come back."""
    return [
        {"row": row, "until": "" if row.alert.lease_until is None else clock(row.alert.lease_until, parts.zone)}
        for row in await rows_of(parts, alerts)
    ]
