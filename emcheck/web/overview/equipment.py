"""The equipment: base units and tags by what wants attention, one unit in full, and input that could not be used."""

import json
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from emcheck.desk import Access
from emcheck.domain.channels import BATTERY, CASE, CLOCK, NOISE, POWER, TAG_BATTERY
from emcheck.domain.engine import Engine
from emcheck.domain.ids import UnitId
from emcheck.domain.instants import HOUR, MINUTE
from emcheck.ports import Quarantined
from emcheck.present.devices import REFUSED, as_hex, as_text, event_words, level_words
from emcheck.present.times import clock, duration
from emcheck.service import devices
from emcheck.service.devices import TAG_ORDERS, UNIT_ORDERS, TagLine, UnitLine
from emcheck.service.history import told_in
from emcheck.service.intake import REASONS
from emcheck.web.alerts.rows import rows_of
from emcheck.web.guarding import MaySeeEquipment, address_of
from emcheck.web.pages import page
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem

router = APIRouter(include_in_schema=False)
PAGE = 50
REPORTS_MAX = 20
_ALERTS_MAX = 20
_BYTES_MAX = 16_384
"""So much of refused input is shown; a message may not be longer."""
_ORDER_WORDS = {
    "heard": "last seen", "battery": "battery", "clock": "clock offset", "firmware": "firmware", "key": "signature key",
    "refused": "refused input", "unit": "name", "batch": "strap batch", "fitted": "when fitted", "tag": "name",
}  # fmt: skip


def engine_of(parts: Parts) -> Engine:
    """The live state; Problem while the service reads itself back."""
    known = parts.known()
    if known is None:
        raise Problem(503, "The service is reading itself back; ask again shortly.", headers={"Retry-After": "5"})
    return known.engine


def key_named(text: str, like: devices.Key) -> devices.Key | None:
    """The place in a list that `text` names; None where it names none of that kind."""
    try:
        told = json.loads(text)
    except ValueError:
        return None
    return devices.comparable(told, like) if isinstance(told, list) else None


@router.get("/equipment")
async def units(request: Request, who: MaySeeEquipment, parts: WithParts) -> Response:
    """Base units, those longest unheard first unless another order is asked for."""
    engine, now, given = engine_of(parts), parts.clock.now(), request.query_params
    await parts.note_look(who.name, "equipment seen", address_of(request))
    by = given.get("by", "") if given.get("by") in UNIT_ORDERS else "heard"
    words, silent = given.get("words", "").strip().lower()[:80], given.get("silent") == "1"
    like = ("", "") if by in ("firmware", "key", "unit") else (0.0, "")
    after = key_named(given.get("after", ""), like)
    found = await devices.units(engine, now, by=by, words=words, silent=silent, after=after, limit=PAGE + 1)
    said = _paged({"by": by, "words": words, "silent": "1" if silent else ""}, found.keys, after is not None)
    rows = [unit_words(line, now, parts.zone) for line in found.lines[:PAGE]]
    return page(
        request, "equipment.html", who=who, tab="units", rows=rows, number=found.number, by=by, words=words,
        silent=silent,
        orders={name: _ORDER_WORDS[name] for name in UNIT_ORDERS}, **said,
    )  # fmt: skip


def _paged(kept: dict[str, str], keys: list[devices.Key], is_later: bool) -> dict[str, Any]:
    """Where the list goes on, and where it begins."""
    chosen = {name: value for name, value in kept.items() if value}
    onward = urlencode(chosen | {"after": json.dumps(keys[PAGE - 1])}) if len(keys) > PAGE else ""
    return {"onward": onward, "first": urlencode(chosen), "later": is_later}


