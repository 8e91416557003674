"""Windows: local wall time to instants; every clock-change edge in the wearer's favour."""

import json
from typing import Any

import pytest

from emcheck.domain.instants import DAY, format_ms
from emcheck.domain.register import RegisterError, parse_register
from emcheck.domain.windows import absences, windows
from tests.support import at, nightly, order, register


def resolved(since: str, until: str, **changes: Any) -> list[tuple[str, str]]:
    made = register(order(**changes)).orders[0]
    return [(format_ms(w.start)[:16], format_ms(w.end)[:16]) for w in windows(made, at(since), at(until))]


@pytest.mark.parametrize(
    ("zone", "evening", "start", "end", "hours"),
    [
        ("Europe/London", "2026-03-28", "2026-03-28T19:00", "2026-03-29T06:00", 11),
        ("Europe/London", "2026-10-24", "2026-10-24T18:00", "2026-10-25T07:00", 13),
        ("America/New_York", "2026-03-07", "2026-03-08T00:00", "2026-03-08T11:00", 11),
        ("America/New_York", "2026-10-31", "2026-10-31T23:00", "2026-11-01T12:00", 13),
        ("Australia/Lord_Howe", "2026-10-03", "2026-10-03T08:30", "2026-10-03T20:00", 11.5),
        ("Australia/Lord_Howe", "2026-04-04", "2026-04-04T08:00", "2026-04-04T20:30", 12.5),
        ("America/St_Johns", "2026-03-07", "2026-03-07T22:30", "2026-03-08T09:30", 11),
        ("America/St_Johns", "2026-10-31", "2026-10-31T21:30", "2026-11-01T10:30", 13),
    ],
)
def test_clock_change_nights_have_their_real_length(
    zone: str, evening: str, start: str, end: str, hours: float
) -> None:
    changes: dict[str, Any] = {"timezone": zone, "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2027-01-01T00:00:00Z"}
    made = register(order(**changes)).orders[0]
    assert (at(start), at(end)) in [
        (w.start, w.end) for w in windows(made, at(f"{evening}T00:00"), at(f"{evening}T00:00") + 2 * DAY)
    ]
    assert at(end) - at(start) == hours * 3_600_000


@pytest.mark.parametrize(
    ("day", "night", "expected"),
    [
        (
            "2026-03-29",
            ("01:30", "05:00"),
            ("2026-03-29T01:30", "2026-03-29T04:00"),
        ),  # skipped start: the later reading
        ("2026-10-25", ("01:30", "05:00"), ("2026-10-25T01:30", "2026-10-25T05:00")),  # repeated start: the later
        ("2026-03-28", ("22:00", "01:30"), ("2026-03-28T22:00", "2026-03-29T00:30")),  # skipped end: the earlier
        ("2026-10-24", ("22:00", "01:30"), ("2026-10-24T21:00", "2026-10-25T00:30")),  # repeated end: the earlier
    ],
)
def test_edges_that_do_not_exist_or_exist_twice_are_in_the_wearers_favour(
    day: str, night: tuple[str, str], expected: tuple[str, str]
) -> None:
    changes: dict[str, Any] = {
        "timezone": "Europe/London",
        "ends_at": "2027-01-01T00:00:00Z",
        "curfew": nightly(*night),
    }
    assert expected in resolved(f"{day}T00:00", f"{day}T23:59", **changes)


def test_absences_take_the_earlier_from_and_the_later_until() -> None:
    leave = {"from": "2026-10-25T01:30", "until": "2026-10-25T01:45", "reason": "medical", "approved_by": "A. Clerk"}
    made = register(
        order(timezone="Europe/London", ends_at="2027-01-01T00:00:00Z", authorised_absences=[leave])
    ).orders[0]
    (span,) = absences(made)
    assert (format_ms(span.start)[11:16], format_ms(span.end)[11:16]) == ("00:30", "01:45")


