"""curfew.absence: absent time overlaps a curfew window.

Rule book (domain.md, Presence, last paragraphs; Rules):
1. A finding is one maximal absent stretch clipped to one window; it never bridges unknown time (P3). An
   authorised absence does not split it: it excludes seconds.
2. Class: covers both edges `out_whole`; begins at the window's start `late_return`; reaches its end
   `out_at_end`; else `left_during`.
3. Open only if the timeline is absent up to the instant of judgement and that lies before the window's
   end; until then `late_return` if it began at the window's start, else `left_during`.
4. An episode is a run of absent and unknown time with no present time in it. Its alert is raised once for
   each window, when its unexcused absent seconds inside the window reach `alert_after_s` (3M manual: a
   five-minute buffer); unknown seconds count nothing.
5. P2; P1 from `long_after_s` in one window and for `out_whole`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from emcheck.domain.findings import FactRef, Finding, Span
from emcheck.domain.ids import Ms, RuleId
from emcheck.domain.policy import Policy
from emcheck.domain.register import Order
from emcheck.domain.timeline import Stretch
from emcheck.domain.windows import Window, overlap_ms

RULE = RuleId("curfew.absence")


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode in one window: its findings, and when its alert was due in event time."""

    window: Window
    span: Span
    reached_at: Ms | None
    findings: tuple[Finding, ...]
    unexcused_ms: Ms
    last_end: Ms


def episodes(
    order: Order, window: Window, timeline: Sequence[Stretch], excused: Sequence[Span], now: Ms, policy: Policy
) -> list[Episode]:
    """The episodes of one window, judged at `now` on the timeline of the window's address."""
    return [
        _episode(order, window, span, absent, excused, now, policy)
        for span, absent in _runs(timeline, window, now)
        if absent
    ]


def _runs(
    timeline: Sequence[Stretch], window: Window, now: Ms
) -> Iterator[tuple[Span, list[tuple[Stretch, FactRef | None]]]]:
    """Runs without present time that touch the window (4), with their absent stretches clipped to it and `now` (1).

    Present time ends a run also where it begins at `now`, or is told ahead by a clock that is fast.
    """
    began = window.start
    absent: list[tuple[Stretch, FactRef | None]] = []
    for index, stretch in enumerate(timeline):
        if stretch.end <= window.start:
            continue
        if stretch.start >= window.end:
            break
        if stretch.present:
            yield Span(began, stretch.start), absent
            began, absent = stretch.end, []
            continue
        start, end = max(stretch.start, window.start), min(stretch.end, window.end, now)
        if end > start:
            after = timeline[index + 1] if index + 1 < len(timeline) else None
            ended_by = after.fact if after is not None and after.start == end else None
            absent.append((stretch._replace(start=start, end=end), ended_by))
    yield Span(began, window.end), absent


def _episode(
    order: Order,
    window: Window,
    span: Span,
    absent: list[tuple[Stretch, FactRef | None]],
    excused: Sequence[Span],
    now: Ms,
    policy: Policy,
) -> Episode:
    stretches = [stretch for stretch, _ in absent]
    unexcused = [piece for stretch in stretches for piece in unexcused_pieces(stretch.start, stretch.end, excused)]
    total = sum(end - start for start, end in unexcused)
    whole = any(s.start == window.start and s.end == window.end for s in stretches)
    if whole:
        priority = policy.text("curfew.absence.priority_out_whole")
    elif total >= policy.ms("curfew.absence.long_after_s"):
        priority = policy.text("curfew.absence.priority_long")
    else:
        priority = policy.text("curfew.absence.priority")
    findings = tuple(
        _finding(order, window, stretch, ended_by, excused, now, priority, policy) for stretch, ended_by in absent
    )
    reached_at = instant_of(unexcused, policy.ms("curfew.absence.alert_after_s"))
    return Episode(window, span, reached_at, findings, total, stretches[-1].end)


def _finding(
    order: Order,
    window: Window,
    stretch: Stretch,
    ended_by: FactRef | None,
    excused: Sequence[Span],
    now: Ms,
    priority: str,
    policy: Policy,
) -> Finding:
    is_open = stretch.end == now < window.end
    excluded_ms = overlap_ms(stretch.start, stretch.end, excused)
    return Finding(
        rule=RULE,
        class_=_class(stretch, window),
        wearer_id=order.wearer_id,
        order_id=order.order_id,
        window=Span(window.start, window.end),
        start=stretch.start,
        end=None if is_open else stretch.end,
        absent_ms=stretch.end - stretch.start - excluded_ms,
        excluded_ms=excluded_ms,
        priority=priority,
        evidence=tuple(dict.fromkeys(fact for fact in (stretch.fact, ended_by) if fact is not None)),
        zone=order.timezone,
        policy=policy.label,
    )


def _class(stretch: Stretch, window: Window) -> str:
    """Rule book 2 and 3: an open stretch ends before the window does, so the same test serves."""
    from_start, to_end = stretch.start == window.start, stretch.end == window.end
    if from_start and to_end:
        return "out_whole"
    if from_start:
        return "late_return"
    return "out_at_end" if to_end else "left_during"


def unexcused_pieces(start: Ms, end: Ms, excused: Sequence[Span]) -> list[tuple[Ms, Ms]]:
    """`[start, end)` without the authorised absences."""
    pieces: list[tuple[Ms, Ms]] = []
    for span in excused:
        if span.end <= start or end <= span.start:
            continue
        if start < span.start:
            pieces.append((start, span.start))
        start = max(start, span.end)
    if start < end:
        pieces.append((start, end))
    return pieces


def instant_of(pieces: Sequence[tuple[Ms, Ms]], amount_ms: Ms, *, beyond: bool = False) -> Ms | None:
    """The instant at which the pieces add up to `amount_ms` (`beyond`: after which they exceed it), or None."""
    left = amount_ms
    for start, end in pieces:
        if end - start > left or (end - start == left and not beyond):
            return start + left
        left -= end - start
    return None
