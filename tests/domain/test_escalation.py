"""Whom an alert is passed on to and when: the table of states, properties over any life of an alert, bad trees."""

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emcheck.domain.alerts import TRANSITIONS, Act, Alert, AlertState, Course, acted, on_course, waits
from emcheck.domain.escalation import Call, Due, Plan, Why, passed_on, target
from emcheck.domain.ids import AlertId, RuleId
from emcheck.domain.instants import MINUTE, SECOND
from emcheck.domain.policy import PolicyError, parse_policy
from emcheck.present.escalated import because, message, next_step, outlook, time_left
from emcheck.settings import shipped_config

DUTY, BOSS, LAST = (
    Call(60_000, "duty_operator", "queue"),
    Call(300_000, "supervisor", "page"),
    Call(1_800_000, "x", "mail"),
)
PLAN = Plan({"P1": (DUTY, BOSS, LAST), "P3": (Call(28_800_000, "supervisor", "queue"),)}, {"P1": 60_000, "P3": 0})
ENGLAND = (shipped_config() / "policy" / "england-wales.toml").read_text()


def raised(**changes: Any) -> Alert:
    """A P1 of instant 0."""
    values: dict[str, Any] = {
        "alert_id": AlertId("AL-1"), "rule": RuleId("tag.strap"), "subject": "W-1", "priority": "P1",
        "happened_at": 0, "raised_at": 0, "text": "The strap was cut.",
    }  # fmt: skip
    return Alert(**(values | changes))


