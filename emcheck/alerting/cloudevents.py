"""Alerts as CloudEvents 1.0 (JSON, structured): the same id at every delivery, so consumers may drop repeats."""

import json
from typing import Any

from emcheck.domain.alerts import Alert
from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms, format_optional_ms


def cloud_event(alert: Alert, *, action: str, at: Ms, source: str, note: str) -> bytes:
    """The event that tells of one change of an alert; `action` is raised, amended, reinstated or withdrawn."""
    return json.dumps(
        {
            "specversion": "1.0",
            "id": f"{alert.alert_id}.{alert.revision}",
            "source": source,
            "type": f"emcheck.alert.{action}",
            "subject": alert.subject,
            "time": format_ms(at),
            "datacontenttype": "application/json",
            "data": alert_data(alert) | {"note": note},
        },
        ensure_ascii=False,
    ).encode()


def alert_data(alert: Alert) -> dict[str, Any]:
    """An alert as plain JSON, times as RFC 3339."""
    window = alert.window
    return {
        "alert_id": alert.alert_id,
        "rule": alert.rule,
        "class": alert.class_,
        "priority": alert.priority,
        "state": alert.state.value,
        "wearer_id": alert.wearer_id,
        "order_id": alert.order_id,
        "unit": alert.unit,
        "window": window and {"start": format_ms(window.start), "end": format_ms(window.end)},
        "happened_at": format_ms(alert.happened_at),
        "ended_at": format_optional_ms(alert.ended_at),
        "raised_at": format_ms(alert.raised_at),
        "withdrawn": alert.withdrawn,
        "revision": alert.revision,
        "late": alert.late,
        "text": alert.text,
    }
