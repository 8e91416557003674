"""Many alerts at once: one form, an instruction for each, and row by row what became of it."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from emcheck.desk import Access
from emcheck.domain.alerts import Alert
from emcheck.domain.instants import format_ms
from emcheck.present import story as telling
from emcheck.present.acted import did
from emcheck.present.times import clock, hour
from emcheck.web.alerts import acting
from emcheck.web.alerts.acting import Done, Late, Outcome, Seen
from emcheck.web.alerts.alert import said_by
from emcheck.web.alerts.queue import listed
from emcheck.web.alerts.rows import Row, rows_of, zone_of
from emcheck.web.api import acted_json
from emcheck.web.guarding import MayAct, address_of
from emcheck.web.pages import head, page
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem, is_swap
from emcheck.web.shapes import Shape

router = APIRouter()
MOST = 200
"""Alerts in one form: a page of the API holds fewer than 500, and nobody looks at more."""
_DONE = {
    "acknowledge": "acknowledged", "confirm": "confirmed", "shelve": "shelved", "close": "closed", "claim": "claimed",
    "hand_over": "handed over", "note": "noted", "escalate": "passed on", "undo": "taken back",
}  # fmt: skip
_UNDONE = frozenset({"acknowledge", "claim", "shelve", "close"})


class Refusal(NamedTuple):
    """An alert of which it was refused, and why."""

    row: Row
    why: str


@router.post("/alerts/acts", include_in_schema=False)
async def act(request: Request, who: MayAct, parts: WithParts) -> Response:
    """The same act on all chosen alerts; the answer stands where an alert would."""
    form = await request.form()
    typed = {key: value for key, value in form.items() if isinstance(value, str) and key not in ("csrf", "chosen")}
    seen = [seen_named(value) for value in form.getlist("chosen") if isinstance(value, str)]
    said = said_by(typed, parts.clock.now())
    del said["seen_revision"]
    outcomes = await act_on_seen(request, parts, who, seen, said)
    result = await _result(parts, said["act"], seen, outcomes)
    status = 200 if result["done"] else 409 if any(isinstance(each, Late) for each in outcomes) else 422
    if is_swap(request):
        return page(request, "bulk_result.html", who=who, status=status, result=result)
    listing = await listed(parts, request, who)
    listing |= {"result": result, "picked": {row.alert.alert_id for row, _ in result["refused"]}}
    return page(
        request, "queue.html", who=who, status=status, open_id="", shown=None, **listing, **await head(parts)
    )  # fmt: skip


def seen_named(text: str) -> Seen:
    """`AL-XYZ.3`: an alert and the revision of it that was looked at."""
    alert_id, _, revision = text[:120].rpartition(".")
    return Seen(alert_id, int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 16 else 0)


async def act_on_seen(
    request: Request, parts: Parts, who: Who, seen: Sequence[Seen], said: dict[str, Any]
) -> list[Outcome]:
    """After it is kept who acted on whose record; Problem where none is chosen, too many are, or one is not there."""
    if not seen:
        raise Problem(422, "No alert is chosen. Choose some with their boxes, or with the space bar.")
    if len(seen) > MOST:
        raise Problem(422, f"{len(seen)} alerts are chosen; act on {MOST} at a time.")
    if len({each.alert_id for each in seen}) < len(seen):
        raise Problem(422, "An alert is named twice; name each once.")
    known = {alert.alert_id: alert for alert in await parts.desk.alerts_named([each.alert_id for each in seen])}
    for each in seen:
        if each.alert_id not in known:
            raise Problem(404, f"There is no alert {each.alert_id[:40]}. Nothing was done.")
    await parts.desk.note_access([_line(request, parts, who, alert, said["act"]) for alert in known.values()])
    return await acting.act_on_all(parts, who, seen, said)


def _line(request: Request, parts: Parts, who: Who, alert: Alert, act: str) -> Access:
    subject = alert.wearer_id or alert.unit or alert.subject
    return Access(parts.clock.now(), who.name, f"alert {act[:20]}", subject, alert.alert_id, address_of(request))


async def _result(parts: Parts, act: str, seen: Sequence[Seen], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What became of it, for people."""
    done = [each.alert for each in outcomes if isinstance(each, Done)]
    other = [(each.alert_id, out) for each, out in zip(seen, outcomes, strict=True) if not isinstance(out, Done)]
    refused = await parts.desk.alerts_named([name for name, _ in other])
    rows = {str(row.alert.alert_id): row for row in await rows_of(parts, refused)}
    known, now = parts.known(), parts.clock.now()
    zone = zone_of(done[0], None if known is None else known.engine) if done else "UTC"
    may_undo = act in _UNDONE and done and known is not None
    return {
        "act": _DONE.get(act, act), "of": len(seen), "done": [f"{each.alert_id}.{each.revision}" for each in done],
        "refused": [Refusal(rows[name], _why(out, zone)) for name, out in other if name in rows],
        "undo_until": hour(now + parts.undo_ms(now), zone) if may_undo else "",
    }  # fmt: skip


