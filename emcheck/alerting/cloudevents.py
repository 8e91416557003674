"""Alerts as CloudEvents 1.0 (JSON, structured): the same id at every delivery, so consumers may drop repeats.

The models are the contract: `AlertEvent.model_json_schema()` is what consumers are given. Every key is always there.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from emcheck.domain.advice import next_step
from emcheck.domain.alerts import Alert, AlertState
from emcheck.domain.codes import codes
from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms, format_optional_ms

CONTENT_TYPE = "application/cloudevents+json"
"""Media type of the structured mode."""
Time = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", json_schema_extra={"format": "date-time"})
]
"""RFC 3339, UTC, milliseconds."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class AlertWindow(_Part):
    """The curfew window that an alert is about."""

    start: Time
    """First instant of the window."""
    end: Time
    """First instant after it."""


class AlertData(_Part):
    """An alert as it stands after the change that the event tells of."""

    alert_id: str
    """The alert, for ever; several events may tell of it."""
    rule: str
    """Stable id of the rule, as `curfew.absence`."""
    class_: str | None = Field(alias="class")
    """Which kind of the rule's findings, as `late_return`; null where the rule has none."""
    public_code: str | None
    """The code of the public alert list that fits, as `AL09`; null where none does."""
    sia_code: str | None
    """The SIA event code that fits, for alarm-receiving centres, as `TA`; null where none does."""
    priority: str
    """P1 (at once) to P4 (in days)."""
    state: AlertState
    """Where it stands in the queue."""
    wearer_id: str | None
    """Whom it is about; null where it is about equipment."""
    order_id: str | None
    """The order whose curfew it is about."""
    unit: str | None
    """The base unit it is about."""
    window: AlertWindow | None
    """The curfew window it is about."""
    happened_at: Time
    """Where its cause begins, in event time."""
    ended_at: Time | None
    """Where its cause ends; null while it goes on."""
    raised_at: Time
    """When it was raised."""
    incident: str | None
    """The alert of the incident that accounts for it: one cause of many alerts; null where there is none."""
    size: int | None
    """How many base units an incident is about; null for any other alert."""
    withdrawn: bool
    """What was thought turned out otherwise; the alert stays on record."""
    revision: int
    """1 at the raise, one more at each change."""
    steps: int
    """How many steps of its escalation were made while it waited."""
    disposition: str | None
    """Why it was closed."""
    holder: str | None
    """Who has it: who claimed or acknowledged it, or whom it was handed to; null where nobody does."""
    late: str | None
    """Why it comes late, in words."""
    text: str
    """What happened, in one sentence."""
    next_step: str | None
    """What is to be done about it, after `emcheck/domain/advice.py`; null where it is closed or withdrawn."""
    note: str
    """What this change was, in words; empty where the type says it."""


class AlertEvent(_Part):
    """A CloudEvent 1.0 in structured mode."""

    specversion: Literal["1.0"]
    """Version of CloudEvents."""
    id: str
    """`{alert_id}.{revision}`: with `source` unique, and the same at each delivery."""
    source: str
    """`emcheck/{database id}`."""
    type: str
    """`emcheck.alert.raised`, `.amended`, `.reinstated` or `.withdrawn`; by operators `.acknowledged`, `.confirmed`,
    `.shelved`, `.closed`, `.claimed`, `.handed_over` or `.noted`, and `.referred` to the authority; by whom it was a
    mistake of `.unacknowledged`, `.unclaimed`, `.unshelved` or `.reopened`; `.returned` where nothing followed,
    `.escalated` where it was passed on; `.suppressed` and `.released` by an incident."""
    subject: str
    """Whose alerts it is one of; events of one subject come in order."""
    time: Time
    """When the change became known."""
    datacontenttype: Literal["application/json"]
    """Form of `data`."""
    data: AlertData


def cloud_event(alert: Alert, *, action: str, at: Ms, source: str, note: str) -> bytes:
    """The event that tells of one change of an alert; `action` is how its type ends."""
    event = AlertEvent(
        specversion="1.0",
        id=f"{alert.alert_id}.{alert.revision}",
        source=source,
        type=f"emcheck.alert.{action}",
        subject=alert.subject,
        time=format_ms(at),
        datacontenttype="application/json",
        data=_alert_data(alert, note=note),
    )
    return event.model_dump_json(by_alias=True).encode()


def _alert_data(alert: Alert, *, note: str) -> AlertData:
    window, advice = alert.window, next_step(alert)
    public_code, sia_code = codes(alert.rule, alert.class_, ended=alert.ended_at is not None)
    return AlertData.model_validate(
        {
            "alert_id": alert.alert_id,
            "rule": alert.rule,
            "class": alert.class_,
            "public_code": public_code,
            "sia_code": sia_code,
            "priority": alert.priority,
            "state": alert.state,
            "wearer_id": alert.wearer_id,
            "order_id": alert.order_id,
            "unit": alert.unit,
            "window": window and {"start": format_ms(window.start), "end": format_ms(window.end)},
            "happened_at": format_ms(alert.happened_at),
            "ended_at": format_optional_ms(alert.ended_at),
            "raised_at": format_ms(alert.raised_at),
            "incident": alert.incident,
            "size": alert.size,
            "withdrawn": alert.withdrawn,
            "revision": alert.revision,
            "steps": alert.course.steps,
            "disposition": alert.disposition,
            "holder": alert.holder,
            "late": alert.late,
            "text": alert.text,
            "next_step": None if advice is None else advice.do,
            "note": note,
        }
    )
