"""What rules and their classes are called: every one has a name that is no code."""

import re

from emcheck.domain import advice, queue
from emcheck.domain.called import CLASSES, RULES, called, code
from emcheck.domain.codes import CODES


def test_every_rule_and_every_class_that_is_told_apart_elsewhere_has_a_name() -> None:
    assert RULES.keys() == queue.RULES
    elsewhere = {key for key in (*CODES, *advice.CLASSES) if key[1] is not None}
    assert elsewhere <= CLASSES.keys()
    assert {rule for rule, _ in CLASSES} <= RULES.keys()


def test_names_are_words() -> None:
    for name in (*RULES.values(), *CLASSES.values()):
        assert not re.search(r"[_.]|^[A-Z]", name), name


def test_a_class_without_a_name_has_that_of_its_rule() -> None:
    assert called("curfew.absence", "out_whole") == "out for the whole curfew"
    assert called("unit.silent", None) == called("unit.silent", "new_one") == "base unit silent"
    assert called("of.tomorrow") == "of.tomorrow"
    assert (code("tag.strap", "strap_cut"), code("tag.strap")) == ("tag.strap, strap_cut", "tag.strap")


def test_a_late_return_is_none_before_somebody_returned() -> None:
    assert called("curfew.absence", "late_return") == "late return"
    assert called("curfew.absence", "late_return", ended=False) == "not back since the curfew began"
    assert called("curfew.absence", "out_at_end", ended=False) == "out at the end of the curfew"
