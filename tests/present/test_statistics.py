"""Statistics of a monitoring centre, counted by hand."""

from dataclasses import replace

import pytest

from emcheck.domain.alerts import Alert, AlertState, Step
from emcheck.domain.ids import AlertId, RuleId, WearerId
from emcheck.domain.instants import DAY, HOUR, MINUTE, SECOND
from emcheck.present.statistics import Statistics, as_json, statistics, tables, within
from tests.support import at, england

SINCE = at("00:00", "2026-03-01")
MONTH = 30 * DAY


def raised(number: int, when: int, priority: str = "P2", rule: str = "curfew.absence", wearer: str = "W-1") -> Alert:
    return Alert(
        alert_id=AlertId(f"AL-{number}"), rule=RuleId(rule), subject=wearer, wearer_id=WearerId(wearer),
        priority=priority, happened_at=when, raised_at=when,
    )  # fmt: skip


def of(alerts: list[Alert], steps: list[Step] | None = None, **more: object) -> Statistics:
    given: dict[str, object] = {
        "since": SINCE,
        "until": SINCE + MONTH,
        "wearers": 2,
        "targets": within(england()),
    } | more
    return statistics(alerts, steps or [], **given)  # type: ignore[arg-type]  # as the test gives them


def step(number: int, action: str, when: int) -> Step:
    return Step(AlertId(f"AL-{number}"), action, when, "op-1")


def test_alerts_a_wearer_and_month_count_what_was_raised_in_the_time() -> None:
    alerts = [raised(n, SINCE + n * DAY) for n in range(5)]
    outside = [raised(8, SINCE - 1), raised(9, SINCE + MONTH)]
    found = of(alerts + outside)
    assert (found.alerts, found.per_wearer_month) == (5, 2.5)
    assert of(alerts, until=SINCE + MONTH // 2).per_wearer_month == 5.0
    assert of([], wearers=0).per_wearer_month is None


def test_the_time_to_acknowledge_is_measured_to_the_first_one_against_its_target() -> None:
    when = SINCE + DAY
    alerts = [raised(n, when, "P1") for n in range(4)]
    steps = [
        step(0, "acknowledged", when + 30 * SECOND),
        step(1, "acknowledged", when + 30 * SECOND + 1),
        step(1, "acknowledged", when + 1),
        step(2, "acknowledged", when + 60 * SECOND + 1),
    ]
    [p1] = [seen for seen in of(alerts, steps).seen if seen.priority == "P1"]
    assert (p1.raised, p1.acknowledged, p1.median_ms) == (4, 3, 30 * SECOND)
    assert p1.within == [(30 * SECOND, 0.5, 0.80), (60 * SECOND, 0.5, 0.985)]


def test_an_acknowledgement_that_was_a_mistake_is_none() -> None:
    when = SINCE + DAY
    steps = [step(0, "acknowledged", when + SECOND), step(0, "unacknowledged", when + 2 * SECOND)]
    [one] = [seen for seen in of([raised(0, when, "P1")], steps).seen if seen.priority == "P1"]
    assert (one.raised, one.acknowledged) == (1, 0)
    again = [*steps, step(0, "acknowledged", when + HOUR)]
    [one] = [seen for seen in of([raised(0, when, "P1")], again).seen if seen.priority == "P1"]
    assert (one.acknowledged, one.median_ms) == (1, HOUR)


def test_what_was_withdrawn_before_anyone_saw_it_counts_neither_way() -> None:
    alerts = [replace(raised(0, SINCE, "P1"), withdrawn=True), raised(1, SINCE, "P1")]
    steps = [step(0, "withdrawn", SINCE + 5), step(1, "acknowledged", SINCE + 1)]
    [p1] = [seen for seen in of(alerts, steps).seen if seen.priority == "P1"]
    assert (p1.raised, p1.acknowledged) == (1, 1)


def test_what_is_not_due_yet_is_not_late() -> None:
    """Raised 20 s before the end: the 30 s for it are not over; the other one's are."""
    alerts = [raised(0, SINCE + 60 * SECOND, "P1"), raised(1, SINCE + 100 * SECOND, "P1")]
    until = SINCE + 120 * SECOND
    steps = [step(0, "acknowledged", SINCE + 70 * SECOND)]
    [p1] = [seen for seen in of(alerts, steps, until=until).seen if seen.priority == "P1"]
    assert p1.within == [(30 * SECOND, 1.0, 0.80), (60 * SECOND, 1.0, 0.985)]
    [alone] = [seen for seen in of(alerts[1:], until=until).seen if seen.priority == "P1"]
    assert alone.within == [(30 * SECOND, None, 0.80), (60 * SECOND, None, 0.985)]
    said = {name: share for name, share, _ in tables(of(alerts[1:], until=until))[0][2]}
    assert said["P1 acknowledged within 30 s"] == "none due yet"


@pytest.mark.parametrize(("count", "operators", "floods"), [(9, 1, 0), (10, 1, 1), (10, 2, 0), (20, 2, 1)])
def test_ten_alerts_for_an_operator_in_ten_minutes_are_a_flood(count: int, operators: int, floods: int) -> None:
    alerts = [raised(n, SINCE + HOUR + n) for n in range(count)]
    found = of(alerts, operators=operators, until=SINCE + HOUR * 2)
    assert found.flood_spans == floods
    assert found.flood_share == floods / 12


def test_what_waits_for_over_a_day_is_stale_until_it_is_closed() -> None:
    old, edge = raised(0, SINCE), raised(1, SINCE + MONTH - DAY)
    closed = replace(raised(2, SINCE), state=AlertState.CLOSED, disposition="equipment_fault")
    found = of([old, edge, closed])
    assert found.stale == 1
    assert found.outcomes == {"open": 2, "equipment_fault": 1}


def test_three_alerts_of_one_cause_within_ten_minutes_chatter() -> None:
    three = [raised(n, SINCE + n * 5 * MINUTE - (1 if n == 2 else 0), wearer="W-1") for n in range(3)]
    slow = [raised(10 + n, SINCE + n * 5 * MINUTE, wearer="W-2") for n in range(3)]
    assert of(three + slow).chattering == [("W-1", "curfew.absence", 3)]


def test_straps_that_were_cut_stand_by_their_batch() -> None:
    alerts = [raised(0, SINCE, rule="tag.strap"), raised(1, SINCE, rule="tag.strap", wearer="W-2"), raised(2, SINCE)]
    batches = {"W-1": "S-1", "W-2": "S-2"}
    assert of(alerts, batches=batches, straps={"S-1": 10, "S-2": 1, "S-3": 4}).by_batch == {
        "S-1": (10, 1), "S-2": (1, 1), "S-3": (4, 0)
    }  # fmt: skip


def test_targets_stand_beside_the_figures_for_people_and_programs() -> None:
    found = of([raised(0, SINCE, "P1")], [step(0, "acknowledged", SINCE + SECOND)])
    _, columns, rows = tables(found)[0]
    assert columns == ("figure", "is", "target")
    assert ("P1 acknowledged within 30 s", "100.0% of 1", "80.0%") in rows
    assert ("P2 acknowledged within 3 min", "none raised", "80.0%") in rows
    told = as_json(found)
    assert told["acknowledged"][0]["within"][0] == {"seconds": 30.0, "share": 1.0, "target": 0.8}
    assert told["floods"] == {"spans_of_10_min": 0, "share": 0.0, "target": 0.01}
