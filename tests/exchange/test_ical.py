"""Calendars of all kinds: rules, exceptions, zones; what becomes of them, and what is refused instead of guessed."""

from typing import Any

import pytest

from emcheck.domain.findings import Span
from emcheck.domain.instants import format_ms, parse_ms
from emcheck.domain.windows import Window, windows
from emcheck.exchange.ical import read_ical
from emcheck.exchange.imported import Given, Imported, NotUnderstood, judged
from emcheck.exchange.timetable import timetable

GIVEN: dict[str, Any] = {"order_id": "O-1", "wearer_id": "W-1", "kind": "bail", "addresses": {"": "A-1"}}
LONDON = ";TZID=Europe/London"
WALL = "the same hours on the wall each time; on a clock-change night RFC 5545 would shift its end by an hour"


def calendar(*events: str, head: str = "") -> str:
    """A calendar of events, each its lines joined by blanks where no value has one."""
    body = "".join(f"BEGIN:VEVENT\nUID:e{n}\n{text}\nEND:VEVENT\n" for n, text in enumerate(events, start=1))
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n{head}{body}END:VCALENDAR\n"


def nightly(start: str = "20260320T190000", end: str = "20260321T070000", rule: str = "", zone: str = LONDON) -> str:
    return f"DTSTART{zone}:{start}\nDTEND{zone}:{end}" + (f"\nRRULE:{rule}" if rule else "")


def read(*events: str, head: str = "", **given: Any) -> Imported:
    return read_ical(calendar(*events, head=head), Given(**(GIVEN | given)))


def resolved(made: Imported) -> list[str]:
    """Its windows as `03-20T19:00 03-21T07:00`, in UTC."""
    order = judged(made.order)
    return [
        f"{format_ms(w.start)[5:16]} {format_ms(w.end)[5:16]}" for w in windows(order, order.starts_at, order.ends_at)
    ]


def refused(*events: str, head: str = "", **given: Any) -> str:
    with pytest.raises(NotUnderstood) as error:
        read(*events, head=head, **given)
    return str(error.value)


def test_a_weekly_rule_that_ends() -> None:
    made = read(nightly(rule="FREQ=WEEKLY;BYDAY=FR,SA,SU;UNTIL=20260405T180000Z"))
    assert made.order["curfew"] == [
        {
            "address_id": "A-1",
            "windows": [
                {"from_day": day, "from_time": "19:00", "until_day": until, "until_time": "07:00"}
                for day, until in (("fri", "sat"), ("sat", "sun"), ("sun", "mon"))
            ],
        }
    ]
    assert "variations" not in made.order
    assert resolved(made) == [
        "03-20T19:00 03-21T07:00", "03-21T19:00 03-22T07:00", "03-22T19:00 03-23T07:00",
        "03-27T19:00 03-28T07:00", "03-28T19:00 03-29T06:00", "03-29T18:00 03-30T06:00",
        "04-03T18:00 04-04T06:00", "04-04T18:00 04-05T06:00", "04-05T18:00 04-06T06:00",
    ]  # fmt: skip
    assert ("event 1", "9 windows at A-1") in made.report.understood
    assert ("from 2026-03-20", "A-1: fri to sun 19:00 to 07:00") in made.report.understood
    assert made.report.assumed == [
        ("event 1", WALL),
        ("starts_at", "2026-03-20T19:00:00.000Z, the start of the first window; --starts-at says otherwise"),
        ("ends_at", "2026-04-06T06:00:00.000Z, the end of the last window; --ends-at says otherwise"),
    ]


def test_a_rule_of_days_by_count_and_one_without_end() -> None:
    assert len(resolved(read(nightly(rule="FREQ=DAILY;COUNT=17")))) == 17
    endless = nightly(rule="FREQ=DAILY")
    assert refused(endless) == "event 1, RRULE: repeats without end; give --ends-at"
    made = read(endless, ends_at=parse_ms("2026-03-29T02:00:00Z"))
    assert resolved(made)[-1] == "03-28T19:00 03-29T02:00"
    assert len(resolved(made)) == 9


