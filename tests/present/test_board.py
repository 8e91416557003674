"""The board's counts: every wearer in one place, and what is said where somebody is missing."""

from emcheck.domain.whereabouts import Whereabouts
from emcheck.present.board import MEANS, SIGNS, WORDS, by_site, everybody, reconciled

COUNTS = {
    (Whereabouts.HOME, "SE1"): 5, (Whereabouts.OUT_IN_CURFEW, "SE2"): 1, (Whereabouts.HOME, "SE2"): 2,
    (Whereabouts.NOT_MONITORED, ""): 3,
}  # fmt: skip


def test_every_state_is_named_signed_and_explained() -> None:
    assert set(WORDS) == set(SIGNS) == set(MEANS) == set(Whereabouts)
    assert len(set(SIGNS.values())) == len(SIGNS)


def test_the_sum_is_said_and_compared_with_the_register() -> None:
    agrees, words = reconciled(COUNTS, 11)
    assert agrees
    assert words.startswith("1 out in curfew + 7 at home + 3 not monitored = 11: every wearer of the register")
    agrees, words = reconciled(COUNTS, 12)
    assert not agrees
    assert "= 11, but the register has 12 wearers" in words


def test_sites_come_by_who_is_out_and_add_up_though_some_are_put_together() -> None:
    rows = by_site(COUNTS, most=9)
    assert [(row.name, row.wearers) for row in rows] == [("SE2", 3), ("SE1", 5), ("no district named", 3)]
    few = by_site(COUNTS, most=2)
    assert [(row.name, row.wearers) for row in few] == [("SE2", 3), ("2 other sites", 8)]
    assert sum(row.wearers for row in few) == everybody(COUNTS).wearers == 11
