"""What the service was told: every instruction in the inbox, what waits in the mailbox and what was refused lately."""

import json
from datetime import datetime
from typing import Any, NamedTuple

from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms
from emcheck.domain.instructions import (
    GrantAbsence,
    Instruction,
    InstructionError,
    Revoke,
    SuspendOrder,
    VaryOrder,
    outcome_of,
    parse_instruction,
)
from emcheck.domain.personal import impersonal
from emcheck.domain.register import AuthorisedAbsence, Register
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
    if isinstance(act, VaryOrder) and (act.type, act.order_id) == (by.revokes, by.order_id):
        return act.effective_at == by.effective_at
    if not isinstance(act, (GrantAbsence, SuspendOrder)) or (act.type, act.order_id) != (by.revokes, by.order_id):
        return False
    return (
        by.from_ is not None
        and _alike(act.from_, by.from_)
        and (act.until is None or by.until is None or _alike(act.until, by.until))
    )


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


def is_in_force(act: GrantAbsence, register: Register) -> bool:
    """Whether leave of that order and those times stands already."""
    held = (leave for order in register.orders if order.order_id == act.order_id for leave in order.authorised_absences)
    return any(leave.revoked is None and _is_same(leave, act) for leave in held)


async def refuse_twice(store: Store, act: GrantAbsence) -> None:
    """InstructionError that names the leave of the same times that stands."""
    same = [
        one.number
        for one in await given(store)
        if one.number is not None and one.revoked_by is None and one.raw is not None
        and isinstance(other := parse_instruction(one.raw), GrantAbsence)
        and other.order_id == act.order_id and _is_same(other, act)
    ]  # fmt: skip
    if not same:
        raise InstructionError("from", "already in force, by the register that was loaded; nothing is added")
    remedy = f"if it is to say something else, `emcheck instructions revoke {same[-1]}` first"
    raise InstructionError("from", f"already in force as number {same[-1]}; nothing is added; {remedy}")


def _is_same(one: GrantAbsence | AuthorisedAbsence, other: GrantAbsence) -> bool:
    return _alike(one.from_, other.from_) and _alike(one.until, other.until)


async def revocation(
    store: Store, number: int, *, by: str, reason: str, instead: tuple[str, str] | None
) -> dict[str, Any]:
    """The instruction that revokes the one of that number; InstructionError where it is none that can be revoked."""
    row = next((row for row in await store.instructions_after(number - 1) if row.row_id == number), None)
    if row is None:
        raise InstructionError("", "no instruction has this number; `emcheck instructions list` shows them")
    act = parse_instruction(json.loads(row.payload))
    if isinstance(act, VaryOrder):
        if instead is not None:
            raise InstructionError("", "this is a variation, which has no other times; give another one that is right")
        effective_at = format_ms(act.effective_at)
        said = {"type": "revocation", "revokes": act.type, "order_id": act.order_id, "effective_at": effective_at}
        return said | {"reason": reason, "by": by}
    if not isinstance(act, (GrantAbsence, SuspendOrder)):
        kind = act.type.replace("_", " ")
        raise InstructionError("", f"this is no leave, suspension or variation but: {kind}; give another that is right")
    said = {"type": "revocation", "revokes": act.type, "order_id": act.order_id, "from": act.from_}
    said |= {} if act.until is None or isinstance(act, SuspendOrder) else {"until": act.until}
    right = {} if instead is None else {"instead": {"from": instead[0], "until": instead[1]}}
    return said | right | {"reason": reason, "by": by}