def test_an_exdate_is_a_suspension_with_its_reason_and_never_leave() -> None:
    exdates = "\nEXDATE;TZID=Europe/London:20260325T190000,20260326T190000\nEXDATE;VALUE=DATE:20260329"
    made = read(nightly(rule="FREQ=DAILY;COUNT=14") + exdates)
    assert made.order["suspensions"] == [
        {"from": "2026-03-25T19:00:00", "until": "2026-03-27T07:00:00", "reason": "left out in the calendar"},
        {"from": "2026-03-29T19:00:00", "until": "2026-03-30T07:00:00", "reason": "left out in the calendar"},
    ]
    assert "authorised_absences" not in made.order
    assert len(resolved(made)) == 11
    left_out = "the windows of 2026-03-25, 2026-03-29, left out in the calendar"
    assert ("suspended", left_out) in made.report.understood


def test_what_is_left_out_now_and_then_is_suspended_and_what_is_gone_is_varied() -> None:
    every, noon = (
        nightly(rule="FREQ=DAILY;COUNT=42"),
        nightly("20260320T120000", "20260320T130000", "FREQ=DAILY;COUNT=10"),
    )
    gone = read(every, noon)
    assert [v["effective_at"] for v in gone.order["variations"]] == ["2026-03-30T11:00:00.000Z"]
    assert "suspensions" not in gone.order
    twice = read(every + "\nEXDATE;TZID=Europe/London:20260325T190000,20260401T190000")
    assert [s["from"] for s in twice.order["suspensions"]] == ["2026-03-25T19:00:00", "2026-04-01T19:00:00"]
    assert "variations" not in twice.order
    stay = ",".join(f"202604{day:02}T190000" for day in range(1, 25))
    hospital = read(every + f"\nEXDATE;TZID=Europe/London:{stay}")
    assert [(s["from"], s["until"]) for s in hospital.order["suspensions"]] == [
        ("2026-04-01T19:00:00", "2026-04-25T07:00:00")
    ]
    assert "variations" not in hospital.order


def test_an_exdate_that_meets_nothing_is_told() -> None:
    made = read(nightly(rule="FREQ=DAILY;COUNT=3") + "\nEXDATE;TZID=Europe/London:20260321T180000")
    told = ("event 1, EXDATE 2026-03-21T18:00:00", "meets no start of its event")
    assert made.report.not_used == [told]
    assert len(resolved(made)) == 3


def test_every_other_week_is_a_weekly_window_with_suspensions() -> None:
    made = read(nightly(rule="FREQ=WEEKLY;INTERVAL=2;COUNT=3"))
    assert resolved(made) == ["03-20T19:00 03-21T07:00", "04-03T18:00 04-04T06:00", "04-17T18:00 04-18T06:00"]
    assert [s["from"] for s in made.order["suspensions"]] == ["2026-03-27T19:00:00", "2026-04-10T19:00:00"]


def test_hours_that_change_are_a_variation() -> None:
    made = read(
        nightly(rule="FREQ=DAILY;COUNT=7"),
        nightly("20260327T210000", "20260328T060000", rule="FREQ=DAILY;COUNT=7"),
    )
    assert [v["effective_at"] for v in made.order["variations"]] == ["2026-03-27T19:00:00.000Z"]
    assert ("from 2026-03-27", "A-1: every day 21:00 to 06:00") in made.report.understood
    assert len(resolved(made)) == 14


def test_a_start_that_is_moved_and_one_that_is_cancelled() -> None:
    master = nightly(rule="FREQ=DAILY;COUNT=4")
    moved = "UID:e1\nRECURRENCE-ID;TZID=Europe/London:20260321T190000\n" + nightly("20260321T210000", "20260322T060000")
    gone = "UID:e1\nRECURRENCE-ID;TZID=Europe/London:20260322T190000\nSTATUS:CANCELLED\n" + nightly()
    text = calendar(master, moved, gone).replace("UID:e2\n", "").replace("UID:e3\n", "")
    assert resolved(read_ical(text, Given(**GIVEN))) == [
        "03-20T19:00 03-21T07:00",
        "03-21T21:00 03-22T06:00",
        "03-23T19:00 03-24T07:00",
    ]


