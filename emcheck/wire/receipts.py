"""Receipts on `em/v1/alerts/receipt`: a consumer confirms that it has an event of the monitoring queue.

Who sends none is asked for none by the policy, or his alerts climb their tree at once (`emcheck.domain.escalation`).
"""

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emcheck.wire import refusing

SIZE_MAX = 4096
"""Bytes; a receipt has some hundred."""


class ReceiptWord(BaseModel):
    """`em/v1/alerts/receipt`: once the consumer has the event safe, or a person has seen it. Repeats do no harm."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, use_attribute_docstrings=True)

    v: Literal[1]
    """Version of this form."""
    id: Annotated[str, Field(pattern=refusing.EVENT_ID)]
    """The id of the CloudEvent that was received; events of the alert before it count as received, too."""
    consumer: Annotated[str, Field(min_length=1, max_length=80, pattern=refusing.NOT_BLANK)]
    """Who has it: the name of a monitoring centre, a console or a bridge."""


class Confirmed(NamedTuple):
    """What a receipt says: `consumer` has that revision of the alert."""

    alert_id: str
    revision: int
    consumer: str


class ReceiptRefused(ValueError):
    """A receipt that cannot be used; its text names the field and what is wrong with it."""


def decode_receipt(payload: bytes) -> Confirmed:
    """What a receipt says; ReceiptRefused for anything else."""
    if len(payload) > SIZE_MAX:
        raise ReceiptRefused(f"{len(payload)} bytes; a receipt has at most {SIZE_MAX}")
    try:
        word = ReceiptWord.model_validate_json(payload)
    except ValidationError as error:
        raise ReceiptRefused(refusing.first_problem(error, "receipt")) from None
    alert_id, _, revision = word.id.rpartition(".")
    return Confirmed(alert_id, int(revision), word.consumer)


def receipt_for(event_id: str, consumer: str) -> bytes:
    """The receipt of an event."""
    return ReceiptWord(v=1, id=event_id, consumer=consumer).model_dump_json().encode()
