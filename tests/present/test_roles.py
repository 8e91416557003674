"""Roles and rights in plain words."""

import pytest

from emcheck.domain.rights import RIGHTS, Right, Role
from emcheck.present.roles import RIGHT_WORDS, ROLE_WORDS, rights_of


def test_every_role_and_right_has_words() -> None:
    assert set(ROLE_WORDS) == set(Role)
    assert set(RIGHT_WORDS) == set(Right)


@pytest.mark.parametrize("role", Role)
def test_what_a_role_may_do_is_what_the_table_gives(role: Role) -> None:
    assert set(rights_of(role)) == RIGHTS[role]
    assert all(rights_of(role).values())


def test_whose_is_said_where_it_is_not_everybody_s() -> None:
    assert rights_of(Role.OFFICER)["wearers"] == "see a wearer's record, of own cases only"
    assert rights_of(Role.OPERATOR)["wearers"] == "see a wearer's record"
    assert rights_of(Role.FITTER)["visits"] == "see what is to be fitted, and own visits"
    assert rights_of(Role.SUPERVISOR)["visits"] == "see what is to be fitted, and all visits"
