"""REST for the equipment: base units, tags, and input that could not be used."""

import base64
import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request

from emcheck.desk import Access
from emcheck.domain.channels import Change
from emcheck.domain.instants import format_ms, format_optional_ms
from emcheck.ports import Quarantined
from emcheck.service import devices
from emcheck.service.devices import TagLine, UnitLine
from emcheck.service.intake import REASONS
from emcheck.web.api import Limit
from emcheck.web.guarding import MaySeeEquipment, address_of
from emcheck.web.overview import equipment as pages
from emcheck.web.parts import WithParts
from emcheck.web.problems import Problem
from emcheck.web.shapes import Shape

router = APIRouter(prefix="/api/v1")
After = Annotated[str, Query(max_length=200)]
Words = Annotated[str, Query(max_length=80)]
UnitOrder = Literal["heard", "battery", "clock", "firmware", "key", "refused", "unit"]
TagOrder = Literal["heard", "battery", "batch", "fitted", "tag"]
_BEYOND = "after: names no place of this order; use `next` of the page before"


class Listed(Shape):
    """A page of a list."""

    lines: list[dict[str, Any]]
    """Each as it stands; what is as usual is null."""
    number: int
    """How many there are in all."""
    next: str | None
    """`after` of the next page; null where there is none."""


class Refused(Shape):
    """A page of what was refused."""

    refused: list[dict[str, Any]]
    """The newest first."""
    next: int | None
    """`before` of the next page; null where there is none."""


def _change(change: Change | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {"level": change.level, "amount": change.amount, "since": format_ms(change.at)}


def plain_unit(line: UnitLine) -> dict[str, Any]:
    """A unit for programs."""
    return {
        "unit": line.unit, "address_id": line.address_id, "heard_at": format_optional_ms(line.heard_at),
        "silent_since": format_optional_ms(line.silent_since), "battery": _change(line.battery),
        "power": _change(line.power), "clock": _change(line.clock), "case": _change(line.case),
        "noise": _change(line.noise), "firmware": line.firmware, "key": line.key or None, "refused": line.refused,
        "wearers": list(line.wearers),
    }  # fmt: skip


def plain_tag(line: TagLine) -> dict[str, Any]:
    """A tag for programs."""
    return {
        "tag": line.tag, "wearer_id": line.wearer_id, "unit": line.unit, "present": line.present,
        "heard_at": format_optional_ms(line.heard_at), "battery": _change(line.battery),
        "strap_batch": line.strap_batch or None, "fitted_at": format_ms(line.fitted_at),
        "validation": line.validation or None,
    }  # fmt: skip


def plain_refused(number: int, item: Quarantined) -> dict[str, Any]:
    """Refused input for programs, without its bytes."""
    return {
        "number": number, "received_at": format_ms(item.received_at), "topic": item.topic, "unit": item.unit,
        "reason": item.reason, "detail": item.detail, "boot": item.boot, "first_seq": item.first_seq,
        "last_seq": item.last_seq, "bytes": len(item.payload),
    }  # fmt: skip


def _after(text: str, *, is_text: bool) -> devices.Key | None:
    place = pages.key_named(text, ("", "") if is_text else (0.0, "")) if text else None
    if text and place is None:
        raise Problem(422, _BEYOND)
    return place


def _page(lines: list[dict[str, Any]], found: devices.Listed[Any], limit: int) -> Listed:
    onward = json.dumps(found.keys[limit - 1]) if len(found.keys) > limit else None
    return Listed(lines=lines, number=found.number, next=onward)


@router.get("/units", summary="Base units")
async def units(
    request: Request, who: MaySeeEquipment, parts: WithParts, by: UnitOrder = "heard", words: Words = "",
    silent: bool = False, after: After = "", limit: Limit = 50,
) -> Listed:  # fmt: skip
    """The units of the register, by what wants attention first; `words` is sought in names, addresses and wearers."""
    engine = pages.engine_of(parts)
    place = _after(after, is_text=by in ("firmware", "key", "unit"))
    await parts.note_look(who.name, "equipment read", address_of(request))
    found = await devices.units(
        engine, parts.clock.now(), by=by, words=words.strip().lower(), silent=silent, after=place, limit=limit + 1
    )
    return _page([plain_unit(line) for line in found.lines[:limit]], found, limit)


@router.get("/tags", summary="Tags that are fitted")
async def tags(
    request: Request, who: MaySeeEquipment, parts: WithParts, by: TagOrder = "heard", words: Words = "",
    after: After = "", limit: Limit = 50,
) -> Listed:  # fmt: skip
    """The tags that are on somebody now, by what wants attention first."""
    engine = pages.engine_of(parts)
    place = _after(after, is_text=by in ("batch", "tag"))
    await parts.note_look(who.name, "tags read", address_of(request))
    found = await devices.tags(
        engine, parts.clock.now(), by=by, words=words.strip().lower(), after=place, limit=limit + 1
    )
    return _page([plain_tag(line) for line in found.lines[:limit]], found, limit)


@router.get("/units/{unit}", summary="One base unit")
async def unit(request: Request, unit: str, who: MaySeeEquipment, parts: WithParts) -> dict[str, Any]:
    """How it stands, where it is and was, what it told last (`payload` as it came) and what was refused of it."""
    told = await pages.unit_told(request, parts, who, unit)
    reports = [
        {"received_at": format_ms(each["received_at"]), "boot": each["boot"], "payload": each["payload"]}
        for each in told["reports"]
    ]
    alerts = [row.alert.alert_id for row in told["alerts"]]
    return plain_unit(told["line"]) | {"reports": reports, "alerts": alerts}


@router.get("/quarantine", summary="Input that could not be used")
async def quarantine(
    request: Request, who: MaySeeEquipment, parts: WithParts,
    unit: Annotated[str | None, Query(max_length=80)] = None, reason: str | None = None,
    before: Annotated[int | None, Query(ge=1, le=1 << 62)] = None, limit: Limit = 50,
) -> Refused:  # fmt: skip
    """What was refused, the newest first: when, from whom, why, and which field."""
    if reason is not None and reason not in REASONS:
        raise Problem(422, f"reason: nothing is refused for that; there are {', '.join(REASONS)}")
    await parts.note_look(who.name, "quarantine read", address_of(request), subject=unit or "")
    found = await parts.desk.refused(unit=unit, reason=reason, before=before, limit=limit + 1)
    onward = found[limit - 1][0] if len(found) > limit else None
    return Refused(refused=[plain_refused(number, item) for number, item in found[:limit]], next=onward)


@router.get("/quarantine/{number}", summary="One of them, with its bytes")
async def refused(
    request: Request, number: Annotated[int, "its number"], who: MaySeeEquipment, parts: WithParts
) -> dict[str, Any]:
    """Reason, field, and the bytes as they came, in base64."""
    if not 0 < number < 1 << 62:
        raise Problem(404, "Refused input is named by its number.")
    item = await pages.refused_named(parts, number)
    line = Access(parts.clock.now(), who.name, "refused input read", item.unit, None, address_of(request))
    await parts.desk.note_access([line])
    return plain_refused(number, item) | {"payload_b64": base64.b64encode(item.payload).decode()}
