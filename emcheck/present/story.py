"""An alert's story for people: known now, known when, rests on, drawn. A duty operator and a lawyer read the same."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from emcheck.domain.advice import next_step
from emcheck.domain.alerts import Alert
from emcheck.domain.facts import Event
from emcheck.domain.findings import FactRef
from emcheck.domain.ids import Ms
from emcheck.domain.instants import HOUR, format_ms, format_optional_ms, parse_ms
from emcheck.domain.timeline import Stretch
from emcheck.domain.windows import Window
from emcheck.present.times import clock, duration
from emcheck.present.whom import whom as whom_about

Known = tuple[Ms, str, str, str, Alert]
"""When it became known, what the change was, by whom, its note, and the alert as it was then."""
Rested = tuple[FactRef, Event | None, Ms | None]
"""A fact, its content and its receipt."""

Drawn = tuple[str, Sequence[Stretch], Sequence[Window]]
"""An address, the wearer's known time there, and the curfew windows."""

_ACTIONS = {
    "raised": "raised",
    "amended": "amended",
    "withdrawn": "withdrawn",
    "reinstated": "raised again",
}


def headline(alert: Alert) -> str:
    """`P2  curfew.absence, late_return  W-1, order O-1`."""
    what = alert.rule if alert.class_ is None else f"{alert.rule}, {alert.class_}"
    about = [] if alert.wearer_id or alert.unit else [whom_about(alert.subject)]
    whom = about + [str(part) for part in (alert.wearer_id, alert.unit) if part is not None]
    whom += [f"order {alert.order_id}"] if alert.order_id is not None else []
    state = "withdrawn" if alert.withdrawn else str(alert.state).replace("_", " ")
    return "  ".join(part for part in (alert.alert_id, alert.priority, what, ", ".join(whom), f"({state})") if part)


def knowledge(history: Iterable[Known], zone: str) -> list[str]:
    """A line or two for each step, in order of knowledge; how long after it happened it was known."""
    lines = []
    for at, action, by, note, alert in history:
        who = "" if by == "emcheck" else f" by {by}"
        said = f"{clock(at, zone)}  {_ACTIONS.get(action, action.replace('_', ' '))}{who}, {alert.priority}"
        lag = at - alert.happened_at
        if action == "raised" and lag > 0:
            said += f", {duration(lag)} after it began"
        lines.append(said + (f": {note}" if note and note != alert.text else ""))
        if action not in ("withdrawn", "escalated"):
            lines.append(f"    {alert.text}")
    return lines


def rests_on(facts: Sequence[Rested], zone: str) -> list[str]:
    """A line for each fact: what was told, when it happened by the unit's clock, and when it reached us."""
    lines = []
    for fact, event, received_at in facts:
        name = f"{fact.unit}, boot {fact.boot}, number {fact.seq}"
        if event is None or received_at is None:
            lines.append(f"{name}: the inbox does not hold it")
            continue
        content: dict[str, Any] = dict(event)
        at, kind = content.pop("at"), content.pop("type")
        said = ", ".join(f"{key} {value_words(key, value, zone)}" for key, value in content.items())
        lines.append(f"{name}: {kind} at {clock(at, zone)}, received {clock(received_at, zone)}")
        if said:
            lines.append(f"    {said}")
    return lines


def value_words(key: str, value: object, zone: str) -> str:
    """What an event says under a key, for people."""
    if key.endswith("_at") and isinstance(value, int):
        return clock(value, zone)
    if key.endswith("_at") and isinstance(value, str):
        return clock(parse_ms(value), zone)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(f"{name}={said}" for name, said in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def as_json(
    alert: Alert, history: Iterable[Known], facts: Sequence[Rested], places: Iterable[Drawn], now: Ms
) -> dict[str, Any]:
    """The same for programs; the timeline from an hour before the first window to one after the last, or to `now`."""
    return {
        "alert": alert_json(alert),
        "next_step": None if (advice := next_step(alert)) is None else {"do": advice.do, "source": advice.source},
        "history": [
            {"known_at": format_ms(at), "action": action, "by": by, "note": note, "alert": alert_json(then)}
            for at, action, by, note, then in history
        ],
        "rests_on": [
            fact._asdict() | {"event": event and _told(event), "received_at": format_optional_ms(received_at)}
            for fact, event, received_at in facts
        ],
        "windows": [
            {"address_id": address, "start": format_ms(window.start), "end": format_ms(window.end)}
            for address, _, windows in places
            for window in windows
        ],
        "timeline": [
            stretch
            for address, known, windows in places
            for stretch in _stretches(address, known, windows[0].start - HOUR, min(now, windows[-1].end + HOUR))
        ],
    }


def _told(event: Event) -> dict[str, Any]:
    """An event with its instants as text."""
    return {
        key: format_ms(value) if isinstance(value, int) and (key == "at" or key.endswith("_at")) else value
        for key, value in dict(event).items()
    }


def _stretches(address: str, known: Iterable[Stretch], low: Ms, high: Ms) -> Iterator[dict[str, str]]:
    """A wearer's time at an address from `low` to `high`, without a gap."""

    def told(start: Ms, end: Ms, state: str) -> dict[str, str]:
        return {"address_id": address, "start": format_ms(start), "end": format_ms(end), "state": state}

    at = low
    for stretch in known:
        start, end = max(stretch.start, at), min(stretch.end, high)
        if start < end:
            yield from [told(at, start, "unknown")] if at < start else []
            yield told(start, end, "present" if stretch.present else "absent")
            at = end
    yield from [told(at, high, "unknown")] if at < high else []


def alert_json(alert: Alert) -> dict[str, Any]:
    """An alert with its instants as text; what does not apply is left out."""
    line: dict[str, Any] = {
        "alert_id": alert.alert_id, "rule": alert.rule, "class": alert.class_, "priority": alert.priority,
        "state": str(alert.state), "withdrawn": alert.withdrawn, "wearer_id": alert.wearer_id,
        "order_id": alert.order_id, "unit": alert.unit, "happened_at": format_ms(alert.happened_at),
        "raised_at": format_ms(alert.raised_at), "ended_at": format_optional_ms(alert.ended_at),
        "window": alert.window and {"start": format_ms(alert.window.start), "end": format_ms(alert.window.end)},
        "revision": alert.revision, "text": alert.text, "late": alert.late, "disposition": alert.disposition,
        "lease_until": format_optional_ms(alert.lease_until),
        "holder": alert.holder,
    }  # fmt: skip
    return {key: value for key, value in line.items() if value is not None}
