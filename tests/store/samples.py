"""Values for the store's tests."""

from typing import Any

from emcheck.domain.alerts import Alert, AlertState
from emcheck.domain.findings import FactRef, Finding, Span
from emcheck.domain.ids import AlertId, BootId, OrderId, RuleId, UnitId, WearerId
from emcheck.ports import AlertChange, Checkpoint, InboxRow, Quarantined

T0 = 1_790_000_000_000
HOUR = 3_600_000
BIG = 3_000_000_000  # beyond 32 bits
UNIT = UnitId("BU-0001")
HOSTILE = "nul \x00, lone \ud800, quote ' \" ; -- \n ü 🜲"


def row(row_id: int, unit: str | None = UNIT, *, previous: int | None = None, **changes: Any) -> InboxRow:
    """An inbox row."""
    named = None if unit is None else UnitId(unit)
    made = InboxRow(row_id, T0 + row_id, "up", named, previous, b"payload %d" % row_id)
    return made._replace(**changes)


def absence(number: int = 0, **changes: Any) -> Finding:
    """A curfew absence of W-1 in the window of night `number`."""
    start = T0 + number * 24 * HOUR
    values: dict[str, Any] = {
        "rule": RuleId("curfew.absence"), "class_": "late", "wearer_id": WearerId("W-1"), "order_id": OrderId("O-1"),
        "window": Span(start, start + 12 * HOUR), "start": start + HOUR, "end": start + 2 * HOUR, "absent_ms": HOUR,
        "excluded_ms": 0, "priority": "P1", "raised_at": start + HOUR + 300_000,
        "evidence": (FactRef(UNIT, BootId("01JD0000000000000000000000"), 17),), "doubts": ("clock",),
        "detail": (("count", 3), ("tag", "T-1")), "zone": "Europe/London", "policy": "england-wales 1",
        "register": "ab",
    }  # fmt: skip
    return Finding(**(values | changes))


def silence(**changes: Any) -> Finding:
    """A finding about a unit."""
    values: dict[str, Any] = {"rule": RuleId("unit.silent"), "unit": UNIT, "start": T0, "end": None, "priority": "P3"}
    return Finding(**(values | changes))


def alert(name: str = "AL-1", **changes: Any) -> Alert:
    """An alert of W-1."""
    values: dict[str, Any] = {
        "alert_id": AlertId(name), "rule": RuleId("curfew.absence"), "subject": "W-1", "priority": "P1",
        "happened_at": T0, "raised_at": T0 + 300_000, "text": "not heard at home", "wearer_id": WearerId("W-1"),
        "order_id": OrderId("O-1"), "window": Span(T0, T0 + HOUR),
    }  # fmt: skip
    return Alert(**(values | changes))


def change(changed: Alert, action: str = "raised", *, published: bytes | None = b"{}", at: int = T0) -> AlertChange:
    """A change of an alert."""
    return AlertChange(changed, action, at, "emcheck", "", published)


def closed(name: str = "AL-1", **changes: Any) -> Alert:
    """A closed alert."""
    return alert(name, state=AlertState.CLOSED, disposition="false", **changes)


def refused(reason: str = "not_json", unit: str | None = UNIT, **changes: Any) -> Quarantined:
    """Refused input."""
    made = Quarantined(T0, "em/v1/BU-0001/up", unit, reason, "line 1", b"\x00\xff{", "01JD", 5, 7)
    return made._replace(**changes)


def checkpoint(row_id: int, at: int, unit: str = UNIT) -> Checkpoint:
    """A checkpoint."""
    return Checkpoint(UnitId(unit), row_id, at, b"state %d" % row_id)
