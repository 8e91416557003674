"""An order written as iCalendar and read again has the same windows, whatever it is and wherever its edges lie."""

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from emcheck.domain.instants import DAY, MINUTE, format_ms, parse_ms
from emcheck.domain.register import DAYS, Order, parse_register
from emcheck.domain.windows import windows
from emcheck.exchange.calendar import write_ical
from emcheck.exchange.ical import read_ical
from emcheck.exchange.imported import Given
from tests.support import order as plain_order

BEGINNINGS = [parse_ms("2026-03-20T00:00:00Z"), parse_ms("2026-10-16T00:00:00Z"), parse_ms("2026-04-01T00:00:00Z")]
CHANGES = [parse_ms(f"2026-{change}:00:00Z") for change in ("03-29T01", "10-25T01", "11-01T06", "04-04T15", "10-03T15")]
ZONES = ["Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"]
QUARTERS = 7 * 24 * 4


def made(plain: dict[str, Any]) -> Order:
    body = {"version": 1, "wearers": [{"wearer_id": "W-1"}], "orders": [plain], "installations": [], "fittings": []}
    return parse_register(json.dumps(body)).orders[0]


@st.composite
def curfews(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Weekly windows on quarter hours that do not overlap, at one or two addresses."""
    edges = sorted(draw(st.sets(st.integers(0, QUARTERS - 1), min_size=4, max_size=12)))
    edges = edges[: len(edges) // 2 * 2]
    if draw(st.booleans()):
        edges = [*edges[1:], edges[0] + QUARTERS]
    curfew: dict[str, list[dict[str, str]]] = {}
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        window = {"from_day": _day(start), "from_time": _time(start), "until_day": _day(end), "until_time": _time(end)}
        curfew.setdefault(draw(st.sampled_from(["A-1", "A-2"])), []).append(window)
    return [{"address_id": address, "windows": found} for address, found in curfew.items()]


def _day(quarter: int) -> str:
    return DAYS[quarter // 96 % 7]


def _time(quarter: int) -> str:
    return f"{quarter // 4 % 24:02}:{quarter % 4 * 15:02}"


@st.composite
def orders(draw: st.DrawFn) -> Order:
    begins = draw(st.sampled_from(BEGINNINGS))
    anywhen = st.integers(0, 25 * 96).map(lambda quarter: begins + quarter * 15 * MINUTE)
    changing = st.builds(
        lambda change, quarter: change + quarter * 15 * MINUTE, st.sampled_from(CHANGES), st.integers(-9, 9)
    )
    quarters = st.one_of(anywhen, changing)
    starts = draw(quarters)
    ends = draw(quarters.filter(lambda at: at > starts))

    def span() -> dict[str, str]:
        first = draw(quarters)
        last = first + draw(st.integers(1, 200)) * 15 * MINUTE
        return {"from": format_ms(first)[:16], "until": format_ms(last)[:16]}

    later = quarters.filter(lambda at: at >= starts)
    return made(
        plain_order(
            timezone=draw(st.sampled_from(ZONES)),
            starts_at=format_ms(starts),
            ends_at=format_ms(ends),
            curfew=draw(curfews()),
            variations=[
                {"effective_at": format_ms(at), "curfew": draw(st.one_of(curfews(), st.just([])))}
                for at in draw(st.sets(later, max_size=2))
            ],
            suspensions=[span() for _ in range(draw(st.integers(0, 2)))],
            first_night=draw(st.sampled_from([None, span()])),
        )
    )


@settings(max_examples=150)
@given(orders())
def test_what_is_exported_is_imported_with_the_same_windows(order: Order) -> None:
    expected = windows(order, order.starts_at, order.ends_at)
    if not expected:
        return
    known = Given(
        order_id="O-1", wearer_id="W-1", kind="other", zone=order.timezone, addresses={"A-1": "A-1", "A-2": "A-2"}
    )
    read = made(read_ical(write_ical(order, now=0), known).order)
    assert windows(read, read.starts_at - DAY, read.ends_at + DAY) == expected


@st.composite
def weekly_orders(draw: st.DrawFn) -> Order:
    begins = draw(st.sampled_from(BEGINNINGS))
    return made(
        plain_order(
            timezone=draw(st.sampled_from(ZONES)), curfew=draw(curfews()),
            starts_at=format_ms(begins), ends_at=format_ms(begins + draw(st.integers(1, 40)) * DAY),
        )
    )  # fmt: skip


def as_rules(order: Order) -> str:
    """Each weekly window as an event that repeats without end, from the week before the order on."""
    events = []
    for place in order.curfew:
        for number, window in enumerate(place.windows):
            start_min, end_min = window.minutes()
            monday = datetime.fromtimestamp(order.starts_at / 1000, UTC).date() - timedelta(days=17)
            monday -= timedelta(days=monday.weekday())
            start, end = (
                datetime.combine(monday, time()) + timedelta(minutes=minutes) for minutes in (start_min, end_min)
            )
            day = window.from_day[:2].upper()
            events.append(
                f"BEGIN:VEVENT\nUID:{place.address_id}-{number}\nLOCATION:{place.address_id}\n"
                f"DTSTART;TZID={order.timezone}:{start:%Y%m%dT%H%M%S}\nDTEND;TZID={order.timezone}:{end:%Y%m%dT%H%M%S}\n"
                f"RRULE:FREQ=WEEKLY;BYDAY={day}\nEND:VEVENT\n"
            )
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\n{''.join(events)}END:VCALENDAR\n"


@settings(max_examples=60)
@given(weekly_orders())
def test_weekly_rules_are_the_register_s_weekly_windows(order: Order) -> None:
    expected = windows(order, order.starts_at, order.ends_at)
    if not expected:
        return
    known = Given(
        order_id="O-1", wearer_id="W-1", kind="other", zone=order.timezone, addresses={"A-1": "A-1", "A-2": "A-2"},
        starts_at=order.starts_at, ends_at=order.ends_at,
    )  # fmt: skip
    read = made(read_ical(as_rules(order), known).order)
    assert windows(read, order.starts_at, order.ends_at) == expected


@settings(max_examples=50)
@given(orders())
def test_the_order_s_own_time_is_kept_where_it_is_given(order: Order) -> None:
    expected = windows(order, order.starts_at, order.ends_at)
    if not expected:
        return
    known = Given(
        order_id="O-1", wearer_id="W-1", kind="other", zone=order.timezone, addresses={"A-1": "A-1", "A-2": "A-2"},
        starts_at=order.starts_at, ends_at=order.ends_at,
    )  # fmt: skip
    read = made(read_ical(write_ical(order, now=0), known).order)
    assert (read.starts_at, read.ends_at) == (order.starts_at, order.ends_at)
    assert windows(read, read.starts_at - DAY, read.ends_at + DAY) == expected
