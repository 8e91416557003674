"""A visit's facts: what a fitter opens, answers, marks and signs (formats.md, Stream).

They are instructions, kept for ever; what may be said when is in `visits`, what it proves in `steps`.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from emcheck.domain.acts import Act, By
from emcheck.domain.ids import AddressId, OrderId, TagId, UnitId, WearerId
from emcheck.domain.problems import Misplaced
from emcheck.domain.written import Instant

SessionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{2,39}$")]
Tag = Annotated[TagId, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
Limb = Literal["left_ankle", "right_ankle", "left_wrist", "right_wrist"]
_SHORTEST = 3
"""Characters of an identifier: "x" and "y" confirm nobody."""
MOST_GAP_MM = 100
STROKES_MAX, POINTS_MAX = 60, 1500
CANVAS = 1000
"""A signature's field is so wide, and half as high."""
LIMBS = ("left_ankle", "right_ankle", "left_wrist", "right_wrist")
Said = Annotated[str, Field(pattern=r"\S", max_length=200)]
Room = Annotated[str, Field(pattern=r"\S", max_length=40)]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{7,63}$")]
"""A name of one act, by which it is known again where it is sent twice (`repeats`)."""
Outcome = Literal[
    "success", "cannot_validate", "refused_access", "no_show", "wrong_address", "unsafe", "mistaken", "lapsed"
]  # fmt: skip
"""`lapsed` is the service's word: nobody said how the visit ended."""
Answered = Literal["identity", "limb", "skin", "movement", "strap_gap", "slide_off", "call", "fitter_tag"]
"""The steps that a fitter answers; all others are seen by telemetry."""


