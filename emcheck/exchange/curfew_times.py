"""`CurfewTimes` of home detention curfew licences (create-and-vary-a-licence-api): weekly windows from day to day.

1. A list of them, or an object that holds one under whatever name: `fromDay`, `fromTime`, `untilDay`, `untilTime`.
2. `firstNightFrom` and `firstNightUntil` (formerly `firstNightTo`) are hours without a date: that of the order's start.
3. The licence is one of England and Wales and for home detention curfew; its other dates are not those of the curfew.
"""

from datetime import date, timedelta
from typing import Any

from whenever import Instant

from emcheck.domain.instants import format_ms
from emcheck.exchange.fields import Fields, parse
from emcheck.exchange.imported import Draft, Given, Imported, NotUnderstood, Report
from emcheck.exchange.weekly import remark_on_midnight, time_of_day, weekday

_NIGHTS = ("firstNightCurfewHours", "hdcFirstNightCurfewHours", "firstNight")


def is_curfew_times(document: Any) -> bool:
    """Whether a JSON document has this shape."""
    return _name_of_list(document if isinstance(document, dict) else {"": document}) is not None


def _name_of_list(document: dict[str, Any]) -> str | None:
    for name, value in document.items():
        if isinstance(value, list) and value and all(isinstance(item, dict) and "fromDay" in item for item in value):
            return name
    return None


def read_curfew_times(text: str, given: Given) -> Imported:
    """The order of a licence's curfew times; NotUnderstood names what is missing."""
    document = parse(text)
    body = Fields(document if isinstance(document, dict) else {"": document})
    name = _name_of_list(document if isinstance(document, dict) else {"": document})
    if name is None:
        raise NotUnderstood("", "no list of curfew times (fromDay, fromTime, untilDay, untilTime) is in the document")
    draft = Draft(given, Report())
    report, where = draft.report, name or "the list"
    windows = [_window(item) for item in body.items(name)]
    remark_on_midnight(windows, where, report)
    report.understood.append((where, f"{len(windows)} weekly windows"))
    address = draft.address("", 1)
    zone = draft.choose("zone", "Europe/London", "the service's country")
    starts_at = draft.choose("starts_at", None, "")
    order = draft.made(
        order_id=draft.choose("order_id", None, ""),
        wearer_id=draft.choose("wearer_id", None, ""),
        kind=draft.choose("kind", "home_detention_curfew", "what these licences are for"),
        timezone=zone,
        starts_at=format_ms(starts_at),
        ends_at=format_ms(draft.choose("ends_at", None, "")),
        atv_allowance_min=given.atv_allowance_min,
        curfew=[{"address_id": address, "windows": windows}],
        first_night=_first_night(body, starts_at, zone, report),
    )
    report.not_used += body.unused()
    return order


def _window(item: Fields) -> dict[str, str]:
    window = {
        "from_day": weekday(item.text("fromDay"), item.at("fromDay")),
        "from_time": time_of_day(item.text("fromTime"), item.at("fromTime")),
        "until_day": weekday(item.text("untilDay"), item.at("untilDay")),
        "until_time": time_of_day(item.text("untilTime"), item.at("untilTime")),
    }
    item.text("curfewTimesSequence")
    return window


def _first_night(body: Fields, starts_at: int, zone: str, report: Report) -> dict[str, str] | None:
    """Clause 2."""
    name = next((name for name in _NIGHTS if body.has(name)), None)
    if name is None:
        return None
    hours = body.inner(name)
    last = "firstNightUntil" if hours.has("firstNightUntil") else "firstNightTo"
    start, end = (time_of_day(hours.text(field), hours.at(field)) for field in ("firstNightFrom", last))
    day = date.fromisoformat(str(Instant.from_timestamp(starts_at, unit="millisecond").to_tz(zone).date()))
    until = day + timedelta(days=0 if start < end else 1)
    report.assumed.append((name, f"the night of {day}, the local date of starts_at: the document has no date for it"))
    return {"from": f"{day}T{start}", "until": f"{until}T{end}"}
