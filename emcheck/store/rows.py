"""Values to rows and back: findings and alerts as JSON that restores them exactly, hostile text made storable."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from emcheck.desk import rank
from emcheck.domain.alerts import Alert, AlertState, Course
from emcheck.domain.findings import FactRef, Finding, Span
from emcheck.domain.ids import BootId, UnitId
from emcheck.ports import Quarantined

_INT64_MAX = (1 << 63) - 1
_FINDING_FIELDS = tuple(f.name for f in fields(Finding))
_ALERT_FIELDS = tuple(f.name for f in fields(Alert))


def storable(text: str) -> str:
    """Text that every database takes: NUL and lone surrogates, which come from hostile input, are spelt out."""
    if text.isprintable():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def storable_number(number: int | None) -> int | None:
    """A number that fits 64 bits, or None: a sequence number beyond them never was one."""
    return number if number is None or -_INT64_MAX <= number <= _INT64_MAX else None


def _dumped(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _span(pair: list[int] | None) -> Span | None:
    return None if pair is None else Span(*pair)


def finding_body(finding: Finding) -> bytes:
    """A finding as JSON, whole."""
    return _dumped({name: getattr(finding, name) for name in _FINDING_FIELDS})


def finding_from(body: bytes) -> Finding:
    """The finding that `finding_body` wrote."""
    kept = json.loads(body)
    kept["window"] = _span(kept["window"])
    kept["episode"] = _span(kept["episode"])
    kept["evidence"] = tuple(FactRef(UnitId(unit), BootId(boot), seq) for unit, boot, seq in kept["evidence"])
    kept["doubts"] = tuple(kept["doubts"])
    kept["detail"] = tuple((name, value) for name, value in kept["detail"])
    return Finding(**kept)


def alert_body(alert: Alert) -> bytes:
    """An alert as JSON, whole."""
    return _dumped({name: getattr(alert, name) for name in _ALERT_FIELDS})


def alert_from(body: bytes) -> Alert:
    """The alert that `alert_body` wrote."""
    kept = json.loads(body)
    kept["state"] = AlertState(kept["state"])
    kept["window"] = _span(kept["window"])
    kept["course"] = Course(*kept.get("course", ()))
    return Alert(**kept)


def is_open(alert: Alert) -> bool:
    """Whether it still waits for somebody."""
    return alert.state is not AlertState.CLOSED


def finding_row(finding: Finding) -> dict[str, Any]:
    """A row of `finding`: what is queried in columns, the whole in `body`."""
    window = finding.window
    return {
        "subject": storable(finding.subject),
        "key": storable(finding.key),
        "rule": storable(finding.rule),
        "order_id": None if finding.order_id is None else storable(finding.order_id),
        "window_start": None if window is None else window.start,
        "window_end": None if window is None else window.end,
        "start_at": finding.start,
        "end_at": finding.end,
        "absent_ms": finding.absent_ms,
        "body": finding_body(finding),
    }


def alert_row(alert: Alert) -> dict[str, Any]:
    """A row of `alert`."""
    return {
        "alert_id": alert.alert_id,
        "subject": storable(alert.subject),
        "closed": 0 if is_open(alert) else 1,
        "raised_at": alert.raised_at,
        "incident": alert.incident,
        "rank": rank(alert),
        "rule": storable(alert.rule),
        "holder": None if alert.holder is None else storable(alert.holder),
        "revision": alert.revision,
        "body": alert_body(alert),
    }


def quarantine_kept(item: Quarantined) -> Quarantined:
    """Refused input as it can be kept: the payload untouched, words and numbers made storable."""
    return item._replace(
        topic=storable(item.topic),
        unit=None if item.unit is None else storable(item.unit),
        reason=storable(item.reason),
        detail=storable(item.detail),
        boot=None if item.boot is None else storable(item.boot),
        first_seq=storable_number(item.first_seq),
        last_seq=storable_number(item.last_seq),
    )


def event_id(alert: Alert) -> str:
    """Names one revision of an alert for ever: the same at each delivery."""
    return f"{alert.alert_id}.{alert.revision}"
