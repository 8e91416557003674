"""Roles and rights in plain words: what somebody is here for, and what that lets them do."""

from collections.abc import Mapping
from types import MappingProxyType

from emcheck.domain.rights import RIGHTS, Right, Role, may

ROLE_WORDS: Mapping[Role, str] = MappingProxyType(
    {
        Role.OPERATOR: "works the queue",
        Role.SUPERVISOR: "works the queue, reads the access log and sees all visits",
        Role.FITTER: "makes visits",
        Role.OFFICER: "reads own cases",
        Role.AUDITOR: "reads what the centre sees and acts on nothing",
        Role.ADMINISTRATOR: "looks after accounts and sees no wearer",
    }
)
"""What somebody of a role does."""
RIGHT_WORDS: Mapping[Right, str] = MappingProxyType(
    {
        Right.OWN_ACCOUNT: "look after your own account: password, second factor, sign-ins, language",
        Right.QUEUE: "see the queue, each alert and what it rests on",
        Right.ACT: "act on alerts: acknowledge, claim, hand over, note, shelve, close",
        Right.BOARD: "see where all wearers are",
        Right.SHIFT: "see what a shift hands over, and how it fared",
        Right.WEARERS: "see a wearer's record",
        Right.OWN_CASES: "see own cases and their alerts: wearers whose order names the account as officer",
        Right.EQUIPMENT: "see base units, tags and refused input, as it came",
        Right.ACCESS_LOG: "see who signed in, and who looked at whose record",
        Right.ACCOUNTS: "see who has an account, and with which role",
        Right.VISITS: "see what is to be fitted, and all visits",
        Right.FIT: "make visits: open them, answer, sign",
        Right.OVERRIDE: "let a fitting stand though steps are open, with a reason",
        Right.ASSIGN: "say which fitter makes which visit on which day",
    }
)
"""What a right is to: `you may ...`."""
_NARROWER: Mapping[Right, tuple[Right, str]] = MappingProxyType(
    {
        Right.WEARERS: (Right.QUEUE, "see a wearer's record, of own cases only"),
        Right.VISITS: (Right.OVERRIDE, "see what is to be fitted, and own visits"),
    }
)
"""What a right is to without another."""


def rights_of(role: Role) -> dict[str, str]:
    """What a role may do, by right, in words."""
    return {right.value: _said(role, right) for right in Right if right in RIGHTS[role]}


def _said(role: Role, right: Right) -> str:
    with_, narrower = _NARROWER.get(right, (right, ""))
    return RIGHT_WORDS[right] if may(role, with_) else narrower
