"""The independent auditor: the curfew findings of a recorded stream, by a second and plainer reading of domain.md.

It shares no code with the rules that it checks, not even the parsing of a time. The whole stream is at hand, so it
does the obvious: read everything (`intake`), sort, correct and drop what cannot be used (`boots`), walk each source
once (`presence`), lay the curfew windows over it (`windows`) and write down what is left (`verdicts`). Comments cite
the numbered points of domain.md, 'Presence' 1 to 6, and its other sections by name. Speed is no aim here.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from firmware_sim.auditor.alarms import Alarms, look, receipts
from firmware_sim.auditor.boots import boots_of_unit
from firmware_sim.auditor.intake import Known, read_stream
from firmware_sim.auditor.presence import Span, cut_at, fill_short_gaps, merge_sources, source_spans, sources_at
from firmware_sim.auditor.verdicts import AuditedOrder, findings_of_order, in_order_of_formats
from firmware_sim.auditor.windows import addresses_of_order, windows_of_order

Timeline = list[tuple[int, int, str]]


class Audited(NamedTuple):
    """What a stream comes to: findings in the order of formats.md, and intervals by (wearer, address) without gaps."""

    findings: list[dict[str, Any]]
    timelines: dict[tuple[str, str], Timeline]


def audit(
    lines: Iterable[dict[str, Any]], register: dict[str, Any], until_ms: int | None = None, **policy: int
) -> list[dict[str, Any]]:
    """`curfew.absence` and `curfew.accumulated` of `lines`; `policy` as of `audit_whole`."""
    return audit_whole(lines, register, until_ms, **policy).findings


def audit_timeline(
    lines: Iterable[dict[str, Any]], register: dict[str, Any], until_ms: int | None = None, **policy: int
) -> dict[tuple[str, str], Timeline]:
    """Intervals by (wearer, address), without gaps from the first known instant; `policy` as of `audit_whole`."""
    return audit_whole(lines, register, until_ms, **policy).timelines


def audit_whole(
    lines: Iterable[dict[str, Any]],
    register: dict[str, Any],
    until_ms: int | None = None,
    *,
    leave_time_s: int = 120,
    heartbeat_default_s: int = 60,
    clock_policy_s: int = 30,
    default_allowance_min: int = 120,
) -> Audited:
    """Findings and timelines of `lines` (formats.md, Stream), judged as at `until_ms` (None: the last line's)."""
    known = read_stream(lines, register, until_ms)
    timelines = _timelines(known, register, leave_time_s, heartbeat_default_s, clock_policy_s)
    findings: list[dict[str, Any]] = []
    for order in register["orders"]:
        findings += findings_of_order(_audited(order, known, timelines, default_allowance_min))
    drawn = {key: [(span.start, span.end, span.state) for span in spans] for key, spans in timelines.items()}
    return Audited(in_order_of_formats(findings), drawn)


def audit_alarms(
    lines: Iterable[dict[str, Any]],
    register: dict[str, Any],
    until_ms: int | None = None,
    *,
    leave_time_s: int = 120,
    heartbeat_default_s: int = 60,
    clock_policy_s: int = 30,
    default_allowance_min: int = 120,
) -> dict[str, Alarms]:
    """What was raised when, by order: the night judged anew at each receipt."""
    rows = list(lines)
    until = read_stream(rows, register, until_ms).until_ms
    received = receipts(rows, until)
    alarms = {order["order_id"]: Alarms() for order in register["orders"]}
    windows = {order["order_id"]: windows_of_order(order, until) for order in register["orders"]}
    ends = [*(at for at, _ in received), until + 1][1:]
    for count, ((now, _), following) in enumerate(zip(received, ends, strict=True), start=1):
        known = read_stream([line for _, line in received[:count]], register, now)
        timelines = _timelines(known, register, leave_time_s, heartbeat_default_s, clock_policy_s, cut=False)
        for order in register["orders"]:
            audited = _audited(order, known, timelines, default_allowance_min)
            look(alarms[order["order_id"]], audited, windows[order["order_id"]], now, max(following, now + 1))
    return alarms


def _audited(
    order: dict[str, Any], known: Known, timelines: dict[tuple[str, str], list[Span]], default_allowance_min: int
) -> AuditedOrder:
    return AuditedOrder(
        order=order,
        absences=known.absences[order["order_id"]],
        timelines={address: timelines[order["wearer_id"], address] for address in addresses_of_order(order)},
        allowance_ms=order.get("atv_allowance_min", default_allowance_min) * 60_000,
        until_ms=known.until_ms,
    )


def _timelines(
    known: Known,
    register: dict[str, Any],
    leave_time_s: int,
    heartbeat_default_s: int,
    clock_policy_s: int,
    *,
    cut: bool = True,
) -> dict[tuple[str, str], list[Span]]:
    """The timeline of every wearer at every address that an order of theirs names."""
    boots = {
        unit: boots_of_unit(received, clock_policy_ms=clock_policy_s * 1000, heartbeat_default_s=heartbeat_default_s)
        for unit, received in known.units.items()
    }
    timelines = {}
    for order in register["orders"]:
        for address in addresses_of_order(order):
            told = [
                (source, source_spans(source, boots.get(source.unit, [])))
                for source in sources_at(register, order["wearer_id"], address)
            ]
            # Presence 5: short gaps come last, on the merged timeline, and before any clipping.
            whole = fill_short_gaps(merge_sources(told), leave_time_s * 1000)
            timelines[order["wearer_id"], address] = cut_at(whole, known.until_ms) if cut else whole
    return timelines
