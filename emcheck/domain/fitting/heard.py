"""What the base unit told during a visit, in event time: late, repeated and in any order, it says the same.

Times are the unit's, corrected by the offset that it reported where that exceeds the policy (protocol.md, Clocks).
A report of an interval in which nothing was heard repeats what the tag said before: it is no reading.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from emcheck.domain.body import Sample
from emcheck.domain.ids import BootId, Ms, TagId
from emcheck.domain.policy import Policy
from emcheck.domain.receipt import Told


class Report(NamedTuple):
    """What was heard of a tag until `at`."""

    at: Ms
    heard: int
    expected: int
    interval_s: float
    rssi_dbm: float | None
    strap: str | None
    sample: Sample


class Status(NamedTuple):
    """What the unit said of itself: the event's own fields, and how long it took to come, in ms."""

    at: Ms
    lag_ms: Ms
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """Everything told, by time. `reports` are those of each tag, those of intervals in which it was not heard too."""

    reports: Mapping[TagId, tuple[Report, ...]]
    present: Mapping[TagId, Ms]
    """When each tag was last said to be in range."""
    tampers: tuple[tuple[Ms, TagId, str], ...]
    statuses: tuple[Status, ...]
    echoes: tuple[tuple[Ms, int, str | None], ...]
    """Which configuration the unit said that it holds: when, `rev`, and the hash of the schedule."""
    lag_ms: Ms | None
    """How long the newest event took to come."""
    events: int

    def of(self, tag: TagId) -> tuple[Report, ...]:
        """A tag's reports in which it was heard."""
        return tuple(report for report in self.reports.get(tag, ()) if report.heard)


def heard(told: Iterable[Told], *, since: Ms, policy: Policy) -> Heard:
    """What was told of the time from `since` on."""
    reports: dict[TagId, list[Report]] = {}
    present: dict[TagId, Ms] = {}
    tampers: list[tuple[Ms, TagId, str]] = []
    statuses: list[Status] = []
    echoes: list[tuple[Ms, int, str | None]] = []
    newest: tuple[Ms, Ms] | None = None
    events = 0
    for at, received_at, event in _in_time(told, policy):
        if at < since:
            continue
        events += 1
        newest = (at, max(0, received_at - at))
        kind = event["type"]
        if kind == "report":
            reports.setdefault(event["tag"], []).append(_report(at, event))
            if event["heard"]:
                present[event["tag"]] = at
        elif kind == "presence" and event["in_range"]:
            present[event["tag"]] = at
        elif kind == "tag_tamper":
            tampers.append((at, event["tag"], event["kind"]))
        elif kind == "unit_status":
            statuses.append(Status(at, max(0, received_at - at), event))
        if kind in ("boot", "unit_status") and event.get("config_rev"):
            echoes.append((at, event["config_rev"], event.get("schedule_sha256")))
    by_tag = {tag: tuple(found) for tag, found in reports.items()}
    lag_ms = None if newest is None else newest[1]
    return Heard(by_tag, present, tuple(tampers), tuple(statuses), tuple(echoes), lag_ms, events)


def _in_time(told: Iterable[Told], policy: Policy) -> list[tuple[Ms, Ms, dict[str, Any]]]:
    """Each event once, with its corrected time and its receipt."""
    first: dict[tuple[BootId, int], tuple[Ms, dict[str, Any]]] = {}
    for received_at, named, first_seq, events in told:
        for number, fact in enumerate(events, start=first_seq):
            if fact is not None:
                known = first.get((named, number))
                if known is None or received_at < known[0]:
                    first[named, number] = received_at, cast("dict[str, Any]", fact)
    most, correction = policy.ms("clock.offset_max_s"), 0
    boot_now: BootId | None = None
    found = []
    for (boot, seq), (received_at, event) in sorted(first.items(), key=lambda item: item[0]):
        if boot != boot_now:
            boot_now, correction = boot, 0
        offset = event.get("clock_offset_ms") if event["type"] == "unit_status" else None
        if offset is not None:
            correction = round(offset) if abs(offset) > most else 0
        found.append((event["at"] - correction, boot, seq, received_at, event))
    return [(at, received_at, event) for at, _, _, received_at, event in sorted(found, key=lambda one: one[:3])]


def _report(at: Ms, event: Mapping[str, Any]) -> Report:
    sample = Sample(
        at, event.get("skin_c"), event.get("ambient_c"), event.get("motion_mg"), event.get("proximity"),
        event.get("strap"),
    )  # fmt: skip
    return Report(
        at, event["heard"], event.get("expected") or event["heard"], event.get("interval_s") or 0.0,
        event.get("rssi_dbm"), event.get("strap"), sample,
    )  # fmt: skip