def steps(alert: Alert, *, delivered: bool = True, plan: Plan = PLAN) -> list[tuple[int, str, str]]:
    """All that follows if nothing happens any more."""
    found = []
    while (due := plan.due(alert, delivered=delivered)) is not None:
        found.append((due.at // SECOND, due.call.who, str(due.why)))
        alert = passed_on(alert, due)
    return found


def test_while_nobody_attends_to_it_an_alert_climbs_its_tree() -> None:
    assert steps(raised()) == [
        (60, "duty_operator", "unattended"),
        (300, "supervisor", "unattended"),
        (1800, "x", "unattended"),
    ]
    assert steps(raised(priority="P2")) == []


def test_what_nobody_has_confirmed_takes_the_next_step_at_once() -> None:
    assert steps(raised(), delivered=False) == [
        (60, "duty_operator", "unattended"),
        (120, "supervisor", "undelivered"),
        (180, "x", "undelivered"),
    ]
    assert steps(raised(priority="P3"), delivered=False) == [(28_800, "supervisor", "unattended")]  # 0 asks for none


def test_no_receipt_could_come_before_the_service_came_up() -> None:
    first = PLAN.due(raised(), delivered=False)
    assert first is not None
    after = passed_on(raised(), first)
    late = PLAN.due(after, delivered=False, up_since=100 * SECOND)
    assert late is not None
    assert (late.at, late.why) == (160 * SECOND, Why.UNDELIVERED)
    later = PLAN.due(after, delivered=False, up_since=290 * SECOND)
    assert later is not None
    assert (later.at, later.why) == (300 * SECOND, Why.UNATTENDED)


def test_time_in_which_somebody_attends_does_not_count() -> None:
    seen = acted(raised(), Act.ACKNOWLEDGE, at=40 * SECOND, lease_ms=30 * MINUTE)
    assert steps(seen) == []
    back = acted(seen, Act.LEASE_EXPIRED, at=40 * SECOND + 30 * MINUTE, lease_ms=0)
    assert [at - 30 * 60 for at, _, _ in steps(back)] == [60, 300, 1800]


def test_what_becomes_graver_is_another_call() -> None:
    grave = on_course(raised(priority="P2"), raised(revision=2), 7_200_000)
    assert [at for at, _, _ in steps(grave)] == [7_260, 7_500, 9_000]
    milder = on_course(raised(course=Course(steps=2)), raised(priority="P3", revision=2, course=Course(steps=2)), 5)
    assert steps(milder) == []


@pytest.mark.parametrize("state", AlertState)
@pytest.mark.parametrize("withdrawn", [False, True])
def test_only_what_waits_escalates(state: AlertState, *, withdrawn: bool) -> None:
    alert = raised(state=state, withdrawn=withdrawn)
    waiting = not withdrawn and state in ("unacknowledged", "returned_unacknowledged")
    assert waits(alert) is waiting
    assert bool(steps(alert, delivered=False)) is waiting


def test_alerts_about_our_own_work_go_to_operations() -> None:
    plan = Plan({"P1": (DUTY,), "operations": (Call(1_000, "operations", "page"),)}, {})
    assert steps(raised(rule="service.audit"), plan=plan) == [(1, "operations", "unattended")]
    assert steps(raised(rule="service.audit", priority="P4"), plan=plan) == [(1, "operations", "unattended")]
    assert steps(raised(rule="unit.silent"), plan=plan) == [(60, "duty_operator", "unattended")]
    assert steps(raised(rule="service.audit")) == steps(raised())


LIVES = st.lists(st.tuples(st.integers(1, 2_000_000), st.sampled_from([*Act, "step", "graver"])), max_size=30)


@given(LIVES, st.booleans())
def test_over_any_life_steps_come_in_order_each_once_and_never_before_their_wait(
    life: list[tuple[int, Any]], delivered: bool
) -> None:
    alert, now, waited, made = raised(), 0, 0, 0
    for span, what in life:
        now, before = now + span, alert
        waited += span if waits(before) else 0
        due = PLAN.due(alert, delivered=delivered)
        if what == "step" and due is not None and due.at <= now:
            call = PLAN.trees["P1"][made]
            assert (due.call, due.number) == (call, made + 1)
            assert due.at >= alert.course.told_at if alert.course.told_at is not None else due.at >= 0
            if due.why is Why.UNATTENDED:
                assert waited - (now - due.at) >= call.after_ms
            alert, made = passed_on(alert, due), made + 1
        elif what == "graver":
            if chance(span):
                alert = on_course(raised(priority="P2"), alert, now)
                waited, made = 0, 0
        elif isinstance(what, Act) and (alert.state, what) in TRANSITIONS:
            alert = acted(alert, what, at=now, lease_ms=MINUTE, until=now + MINUTE)
        assert alert.course.steps == made
        if (following := PLAN.due(alert, delivered=True)) is not None:
            left = PLAN.trees["P1"][made].after_ms - waited
            assert following.at == max(now + left, alert.course.told_at or 0)


def chance(seed: int) -> bool:
    return random.Random(seed).random() < 0.2


@given(st.integers(0, 10**10), st.booleans())
def test_receipts_only_ever_put_a_step_off(up_since: int, delivered: bool) -> None:
    with_receipt = PLAN.due(raised(), delivered=True, up_since=up_since)
    without = PLAN.due(raised(), delivered=delivered, up_since=up_since)
    assert with_receipt is not None
    assert without is not None
    assert without.at <= with_receipt.at


def test_only_channels_have_targets() -> None:
    assert [target(call) for call in (DUTY, BOSS)] == [None, "supervisor page"]


def test_what_people_read() -> None:
    due = Due(0, BOSS, 2, 3, Why.UNATTENDED, 300_000)
    said = "nobody attended to it for 5 min; passed on to supervisor by page, step 2 of 3"
    assert because(due) == said
    unseen = Due(0, DUTY, 1, 3, Why.UNDELIVERED, 60_000)
    assert because(unseen) == "no receipt within 1 min; passed on to duty operator on the queue, step 1 of 3"
    assert next_step(raised(), due, 3, -40_000) == "supervisor by page in 40 s"
    assert next_step(raised(), due, 3, 1) == "supervisor by page now"
    assert next_step(raised(), None, 3, 0) == "nobody further: all were called"
    assert next_step(raised(), None, 0, 0) == "nobody: the policy names none"
    assert outlook(raised(), due, 3, "UTC").endswith(
        "passed on to supervisor by page at Thu 01 Jan 00:00:00, step 2 of 3."
    )
    assert outlook(raised(), None, 3, "UTC") == (
        "Everybody whom the policy names for it was called (3 of 3), and it still waits: nobody further is."
    )
    seen = acted(raised(), Act.ACKNOWLEDGE, at=60_000, lease_ms=1_800_000)
    assert next_step(seen, None, 3, 360_000) == "returns in 25 min"
    assert outlook(seen, None, 3, "UTC").endswith("it returns to the queue at Thu 01 Jan 00:31:00.")
    done = acted(seen, Act.CONFIRM, at=90_000, lease_ms=1_800_000)
    assert (next_step(done, None, 3, 90_000), outlook(done, None, 3, "UTC")) == ("", "")
    targets = {"P1": 60_000}
    assert time_left(raised(), targets, 20_000) == "40 s"
    assert time_left(raised(), targets, 240_000) == "over by 3 min"
    assert time_left(raised(priority="P4"), targets, 0) == time_left(raised(withdrawn=True), targets, 0) == ""


def test_a_message_names_the_worst_and_how_many() -> None:
    one = raised()
    title, text = message([one])
    assert title == "emcheck: P1 alert waits"
    assert text == "P1 strap cut or open, W-1, alert AL-1:\nThe strap was cut."
    others = [raised(alert_id=AlertId(f"AL-{n}"), priority="P2", raised_at=-n) for n in range(2, 1300)]
    title, text = message([*others, raised(alert_id=AlertId("AL-0"), raised_at=5), one])
    assert title == "emcheck: 1,300 alerts wait"
    assert text.endswith("W-1, alert AL-1:\nThe strap was cut.\nThis is the worst of 1,300: 2 P1, 1,298 P2.")


# --- trees that cannot be used ----------------------------------------------------------------------------

STEP = '[[escalation.P1]]\nafter_s = 60\nwho = "duty_operator"\nby = "queue"\n'
BAD = [
    (STEP, STEP.replace("60", "-1"), r"escalation\.P1\[1\]\.after_s: -1 is no number of seconds, 0 or more"),
    (STEP, STEP.replace("60", "true"), r"escalation\.P1\[1\]\.after_s: True is no number"),
    (STEP, STEP.replace("60", "300"), r"escalation\.P1\[2\]\.after_s: not after step 1, so it is never reached"),
    (STEP, STEP.replace("60", "nan"), r"escalation\.P1\[1\]\.after_s: nan is no number"),
    (STEP, STEP.replace("duty_operator", "Duty Operator"), r"escalation\.P1\[1\]\.who: 'Duty Operator' is no name"),
    (STEP, STEP.replace('by = "queue"', "by = 7"), r"escalation\.P1\[1\]\.by: 7 is no name; write it as in duty_op"),
    (STEP, STEP + 'to = "x"\n', r"escalation\.P1\[1\]: a step is a table of after_s, who, by, reason and source"),
    (STEP, STEP.replace('by = "queue"\n', ""), r"escalation\.P1\[1\]: a step is a table of after_s, who, by"),
    ("[[escalation.P3]]", "[[escalation.P5]]", r"escalation\.P5: no such tree; there are P1, P2, P3, P4, operations"),
    ("[presence.leave_time_s]", "[escalation]\nP4 = []\n[presence.leave_time_s]", r"escalation\.P4: a tree without"),
    ("[presence.leave_time_s]", "[escalation]\nP4 = 3\n[presence.leave_time_s]", r"escalation\.P4: a tree without"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem"), BAD)
def test_a_tree_that_cannot_be_used_is_refused_with_key_and_remedy(old: str, new: str, problem: str) -> None:
    assert old in ENGLAND
    with pytest.raises(PolicyError, match=f"^mine.toml: {problem}"):
        parse_policy(ENGLAND.replace(old, new, 1), name="mine.toml")


def test_a_tree_of_a_priority_that_no_rule_gives_is_never_reached() -> None:
    none = re.sub(r'value = "P4"', 'value = "P3"', ENGLAND)
    tree = STEP.replace("P1", "P4") + 'reason = "x"\nsource = "y"\n'
    with pytest.raises(PolicyError, match=r"escalation\.P4: no rule of this policy gives P4, so it is never reached"):
        parse_policy(none + tree)
    assert "P4" in parse_policy(ENGLAND + tree).trees


def test_a_policy_without_trees_calls_nobody_and_trees_are_a_table() -> None:
    bare = ENGLAND[: ENGLAND.index("[[escalation.P1]]")] + ENGLAND[ENGLAND.index("# The wire") :]
    assert parse_policy(bare).trees == {}
    with pytest.raises(PolicyError, match="escalation: no table of trees"):
        parse_policy(bare.replace("\n[presence", '\nescalation = "P1"\n\n[presence', 1))
