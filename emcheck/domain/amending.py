"""What an instruction makes of a register, whom it touches, and what the register is called then."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from whenever import Instant as Moment

from emcheck.domain.attending import ActOnAlert
from emcheck.domain.fitting.acts import AddPhoto, AnswerStep, CloseFitting, MarkFitting, OpenFitting, OverrideFitting
from emcheck.domain.fitting.outcomes import begun, closed
from emcheck.domain.ids import AddressId, Ms, OrderId, UnitId, WearerId
from emcheck.domain.instants import format_ms
from emcheck.domain.instructions import (
    CHANGES_NOTHING,
    EndOrder,
    GrantAbsence,
    Instruction,
    InstructionError,
    PutFitting,
    PutInstallation,
    PutOrder,
    PutPolicy,
    PutRegister,
    PutWearer,
    ReferBreach,
    ReportAudit,
    ResumeOrder,
    Revoke,
    SuspendOrder,
    VaryOrder,
)
from emcheck.domain.personal import impersonal
from emcheck.domain.problems import first_problem
from emcheck.domain.register import (
    AuthorisedAbsence,
    Fitting,
    Installation,
    LocalSpan,
    Order,
    Register,
    RegisterError,
    Revoked,
    Suspension,
    Wearer,
    changed,
)

_ORDER = TypeAdapter(Order)
_CHANGE_NOTHING = (ActOnAlert, ReferBreach, ReportAudit, PutPolicy, AnswerStep, MarkFitting, AddPhoto, OverrideFitting)
_T = TypeVar("_T")
_IN_REGISTER = re.compile(r"^(order|installation|fitting|wearer)s\.\d+")
"""Where something stands among others in the register; whoever gives an instruction knows it by the act's own field."""


def amended(register: Register, act: Instruction, at: Ms) -> Register:
    """The register after an instruction that is known from `at`; InstructionError says why it cannot be carried out.

    Nothing is half done.
    """
    try:
        if isinstance(act, PutRegister):
            return act.register_
        if isinstance(act, _CHANGE_NOTHING):
            return register
        if isinstance(act, (OpenFitting, CloseFitting)):
            return _visited(register, act, at)
        if isinstance(act, PutOrder):
            return _put_order(register, act.order)
        if isinstance(act, PutInstallation):
            return _put_installation(register, act.installation)
        if isinstance(act, PutFitting):
            return _put_fitting(register, act.fitting)
        if isinstance(act, PutWearer):
            near = [n for n, w in enumerate(register.wearers) if w.wearer_id == act.wearer.wearer_id]
            return _put(register, "wearers", act.wearer, near, near)
        order = _order_of(register, act.order_id)
        revised = _revoked(order, act, at) if isinstance(act, Revoke) else _revised(order, act)
    except ValidationError as error:
        path, reason = first_problem(error)
        raise InstructionError(_IN_REGISTER.sub(r"\1", path), reason) from None
    except RegisterError as error:
        raise InstructionError("", str(error)) from None
    return changed(register, orders=tuple(revised if known is order else known for known in register.orders))


def _visited(register: Register, act: OpenFitting | CloseFitting, at: Ms) -> Register:
    """What a fitter's visit makes of it, at its beginning and at its end."""
    parts = register.orders, register.installations, register.fittings
    made = begun(parts, act, at) if isinstance(act, OpenFitting) else closed(parts, act, at)
    if made == parts:
        return register
    orders, installations, fittings = made
    return _checked(register, orders=orders, installations=installations, fittings=fittings)


def _checked(register: Register, **parts: tuple[Any, ...]) -> Register:
    """The register with other parts; what is new in them is held against what it is near, as in `_put`."""
    fresh = [v for part, now in parts.items() for v in _fresh(getattr(register, part), now)]
    orders = {v.order_id for v in fresh if isinstance(v, Order)}
    worn = {(v.tag, v.wearer_id) for v in fresh if isinstance(v, Fitting)}
    units = {v.unit for v in fresh if isinstance(v, Installation)}
    keys = {v.public_key for v in fresh if isinstance(v, Installation)} - {None}
    made = changed(register, **parts)
    Register(
        version=1,
        wearers=tuple(w for w in made.wearers if any(getattr(v, "wearer_id", None) == w.wearer_id for v in fresh)),
        orders=tuple(o for o in made.orders if o.order_id in orders),
        installations=tuple(i for i in made.installations if i.unit in units or i.public_key in keys),
        fittings=tuple(f for f in made.fittings if (f.tag, f.wearer_id) in worn),
    )
    return made


