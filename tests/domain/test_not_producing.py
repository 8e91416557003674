"""monitoring.not_producing: each reason, at its threshold, its end, and what another rule tells already."""

import json
from typing import Any

import pytest

from emcheck.domain.findings import Finding
from emcheck.domain.instants import DAY, HOUR, MINUTE, SECOND
from emcheck.domain.register import Register
from emcheck.present.words import explain
from emcheck.service.stream import Line
from emcheck.wire.topics import up
from tests.support import UnitStory, at, judge, lines, nightly, order, register

FITTED = {"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}
INSTALLED = {"unit": "BU-0001", "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z"}


def since(text: str) -> Register:
    """An order, a tag and a unit that all begin then."""
    return register(
        order(starts_at=text),
        installations=[INSTALLED | {"installed_at": text}],
        fittings=[FITTED | {"fitted_at": text}],
    )


TODAY = since("2026-03-24T12:00:00Z")


def told(stream: list[Line], known: Register = TODAY, *, until: int) -> list[Finding]:
    return sorted(
        (f for f in judge(stream, known, until=until) if f.rule == "monitoring.not_producing"), key=lambda f: f.start
    )


def spans(found: list[Finding]) -> list[tuple[str | None, int, int | None, int | None]]:
    return [(f.class_, f.start, f.end, f.raised_at) for f in found]


def nameless(start: str = "12:00", end: str = "23:59") -> UnitStory:
    """A unit that is heard and never says a word about a tag."""
    return UnitStory().boots(at(start)).beats(at(start), at(end))


def test_nobody_is_told_of_while_the_equipment_says_where_the_tag_is() -> None:
    home = UnitStory().boots(at("12:00")).hears(at("12:00")).beats(at("12:01"), at("23:59"))
    out = UnitStory().boots(at("12:00")).hears(at("12:00")).loses(at("12:30")).beats(at("12:31"), at("23:59"))
    assert told(lines(home), until=at("23:59")) == []
    assert told(lines(out), until=at("23:59")) == []


@pytest.mark.parametrize(("until", "found"), [(at("20:00") - 1, 0), (at("20:00"), 1)])
def test_it_is_asked_at_the_first_whole_hour_that_has_been_curfew_throughout(until: int, found: int) -> None:
    assert len(told(lines(nameless()), until=until)) == found


def test_a_unit_that_never_names_the_tag() -> None:
    [missing] = told(lines(nameless()), until=at("23:59"))
    assert (missing.class_, missing.start, missing.end, missing.priority) == (
        "tag_not_named", at("12:00"), None, "P2"
    )  # fmt: skip
    assert (missing.wearer_id, missing.order_id, missing.raised_at) == ("W-1", "O-1", at("20:00"))
    assert explain(missing) == (
        "Order O-1 is in force, and nothing usable has come from the equipment of W-1 at A-1 since Tue 24 Mar 12:00:00 "
        "(UTC): BU-0001 is heard, but never names T-1. Whether anyone is at home is unknown."
    )


def test_it_ends_at_the_receipt_of_the_first_usable_fact() -> None:
    story = nameless(end="21:30").hears(at("21:31")).beats(at("21:32"), at("23:59"))
    found = told(lines(story), until=at("23:59"))
    assert spans(found) == [("tag_not_named", at("12:00"), at("21:31") + 2 * SECOND, at("20:00"))]
    assert "from Tue 24 Mar 12:00:00 until Tue 24 Mar 21:31:02" in explain(found[0])


@pytest.mark.parametrize(("known_until", "found"), [(at("19:00"), 1), (at("19:00:01"), 0)])
def test_an_hour_of_which_a_moment_is_known_is_none(known_until: int, found: int) -> None:
    story = UnitStory().boots(at("18:00")).hears(at("18:00")).beats(at("18:01"), at("18:59"))
    story.tell(known_until, "unit_status", power="mains").reboots(at("19:01"), "01JD0000010000000000000000")
    assert len(told(lines(story.beats(at("19:02"), at("20:30"))), until=at("20:30"))) == found


def test_no_base_unit_is_installed() -> None:
    known = register(order(starts_at="2026-03-24T12:00:00Z"), installations=[])
    [missing] = told([], known, until=at("23:00"))
    assert (missing.class_, missing.start, missing.raised_at) == ("no_unit", at("12:00"), at("20:00"))
    assert "no base unit is installed at A-1." in explain(missing)


def test_the_unit_was_taken_away() -> None:
    known = register(
        installations=[INSTALLED | {"installed_at": "2026-03-24T12:30:00Z", "removed_at": "2026-03-24T21:10:00Z"}]
    )
    story = UnitStory().boots(at("12:30")).hears(at("12:30")).beats(at("12:31"), at("21:09"))
    before, after = spans(told(lines(story), known, until=at("23:30")))
    assert before == ("no_unit", at("2026-03-01T00:00"), at("12:30:02"), at("2026-03-01T01:00"))
    assert after == ("no_unit", at("21:10"), None, at("23:00"))


def test_no_tag_is_on_any_more() -> None:
    known = register(fittings=[FITTED | {"removed_at": "2026-03-24T20:20:00Z"}])
    story = UnitStory().boots(at("12:00")).hears(at("12:00")).beats(at("12:01"), at("23:59"))
    [missing] = told(lines(story), known, until=at("23:59"))[1:]
    assert spans([missing]) == [("no_tag", at("20:20"), None, at("22:00"))]
    assert "W-1 wore a tag in this order and has none on now." in explain(missing)


def test_a_wearer_who_had_no_tag_yet_is_the_matter_of_fitting_overdue() -> None:
    known = register(fittings=[])
    found = judge([], known, until=at("23:59"))
    assert [f.rule for f in found if f.wearer_id] == ["fitting.overdue"]


@pytest.mark.parametrize(("spoke", "class_"), [(True, "unit_silent"), (False, "never_heard")])
def test_a_silence_is_told_of_by_unit_silent_for_a_day(spoke: bool, class_: str) -> None:
    story = UnitStory()
    if spoke:
        story.boots(at("19:30")).hears(at("19:30"))
    begun = at("19:32:12") if spoke else at("12:00")
    stream = lines(story)
    day_later = at("20:00", "2026-03-25")
    assert told(stream, until=day_later - 1) == []
    assert spans(told(stream, until=day_later)) == [(class_, begun, None, day_later)]
    silent = [f for f in judge(stream, TODAY, until=day_later) if f.rule == "unit.silent"]
    assert [f.end for f in silent][-1] is None


def test_a_silent_unit_that_speaks_and_names_nobody_is_one_finding_for_another_reason() -> None:
    story = UnitStory()
    for boot, start in ((1, at("21:10", "2026-03-25")), (2, at("21:40", "2026-03-25"))):
        story.reboots(start, f"01JD00000{boot:02}000000000000000").beats(start, start + 20 * MINUTE)
    found = told(lines(story), until=at("22:30", "2026-03-25"))
    assert spans(found) == [("tag_not_named", at("12:00"), None, at("20:00", "2026-03-25"))]


def test_all_that_the_unit_sends_is_refused() -> None:
    stream = [
        Line(n, at("12:00") + n * MINUTE, "up", up("BU-0001"), json.dumps({"v": 9, "events": []}).encode())
        for n in range(1, 600)
    ]
    [missing] = told(stream, until=at("20:30"))
    assert missing.class_ == "all_refused"
    assert "BU-0001 is heard, but all that it sends is refused." in explain(missing)


def test_what_is_told_is_hours_old() -> None:
    story = UnitStory().boots(at("12:00")).hears(at("12:00"))
    for minute in range(1, 480):
        story.tell(at("12:00") + minute * MINUTE, "unit_status", power="mains", received=at("15:00") + minute * MINUTE)
    found = told(lines(story), until=at("20:30"))
    assert [(f.class_, f.end, f.raised_at) for f in found] == [("late", None, at("20:00"))]
    assert "BU-0001 is heard, but tells of no time later than Tue 24 Mar 17:00:00." in explain(found[0])


@pytest.mark.parametrize(
    "changes",
    [
        {"starts_at": "2026-03-25T00:00:00Z"},
        {"ends_at": "2026-03-24T19:00:00Z"},
        {"suspensions": [{"from": "2026-03-24T15:00", "until": "2026-03-26T07:00"}]},
        {"curfew": nightly("08:00", "12:00")},
    ],
)
def test_nothing_is_asked_of_an_order_outside_its_windows(changes: dict[str, Any]) -> None:
    whole = order(starts_at="2026-03-24T12:00:00Z") | changes
    known = register(whole, installations=[INSTALLED | {"installed_at": "2026-03-24T12:00:00Z"}])
    assert told(lines(nameless()), known, until=at("23:59")) == []


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({"ends_at": "2026-03-24T21:30:00Z"}, at("21:30")),
        ({"suspensions": [{"from": "2026-03-24T21:30", "until": "2026-03-27T07:00"}]}, at("22:00")),
        ({"variations": [{"effective_at": "2026-03-24T21:30:00Z", "curfew": nightly(address="A-2")}]}, at("22:00")),
    ],
)
def test_it_ends_when_nothing_is_to_be_monitored_there_any_more(changes: dict[str, Any], end: int) -> None:
    known = register(
        order(starts_at="2026-03-24T12:00:00Z") | changes,
        installations=[INSTALLED | {"installed_at": "2026-03-24T12:00:00Z"}],
        fittings=[FITTED | {"fitted_at": "2026-03-24T12:00:00Z"}],
    )
    assert told(lines(nameless()), known, until=at("23:59"))[0].end == end


