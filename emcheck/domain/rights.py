"""Who may do what: roles of people who sign in, and the rights that each has. A table; what is not in it is refused.

Rule book:
1. A role has the least that its work needs. Who looks after accounts sees no wearer; who audits acts on nothing.
2. A fitter's and an officer's own pages read their own visits and cases only. Until a page of theirs asks for a right
   here they have none but to sign in and to see their own account.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Right(StrEnum):
    """What a page or a call needs."""

    OWN_ACCOUNT = "own_account"
    """Sign out, change the own password."""
    QUEUE = "queue"
    """See the queue, an alert, what it rests on."""
    ACT = "act"
    """Acknowledge, confirm, shelve and close alerts."""
    BOARD = "board"
    """See where everybody is."""
    ACCESS_LOG = "access_log"
    """See who signed in and whose record was looked at."""
    ACCOUNTS = "accounts"
    """See who has an account, and with which role."""


class Role(StrEnum):
    """What somebody is here for."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    FITTER = "fitter"
    OFFICER = "officer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


_OWN = frozenset({Right.OWN_ACCOUNT})
_CENTRE = _OWN | {Right.QUEUE, Right.BOARD}
"""What everybody in a monitoring centre looks at."""
RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.OPERATOR: _CENTRE | {Right.ACT},
        Role.SUPERVISOR: _CENTRE | {Right.ACT, Right.ACCESS_LOG},
        Role.FITTER: _OWN,
        Role.OFFICER: _OWN,
        Role.AUDITOR: _CENTRE | {Right.ACCESS_LOG},
        Role.ADMINISTRATOR: _OWN | {Right.ACCOUNTS},
    }
)


def may(role: Role, right: Right) -> bool:
    """Whether the table gives the role this right."""
    return right in RIGHTS[role]