def _fresh(before: tuple[Any, ...], now: tuple[Any, ...]) -> list[Any]:
    """What stands in `now` that is not the very value it was."""
    known = set(map(id, before))
    return [value for value in now if id(value) not in known]


def _order_of(register: Register, order_id: OrderId) -> Order:
    for order in register.orders:
        if order.order_id == order_id:
            return order
    raise InstructionError("order_id", f"no order {order_id!r} in the register")


def _put_order(register: Register, new: Order) -> Register:
    near = [n for n, order in enumerate(register.orders) if order.order_id == new.order_id]
    return _put(register, "orders", new, near, near, wearers=_wearers(register, new.wearer_id))


def _put_installation(register: Register, new: Installation) -> Register:
    key = new.public_key
    near = [
        n for n, i in enumerate(register.installations)
        if i.unit == new.unit or (key is not None and i.public_key == key)
    ]  # fmt: skip
    held = register.installations
    same = [n for n in near if (held[n].unit, held[n].installed_at) == (new.unit, new.installed_at)]
    return _put(register, "installations", new, near, same)


def _put_fitting(register: Register, new: Fitting) -> Register:
    held = register.fittings
    near = [n for n, f in enumerate(held) if f.tag == new.tag and f.wearer_id == new.wearer_id]
    same = [n for n in near if held[n].fitted_at == new.fitted_at]
    return _put(register, "fittings", new, near, same, wearers=_wearers(register, new.wearer_id))


def _wearers(register: Register, wearer_id: WearerId) -> tuple[Wearer, ...]:
    return tuple(wearer for wearer in register.wearers if wearer.wearer_id == wearer_id)


def _put(register: Register, part: str, new: Any, near: list[int], same: list[int], **beside: Any) -> Register:
    """`new` in the place of the `same` one of a part, else at its end; held against those `near` it alone.

    The rest was consistent before, and nothing in it has to do with what is put.
    """
    held = getattr(register, part)
    at = same[0] if same else len(held)
    whole = (*held[:at], new, *held[at + 1 :])
    numbers = near if same else [*near, at]
    parts = {"wearers": (), "orders": (), "installations": (), "fittings": (), **beside}
    try:
        Register(version=1, **(parts | {part: tuple(whole[number] for number in numbers)}))
    except ValidationError as error:
        path, reason = first_problem(error)
        said = re.sub(rf"\b{part}\.(\d+)", lambda found: f"{part}.{numbers[int(found[1])]}", reason)
        raise InstructionError(_IN_REGISTER.sub(r"\1", path), said) from None
    return changed(register, **{part: whole})


def _revised(order: Order, act: GrantAbsence | VaryOrder | SuspendOrder | ResumeOrder | EndOrder) -> Order:
    """The order after an act, judged by its own rules."""
    if isinstance(act, GrantAbsence):
        said: dict[str, Any] = act.model_dump(by_alias=True, exclude={"type", "order_id", "warnings"})
        leave = AuthorisedAbsence(**said)
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
    def ends(span: dict[str, Any]) -> bool:
        return "revoked" not in span and bool(span["from"] < at < span["until"])

    if not any(map(ends, suspensions)):
        raise InstructionError("at", f"the order is not suspended at {at}")
    return [span | {"until": at} if ends(span) else span for span in suspensions]


def _revoked(order: Order, act: Revoke, at: Ms) -> Order:
    """The order without what is revoked, which stays on record; with the times instead, where there are any."""
    if act.revokes == "variation":
        return _unvaried(order, act, at)
    name = f"{act.revokes}s"
    held: tuple[AuthorisedAbsence | Suspension, ...] = getattr(order, name)
    found = [span for span in held if span.revoked is None and _is_named(span, act)]
    if not found:
        what = act.revokes.replace("_", " ")
        there = ", ".join(f"{span.from_} to {span.until}" for span in held if span.revoked is None) or "none"
        raise InstructionError("from", f"no {what} of {order.order_id} that holds begins so; there are {there}")
    if len({_wall(span.until) for span in found}) > 1:
        raise InstructionError("until", f"several begin then, until {' and '.join(s.until for s in found)}; say which")
    revoked = _by(act, at)
    spans = [changed(span, revoked=revoked) if span in found else span for span in held]
    if act.instead is not None:
        right = LocalSpan(**{"from": act.instead.from_}, until=act.instead.until)
        spans.append(changed(found[0], from_=right.from_, until=right.until))
    return changed(order, **{name: tuple(spans)})


