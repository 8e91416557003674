"""What to do next about an alert: every rule has a step, and what is over has none."""

from dataclasses import replace

from emcheck.domain import queue
from emcheck.domain.advice import CLASSES, RULES, next_step
from emcheck.domain.alerts import AlertState
from emcheck.domain.ids import RuleId
from tests.store.samples import alert


def test_every_rule_says_what_to_do_next_and_where_that_is_from() -> None:
    assert RULES.keys() >= queue.RULES
    for advice in (*RULES.values(), *CLASSES.values()):
        assert advice.do.endswith(".")
        assert "`" not in advice.do, "whoever has only a browser reads it too"
        assert "_" not in advice.do
        assert advice.source


def test_what_is_closed_or_withdrawn_asks_for_nothing() -> None:
    waits = alert("AL-1")
    assert next_step(waits) == RULES["curfew.absence"]
    assert next_step(replace(waits, withdrawn=True)) is None
    assert next_step(replace(waits, state=AlertState.CLOSED)) is None


def test_a_bad_receipt_is_no_matter_of_a_base_unit() -> None:
    advice = next_step(alert("AL-1", rule=RuleId("evidence.rejected"), class_="bad_receipt"))
    assert advice is not None
    assert "consumer" in advice.do
