"""The timeline as SVG: each absence against its window, for the eye, in print, and in words."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emcheck.domain.findings import FactRef, Span
from emcheck.domain.ids import AddressId, BootId, UnitId
from emcheck.domain.instants import HOUR, MINUTE, SECOND, parse_ms
from emcheck.domain.timeline import Stretch
from emcheck.domain.windows import Window
from emcheck.present.timeline_svg import Bar, Mark, Timeline, draw_svg, told

FACT = FactRef(UnitId("BU-1"), BootId("b"), 1)
ADDRESS = AddressId("A-1")
EVENING = parse_ms("2026-03-24T19:00:00Z")
MORNING = parse_ms("2026-03-25T07:00:00Z")
SVG = "{http://www.w3.org/2000/svg}"


def night(*known: tuple[int, int, bool], zone: str = "Europe/London", **more: Any) -> Timeline:
    """From 19:00 to 07:00; stretches in ms after 19:00."""
    return Timeline(
        title="W-1 <at> A-1",
        zone=zone,
        windows=[Window(EVENING, MORNING, ADDRESS)],
        known=[Stretch(EVENING + start, EVENING + end, present, FACT) for start, end, present in known],
        **{"until": MORNING, "now": MORNING} | more,
    )


def bars(it: Timeline, kind: str) -> list[ET.Element]:
    """The bars of a kind, without the key's."""
    drawn = ET.fromstring(draw_svg([it]))
    return [bar for bar in drawn.iter(f"{SVG}rect") if bar.get("class") == kind and len(bar)]


def test_a_late_return_is_drawn_against_its_window_and_said() -> None:
    it = night((0, 19 * MINUTE, False), (19 * MINUTE, 12 * HOUR, True))
    absent, curfew = bars(it, "absent"), bars(it, "curfew")
    assert len(absent) == len(curfew) == 1
    assert absent[0].get("x") == curfew[0].get("x")
    share = float(absent[0].get("width", "")) / float(curfew[0].get("width", ""))
    assert share == pytest.approx(19 / 720, rel=0.01)
    assert "not heard at home 19:00 to 19:19, 19 min" in told(it)
    assert absent[0][0].text == "not heard at home 19:00 to 19:19, 19 min"


def test_what_is_not_known_is_hatched_and_nothing_is_drawn_beyond_what_counts() -> None:
    it = night((0, HOUR, True), until=EVENING + 3 * HOUR)
    assert [bar[0].text for bar in bars(it, "unknown")] == [
        "unknown 18:00 to 19:00, 1 h",
        "unknown 20:00 to 22:00, 2 h",
    ]


def test_a_second_of_absence_is_seen() -> None:
    it = night((0, HOUR, True), (HOUR, HOUR + SECOND, False), (HOUR + SECOND, 2 * HOUR, True))
    assert float(bars(it, "absent")[0].get("width", "")) >= 1
    assert "not heard at home 20:00:00 to 20:00:01, 1 s" in told(it)


def test_leave_tampers_and_alerts_stand_in_their_lanes_and_in_words() -> None:
    it = night(
        (0, 12 * HOUR, False),
        excused=[Span(EVENING + HOUR, EVENING + 2 * HOUR)],
        bars=[Bar(lane="tag", start=EVENING + 3 * HOUR, end=None, text="strap cut & open")],
        marks=[Mark(at=EVENING + 5 * MINUTE, text="P2 raised")],
    )
    drawn = draw_svg([it])
    names = [each.text for each in ET.fromstring(drawn).iter(f"{SVG}text")]
    assert {"curfew", "at home", "tag", "authorised", "alert raised", "now", "strap cut & open"} <= {*names}
    assert "authorised 20:00 to 21:00, 1 h" in told(it)
    assert "tag: strap cut & open" in told(it)
    assert "Tue 24 Mar 19:05:00: P2 raised" in told(it)


@pytest.mark.parametrize(
    ("evening", "morning", "hours", "ones"),
    [("2026-03-28T19:00:00Z", "2026-03-29T06:00:00Z", 11, 0), ("2026-10-24T18:00:00Z", "2026-10-25T07:00:00Z", 13, 2)],
)
def test_clock_change_nights_have_the_hours_that_they_have(evening: str, morning: str, hours: int, ones: int) -> None:
    window = Window(parse_ms(evening), parse_ms(morning), ADDRESS)
    it = Timeline(title="W-1", zone="Europe/London", windows=[window], known=[], until=window.end, now=window.end)
    assert window.end - window.start == hours * HOUR
    shown = [each.text for each in ET.fromstring(draw_svg([it])).iter(f"{SVG}text") if each.text]
    assert shown.count("01:00") == ones
    assert len([text for text in shown if text.endswith(":00")]) == hours + 3


def test_two_addresses_are_one_file() -> None:
    drawn = ET.fromstring(draw_svg([night((0, HOUR, True)), night((0, HOUR, False))]))
    assert len([each for each in drawn.iter(f"{SVG}text") if each.get("class") == "head"]) == 2


@given(
    st.lists(st.tuples(st.integers(-5 * HOUR, 20 * HOUR), st.integers(1, 10 * HOUR), st.booleans()), max_size=8),
    st.integers(-HOUR, 14 * HOUR),
)
def test_a_night_is_covered_once_whatever_is_known(pieces: list[tuple[int, int, bool]], until: int) -> None:
    known: list[tuple[int, int, bool]] = []
    for start, length, present in sorted(pieces):
        begin = max(start, known[-1][1] if known else start)
        known.append((begin, begin + length, present))
    it = night(*known, until=EVENING + until, now=EVENING + until)
    ET.fromstring(draw_svg([it]))
    widths = [float(bar.get("width", "")) for kind in ("present", "absent", "unknown") for bar in bars(it, kind)]
    whole = (min(until, 13 * HOUR) + HOUR) / (14 * HOUR) * 852
    assert sum(widths) == pytest.approx(whole, abs=0.2 + 1.6 * len(widths))


def test_the_name_of_a_short_bar_stands_beside_it_and_of_a_long_one_inside() -> None:
    short = Bar(lane="strap", start=EVENING + HOUR, end=EVENING + HOUR + 5 * MINUTE, text="strap cut")
    long = Bar(lane="mains", start=EVENING, end=EVENING + 6 * HOUR, text="mains lost")
    it = night((0, 12 * HOUR, True), bars=[short, long])
    drawn = ET.fromstring(draw_svg([it]))
    names = {
        each.text: float(each.get("x", "")) for each in drawn.iter(f"{SVG}text") if each.get("class") == "note over"
    }
    first, second = bars(it, "bar")
    assert names["strap cut"] > float(first.get("x", "")) + float(first.get("width", ""))
    begins = float(second.get("x", ""))
    assert begins < names["mains lost"] < begins + float(second.get("width", "")) / 2