def _on_canvas(point: tuple[int, int]) -> tuple[int, int]:
    x, y = point
    if not (0 <= x <= CANVAS and 0 <= y <= CANVAS // 2):
        raise ValueError(f"{x}, {y} is outside of the field of {CANVAS} by {CANVAS // 2}")
    return point


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Begun(_Value):
    """What the service found when it opened a visit, so that it can be read without the register of that day."""

    wearer_id: WearerId
    """Whose order it is."""
    address_id: AddressId
    """Where the unit stands."""
    until: Instant
    """When the session ends by itself."""
    ended: tuple[Tag, ...] = ()
    """Tags whose fittings ended now."""


class OpenFitting(Act):
    """A fitter begins a visit: from now on the tag's alerts wait and the unit reports fast."""

    type: Literal["fitting_opened"]
    """Which act it is."""
    session: SessionId
    """A new name, by which all that follows is called."""
    order_id: OrderId
    """For which order."""
    tag: Tag
    """The tag that is put on or looked at."""
    unit: UnitId
    """The base unit at the address."""
    fitter_tag: Tag | None = None
    """The fitter's own tag, to be heard on site."""
    strap_batch: Said | None = None
    """Of the strap that is used."""
    takes_off: Tag | None = None
    """A tag of the wearer that this one takes the place of."""
    by: By
    """The fitter. Nobody else answers in this session."""
    found: Begun | None = None
    """What the service found. Whoever gives it leaves this out; it is written over."""


class _InSession(Act):
    session: SessionId
    """Which visit."""
    tag: Tag
    """The tag that is in the fitter's hand, as it was scanned."""
    at: Instant | None = None
    """When, where that was before it could be told."""
    key: Key | None = None
    """Its own name, where it may be sent twice."""
    by: By
    """The fitter who opened the session."""


class AnswerStep(_InSession):
    """What the fitter saw at a step; the last answer counts."""

    type: Literal["fitting_answer"]
    """Which act it is."""
    step: Answered
    """Which step."""
    answer: Literal["yes", "no", "cannot"]
    """Seen; seen not to be so; could not be seen, and why."""
    identifiers: tuple[Said, ...] = ()
    """Of `identity`: by which two identifiers."""
    limb: Limb | None = None
    """Of `limb`: which one. `yes` says that it is a natural one."""
    gap_mm: Annotated[float, Field(ge=0, le=MOST_GAP_MM)] | None = None
    """Of `strap_gap`: between strap and limb."""
    reason: Said | None = None
    """Why not, of `no` and `cannot`."""

    @model_validator(mode="after")
    def _complete(self) -> "AnswerStep":
        if self.answer == "cannot" and self.reason is None:
            raise Misplaced("reason", "missing; say why it could not be seen")
        yes = self.answer == "yes"
        if self.step == "identity" and yes:
            told = {one.strip().lower() for one in self.identifiers}
            if len(told) < 2 or min(map(len, told)) < _SHORTEST:
                wanted = f"two different ones of at least {_SHORTEST} characters are needed, as photo and date of birth"
                raise Misplaced("identifiers", wanted)
        if self.step == "limb" and yes and self.limb is None:
            raise Misplaced("limb", f"missing; which of {', '.join(LIMBS)}")
        if self.step == "strap_gap" and yes and self.gap_mm is None:
            raise Misplaced("gap_mm", "missing; measure it in mm")
        belongs = {"identifiers": "identity", "limb": "limb", "gap_mm": "strap_gap"}
        for field, step in belongs.items():
            if getattr(self, field) not in (None, ()) and self.step != step:
                raise Misplaced(field, f"belongs to {step}; leave it out of {self.step}")
        return self


class MarkFitting(_InSession):
    """What the fitter does now, so that telemetry can be held against it."""

    type: Literal["fitting_mark"]
    """Which act it is."""
    what: Literal["lifted", "lowered", "moved", "room", "walk_over"]
    """The tag is held off the limb; is on it again; the wearer moves; a room is entered; the last room is left."""
    room: Room | None = None
    """Which room."""
    only_room: bool | None = None
    """Of `walk_over`: whether the one room that was walked is all that there is."""

    @model_validator(mode="after")
    def _complete(self) -> "MarkFitting":
        if self.only_room and self.what != "walk_over":
            raise Misplaced("only_room", f"belongs to walk_over; leave it out of {self.what}")
        if (self.what == "room") is (self.room is None):
            problem = "missing; name the room" if self.room is None else f"leave it out of {self.what}"
            raise Misplaced("room", problem)
        return self


class AddPhoto(_InSession):
    """A photo was taken. The picture is kept beside and goes after a time; its name stays."""

    type: Literal["fitting_photo"]
    """Which act it is."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the picture as it is kept, without what a camera writes beside it."""
    caption: Literal["strap_and_skin", "whole_leg", "unit_and_place"]
    """What it shows."""


class OverrideFitting(Act):
    """A supervisor lets the fitting stand though steps are open. An alert says so for as long as it is worn."""

    type: Literal["fitting_override"]
    """Which act it is."""
    session: SessionId
    """Which visit."""
    reason: Said
    """Why."""
    by: By
    """The supervisor; never the fitter of the session."""


Point = Annotated[tuple[int, int], AfterValidator(_on_canvas)]


class Signature(_Value):
    """Who put their name to the record; `record_sha256` of the closing act says to which."""

    role: Literal["fitter", "wearer"]
    """As what."""
    name: Said
    """Who."""
    at: Instant
    """When."""
    strokes: tuple[tuple[Point, ...], ...] = ()
    """Drawn by hand: lines of points (x, y) on a field of 1000 by 500; none where the name was typed."""

    @model_validator(mode="after")
    def _short(self) -> "Signature":
        points = sum(map(len, self.strokes))
        if len(self.strokes) > STROKES_MAX or points > POINTS_MAX:
            said = f"{len(self.strokes)} lines of {points} points; at most {STROKES_MAX} of {POINTS_MAX}: draw it anew"
            raise Misplaced("strokes", said)
        return self


class Found(_Value):
    """What the service found when it carried a closing out: all that the register takes from it."""

    wearer_id: WearerId
    """Whose."""
    order_id: OrderId
    """For which order."""
    unit: UnitId
    """The base unit at the address."""
    address_id: AddressId
    """Where."""
    state: Literal["pending", "validated", "overridden"]
    """What the steps say."""
    limb: Limb | None = None
    """Where the tag is."""
    strap_batch: Said | None = None
    """Of the strap."""
    overridden_by: Said | None = None
    """The supervisor."""
    override_reason: Said | None = None
    """Why."""
    ended: tuple[Tag, ...] = ()
    """Tags whose fittings ended when the visit began, and go on where nobody had them in hand."""
    opened_at: Instant
    """When the visit began."""
    schedule_sha256: str | None = None
    """The curfew that the unit was to hold."""


class CloseFitting(_InSession):
    """The visit is over."""

    type: Literal["fitting_closed"]
    """Which act it is."""
    outcome: Outcome
    """How it ended."""
    left_on: bool = False
    """Of `cannot_validate`: whether the wearer keeps the tag on all the same; it is then an alert."""
    range_dbm: Annotated[float, Field(ge=-140, le=0)] | None = None
    """The range that the unit keeps from now on, where it is another."""
    note: Said | None = None
    """What else is to be known; of `mistaken`, what was wrong."""
    as_of: Instant | None = None
    """Of `success`: until when facts are in the record that was signed."""
    acts: Annotated[int, Field(ge=1)] | None = None
    """Of `success`: how many acts of the session are in it."""
    record_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Of `success`: SHA-256 over the RFC 8785 form of that record."""
    signatures: tuple[Signature, ...] = ()
    """Of `success`: at least the fitter's and the wearer's."""
    found: Found | None = None
    """What the service found. Whoever gives it leaves this out; it is written over."""

    @model_validator(mode="after")
    def _complete(self) -> "CloseFitting":
        if self.outcome == "mistaken" and self.note is None:
            raise Misplaced("note", "missing; say what was wrong, as the number of the tag or the order")
        if self.outcome != "success":
            return self
        for field in ("as_of", "acts", "record_sha256"):
            if getattr(self, field) is None:
                raise Misplaced(field, "missing; a success is signed over its record (`emcheck fit record`)")
        if "fitter" not in {one.role for one in self.signatures}:
            raise Misplaced("signatures", "the fitter signs, and so does the wearer unless a supervisor overrides it")
        return self


FittingAct = OpenFitting | AnswerStep | MarkFitting | AddPhoto | OverrideFitting | CloseFitting
