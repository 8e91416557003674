"""The monitoring order that the public service "create an electronic monitoring order" sends (its `models/fms`).

1. The order itself, or an object that holds it as `monitoring_order`. What is empty there says nothing.
2. Dates and times are British: `2026-03-20 19:00:00` in Europe/London. An edge that a clock change skips or repeats is
   read in the wearer's favour.
3. `curfew_start` and `curfew_end` are the curfew's own time; `order_start` and `order_end` serve where they are empty.
4. `curfew_duration`: for each `location` (primary, secondary, tertiary) a `schedule` of `day`, `start`, `end`; an end
   that is not after its start is the next day's. An all-day curfew is not described well enough to be judged.
5. `conditional_release_date` with its times is the first night.
6. A request of the type `Variation` varies an order from its `order_variation_date` on.
"""

import re
from datetime import date, datetime, timedelta

from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms
from emcheck.domain.windows import resolve
from emcheck.exchange.fields import Fields, parse
from emcheck.exchange.imported import Draft, Given, Imported, NotUnderstood, Report, quoted
from emcheck.exchange.weekly import next_day, remark_on_midnight, time_of_day, weekday

_LONDON = "Europe/London"
_NO = ("no", "false", "0")
_ALLOWANCE = re.compile(r"(\d+(?:\.\d+)?)\s*(|m|min|mins|minutes?|h|hrs?|hours?)", re.IGNORECASE)
_ALL_DAY = "an all-day curfew is not described; write its windows into the register yourself"
_KINDS = (
    ("hdc", "yes|true", "home_detention_curfew"),
    ("order_type", "immigration", "immigration_bail"),
    ("condition_type", "bail order", "bail"),
    ("condition_type", "license condition of a custodial order", "licence"),
    ("sentence_type", ".*suspended sentence.*", "suspended_sentence"),
    ("sentence_type", ".*community order.*", "community_order"),
)
"""Field, the form of what it says, and the kind of order that it tells; the first goes before the others."""
_OPEN_END = "2040-01-01 23:59:00"
"""What the service writes where no end is known."""


def is_moj(document: object) -> bool:
    """Whether a JSON document has this shape."""
    return isinstance(document, dict) and ("curfew_duration" in document or "monitoring_order" in document)


def read_moj(text: str, given: Given) -> Imported:
    """The order of a monitoring order's curfew; NotUnderstood names what is missing."""
    outer = Fields(parse(text))
    body = outer.inner("monitoring_order") if outer.has("monitoring_order") else outer
    report = Report()
    zone = Draft(given, report).choose("zone", _LONDON, "the service's country")
    draft = Draft(_as_variation(body, given, zone), report)
    starts_at = draft.choose("starts_at", *_instant(body, ("curfew_start", "order_start"), zone, "later"))
    ends_at = draft.choose("ends_at", *_instant(body, ("curfew_end", "order_end"), zone, "earlier"))
    if body.text("curfew_end") == _OPEN_END and given.ends_at is None:
        report.assumed.append(("curfew_end", f"{_OPEN_END} is what the service writes where no end is known"))
    curfew = _curfew(body, draft)
    order = draft.made(
        order_id=draft.choose("order_id", body.text("order_id"), body.at("order_id")),
        wearer_id=draft.choose("wearer_id", None, ""),
        kind=draft.choose("kind", *_kind(body)),
        timezone=zone,
        starts_at=format_ms(starts_at),
        ends_at=format_ms(ends_at),
        atv_allowance_min=_allowance(body, draft),
        curfew=curfew,
        first_night=_first_night(body, curfew, (starts_at, ends_at), zone, report),
    )
    _conditions(body, report)
    if body.has("curfew_description"):
        body.text("curfew_description")
        report.not_used.append((body.at("curfew_description"), "free text that may change the curfew: read it"))
    report.not_used += outer.unused()
    return order


def _as_variation(body: Fields, given: Given, zone: str) -> Given:
    """Clause 6."""
    kind = body.text("order_request_type")
    for start in ("SR11", "SR21"):
        if (body.text("subcategory") or "").startswith(start):
            raise NotUnderstood(body.at("subcategory"), "a request to end monitoring; set the order's ends_at instead")
    if kind in (None, "New Order"):
        return given
    if kind != "Variation":
        raise NotUnderstood(body.at("order_request_type"), "neither New Order nor Variation; correct it")
    if given.varies_at is None:
        at, where = _instant(body, ("order_variation_date",), zone, "later")
        if at is None:
            raise NotUnderstood(where, "a variation without its date; give --varies-at")
        return _with(given, at)
    return given


def _with(given: Given, varies_at: Ms) -> Given:
    return Given(**{name: getattr(given, name) for name in Given.__slots__} | {"varies_at": varies_at})