def unit_words(line: UnitLine, now: int, zone: str) -> dict[str, Any]:
    """A unit for people."""
    since = None if line.heard_at is None else max(0, now - line.heard_at)
    marks = [(POWER, line.power), (CASE, line.case), (NOISE, line.noise)]
    return {
        "unit": line.unit, "address": line.address_id, "silent": line.silent_since is not None,
        "heard": "never" if line.heard_at is None else clock(line.heard_at, zone),
        "ago": "" if since is None else f"{duration(since // 1000 * 1000)} ago" if since >= MINUTE else "",
        "battery": level_words(BATTERY, line.battery, zone), "clock": level_words(CLOCK, line.clock, zone),
        "firmware": line.firmware, "key": line.key, "refused": line.refused, "wearers": line.wearers,
        "other": [said for name, change in marks if (said := level_words(name, change, zone))],
    }  # fmt: skip


@router.get("/equipment/tags")
async def tags(request: Request, who: MaySeeEquipment, parts: WithParts) -> Response:
    """Tags that are fitted, those longest unheard first unless another order is asked for."""
    engine, now, given = engine_of(parts), parts.clock.now(), request.query_params
    await parts.note_look(who.name, "tags seen", address_of(request))
    by = given.get("by", "") if given.get("by") in TAG_ORDERS else "heard"
    words = given.get("words", "").strip().lower()[:80]
    after = key_named(given.get("after", ""), ("", "") if by in ("batch", "tag") else (0.0, ""))
    found = await devices.tags(engine, now, by=by, words=words, after=after, limit=PAGE + 1)
    said = _paged({"by": by, "words": words}, found.keys, after is not None)
    return page(
        request, "equipment_tags.html", who=who, tab="tags", number=found.number,
        rows=[tag_words(line, parts.zone) for line in found.lines[:PAGE]], by=by, words=words,
        orders={name: _ORDER_WORDS[name] for name in TAG_ORDERS}, **said,
    )  # fmt: skip


def tag_words(line: TagLine, zone: str) -> dict[str, Any]:
    """A tag for people."""
    return {
        "tag": line.tag, "wearer": line.wearer_id, "unit": line.unit or "", "batch": line.strap_batch,
        "said": {True: "heard", False: "not heard", None: "unknown"}[line.present],
        "heard": "never" if line.heard_at is None else clock(line.heard_at, zone),
        "battery": level_words(TAG_BATTERY, line.battery, zone), "fitted": clock(line.fitted_at, zone)[:16],
        "validation": (line.validation or "not validated").replace("_", " "),
    }  # fmt: skip


@router.get("/equipment/quarantine")
async def quarantine(request: Request, who: MaySeeEquipment, parts: WithParts) -> Response:
    """Input that could not be used, the newest first."""
    given = request.query_params
    unit = given.get("unit", "").strip()[:80] or None
    reason = given.get("reason") if given.get("reason") in REASONS else None
    before = given.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    await parts.note_look(who.name, "quarantine seen", address_of(request), subject=unit or "")
    found = await parts.desk.refused(unit=unit, reason=reason, before=number, limit=PAGE + 1)
    kept = {key: value for key, value in (("unit", unit), ("reason", reason)) if value}
    onward = urlencode(kept | {"before": str(found[PAGE - 1][0])}) if len(found) > PAGE else ""
    return page(
        request, "quarantine.html", who=who, tab="quarantine", onward=onward, later=number is not None,
        first=urlencode(kept), rows=[refused_words(each, item, parts.zone) for each, item in found[:PAGE]],
        reasons=[(name, REFUSED[name]) for name in REASONS], unit=unit or "", reason=reason or "",
    )  # fmt: skip


def refused_words(number: int, item: Quarantined, zone: str) -> dict[str, Any]:
    """Refused input for people."""
    events = "" if item.first_seq is None else f"{item.first_seq} to {item.last_seq}"
    if item.first_seq is not None and item.first_seq == item.last_seq:
        events = str(item.first_seq)
    return {
        "number": number, "at": clock(item.received_at, zone), "unit": item.unit or "", "topic": item.topic,
        "reason": item.reason, "means": REFUSED.get(item.reason, ""), "detail": item.detail, "boot": item.boot or "",
        "events": events, "length": len(item.payload),
    }  # fmt: skip


async def refused_named(parts: Parts, number: int) -> Quarantined:
    """Refused input by its number; Problem where there is none."""
    found = await parts.desk.quarantined(limit=1, after=number - 1)
    if not found or found[0][0] != number:
        raise Problem(404, f"Nothing was refused under number {number}.")
    return found[0][1]


