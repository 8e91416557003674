"""What people read: local times on the nights when clocks change, and when a silent unit was last heard from."""

import pytest

from emcheck.domain.findings import Finding
from emcheck.domain.ids import RuleId, UnitId
from emcheck.domain.instants import parse_ms
from emcheck.present.times import clock, hour
from emcheck.present.words import explain
from tests.support import UnitStory, at, judge, lines

LONDON, LORD_HOWE = "Europe/London", "Australia/Lord_Howe"


@pytest.mark.parametrize(
    ("instant", "zone", "said"),
    [
        ("2026-10-24T23:59:59Z", LONDON, "Sun 25 Oct 00:59:59"),
        ("2026-10-25T00:00:00Z", LONDON, "Sun 25 Oct 01:00:00 BST"),
        ("2026-10-25T00:30:00Z", LONDON, "Sun 25 Oct 01:30:00 BST"),
        ("2026-10-25T01:30:00Z", LONDON, "Sun 25 Oct 01:30:00 GMT"),
        ("2026-10-25T01:59:59Z", LONDON, "Sun 25 Oct 01:59:59 GMT"),
        ("2026-10-25T02:00:00Z", LONDON, "Sun 25 Oct 02:00:00"),
        ("2026-03-29T01:30:00Z", LONDON, "Sun 29 Mar 02:30:00"),
        ("2026-04-04T14:45:00Z", LORD_HOWE, "Sun 05 Apr 01:45:00 +11"),
        ("2026-04-04T15:15:00Z", LORD_HOWE, "Sun 05 Apr 01:45:00 +1030"),
        ("2026-10-25T01:30:00Z", "UTC", "Sun 25 Oct 01:30:00"),
    ],
)
def test_a_time_that_comes_twice_says_which_is_meant(instant: str, zone: str, said: str) -> None:
    assert clock(parse_ms(instant), zone) == said


def test_hours_say_it_too() -> None:
    assert hour(parse_ms("2026-10-25T01:30:00Z"), LONDON) == "01:30 GMT"
    assert hour(parse_ms("2026-10-25T02:30:00Z"), LONDON) == "02:30"


def test_findings_say_it() -> None:
    cut = Finding(
        rule=RuleId("tag.strap"), class_="strap_cut", start=parse_ms("2026-10-25T00:30:00Z"), end=None, priority="P1",
        detail=(("tag", "T-1"),), zone=LONDON,
    )  # fmt: skip
    assert "at Sun 25 Oct 01:30:00 BST (Europe/London)" in explain(cut)


def test_a_silence_names_the_last_contact_and_when_it_counts_from() -> None:
    story = UnitStory().boots(at("18:00")).hears(at("18:01")).beats(at("18:02"), at("18:30"))
    silent = next(
        f for f in judge(lines(story), until=at("18:50")) if f.rule == "unit.silent" and f.start > at("18:00")
    )
    assert explain(silent) == (
        "Base unit BU-0001 was last heard from at Tue 24 Mar 18:30:02; it counts as silent from 2 min 12 s later, "
        "Tue 24 Mar 18:32:14 (UTC), and nothing has come since. Whether anyone is at home is unknown."
    )


def test_a_silence_that_is_over_names_both_ends() -> None:
    story = UnitStory().boots(at("18:00")).hears(at("18:01")).beats(at("18:02"), at("18:30"))
    story.beats(at("18:40"), at("18:41"))
    silent = next(
        f for f in judge(lines(story), until=at("18:42")) if f.rule == "unit.silent" and f.start > at("18:00")
    )
    assert explain(silent) == (
        "Base unit BU-0001 was last heard from at Tue 24 Mar 18:30:02; it counts as silent from 2 min 12 s later, "
        "Tue 24 Mar 18:32:14, until something came at Tue 24 Mar 18:40:02 (UTC), 7 min 48 s."
    )


def test_a_unit_that_never_spoke() -> None:
    [silent] = [f for f in judge([], until=at("19:00")) if f.rule == "unit.silent" and f.unit == UnitId("BU-0001")]
    assert "has not been heard from at all since it was installed" in explain(silent)
