"""The published shape of a fitting record (docs/formats.md)."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from emcheck.domain.fitting.acts import LIMBS
from emcheck.domain.fitting.outcomes import OUTCOMES

_SHA256 = r"^[0-9a-f]{64}$"
_OUTCOME: dict[str, Any] = {"enum": [*OUTCOMES, None]}


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)


class StepShape(_Shape):
    """One step of the protocol."""

    step: str
    """Its name."""
    clause: int = Field(ge=1, le=11)
    """Of the validation protocol."""
    title: str
    """For people."""
    passes: str
    """By what it passes."""
    evidence: Literal["answer", "telemetry", "answer and telemetry"]
    """Who has to show it."""
    source: str
    """Why it is asked."""
    state: Literal["passed", "failed", "missing", "cannot"]
    """What it came to."""
    words: str
    """What was seen, or what is to be done."""
    readings: dict[str, Any]
    """What it rests on."""


class ThresholdShape(_Shape):
    """A number of the policy that was used."""

    value: float | str
    """The number."""
    unit: str
    """Its unit."""
    reason: str
    """Why."""
    source: str
    """Who says so."""


class PolicyShape(_Shape):
    """By which policy."""

    label: str
    """`name@version`."""
    sha256: str = Field(pattern=_SHA256)
    """Of its file."""
    thresholds: dict[str, ThresholdShape]
    """Those that were asked for."""


class ReadingShape(_Shape):
    """One reading since limb and strap were as they are, and what the body check said of it."""

    at: str
    """When, by the unit's corrected clock."""
    skin_c: float | None
    """The skin side."""
    ambient_c: float | None
    """The outward side."""
    motion: float | None
    """In the tag's own unit."""
    proximity: float | None
    """1 is contact."""
    strap: str | None
    """As the tag said."""
    lifted: bool
    """Whether the fitter held it off."""
    state: Literal["attached", "detached", "uncertain"]
    """What the check said."""
    p_attached: float
    """How likely it is on bare skin."""


class OverrideShape(_Shape):
    """A supervisor's word."""

    by: str
    """Who."""
    reason: str
    """Why."""


class RecordShape(_Shape):
    """What is signed: a function of the session's acts and the facts received before `as_of`."""

    version: Literal[1]
    """Of this shape."""
    session: str
    """Which visit."""
    order_id: str
    """For which order."""
    wearer_id: str
    """Whose; no name."""
    address_id: str
    """Where."""
    tag: str
    """The tag."""
    unit: str
    """The base unit."""
    fitter: str
    """Who fitted it."""
    fitter_tag: str | None
    """Their own tag."""
    strap_batch: str | None
    """Of the strap."""
    limb: str | None = Field(json_schema_extra={"enum": [*LIMBS, None]})
    """Where it is."""
    opened_at: str
    """When the visit began."""
    as_of: str
    """Until when facts are in it; it is judged at this instant."""
    acts: int
    """How many acts of the session are in it."""
    events: int
    """How many events of the unit are in it."""
    state: Literal["pending", "validated", "overridden"]
    """What the steps come to."""
    override: OverrideShape | None
    """Who let it stand, where somebody did."""
    steps: list[StepShape]
    """Every step."""
    policy: PolicyShape
    """By which policy."""
    body: list[ReadingShape]
    """The body check, reading by reading."""
    history: list[dict[str, Any]]
    """Every act, with when it was received and, where that differs, when it was."""


class SignatureShape(_Shape):
    """A name under the record."""

    role: Literal["fitter", "wearer"]
    """As what."""
    name: str
    """Who."""
    at: str
    """When."""
    strokes: list[list[tuple[int, int]]] | None = None
    """Drawn by hand: lines of points (x, y) on a field of 1000 by 500; missing where the name was typed."""


class PhotoShape(_Shape):
    """A photo that was taken; its picture is kept beside, for a time."""

    sha256: str = Field(pattern=_SHA256)
    """Of the picture; `record.history` names it by this."""
    caption: Literal["strap_and_skin", "whole_leg", "unit_and_place"]
    """What it shows."""
    at: str
    """When it was taken."""
    by: str
    """By whom."""
    is_held: bool
    """Whether the picture is kept still."""
    deleted_at: str | None
    """When it went because its time was over; null where it did not, or an erasure took it."""
    kept_days: int | None
    """After how many days it went."""


class PersonalShape(_Shape):
    """What an erasure takes; no part of what is signed."""

    name: str | None
    """The wearer's."""
    limb_note: str | None
    """What the register notes of a limb."""


class FittingShape(_Shape):
    """`emcheck fit record SESSION`."""

    version: Literal[1]
    """Of this shape."""
    record: RecordShape
    """What is signed."""
    sha256: str = Field(pattern=_SHA256)
    """Of the RFC 8785 form of `record`."""
    signed_sha256: str | None
    """The hash that was signed; equal to `sha256` where nothing is wrong."""
    signatures: list[SignatureShape]
    """Who signed."""
    outcome: str | None = Field(json_schema_extra=_OUTCOME)
    """How the visit ended; null while it is open."""
    closed_at: str | None
    """When it ended."""
    range_dbm: float | None
    """The range that the unit keeps since."""
    note: str | None
    """What else is to be known."""
    photos: list[PhotoShape] = []
    """Photos of the visit, by time; no part of what is signed."""
    personal: PersonalShape
    """What an erasure takes."""
