"""When an alert was raised: domain.md, 'Presence', the paragraph on episodes.

The whole night is judged again at every receipt, on what was known by then; of messages received at one instant each
is a receipt (formats.md, Stream: a line each, in the order received). An alert whose seconds were reached by
then is raised at that receipt; one whose seconds are reached before the next receipt, at that very instant.

The document leaves open what becomes of an alert that later facts take back and still later ones give again, and
of two that turn out to be one: all that it can mean is allowed, and `raised_at` is a set.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from firmware_sim.auditor.instants import parse_utc
from firmware_sim.auditor.presence import Span
from firmware_sim.auditor.verdicts import AuditedOrder, instant_exceeded, outside, union
from firmware_sim.auditor.windows import Window, absence_span

ALERT_AFTER_MS = 300_000


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alert of one window: its episode, and when it may have been raised."""

    start: int
    end: int
    raised_ms: frozenset[int]


@dataclass(slots=True)
class Alarms:
    """What was raised for one order so far: by window what stands now, all that ever stood, and the total's."""

    standing: dict[Window, list[Alarm]] = field(default_factory=dict)
    ever: dict[Window, list[Alarm]] = field(default_factory=dict)
    total_ms: frozenset[int] = frozenset()
    total_ever_ms: frozenset[int] = frozenset()

    def allowed(self, finding: dict[str, Any]) -> set[int]:
        """When the alert of a finding (formats.md) may have been raised; empty where none was."""
        if finding["rule"] == "curfew.accumulated":
            return set(self.total_ms)
        start_ms = parse_utc(finding["start"])
        window = next(w for w in self.standing if w.start == parse_utc(finding["window"]["start"]))
        meeting = [alarm for alarm in self.standing[window] if alarm.start <= start_ms < alarm.end]
        return {at for alarm in meeting for at in alarm.raised_ms}


def receipts(lines: Iterable[dict[str, Any]], until_ms: int) -> list[tuple[int, dict[str, Any]]]:
    """What was received up to `until_ms`, one by one and in order, also what came at the same instant."""
    timed = [(parse_utc(line["received_at"]), line) for line in lines]
    return sorted([(at, line) for at, line in timed if at <= until_ms], key=lambda received: received[0])


def look(alarms: Alarms, audited: AuditedOrder, windows: list[Window], now_ms: int, next_ms: int) -> None:
    """Take note of what is raised from `now_ms` on and before `next_ms`, with the facts known at `now_ms`.

    The timelines of `audited` are not cut at any instant.
    """
    excused = union([absence_span(absence, audited.order["timezone"]) for absence in audited.absences])
    unexcused: list[tuple[int, int]] = []
    for window in windows:
        standing = []
        for start, end, pieces in episodes(audited.timelines[window.address_id], window, excused):
            unexcused += pieces
            reached_ms = instant_reached(pieces, ALERT_AFTER_MS)
            if reached_ms is not None and reached_ms < next_ms:
                before = {at for a in _meeting(alarms.standing, window, start, end) for at in a.raised_ms}
                ever = {at for a in _meeting(alarms.ever, window, start, end) for at in a.raised_ms}
                # Facts that came now may have taken an alert back, and then it is a wake-up that raises it again.
                fresh = set() if before and reached_ms <= now_ms else {max(reached_ms, now_ms)}
                standing.append(Alarm(start, end, frozenset(before | ever | fresh)))
        alarms.standing[window] = standing
        alarms.ever.setdefault(window, []).extend(standing)
    exceeded_ms = instant_exceeded(unexcused, audited.allowance_ms)
    # The sum exceeds the allowance after that instant, so the first at which it can be said is a millisecond later.
    if exceeded_ms is None or exceeded_ms + 1 >= next_ms:
        alarms.total_ms = frozenset()
        return
    stands = bool(alarms.total_ms) and exceeded_ms + 1 <= now_ms
    fresh_ms = frozenset() if stands else frozenset({max(exceeded_ms + 1, now_ms)})
    alarms.total_ms = alarms.total_ever_ms | fresh_ms
    alarms.total_ever_ms |= alarms.total_ms


def _meeting(kept: dict[Window, list[Alarm]], window: Window, start: int, end: int) -> list[Alarm]:
    return [alarm for alarm in kept.get(window, []) if alarm.start < end and start < alarm.end]


def episodes(
    timeline: list[Span], window: Window, excused: list[tuple[int, int]]
) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """Runs of absent and unknown time in the window, each with the unexcused absent time in it."""
    present = [(s.start, s.end) for s in timeline if s.state == "present"]
    found = []
    for start, end in outside(window.start, window.end, present):
        absent = [(max(s.start, start), min(s.end, end)) for s in timeline if s.state == "absent"]
        pieces = [piece for low, high in absent if low < high for piece in outside(low, high, excused)]
        if any(low < high for low, high in absent):
            found.append((start, end, pieces))
    return found


def instant_reached(pieces: list[tuple[int, int]], amount_ms: int) -> int | None:
    """The instant at which the pieces add up to `amount_ms`."""
    for start, end in sorted(pieces):
        if end - start >= amount_ms:
            return start + amount_ms
        amount_ms -= end - start
    return None
