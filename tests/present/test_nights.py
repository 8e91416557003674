"""The last nights at a glance: rows over the same hours, what is not read told as such, and all of it in words."""

import re
from xml.etree import ElementTree as ET

from emcheck.domain.findings import FactRef, Finding, Span
from emcheck.domain.ids import AddressId, BootId, RuleId, UnitId
from emcheck.domain.instants import DAY, HOUR, MINUTE, parse_ms
from emcheck.domain.timeline import Stretch
from emcheck.domain.windows import Window
from emcheck.present.nights import Night, draw_nights, night_words, nights_of
from tests.support import at

FACT = FactRef(UnitId("BU-0001"), BootId("B"), 1)
A1 = AddressId("A-1")


def absence(window: Window, start: int, end: int | None, *, excused: int = 0) -> Finding:
    absent = (end or start) - start - excused
    return Finding(
        rule=RuleId("curfew.absence"), start=start, end=end, window=Span(window.start, window.end), absent_ms=absent,
        excluded_ms=excused, priority="P2", policy="p@1",
    )  # fmt: skip


def fortnight(*, settled: int = -1) -> list[Night]:
    """Fourteen nights of 19:00 to 07:00 up to 24 March 23:00; on the 20th the wearer is out from 22:00 to 22:45."""
    now = at("23:00")
    windows = [Window(at("19:00") - n * DAY, at("19:00") - n * DAY + 12 * HOUR, A1) for n in range(14)]
    left = at("22:00") - 4 * DAY
    known = [
        Stretch(windows[-1].start - HOUR, left, True, FACT), Stretch(left, left + 45 * MINUTE, False, FACT),
        Stretch(left + 45 * MINUTE, at("20:00"), True, FACT), Stretch(at("20:30"), now, True, FACT),
    ]  # fmt: skip
    return nights_of(
        windows, {A1: known}, zone="UTC", settled=settled, absences=[absence(windows[4], left, left + 45 * MINUTE)],
        excused=[], raised=[left + 5 * MINUTE], now=now,
    )  # fmt: skip


def test_a_night_is_a_row_the_newest_first() -> None:
    nights = fortnight()
    assert [night.day.day for night in nights] == [*range(24, 10, -1)]
    assert night_words(nights[0]) == ("Tue 24 Mar, curfew 19:00 to 07:00, 12 h; at home 3 h 30 min; unknown 30 min.")
    assert night_words(nights[4]) == (
        "Fri 20 Mar, curfew 19:00 to 07:00, 12 h; at home 11 h 15 min; not heard at home 45 min; "
        "absence 22:00 to 22:45, 45 min; 1 alert."
    )


def test_rows_can_be_compared_for_they_have_one_scale() -> None:
    svg = draw_nights(fortnight(), "The last nights of <O-1>")
    root = ET.fromstring(svg)
    curfews = [each for each in root.iter("{http://www.w3.org/2000/svg}rect") if each.get("class") == "curfew"][:14]
    assert len({(each.get("x"), each.get("width")) for each in curfews}) == 1
    assert len({each.get("y") for each in curfews}) == 14
    assert "The last nights of &lt;O-1&gt;" in svg
    assert re.findall(r">(\d\d:00)<", svg)[:3] == ["18:00", "19:00", "20:00"]
    assert "45 min absent, 1 alert" in svg
    assert "style=" not in svg


def test_what_is_folded_is_told_as_not_read_with_what_was_found_of_it() -> None:
    nights = fortnight(settled=at("19:00") - 2 * DAY)
    assert [night.known is None for night in nights] == [False] * 3 + [True] * 11
    assert night_words(nights[4]) == (
        "Fri 20 Mar, curfew 19:00 to 07:00, 12 h; not read from the record; absence 22:00 to 22:45, 45 min; 1 alert."
    )
    svg = draw_nights(nights, "nights")
    assert svg.count('class="unread"') == 11 + 1
    assert svg.count('class="absent"') == 1 + 1, "the absence that was found, and the key"
    assert "at home" not in night_words(nights[9])


def test_a_clock_change_night_says_so() -> None:
    start, end = parse_ms("2026-03-28T19:00:00Z"), parse_ms("2026-03-29T06:00:00Z")
    [night] = nights_of(
        [Window(start, end, A1)], {A1: []}, zone="Europe/London", settled=-1, absences=[], excused=[], raised=[],
        now=end + HOUR,
    )  # fmt: skip
    assert night_words(night) == "Sat 28 Mar, curfew 19:00 to 07:00, 11 h; unknown 11 h; the clocks change in it."
    assert "clocks change" in draw_nights([night], "x")


def test_leave_is_told_with_the_absence_that_it_covers() -> None:
    window = Window(at("19:00"), at("07:00", day="2026-03-25"), A1)
    gone = absence(window, at("20:00"), at("22:00"), excused=HOUR)
    [night] = nights_of(
        [window], {A1: []}, zone="UTC", settled=-1, absences=[gone], excused=[Span(at("20:00"), at("21:00"))],
        raised=[], now=at("23:00"),
    )  # fmt: skip
    assert "absence 20:00 to 22:00, 2 h, 1 h of it authorised" in night_words(night)
    assert draw_nights([night], "x").count('class="excused"') == 2
