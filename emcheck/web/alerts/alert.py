"""The alert: what happened, how we know, what was known when, what may be done, and who did what."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from emcheck.desk import Access
from emcheck.domain.advice import next_step
from emcheck.domain.alerts import Alert
from emcheck.domain.called import called, code
from emcheck.domain.instants import DAY, MINUTE, format_ms
from emcheck.ports import AlertChange
from emcheck.present import story as telling
from emcheck.present.acted import DISPOSITIONS, did
from emcheck.present.ended import ended
from emcheck.present.escalated import outlook
from emcheck.present.referred import in_words
from emcheck.present.timeline_svg import draw_svg, told
from emcheck.present.times import clock
from emcheck.present.words import explain
from emcheck.service.picturing import timelines_of
from emcheck.service.showing import Shown, shown
from emcheck.web.alerts import acting
from emcheck.web.alerts.offering import SHELVES_MIN, offered
from emcheck.web.alerts.queue import listed
from emcheck.web.alerts.rows import rows_of, zone_of
from emcheck.web.guarding import MayAct, MaySeeQueue, address_of
from emcheck.web.held import held_of
from emcheck.web.pages import head, page
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import is_swap

router = APIRouter(include_in_schema=False)
_UNDER_MAX = 50
_CALLED_MAX = 5
"""A base unit hears one household."""
_NIGHTS_MAX = 400
"""Nights further from the alert's own are nobody's question about it."""
_DONE = {
    "acknowledge": "Acknowledged.", "confirm": "Confirmed.", "shelve": "Shelved.", "close": "Closed.",
    "claim": "It is yours.", "hand_over": "Handed over.", "note": "Noted.", "escalate": "Passed on.",
    "undo": "Taken back: it stands as before.",
}  # fmt: skip
_HAPPENED = frozenset({"raised", "amended", "reinstated", "withdrawn", "suppressed", "released"})
"""Changes that facts made; all others are what was done about it."""


async def note_view(request: Request, parts: Parts, who: Who, alert: Alert, action: str) -> None:
    """Before anything of a person is shown, it is kept who looked: at whom it is about, and at whom its unit hears."""
    subject, now, address = alert.wearer_id or alert.unit or alert.subject, parts.clock.now(), address_of(request)
    subjects = dict.fromkeys((subject, *concerned(parts, alert)))
    await parts.desk.note_access([Access(now, who.name, action, each, alert.alert_id, address) for each in subjects])


def concerned(parts: Parts, alert: Alert) -> list[str]:
    """Whom to call about an alert: its wearer, or the first of those whom its unit may hear."""
    if alert.wearer_id is not None:
        return [alert.wearer_id]
    known = parts.known()
    if known is None or alert.unit is None or alert.size is not None:
        return []
    return [str(case.wearer_id) for case in known.engine.roster.cases_of.get(alert.unit, ())][:_CALLED_MAX]


@router.get("/alerts/{alert_id}")
async def alert(request: Request, alert_id: str, who: MaySeeQueue, parts: WithParts) -> Response:
    """The alert beside the queue; to a page that asks for a part of itself, the alert alone."""
    found = await acting.alert_named(parts, alert_id)
    await note_view(request, parts, who, found, "alert seen")
    unfold = request.query_params.get("night") == "1"
    return await answer(request, parts, who, found, unfold=unfold, nights=_nights(request.query_params.get("nights")))


def _nights(asked: str | None) -> int:
    """How many nights after the alert's own one is asked for; its own where that is no number or too far away."""
    try:
        nights = int(asked or 0)
    except ValueError:
        return 0
    return nights if abs(nights) <= _NIGHTS_MAX else 0


async def answer(
    request: Request, parts: Parts, who: Who, alert: Alert, *, status: int = 200, unfold: bool = False,
    nights: int = 0, late: AlertChange | None = None, wrong: acting.Wrong | None = None,
    typed: Mapping[str, str] | None = None, done: str = "",
) -> Response:  # fmt: skip
    """The alert as it stands, with what became of a form: `late`, `wrong` beside its field, or `done`."""
    panel = await _panel(parts, who, alert, unfold=unfold, nights=nights)
    panel |= {"wrong": wrong, "typed": typed or {}, "done": done, "late": None}
    if late is not None:
        panel["late"] = {"by": late.by, "did": did(late.action), "at": clock(late.at, panel["zone"]), "note": late.note}
    if is_swap(request):
        return page(request, "alert.html", who=who, status=status, shown=panel)
    listing = await listed(parts, request, who)
    said = {**listing, **await head(parts)}
    return page(request, "queue.html", who=who, status=status, open_id=alert.alert_id, shown=panel, **said)


