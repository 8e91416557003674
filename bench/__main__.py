"""`make bench`: replay speed on one core and what a wearer costs in memory."""

import gc
import json
import time
import tracemalloc
from collections.abc import Iterator

from emcheck.domain.engine import Engine
from emcheck.domain.instants import DAY, HOUR, MINUTE, format_ms, parse_ms
from emcheck.domain.policy import parse_policy
from emcheck.domain.register import Register, parse_register
from emcheck.service.memory import EnvelopeMemory
from emcheck.service.replay import replay
from emcheck.service.stream import Line
from emcheck.settings import shipped_config

START = parse_ms("2026-03-24T12:00:00Z")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def town(wearers: int) -> Register:
    """One unit and one tag each, all windows from 19:00 to 07:00."""
    windows = [
        {"from_day": day, "from_time": "19:00", "until_day": DAYS[(i + 1) % 7], "until_time": "07:00"}
        for i, day in enumerate(DAYS)
    ]
    numbers = range(wearers)
    body = {
        "version": 1,
        "wearers": [{"wearer_id": f"W-{n}"} for n in numbers],
        "orders": [
            {
                "order_id": f"O-{n}",
                "wearer_id": f"W-{n}",
                "kind": "bail",
                "timezone": "Europe/London",
                "starts_at": format_ms(START - DAY),
                "ends_at": format_ms(START + 30 * DAY),
                "curfew": [{"address_id": f"A-{n}", "windows": windows}],
            }
            for n in numbers
        ],
        "installations": [
            {"unit": f"BU-{n:06d}", "address_id": f"A-{n}", "installed_at": format_ms(START - DAY)} for n in numbers
        ],
        "fittings": [{"tag": f"T-{n}", "wearer_id": f"W-{n}", "fitted_at": format_ms(START - DAY)} for n in numbers],
    }
    return parse_register(json.dumps(body))


def day_of_reports(wearers: int, minutes: int, per_message: int) -> Iterator[Line]:
    """Every unit reports its tag at home once a minute; `per_message` events travel together."""
    for first in range(0, minutes, per_message):
        for n in range(wearers):
            events = [_event(n, minute) for minute in range(first, first + per_message)]
            envelope = {"v": 1, "boot": f"01JD00{n:020d}", "first_seq": first + 1, "events": events}
            received_at = START + (first + per_message - 1) * MINUTE + 2_000 + n
            yield Line(first + 1, received_at, "up", f"em/v1/BU-{n:06d}/up", json.dumps(envelope).encode())


def _event(n: int, minute: int) -> dict[str, object]:
    at = format_ms(START + minute * MINUTE)
    if minute == 0:
        return {"type": "boot", "at": at, "reason": "power_on", "firmware": "1"}
    return {
        "type": "report", "at": at, "tag": f"T-{n}", "interval_s": 60, "heard": 9, "expected": 10, "rssi_dbm": -62,
        "strap": "closed", "proximity": 0.9, "skin_c": 31.0, "ambient_c": 21.0, "motion_mg": 12, "battery_pct": 90,
    }  # fmt: skip


def main() -> None:
    """Print the table."""
    policy = parse_policy((shipped_config() / "policy" / "england-wales.toml").read_text())
    for per_message in (1, 10):
        lines = list(day_of_reports(50, 1200, per_message))
        lines.sort(key=lambda line: line.received_at)
        began = time.perf_counter()
        result = replay(lines, town(50), policy)
        took_s = time.perf_counter() - began
        print(f"replay, {per_message:2} events a message: {result.events / took_s:10,.0f} events/s")
    for wearers in (1_000, 10_000):
        register = town(wearers)
        gc.collect()
        tracemalloc.start()
        engine = Engine(register, policy, memory=EnvelopeMemory())
        engine.tick(START)
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        began = time.perf_counter()
        engine.tick(START + 7 * HOUR)
        took_s = time.perf_counter() - began
        print(
            f"{wearers:6,} wearers at rest: {size / wearers:8,.0f} B each beside the register; "
            f"the 19:00 herd is judged in {took_s:.2f} s"
        )


if __name__ == "__main__":
    main()
