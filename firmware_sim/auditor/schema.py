"""What an event must look like (protocol.md, Events): one table, read field by field.

A field without `?` in the document is required. Two that a report can only give where a frame was heard, `rssi_dbm`
and `strap`, are required only there. An optional field that is null is absent; unknown fields are let through. What a
tag tells of the body is any number: what cannot be is no evidence of a body, and the frames were heard all the same.
"""

from collections.abc import Callable
from math import isfinite
from typing import Any

from firmware_sim.auditor.instants import parse_utc

Check = Callable[[Any], bool]

HEARTBEAT_S_MAX = 300


def whole(value: Any) -> bool:
    """An integer, which in JSON a truth value is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def number(value: Any) -> bool:
    """Any JSON number; what some parsers let through as infinite or not a number is none."""
    return whole(value) or (isinstance(value, float) and isfinite(value))


def text(value: Any) -> bool:
    """A string that is not empty."""
    return isinstance(value, str) and value != ""


def truth(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def instant(value: Any) -> bool:
    """A time as protocol.md writes it."""
    try:
        return isinstance(value, str) and parse_utc(value) is not None
    except ValueError:
        return False


def count(value: Any) -> bool:
    """A whole number from 0."""
    return whole(value) and value >= 0


def sequence_number(value: Any) -> bool:
    """A whole number from 1: `seq` is 1 at the boot event."""
    return whole(value) and value >= 1


def heartbeat(value: Any) -> bool:
    """Seconds, at most 300."""
    return whole(value) and 1 <= value <= HEARTBEAT_S_MAX


def one_of(*words: str) -> Check:
    """One of the words that the document lists."""
    return lambda value: isinstance(value, str) and value in words


def tag_states(value: Any) -> bool:
    """`tags`: each tag's name to `in` or `out`."""
    return isinstance(value, dict) and all(state in ("in", "out") for state in value.values())


REQUIRED: dict[str, dict[str, Check]] = {
    "boot": {"reason": text, "firmware": text},
    "presence": {"tag": text, "in_range": truth},
    "report": {"tag": text, "interval_s": number, "heard": count, "expected": count},
    "unit_status": {
        "power": one_of("mains", "battery"),
        "battery_pct": number,
        "tilt_deg": number,
        "moved": truth,
        "case": text,
        "signal_dbm": number,
        "noise_dbm": number,
        "buffered": count,
    },
    "tag_tamper": {"tag": text, "kind": one_of("strap_cut", "strap_open", "case_open")},
    "lost": {"boot": text, "from": sequence_number, "to": sequence_number, "periodic_only": truth},
}
OPTIONAL: dict[str, dict[str, Check]] = {
    "boot": {"heartbeat_s": heartbeat, "boot_n": count, "tags": tag_states},
    "presence": {"rssi_dbm": number, "last_heard_at": instant},
    "report": {
        "rssi_dbm": number,
        "strap": one_of("closed", "open", "cut"),
        "proximity": number,
        "skin_c": number,
        "ambient_c": number,
        "motion_mg": number,
        "battery_pct": number,
        "replayed": count,
    },
    "unit_status": {"clock_offset_ms": number, "rtt_ms": number, "tags": tag_states},
    "tag_tamper": {},
    "lost": {},
}


def is_well_formed(event: Any) -> bool:
    """Whether one event, alone, can be used at all; what it depends on (its clock, its neighbours) is judged later."""
    if not isinstance(event, dict) or not isinstance(event.get("type"), str) or not instant(event.get("at")):
        return False
    kind = event["type"]
    if kind not in REQUIRED:
        return False
    if not all(name in event and check(event[name]) for name, check in REQUIRED[kind].items()):
        return False
    if not all(check(event[name]) for name, check in OPTIONAL[kind].items() if event.get(name) is not None):
        return False
    return _hangs_together(event)


def _hangs_together(event: dict[str, Any]) -> bool:
    """What one field of an event demands of another."""
    if event["type"] == "report" and event["heard"] >= 1:
        return event.get("rssi_dbm") is not None and event.get("strap") is not None
    if event["type"] == "lost":
        return bool(event["from"] <= event["to"])
    if event["type"] == "presence" and event.get("last_heard_at") is not None:
        # Presence 1: `last_heard_at` later than `at` is bad input.
        return parse_utc(event["last_heard_at"]) <= parse_utc(event["at"])
    return True
