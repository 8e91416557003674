"""Envelope codec: bytes in, facts or one named refusal out; whatever the bytes are.

Events are judged one by one (protocol.md, Bad input): a bad one is refused alone and its neighbours
stand. What can be read of `boot`, `first_seq` and the count is known of every refusal, so that the unit
can be answered. Unknown fields are ignored here and kept in the raw envelope.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypeAlias, cast

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from emcheck.domain.facts import Event
from emcheck.domain.ids import BootId
from emcheck.domain.instants import parse_ms
from emcheck.wire import refusing

ENVELOPE_MAX_BYTES = 64 * 1024
"""protocol.md: an envelope is at most 64 KiB."""
SEQ_MAX = 2**63 - 1
EVENTS_MAX = 5_000
_OFFSET_MAX_MS = 4e12
"""A century and more: a clock without a battery starts in 1970."""

_At = Annotated[str, Field(pattern=refusing.AT)]
_Boot = Annotated[str, Field(pattern=refusing.BOOT)]
_Tag = Annotated[str, Field(pattern=refusing.TAG)]
_Seq = Annotated[int, Field(ge=1, le=SEQ_MAX, strict=True)]
_Count = Annotated[int, Field(ge=0, le=SEQ_MAX)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Evidence = _Number
"""What a tag tells of the body: any number, for a report with a broken sensor still tells presence. What cannot be
(skin 80 degC, proximity 7) is missing evidence, and the body check says so. NaN is no JSON."""
_Percent = Annotated[float, Field(ge=0, le=100)]
_Tags = dict[_Tag, Literal["in", "out"]]
_Text = Annotated[str, Field(max_length=256)]
_lenient = with_config(ConfigDict(extra="ignore"))


@_lenient
class _BootEvent(TypedDict):
    type: Literal["boot"]
    at: _At
    reason: NotRequired[_Text]
    firmware: NotRequired[_Text]
    heartbeat_s: NotRequired[Annotated[float, Field(gt=0, le=300)] | None]
    boot_n: NotRequired[_Count | None]
    prev_boot: NotRequired[_Boot | None]
    prev_last_seq: NotRequired[_Count | None]
    config_rev: NotRequired[_Count | None]
    schedule_sha256: NotRequired[_Text | None]
    tags: NotRequired[_Tags | None]


@_lenient
class _PresenceEvent(TypedDict):
    type: Literal["presence"]
    at: _At
    tag: _Tag
    in_range: Annotated[bool, Field(strict=True)]
    rssi_dbm: NotRequired[_Number | None]
    last_heard_at: NotRequired[_At | None]


@_lenient
class _ReportEvent(TypedDict):
    type: Literal["report"]
    at: _At
    tag: _Tag
    heard: _Count
    interval_s: NotRequired[Annotated[float, Field(ge=0)]]
    expected: NotRequired[_Count]
    rssi_dbm: NotRequired[_Number | None]
    strap: NotRequired[Literal["closed", "open", "cut"]]
    proximity: NotRequired[_Evidence | None]
    skin_c: NotRequired[_Evidence | None]
    ambient_c: NotRequired[_Evidence | None]
    motion_mg: NotRequired[_Evidence | None]
    battery_pct: NotRequired[_Percent | None]
    replayed: NotRequired[_Count | None]


@_lenient
class _UnitStatusEvent(TypedDict):
    type: Literal["unit_status"]
    at: _At
    power: NotRequired[Literal["mains", "battery"]]
    battery_pct: NotRequired[_Percent | None]
    tilt_deg: NotRequired[_Number | None]
    moved: NotRequired[bool | None]
    case: NotRequired[_Text | bool | None]
    signal_dbm: NotRequired[_Number | None]
    noise_dbm: NotRequired[_Number | None]
    buffered: NotRequired[_Count | None]
    tags: NotRequired[_Tags | None]
    clock_offset_ms: NotRequired[
        Annotated[float, Field(allow_inf_nan=False, ge=-_OFFSET_MAX_MS, le=_OFFSET_MAX_MS)] | None
    ]
    rtt_ms: NotRequired[_Number | None]
    config_rev: NotRequired[_Count | None]
    schedule_sha256: NotRequired[_Text | None]
    refused: NotRequired[_Count | None]


@_lenient
class _TagTamperEvent(TypedDict):
    type: Literal["tag_tamper"]
    at: _At
    tag: _Tag
    kind: Literal["strap_cut", "strap_open", "case_open"]


_LostEvent = _lenient(
    TypedDict(  # type: ignore[operator]  # a functional TypedDict: `from` is a keyword
        "_LostEvent",
        {
            "type": Literal["lost"],
            "at": _At,
            "boot": _Boot,
            "from": _Seq,
            "to": _Seq,
            "periodic_only": bool,
        },
    )
)

_AnyEvent: TypeAlias = Annotated[
    _BootEvent | _PresenceEvent | _ReportEvent | _UnitStatusEvent | _TagTamperEvent | _LostEvent,  # type: ignore[valid-type]  # made by call: `from` is a keyword
    Field(discriminator="type"),
]


@_lenient
class _Envelope(TypedDict):
    v: Annotated[int, Field(strict=True, ge=1, le=1)]
    unit: NotRequired[Annotated[str, Field(pattern=refusing.UNIT)] | None]
    boot: _Boot
    first_seq: _Seq
    sent_at: NotRequired[_At | None]
    events: Annotated[list[_AnyEvent], Field(min_length=1, max_length=EVENTS_MAX)]
    sig: NotRequired[_Text | None]


_ENVELOPE: TypeAdapter[Any] = TypeAdapter(_Envelope)
_EVENT: TypeAdapter[Any] = TypeAdapter(_AnyEvent)


class EventRefused(NamedTuple):
    """One event of an envelope that could not be used: its number, the named reason, and what is wrong."""

    seq: int
    reason: str
    detail: str


class Envelope(NamedTuple):
    """A readable envelope: `events[i]` is number `first_seq + i`, or None where `refused` names it."""

    boot: BootId
    first_seq: int
    events: Sequence[Event | None]
    refused: tuple[EventRefused, ...] = ()
    unit: str | None = None


class EnvelopeRefused(ValueError):
    """The whole envelope cannot be used. `reason` is a stable name; `boot`, `first_seq`, `count` what was legible."""

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        boot: str | None = None,
        first_seq: int | None = None,
        count: int | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.boot = boot
        self.first_seq = first_seq
        self.count = count


def decode(payload: bytes) -> Envelope:
    """The envelope in `payload`; EnvelopeRefused for anything else. Never another exception."""
    if len(payload) > ENVELOPE_MAX_BYTES:
        raise EnvelopeRefused("over_size", f"{len(payload)} bytes; an envelope is at most {ENVELOPE_MAX_BYTES}")
    try:
        raw = _ENVELOPE.validator.validate_json(payload)
        return Envelope(raw["boot"], raw["first_seq"], [_fact(event) for event in raw["events"]], (), raw.get("unit"))
    except ValueError:
        return _decode_slowly(payload)


def _fact(event: dict[str, Any]) -> Event:
    """The validated event with its instants as milliseconds; ValueError for a date that does not exist."""
    event["at"] = parse_ms(event["at"])
    heard_at = event.get("last_heard_at")
    if heard_at is not None:
        event["last_heard_at"] = heard_ms = parse_ms(heard_at)
        if heard_ms > event["at"]:
            raise ValueError("last_heard_at is later than at")
    if event["type"] == "lost" and event["from"] > event["to"]:
        raise ValueError("from is above to")
    return cast("Event", event)


def _decode_slowly(payload: bytes) -> Envelope:
    """Find out what is wrong and keep what is right: header first, then event by event."""
    try:
        raw = json.loads(payload.decode())
    except (ValueError, RecursionError) as error:
        raise EnvelopeRefused("not_json", str(error)[:200]) from None
    if not isinstance(raw, dict):
        raise EnvelopeRefused("not_in_schema", f"an envelope is a JSON object, not {type(raw).__name__}")
    legible = _legible(raw)
    version = raw.get("v")
    if isinstance(version, bool) or version != 1:
        raise EnvelopeRefused("wrong_version", f"v is {version!r}; this service speaks version 1"[:200], **legible)
    events = raw.get("events")
    try:
        header = _ENVELOPE.validate_python(raw | {"events": [{"type": "unit_status", "at": "2000-01-01T00:00:00Z"}]})
    except ValidationError as error:
        raise EnvelopeRefused("not_in_schema", refusing.first_problem(error, "envelope"), **legible) from None
    if not isinstance(events, list) or not 1 <= len(events) <= EVENTS_MAX:
        raise EnvelopeRefused("not_in_schema", f"events is a list of 1 to {EVENTS_MAX}", **legible)
    facts: list[Event | None] = []
    refused: list[EventRefused] = []
    for seq, event in enumerate(events, start=header["first_seq"]):
        facts.append(_judge(seq, event, refused))
    return Envelope(header["boot"], header["first_seq"], facts, tuple(refused), header.get("unit"))


def _judge(seq: int, event: object, refused: list[EventRefused]) -> Event | None:
    try:
        return _fact(_EVENT.validate_python(event))
    except ValidationError as error:
        refused.append(EventRefused(seq, "not_in_schema", refusing.first_problem(error, "envelope")))
    except ValueError as error:
        refused.append(EventRefused(seq, "impossible_time", str(error)[:200]))
    return None


def _legible(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What can be read of `boot`, `first_seq` and the count of a broken envelope."""
    boot, first_seq, events = raw.get("boot"), raw.get("first_seq"), raw.get("events")
    legible: dict[str, Any] = {}
    try:
        legible["boot"] = TypeAdapter(_Boot).validate_python(boot)
        legible["first_seq"] = TypeAdapter(_Seq).validate_python(first_seq)
    except ValidationError:
        return {}
    if isinstance(events, list) and 1 <= len(events) <= EVENTS_MAX:
        return legible | {"count": len(events)}
    return {}


def envelope_schema() -> dict[str, Any]:
    """JSON Schema of an envelope."""
    return _ENVELOPE.json_schema()
