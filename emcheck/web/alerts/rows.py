"""An alert as a row of the queue: what is seen of it in three seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emcheck.desk import Place, rank
from emcheck.domain.alerts import EXPIRIES, Alert, AlertState, Step, waits
from emcheck.domain.engine import Engine
from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_optional_ms
from emcheck.present.escalated import time_left
from emcheck.present.story import alert_json
from emcheck.present.times import clock, duration, hour
from emcheck.web.parts import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`due` is the instant by which it is to be acknowledged, where it waits; `back` is when a lease or shelf ends.

    `left` says the one that there is in words.
    """

    alert: Alert
    rank: int | None
    waiting: bool
    due: Ms | None
    back: Ms | None
    left: str
    whom: str
    where: str
    state: str
    raised: str

    @property
    def place(self) -> str:
        """Names its place, for the page after it."""
        return "" if self.rank is None else f"{self.rank}.{self.alert.alert_id}"


def place_named(text: str) -> Place | None:
    """The place of that name; None where it names none."""
    number, _, alert_id = text.partition(".")
    return Place(int(number), alert_id[:80]) if number.isascii() and number.isdigit() and len(number) < 19 else None


async def rows_of(parts: Parts, alerts: Sequence[Alert]) -> list[Row]:
    """At most 500 alerts as rows, in their order."""
    now, known = parts.clock.now(), parts.known()
    names = await parts.desk.names(sorted({a.wearer_id for a in alerts if a.wearer_id is not None}))
    holders = await parts.desk.holders([a.alert_id for a in alerts])
    targets = parts.targets_ms(now)
    engine = None if known is None else known.engine
    return [_row(alert, now, targets, names, holders.get(alert.alert_id), engine) for alert in alerts]


def _row(
    alert: Alert, now: Ms, targets: Mapping[str, Ms], names: Mapping[str, str], held: Step | None, engine: Engine | None
) -> Row:
    waiting, target = waits(alert), targets.get(alert.priority)
    zone = zone_of(alert, engine)
    back = alert.lease_until if alert.state in EXPIRIES and not alert.withdrawn else None
    return Row(
        alert=alert,
        rank=rank(alert),
        waiting=waiting,
        due=alert.raised_at + target if waiting and target is not None else None,
        back=back,
        left=time_left(alert, targets, now) if back is None else f"back in {duration(max(0, back - now))}",
        whom=whom(alert, names),
        where=_where(alert, engine),
        state=_state(alert, held, zone),
        raised=clock(alert.raised_at, zone),
    )


def whom(alert: Alert, names: Mapping[str, str]) -> str:
    """`W-0003 Priya Barker`; what it is about where it is about no wearer."""
    if alert.wearer_id is None:
        return alert.unit or alert.subject
    return " ".join(filter(None, (alert.wearer_id, names.get(alert.wearer_id))))


def told_json(row: Row) -> dict[str, Any]:
    """An alert with what a row of the queue says of it."""
    said = {"whom": row.whom, "where": row.where, "held": row.state, "due_at": format_optional_ms(row.due)}
    return alert_json(row.alert) | said


def zone_of(alert: Alert, engine: Engine | None) -> str:
    """The time zone of the wearer's order; UTC where there is none."""
    case = None if engine is None or alert.wearer_id is None else engine.cases.get(alert.wearer_id)
    return case.orders[0].order.timezone if case is not None and case.orders else "UTC"


def _where(alert: Alert, engine: Engine | None) -> str:
    case = None if engine is None or alert.wearer_id is None else engine.cases.get(alert.wearer_id)
    if case is not None and case.units:
        return ", ".join(case.units[:2])
    return alert.unit if alert.unit is not None and alert.wearer_id is not None else ""


def _state(alert: Alert, held: Step | None, zone: str) -> str:
    """What became of it so far, and by whom."""
    if alert.withdrawn:
        return "withdrawn: what is known now no longer shows it"
    by = f" by {held.by}" if held is not None else ""
    until = f" until {hour(alert.lease_until, zone)}" if alert.lease_until is not None else ""
    has = f", with {alert.holder}" if alert.holder is not None else ""
    before = f"; acknowledged{by} before" if held is not None and held.action == "acknowledged" else ""
    holder = alert.holder or (held.by if held is not None else "somebody")
    shelved = by if held is not None and held.action == "shelved" else ""
    return {
        AlertState.UNACKNOWLEDGED: f"new{has}",
        AlertState.RETURNED: f"came back{has}{before}",
        AlertState.ACKNOWLEDGED: f"with {holder}{until}",
        AlertState.SHELVED: f"shelved{shelved}{until}{has if holder not in by else ''}",
        AlertState.SUPPRESSED: f"part of an incident{has}",
        AlertState.CLOSED: f"closed{by}",
    }[alert.state]