def _why(outcome: Outcome, zone: str) -> str:
    if isinstance(outcome, Late):
        by = outcome.by
        return f"{by.by} {did(by.action)} at {clock(by.at, zone)}{f': {by.note}' if by.note else ''}"
    return "" if isinstance(outcome, Done) else acting.for_people(outcome).problem


# --- the same for programs --------------------------------------------------------------------------------


class One(Shape):
    """An alert as it was looked at."""

    alert_id: Annotated[str, Field(max_length=80)]
    """Which."""
    seen_revision: Annotated[int, Field(ge=1)]
    """The revision that was looked at: it is refused where somebody acted since."""


class ActedOnAll(Shape):
    """One act on many alerts, each for itself."""

    act: str
    """As of one alert."""
    alerts: Annotated[list[One], Field(min_length=1, max_length=MOST)]
    """On which, each once."""
    note: Annotated[str, Field(max_length=2000)] = ""
    """What else is to be known, of each."""
    until: str | None = None
    """Until when they are shelved."""
    disposition: str | None = None
    """Why they are closed."""
    to: Annotated[str, Field(max_length=80)] | None = None
    """Who has them after a hand-over."""


class BecameOf(Shape):
    """What became of one of them."""

    alert_id: str
    """Which."""
    done: bool
    """Whether it was carried out."""
    alert: dict[str, Any] | None = None
    """As it stands now, but where the act is wrong in itself."""
    detail: str | None = None
    """Why not."""
    acted: dict[str, str] | None = None
    """Who was first, and what they did."""


@router.post("/api/v1/alerts/acts", summary="Act on many alerts")
async def act_by_program(request: Request, body: ActedOnAll, who: MayAct, parts: WithParts) -> list[BecameOf]:
    """In the name of whoever is signed in, each alert for itself and in its place; what was refused says why."""
    seen = [Seen(each.alert_id, each.seen_revision) for each in body.alerts]
    said = body.model_dump(exclude_none=True, exclude={"alerts"})
    outcomes = await act_on_seen(request, parts, who, seen, said)
    return [_became(each, outcome) for each, outcome in zip(seen, outcomes, strict=True)]


def _became(seen: Seen, outcome: Outcome) -> BecameOf:
    if isinstance(outcome, Done):
        return BecameOf(alert_id=seen.alert_id, done=True, alert=telling.alert_json(outcome.alert))
    if isinstance(outcome, Late):
        by = outcome.by
        return BecameOf(
            alert_id=seen.alert_id, done=False, alert=telling.alert_json(outcome.alert), acted=acted_json(by),
            detail=f"{by.by} {did(by.action)} at {format_ms(by.at)}.",
        )  # fmt: skip
    return BecameOf(alert_id=seen.alert_id, done=False, detail=": ".join(filter(None, outcome)))
