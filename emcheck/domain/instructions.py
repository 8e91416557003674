"""Instructions: what courts, operators and fitters change while an order runs (formats.md, Stream).

Each makes a register of the one before. It is known from its receipt and kept for ever, with who gave it; what was
judged before is judged again by the register that is in force now.

1. `authorised_absence`: leave, entered before or after the fact. The total is revised, the record of the absence stays.
2. `variation`: other windows from its effective time on; `suspension` and `resumption`; `order_end`.
3. `order`, `installation`, `fitting`, `wearer`: a new one, or what stands under the same name from now on. So a tag or
   unit is swapped by ending one installation or fitting and adding another.
4. `register`: all of it, as a file holds it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from whenever import Instant as Moment

from emcheck.domain.ids import AddressId, Ms, OrderId, UnitId, WearerId
from emcheck.domain.instants import format_ms
from emcheck.domain.problems import first_problem
from emcheck.domain.register import (
    AuthorisedAbsence,
    CurfewRequirement,
    Fitting,
    Installation,
    Instant,
    LocalTime,
    Order,
    Register,
    RegisterError,
    Wearer,
    changed,
)

By = Annotated[str, Field(pattern=r"\S", description="Who said so.")]


class InstructionError(ValueError):
    """An instruction that cannot be carried out: `path` in it, what is wrong and what would be right."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem


