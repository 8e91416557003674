"""What ended an alert, in words: nobody reads of what is over as if it went on."""

from dataclasses import replace

from emcheck.domain.advice import OVER, RULES, next_step
from emcheck.domain.alerts import AlertState
from emcheck.domain.findings import Span
from emcheck.domain.ids import RuleId
from emcheck.present.ended import ended
from tests.store.samples import alert
from tests.support import at

ZONE = "Europe/London"
WAITS = alert("AL-1", rule=RuleId("unit.power"), window=None)


def test_what_goes_on_is_not_over() -> None:
    assert ended(WAITS, [], [], ZONE, now=at("20:00")) == ""
    assert next_step(WAITS) == RULES["unit.power"]
    conflict = replace(WAITS, rule=RuleId("evidence.conflict"), ended_at=at("19:00"))
    assert ended(conflict, [], [], ZONE, now=at("20:00")) == "", "two contents stay two contents"
    assert next_step(conflict) == RULES["evidence.conflict"]


def test_what_is_over_says_since_when_and_what_remains() -> None:
    over = replace(WAITS, ended_at=at("19:30"))
    assert ended(over, [], [], ZONE, now=at("20:00")) == "It is over: it ended at Tue 24 Mar 19:30:00."
    assert next_step(over) == OVER["unit.power"]
    window = Span(at("19:00"), at("23:00"))
    absence = replace(over, rule=RuleId("curfew.absence"), window=window, ended_at=window.end)
    assert ended(absence, [], [], ZONE, now=at("23:30")) == "The curfew ended at Tue 24 Mar 23:00:00."


def test_what_is_closed_or_withdrawn_says_by_whom_or_why_and_that_nothing_is_to_be_done() -> None:
    history = [(at("19:00"), "raised", "emcheck", ""), (at("19:40"), "closed", "jo", "rang twice")]
    closed = replace(WAITS, state=AlertState.CLOSED, disposition="no_answer")
    said = "Closed by jo at Tue 24 Mar 19:40:00: no answer (rang twice). Nothing is to be done."
    assert ended(closed, history, [], ZONE, now=at("20:00")) == said
    assert ended(closed, [], [], ZONE, now=at("20:00")) == "Closed: no answer. Nothing is to be done."
    gone = [(at("19:10"), "withdrawn", "emcheck", "what is known now no longer shows it")]
    said = "Withdrawn at Tue 24 Mar 19:10:00: what is known now no longer shows it. Nothing is to be done."
    assert ended(replace(WAITS, withdrawn=True), gone, [], ZONE, now=at("20:00")) == said
    assert next_step(closed) is next_step(replace(WAITS, withdrawn=True)) is None


def test_what_remains_for_a_rule_is_words() -> None:
    assert OVER.keys() <= RULES.keys()
    for advice in OVER.values():
        assert advice.do.endswith(".")
        assert "_" not in advice.do
        assert advice.source