def test_times_in_utc_and_floating_times() -> None:
    utc = nightly("20260328T190000Z", "20260329T070000Z", zone="")
    floating = nightly("20260328T190000", "20260329T070000", zone="")
    assert refused(utc) == refused(floating) == "zone: the document does not say; give --zone"
    assert resolved(read(utc, zone="Europe/London")) == ["03-28T19:00 03-29T07:00"]
    assert resolved(read(floating, zone="Europe/London")) == ["03-28T19:00 03-29T06:00"]


def test_a_rule_in_utc_moves_on_the_wall() -> None:
    made = read(nightly("20260327T190000Z", "20260328T070000Z", "FREQ=DAILY;COUNT=9", zone=""), zone="Europe/London")
    assert resolved(made)[-1] == "04-04T19:00 04-05T07:00"
    assert [v["effective_at"] for v in made.order["variations"]] == ["2026-04-03T18:00:00.000Z"]


def test_a_zone_of_the_writers_own_needs_the_order_s() -> None:
    own = nightly(zone=";TZID=GMT Standard Time")
    made = read(own, zone="Europe/London")
    told = ("event 1, TZID GMT Standard Time", "no IANA time zone; its times are read as of Europe/London")
    assert told in made.report.assumed


def test_places_have_ids_of_the_operator() -> None:
    home, mother = nightly() + "\nLOCATION:home", nightly("20260321T190000", "20260322T070000") + "\nLOCATION:mother's"
    assert [place["address_id"] for place in read(home).order["curfew"]] == ["A-1"]
    assert refused(home, mother) == (
        "address_id: the register's id of the place in event 1, LOCATION is not in the document; "
        "give --address-id PLACE=A-1, PLACE as event 1, LOCATION has it"
    )
    made = read(home, mother, addresses={"home": "A-1", "mother's": "A-2"})
    assert [place["address_id"] for place in made.order["curfew"]] == ["A-1", "A-2"]


def test_what_is_no_curfew_is_named() -> None:
    alarm = "\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM"
    made = read(
        nightly() + "\nSUMMARY:home\nATTENDEE:mailto:a@b" + alarm,
        "DTSTART;VALUE=DATE:20260401",
        nightly("20260325T190000", "20260325T200000") + "\nSTATUS:CANCELLED",
        head="X-WR-CALNAME:nights\nBEGIN:VTODO\nUID:t\nEND:VTODO\n",
    )
    assert made.report.not_used == [
        ("event 2", "lasts whole days; a curfew has hours"),
        ("event 3", "cancelled"),
        ("VEVENT ATTENDEE", ""),
        ("VEVENT SUMMARY", ""),
        ("VEVENT VALARM", ""),
        ("VTODO", ""),
        ("X-WR-CALNAME", ""),
    ]


