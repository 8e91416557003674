"""The board: all wearers by where they are, with counts that reconcile to the register."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from emcheck.domain.alerts import Alert
from emcheck.domain.called import called
from emcheck.domain.case import Case
from emcheck.domain.engine import Engine
from emcheck.domain.ids import Ms, WearerId
from emcheck.domain.instants import format_ms, format_optional_ms
from emcheck.domain.whereabouts import Standing, Whereabouts, no_curfew
from emcheck.present.board import MEANS, SIGNS, WORDS, by_site, everybody, reconciled, told_words, why_words
from emcheck.present.times import clock
from emcheck.service.board import NO_SITE, Board, Place, seen, site_of, tracks_of
from emcheck.service.open_alerts import gravest, open_alerts
from emcheck.web.guarding import MaySeeBoard, address_of
from emcheck.web.pages import head, page
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem, is_swap

router = APIRouter(include_in_schema=False)
PAGE = 50
_SITES_MAX = 40
_NAMED_MAX = 500
NO_SITE_NAMED = "-"
"""How `site` asks for those whose site the register does not name."""


@router.get("/board")
async def board(request: Request, who: MaySeeBoard, parts: WithParts) -> Response:
    """The board; to a page that asks for a part of itself, what changes."""
    given = request.query_params
    state, site = given.get("state", ""), given.get("site", "").strip()[:40]
    kind = Whereabouts(state) if state in set(Whereabouts) else None
    found = await board_now(parts)
    await note_board(request, parts, who, kind, site)
    places = found.page(kind, site_asked(site), after=place_named(given.get("after", "")), limit=PAGE + 1)
    rows = await wearers_of(parts, places[:PAGE])
    counts, wanted = found.counts(), {"state": kind or "", "site": site}
    kept = urlencode({key: value for key, value in wanted.items() if value})
    onward = urlencode({"after": token_of(places[PAGE - 1])}) if len(places) > PAGE else ""
    agrees, sum_words = reconciled(counts, found.wearers)
    said: dict[str, Any] = {
        "kinds": [(kind, SIGNS[kind], WORDS[kind], MEANS[kind]) for kind in Whereabouts], "all": everybody(counts),
        "sites": by_site(counts, most=_SITES_MAX), "site_names": sorted({s for _, s in counts if s})[:_NAMED_MAX],
        "agrees": agrees, "sum_words": sum_words, "rows": rows, "state": kind, "site": site, "kept": kept,
        "no_site": NO_SITE_NAMED, "onward": "&".join(filter(None, (kept, onward))) if onward else "",
        "later": given.get("after", "")[:90], "as_of": clock(found.at, parts.zone),
        "every_s": parts.board_every_ms // 1000,
    }  # fmt: skip
    template = "board_now.html" if is_swap(request) else "board.html"
    return page(request, template, who=who, **said, **await head(parts))


async def board_now(parts: Parts) -> Board:
    """The newest board; Problem while the service reads itself back."""
    found = await parts.boards.latest(at_most_ms=parts.board_every_ms)
    if found is None:
        raise Problem(503, "The service is reading itself back; ask again shortly.", headers={"Retry-After": "5"})
    return found


async def note_board(request: Request, parts: Parts, who: Who, kind: Whereabouts | None, site: str) -> None:
    """Before it is shown where people are, it is kept who looked, and for whom."""
    asked = " ".join(filter(None, ("board seen", "" if kind is None else WORDS[kind], f"at {site}" if site else "")))
    await parts.note_look(who.name, asked, address_of(request))


def site_asked(site: str) -> str | None:
    """What `site` of an address asks for; None for all."""
    return NO_SITE if site == NO_SITE_NAMED else site or None


def token_of(place: Place) -> str:
    """Names a place, for the page after it."""
    return f"{place.whereabouts}{'!' if place.is_urgent else ''}.{place.wearer_id}"


def place_named(token: str) -> Place | None:
    """The place of that name; None where it names none."""
    kind, _, wearer = token.partition(".")
    state, is_urgent = kind.removesuffix("!"), kind.endswith("!")
    return Place(Whereabouts(state), WearerId(wearer[:80]), is_urgent) if state in set(Whereabouts) and wearer else None


async def wearers_of(parts: Parts, places: list[Place]) -> list[dict[str, Any]]:
    """The wearers of at most 500 places."""
    return await wearers_named(parts, [place.wearer_id for place in places])


async def wearers_named(parts: Parts, wearers: list[WearerId]) -> list[dict[str, Any]]:
    """At most 500 wearers with where they are at this moment, since when, and what their order wants."""
    known = parts.known()
    if known is None or not wearers:
        return []
    now, engine = parts.clock.now(), known.engine
    names = await parts.desk.names(wearers)
    found = await open_alerts(parts.desk, [case for name in wearers if (case := engine.cases.get(name)) is not None])
    of: dict[WearerId, list[Alert]] = {}
    for alert, about in found:
        for wearer in () if alert.withdrawn else about:
            of.setdefault(wearer, []).append(alert)
    return [_told(engine, wearer, names.get(wearer, ""), of.get(wearer, []), now) for wearer in wearers]


def _told(engine: Engine, wearer: WearerId, name: str, alerts: list[Alert], now: Ms) -> dict[str, Any]:
    case = engine.cases.get(wearer)
    it, off = seen(engine, case, now)
    first = gravest(alerts)
    told: dict[str, Any] = {
        "wearer_id": wearer, "name": name, "whereabouts": it.whereabouts, "sign": SIGNS[it.whereabouts],
        "words": told_words(it, off), "why": it.why, "site": "", "address_id": it.address_id, "since": None,
        "curfew_until": None, "next_curfew": None, "units": [], "heard_at": None, "zone": "UTC",
        "open_alerts": len(alerts), "first": first, "off": off, "leave_until": None, "curfew_ended": None,
        "first_words": "" if first is None else called(first.rule, first.class_),
    }  # fmt: skip
    if case is None:
        return told
    ahead = sorted(w.start for state in case.orders for w in state.windows if w.start > now)
    heard = [at for unit in case.units if (at := engine.units[unit].last_received_at) is not None]
    zone, (leave_until, ended) = case.orders[0].order.timezone, no_curfew(case, now)
    why = why_words(it, off, leave_until=leave_until, curfew_ended=ended, zone=zone)
    return told | {
        "why": why, "leave_until": leave_until, "curfew_ended": ended if it.window is None else None,
        "site": site_of(engine, case, now), "since": _since(engine, case, it, now), "units": list(case.units),
        "curfew_until": None if it.window is None else it.window.end, "next_curfew": ahead[0] if ahead else None,
        "heard_at": max(heard, default=None), "zone": zone,
    }  # fmt: skip


def _since(engine: Engine, case: Case, it: Standing, now: Ms) -> Ms | None:
    """Since when the deciding address says what it says; None where that is not known, or folded."""
    if it.address_id is None or it.whereabouts in (Whereabouts.NOT_MONITORED, Whereabouts.NOT_JUDGED):
        return None
    known = case.timeline(it.address_id, tracks_of(engine, case))
    if it.whereabouts is Whereabouts.UNKNOWN:
        return max((stretch.end for stretch in known if stretch.end <= now), default=None)
    return next((stretch.start for stretch in known if stretch.start <= now < stretch.end), None)


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A wearer of the board for programs."""
    instants = ("since", "curfew_until", "curfew_ended", "leave_until", "next_curfew", "heard_at")
    told = ("wearer_id", "name", "words", "why", "site", "address_id", "units", "zone", "open_alerts")
    kept, first, off = {key: row[key] for key in told}, row["first"], row["off"]
    kept["first_alert"] = None if first is None else {
        "alert_id": first.alert_id, "priority": first.priority, "rule": first.rule, "class": first.class_,
        "words": row["first_words"],
    }  # fmt: skip
    kept["tag_off"] = None if off is None else {
        "rule": off.rule, "class": off.class_, "tag": dict(off.detail)["tag"], "since": format_ms(off.start),
    }  # fmt: skip
    return kept | {"state": row["whereabouts"]} | {key: format_optional_ms(row[key]) for key in instants}


def plain_counts(found: Board) -> dict[str, Any]:
    """The counts for programs, and whether they add up to the register."""
    counts = found.counts()
    agrees, _ = reconciled(counts, found.wearers)
    sites = by_site(counts, most=len(counts) + 1)
    return {
        "as_of": format_ms(found.at), "wearers": found.wearers, "reconciles": agrees,
        "counts": {kind.value: number for kind, number in everybody(counts).counts.items()},
        "sites": [
            {"site": row.site or None, "counts": {kind.value: number for kind, number in row.counts.items()}}
            for row in sites
        ],
    }  # fmt: skip
