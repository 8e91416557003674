"""What a base unit can read on its `down` topic. Any bytes give a message or None, never an exception."""

import json
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emcheck.domain.ids import BootId, Ms
from emcheck.domain.instants import parse_ms

_Ulid = Annotated[str, Field(pattern=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
_Seq = Annotated[int, Field(ge=0, le=2**63 - 1, strict=True)]
_lenient = ConfigDict(extra="ignore", frozen=True)


class _Ack(BaseModel):
    model_config = _lenient
    boot: _Ulid
    seq: _Seq


class _Range(BaseModel):
    model_config = _lenient
    first: Annotated[int, Field(alias="from", ge=1, le=2**63 - 1, strict=True)]
    last: Annotated[int, Field(alias="to", ge=1, le=2**63 - 1, strict=True)]


class _Resend(_Range):
    boot: _Ulid


class _Message(BaseModel):
    model_config = _lenient
    v: Annotated[int, Field(ge=1, le=1, strict=True)]
    store: _Ulid
    n: Annotated[int, Field(ge=1, le=2**63 - 1, strict=True)]
    unit: str | None = None
    now: str | None = None
    ack: _Ack | None = None
    rejected: tuple[_Range, ...] = ()
    resend: _Resend | None = None
    config: dict[str, Any] | None = None


class Acknowledged(NamedTuple):
    """Everything of `boot` up to `seq` is safe."""

    boot: BootId
    seq: int


class Downlink(NamedTuple):
    """One message of the service to one unit; `rejected` counts events that it keeps in quarantine."""

    store: str
    n: int
    now: Ms | None
    ack: Acknowledged | None
    rejected: int
    resend: tuple[BootId, int, int] | None
    config: dict[str, Any] | None
    unit: str | None


def read_downlink(payload: bytes) -> Downlink | None:
    """The message in `payload`, or None where it is none that this version understands."""
    try:
        message = _Message.model_validate(json.loads(payload))
        now = None if message.now is None else parse_ms(message.now)
    except (ValidationError, ValueError, RecursionError):
        return None
    ack = None if message.ack is None else Acknowledged(BootId(message.ack.boot), message.ack.seq)
    asked = message.resend
    resend = None if asked is None else (BootId(asked.boot), asked.first, asked.last)
    rejected = sum(max(0, span.last - span.first + 1) for span in message.rejected)
    return Downlink(message.store, message.n, now, ack, rejected, resend, message.config, message.unit)
