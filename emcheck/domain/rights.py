"""Who may do what: roles of people who sign in, and the rights that each has. A table; what is not in it is refused.

Rule book:
1. A role has the least that its work needs. Who looks after accounts sees no wearer; who audits acts on nothing.
2. An officer reads own cases only: whose order names the officer. What is asked of anybody else's is answered as if
   there were no such wearer. A fitter reads own visits only. Whoever may let a fitting stand sees every visit and
   makes none: nobody overrides themselves.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

ACCOUNT = r"[a-z0-9][a-z0-9._@+-]{1,79}"
"""How an account may be called, here or at a provider elsewhere, where names are often addresses."""


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
    SHIFT = "shift"
    """See what a shift hands over, and how it fared."""
    WEARERS = "wearers"
    """See a wearer's record; without the right to the queue, that of own cases only."""
    OWN_CASES = "own_cases"
    """See whose order names oneself as officer."""
    EQUIPMENT = "equipment"
    """See base units, tags and refused input, as it came."""
    ACCESS_LOG = "access_log"
    """See who signed in and whose record was looked at."""
    ACCOUNTS = "accounts"
    """See who has an account, and with which role."""
    VISITS = "visits"
    """See what is to be fitted, and visits: the own ones, with `override` all."""
    FIT = "fit"
    """Make visits: open them, answer, sign."""
    OVERRIDE = "override"
    """Let a fitting stand though steps are open, with a reason."""
    ASSIGN = "assign"
    """Say which fitter makes which visit on which day."""


class Role(StrEnum):
    """What somebody is here for."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    FITTER = "fitter"
    OFFICER = "officer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


_OWN = frozenset({Right.OWN_ACCOUNT})
_CENTRE = _OWN | {Right.QUEUE, Right.BOARD, Right.SHIFT, Right.EQUIPMENT, Right.WEARERS}
"""What everybody in a monitoring centre looks at."""
RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.OPERATOR: _CENTRE | {Right.ACT},
        Role.SUPERVISOR: _CENTRE | {Right.ACT, Right.ACCESS_LOG, Right.VISITS, Right.OVERRIDE, Right.ASSIGN},
        Role.FITTER: _OWN | {Right.VISITS, Right.FIT},
        Role.OFFICER: _OWN | {Right.OWN_CASES, Right.WEARERS},
        Role.AUDITOR: _CENTRE | {Right.ACCESS_LOG},
        Role.ADMINISTRATOR: _OWN | {Right.ACCOUNTS},
    }
)


def may(role: Role, right: Right) -> bool:
    """Whether the table gives the role this right."""
    return right in RIGHTS[role]
