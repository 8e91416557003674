"""Facts: what a base unit reported, one event each, with the time it happened by the unit's clock.

The shapes are those of docs/protocol.md; instants (`at`, `last_heard_at`) are milliseconds here. A fact's
name is `(unit, boot, seq)`; the time it reached us is kept with the message that brought it.
"""

from typing import Literal, NotRequired, TypeAlias, TypedDict

from emcheck.domain.ids import BootId, Ms, TagId

RangeState: TypeAlias = Literal["in", "out"]


class BootEvent(TypedDict):
    """First event of every boot; `boot_n` orders boots, `prev_last_seq` shows a missing tail of the one before."""

    type: Literal["boot"]
    at: Ms
    reason: NotRequired[str]
    firmware: NotRequired[str]
    heartbeat_s: NotRequired[float]
    boot_n: NotRequired[int]
    prev_boot: NotRequired[BootId | None]
    prev_last_seq: NotRequired[int | None]
    tags: NotRequired[dict[TagId, RangeState]]


class PresenceEvent(TypedDict):
    """The unit's own range decision changed, or is told once after a boot."""

    type: Literal["presence"]
    at: Ms
    tag: TagId
    in_range: bool
    last_heard_at: NotRequired[Ms | None]


class ReportEvent(TypedDict):
    """Periodic summary of a tag in range."""

    type: Literal["report"]
    at: Ms
    tag: TagId
    heard: int
    expected: NotRequired[int]
    strap: NotRequired[Literal["closed", "open", "cut"]]
    skin_c: NotRequired[float | None]
    ambient_c: NotRequired[float | None]
    motion_mg: NotRequired[float | None]
    proximity: NotRequired[float | None]
    battery_pct: NotRequired[float | None]
    replayed: NotRequired[int | None]


class UnitStatusEvent(TypedDict):
    """The heartbeat where nothing else is due, and at each change."""

    type: Literal["unit_status"]
    at: Ms
    power: NotRequired[Literal["mains", "battery"]]
    battery_pct: NotRequired[float | None]
    moved: NotRequired[bool | None]
    case: NotRequired[str | bool | None]
    noise_dbm: NotRequired[float | None]
    buffered: NotRequired[int | None]
    tags: NotRequired[dict[TagId, RangeState]]
    clock_offset_ms: NotRequired[float | None]


class TagTamperEvent(TypedDict):
    """A strap or case event, perhaps told later from the tag's memory with its true time."""

    type: Literal["tag_tamper"]
    at: Ms
    tag: TagId
    kind: Literal["strap_cut", "strap_open", "case_open"]


LostEvent = TypedDict(
    "LostEvent",
    {"type": Literal["lost"], "at": Ms, "boot": BootId, "from": int, "to": int, "periodic_only": bool},
)

Event: TypeAlias = BootEvent | PresenceEvent | ReportEvent | UnitStatusEvent | TagTamperEvent | LostEvent
