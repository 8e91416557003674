"""What a fitter says, on its way into the visit: an act of the session, posted like any other instruction.

A phone says how long ago something was done (`age_ms`), never at what time: its clock may be wrong. The service takes
that from its own, and judges the act by what was heard at that instant. An act that was carried out before, by its
`key`, is answered as if it were done now.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import FormData

from emcheck.domain.acts import InstructionError
from emcheck.domain.fitting.acts import FittingAct
from emcheck.domain.fitting.record import record, record_sha256
from emcheck.domain.fitting.repeats import is_repeat
from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY, SECOND, format_ms
from emcheck.domain.instructions import parse_instruction
from emcheck.service.sessions import Look
from emcheck.web.alerts.acting import Wrong, carried_out, wrong
from emcheck.web.parts import Parts
from emcheck.web.people.signing_in import Who
from emcheck.web.visits.following import Following

_TEXT = Annotated[str, Field(max_length=200)]
_BEFORE_NOW: Ms = SECOND
"""What was done less long ago is done when it is received."""


class Signed(BaseModel):
    """A name under the record, with how it was drawn."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    role: Literal["fitter", "wearer"]
    """As what."""
    name: _TEXT
    """Who."""
    strokes: Annotated[list[list[list[int]]], Field(max_length=100)] = []
    """Drawn by hand: lines of points (x, y) on a field of 1000 by 500; none where the name stands for it."""


class Said(BaseModel):
    """An act of a visit, as `emcheck schema instruction` has it, less what the sign-in and the address tell."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    type: Literal["fitting_answer", "fitting_mark", "fitting_closed"]
    """Which act it is."""
    key: Annotated[str, Field(max_length=64)] | None = None
    """Its own name: sent again, it is not carried out again."""
    age_ms: Annotated[int, Field(ge=0, le=DAY)] | None = None
    """How long ago it was done."""
    tag: Annotated[str, Field(max_length=64)] | None = None
    """The tag in the hand, where it was scanned again."""
    step: _TEXT | None = None
    """Of an answer: to which step."""
    answer: _TEXT | None = None
    """yes, no or cannot."""
    identifiers: Annotated[list[_TEXT], Field(max_length=10)] | None = None
    """Of `identity`: by which two."""
    limb: _TEXT | None = None
    """Of `limb`: which one."""
    gap_mm: float | None = None
    """Of `strap_gap`."""
    reason: _TEXT | None = None
    """Why not."""
    what: _TEXT | None = None
    """Of a mark: lifted, lowered, moved, room, walk_over."""
    room: _TEXT | None = None
    """Which room."""
    only_room: bool | None = None
    """Of `walk_over`: whether the one room that was walked is all that there is."""
    outcome: _TEXT | None = None
    """Of the end: how."""
    left_on: bool | None = None
    """Whether the tag stays on though it could not be validated."""
    range_dbm: float | None = None
    """The unit's range from now on; that of the walk where it is left out of a success."""
    note: _TEXT | None = None
    """What else is to be known; of `mistaken`, what was wrong."""
    as_of: _TEXT | None = None
    """Of a success: of the record that was read."""
    acts: int | None = None
    """The same."""
    record_sha256: _TEXT | None = None
    """The same: what is signed."""
    signatures: Annotated[list[Signed], Field(max_length=2)] | None = None
    """Of a success: the fitter's and the wearer's."""


async def say(parts: Parts, following: Following, who: Who, name: str, said: Said) -> Look | Wrong:
    """Carry it out in the visit of that name; the visit after it, or what is wrong with it."""
    look = await following.look(who, name)
    visit, now = look.session.visit, parts.clock.now()
    raw: dict[str, Any] = {"session": visit.session, "tag": visit.tag, "by": who.name}
    raw |= said.model_dump(exclude_none=True, exclude={"age_ms", "signatures"})
    if said.age_ms is not None and said.age_ms >= _BEFORE_NOW and said.type != "fitting_closed":
        raw["at"] = format_ms(now - said.age_ms)
    if said.signatures is not None:
        raw["signatures"] = [each.model_dump() | {"at": format_ms(now)} for each in said.signatures]
    if said.outcome == "success" and said.range_dbm is None:
        raw |= _range_of(look)
    return await told(parts, following, who, name, raw)


async def told(parts: Parts, following: Following, who: Who, name: str, raw: dict[str, Any]) -> Look | Wrong:
    """The same of an act as it goes into the mailbox."""
    try:
        act = parse_instruction(raw)
        if not isinstance(act, FittingAct):
            raise TypeError(f"{act.type} is no act of a visit")
        if _was_done(await following.look(who, name, anew=True), act):
            return await following.look(who, name)
        outcome = await carried_out(parts, raw)
        look = await following.look(who, name, anew=True)
        return look if outcome.startswith("done") or _was_done(look, act) else wrong(outcome)
    except InstructionError as error:
        return Wrong(error.path, error.problem)


def _was_done(look: Look, act: FittingAct) -> bool:
    acts = [said for _, said in look.session.acts]
    return is_repeat([*acts, look.session.closed], act)


def _range_of(look: Look) -> dict[str, Any]:
    """What the walk suggests, as it stands in the record that was read."""
    suggested = look.standing.results["walk"].readings.get("range_dbm")
    return {} if suggested is None else {"range_dbm": suggested}


def said_in(form: FormData) -> Said | Wrong:
    """What a form says; an empty field says nothing."""
    plain: dict[str, Any] = {
        key: value for key in Said.model_fields if isinstance(value := form.get(key), str) and value.strip()
    }
    if (other := form.get("other_reason")) and isinstance(other, str) and other.strip():
        plain["reason"] = other.strip()
    if plain.get("answer") == "yes":
        plain.pop("reason", None)
    if "gap_mm" in plain:
        plain["gap_mm"] = plain["gap_mm"].lower().removesuffix("mm").strip().replace(",", ".")
    if "identifiers" in plain:
        plain["identifiers"] = [value for value in form.getlist("identifiers") if isinstance(value, str) and value]
    if plain.get("outcome") == "success":
        signed = [_signed(form, role) for role in ("fitter", "wearer")]
        if (open_ := next((each for each in signed if isinstance(each, Wrong)), None)) is not None:
            return open_
        if signed[0] is None:
            return Wrong(
                "strokes_fitter", "the fitter's signature is missing: draw it, or tick that the name stands for it"
            )
        plain["signatures"] = [each for each in signed if each is not None]
    try:
        return Said.model_validate(plain)
    except ValueError as error:
        errors: Any = getattr(error, "errors", list)()
        where = str(errors[0]["loc"][0]) if errors and errors[0]["loc"] else ""
        return Wrong(where, str(errors[0]["msg"]) if errors else str(error))


def _signed(form: FormData, role: str) -> dict[str, Any] | Wrong | None:
    """A signature: drawn, or by the name where that is said to stand for it; None where it is neither."""
    name, drawn = str(form.get(f"name_{role}", "")).strip(), str(form.get(f"strokes_{role}", "")).strip()
    try:
        strokes = json.loads(drawn) if drawn else []
    except ValueError:
        return Wrong(f"strokes_{role}", "cannot be read; draw it anew")
    if not strokes and form.get(f"by_name_{role}") != "1":
        return None
    return {"role": role, "name": name, "strokes": strokes} if name else Wrong(f"name_{role}", "missing; who signs?")


def record_of(standing: Any) -> dict[str, Any]:
    """What a signature names of the record that was read."""
    of = record(standing)
    return {"as_of": of["as_of"], "acts": of["acts"], "record_sha256": record_sha256(of)}
