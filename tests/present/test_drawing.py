"""The timeline as text: hours that are right on clock-change nights, what is to come, and a width that fits."""

from emcheck.domain.findings import FactRef
from emcheck.domain.ids import AddressId, BootId, UnitId
from emcheck.domain.instants import HOUR, MINUTE
from emcheck.domain.timeline import Stretch
from emcheck.domain.windows import Window
from emcheck.present.drawing import cell_of, draw_text, legend
from tests.support import at

FACT = FactRef(UnitId("BU-0001"), BootId("B"), 1)
NIGHT = Window(at("19:00"), at("07:00", "2026-03-25"), AddressId("A-1"))


def known(*spans: tuple[int, int, bool]) -> list[Stretch]:
    return [Stretch(start, end, present, FACT) for start, end, present in spans]


def drawn(
    window: Window, now: int, *, until: int | None = None, zone: str = "UTC", cell: int = 30 * MINUTE
) -> list[str]:
    told = known((window.start - HOUR, now, True))
    until = now if until is None else until
    return draw_text("W-1", told, [window], until=until, now=now, zone=zone, cell=cell).splitlines()[2:]


def test_what_is_to_come_is_not_unknown() -> None:
    assert drawn(NIGHT, at("21:00")) == [
        "             18  20  22  00  02  04  06",
        "    curfew     ━━━━━━━━━━━━━━━━━━━━━━━━",
        "    at home  ██████····················",
    ]


def test_what_no_longer_counts_is_neither_unknown_nor_to_come() -> None:
    assert drawn(NIGHT, at("23:00"), until=at("21:00"))[2] == "    at home  ██████"


def test_a_night_that_is_over_is_drawn_with_the_hour_after_it() -> None:
    assert drawn(NIGHT, at("09:00", "2026-03-25"))[1:] == [
        "    curfew     ━━━━━━━━━━━━━━━━━━━━━━━━", "    at home  ████████████████████████████"
    ]  # fmt: skip


def test_a_window_that_has_not_begun_is_a_line() -> None:
    told = draw_text("W-1", [], [NIGHT], until=at("12:00"), now=at("12:00"), zone="UTC", cell=HOUR)
    assert told.splitlines() == ["W-1  (UTC)", "  Tue 24 Mar 2026 19:00 to 07:00: to come"]


def test_the_hours_are_those_of_the_clock_on_the_wall_when_it_changes() -> None:
    spring = Window(at("22:00", "2026-03-28"), at("04:00", "2026-03-29"), AddressId("A-1"))
    assert drawn(spring, spring.end, zone="Europe/London", cell=15 * MINUTE)[0].split() == (
        ["21", "22", "23", "00", "02", "03", "04"]
    )
    autumn = Window(at("22:00", "2026-10-24"), at("04:00", "2026-10-25"), AddressId("A-1"))
    assert drawn(autumn, autumn.end, zone="Europe/London", cell=15 * MINUTE)[0].split() == (
        ["22", "23", "00", "01", "01", "02", "03"]
    )


def test_an_hour_stands_over_the_column_that_it_begins_in() -> None:
    odd = Window(at("19:40"), at("23:10"), AddressId("A-1"))
    hours, curfew, _ = drawn(odd, odd.end, cell=15 * MINUTE)
    assert hours[13:] == " 19  20  21  22  23"
    assert curfew[13:] == "    ━━━━━━━━━━━━━━"


def test_a_drawing_fits_the_terminal_and_says_how_long_a_column_is() -> None:
    assert [cell_of([NIGHT], width) // MINUTE for width in (None, 120, 97, 96, 80, 60, 40)] == [
        10,
        10,
        10,
        15,
        15,
        20,
        60,
    ]
    weekend = Window(at("19:00"), at("19:00") + 84 * HOUR, AddressId("A-1"))
    assert cell_of([NIGHT, weekend], 80) == 2 * HOUR
    assert cell_of([], 80) == 10 * MINUTE
    assert legend(15 * MINUTE).endswith("(a column is 15 min)")
