"""Equipment in words: levels of channels, events as they were told, and bytes as text and as hex."""

from collections.abc import Iterator, Mapping
from typing import Any

from emcheck.domain.channels import BATTERY, CASE, CLOCK, NOISE, POWER, Change
from emcheck.domain.facts import Event
from emcheck.present.story import value_words
from emcheck.present.times import clock, duration

REFUSED: Mapping[str, str] = {
    "not_enrolled": "it comes from a unit that the register does not name",
    "retained": "the broker had kept it: nobody can say when it was sent",
    "bad_signature": "its signature is missing, or not the enrolled key's",
    "other_unit": "it names another unit than its topic does",
    "bad_topic": "its topic is none that emcheck listens for",
    "bad_receipt": "it is no receipt of a consumer",
    "unknown_event": "it tells of a kind of event that is not known",
    "over_size": "it is longer than a message may be",
    "not_json": "it is no JSON",
    "wrong_version": "it is of another version of the protocol",
    "not_in_schema": "a field is missing, unknown or out of its bounds",
    "impossible_time": "it is dated where it cannot be",
}
"""Why input is refused, for people; the field stands beside it."""
_LEVELS: Mapping[tuple[str, str], str] = {
    (POWER, "battery"): "on battery",
    (CASE, "open"): "case open",
    (NOISE, "high"): "noisy",
    (CLOCK, "off"): "clock off",
    (CLOCK, "far"): "clock far off",
    (BATTERY, "low"): "battery low",
    (BATTERY, "between"): "battery falling",
}
_ROW = 16


def level_words(channel: str, change: Change | None, zone: str) -> str:
    """`on battery, 80 %, since Tue 24 Mar 19:00:00`; empty where all is as usual."""
    if change is None:
        return ""
    said = _LEVELS.get((channel, change.level), f"battery {change.level}")
    amount = ""
    if change.amount is not None:
        amount = f", {offset_words(change.amount)}" if channel == CLOCK else f", {change.amount:g} {_UNITS[channel]}"
    return f"{said}{amount}, since {clock(change.at, zone)}"


_UNITS = {POWER: "%", BATTERY: "%", NOISE: "dBm", "tag_battery": "%"}


def offset_words(offset_ms: float) -> str:
    """`95 s fast`, `2 min slow`: how a unit's clock differs."""
    return f"{duration(round(abs(offset_ms))) or 'under 1 s'} {'fast' if offset_ms > 0 else 'slow'}"


def event_words(event: Event | None, zone: str) -> str:
    """What one event told, in its own words; None is one that was refused."""
    if event is None:
        return "refused: see the quarantine"
    told: dict[str, Any] = dict(event)
    at, kind = told.pop("at"), told.pop("type")
    said = ", ".join(f"{key} {value_words(key, value, zone)}" for key, value in told.items() if value is not None)
    return f"{kind} at {clock(at, zone)}{': ' if said else ''}{said}"


def as_text(payload: bytes) -> str:
    """Bytes as text in which nothing is hidden: what cannot be printed is spelt out."""
    text = payload.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def as_hex(payload: bytes) -> str:
    """Bytes as `00000000  7b 22 ..  {".`: place, bytes, and what of them is ASCII."""
    return "\n".join(_hex_rows(payload))


def _hex_rows(payload: bytes) -> Iterator[str]:
    for at in range(0, len(payload), _ROW):
        row = payload[at : at + _ROW]
        plain = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{at:08x}  {row.hex(' '):<{3 * _ROW - 1}}  {plain}"
