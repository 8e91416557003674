"""Alerts as CloudEvents: the golden event, and that what is sent equals the schema that consumers are given."""

import json
import re
from typing import Any

import pytest

from emcheck.alerting.cloudevents import AlertEvent, cloud_event
from emcheck.domain.advice import RULES
from emcheck.domain.alerts import Alert, AlertState, Disposition
from emcheck.store.rows import event_id
from tests.store.samples import HOUR, T0, alert

SCHEMA = AlertEvent.model_json_schema()
ALERTS = [
    alert(),
    alert("AL-2", class_="late_return", ended_at=T0 + HOUR, late="detected late", revision=3, withdrawn=True),
    alert("AL-3", state=AlertState.CLOSED, disposition=Disposition.NO_ANSWER, text='Żółw: 3 > 2 & "so"'),
    alert("AL-4", subject="BU-0001", unit="BU-0001", wearer_id=None, order_id=None, window=None, priority="P3"),
]


def sent(of: Alert, action: str = "raised", note: str = "") -> dict[str, Any]:
    body = cloud_event(of, action=action, at=T0 + 300_001, source="emcheck/01TEST", note=note)
    told = json.loads(body)
    assert isinstance(told, dict)
    return told


def test_the_event_in_full() -> None:
    assert sent(alert(class_="late_return"), "amended", "P2 is now P1") == {
        "specversion": "1.0",
        "id": "AL-1.1",
        "source": "emcheck/01TEST",
        "type": "emcheck.alert.amended",
        "subject": "W-1",
        "time": "2026-09-21T14:18:20.001Z",
        "datacontenttype": "application/json",
        "data": {
            "alert_id": "AL-1",
            "rule": "curfew.absence",
            "class": "late_return",
            "public_code": "AL08",
            "sia_code": "CI",
            "priority": "P1",
            "state": "unacknowledged",
            "wearer_id": "W-1",
            "order_id": "O-1",
            "unit": None,
            "window": {"start": "2026-09-21T14:13:20.000Z", "end": "2026-09-21T15:13:20.000Z"},
            "happened_at": "2026-09-21T14:13:20.000Z",
            "ended_at": None,
            "raised_at": "2026-09-21T14:18:20.000Z",
            "incident": None,
            "size": None,
            "withdrawn": False,
            "revision": 1,
            "steps": 0,
            "disposition": None,
            "holder": None,
            "late": None,
            "text": "not heard at home",
            "next_step": RULES["curfew.absence"].do,
            "note": "P2 is now P1",
        },
    }


@pytest.mark.parametrize("of", ALERTS, ids=lambda of: str(of.alert_id))
def test_what_is_sent_equals_the_schema(of: Alert) -> None:
    assert misfits(sent(of), SCHEMA) == []


def test_the_schema_has_the_attributes_that_cloudevents_requires() -> None:
    assert {"id", "source", "specversion", "type"} <= set(SCHEMA["required"])
    assert SCHEMA["properties"]["specversion"]["const"] == "1.0"


@pytest.mark.parametrize(
    "wrong",
    [
        {"specversion": "0.3"},
        {"time": "2026-09-21 14:18"},
        {"extra": 1},
        {"data": {}},
        {"data": sent(alert())["data"] | {"state": "asleep"}},
        {"data": sent(alert())["data"] | {"revision": "1"}},
    ],
)
def test_what_is_not_in_the_schema_is_told_apart(wrong: dict[str, Any]) -> None:
    assert misfits(sent(alert()) | wrong, SCHEMA) != []


def test_the_id_is_the_same_at_each_delivery_and_another_at_each_change() -> None:
    assert sent(alert())["id"] == sent(alert())["id"] == event_id(alert())
    assert sent(alert(revision=2))["id"] == event_id(alert(revision=2)) == "AL-1.2"


def misfits(value: Any, schema: dict[str, Any], at: str = "$") -> list[str]:
    """Where `value` is not as the schema says, by the keywords that pydantic uses here; others are an error."""
    schema = _resolved(schema)
    if "anyOf" in schema:
        return [] if any(not misfits(value, each, at) for each in schema["anyOf"]) else [at]
    unknown = set(schema) - {
        "type", "const", "enum", "pattern", "format", "required", "properties", "additionalProperties",
        "title", "description", "default",
    }  # fmt: skip
    assert not unknown, f"{at}: {unknown} is not looked at"
    found = [] if _fits(value, schema) else [at]
    if schema.get("type") == "object" and isinstance(value, dict):
        assert schema["additionalProperties"] is False
        properties = schema["properties"]
        found += [f"{at}.{key}" for key in set(schema["required"]) ^ set(value)]
        found += [
            bad
            for key in value.keys() & properties.keys()
            for bad in misfits(value[key], properties[key], f"{at}.{key}")
        ]
    return found


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    named = schema.get("$ref")
    whole = schema if named is None else SCHEMA["$defs"][named.rpartition("/")[2]] | schema
    return {key: said for key, said in whole.items() if key not in ("$ref", "$defs")}


def _fits(value: Any, schema: dict[str, Any]) -> bool:
    types = {"string": str, "integer": int, "boolean": bool, "object": dict, "null": type(None)}
    return (
        ("type" not in schema or type(value) is types[schema["type"]])
        and ("const" not in schema or value == schema["const"])
        and ("enum" not in schema or value in schema["enum"])
        and ("pattern" not in schema or re.search(schema["pattern"], value) is not None)
    )