def _unvaried(order: Order, act: Revoke, at: Ms) -> Order:
    """The order by the windows that held before a variation, which stays on record."""
    if not any(v.effective_at == act.effective_at for v in order.varied):
        there = ", ".join(format_ms(v.effective_at) for v in order.varied) or "none"
        raise InstructionError(
            "effective_at", f"no variation of {order.order_id} that holds takes effect then; there are {there}"
        )
    revoked = _by(act, at)
    held = (
        changed(v, revoked=revoked) if v.revoked is None and v.effective_at == act.effective_at else v
        for v in order.variations
    )
    return changed(order, variations=tuple(held))


def _by(act: Revoke, at: Ms) -> Revoked:
    return Revoked(at=format_ms(at), by=act.by, reason=act.reason)  # type: ignore[arg-type] # as text it is judged


def _is_named(span: LocalSpan, act: Revoke) -> bool:
    return (
        act.from_ is not None
        and _wall(span.from_) == _wall(act.from_)
        and (act.until is None or _wall(span.until) == _wall(act.until))
    )


def _wall(local: str) -> datetime:
    """A local time however it is written."""
    return datetime.fromisoformat(local)


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
    return format_ms(value) if (key == "at" or key.endswith("_at")) and isinstance(value, int) else value


def name_after(name: str, raw: Any, after: Register) -> str:
    """What a register is called in findings after an instruction: a hash over what it was called and what was said.

    So whoever has the first register and the instructions can compute it, and nobody hashes a country for one absence.
    One that was given whole is called by its own hash.
    """
    if raw["type"] in CHANGES_NOTHING:
        return name
    if raw["type"] == "register":
        return after.sha256()
    said = json.dumps(impersonal(raw), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{name} {said}".encode()).hexdigest()


@dataclass(slots=True)
class Touched:
    """Whose judgement an instruction may change, and whether it concerns tags or units rather than orders alone."""

    wearers: set[WearerId]
    units: set[UnitId]
    equipment: bool = False

    def subjects(self) -> list[str]:
        """They all, as deadlines call them."""
        return [f"case {wearer}" for wearer in sorted(self.wearers)] + [f"unit {name}" for name in sorted(self.units)]


def touched_by(act: Instruction, before: Register, after: Register) -> Touched:
    """Whom an act touches that made one register of the other."""
    if isinstance(act, (PutWearer, *_CHANGE_NOTHING)):
        return Touched(set(), set())
    if isinstance(act, (OpenFitting, CloseFitting)):
        fitted = _differing(before.fittings, after.fittings, lambda f: (f.wearer_id, f.tag, f.fitted_at))
        wearers = {o.wearer_id for o in after.orders if o.order_id == _about(act)} if before is not after else set()
        units = {
            u for u, _ in _differing(before.installations, after.installations, lambda i: (i.unit, i.installed_at))
        }
        return _at_addresses(Touched(wearers, units, equipment=bool(fitted or units)), before, after)
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


def _about(act: OpenFitting | CloseFitting) -> OrderId | None:
    if isinstance(act, OpenFitting):
        return act.order_id
    return None if act.found is None else act.found.order_id


def _at_addresses(touched: Touched, before: Register, after: Register) -> Touched:
    """With those who are to be where a touched unit stands or stood."""
    moved = {i.address_id for r in (before, after) for i in r.installations if i.unit in touched.units}
    if moved:
        touched.wearers |= {o.wearer_id for o in after.orders if _is_at(o, moved)}
    return touched


def _is_at(order: Order, moved: set[AddressId]) -> bool:
    """Whether it wants its wearer at any of them; asked of every order of a country."""
    for place in order.curfew:
        if place.address_id in moved:
            return True
    return bool(order.variations) and not moved.isdisjoint(addresses(order))


def addresses(order: Order) -> set[AddressId]:
    """Where an order wants its wearer, now or after a variation."""
    return {r.address_id for curfew in (order.curfew, *(v.curfew for v in order.varied)) for r in curfew}


def _differing(before: Iterable[_T], after: Iterable[_T], name: Any) -> set[Any]:
    """The names of what is new, gone or says something else."""
    known, now = {name(value): value for value in before}, {name(value): value for value in after}
    return {key for key in known.keys() | now.keys() if known.get(key) != now.get(key)}