@pytest.mark.parametrize(("from_", "until_"), [("19:10", "19:40"), ("19:50", "20:10"), ("20:00", "21:00")])
def test_a_short_window_is_asked_about_when_it_is_over(from_: str, until_: str) -> None:
    known = register(
        order(starts_at="2026-03-24T12:00:00Z", curfew=nightly(from_, until_)),
        installations=[INSTALLED | {"installed_at": "2026-03-24T12:00:00Z"}],
    )
    over = -(-at(until_) // HOUR) * HOUR
    assert [f.raised_at for f in told(lines(nameless()), known, until=at("23:00"))] == [over]


def test_the_address_of_the_window_counts() -> None:
    curfew = [*nightly("19:00", "22:00"), *nightly("22:00", "06:00", address="A-2")]
    known = register(
        order(starts_at="2026-03-24T12:00:00Z", curfew=curfew),
        installations=[INSTALLED, INSTALLED | {"unit": "BU-0002", "address_id": "A-2"}],
        fittings=[FITTED | {"fitted_at": "2026-03-24T12:00:00Z"}],
    )
    home = UnitStory().boots(at("12:00")).hears(at("12:00")).beats(at("12:01"), at("23:59"))
    other = UnitStory("BU-0002").boots(at("12:00")).beats(at("12:01"), at("23:59"))
    [missing] = told(lines(home, other), known, until=at("23:59"))
    assert (missing.raised_at, dict(missing.detail)["address"]) == (at("23:00"), "A-2")


def test_one_of_two_units_that_knows_is_enough() -> None:
    known = register(units=("BU-0001", "BU-0002"))
    home = UnitStory().boots(at("12:00")).hears(at("12:00")).beats(at("12:01"), at("23:59"))
    other = UnitStory("BU-0002").boots(at("12:00")).beats(at("12:01"), at("23:59"))
    assert [f for f in told(lines(home, other), known, until=at("23:59")) if f.end is None] == []


def test_our_own_outage_is_no_reason() -> None:
    """The service is down from 19:10 to 22:50; what its units held back comes only ten minutes after."""
    story = UnitStory().boots(at("12:00")).hears(at("12:00")).beats(at("12:01"), at("19:09"))
    for minute in range(1, 220):
        story.tell(at("19:09") + minute * MINUTE, "unit_status", power="mains", received=at("23:00") + minute)
    story.beats(at("22:59"), at("23:59"))
    services = [
        Line(0, at("11:00"), "service", "", "started"),
        Line(0, at("19:10"), "service", "", "stopped"),
        Line(0, at("22:50"), "service", "", "started"),
    ]
    stream = sorted([*lines(story), *services], key=lambda line: line.received_at)
    assert told(stream, until=at("23:59")) == []


def test_weeks_of_it_are_one_finding() -> None:
    story = nameless(end="12:01").beats(at("12:10"), at("12:10") + 20 * DAY, every_s=120)
    found = told(lines(story), until=at("12:00") + 20 * DAY)
    assert spans(found) == [("tag_not_named", at("12:00"), None, at("20:00"))]