def _instant(body: Fields, names: tuple[str, ...], zone: str, reading: str) -> tuple[Ms | None, str]:
    """Clauses 2 and 3: the first of the fields that says something."""
    for name in names:
        said = body.text(name)
        if said is not None:
            try:
                local = datetime.strptime(said, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - local by clause 2
            except ValueError:
                told = f"{quoted(said)} is not a date and time; write it as in 2026-03-20 19:00:00"
                raise NotUnderstood(body.at(name), told) from None
            return resolve(local.isoformat(), zone, "later" if reading == "later" else "earlier"), body.at(name)
    return None, body.at(names[0])


def _curfew(body: Fields, draft: Draft) -> list[dict[str, object]]:
    """Clause 4; the primary address stands first, and so the first night there."""
    if (body.text("allday_lockdown") or "no").lower() not in _NO:
        raise NotUnderstood(body.at("allday_lockdown"), _ALL_DAY)
    schedules = [(item, item.text("location") or "", item.items("schedule")) for item in body.items("curfew_duration")]
    schedules.sort(key=lambda schedule: schedule[1])
    places = [place for _, place, rows in schedules if rows]
    curfew: list[dict[str, object]] = []
    for item, place, rows in schedules:
        if (item.text("allday") or "no").lower() not in _NO:
            raise NotUnderstood(item.at("allday"), _ALL_DAY)
        if place not in ("primary", "secondary", "tertiary"):
            raise NotUnderstood(item.at("location"), "none of primary, secondary, tertiary")
        windows = [_window(row) for row in rows]
        remark_on_midnight(windows, item.at("schedule"), draft.report)
        if windows:
            address = draft.address(place, len(places))
            curfew.append({"address_id": address, "windows": windows})
            draft.report.understood.append(
                (item.at("schedule"), f"{len(windows)} weekly windows at {address} ({place})")
            )
        else:
            draft.report.understood.append((item.at("schedule"), f"no windows at the {place} address"))
    if not curfew:
        raise NotUnderstood(body.at("curfew_duration"), "no curfew windows; only orders with a curfew are imported")
    return curfew


def _window(row: Fields) -> dict[str, str]:
    day = weekday(row.text("day"), row.at("day"))
    start, end = (time_of_day(row.text(name), row.at(name)) for name in ("start", "end"))
    if start == end:
        raise NotUnderstood(row.path, f"starts and ends at {start}: no time at all or a whole day; write it yourself")
    return {"from_day": day, "from_time": start, "until_day": day if start < end else next_day(day), "until_time": end}


def _kind(body: Fields) -> tuple[str | None, str]:
    """The kind of order where the document leaves no choice, and the field that tells it; others stay unused."""
    body.text("hdc")  # a No is heeded too
    for field, pattern, kind in _KINDS:
        if body.matches(field, pattern):
            return kind, body.at(field)
    return None, ""


def _allowance(body: Fields, draft: Draft) -> float | None:
    said = body.text("atv_allowance")
    match = _ALLOWANCE.fullmatch(said or "")
    if draft.given.atv_allowance_min is not None or said is None:
        minutes = draft.given.atv_allowance_min
        if minutes is not None:
            draft.report.understood.append(("atv_allowance_min", f"{minutes:g}, as --atv-allowance-min says"))
        return minutes
    if match is None:
        raise NotUnderstood(
            body.at("atv_allowance"), "no number of minutes; write it as in 120, or give --atv-allowance-min"
        )
    number, unit = float(match[1]), match[2].lower()
    if not unit:
        told = f"{number:g} minutes: the service states no unit; --atv-allowance-min says otherwise"
        draft.report.assumed.append((body.at("atv_allowance"), told))
    else:
        draft.report.understood.append((body.at("atv_allowance"), f"{said}"))
    return number * 60 if unit.startswith("h") else number


def _first_night(
    body: Fields, curfew: list[dict[str, object]], span: tuple[Ms, Ms], zone: str, report: Report
) -> dict[str, str] | None:
    """Clause 5."""
    names = tuple(f"conditional_release_{part}" for part in ("date", "start_time", "end_time"))
    said = [body.text(name) for name in names]
    if said[0] is None:
        return None
    if None in said:
        report.not_used.append((body.at(names[0]), "a release date without both its times is no first night"))
        return None
    try:
        day = date.fromisoformat(said[0])
    except ValueError:
        raise NotUnderstood(body.at(names[0]), f"{quoted(said[0])} is no date; write it as in 2026-03-20") from None
    start, end = (time_of_day(text, body.at(name)) for text, name in zip(said[1:], names[1:], strict=True))
    until = day + timedelta(days=0 if start < end else 1)
    night = {"from": f"{day}T{start}", "until": f"{until}T{end}"}
    if resolve(night["from"], zone, "later") >= span[1] or resolve(night["until"], zone, "earlier") <= span[0]:
        outside = f"the first night {night['from']} to {night['until']} lies outside the curfew's time"
        report.not_used.append((body.at(names[0]), f"{outside}; give --starts-at if the curfew begins with it"))
        return None
    report.understood.append((body.at(names[0]), f"first night {night['from']} to {night['until']}"))
    if len(curfew) > 1:
        where = f"at {curfew[0]['address_id']}, the first address: the document does not say where"
        report.assumed.append((body.at(names[0]), where))
    return night


def _conditions(body: Fields, report: Report) -> None:
    """Conditions other than the curfew are named; one that dates the curfew otherwise is told."""
    for item in body.items("enforceable_condition"):
        condition = item.text("condition") or "no name"
        dates = item.text("start_date"), item.text("end_date")
        if condition != "Curfew with EM":
            report.not_used.append((item.path, f"{condition}: not a curfew"))
        elif body.has("curfew_start") and dates != (body.text("curfew_start"), body.text("curfew_end")):
            report.assumed.append((item.path, "its dates differ from curfew_start and curfew_end, which are used"))