async def _panel(parts: Parts, who: Who, alert: Alert, *, unfold: bool, nights: int) -> dict[str, Any]:
    """All that the page says of an alert, as text."""
    now, known = parts.clock.now(), parts.known()
    [row] = await rows_of(parts, [alert])
    zone = zone_of(alert, None if known is None else known.engine)
    it = None if known is None else await shown(parts.desk, alert, known, unfold=unfold, nights=nights)
    history = await parts.desk.alert_history(alert.alert_id) if it is None else it.story.history
    under = [] if alert.size is None else await parts.desk.alerts_under(
        alert.alert_id, open_only=False, limit=_UNDER_MAX
    )  # fmt: skip
    advice = next_step(alert)
    held = [await held_of(parts.desk, each) for each in concerned(parts, alert)]
    return {
        "advice": "" if advice is None else advice.do, "advice_source": "" if advice is None else advice.source,
        "ended": ended_words(alert, history, it, zone, now), "held": held,
        "what": called(alert.rule, alert.class_, ended=alert.ended_at is not None),
        "code": code(alert.rule, alert.class_),
        "outlook": "" if it is None else outlook(alert, it.story.step, it.story.of, zone),
        "row": row, "alert": alert, "zone": zone, "under": await rows_of(parts, under),
        "under_count": 0 if it is None else it.story.under,
        "knowledge": _lines(telling.knowledge([(c.at, c.action, c.by, c.note, c.alert) for c in history], zone)),
        "acts": await offered(parts, who, alert, history, zone), "dispositions": DISPOSITIONS,
        "shelves": SHELVES_MIN,
        "done_so_far": [
            {"at": clock(c.at, zone), "by": c.by, "action": c.action.replace("_", " "), "note": c.note}
            for c in history if c.action not in _HAPPENED
        ],
        "nights": nights, "later": alert.happened_at + (nights + 1) * DAY <= now,
        "has_nights": alert.wearer_id is not None,
        **_evidence(it, zone, now),
    }  # fmt: skip


def ended_words(alert: Alert, history: Sequence[AlertChange], it: Shown | None, zone: str, now: int) -> str:
    """What ended it, in words; empty while it goes on."""
    changed = [(c.at, c.action, c.by, c.note) for c in history]
    if it is None:
        return ended(alert, changed, [], zone, now=now)
    return ended(alert, changed, it.story.grounds, zone, referral=it.story.referral, now=now)


def _evidence(it: Shown | None, zone: str, now: int) -> dict[str, Any]:
    """What it rests on; nothing while the service is reading itself back."""
    if it is None:
        return {"grounds": [], "facts": [], "svg": None, "spoken": [], "is_folded": False, "ready": False,
                "referral": "", "basis": []}  # fmt: skip
    story = it.story
    timelines = timelines_of(story, now)
    return {
        "grounds": [explain(finding) for finding in story.grounds],
        "basis": list(dict.fromkeys(f"{f.rule}, policy {f.policy}" for f in story.grounds)),
        "facts": _lines(telling.rests_on([(rest.fact, rest.event, rest.received_at) for rest in story.rests], zone)),
        "svg": Markup(draw_svg(timelines, styled=False)) if timelines else None,  # noqa: S704 - escapes what it draws
        "spoken": [line for each in timelines for line in told(each)],
        "is_folded": it.is_folded, "ready": True,
        "referral": "" if story.referral is None else in_words(story.referral, now, zone),
    }  # fmt: skip


def _lines(said: list[str]) -> list[tuple[str, list[str]]]:
    """Lines with what is set in below each."""
    found: list[tuple[str, list[str]]] = []
    for line in said:
        if line.startswith(" ") and found:
            found[-1][1].append(line.strip())
        else:
            found.append((line, []))
    return found


@router.post("/alerts/{alert_id}/acts")
async def act(request: Request, alert_id: str, who: MayAct, parts: WithParts) -> Response:
    """One act, in the name of whoever is signed in."""
    found = await acting.alert_named(parts, alert_id)
    form = await request.form()
    typed = {key: value for key, value in form.items() if isinstance(value, str) and key != "csrf"}
    await note_view(request, parts, who, found, f"alert {typed.get('act', '')[:20]}")
    outcome = await acting.act(parts, who, found.alert_id, said_by(typed, parts.clock.now()))
    match outcome:
        case acting.Late(alert=now_stands, by=by):
            return await answer(request, parts, who, now_stands, status=409, late=by, typed=typed)
        case acting.Wrong():
            return await answer(request, parts, who, found, status=422, wrong=acting.for_people(outcome), typed=typed)
        case acting.Done(alert=now_stands):
            if is_swap(request):
                return await answer(request, parts, who, now_stands, done=_DONE[typed["act"]])
            return RedirectResponse(f"/alerts/{found.alert_id}", status_code=303)


def said_by(typed: Mapping[str, str], now: int) -> dict[str, Any]:
    """A form as an instruction says it; what is wrong with it is found where instructions are read."""
    said: dict[str, Any] = {"act": typed.get("act", ""), "note": typed.get("note", "").strip()[:2000]}
    seen = typed.get("seen_revision", "")
    said["seen_revision"] = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 16 else 0
    if said["act"] == "shelve" and (minutes := typed.get("minutes", "")) in {str(each) for each in SHELVES_MIN}:
        said["until"] = format_ms(now + int(minutes) * MINUTE)
    if said["act"] == "close" and typed.get("disposition"):
        said["disposition"] = typed["disposition"]
    if said["act"] == "hand_over" and typed.get("to"):
        said["to"] = typed["to"][:80]
    return said
