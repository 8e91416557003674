"""The rules about the register alone, each just before, at and just after its instant."""

from typing import Any

import pytest

from emcheck.domain.defaults import RULES
from emcheck.domain.findings import Finding
from emcheck.domain.instants import DAY
from emcheck.domain.policy import parse_policy
from emcheck.domain.register import Register
from emcheck.present.words import explain
from emcheck.shipped import shipped_config
from tests.support import UnitStory, at, england, judge, lines, order, register

BEGINS, ENDS = at("2026-03-01T00:00"), at("2026-05-01T00:00")
FITTED = {"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}


def judged(rule: str, known: Register, until: int) -> list[Finding]:
    """Judged live: the engine wakes at each instant that matters, though no unit ever spoke."""
    return [f for f in judge(lines(UnitStory()), known, until=until) if f.rule == rule]


def fitted(*changes: dict[str, Any]) -> Register:
    return register(fittings=[FITTED | change for change in changes])


@pytest.mark.parametrize(("after_ms", "found"), [(-1, []), (0, [None]), (1, [None])])
def test_a_tag_is_due_three_days_after_an_order_begins(after_ms: int, found: list[None]) -> None:
    told = judged("fitting.overdue", fitted(), BEGINS + 3 * DAY + after_ms)
    assert [f.end for f in told] == found
    assert all((f.start, f.raised_at, f.order_id, f.priority) == (BEGINS + 3 * DAY,) * 2 + ("O-1", "P2") for f in told)


@pytest.mark.parametrize(
    ("fitted_at", "removed_at", "ends"),
    [
        ("2026-03-04T00:00:00Z", None, []),
        ("2026-03-04T00:00:01Z", None, [at("2026-03-04T00:00:01")]),
        ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", [None]),
        ("2026-02-01T00:00:00Z", "2026-03-01T00:00:01Z", []),
    ],
)
def test_a_tag_that_is_on_in_time(fitted_at: str, removed_at: str | None, ends: list[int | None]) -> None:
    known = fitted({"fitted_at": fitted_at, "removed_at": removed_at})
    assert [f.end for f in judged("fitting.overdue", known, at("2026-03-10T00:00"))] == ends


def test_nothing_is_due_after_an_order_that_ended_before() -> None:
    known = register(order(ends_at="2026-03-04T00:00:00Z"), fittings=[])
    assert judged("fitting.overdue", known, at("2026-03-10T00:00")) == []


@pytest.mark.parametrize(("validation", "found"), [("validated", 0), ("overridden", 0), ("pending", 1), (None, 1)])
def test_a_fitting_that_is_not_validated(validation: str | None, found: int) -> None:
    told = judged("fitting.unvalidated", fitted({"validation": validation}), BEGINS)
    assert [(f.start, f.end, f.wearer_id, f.priority) for f in told] == [(BEGINS, None, "W-1", "P2")] * found
    assert all("that it sits on a living limb has not been shown" in explain(f) for f in told)


@pytest.mark.parametrize(("after_ms", "end"), [(-1, None), (0, BEGINS + DAY), (1, BEGINS + DAY)])
def test_it_ends_when_the_tag_comes_off(after_ms: int, end: int | None) -> None:
    known = fitted({"validation": "pending", "removed_at": "2026-03-02T00:00:00Z"})
    assert [f.end for f in judged("fitting.unvalidated", known, BEGINS + DAY + after_ms)] == [end]


@pytest.mark.parametrize(("after_ms", "found"), [(-1, 0), (0, 1), (1, 1)])
def test_a_tag_is_to_come_off_when_the_last_order_has_ended(after_ms: int, found: int) -> None:
    told = judged("monitoring.removal_due", fitted({}), ENDS + after_ms)
    assert [(f.start, f.end, f.raised_at, f.priority) for f in told] == [(ENDS, None, ENDS, "P4")] * found


def test_a_tag_that_came_off_with_the_order_is_not_due() -> None:
    assert judged("monitoring.removal_due", fitted({"removed_at": "2026-05-01T00:00:00Z"}), ENDS + DAY) == []
    [late] = judged("monitoring.removal_due", fitted({"removed_at": "2026-05-01T00:00:01Z"}), ENDS + DAY)
    assert (late.start, late.end) == (ENDS, ENDS + 1000)


def test_an_order_that_begins_later_keeps_the_tag_on() -> None:
    later = order(order_id="O-2", starts_at="2026-05-05T00:00:00Z", ends_at="2026-06-01T00:00:00Z")
    assert judged("monitoring.removal_due", register(order(), later), ENDS + DAY) == []


def test_a_policy_that_was_written_before_these_rules_has_the_shipped_numbers() -> None:
    text = (shipped_config() / "policy" / "england-wales.toml").read_text()
    sections = [part for part in text.split("\n[") if part.split("]")[0] not in RULES]
    older, shipped = parse_policy("\n[".join(sections)), england()
    assert {key: older.thresholds[key].value for key in RULES} == {key: shipped.thresholds[key].value for key in RULES}
    assert all(
        (older.thresholds[key].unit, older.thresholds[key].sign_off)
        == (shipped.thresholds[key].unit, shipped.thresholds[key].sign_off)
        for key in RULES
    )


def test_a_fitting_that_a_supervisor_let_stand_in_a_visit_is_never_silent() -> None:
    let = {"validation": "overridden", "override": {"by": "S. Visor", "reason": "no natural limb"}}
    [told] = judged("fitting.unvalidated", fitted(let), BEGINS)
    assert (told.class_, told.start, told.end, told.priority) == ("overridden", BEGINS, None, "P2")
    assert "S. Visor let the fitting stand though it was not validated (no natural limb)" in explain(told)


@pytest.mark.parametrize(
    ("outcomes", "fitted_at", "starts"),
    [
        (["no_show"], None, []),
        (["no_show", "cannot_validate"], None, [at("2026-03-02T01:00")]),
        (["no_show", "lapsed", "unsafe"], None, [at("2026-03-02T02:00")]),
        (["no_show", "lapsed"], None, []),
        (["no_show", "mistaken", "mistaken"], None, []),
        (["no_show", "unsafe", "success"], "2026-03-02T02:00:00Z", [at("2026-03-02T01:00")]),
        (["no_show", "success", "no_show"], "2026-03-02T01:00:00Z", []),
    ],
)
def test_two_visits_that_failed_go_to_the_authority(
    outcomes: list[str], fitted_at: str | None, starts: list[int]
) -> None:
    visits = [
        {"session": f"FS-{i}", "at": f"2026-03-02T0{i}:00:00Z", "outcome": outcome, "by": "A. Fitter"}
        for i, outcome in enumerate(outcomes)
    ]
    known = register(order(visits=visits), fittings=[] if fitted_at is None else [FITTED | {"fitted_at": fitted_at}])
    told = judged("fitting.overdue", known, BEGINS + 2 * DAY)
    assert [(f.start, f.class_) for f in told] == [(start, "failed_attempts") for start in starts]
    assert [f.end for f in told if fitted_at is not None] == [at("2026-03-02T02:00")] * len(told if fitted_at else ())
    assert all("Tell the authority" in explain(f) for f in told)
