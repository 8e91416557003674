"""Curfew windows as the auditor resolves them, worked out by hand for both clock-change nights of four zones."""

from typing import Any

import pytest

from firmware_sim.auditor.instants import format_utc, parse_utc
from firmware_sim.auditor.windows import windows_of_order
from tests.firmware_sim.recorded import absences, arrives, at, leaves, night, register


def windows(timezone: str, *weekly: str, until: str = "2027-01-01T00:00", **order: Any) -> list[str]:
    """Windows given as `sat 19:00 sun 07:00`, drawn as instants UTC without year and seconds."""
    keys = ("from_day", "from_time", "until_day", "until_time")
    curfew = [{"address_id": "A-1", "windows": [dict(zip(keys, each.split(), strict=True)) for each in weekly]}]
    of = register(timezone=timezone, curfew=curfew, **order)["orders"][0]
    resolved = windows_of_order(of, parse_utc(at(until)))
    return [f"{format_utc(window.start)[5:16]} {format_utc(window.end)[5:16]}" for window in resolved]


@pytest.mark.parametrize(
    ("timezone", "sunday", "overnight", "from_inside", "to_inside", "inside"),
    [
        # The hour that does not exist: a start is read later, an end earlier.
        ("Europe/London", "2026-03-29", "03-28T19:00 03-29T06:00", "03-29T01:30", "03-29T00:30", "01:30"),
        ("America/New_York", "2026-03-08", "03-08T00:00 03-08T11:00", "03-08T07:30", "03-08T06:30", "02:30"),
        ("America/St_Johns", "2026-03-08", "03-07T22:30 03-08T09:30", "03-08T06:00", "03-08T05:00", "02:30"),
        ("Australia/Lord_Howe", "2026-10-04", "10-03T08:30 10-03T20:00", "10-03T15:45", "10-03T15:15", "02:15"),
        # The hour that exists twice.
        ("Europe/London", "2026-10-25", "10-24T18:00 10-25T07:00", "10-25T01:30", "10-25T00:30", "01:30"),
        ("America/New_York", "2026-11-01", "10-31T23:00 11-01T12:00", "11-01T06:30", "11-01T05:30", "01:30"),
        ("America/St_Johns", "2026-11-01", "10-31T21:30 11-01T10:30", "11-01T05:00", "11-01T04:00", "01:30"),
        ("Australia/Lord_Howe", "2026-04-05", "04-04T08:00 04-04T20:30", "04-04T15:15", "04-04T14:45", "01:45"),
    ],
)
def test_on_a_clock_change_night_edges_fall_in_the_wearers_favour(
    timezone: str, sunday: str, overnight: str, from_inside: str, to_inside: str, inside: str
) -> None:
    midnight = parse_utc(f"{sunday}T00:00:00Z")
    span = {"starts_at": format_utc(midnight - 36 * 3_600_000), "ends_at": format_utc(midnight + 36 * 3_600_000)}
    assert overnight in windows(timezone, "sat 19:00 sun 07:00", **span)
    assert [window[:11] for window in windows(timezone, f"sun {inside} sun 06:00", **span)] == [from_inside]
    assert [window[12:] for window in windows(timezone, f"sat 20:00 sun {inside}", **span)] == [to_inside]


WEEK = {"starts_at": "2026-03-23T00:00:00Z", "ends_at": "2026-03-26T20:00:00Z"}
NIGHTS = ("mon 19:00 tue 07:00", "tue 19:00 wed 07:00", "wed 19:00 thu 07:00", "thu 19:00 fri 07:00")


def test_windows_cross_midnight_and_are_clipped_to_the_order() -> None:
    assert windows("Europe/London", *NIGHTS, "sun 19:00 mon 07:00", **WEEK) == [
        "03-23T00:00 03-23T07:00",
        "03-23T19:00 03-24T07:00",
        "03-24T19:00 03-25T07:00",
        "03-25T19:00 03-26T07:00",
        "03-26T19:00 03-26T20:00",
    ]


def test_a_first_night_replaces_the_windows_of_its_date_and_cuts_the_others() -> None:
    first_night = {"from": "2026-03-24T17:00", "until": "2026-03-25T20:00"}
    assert windows("Europe/London", *NIGHTS, "tue 12:00 tue 13:00", first_night=first_night, **WEEK) == [
        "03-23T19:00 03-24T07:00",
        "03-24T17:00 03-25T20:00",
        "03-25T20:00 03-26T07:00",
        "03-26T19:00 03-26T20:00",
    ]


def test_a_variation_does_not_cut_a_first_night_and_a_suspension_does() -> None:
    first_night = {"from": "2026-03-24T17:00", "until": "2026-03-25T20:00"}
    changed = {"effective_at": "2026-03-25T05:00:00Z", "curfew": [{"address_id": "A-2", "windows": []}]}
    order: dict[str, Any] = {"first_night": first_night, "variations": [changed]} | WEEK
    assert windows("Europe/London", *NIGHTS, **order) == ["03-23T19:00 03-24T07:00", "03-24T17:00 03-25T20:00"]
    in_hospital = {"from": "2026-03-25T00:00", "until": "2026-03-25T12:00", "reason": "hospital"}
    assert windows("Europe/London", *NIGHTS, suspensions=[in_hospital], **order)[1:] == [
        "03-24T17:00 03-25T00:00",
        "03-25T12:00 03-25T20:00",
    ]


def test_variations_and_suspensions_cut_and_what_is_left_are_windows_of_their_own() -> None:
    later = [{"from_day": "tue", "from_time": "20:00", "until_day": "wed", "until_time": "08:00"}]
    changed = {"effective_at": "2026-03-25T05:00:00Z", "curfew": [{"address_id": "A-1", "windows": later}]}
    in_hospital = {"from": "2026-03-24T22:00", "until": "2026-03-24T23:00", "reason": "hospital"}
    assert windows("Europe/London", NIGHTS[1], variations=[changed], suspensions=[in_hospital], **WEEK) == [
        "03-24T19:00 03-24T22:00",
        "03-24T23:00 03-25T05:00",
        "03-25T05:00 03-25T08:00",
    ]


def test_a_suspension_and_an_absence_take_the_wider_reading_of_a_repeated_hour() -> None:
    """Both say 01:00 to 01:30 of the night on which 01:00 to 02:00 comes twice: 00:00Z to 01:30Z."""
    told = night(
        arrives("2026-10-24T21:00"), leaves("2026-10-24T22:00"), start="2026-10-24T21:00", end="2026-10-25T03:00"
    )
    weekly = [{"from_day": "sat", "from_time": "19:00", "until_day": "sun", "until_time": "07:00"}]
    curfew = [{"address_id": "A-1", "windows": weekly}]
    span = [{"from": "2026-10-25T01:00", "until": "2026-10-25T01:30"}]
    order = {"ends_at": "2026-11-20T00:00:00Z", "curfew": curfew}
    excused = register(authorised_absences=span, **order)
    assert absences(told, excused, until="2026-10-25T03:00") == [("left_during", "22:00:00", None, 18_000 - 5400, 5400)]
    suspended = register(suspensions=span, **order)
    assert absences(told, suspended, until="2026-10-25T03:00") == [
        ("out_at_end", "22:00:00", "00:00:00", 7200, 0),
        ("late_return", "01:30:00", None, 5400, 0),
    ]