@router.get("/equipment/quarantine/{number}")
async def refused(request: Request, number: str, who: MaySeeEquipment, parts: WithParts) -> Response:
    """One of them, with its bytes as they came."""
    if not (number.isascii() and number.isdigit() and 0 < int(number[:19]) < 1 << 62):
        raise Problem(404, "Refused input is named by its number.")
    item = await refused_named(parts, int(number))
    line = Access(parts.clock.now(), who.name, "refused input read", item.unit, None, address_of(request))
    await parts.desk.note_access([line])
    shown = item.payload[:_BYTES_MAX]
    return page(
        request, "refused.html", who=who, it=refused_words(int(number), item, parts.zone), text=as_text(shown),
        hexed=as_hex(shown), cut=len(item.payload) - len(shown),
    )  # fmt: skip


@router.get("/units/{unit}")
async def unit(request: Request, unit: str, who: MaySeeEquipment, parts: WithParts) -> Response:
    """One unit: how it stands, where it is and was, what it told last, what was refused of it, its alerts."""
    told = await unit_told(request, parts, who, unit)
    return page(request, "unit.html", who=who, **told)


async def unit_told(request: Request, parts: Parts, who: Who, name: str) -> dict[str, Any]:
    """All that is said of a unit; what it tells is about its wearers, so that theirs is a look too."""
    engine, now = engine_of(parts), parts.clock.now()
    it = engine.units.get(UnitId(name))
    if it is None:
        raise Problem(404, f"There is no base unit {name[:40]} in the register.")
    line = devices.unit_line(engine, it, now)
    subjects = (name, *line.wearers)
    lines = [Access(now, who.name, "unit seen", subject, None, address_of(request)) for subject in subjects]
    await parts.desk.note_access(lines)
    alerts = await parts.desk.alerts(open_only=False, subjects=[name])
    newest = sorted(alerts, key=lambda each: (each.raised_at, each.alert_id), reverse=True)[:_ALERTS_MAX]
    refused = await parts.desk.refused(unit=name, limit=10)
    reports = await _reports(parts, it.unit, it.last_received_at)
    said = [event for each in reports for event in each["events"] if event.startswith("unit_status")]
    return {
        "it": unit_words(line, now, parts.zone), "line": line, "names": await parts.desk.names(list(line.wearers)),
        "installations": [
            {"address": i.address_id, "since": clock(i.installed_at, parts.zone)[:16], "postcode": i.postcode or "",
             "uplink": i.uplink or "", "range_dbm": i.range_dbm,
             "until": "" if i.removed_at is None else clock(i.removed_at, parts.zone)[:16]} for i in it.installations
        ],
        "reports": reports, "last_status": said[0] if said else "", "alerts": await rows_of(parts, newest),
        "refused": [refused_words(number, item, parts.zone) for number, item in refused], "quoted": quote(name),
    }  # fmt: skip


async def _reports(parts: Parts, unit: UnitId, heard_at: int | None) -> list[dict[str, Any]]:
    """The last messages of a unit, the newest first, from two hours before the last of them on."""
    known = parts.known()
    newest = None if known is None else known.newest_row(unit)
    if newest is None or heard_at is None:
        return []
    rows = await parts.desk.unit_history(newest=newest, after=await parts.desk.row_before(heard_at - 2 * HOUR))
    found: list[dict[str, Any]] = []
    for row in reversed(rows[-REPORTS_MAX:]):
        told = told_in(row.received_at, row.payload) if row.kind == "up" else None
        if told is None:
            continue
        last = told.first_seq + len(told.events) - 1
        found.append(
            {
                "received": clock(row.received_at, parts.zone), "received_at": row.received_at, "boot": told.boot,
                "numbers": f"{told.first_seq}" if last == told.first_seq else f"{told.first_seq} to {last}",
                "events": [event_words(event, parts.zone) for event in told.events],
                "payload": as_text(row.payload),
            }
        )  # fmt: skip
    return found
