"""One message into the engine: the same steps live and in replay (P2)."""

from collections.abc import Callable
from typing import NamedTuple

from emcheck.domain.engine import Engine
from emcheck.domain.ids import BootId, Ms, UnitId
from emcheck.domain.receipt import Receipt
from emcheck.domain.rules.evidence import BAD_RECEIPT
from emcheck.ports import Message, Quarantined
from emcheck.wire.codec import Envelope, EnvelopeRefused, decode
from emcheck.wire.receipts import Confirmed, ReceiptRefused, decode_receipt
from emcheck.wire.signing import signature_fault
from emcheck.wire.topics import RECEIPT, unit_of_up


class Taken(NamedTuple):
    """What became of a message: a receipt to acknowledge, or refusals for the quarantine, or both.

    `refusals` are `(reason, detail, first_seq, last_seq)`; `rejected` is what the unit is told of them.
    """

    unit: UnitId | None
    receipt: Receipt | None
    refusals: tuple[tuple[str, str, int | None, int | None], ...] = ()
    envelope: Envelope | None = None
    confirmed: Confirmed | None = None
    """What a consumer of the monitoring queue confirms to have."""


_NOT_ENROLLED = "the unit is in no installation of the register"
Remember = Callable[[UnitId, BootId, int, int, bytes], None]
"""Unit, boot, first number and count of an envelope that brings something new, and its bytes."""


REASONS = (
    "not_enrolled", "retained", "bad_signature", "other_unit", "bad_topic", "bad_receipt", "unknown_event", "over_size",
    "not_json", "wrong_version", "not_in_schema", "impossible_time",
)  # fmt: skip
"""Why input is refused, as quarantine names it."""


def take(engine: Engine, topic: str, payload: bytes, received_at: Ms, *, retained: bool, remember: Remember) -> Taken:
    """Judge one `up` message and fold it in, or read a consumer's receipt; never raises for what is in it."""
    unit = unit_of_up(topic)
    if unit is None:
        return _of_no_unit(engine, topic, payload, received_at, retained=retained)
    known = engine.units.get(unit)
    if known is None:
        engine.refuse(unit, "not_enrolled", _NOT_ENROLLED, received_at)
        return Taken(unit, None, (("not_enrolled", _NOT_ENROLLED, None, None),))
    unit = known.unit  # the register's text, not one of each message's own: it is kept in many places
    if retained:
        return _refused(engine, unit, "retained", "an up message must not be retained", received_at)
    fault = _signature_fault(engine, unit, payload, received_at)
    if fault is not None:
        return _refused(engine, unit, "bad_signature", fault, received_at)
    try:
        envelope = decode(payload)
    except EnvelopeRefused as error:
        return _unreadable(engine, unit, error, received_at)
    if envelope.unit is not None and envelope.unit != unit:
        return _refused(engine, unit, "other_unit", f"the envelope names {envelope.unit}", received_at)
    count = len(envelope.events)
    repeat = known.knows(envelope.boot, envelope.first_seq, count)
    for refusal in envelope.refused:
        engine.refuse(unit, refusal.reason, refusal.detail, received_at)
    receipt = engine.receive(unit, envelope.boot, envelope.first_seq, envelope.events, received_at)
    if not repeat:  # afterwards: no envelope is its own original
        remember(unit, envelope.boot, envelope.first_seq, count, payload)
    if not envelope.refused and not receipt.refused:
        return Taken(unit, receipt, (), envelope)
    for early in receipt.refused:
        engine.refuse(unit, early.reason, early.detail, received_at)
    refusals = tuple((r.reason, r.detail, r.seq, r.seq) for r in envelope.refused)
    refusals += tuple((r.reason, r.detail, r.seq, r.seq) for r in receipt.refused)
    return Taken(unit, receipt, refusals, envelope)


def _of_no_unit(engine: Engine, topic: str, payload: bytes, received_at: Ms, *, retained: bool) -> Taken:
    """A consumer's receipt changes no verdict; one that cannot be used is bad input like any other."""
    if topic != RECEIPT:
        return _refused(engine, UnitId(topic[:80]), "bad_topic", "a unit's topic is em/v1/{unit}/up", received_at)
    if retained:
        return Taken(None, None, (("retained", "a receipt must not be retained", None, None),))
    try:
        return Taken(None, None, confirmed=decode_receipt(payload))
    except ReceiptRefused as error:
        return _refused(engine, UnitId(RECEIPT), BAD_RECEIPT, str(error), received_at)


def _signature_fault(engine: Engine, unit: UnitId, payload: bytes, received_at: Ms) -> str | None:
    """Judged before anything is read of the numbers: nobody but the unit may use them up (docs/adr/0010)."""
    key, required = engine.units[unit].public_key, engine.roster.signatures_required(received_at)
    if key is None and not required:
        return None
    return signature_fault(payload, unit=unit, public_key=key, required=required)


def _refused(engine: Engine, unit: UnitId, reason: str, detail: str, received_at: Ms) -> Taken:
    engine.refuse(unit, reason, detail, received_at)
    return Taken(unit if unit in engine.units else None, None, ((reason, detail, None, None),))


def _unreadable(engine: Engine, unit: UnitId, error: EnvelopeRefused, received_at: Ms) -> Taken:
    """An envelope that cannot be used: what can be read of boot, first_seq and count is acknowledged."""
    engine.refuse(unit, error.reason, error.detail, received_at)
    if error.boot is None or error.first_seq is None or error.count is None:
        return Taken(unit, None, ((error.reason, error.detail, None, None),))
    receipt = engine.receive(unit, BootId(error.boot), error.first_seq, [None] * error.count, received_at)
    return Taken(unit, receipt, ((error.reason, error.detail, error.first_seq, error.first_seq + error.count - 1),))


def quarantined(message: Message, taken: Taken) -> list[Quarantined]:
    """A row for each reason, with the numbers from the first to the last that it holds for."""
    boot = taken.receipt.boot if taken.receipt is not None else None
    rows: dict[str, Quarantined] = {}
    for reason, detail, first, last in taken.refusals:
        if reason in rows:
            rows[reason] = rows[reason]._replace(last_seq=last)
        else:
            rows[reason] = Quarantined(
                message.received_at, message.topic, taken.unit, reason, detail, message.payload, boot, first, last
            )
    return list(rows.values())


def owed(taken: Taken) -> list[tuple[UnitId, BootId, list[dict[str, object]]]]:
    """Whom to acknowledge after the commit: unit and boot, and what was refused of it."""
    if taken.unit is None or taken.receipt is None:
        return []
    rejected: list[dict[str, object]] = [
        {"from": first, "to": last, "reason": reason} for reason, _, first, last in taken.refusals if first is not None
    ]
    return [(taken.unit, taken.receipt.boot, rejected), *((taken.unit, boot, []) for boot in _completed(taken))]


def _completed(taken: Taken) -> set[BootId]:
    """Boots that may be accounted for by what an envelope declares lost."""
    events = () if taken.envelope is None else taken.envelope.events
    return {event["boot"] for event in events if event is not None and event["type"] == "lost"}
