"""The published shapes of what passes on MQTT beside the envelope, and of recorded streams (protocol.md, formats.md).

They describe; what comes in is judged by `codec`, for an envelope is judged event by event.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from emcheck.domain.instructions import Instruction
from emcheck.wire.topics import UNIT_PATTERN

Instant = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$",
        json_schema_extra={"format": "date-time"},
    ),
]
"""RFC 3339 with its offset."""
LocalTime = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?$")]
Number = Annotated[int, Field(ge=1, le=2**63 - 1)]
Ulid = Annotated[str, Field(pattern=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
Unit = Annotated[str, Field(pattern=rf"^{UNIT_PATTERN}$")]


class _Open(BaseModel):
    """The receiver ignores what it does not know, so that either side may be newer."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)


class HostWord(_Open):
    """`em/v1/host`, retained: whether the service listens; units hold what is not urgent while it does not."""

    online: bool
    """False is the service's last will."""
    store: str | None = None
    """The database in charge; a unit obeys only the one it was enrolled with."""


class Link(_Open):
    """`em/v1/{unit}/link`, retained: a hint only, it never makes or ends a finding."""

    online: bool
    """False is the unit's last will."""
    boot: Ulid | None = None
    """The boot that is connected."""


class Acknowledged(_Open):
    """Every event of `boot` up to `seq` is committed, in quarantine or declared lost."""

    boot: Ulid
    """The boot."""
    seq: Annotated[int, Field(ge=0, le=2**63 - 1)]
    """0 where nothing can be acknowledged yet."""


class Rejected(_Open):
    """Numbers that came and could not be used."""

    from_: Annotated[Number, Field(alias="from")]
    """First number."""
    to: Number
    """Last number."""
    reason: str
    """A stable name, as `not_in_schema`."""


class Resend(_Open):
    """Numbers that are missing; answered with the events or with `lost`."""

    boot: Ulid
    """The boot."""
    from_: Annotated[Number, Field(alias="from")]
    """First number."""
    to: Number
    """Last number."""


class ScheduledWindow(_Open):
    """A curfew window with the tags that are to be in range."""

    from_: Annotated[Instant, Field(alias="from")]
    """First instant."""
    until: Instant
    """First instant after it."""
    tags: list[str]
    """The tags."""


class FastReporting(_Open):
    """While a fitter is on site; it ends by itself."""

    session: str
    """Whose visit."""
    report_s: int
    """How often a tag in range is reported until then."""
    until: Instant
    """When it ends."""


class Configuration(_Open):
    """Repeated until the unit echoes `rev` and the hash."""

    rev: int
    """Rises with each change."""
    heartbeat_s: Annotated[int, Field(ge=1, le=300)]
    """Some event comes at least this often."""
    report_s: int
    """How often a tag in range is reported."""
    leave_time_s: int
    """Silence after which the unit says that a tag is out of range."""
    range_dbm: float | None = None
    """The calibrated range."""
    tags: list[str]
    """The tags to listen for."""
    schedule: list[ScheduledWindow]
    """The curfew windows at the unit's address."""
    schedule_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the schedule in its RFC 8785 form."""
    fitting: FastReporting | None = None
    """During a visit."""


class _Downlink(_Open):
    v: Literal[1]
    """Version of the protocol."""
    store: str
    """The database that says so."""
    n: int
    """Rises with each message."""
    unit: Unit | None = None
    """To whom, where it is signed."""
    sig: str | None = None
    """Ed25519 over the RFC 8785 form without `sig`, base64."""


class Acknowledgement(_Downlink):
    """What is safe: cumulative, after the commit, and in answer to duplicates too."""

    now: Instant
    """The service's clock."""
    ack: Acknowledged
    """How far."""
    rejected: list[Rejected] | None = None
    """What could not be used."""


class ResendRequest(_Downlink):
    """What is missing."""

    resend: Resend
    """Which numbers."""


class ConfigurationWord(_Downlink):
    """What the unit should hold."""

    config: Configuration
    """All of it."""


class _Line(_Open):
    received_at: Instant
    """When the service received it; lines stand in this order."""


class JsonLine(_Line):
    """A message whose payload is JSON."""

    topic: str
    """Its MQTT topic."""
    retained: bool = False
    """Whether the broker had kept it: whatever it says, it is refused."""
    payload: Any
    """As it came; what is no envelope is judged as such."""


class BytesLine(_Line):
    """A message whose payload is not JSON."""

    topic: str
    """Its MQTT topic."""
    retained: bool = False
    """Whether the broker had kept it: whatever it says, it is refused."""
    payload_b64: Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]
    """As it came."""


class InstructionLine(_Line):
    """An operator's or fitter's act, known from its receipt."""

    instruction: Instruction
    """The act."""


class ServiceLine(_Line):
    """When the service was receiving."""

    service: Literal["started", "stopped", "alive"]
    """What it did."""


class ClockLine(_Line):
    """What the service found of its own clock: one of the two."""

    service: Literal["clock"]
    """Of the machine's wall clock."""
    stepped_ms: int | None = None
    """By how much it was set forward; back where this is below 0."""
    synchronised: bool | None = None
    """Whether the system holds it to a time source, from now on."""


DOWNLINK: TypeAdapter[Any] = TypeAdapter(Acknowledgement | ResendRequest | ConfigurationWord)
STREAM_LINE: TypeAdapter[Any] = TypeAdapter(JsonLine | BytesLine | InstructionLine | ServiceLine | ClockLine)
