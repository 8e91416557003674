"""Nights on which emcheck and the auditor once differed, cut down to what made them differ.

Each is the rows of a stream and, worked out by hand from domain.md, the known time of T-1 at A-1 on 2026-03-24.
"""

from typing import Any

REGISTER: dict[str, Any] = {
    "version": 1,
    "wearers": [{"wearer_id": "W-1"}],
    "orders": [
        {
            "order_id": "O-1", "wearer_id": "W-1", "kind": "community_order", "timezone": "UTC",
            "starts_at": "2026-03-20T00:00:00Z", "ends_at": "2026-04-20T00:00:00Z",
            "curfew": [{"address_id": "A-1", "windows": [
                {"from_day": "tue", "from_time": "19:00", "until_day": "wed", "until_time": "07:00"},
            ]}],
        }
    ],
    "installations": [{"unit": "BU-0001", "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z"}],
    "fittings": [{"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z"}],
}  # fmt: skip
A, B, C = "01JD00000000000000000000A0", "01JD00000000000000000000B0", "01JD00000000000000000000C0"
STATUS = {
    "power": "mains", "battery_pct": 90, "tilt_deg": 0, "moved": False, "case": "closed", "signal_dbm": -80,
    "noise_dbm": -110, "buffered": 0,
}  # fmt: skip
REPORT = {"tag": "T-1", "interval_s": 60, "heard": 9, "expected": 10, "rssi_dbm": -60, "strap": "closed"}
USUAL: dict[str, dict[str, Any]] = {
    "unit_status": STATUS,
    "report": REPORT,
    "boot": {"reason": "power_on", "firmware": "1"},
}


def row(received: str, boot: str, seq: int, type_: str, at: str, /, *, v: int = 1, **fields: Any) -> dict[str, Any]:
    """One event in one message; times are of 2026-03-24."""
    usual = USUAL.get(type_, {})
    event = {"type": type_, "at": f"2026-03-24T{at}Z", **usual, **fields}
    envelope = {"v": v, "boot": boot, "first_seq": seq, "sent_at": event["at"], "events": [event]}
    return {"received_at": f"2026-03-24T{received}Z", "topic": "em/v1/BU-0001/up", "payload": envelope}


Named = tuple[list[dict[str, Any]], list[str]]
NAMED: dict[str, Named] = {
    # Presence 3 and 6: a number refused is a hole for good, whichever copy came first.
    "a number refused after it was taken": (
        [
            row("20:00:02", A, 7, "report", "20:00:00"),
            row("20:05:00", A, 7, "report", "20:00:00", v=2),
        ],
        [],
    ),
    "a heartbeat told by a number refused later": (
        [
            row("20:00:02", A, 1, "boot", "20:00:00", heartbeat_s=300),
            row("20:00:09", A, 1, "boot", "20:00:00", heartbeat_s=300, v=2),
            row("20:10:02", A, 5, "report", "20:10:00"),
        ],
        ["20:10:00 20:12:12 present"],
    ),
    # protocol.md, Bad input: an older boot's event dated after a newer boot's start counts as a hole.
    "a run that reaches beyond the start of the next boot": (
        [
            row("20:03:00", A, 8, "unit_status", "20:00:00", tags={"T-1": "in"}, clock_offset_ms=-45_000),
            row("20:03:00", A, 9, "report", "20:01:00"),
            row("20:09:00", B, 1, "boot", "20:01:30"),
        ],
        [],
    ),
    # Presence 2 and 3: before a hole an event does not vouch, and one that is dated back never does.
    "an event dated back, after a hole": (
        [
            row("20:00:02", A, 8, "presence", "20:00:00", tag="T-1", in_range=False),
            row("22:00:02", A, 10, "presence", "19:59:53", tag="T-1", in_range=False),
        ],
        [],
    ),
    # protocol.md, Clocks: an offset corrects from its own number onward, also before the date is judged.
    "a clock ten minutes fast says so itself": (
        [row("20:00:01", A, 3, "unit_status", "20:10:00", tags={"T-1": "in"}, clock_offset_ms=600_000)],
        ["20:00:00 20:02:12 present"],
    ),
    "a clock an hour slow makes itself impossible": (
        [
            row("20:00:00", A, 3, "unit_status", "19:05:00.001", tags={"T-1": "in"}, clock_offset_ms=-3_600_000),
            row("20:05:00", A, 4, "report", "20:04:59"),
        ],
        ["20:04:59 20:07:11 present"],
    ),
    # Presence 6: an offset that comes late corrects as if it had come in time.
    "an offset that comes late makes an earlier number impossible": (
        [
            row("21:30:04.999", A, 39, "report", "20:35:05"),
            row("21:35:02", A, 37, "unit_status", "20:25:00", clock_offset_ms=-3_600_000),
        ],
        [],
    ),
    # protocol.md, Bad input: what counts as a hole declares nothing lost.
    "a loss declared after the next boot began": (
        [
            row("20:00:02", A, 8, "report", "20:00:00"),
            row("20:10:02", A, 10, "report", "20:10:00"),
            row("20:20:02", A, 11, "lost", "20:20:00", boot=A, periodic_only=True, **{"from": 9, "to": 9}),
            row("20:25:00", B, 1, "boot", "20:15:00"),
        ],
        [],
    ),
    # Presence 3: a number that conflicts stays a hole for good, whatever is declared lost.
    "a number after the next boot began, declared lost": (
        [
            row("20:00:02", A, 8, "report", "20:00:00"),
            row("20:20:02", A, 9, "unit_status", "20:20:00"),
            row("20:20:03", A, 10, "lost", "20:01:00", boot=A, periodic_only=True, **{"from": 9, "to": 9}),
            row("20:25:00", B, 1, "boot", "20:15:00"),
        ],
        [],
    ),
    # protocol.md, Bad input: nor does a boot start where it says so by a number that counts as a hole.
    "a boot that begins after the next one began": (
        [
            row("20:00:02", A, 8, "report", "20:00:00"),
            row("20:10:02", A, 9, "report", "20:10:00"),
            row("20:41:00", B, 1, "boot", "20:40:00", boot_n=9),
            row("20:41:00", B, 5, "unit_status", "20:08:00"),
            row("20:42:00", C, 1, "boot", "20:12:00", boot_n=10),
        ],
        [],
    ),
    # domain.md, episodes: seconds told ahead of their time are added to those before; here the 300th is at 20:13:49.
    "an absence that goes on ahead of its time": (
        [
            row("20:11:13", A, 25, "presence", "20:00:00", tag="T-1", in_range=False),
            row("20:11:13", A, 26, "tag_tamper", "20:11:00", tag="T-1", kind="case_open"),
            row("20:11:13", A, 27, "unit_status", "20:13:13"),
        ],
        ["20:00:00 20:02:12 absent", "20:11:00 20:13:12 absent", "20:13:13 20:15:25 absent"],
    ),
    # formats.md, Stream: each line is a receipt. The first of 21:00:00 takes the alert back, the second gives it again.
    "a hole filled at the very instant at which it was seen": (
        [
            row("19:59:02", A, 1, "boot", "19:59:00", heartbeat_s=180),
            row("20:00:02", A, 2, "presence", "20:00:00", tag="T-1", in_range=False),
            row("21:00:00", A, 4, "unit_status", "20:04:00"),
            row("21:00:00", A, 3, "unit_status", "20:03:00"),
        ],
        ["20:00:00 20:10:36 absent"],
    ),
}
