"""Small recorded nights, written as a person would draw them: who said what, when, and under which number."""

from collections.abc import Iterable
from typing import Any

from firmware_sim.auditor import audit, audit_timeline
from firmware_sim.auditor.instants import format_utc, parse_utc

DAY = "2026-03-24"  # a Tuesday in London, before the clocks change
BOOT, NEXT_BOOT = "01JD0000000000000000000001", "01JD0000000000000000000002"
UNIT, TAG, WEARER, ORDER, ADDRESS = "BU-0001", "T-1", "W-1", "O-1", "A-1"

Event = dict[str, Any]
Line = dict[str, Any]


def at(text: str) -> str:
    """`19:00`, `19:00:05` or `2026-03-25T07:00` as it stands on the wire."""
    return format_utc(parse_utc((text if "T" in text else f"{DAY}T{text}") + (":00Z" if text.count(":") == 1 else "Z")))


def boot(when: str, **more: Any) -> Event:
    return {"type": "boot", "at": at(when), "reason": "power_on", "firmware": "f1"} | more


def arrives(when: str, tag: str = TAG) -> Event:
    return {"type": "presence", "at": at(when), "tag": tag, "in_range": True}


def leaves(when: str, heard: str | None = None, tag: str = TAG) -> Event:
    told = {} if heard is None else {"last_heard_at": at(heard)}
    return {"type": "presence", "at": at(when), "tag": tag, "in_range": False} | told


def report(when: str, heard: int = 9, tag: str = TAG) -> Event:
    of_frames = {"heard": heard, "expected": 10, "rssi_dbm": -62, "strap": "closed"}
    return {"type": "report", "at": at(when), "tag": tag, "interval_s": 60} | of_frames


def status(when: str, **more: Any) -> Event:
    quiet = {"power": "mains", "battery_pct": 100, "tilt_deg": 0, "moved": False, "case": "closed"}
    link = {"signal_dbm": -80, "noise_dbm": -110, "buffered": 0}
    return {"type": "unit_status", "at": at(when)} | quiet | link | more


def tamper(when: str, tag: str = TAG) -> Event:
    return {"type": "tag_tamper", "at": at(when), "tag": tag, "kind": "strap_open"}


def lost(when: str, first: int, last: int, *, periodic_only: bool = True, of: str = BOOT) -> Event:
    return {"type": "lost", "at": at(when), "boot": of, "from": first, "to": last, "periodic_only": periodic_only}


def beats(start: str, end: str, every_s: int = 60) -> list[Event]:
    """A heartbeat at `start` and every minute until before `end`."""
    instants = range(parse_utc(at(start)), parse_utc(at(end)), every_s * 1000)
    return [status("00:00") | {"at": format_utc(ms)} for ms in instants]


def lines(
    events: Iterable[Event],
    *,
    first: int = 1,
    of: str = BOOT,
    unit: str = UNIT,
    received: str | None = None,
    **more: Any,
) -> list[Line]:
    """One message for each event, numbered in the order given, received at its own time or at `received`."""
    return [
        {
            "received_at": event["at"] if received is None else at(received),
            "topic": f"em/v1/{unit}/up",
            "payload": {"v": 1, "boot": of, "first_seq": seq, "sent_at": event["at"], "events": [event]} | more,
        }
        for seq, event in enumerate(events, start=first)
    ]


def night(*changes: Event, start: str = "18:00", end: str = "22:00", booted: Event | None = None) -> list[Line]:
    """A whole record without a hole: boot, a heartbeat a minute, and the changes, numbered by time."""
    told = sorted([*changes, *beats(start, end)], key=lambda event: str(event["at"]))
    return lines([booted or boot(start), *told])


def register(**changes: Any) -> dict[str, Any]:
    """One wearer with one tag, one unit, and a curfew from Tuesday 19:00 to Wednesday 07:00; `changes` to the order."""
    windows = [{"from_day": "tue", "from_time": "19:00", "until_day": "wed", "until_time": "07:00"}]
    order = {
        "order_id": ORDER,
        "wearer_id": WEARER,
        "kind": "bail",
        "timezone": "Europe/London",
        "starts_at": "2026-03-20T00:00:00Z",
        "ends_at": "2026-04-20T00:00:00Z",
        "curfew": [{"address_id": ADDRESS, "windows": windows}],
    }
    return {
        "version": 1,
        "wearers": [{"wearer_id": WEARER, "name": "Test"}],
        "orders": [order | changes],
        "installations": [installed(UNIT)],
        "fittings": [fitted(TAG)],
    }


def installed(unit: str, since: str = "2026-03-20T00:00", until: str | None = None) -> dict[str, Any]:
    times = {"installed_at": at(since), "removed_at": None if until is None else at(until)}
    return {"unit": unit, "address_id": ADDRESS, "order_id": ORDER} | times


def fitted(tag: str, since: str = "2026-03-20T00:00", until: str | None = None) -> dict[str, Any]:
    times = {"fitted_at": at(since), "removed_at": None if until is None else at(until)}
    return {"tag": tag, "wearer_id": WEARER} | times


def drawn(recorded: list[Line], of: dict[str, Any] | None = None, until: str = "22:00", **policy: int) -> list[str]:
    """The timeline as `18:00:00 present`, one entry for each change, with `22:00:00 end` last."""
    spans = audit_timeline(recorded, of or register(), parse_utc(at(until)), **policy)[WEARER, ADDRESS]
    return [f"{format_utc(start)[11:19]} {state}" for start, _, state in spans] + [
        f"{format_utc(spans[-1][1])[11:19]} end"
    ]


def absences(recorded: list[Line], of: dict[str, Any] | None = None, until: str = "22:00") -> list[tuple[Any, ...]]:
    """(class, start, end, seconds, excluded seconds) of each absence."""
    found = [f for f in audit(recorded, of or register(), parse_utc(at(until))) if f["rule"] == "curfew.absence"]
    return [
        (f["class"], f["start"][11:19], f["end"] and f["end"][11:19], f["seconds"], f["excluded_seconds"])
        for f in found
    ]


def exceeded(recorded: list[Line], of: dict[str, Any], until: str = "22:00") -> list[str]:
    """When the order's allowance was used up."""
    found = audit(recorded, of, parse_utc(at(until)))
    return [f["start"][11:19] for f in found if f["rule"] == "curfew.accumulated"]
