"""What an import is given, what it makes and what it says about it. What it makes passes the register's own checks."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms
from emcheck.domain.register import Order, RegisterError, parse_register
from emcheck.domain.written import is_zone

_OF_TIMES = re.compile(
    r"\d{1,4}[-/.:]\d{1,2}([-/.:]\d{1,4})?([T ]\d{1,2}[:.]\d\d([:.]\d\d)?(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?"
)


class NotUnderstood(ValueError):
    """A document that cannot be read without guessing: path in it, reason and remedy in one line."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(" ".join((f"{path}: {reason}" if path else reason).split()))


class NotSaid(NotUnderstood):
    """What the document does not say and an option would: `field` of `Given`, under `place` where it is an address.

    `remedy` names the option; `stand_in` is a value by which reading can go on, to find what else is not said.
    """

    def __init__(
        self, field: str, reason: str, remedy: str, *, stand_in: Any, place: str | None = None, where: str = ""
    ) -> None:
        super().__init__(where or field, f"{reason}; give {remedy}")
        self.field, self.reason, self.remedy = field, reason, remedy
        self.place, self.stand_in = place, stand_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the operator says beside the document; it goes before what the document says."""

    order_id: str | None = None
    wearer_id: str | None = None
    kind: str | None = None
    zone: str | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Address id by what the document calls the place; under "" the only one."""
    starts_at: Ms | None = None
    ends_at: Ms | None = None
    varies_at: Ms | None = None
    atv_allowance_min: float | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    """Who says a field, where that is not its own option: as the order that is varied."""

    def source(self, name: str) -> str:
        """Who says a field of the order."""
        return self.sources.get(name, f"--{name.replace('_', '-')}")

    def as_said(self, name: str) -> str:
        """The same in a report: `as --zone says`, `as order O-1 in the register has it`."""
        source = self.source(name)
        return f"as {source} says" if source.startswith("--") else f"as {source} has it"


@dataclass(slots=True)
class Report:
    """What was understood, what was read in one way of several, and what was not used; each with its place."""

    understood: list[tuple[str, str]] = field(default_factory=list)
    assumed: list[tuple[str, str]] = field(default_factory=list)
    not_used: list[tuple[str, str]] = field(default_factory=list)

    def plain(self) -> dict[str, list[dict[str, str]]]:
        """For programs."""
        return {
            name: [{"where": where, "said": said} for where, said in getattr(self, name)] for name in self.__slots__
        }

    def lines(self) -> list[str]:
        """For people; nothing personal that the document holds is repeated."""
        heads = {"understood": "understood", "assumed": "read as, for want of better", "not_used": "not used"}
        told: list[str] = []
        for name, head in heads.items():
            rows = getattr(self, name)
            told += [f"{head}:"] + [f"  {where}: {said}" if said else f"  {where}" for where, said in rows]
            told += [] if rows else ["  nothing"]
        return told


@dataclass(frozen=True, slots=True)
class Imported:
    """An order as the register writes it; a variation of one where `varies_at` is set."""

    order: dict[str, Any]
    report: Report
    varies_at: Ms | None = None


_STAND_INS = {"zone": "UTC", "kind": "other", "starts_at": -(10**12), "ends_at": 10**13}
"""They lead to no fault of their own: a time that holds every window."""


class Draft:
    """An order in the making: what the operator gives goes first, then what the document says, else it is asked for."""

    def __init__(self, given: Given, report: Report) -> None:
        self.given, self.report = given, report

    def choose(self, name: str, said: Any, where: str) -> Any:
        """The value of one field of the order; NotUnderstood names the option where nobody says it."""
        source = self.given.source(name)
        ours = getattr(self.given, name)
        if name == "zone" and not is_zone(ours or said or "UTC"):
            raise NotUnderstood("zone", f"{ours or said!r} is no IANA time zone; write it as in Europe/London")
        if ours is not None:
            alike = f" and so does {where}" if ours == said else ""
            self.report.understood.append((name, f"{_shown(name, ours)}, {self.given.as_said(name)}{alike}"))
            if said is not None and said != ours:
                self.report.not_used.append((where, f"{source} says otherwise"))
            return ours
        if said is None:
            raise NotSaid(name, "the document does not say", source, stand_in=_STAND_INS.get(name, "-"))
        self.report.understood.append((name, f"{_shown(name, said)}, from {where}"))
        return said

    def address(self, place: str, places: int, *, where: str = "") -> str:
        """The address id of what the document calls `place`, one of so many; a bare --address-id serves one only.

        `where` is the field that holds the place, if the place may be a real address: that is not repeated.
        """
        known = self.given.addresses
        if place in known:
            return known[place]
        if "" in known and places <= 1:
            return known[""]
        called = "PLACE" if where else place
        name = f"the place in {where}" if where and place else repr(place or "the address")
        wanted = f"--address-id {called}=A-1" if place and places > 1 else "--address-id A-1"
        wanted += f", PLACE as {where} has it" if where and place and places > 1 else ""
        reason = f"the register's id of {name} is not in the document"
        raise NotSaid("address_id", reason, wanted, place=place, stand_in=f"address of {place}")

    def made(self, **fields: Any) -> Imported:
        """The order of these fields, judged as the register judges it."""
        plain = {key: value for key, value in fields.items() if value not in (None, [], ())}
        plain.setdefault("curfew", [])
        judged(plain)
        return Imported(plain, self.report, self.given.varies_at)


def judged(plain: dict[str, Any]) -> Order:
    """The order as a value; NotUnderstood where the register would refuse it."""
    body = {"version": 1, "wearers": [{"wearer_id": plain["wearer_id"]}], "orders": [plain]}
    try:
        return parse_register(json.dumps(body | {"installations": [], "fittings": []})).orders[0]
    except RegisterError as error:
        raise NotUnderstood("", str(error).removeprefix("register: orders.0.")) from None


def quoted(text: str) -> str:
    """A date or time as the document has it; what else stands there may be somebody's name and is not repeated."""
    return repr(text) if _OF_TIMES.fullmatch(text) else "what is there"


def _shown(name: str, value: Any) -> str:
    return format_ms(value) if name.endswith("_at") else str(value)
