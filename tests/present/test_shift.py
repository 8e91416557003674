"""When a shift begins by the local clock, and what was done in it."""

import pytest

from emcheck.domain.alerts import Step
from emcheck.domain.ids import AlertId
from emcheck.domain.instants import HOUR, format_ms, parse_ms
from emcheck.present.shift import (
    flood_words,
    instant_of_input,
    local_input,
    shift_at,
    shift_before,
    standing,
    work_of,
)
from emcheck.present.statistics import FLOOD_SPAN, floods
from tests.store.samples import alert
from tests.support import at

STARTS, LONDON = ("07:00", "19:00"), "Europe/London"


@pytest.mark.parametrize(
    ("now", "since"),
    [
        ("2026-03-24T20:00:00Z", "2026-03-24T19:00:00.000Z"), ("2026-03-24T18:59:59Z", "2026-03-24T07:00:00.000Z"),
        ("2026-03-24T07:00:00Z", "2026-03-24T07:00:00.000Z"), ("2026-03-24T02:00:00Z", "2026-03-23T19:00:00.000Z"),
        ("2026-06-01T18:30:00Z", "2026-06-01T18:00:00.000Z"),
    ],
)  # fmt: skip
def test_a_shift_begins_by_the_clock_on_the_wall(now: str, since: str) -> None:
    assert format_ms(shift_at(parse_ms(now), STARTS, LONDON).start) == since


def test_the_night_of_a_clock_change_is_an_hour_shorter() -> None:
    night = shift_at(parse_ms("2026-03-29T03:00:00Z"), STARTS, LONDON)
    assert night.end - night.start == 11 * HOUR
    assert shift_before(night, STARTS, LONDON).end == night.start


def test_a_form_gives_back_the_instant_that_it_showed() -> None:
    shown = local_input(parse_ms("2026-06-01T18:30:00Z"), LONDON)
    assert shown == "2026-06-01T19:30"
    assert instant_of_input(shown, LONDON) == parse_ms("2026-06-01T18:30:00Z")
    for wrong in ("", "2026-06-01", "yesterday", "2026-13-01T00:00", "2026-06-01T25:00", "T", "2026-06-01Tx"):
        assert instant_of_input(wrong, LONDON) is None, wrong


def test_what_people_did_is_counted_and_what_emcheck_did_is_not() -> None:
    told = [("closed", "jo"), ("closed", "jo"), ("claimed", "kim"), ("escalated", "emcheck"), ("amended", "jo")]
    found = work_of(standing(Step(AlertId("AL-1"), action, at("19:00"), by) for action, by in told))
    assert [(work.by, dict(work.acts)) for work in found] == [("jo", {"closed": 2}), ("kim", {"claimed": 1})]


def test_what_was_taken_back_was_not_done() -> None:
    told = [
        ("1", "acknowledged", "jo"), ("2", "acknowledged", "jo"), ("1", "closed", "jo"), ("1", "noted", "jo"),
        ("1", "reopened", "jo"), ("1", "unacknowledged", "jo"), ("1", "claimed", "kim"), ("1", "unclaimed", "kim"),
        ("1", "closed", "kim"), ("3", "unshelved", "jo"), ("4", "reopened", "emcheck"),
    ]  # fmt: skip
    steps = standing(Step(AlertId(name), act, at("19:00") + n, by) for n, (name, act, by) in enumerate(told))
    assert [(step.alert_id, step.action, step.by) for step in steps] == [
        ("2", "acknowledged", "jo"), ("1", "noted", "jo"), ("1", "taken_back", "jo"), ("1", "taken_back", "jo"),
        ("1", "taken_back", "kim"), ("1", "closed", "kim"), ("3", "taken_back", "jo"),
    ]  # fmt: skip


def test_floods_are_told_by_their_time_and_neighbours_together() -> None:
    since = at("19:00")
    raised = [alert(f"AL-{n}", raised_at=since + n * 1000) for n in range(10)]
    raised += [alert(f"AL-N{n}", raised_at=since + FLOOD_SPAN + n) for n in range(12)]
    raised += [alert(f"AL-L{n}", raised_at=since + 6 * FLOOD_SPAN) for n in range(9)]
    assert flood_words(floods(raised, since=since), "UTC") == ["19:00 to 19:20: 22 alerts"]
    assert flood_words(floods(raised, since=since, operators=2), "UTC") == []
