"""What is measured with: a register of wearers at home, and what their base units send.

Numbers are chosen so that nothing is being said that changes a verdict, as in most of a night: every unit's tag
is at home, and every tenth event is a heartbeat. `worn` are tags that tell of the body they are on, each report another
reading; the others tell nothing of it, as most tags of today.
"""

import json
from collections.abc import Iterator

from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY, HOUR, MINUTE, format_ms
from emcheck.domain.policy import Policy, parse_policy
from emcheck.domain.register import DAYS, Register, parse_register
from emcheck.service.stream import Line
from emcheck.settings import shipped_config

BEAT_EVERY = 10
"""One event in so many is a `unit_status`."""


def policy() -> Policy:
    """The shipped policy."""
    return parse_policy((shipped_config() / "policy" / "england-wales.toml").read_text())


def unit_name(number: int) -> str:
    """The base unit of wearer `number`."""
    return f"BU-{number:06d}"


def register(wearers: int, *, start: Ms, days: int = 30) -> Register:
    """The register of `register_json`."""
    return parse_register(register_json(wearers, start=start, days=days))


def register_json(wearers: int, *, start: Ms, days: int = 30) -> bytes:
    """One unit and one tag each since `start`, and for so many days a curfew every night from 19:00 to 07:00 UTC."""
    following = zip(DAYS, DAYS[1:] + DAYS[:1], strict=True)
    windows = [
        {"from_day": day, "from_time": "19:00", "until_day": after, "until_time": "07:00"} for day, after in following
    ]
    since, numbers = format_ms(start), range(wearers)
    body = {
        "version": 1,
        "wearers": [{"wearer_id": f"W-{n}"} for n in numbers],
        "orders": [
            {
                "order_id": f"O-{n}",
                "wearer_id": f"W-{n}",
                "kind": "bail",
                "timezone": "UTC",
                "starts_at": format_ms(start - DAY),
                "ends_at": format_ms(start + days * DAY),
                "curfew": [{"address_id": f"A-{n}", "windows": windows}],
            }
            for n in numbers
        ],
        "installations": [{"unit": unit_name(n), "address_id": f"A-{n}", "installed_at": since} for n in numbers],
        "fittings": [
            {"tag": f"T-{n}", "wearer_id": f"W-{n}", "fitted_at": since, "validation": "validated"} for n in numbers
        ],
    }
    return json.dumps(body).encode()


def evening(now: Ms, hour: float) -> Ms:
    """An hour of today, UTC: the curfew of `register` is in force at 21, begins at 19."""
    return now // DAY * DAY + round(hour * HOUR)


def event(unit: int, seq: int, at: Ms, *, worn: bool = False) -> dict[str, object]:
    """Event `seq` of a unit's boot."""
    stamp = format_ms(at)
    if seq == 1:
        return {"type": "boot", "at": stamp, "reason": "power_on", "firmware": "1.4.2", "heartbeat_s": 300}
    if seq % BEAT_EVERY == 0:
        return {
            "type": "unit_status", "at": stamp, "power": "mains", "battery_pct": 100, "signal_dbm": -71,
            "tags": {f"T-{unit}": "in"}, "clock_offset_ms": 12, "rtt_ms": 80,
        }  # fmt: skip
    return {
        "type": "report", "at": stamp, "tag": f"T-{unit}", "interval_s": 60, "heard": 9, "expected": 10,
        "rssi_dbm": -62, "strap": "closed", "battery_pct": 90, **(felt(unit + seq) if worn else {}),
    }  # fmt: skip


def felt(number: int) -> dict[str, object]:
    """The readings of a limb that moves in most minutes and is never quite as warm as before."""
    skin_c = 31 + number * 7 % 13 / 50
    return {
        "proximity": 0.9 + number % 5 / 100, "skin_c": skin_c, "ambient_c": skin_c - 0.9 + number % 7 / 50,
        "motion_mg": 0 if number % 4 == 0 else 100 + number * 37 % 400,
    }  # fmt: skip


def envelope(unit: int, first_seq: int, events: list[dict[str, object]]) -> bytes:
    """One message of a unit."""
    body = {"v": 1, "boot": f"01JD00{unit:020d}", "first_seq": first_seq, "sent_at": events[-1]["at"], "events": events}
    return json.dumps(body, separators=(",", ":")).encode()


def report(unit: int, round_: int, *, per_message: int, at: Ms, apart: Ms, worn: bool = False) -> bytes:
    """Message `round_` (from 0) of a unit; its events are `apart`, the first of round 0 at `at`."""
    first = round_ * per_message + 1
    events = [event(unit, seq, at + (seq - 1) * apart, worn=worn) for seq in range(first, first + per_message)]
    return envelope(unit, first, events)


def day_of_reports(units: int, minutes: int, per_message: int, start: Ms, *, worn: bool = False) -> Iterator[Line]:
    """A stream: every unit says something once a minute; `per_message` events travel together."""
    number = 0
    for round_ in range(minutes // per_message):
        told_at = start + ((round_ + 1) * per_message - 1) * MINUTE + 2_000
        for unit in range(units):
            number += 1
            payload = report(unit, round_, per_message=per_message, at=start, apart=MINUTE, worn=worn)
            yield Line(number, told_at + unit, "up", f"em/v1/{unit_name(unit)}/up", payload)
