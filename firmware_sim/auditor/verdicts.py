"""Findings of one order: domain.md, after 'Presence' and under 'Rules'; their order: formats.md, 'Findings'."""

from dataclasses import dataclass
from typing import Any

from firmware_sim.auditor.instants import format_utc
from firmware_sim.auditor.presence import Span
from firmware_sim.auditor.windows import Window, absence_span, windows_of_order


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedOrder:
    """An order with all that its findings depend on."""

    order: dict[str, Any]
    absences: list[dict[str, Any]]
    timelines: dict[str, list[Span]]
    allowance_ms: int
    until_ms: int


def findings_of_order(audited: AuditedOrder) -> list[dict[str, Any]]:
    """Its `curfew.absence` findings, and `curfew.accumulated` where their sum exceeds the allowance."""
    excused = union([absence_span(absence, audited.order["timezone"]) for absence in audited.absences])
    findings: list[dict[str, Any]] = []
    unexcused: list[tuple[int, int]] = []
    for window in windows_of_order(audited.order, audited.until_ms):
        for span in audited.timelines[window.address_id]:
            start, end = max(span.start, window.start), min(span.end, window.end, audited.until_ms)
            if span.state != "absent" or start >= end:
                continue
            counted = outside(start, end, excused)
            unexcused += counted
            findings.append(_absence(audited, window, start, end, sum(b - a for a, b in counted)))
    exceeded_ms = instant_exceeded(unexcused, audited.allowance_ms)
    if exceeded_ms is not None:
        findings.append({"rule": "curfew.accumulated", **_whose(audited.order), "start": format_utc(exceeded_ms)})
    return findings


def _absence(audited: AuditedOrder, window: Window, start: int, end: int, counted_ms: int) -> dict[str, Any]:
    # Open only if the timeline is absent up to the instant of judgement and that lies before the window's end.
    is_open = end == audited.until_ms and audited.until_ms < window.end
    return {
        "rule": "curfew.absence",
        "class": class_of(window, start, None if is_open else end),
        **_whose(audited.order),
        "window": {"start": format_utc(window.start), "end": format_utc(window.end)},
        "start": format_utc(start),
        "end": None if is_open else format_utc(end),
        "seconds": in_seconds(counted_ms),
        "excluded_seconds": in_seconds(end - start - counted_ms),
    }


def _whose(order: dict[str, Any]) -> dict[str, str]:
    return {"wearer_id": order["wearer_id"], "order_id": order["order_id"]}


def class_of(window: Window, start: int, end: int | None) -> str:
    """How an absence meets its window; an open one (`end` None) does not reach the window's end."""
    if start == window.start and end == window.end:
        return "out_whole"
    if start == window.start:
        return "late_return"
    return "out_at_end" if end == window.end else "left_during"


def in_seconds(length_ms: int) -> int | float:
    """Whole seconds as an int, else with the milliseconds."""
    return length_ms // 1000 if length_ms % 1000 == 0 else round(length_ms / 1000, 3)


def union(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same time without overlaps, by start."""
    whole: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        elif start < end:
            whole.append((start, end))
    return whole


def outside(start: int, end: int, taken: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts of [start, end) that no span of a union covers."""
    left = []
    for taken_start, taken_end in taken:
        if start < min(taken_start, end):
            left.append((start, min(taken_start, end)))
        start = max(start, taken_end)
    if start < end:
        left.append((start, end))
    return left


def instant_exceeded(unexcused: list[tuple[int, int]], allowance_ms: int) -> int | None:
    """The instant after which the sum exceeds the allowance; a sum equal to it is no finding."""
    left_ms = allowance_ms
    for start, end in sorted(unexcused):
        if end - start > left_ms:
            return start + left_ms
        left_ms -= end - start
    return None


def in_order_of_formats(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By (start, rule, wearer, order, unit, end), absent keys first; these rules have no unit, an open end is none."""
    return sorted(findings, key=lambda f: (f["start"], f["rule"], f["wearer_id"], f["order_id"], f.get("end") or ""))
