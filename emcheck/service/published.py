"""What other programs are written against: the JSON Schemas by name, and MQTT as an AsyncAPI 3 document."""

from collections.abc import Callable
from typing import Any

from emcheck import __version__
from emcheck.alerting.cloudevents import CONTENT_TYPE, AlertEvent
from emcheck.domain.register import register_schema
from emcheck.present.fitting_shapes import FittingShape
from emcheck.present.shapes import BodySampleShape, FindingShape, TimelineShape, policy_schema
from emcheck.wire import topics
from emcheck.wire.codec import envelope_schema
from emcheck.wire.receipts import ReceiptWord
from emcheck.wire.shapes import DOWNLINK, STREAM_LINE, HostWord, Link

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_FORMATS: dict[str, Callable[[], dict[str, Any]]] = {
    "alert": AlertEvent.model_json_schema,
    "body": BodySampleShape.model_json_schema,
    "downlink": DOWNLINK.json_schema,
    "envelope": envelope_schema,
    "finding": FindingShape.model_json_schema,
    "fitting": FittingShape.model_json_schema,
    "host": HostWord.model_json_schema,
    "link": Link.model_json_schema,
    "policy": policy_schema,
    "receipt": ReceiptWord.model_json_schema,
    "register": register_schema,
    "stream": STREAM_LINE.json_schema,
    "timeline": TimelineShape.model_json_schema,
}
NAMES = (*_FORMATS, "asyncapi")
"""What `published` knows."""


def published(name: str) -> dict[str, Any]:
    """A JSON Schema (2020-12), or for `asyncapi` the AsyncAPI document. KeyError where there is none of that name."""
    return asyncapi() if name == "asyncapi" else {"$schema": _DIALECT} | _FORMATS[name]()


class _Channel:
    """One topic: who sends on it, and what."""

    def __init__(self, address: str, action: str, message: str, says: str, *, qos: int, retain: bool) -> None:
        self.address, self.action, self.message, self.says = address, action, message, says
        self.mqtt = {"mqtt": {"qos": qos, "retain": retain, "bindingVersion": "0.2.0"}}


_CHANNELS = {
    "up": _Channel(
        topics.up("{unit}"), "receive", "envelope", "A unit tells its events, numbered, until they are acknowledged.",
        qos=1, retain=False,
    ),
    "link": _Channel(
        topics.LINK_FILTER.replace("+", "{unit}"), "receive", "link", "Whether a unit is connected: a hint only.",
        qos=1, retain=True,
    ),
    "down": _Channel(
        topics.down("{unit}"), "send", "downlink", "What a unit is told: idempotent, may be lost, repeated.",
        qos=0, retain=False,
    ),
    "host": _Channel(topics.HOST, "send", "host", "Whether the service listens.", qos=1, retain=True),
    "alerts": _Channel(
        topics.ALERTS_PREFIX + "{priority}", "send", "alert", "The monitoring queue; an event keeps its id.",
        qos=1, retain=False,
    ),
    "receipt": _Channel(
        topics.RECEIPT, "receive", "receipt", "A consumer confirms what it has of the queue.",
        qos=1, retain=False,
    ),
}  # fmt: skip


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3 of everything on MQTT, as seen from the service."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "emcheck over MQTT",
            "version": __version__,
            "description": "Base units, the service and the monitoring queue; wire protocol version 1.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(channel) for name, channel in _CHANNELS.items()},
        "operations": {
            f"{channel.action}_{name}": {
                "action": channel.action,
                "channel": {"$ref": f"#/channels/{name}"},
                "summary": channel.says,
                "bindings": channel.mqtt,
            }
            for name, channel in _CHANNELS.items()
        },
        "components": {
            "messages": {channel.message: _message(channel.message) for channel in _CHANNELS.values()},
            "schemas": {
                name: _moved(schema, channel.message)
                for channel in _CHANNELS.values()
                for name, schema in _definitions(channel.message).items()
            },
            "parameters": {
                "unit": {"description": f"A base unit's id, {topics.UNIT_PATTERN}."},
                "priority": {"description": "Of the alert.", "enum": ["P1", "P2", "P3", "P4"]},
            },
        },
    }


def _channel(channel: _Channel) -> dict[str, Any]:
    named = [name for name in ("unit", "priority") if f"{{{name}}}" in channel.address]
    about = {
        "address": channel.address,
        "description": channel.says,
        "messages": {channel.message: {"$ref": f"#/components/messages/{channel.message}"}},
    }
    parameters = {name: {"$ref": f"#/components/parameters/{name}"} for name in named}
    return about | ({"parameters": parameters} if parameters else {})


def _message(name: str) -> dict[str, Any]:
    schema = {key: value for key, value in _FORMATS[name]().items() if key != "$defs"}
    return {
        "name": name,
        "contentType": CONTENT_TYPE if name == "alert" else "application/json",
        "payload": _moved(schema, name),
    }


def _definitions(message: str) -> dict[str, Any]:
    """What a message's schema defines, under names of its own: a reference is read from the document's root."""
    definitions: dict[str, Any] = _FORMATS[message]().get("$defs", {})
    return {f"{message}.{name}": schema for name, schema in definitions.items()}


def _moved(schema: Any, message: str) -> Any:
    """The schema with its references to where `_definitions` stand; AsyncAPI's `discriminator` is another one."""
    if isinstance(schema, list):
        return [_moved(item, message) for item in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {key: _moved(value, message) for key, value in schema.items() if key != "discriminator"}
    if isinstance(schema.get("$ref"), str):
        moved["$ref"] = f"#/components/schemas/{message}.{schema['$ref'].removeprefix('#/$defs/')}"
    return moved
