"""The calendar for a wearer's phone: a golden week, offsets that any phone can follow, nothing personal."""

from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from whenever import Instant

from emcheck.domain.instants import HOUR, parse_ms
from emcheck.domain.register import Order
from emcheck.exchange.calendar import write_ical
from tests.support import nightly, order, register

NOW = parse_ms("2026-03-20T12:00:00.700Z")


def made(**changes: Any) -> Order:
    return register(order(**changes)).orders[0]


def test_a_week_with_the_clock_change_leave_a_variation_and_a_suspension() -> None:
    text = write_ical(
        made(
            timezone="Europe/London", starts_at="2026-03-25T12:00:00.250Z", ends_at="2026-03-31T00:00:00Z",
            first_night={"from": "2026-03-25T17:00", "until": "2026-03-26T07:00"},
            variations=[{"effective_at": "2026-03-28T12:00:00Z", "curfew": nightly("20:00", "06:00", "A-2")}],
            suspensions=[{"from": "2026-03-27T00:00", "until": "2026-03-28T00:00", "reason": "hospital"}],
            authorised_absences=[
                {"from": "2026-03-26T19:30", "until": "2026-03-26T21:00", "reason": "clinic", "approved_by": "A. Clerk"}
            ],
        ),
        NOW,
    )  # fmt: skip
    assert text == (Path(__file__).parent / "expected" / "week.ics").read_bytes().decode()
    assert [word for word in ("clinic", "Clerk", "hospital", "W-1") if word in text] == []


@pytest.mark.parametrize(
    "zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Europe/Dublin", "UTC"]
)
def test_a_phone_that_knows_only_the_calendar_s_own_zone_is_right(zone: str) -> None:
    text = write_ical(made(timezone=zone, starts_at="2026-01-01T00:00:00Z", ends_at="2027-12-31T00:00:00Z"), NOW)
    calendar: Any = Calendar.from_ical(text)
    parts = [part for told in calendar.subcomponents if told.name == "VTIMEZONE" for part in told.subcomponents]
    changes = sorted((part["DTSTART"].dt - part["TZOFFSETFROM"].td, part["TZOFFSETTO"].td) for part in parts)
    for at in range(parse_ms("2026-01-02T00:00:00Z"), parse_ms("2027-12-30T00:00:00Z"), HOUR):
        instant = Instant.from_timestamp(at, unit="millisecond")
        utc = instant.to_stdlib().replace(tzinfo=None)
        offset = [offset for since, offset in changes if since <= utc][-1]
        assert offset.total_seconds() == instant.to_tz(zone).offset.total("seconds"), instant


def test_a_time_that_comes_twice_is_written_in_utc() -> None:
    text = write_ical(
        made(
            timezone="Europe/London", starts_at="2026-10-24T12:00:00Z", ends_at="2026-10-25T12:00:00Z",
            curfew=nightly("01:30", "07:00"),
        ),
        NOW,
    )  # fmt: skip
    assert "DTSTART:20261025T013000Z\r\nDTEND;TZID=Europe/London:20261025T070000\r\n" in text


def test_an_order_without_windows_is_an_empty_calendar() -> None:
    text = write_ical(made(curfew=[]), NOW)
    assert "BEGIN:VEVENT" not in text
    assert "X-WR-CALNAME:Curfew O-1" in text