def test_windows_outside_of_the_order_are_told() -> None:
    made = read(
        nightly(rule="FREQ=DAILY;COUNT=5"),
        starts_at=parse_ms("2026-03-21T23:00:00Z"), ends_at=parse_ms("2026-04-20T00:00:00Z"),
    )  # fmt: skip
    assert resolved(made)[0] == "03-21T23:00 03-22T07:00"
    assert len(resolved(made)) == 4
    assert ("1 windows", "outside of the order's time") in made.report.not_used


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (["SUMMARY:none"], "event 1: no DTSTART"),
        ([f"DTSTART{LONDON}:20260320T190000"], "event 1: neither a DTEND with a time nor a DURATION"),
        ([nightly("20260320T190000", "20260320T190000")], "event 1: does not end after it begins"),
        ([nightly(end="20260319T190000", rule="FREQ=DAILY;COUNT=2")], "event 1: does not end after it begins"),
        ([nightly(), nightly()], "events overlap from 2026-03-20T19:00:00.000Z on; end the first before the next"),
        (
            [nightly(rule="FREQ=HOURLY;COUNT=2")],
            "event 1, RRULE: its FREQ is none of DAILY, WEEKLY, MONTHLY, YEARLY",
        ),
        (
            [nightly(rule="FREQ=DAILY;COUNT=2;UNTIL=20260401T000000Z")],
            "event 1, RRULE: has both COUNT and UNTIL; RFC 5545 allows one",
        ),
        ([nightly(rule="FREQ=DAILY;INTERVAL=0;COUNT=2")], "event 1, RRULE: INTERVAL is at least 1"),
        (
            [nightly(rule="FREQ=DAILY;COUNT=9999")],
            "event 1, RRULE: repeats more than 5000 times; give an earlier --ends-at",
        ),
        (
            [nightly(rule="FREQ=WEEKLY;BYDAY=MO;COUNT=2")],
            "event 1, DTSTART: 2026-03-20T19:00:00 does not follow the event's own RRULE",
        ),
        (
            [nightly() + "\nRDATE;VALUE=PERIOD:20260322T190000Z/PT1H"],
            "event 1, RDATE: a period; write an event of its own",
        ),
        ([nightly() + "\nDTSTART:20260322T190000Z"], "event 1, DTSTART: stands twice; write two events"),
        (
            [nightly() + "\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260322T190000Z"],
            "event 1, RECURRENCE-ID: replaces this start and all after it; write two events",
        ),
        (
            [nightly(end="20260401T190000")],
            "the window from 2026-03-20T19:00:00 to 2026-04-01T19:00:00 is longer than a week; divide it",
        ),
        (
            [nightly(zone=";TZID=GMT Standard Time")],
            "zone: TZID GMT Standard Time is no IANA time zone; say which it is, as --zone Europe/London",
        ),
        (
            [nightly(), nightly("20260322T190000", "20260323T070000", zone=";TZID=Europe/Paris")],
            "zone: the events have several, Europe/London, Europe/Paris; give the order's, as --zone Europe/London",
        ),
        (["DTSTART;VALUE=DATE:20260401"], "zone: the document does not say; give --zone"),
        (
            ["DTSTART:Given Family"],
            "event 1, DTSTART: line 6 cannot be read; write it as in DTSTART;TZID=Europe/London:20260320T190000",
        ),
        ([nightly(), "Given Family"], "event 2: line 11 is no property; write it as in LOCATION:A-1"),
        (
            [nightly(rule="FREQ=Given")],
            (
                "event 1, RRULE: line 8 cannot be read; write it as in RRULE:FREQ=WEEKLY;"
                "BYDAY=MO,TU;UNTIL=20260620T000000Z"
            ),
        ),
        (
            [nightly() + "\nEND:Given"],
            (
                "no iCalendar: its parts do not close; write BEGIN:VCALENDAR, events from "
                "BEGIN:VEVENT to END:VEVENT, END:VCALENDAR"
            ),
        ),
    ],
)
def test_what_cannot_be_read_without_guessing_is_refused(events: list[str], message: str) -> None:
    assert refused(*events) == message


def test_what_is_no_calendar_is_refused() -> None:
    assert refused(head="METHOD:CANCEL\n") == "METHOD: CANCEL: a calendar that takes events back is no timetable"
    assert refused(zone="UTC") == "no event of the calendar is a curfew with hours"
    for text in ("", "BEGIN:VCALENDAR", "BEGIN:VEVENT\nEND:VEVENT\n", calendar() + calendar()):
        with pytest.raises(NotUnderstood, match="no iCalendar"):
            read_ical(text, Given(**GIVEN))


def test_a_window_in_the_hour_that_comes_twice_is_told_by_the_versions_edges() -> None:
    first, second = parse_ms("2026-10-25T00:15:00Z"), parse_ms("2026-10-25T01:45:00Z")  # 01:15 BST and 01:45 GMT
    end = parse_ms("2026-10-26T07:00:00Z")
    given = [Window(first, second, "A-1"), Window(second, end, "A-2")]  # type: ignore[arg-type]  # plain names
    made = timetable(given, "Europe/London", Span(first, end))
    assert [v["effective_at"] for v in made.variations] == ["2026-10-25T01:45:00.000Z"]
