"""Streams (formats.md): one received message, instruction or service line each, in the order received.

An extension: `{"received_at":...,"heard":"BU-0001"}` stands for a message that brought nothing new, of which the
inbox keeps no more than that it came. Another: `"retained":true` in a message says that the broker had kept it.
"""

import base64
import binascii
import gzip
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

from emcheck.domain.ids import Ms
from emcheck.domain.instants import parse_ms

_HEAD = re.compile(rb'\{"received_at": ?"([^"\\]{10,40})", ?"topic": ?"([^"\\]+)", ?"payload": ?')


class StreamError(ValueError):
    """A line that is no stream line; names file, line and field."""


class Line(NamedTuple):
    """`kind` is `up`, `instruction`, `service`, `clock` or `heard`; `payload` bytes, an object, a word or a unit."""

    number: int
    received_at: Ms
    kind: str
    topic: str
    payload: Any
    retained: bool = False
    """A message that the broker had kept: whatever it says, it is refused."""


def read_stream(path: str) -> Iterator[Line]:
    """The lines of a `.jsonl` or `.jsonl.gz` file, or of standard input for `-`."""
    try:
        if path == "-":
            yield from parse_lines(sys.stdin.buffer, "standard input")
        elif path.endswith(".gz"):
            with gzip.open(path, "rb") as packed:
                yield from parse_lines(packed, path)
        else:
            with Path(path).open("rb") as plain:
                yield from parse_lines(plain, path)
    except (OSError, EOFError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise StreamError(f"{path}: {why}; name a whole .jsonl or .jsonl.gz file that can be read, or -") from None


def parse_lines(file: Iterable[bytes], name: str) -> Iterator[Line]:
    """The lines of an open file; StreamError names the line of `name` that is none."""
    for number, text in enumerate(file, start=1):
        if not text.strip():
            continue
        line = _plain_line(number, text)
        if line is not None:
            yield line
            continue
        try:
            yield _line(number, json.loads(text))
        except json.JSONDecodeError as error:
            raise StreamError(f"{name}: line {number}: not JSON: {error.msg} at character {error.pos + 1}") from None
        except (ValueError, KeyError, TypeError) as error:
            reason = f"{error.args[0]}: missing" if isinstance(error, KeyError) else str(error)
            raise StreamError(f"{name}: line {number}: {reason}") from None


def _plain_line(number: int, text: bytes) -> Line | None:
    """The usual line, read at a third of the cost: its payload stands last and is taken as it stands; else None."""
    head = _HEAD.match(text)
    payload = text[head.end() :].rstrip()[:-1] if head is not None else b""
    if head is None or not payload.startswith(b"{"):
        return None
    try:
        from_json(payload)
        return Line(number, parse_ms(head[1].decode()), "up", head[2].decode(), payload)
    except ValueError:
        return None


def _line(number: int, raw: Any) -> Line:
    if not isinstance(raw, dict):
        raise TypeError("a stream line is a JSON object")
    try:
        received_at = parse_ms(raw["received_at"])
    except (ValueError, TypeError) as error:
        raise ValueError(f"received_at: {error}") from None
    if "instruction" in raw:
        return Line(number, received_at, "instruction", "", raw["instruction"])
    if raw.get("service") == "clock":
        return Line(number, received_at, "clock", "", _clock(raw))
    if "service" in raw:
        if raw["service"] not in ("started", "stopped", "alive"):
            raise ValueError(f"service: {raw['service']!r} is none of started, stopped, alive, clock")
        return Line(number, received_at, "service", "", raw["service"])
    if "heard" in raw:
        return Line(number, received_at, "heard", "", str(raw["heard"]))
    if not isinstance(raw["topic"], str):
        raise TypeError("topic: an MQTT topic is text such as em/v1/BU-0001/up")
    if "payload_b64" in raw:
        try:
            payload = base64.b64decode(raw["payload_b64"], validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise ValueError(f"payload_b64: {error}") from None
    else:
        payload = json.dumps(raw["payload"], separators=(",", ":")).encode()
    return Line(number, received_at, "up", raw["topic"], payload, raw.get("retained") is True)


def _clock(raw: dict[str, Any]) -> dict[str, Any]:
    """What the service found of its own clock: one of the two."""
    said: dict[str, Any] = {key: raw[key] for key in ("stepped_ms", "synchronised") if key in raw}
    kinds = {"stepped_ms": int, "synchronised": bool}
    if len(said) != 1 or any(type(value) is not kinds[key] for key, value in said.items()):
        raise ValueError("service: a word about the clock has stepped_ms (a whole number) or synchronised (yes or no)")
    return said
