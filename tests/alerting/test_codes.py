"""Codes beside ours: the ones domain.md names, and no others."""

import pytest

from emcheck.domain.codes import CODES, codes


@pytest.mark.parametrize(
    ("rule", "class_", "going_on", "ended"),
    [
        ("curfew.absence", "late_return", ("AL08", "CI"), ("AL09", "CJ")),
        ("curfew.absence", "left_during", ("AL10", "OK"), ("AL10", "OK")),
        ("curfew.absence", "out_at_end", ("AL11", "OK"), ("AL11", "OK")),
        ("curfew.absence", "out_whole", ("AL12", "CI"), ("AL12", "CI")),
        ("tag.strap", "strap_cut", (None, "TA"), (None, "TR")),
        ("tag.case", "case_open", (None, "TA"), (None, "TR")),
        ("unit.case", None, (None, "TA"), (None, "TR")),
        ("unit.silent", None, (None, "YC"), (None, "YK")),
        ("unit.power", None, ("AL04", "AT"), ("AL04", "AR")),
        ("unit.moved", "repeated", ("AL05", None), ("AL05", None)),
        ("unit.clock", None, ("AL24", None), ("AL24", None)),
        ("tag.battery", None, ("AL21", None), ("AL21", None)),
        ("curfew.accumulated", None, (None, None), (None, None)),
    ],
)
def test_what_fits(
    rule: str, class_: str | None, going_on: tuple[str | None, str | None], ended: tuple[str | None, str | None]
) -> None:
    assert codes(rule, class_, ended=False) == going_on
    assert codes(rule, class_, ended=True) == ended


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CODES["unit.power", None] = CODES["unit.moved", None]  # type: ignore[index]  # that is the point
