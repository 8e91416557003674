"""What the service was told: every instruction in the inbox, what waits in the mailbox and what was refused lately."""

import json
from datetime import datetime
from typing import Any, NamedTuple

from emcheck.domain.ids import Ms
from emcheck.domain.instructions import (
    GrantAbsence,
    Instruction,
    InstructionError,
    Revoke,
    SuspendOrder,
    impersonal,
    outcome_of,
    parse_instruction,
)
from emcheck.ports import Store


class Given(NamedTuple):
    """`number` is its row in the inbox, None where it is not there; `raw` what was said, None where it is not kept.

    `revoked_by` is the number of the revocation that took it back.
    """

    number: int | None
    at: Ms
    raw: dict[str, Any] | None
    outcome: str
    revoked_by: int | None = None


async def given(store: Store) -> list[Given]:
    """All of it, in the order in which it was given."""
    found: list[Given] = []
    for row in await store.instructions_after(0):
        raw = json.loads(row.payload)
        act = parse_instruction(raw)
        if isinstance(act, Revoke):
            found = [one._replace(revoked_by=row.row_id) if _is_revoked(one, act) else one for one in found]
        found.append(Given(row.row_id, row.received_at, raw, outcome_of(raw.get("warnings", ()))))
    found += [
        Given(None, letter.posted_at, None, outcome)
        for letter, outcome in await store.answered()
        if not outcome.startswith("done")
    ]
    found += [Given(None, letter.posted_at, _legible(letter.body), "waits") for letter in await store.letters()]
    return sorted(found, key=lambda one: (one.at, one.number or 0))


def _is_revoked(one: Given, by: Revoke) -> bool:
    """Whether a revocation takes back what was given before, and nobody did so already."""
    act: Instruction | None = None if one.raw is None or one.revoked_by is not None else parse_instruction(one.raw)
    if not isinstance(act, (GrantAbsence, SuspendOrder)) or (act.type, act.order_id) != (by.revokes, by.order_id):
        return False
    return _alike(act.from_, by.from_) and (act.until is None or by.until is None or _alike(act.until, by.until))


def _alike(one: str, other: str) -> bool:
    """The same local time, however it is written."""
    return datetime.fromisoformat(one) == datetime.fromisoformat(other)


def _legible(body: bytes) -> dict[str, Any] | None:
    """What waits may be anything."""
    try:
        raw = json.loads(body)
        parse_instruction(raw)
    except (ValueError, RecursionError):
        return None
    return dict(impersonal(raw))


async def revocation(
    store: Store, number: int, *, by: str, reason: str, instead: tuple[str, str] | None
) -> dict[str, Any]:
    """The instruction that revokes the one of that number; InstructionError where it is none that can be revoked."""
    row = next((row for row in await store.instructions_after(number - 1) if row.row_id == number), None)
    if row is None:
        raise InstructionError("", "no instruction has this number; `emcheck instructions list` shows them")
    act = parse_instruction(json.loads(row.payload))
    if not isinstance(act, (GrantAbsence, SuspendOrder)):
        kind = act.type.replace("_", " ")
        raise InstructionError("", f"this is no leave and no suspension but: {kind}; give another one that is right")
    said = {"type": "revocation", "revokes": act.type, "order_id": act.order_id, "from": act.from_}
    said |= {} if act.until is None or isinstance(act, SuspendOrder) else {"until": act.until}
    right = {} if instead is None else {"instead": {"from": instead[0], "until": instead[1]}}
    return said | right | {"reason": reason, "by": by}
