"""A night in the words of the domain: what a unit tells, in the order it was told, and how it is judged."""

from __future__ import annotations

import ctypes
import itertools
import json
import re
import signal
from typing import TYPE_CHECKING, Any

from emcheck.domain.findings import Finding
from emcheck.domain.instants import SECOND, format_ms, parse_ms
from emcheck.domain.policy import Policy, parse_policy
from emcheck.domain.register import Register, parse_register
from emcheck.service.replay import replay
from emcheck.service.stream import Line
from emcheck.settings import shipped_config
from emcheck.wire.topics import up

if TYPE_CHECKING:
    from collections.abc import Sequence

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BOOT = "01JD0000000000000000000000"


def at(text: str, day: str = "2026-03-24") -> int:
    """An instant UTC: `19:00`, `19:00:05`, or with its day `2026-03-25T07:00`."""
    return parse_ms((text if "T" in text else f"{day}T{text}") + "Z")


def england() -> Policy:
    """The shipped policy."""
    return parse_policy((shipped_config() / "policy" / "england-wales.toml").read_text())


def version(version: str, effective_at: str, *, name: str = "england-wales", **values: Any) -> Policy:
    """The shipped policy as another version, or under another name, with other `values`: `__` stands for a dot."""
    text = england().body
    head = {"name": name, "version": version, "effective_at": effective_at}
    for key, word in head.items():
        text = re.sub(rf"^{key} = .*$", f'{key} = "{word}"', text, count=1, flags=re.MULTILINE)
    for key, value in values.items():
        table = f"[{key.replace('__', '.')}]\nvalue = "
        assert table in text
        text = re.sub(re.escape(table) + ".*", table + json.dumps(value), text)
    return parse_policy(text)


def calling(steps: str = "") -> Policy:
    """The shipped policy with other steps, as a policy's `[[escalation.P1]]` writes them, and no others."""
    kept = [block for block in england().body.split("\n\n") if "[[escalation." not in block]
    return parse_policy("\n\n".join([*kept, steps]))


def nobody_called() -> Policy:
    """The shipped policy, of which no alert is passed on."""
    return calling()


def england_signed() -> Policy:
    """The shipped policy with signatures required."""
    text = (shipped_config() / "policy" / "england-wales.toml").read_text()
    return parse_policy(
        text.replace("[wire.signature.required]\nvalue = false", "[wire.signature.required]\nvalue = true")
    )


def nightly(start: str = "19:00", end: str = "07:00", address: str = "A-1") -> list[dict[str, Any]]:
    """A curfew every night at one address."""
    following = zip(DAYS, DAYS[1:] + DAYS[:1], strict=True)
    windows = [
        {"from_day": day, "from_time": start, "until_day": after if end <= start else day, "until_time": end}
        for day, after in following
    ]
    return [{"address_id": address, "windows": windows}]


def order(**changes: Any) -> dict[str, Any]:
    """An order of W-1 for March and April 2026, 19:00 to 07:00 in UTC unless changed."""
    return {
        "order_id": "O-1", "wearer_id": "W-1", "kind": "community_order", "timezone": "UTC",
        "starts_at": "2026-03-01T00:00:00Z", "ends_at": "2026-05-01T00:00:00Z", "atv_allowance_min": 120,
        "curfew": nightly(),
    } | changes  # fmt: skip