class _Act(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class GrantAbsence(_Act):
    """Leave that excludes seconds from the total (1)."""

    type: Literal["authorised_absence"]
    """Which act it is."""
    order_id: OrderId
    """Whose."""
    from_: Annotated[LocalTime, Field(alias="from")]
    """Local time in the order's zone."""
    until: LocalTime
    """Local time in the order's zone, after `from`."""
    reason: str
    """Medical, short-notice work, custody, wedding or funeral, job interview, court."""
    approved_by: By
    """By whom."""
    evidence: str | None = None
    """On what."""


class VaryOrder(_Act):
    """Other windows from an effective time on (2)."""

    type: Literal["variation"]
    """Which act it is."""
    order_id: OrderId
    """Which order."""
    effective_at: Instant
    """From when on."""
    curfew: tuple[CurfewRequirement, ...]
    """All windows that hold then."""
    by: By
    """Who said so."""


class SuspendOrder(_Act):
    """Time taken out of every window (2)."""

    type: Literal["suspension"]
    """Which act it is."""
    order_id: OrderId
    """Which order."""
    from_: Annotated[LocalTime, Field(alias="from")]
    """Local time in the order's zone."""
    until: LocalTime | None = None
    """Local time in the order's zone; until it is resumed, or ends, where it is missing."""
    reason: str | None = None
    """Why."""
    by: By
    """Who said so."""


class ResumeOrder(_Act):
    """The suspension in force at `at` ends there (2)."""

    type: Literal["resumption"]
    """Which act it is."""
    order_id: OrderId
    """Which order."""
    at: LocalTime
    """Local time in the order's zone."""
    by: By
    """Who said so."""


class EndOrder(_Act):
    """The order ends at another time than was known (2)."""

    type: Literal["order_end"]
    """Which act it is."""
    order_id: OrderId
    """Which order."""
    ends_at: Instant
    """When."""
    reason: str | None = None
    """Why."""
    by: By
    """Who said so."""


class PutOrder(_Act):
    """A new order, or all that an order says from now on (3)."""

    type: Literal["order"]
    """Which act it is."""
    order: Order
    """As in a register."""
    by: By
    """Who said so."""


class PutInstallation(_Act):
    """A unit at an address; another of the same unit and `installed_at` is replaced (3)."""

    type: Literal["installation"]
    """Which act it is."""
    installation: Installation
    """As in a register."""
    by: By
    """Who said so."""


class PutFitting(_Act):
    """A tag on a limb; another of the same tag, wearer and `fitted_at` is replaced (3)."""

    type: Literal["fitting"]
    """Which act it is."""
    fitting: Fitting
    """As in a register."""
    by: By
    """Who said so."""


class PutWearer(_Act):
    """A new wearer, or other personal data of one (3)."""

    type: Literal["wearer"]
    """Which act it is."""
    wearer: Wearer
    """As in a register."""
    by: By
    """Who said so."""


class PutRegister(_Act):
    """All that should be monitored (4)."""

    type: Literal["register"]
    """Which act it is."""
    register_: Annotated[Register, Field(alias="register")]
    """As in a file."""
    by: By
    """Who said so."""


Instruction = Annotated[
    GrantAbsence
    | VaryOrder
    | SuspendOrder
    | ResumeOrder
    | EndOrder
    | PutOrder
    | PutInstallation
    | PutFitting
    | PutWearer
    | PutRegister,
    Field(discriminator="type"),
]
INSTRUCTION: TypeAdapter[Instruction] = TypeAdapter(Instruction)
_ORDER = TypeAdapter(Order)
_T = TypeVar("_T")


def parse_instruction(raw: Any) -> Instruction:
    """The instruction in a JSON value; InstructionError names the field."""
    try:
        return INSTRUCTION.validate_python(raw)
    except ValidationError as error:
        path, reason = first_problem(error)
        kind = str(raw.get("type")) if isinstance(raw, dict) else ""
        if error.errors(include_url=False)[0]["type"].startswith("union_tag"):
            path = "type"
        raise InstructionError(path.removeprefix(kind).removeprefix("."), reason) from None


def amended(register: Register, act: Instruction) -> Register:
    """The register after an instruction; InstructionError says why it cannot be carried out. Nothing is half done."""
    try:
        if isinstance(act, PutRegister):
            return act.register_
        if isinstance(act, PutOrder):
            return _checked(register, orders=_put(register.orders, act.order, lambda o: o.order_id))
        if isinstance(act, PutInstallation):
            put = _put(register.installations, act.installation, lambda i: (i.unit, i.installed_at))
            return _checked(register, installations=put)
        if isinstance(act, PutFitting):
            fittings = _put(register.fittings, act.fitting, lambda f: (f.tag, f.wearer_id, f.fitted_at))
            return _checked(register, fittings=fittings)
        if isinstance(act, PutWearer):
            return _checked(register, wearers=_put(register.wearers, act.wearer, lambda w: w.wearer_id))
        order = _order_of(register, act.order_id)
        revised = _revised(order, act)
    except ValidationError as error:
        raise InstructionError(*first_problem(error)) from None
    except RegisterError as error:
        raise InstructionError("", str(error)) from None
    return changed(register, orders=tuple(revised if known is order else known for known in register.orders))


def _order_of(register: Register, order_id: OrderId) -> Order:
    for order in register.orders:
        if order.order_id == order_id:
            return order
    raise InstructionError("order_id", f"no order {order_id!r} in the register")


def _put(known: tuple[_T, ...], new: _T, name: Any) -> tuple[_T, ...]:
    """`new` in the place of what has its name, else at the end."""
    if any(name(value) == name(new) for value in known):
        return tuple(new if name(value) == name(new) else value for value in known)
    return (*known, new)


def _checked(register: Register, **parts: Any) -> Register:
    """The register with other parts, judged as a whole."""
    fields = ("version", "wearers", "orders", "installations", "fittings")
    return Register(**({field: getattr(register, field) for field in fields} | parts))


def _revised(order: Order, act: GrantAbsence | VaryOrder | SuspendOrder | ResumeOrder | EndOrder) -> Order:
    """The order after an act, judged by its own rules."""
    if isinstance(act, GrantAbsence):
        leave = AuthorisedAbsence(
            **{"from": act.from_},
            until=act.until,
            reason=act.reason,
            approved_by=act.approved_by,
            evidence=act.evidence,
        )
        return changed(order, authorised_absences=(*order.authorised_absences, leave))
    said = as_text(_ORDER.dump_python(order, mode="json", by_alias=True))
    if isinstance(act, VaryOrder):
        told = as_text(act.model_dump(mode="json", by_alias=True, include={"effective_at", "curfew"}))
        said["variations"] = [*said.get("variations", ()), told]
    elif isinstance(act, SuspendOrder):
        until = act.until or _local(order.ends_at, order.timezone)
        said["suspensions"] = [
            *said.get("suspensions", ()), {"from": act.from_, "until": until, "reason": act.reason}
        ]  # fmt: skip
    elif isinstance(act, ResumeOrder):
        said["suspensions"] = _resumed(said.get("suspensions", []), act.at)
    else:
        said["ends_at"] = format_ms(act.ends_at)
    return _ORDER.validate_python(said)


def _resumed(suspensions: list[dict[str, Any]], at: str) -> list[dict[str, Any]]:
    if not any(span["from"] < at < span["until"] for span in suspensions):
        raise InstructionError("at", f"the order is not suspended at {at}")
    return [span | {"until": at} if span["from"] < at < span["until"] else span for span in suspensions]


def _local(at: Ms, zone: str) -> str:
    """Local time of an instant, as a register writes it."""
    local = Moment.from_timestamp(at, unit="millisecond").to_tz(zone).to_plain()
    return local.format_iso()[:23]


def as_text(value: Any, key: str = "") -> Any:
    """Plain values of a register with its instants as formats.md writes them, what is not said left out."""
    if isinstance(value, dict):
        return {name: as_text(inner, name) for name, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [as_text(inner) for inner in value]
    return format_ms(value) if key.endswith("_at") and isinstance(value, int) else value


PERSONAL = ("name", "notes", "contacts")
"""Fields of a wearer that are personal data."""


def impersonal(raw: Any) -> Any:
    """An instruction without personal data, as it is kept for ever: names stand in a table that can be erased."""

    def bare(wearer: Any) -> Any:
        return {key: value for key, value in wearer.items() if key not in PERSONAL}

    if raw["type"] == "wearer":
        return raw | {"wearer": bare(raw["wearer"])}
    if raw["type"] == "register":
        register = raw["register"]
        return raw | {"register": register | {"wearers": [bare(wearer) for wearer in register["wearers"]]}}
    return raw


def told_of(act: Instruction) -> tuple[Wearer, ...]:
    """The wearers of whom an act may tell personal data."""
    if isinstance(act, PutRegister):
        return act.register_.wearers
    return (act.wearer,) if isinstance(act, PutWearer) else ()


def name_after(name: str, raw: Any) -> str:
    """What a register is called in findings after an instruction: a hash over what it was called and what was said.

    So whoever has the first register and the instructions can compute it, and nobody hashes a country for one absence.
    """
    said = json.dumps(impersonal(raw), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{name} {said}".encode()).hexdigest()


@dataclass(slots=True)
class Touched:
    """Whose judgement an instruction may change, and whether it concerns tags or units rather than orders alone."""

    wearers: set[WearerId]
    units: set[UnitId]
    equipment: bool = False


def touched_by(act: Instruction, before: Register, after: Register) -> Touched:
    """Whom an act touches that made one register of the other."""
    if isinstance(act, PutWearer):
        return Touched(set(), set())
    if isinstance(act, PutFitting):
        return Touched({act.fitting.wearer_id}, set(), equipment=True)
    if isinstance(act, PutInstallation):
        return _at_addresses(Touched(set(), {act.installation.unit}, equipment=True), before, after)
    if not isinstance(act, PutRegister):
        order_id = act.order.order_id if isinstance(act, PutOrder) else act.order_id
        return Touched({o.wearer_id for r in (before, after) for o in r.orders if o.order_id == order_id}, set())
    units = _differing(before.installations, after.installations, lambda i: (i.unit, i.installed_at))
    fittings = _differing(before.fittings, after.fittings, lambda f: (f.wearer_id, f.tag, f.fitted_at))
    orders = _differing(before.orders, after.orders, lambda o: o.order_id)
    touched = Touched({wearer for wearer, _, _ in fittings}, {unit for unit, _ in units}, bool(units or fittings))
    touched.wearers |= {o.wearer_id for r in (before, after) for o in r.orders if o.order_id in orders}
    return _at_addresses(touched, before, after)


def _at_addresses(touched: Touched, before: Register, after: Register) -> Touched:
    """With those who are to be where a touched unit stands or stood."""
    moved = {i.address_id for r in (before, after) for i in r.installations if i.unit in touched.units}
    if moved:
        touched.wearers |= {o.wearer_id for o in after.orders if moved & addresses(o)}
    return touched


def addresses(order: Order) -> set[AddressId]:
    """Where an order wants its wearer, now or after a variation."""
    return {r.address_id for curfew in (order.curfew, *(v.curfew for v in order.variations)) for r in curfew}


def _differing(before: Iterable[_T], after: Iterable[_T], name: Any) -> set[Any]:
    """The names of what is new, gone or says something else."""
    known, now = {name(value): value for value in before}, {name(value): value for value in after}
    return {key for key in known.keys() | now.keys() if known.get(key) != now.get(key)}
