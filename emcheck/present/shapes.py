"""The published shapes of what people and test harnesses exchange with emcheck (formats.md)."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from emcheck.domain.escalation import OPERATIONS, PRIORITIES
from emcheck.domain.policy import DEFAULTS, KEYS, Action, Dates, least

Instant = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", json_schema_extra={"format": "date-time"})
]
"""RFC 3339, UTC, milliseconds."""
Priority = Literal["P1", "P2", "P3", "P4"]
Seconds = Annotated[int | float, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class WindowShape(_Part):
    """A curfew window."""

    start: Instant
    """First instant."""
    end: Instant
    """First instant after it."""


class FactShape(_Part):
    """The event that a finding rests on."""

    unit: str
    """The base unit."""
    boot: str
    """Its boot."""
    seq: int
    """Its number in that boot."""


class FindingShape(_Part):
    """A line of `emcheck replay --format jsonl`. What does not apply is left out; an open finding has `end` null."""

    rule: str
    """Stable id of the rule, as `curfew.absence`."""
    class_: Annotated[str, Field(alias="class")] = ""
    """Which kind of the rule's findings, as `late_return`."""
    wearer_id: str = ""
    """Whom it is about."""
    order_id: str = ""
    """Whose curfew it is about."""
    unit: str = ""
    """Which base unit it is about."""
    window: WindowShape | None = None
    """The curfew window it is about."""
    start: Instant
    """Where it begins, clipped to the window."""
    end: Instant | None
    """Where it ends, clipped to the window."""
    seconds: Seconds = 0
    """Its length less `excluded_seconds`."""
    excluded_seconds: Seconds = 0
    """Its overlap with authorised absences."""
    state: Literal["open", "closed"]
    """Whether it goes on."""
    priority: Priority
    """P1 (at once) to P4 (in days)."""
    raised_at: Instant | None
    """When its alert was raised by event or wake-up, null where none was."""
    text: str
    """What happened, in one sentence or two."""
    evidence: list[FactShape]
    """The events it rests on."""
    doubts: list[str] = []
    """What weakens it."""
    detail: dict[str, str | int] = {}
    """What the rule says beside: counts, missing numbers."""
    policy: str
    """`name@version` of the policy."""
    policy_sha256: str
    """The hash of that version, over its file."""
    register_: Annotated[str, Field(alias="register")]
    """Hash of the register without personal data."""
    tzdata: str
    """Version of the tz database."""


class IntervalShape(_Part):
    """A stretch of a wearer's presence at an address."""

    wearer_id: str
    """Who."""
    address_id: str
    """Where."""
    start: Instant
    """First instant."""
    end: Instant
    """First instant after it."""
    state: Literal["present", "absent", "unknown"]
    """What is known."""


class TimelineShape(_Part):
    """A line that `--timeline` adds."""

    timeline: IntervalShape
    """The stretch."""


class BodySampleShape(_Part):
    """A row of a body-sample file (CSV with this header); an empty cell is missing."""

    at: str
    """RFC 3339 or epoch seconds."""
    skin_c: float | None
    """Temperature at the skin."""
    ambient_c: float | None
    """Temperature of the air."""
    motion: Annotated[float, Field(ge=0)] | None
    """In the device's own unit: only zero, non-zero and ratios to the device's own history may be used."""
    proximity: Annotated[float, Field(ge=0, le=1)] | None = None
    """1 is contact."""
    strap: str | None = None
    """Closed, open or cut."""


def policy_schema() -> dict[str, Any]:
    """JSON Schema of a policy, which is written as TOML: a table for each threshold under its dotted key."""
    values: dict[type, dict[str, Any]] = {
        float: {"type": "number", "minimum": 0, "exclusiveMaximum": 1e10},
        str: {"enum": ["P1", "P2", "P3", "P4"]},
        bool: {"type": "boolean"},
        date: {"type": "string", "format": "date"},
        Dates: {"type": "string", "pattern": r"^(\d{4}-\d\d-\d\d( |$))*$"},
        Action: {"enum": list(Action)},
    }
    text = {"type": "string"}
    head = {"name": text, "version": text, "effective_at": text | {"format": "date-time"}}
    schema = _table(head)
    for key, kind in KEYS.items():
        *path, last = key.split(".")
        table = schema
        for part in path:
            table = _member(table, part, _table({}), needed=key not in DEFAULTS)
        value = values[kind] | ({"minimum": least(key)} if kind is float else {})
        told = {"value": value, "unit": text, "reason": text, "source": text, "sign_off": {"type": "boolean"}}
        threshold = _table(told) | {"required": ["value", "reason", "source"]}
        _member(table, last, threshold, needed=key not in DEFAULTS)
    _member(schema, "escalation", _trees(), needed=False)
    return {"title": "Policy", "description": policy_schema.__doc__} | schema


def _trees() -> dict[str, Any]:
    """The steps of each tree, in order; `after_s` rises."""
    text, name = {"type": "string"}, {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"}
    after_s = {"type": "number", "minimum": 0, "exclusiveMaximum": 1e10}
    told = {"after_s": after_s, "who": name, "by": name, "reason": text, "source": text}
    step = _table(told | {"sign_off": {"type": "boolean"}}) | {"required": list(told)}
    trees = {key: {"type": "array", "minItems": 1, "items": step} for key in (*PRIORITIES, OPERATIONS)}
    return _table(trees) | {"required": []}


def _table(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def _member(table: dict[str, Any], name: str, new: dict[str, Any], *, needed: bool) -> dict[str, Any]:
    """The table's member of that name, put in where it is not there, and required where it is needed."""
    if needed and name not in table["required"]:
        table["required"].append(name)
    member: dict[str, Any] = table["properties"].setdefault(name, new)
    return member