def register(*orders: dict[str, Any], units: tuple[str, ...] = ("BU-0001",), **parts: Any) -> Register:
    """One wearer with tag T-1 at address A-1, and the units installed there."""
    body = {
        "version": 1,
        "wearers": [{"wearer_id": "W-1"}],
        "orders": list(orders) or [order()],
        "installations": [
            {"unit": unit, "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z"} for unit in units
        ],
        "fittings": [
            {"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}
        ],
    } | parts
    return parse_register(json.dumps(body))


class UnitStory:
    """What one base unit tells; every telling is one message, received two seconds later unless said."""

    def __init__(self, unit: str = "BU-0001", boot: str = BOOT) -> None:
        self.unit, self.boot, self.seq = unit, boot, 0
        self.messages: list[tuple[int, dict[str, Any]]] = []

    def tell(
        self, when: int, type_: str, *, seq: int | None = None, received: int | None = None, **fields: Any
    ) -> UnitStory:
        self.seq = self.seq + 1 if seq is None else seq
        event = {"type": type_, "at": format_ms(when), **fields}
        envelope = {"v": 1, "boot": self.boot, "first_seq": self.seq, "sent_at": format_ms(when), "events": [event]}
        self.messages.append((when + 2 * SECOND if received is None else received, envelope))
        return self

    def boots(self, when: int, **fields: Any) -> UnitStory:
        return self.tell(when, "boot", reason="power_on", firmware="1", **fields)

    def reboots(self, when: int, boot: str, **fields: Any) -> UnitStory:
        self.boot, self.seq = boot, 0
        return self.boots(when, **fields)

    def hears(self, when: int, tag: str = "T-1", **fields: Any) -> UnitStory:
        return self.tell(when, "presence", tag=tag, in_range=True, **fields)

    def loses(self, when: int, last_heard: int | None = None, tag: str = "T-1", **fields: Any) -> UnitStory:
        heard: dict[str, Any] = {} if last_heard is None else {"last_heard_at": format_ms(last_heard)}
        return self.tell(when, "presence", tag=tag, in_range=False, **(heard | fields))

    def beats(self, start: int, end: int, every_s: int = 60, **fields: Any) -> UnitStory:
        for when in range(start, end + 1, every_s * SECOND):
            self.tell(when, "unit_status", power="mains", **fields)
        return self

    def stands(self, when: int, choice: int, **fields: Any) -> UnitStory:
        """A heartbeat that says of power, case, battery, noise, clock, motion and link what `choice` picks."""
        said: dict[str, Any] = {
            "power": "mains",
            "case": "closed",
            "battery_pct": 100,
            "noise_dbm": -110,
            "moved": False,
        }
        unusual: list[dict[str, Any]] = [
            {"power": "battery"}, {"case": "open"}, {"battery_pct": 12}, {"battery_pct": 25}, {"noise_dbm": -80},
            {"moved": True}, {"buffered": 40}, {"power": "battery", "moved": True}, {"noise_dbm": None}, {"case": None},
        ]  # fmt: skip
        return self.tell(when, "unit_status", **(said | (unusual + [{}] * 5)[choice % 15] | fields))

    def reports(self, when: int, choice: int, tag: str = "T-1", **fields: Any) -> UnitStory:
        """A report of a tag's battery, frames and counter as `choice` picks."""
        said: dict[str, Any] = {"interval_s": 60, "heard": 9, "expected": 10, "strap": "closed", "battery_pct": 90}
        unusual: list[dict[str, Any]] = [
            {"battery_pct": 15},
            {"battery_pct": 25},
            {"battery_pct": 4},
            {"heard": 2},
            {"replayed": 3},
        ]
        return self.tell(when, "report", tag=tag, **(said | (unusual + [{}] * 3)[choice % 8] | fields))

    def skips(self, numbers: int = 1) -> UnitStory:
        self.seq += numbers
        return self


def lines(*stories: UnitStory) -> list[Line]:
    """The stories' messages as a stream, in order of receipt."""
    numbers = itertools.count(1)
    told = [(received, story.unit, envelope) for story in stories for received, envelope in story.messages]
    return [
        Line(next(numbers), received, "up", up(unit), json.dumps(envelope).encode())
        for received, unit, envelope in sorted(told, key=lambda item: item[0])
    ]


def judge(
    stream: list[Line], known: Register | None = None, *, until: int, others: Sequence[Policy] = ()
) -> list[Finding]:
    """Findings of a stream under the shipped policy, and other versions of it or policies that orders name."""
    return replay(stream, known or register(), england(), others=others, until=until).findings


def absences(found: list[Finding]) -> list[tuple[str | None, str, str | None, int]]:
    """(class, start, end, seconds) of the curfew absences, times of day."""
    return [
        (f.class_, _clock(f.start), None if f.end is None else _clock(f.end), (f.absent_ms or 0) // 1000)
        for f in sorted(found, key=lambda f: f.start)
        if f.rule == "curfew.absence"
    ]


def _clock(when: int) -> str:
    return format_ms(when)[11:19]


def die_with_parent() -> None:
    """PR_SET_PDEATHSIG: the kernel ends this process when its parent is gone, however it went."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
