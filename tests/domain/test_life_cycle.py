"""The life of an alert as its table tells it: who has it, what is passed on, and what is taken back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emcheck.domain.alerts import (
    EXPIRIES,
    TAKEN_BACK,
    TRANSITIONS,
    Act,
    Alert,
    AlertState,
    IllegalAct,
    acted,
    next_state,
    taken_back,
    waits,
)
from emcheck.domain.escalation import Call, Plan, Why, passed_on
from emcheck.domain.ids import AlertId, RuleId

LEASE = 30
PLAN = Plan({"P1": (Call(60, "operator", "queue"), Call(120, "supervisor", "page"))}, {})
OPEN = [state for state in AlertState if state not in (AlertState.SUPPRESSED, AlertState.CLOSED)]
PEOPLE = ("jo", "max")
BY_HAND = [act for act in Act if act not in (Act.SUPPRESS, Act.RELEASE, Act.WITHDRAW, *EXPIRIES.values())]


def alert(**said: object) -> Alert:
    known = {"alert_id": AlertId("AL-1"), "rule": RuleId("tag.strap"), "subject": "W-1", "priority": "P1"}
    return Alert(**known, happened_at=0, raised_at=0, **said)  # type: ignore[arg-type] # as they are


def does(it: Alert, act: Act, by: str, at: int) -> Alert:
    disposition = "false" if act is Act.CLOSE else None
    return acted(it, act, at=at, lease_ms=LEASE, until=at + LEASE, disposition=disposition, by=by, to="max")


def test_the_table_says_what_may_be_done_in_each_state() -> None:
    may = {state: {act for s, act in TRANSITIONS if s is state and act in BY_HAND} for state in AlertState}
    waiting = {Act.ACKNOWLEDGE, Act.CLAIM, Act.HAND_OVER, Act.NOTE, Act.ESCALATE, Act.SHELVE, Act.CLOSE}
    assert may == {
        AlertState.UNACKNOWLEDGED: waiting,
        AlertState.RETURNED: waiting,
        AlertState.ACKNOWLEDGED: waiting | {Act.CONFIRM},
        AlertState.SHELVED: waiting - {Act.SHELVE},
        AlertState.SUPPRESSED: {Act.NOTE, Act.CLOSE},
        AlertState.CLOSED: {Act.NOTE},
    }


@pytest.mark.parametrize("state", OPEN)
def test_having_it_and_words_stop_no_clock(state: AlertState) -> None:
    it = alert(state=state, lease_until=7, holder="ann")
    for act, holder in ((Act.CLAIM, "jo"), (Act.HAND_OVER, "max"), (Act.NOTE, "ann")):
        after = does(it, act, "jo", 5)
        assert (after.state, after.lease_until, after.course, after.holder) == (state, 7, it.course, holder)
        assert after.revision == it.revision + 1


def test_who_acknowledges_has_it_until_the_lease_is_over() -> None:
    it = does(does(alert(), Act.CLAIM, "jo", 1), Act.ACKNOWLEDGE, "max", 2)
    assert it.holder == "max"
    assert does(it, Act.CONFIRM, "jo", 3).holder == "max"
    assert does(it, Act.LEASE_EXPIRED, "emcheck", 32).holder is None


@pytest.mark.parametrize("state", OPEN)
def test_what_is_passed_on_by_hand_waits_for_whom_it_calls(state: AlertState) -> None:
    step = PLAN.at_once(it := alert(state=state, holder="jo", lease_until=7), 5)
    assert step is not None
    assert (step.why, step.call.who, step.number, step.of) == (Why.BY_HAND, "operator", 1, 2)
    after = passed_on(it, step)
    assert waits(after)
    assert (after.holder, after.lease_until, after.revision) == (None, None, 2)
    assert (after.course.steps, after.course.told_at, after.course.told_revision) == (1, 5, 2)
    further = PLAN.due(after, delivered=True)
    assert further is not None
    assert further.call.who == "supervisor"
    last = PLAN.at_once(after, 6)
    assert last is not None
    assert PLAN.at_once(passed_on(after, last), 7) is None


@pytest.mark.parametrize("state", [AlertState.SUPPRESSED, AlertState.CLOSED])
def test_what_waits_for_nobody_is_not_passed_on(state: AlertState) -> None:
    step = PLAN.at_once(it := alert(state=state), 5)
    assert step is not None
    with pytest.raises(IllegalAct, match="cannot escalate"):
        passed_on(it, step)


acts = st.lists(st.tuples(st.sampled_from(BY_HAND), st.sampled_from(PEOPLE), st.integers(1, 20)), max_size=12)


@given(acts)
def test_an_act_that_is_taken_back_at_once_leaves_the_alert_as_it_was(done: list[tuple[Act, str, int]]) -> None:
    """Wherever people have led it: state, lease, who has it, why it was closed, and the wait that goes on."""
    it, at = alert(), 0
    for act, by, later in done:
        at += later
        try:
            after = does(it, act, by, at)
        except IllegalAct:
            continue
        assert after.revision == it.revision + 1
        assert after.state is next_state(it.state, act)
        if act in TAKEN_BACK and (it.lease_until is None or it.lease_until > at):
            back = taken_back(after, act, before=it, after=after, at=at)
            for name in ("state", "lease_until", "holder", "disposition"):
                assert getattr(back, name) == getattr(it, name), name
            assert back.revision == it.revision + 2
            assert waits(back) == waits(it)
            if waits(it) and act is not Act.CLAIM:
                was, now = PLAN.due(it, delivered=True), PLAN.due(back, delivered=True)
                assert (was is None) == (now is None)
                assert was is None or now is None or now.at == max(was.at, at)
        it = after


@given(acts)
def test_what_is_acknowledged_is_somebodys(
    done: list[tuple[Act, str, int]],
) -> None:
    it, at = alert(), 0
    for act, by, later in done:
        at += later
        if it.state in EXPIRIES and it.lease_until is not None and it.lease_until <= at:
            it = does(it, EXPIRIES[it.state], "emcheck", it.lease_until)
        try:
            it = does(it, act, by, at)
        except IllegalAct:
            continue
        assert it.holder is not None or it.state is not AlertState.ACKNOWLEDGED
        assert it.holder in (None, *PEOPLE)
        assert it.lease_until is None or it.state in EXPIRIES


def test_a_lease_that_would_be_over_by_now_is_over() -> None:
    seen = does(alert(), Act.ACKNOWLEDGE, "jo", 0)
    shelved = does(seen, Act.SHELVE, "jo", 20)
    back = taken_back(shelved, Act.SHELVE, before=seen, after=shelved, at=25)
    assert (back.state, back.lease_until, back.holder) == (AlertState.ACKNOWLEDGED, 30, "jo")
    late = taken_back(shelved, Act.SHELVE, before=seen, after=shelved, at=30)
    assert (late.state, late.lease_until, late.holder) == (AlertState.RETURNED, None, None)


def test_what_facts_changed_meanwhile_stays() -> None:
    import dataclasses

    it = alert()
    closed = does(it, Act.CLOSE, "jo", 5)
    amended = dataclasses.replace(closed, text="back since 20:00", ended_at=4, revision=3)
    back = taken_back(amended, Act.CLOSE, before=it, after=closed, at=6)
    assert (back.state, back.text, back.ended_at, back.revision) == (it.state, "back since 20:00", 4, 4)
    under = dataclasses.replace(amended, incident=AlertId("AL-INC"))
    assert taken_back(under, Act.CLOSE, before=it, after=closed, at=6).state is AlertState.SUPPRESSED
    part = alert(state=AlertState.SUPPRESSED, incident=AlertId("AL-INC"))
    done = does(part, Act.CLOSE, "jo", 5)
    released = dataclasses.replace(done, incident=None)
    assert taken_back(released, Act.CLOSE, before=part, after=done, at=6).state is AlertState.UNACKNOWLEDGED


def test_what_changed_by_itself_or_is_no_mistake_is_not_taken_back() -> None:
    it = alert()
    seen = does(it, Act.ACKNOWLEDGE, "jo", 5)
    returned = does(seen, Act.LEASE_EXPIRED, "emcheck", 35)
    with pytest.raises(IllegalAct, match="changed by itself since: it is returned_unacknowledged now"):
        taken_back(returned, Act.ACKNOWLEDGE, before=it, after=seen, at=36)
    confirmed = does(seen, Act.CONFIRM, "jo", 6)
    with pytest.raises(IllegalAct, match="to confirm is not taken back; that is acknowledge, claim, shelve, close"):
        taken_back(confirmed, Act.CONFIRM, before=seen, after=confirmed, at=7)