def test_a_first_night_replaces_its_date_and_cuts_its_time_out_of_the_others() -> None:
    found = resolved(
        "2026-03-23T00:00", "2026-03-26T00:00", first_night={"from": "2026-03-24T05:00", "until": "2026-03-25T20:00"}
    )
    assert found == [
        ("2026-03-22T19:00", "2026-03-23T07:00"),
        ("2026-03-23T19:00", "2026-03-24T05:00"),
        ("2026-03-24T05:00", "2026-03-25T20:00"),
        ("2026-03-25T20:00", "2026-03-26T07:00"),
    ]


def test_a_first_night_in_the_hour_that_is_skipped_is_no_window_and_cuts_nothing() -> None:
    skipped = {"from": "2026-03-29T01:00", "until": "2026-03-29T01:45"}
    assert resolved("2026-03-28T00:00", "2026-03-30T00:00", timezone="Europe/London", first_night=skipped) == [
        ("2026-03-27T19:00", "2026-03-28T07:00"),
        ("2026-03-28T19:00", "2026-03-29T06:00"),
    ]


def test_a_variation_ends_old_windows_at_its_time_and_begins_new_ones_there() -> None:
    varied = [{"effective_at": "2026-03-24T22:00:00Z", "curfew": nightly("21:00", "06:00")}]
    found = resolved("2026-03-24T12:00", "2026-03-25T12:00", variations=varied)
    assert found == [("2026-03-24T19:00", "2026-03-24T22:00"), ("2026-03-24T22:00", "2026-03-25T06:00")]


def test_a_suspension_leaves_windows_of_their_own() -> None:
    hospital = [{"from": "2026-03-24T21:00", "until": "2026-03-24T23:00", "reason": "hospital"}]
    found = resolved("2026-03-24T12:00", "2026-03-25T12:00", suspensions=hospital)
    assert found == [("2026-03-24T19:00", "2026-03-24T21:00"), ("2026-03-24T23:00", "2026-03-25T07:00")]


def test_windows_are_clipped_to_the_order() -> None:
    made = register(order(starts_at="2026-03-24T20:00:00Z", ends_at="2026-03-25T01:00:00Z")).orders[0]
    assert [(w.start, w.end) for w in windows(made, 0, at("2026-04-01T00:00"))] == [
        (at("20:00"), at("2026-03-25T01:00"))
    ]


def test_asking_for_a_part_gives_the_same_windows_as_asking_for_all() -> None:
    made = register(order(timezone="Europe/London")).orders[0]
    everything = windows(made, made.starts_at, made.ends_at)
    by_day = {w for day in range(made.starts_at, made.ends_at, DAY) for w in windows(made, day, day + DAY)}
    assert sorted(by_day) == everything


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"timezone": "Europe/Londn"}, "no IANA time zone"),
        (
            {
                "curfew": [
                    {
                        "address_id": "A",
                        "windows": [
                            {"from_day": "mon", "from_time": "19:00", "until_day": "mon", "until_time": "19:00"}
                        ],
                    }
                ]
            },
            "no length",
        ),
        ({"curfew": nightly("19:00", "07:00") + nightly("06:00", "08:00")}, "overlap"),
        ({"variations": [{"effective_at": "2020-01-01T00:00:00Z", "curfew": []}]}, "before the order starts"),
        (
            {"authorised_absences": [{"from": "2026-03-25T19:00", "until": "2026-03-25T22:00", "reason": "x"}]},
            "approved_by",
        ),
        ({"first_night": {"from": "2026-03-25T19:00", "until": "2026-03-25T18:00"}}, "is not after from"),
        ({"wearer_id": "W-9"}, "not among the wearers"),
        ({"colour": "red"}, "unknown key"),
        ({"ends_at": "2026-04-20T00:00:00"}, "no UTC offset"),
    ],
)
def test_a_wrong_register_is_refused_with_its_path(change: dict[str, Any], message: str) -> None:
    body = {
        "version": 1,
        "wearers": [{"wearer_id": "W-1"}],
        "orders": [order(**change)],
        "installations": [],
        "fittings": [],
    }
    with pytest.raises(RegisterError, match=message):
        parse_register(json.dumps(body))
