"""The register: what should be monitored (formats.md). Unknown keys are errors that name the path.

Local times stay local here; `windows` resolves them. Two orders of one wearer may overlap and each is
judged; windows of one order may not, nor one wearer's fittings of a tag, nor one unit's addresses in time.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from copy import copy
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar, cast, dataclass_transform

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass

from emcheck.domain.ids import AddressId, Ms, OrderId, TagId, UnitId, WearerId
from emcheck.domain.instants import format_ms
from emcheck.domain.problems import Misplaced, first_problem
from emcheck.domain.written import AccountName, Common, Instant, LocalDate, LocalTime, Notes, PublicKey, TimeOfDay, zone

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


_T = TypeVar("_T")


class RegisterError(ValueError):
    """A register that cannot be used; one line naming path, what is wrong and what would be right."""


def _unsaid(value: object) -> bool:
    """Younger keys are left out where they say nothing, so that older registers keep their hash."""
    return value is None or value == ()


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(Field,))
def _value(cls: type[_T]) -> type[_T]:
    """A frozen value that is judged when it is made; as a pydantic model it would weigh four times as much."""
    made = dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))(cls)
    return cast("type[_T]", made)


@_value
class WeeklyWindow:
    """From a weekday's wall time until another's; may cross midnight or the week's end."""

    from_day: Day
    from_time: TimeOfDay
    until_day: Day
    until_time: TimeOfDay

    @model_validator(mode="after")
    def _not_empty(self) -> "WeeklyWindow":
        if self.from_day == self.until_day and _minutes(self.from_time) == _minutes(self.until_time):
            raise ValueError("a window of no length; its until must differ from its from")
        return self

    def minutes(self) -> tuple[float, float]:
        """Start and end in minutes of the week; the end lies after the start and may pass 10,080."""
        start = DAYS.index(self.from_day) * 1440 + _minutes(self.from_time)
        end = DAYS.index(self.until_day) * 1440 + _minutes(self.until_time)
        return start, end if end > start else end + 10080


@lru_cache(maxsize=2048)
def _minutes(text: str) -> float:
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return hours * 60 + minutes + (seconds[0] / 60 if seconds else 0)


@lru_cache(maxsize=4096)
def _one(timetable: tuple[WeeklyWindow, ...]) -> tuple[WeeklyWindow, ...]:
    """The same value for equal timetables: most orders of a town share a few, and they are most of a register."""
    return timetable


@_value
class CurfewRequirement:
    """Windows during which the wearer is to be at one address."""

    address_id: AddressId
    windows: Annotated[tuple[WeeklyWindow, ...], AfterValidator(_one)]


def _disjoint(curfew: tuple[CurfewRequirement, ...]) -> tuple[CurfewRequirement, ...]:
    spans = sorted(window.minutes() for requirement in curfew for window in requirement.windows)
    wrapped = spans + [(start + 10080, end + 10080) for start, end in spans[:1]]
    for (_, end), (start, _) in zip(wrapped, wrapped[1:], strict=False):
        if start < end:
            day = DAYS[int(start // 1440) % 7]
            raise ValueError(f"windows of one order overlap on {day}; end the first before the next begins")
    return curfew


Curfew = Annotated[tuple[CurfewRequirement, ...], AfterValidator(_disjoint)]


@_value
class LocalSpan:
    """A stretch of local time, `[from, until)`."""

    from_: LocalTime = Field(alias="from")
    until: LocalTime

    @model_validator(mode="after")
    def _forward(self) -> "LocalSpan":
        if datetime.fromisoformat(self.until) <= datetime.fromisoformat(self.from_):
            raise ValueError(f"until {self.until} is not after from {self.from_}; let it end after it begins")
        return self


@_value
class Revoked:
    """What was entered holds no more, and never did: since when that is known, who said so and why."""

    at: Instant
    by: Annotated[str, Field(pattern=r"\S")]
    reason: Annotated[str, Field(pattern=r"\S")]


@_value
class AuthorisedAbsence(LocalSpan):
    """Leave that excludes seconds from the total; who approved it and on what evidence is kept."""

    reason: str
    approved_by: Annotated[str, Field(pattern=r"\S")]
    evidence: str | None = None
    revoked: Revoked | None = Field(default=None, exclude_if=_unsaid)


@_value
class Suspension(LocalSpan):
    """Time taken out of every window."""

    reason: str | None = None
    revoked: Revoked | None = Field(default=None, exclude_if=_unsaid)


@_value
class Variation:
    """Other windows from an effective time on."""

    effective_at: Instant
    curfew: Curfew
    revoked: Revoked | None = Field(default=None, exclude_if=_unsaid)


@_value
class VisitMade:
    """A fitter's visit that is over."""

    session: str
    at: Instant
    outcome: Literal[
        "success", "cannot_validate", "refused_access", "no_show", "wrong_address", "unsafe", "mistaken", "lapsed"
    ]  # fmt: skip
    by: Annotated[str, Field(pattern=r"\S")]


@_value
class Order:
    """What a court or prison made of one wearer."""

    order_id: OrderId
    wearer_id: WearerId
    kind: Literal[
        "community_order", "suspended_sentence", "bail", "home_detention_curfew", "licence", "youth",
        "immigration_bail", "restriction_of_liberty", "other",
    ]  # fmt: skip
    timezone: Annotated[str, AfterValidator(zone)]
    starts_at: Instant
    ends_at: Instant
    atv_allowance_min: Annotated[float, Field(ge=0)] | None = None
    convicted_on: LocalDate | None = Field(default=None, exclude_if=_unsaid)
    curfew: Curfew
    first_night: LocalSpan | None = None
    variations: tuple[Variation, ...] = ()
    authorised_absences: tuple[AuthorisedAbsence, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    policy: str | None = None
    visits: tuple[VisitMade, ...] = Field(default=(), exclude_if=_unsaid)
    officer: AccountName | None = Field(default=None, exclude_if=_unsaid)

    @model_validator(mode="after")
    def _check(self) -> "Order":
        if self.ends_at <= self.starts_at:
            starts, ends = format_ms(self.starts_at), format_ms(self.ends_at)
            raise Misplaced("ends_at", f"{ends} is not after starts_at {starts}; let the order end after it starts")
        for number, variation in enumerate(self.variations):
            if variation.effective_at < self.starts_at:
                early, starts = format_ms(variation.effective_at), format_ms(self.starts_at)
                raise Misplaced(
                    f"variations.{number}.effective_at",
                    f"{early} is before the order starts at {starts}; let it take effect in the order's time",
                )
        return self

    @property
    def varied(self) -> list[Variation]:
        """The variations that hold, by when they take effect."""
        return sorted((v for v in self.variations if v.revoked is None), key=lambda v: v.effective_at)


def changed(value: _T, **fields: object) -> _T:
    """The same value with other fields, taken as they are."""
    copied = copy(value)
    for name, content in fields.items():
        object.__setattr__(copied, name, content)
    return copied


_NOTHING_NOTED: dict[str, Any] = {}
"""Shared by all of whom nothing is noted; never added to."""


@_value
class Wearer:
    """A person; name and notes are personal data."""

    wearer_id: WearerId
    name: str | None = None
    notes: Notes = Field(default_factory=lambda: _NOTHING_NOTED)
    contacts: dict[str, Any] = Field(default_factory=lambda: _NOTHING_NOTED)


@_value
class _Lasting:
    removed_at: Instant | None = None


@_value
class Installation(_Lasting):
    """A base unit at an address with its calibrated range."""

    unit: Annotated[UnitId, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{3,31}$")]
    address_id: AddressId
    order_id: OrderId | None = None
    installed_at: Instant
    range_dbm: Annotated[float, Field(allow_inf_nan=False)] | None = None
    public_key: PublicKey | None = Field(
        default=None,
        description="The unit's enrolled Ed25519 key, 32 bytes in base64; the same in all installations of a unit.",
    )
    uplink: Common | None = Field(
        default=None,
        exclude_if=_unsaid,
        description="What carries its messages, as a network's name: units that fall silent with it are one incident.",
    )
    postcode: Common | None = Field(
        default=None,
        exclude_if=_unsaid,
        description="The district it stands in, as `SE15 4`: units that lose their mains in it are one incident.",
    )


@_value
class Overridden:
    """A supervisor let a fitting stand though steps were open."""

    by: Annotated[str, Field(pattern=r"\S")]
    reason: Annotated[str, Field(pattern=r"\S")]


@_value
class Fitting(_Lasting):
    """A tag on a wearer's limb; `session` names the visit that shows how, `override` who let it stand."""

    tag: TagId
    wearer_id: WearerId
    limb: str | None = None
    strap_batch: str | None = None
    fitted_at: Instant
    validation: Literal["pending", "validated", "overridden"] | None = None
    body_bias_c: Annotated[float, Field(ge=-5, le=5)] | None = Field(default=None, exclude_if=_unsaid)
    session: str | None = Field(default=None, exclude_if=_unsaid)
    override: Overridden | None = Field(default=None, exclude_if=_unsaid)


@_value
class Register:
    """The whole register; `sha256` names it in findings."""

    version: Literal[1]
    wearers: tuple[Wearer, ...]
    orders: tuple[Order, ...]
    installations: tuple[Installation, ...]
    fittings: tuple[Fitting, ...]

    @model_validator(mode="after")
    def _consistent(self) -> "Register":
        _refuse_repeats("wearers.wearer_id", [w.wearer_id for w in self.wearers])
        _refuse_repeats("orders.order_id", [o.order_id for o in self.orders])
        known = {w.wearer_id: w.wearer_id for w in self.wearers}
        for part in ("orders", "fittings"):
            for number, value in enumerate(getattr(self, part)):
                if value.wearer_id not in known:
                    unknown = f"{value.wearer_id!r} is not among the wearers; add them or correct it"
                    raise Misplaced(f"{part}.{number}.wearer_id", unknown)
                object.__setattr__(value, "wearer_id", known[value.wearer_id])  # one text, not three
        _refuse_clash(
            "installations", "installed_at", [(str(i.unit), i.installed_at, i.removed_at) for i in self.installations]
        )
        _refuse_two_keys(self.installations)
        fitted = [(f"{f.tag} of {f.wearer_id}", f.fitted_at, f.removed_at) for f in self.fittings]
        _refuse_clash("fittings", "fitted_at", fitted)
        return self

    def sha256(self) -> str:
        """Hash of the register without personal data, so that it survives an erasure."""
        digest = hashlib.sha256()
        for piece in self._canonical():
            digest.update(piece.encode())
        return digest.hexdigest()

    def _canonical(self) -> Iterator[str]:
        """`plain` as JSON, keys sorted, piece by piece: whole, a country's register would be most of the memory."""
        for part, kind in _PARTS.items():
            yield f'{{"{part}":[' if part == "fittings" else f'"{part}":['
            for number, value in enumerate(getattr(self, part)):
                plain = kind.dump_python(value, mode="json", by_alias=True, exclude=_PERSONAL)
                yield ("," if number else "") + json.dumps(plain, sort_keys=True, separators=(",", ":"))
            yield {"orders": f'],"version":{self.version},', "wearers": "]}"}.get(part, "],")

    def plain(self, *, personal: bool = False) -> dict[str, Any]:
        """The register as JSON values, its instants as milliseconds, without personal data unless it is asked for."""
        unsaid = {} if personal else {"wearers": {"__all__": _PERSONAL}}
        plain: dict[str, Any] = _REGISTER.dump_python(self, mode="json", by_alias=True, exclude=unsaid)
        return plain


_REGISTER = TypeAdapter(Register)
_PERSONAL = {"name", "notes", "contacts"}
_PARTS: dict[str, TypeAdapter[Any]] = {
    "fittings": TypeAdapter(Fitting),
    "installations": TypeAdapter(Installation),
    "orders": TypeAdapter(Order),
    "wearers": TypeAdapter(Wearer),
}


def _refuse_repeats(path: str, names: list[Any]) -> None:
    seen: set[Any] = set()
    for name in names:
        if name in seen:
            raise Misplaced(path, f"{name!r} stands twice; names are unique")
        seen.add(name)


def _refuse_two_keys(installations: tuple[Installation, ...]) -> None:
    """One unit has one key and one key one unit, or a signature would not say who signed."""
    key_of: dict[UnitId, str] = {}
    unit_of: dict[str, UnitId] = {}
    for installation in installations:
        unit, key = installation.unit, installation.public_key
        if key is not None and key_of.setdefault(unit, key) != key:
            raise ValueError(f"installations {unit}: two public_key; all installations of a unit name the same one")
        if key is not None and unit_of.setdefault(key, unit) != unit:
            raise ValueError(f"installations {unit}: its public_key is that of {unit_of[key]}; every unit has its own")


def public_key_of(installations: Iterable[Installation]) -> str | None:
    """The enrolled key of the unit whose installations these are; None where it has none."""
    return next((i.public_key for i in installations if i.public_key is not None), None)


def _refuse_clash(path: str, begins: str, spans: list[tuple[str, Ms, Ms | None]]) -> None:
    last: dict[str, tuple[int, Ms | None]] = {}
    for number, (name, start, end) in sorted(enumerate(spans), key=lambda item: item[1][:2]):
        if end is not None and end <= start:
            raise Misplaced(f"{path}.{number}.removed_at", f"{format_ms(end)} is not after {begins} {format_ms(start)}")
        if name in last:
            earlier, until = last[name]
            if until is None or until > start:
                remedy = f"give {path}.{earlier} a removed_at of {format_ms(start)} or earlier"
                raise Misplaced(f"{path}.{number}.{begins}", f"{name} overlaps {path}.{earlier} in time; {remedy}")
        last[name] = number, end


def parse_register(text: str | bytes, *, name: str = "register") -> Register:
    """The register in `text`; RegisterError in one line names the file, the path and what would be right."""
    try:
        return _REGISTER.validate_json(text)
    except ValidationError as error:
        path, reason = first_problem(error)
        raise RegisterError(f"{name}: {path or '(whole file)'}: {reason}") from None


def register_schema() -> dict[str, Any]:
    """JSON Schema of a register."""
    return _REGISTER.json_schema()
