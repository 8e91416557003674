"""From facts to a timeline: domain.md, 'Presence', points 1 to 5, one source at a time, then merged."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from firmware_sim.auditor.boots import Boot, Fact
from firmware_sim.auditor.instants import parse_utc

FAR_MS = 10**18
"""Later than any event: the end of what was not removed."""


class Span(NamedTuple):
    """Half-open time in which `state` ('present', 'absent' or 'unknown') holds, in ms UTC."""

    start: int
    end: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One fitted tag at one installed unit; it counts in [start_ms, end_ms), where both are so."""

    tag: str
    unit: str
    start_ms: int
    end_ms: int
    fitted_ms: int
    taken_off_ms: int


def sources_at(register: dict[str, Any], wearer_id: str, address_id: str) -> list[Source]:
    """Every fitting of the wearer with every installation at the address, where they overlap in time."""
    found = []
    for fitting in register["fittings"]:
        for installation in register["installations"]:
            if fitting["wearer_id"] != wearer_id or installation["address_id"] != address_id:
                continue
            fitted_ms, taken_off_ms = parse_utc(fitting["fitted_at"]), _end_ms(fitting.get("removed_at"))
            source = Source(
                tag=fitting["tag"],
                unit=installation["unit"],
                start_ms=max(fitted_ms, parse_utc(installation["installed_at"])),
                end_ms=min(taken_off_ms, _end_ms(installation.get("removed_at"))),
                fitted_ms=fitted_ms,
                taken_off_ms=taken_off_ms,
            )
            if source.start_ms < source.end_ms:
                found.append(source)
    return found


def _end_ms(removed_at: str | None) -> int:
    return FAR_MS if removed_at is None else parse_utc(removed_at)


def state_set_by(fact: Fact, source: Source) -> str | None:
    """Presence 1: the state that an event sets for this source, None where it says nothing of it.

    An event dated outside the fitting is not used. One from before the installation is: the document takes only the
    time outside an installation out of the count, and the state that the unit told goes on.
    """
    if not source.fitted_ms <= fact.at_ms < source.taken_off_ms:
        return None
    if fact.kind in ("boot", "unit_status"):
        said = (fact.fields.get("tags") or {}).get(source.tag)
        return {"in": "present", "out": "absent", None: None}[said]
    if fact.fields.get("tag") != source.tag:
        return None
    if fact.kind == "presence":
        return "present" if fact.fields["in_range"] else "absent"
    if fact.kind == "report" and fact.fields["heard"] >= 1:
        return "present"
    return None  # `heard: 0` and a tamper say nothing of where the tag is


def source_spans(source: Source, boots: list[Boot]) -> list[Span]:
    """The known time of one source over all boots of its unit, cut to where it counts."""
    spans: list[Span] = []
    for boot in boots:
        # Presence 3: after a boot the state is unknown until an event names the tag.
        state = "unknown"
        latest_ms: int | None = None  # of the last event that vouches: the latest time told in this boot so far
        latest_seq: int | None = None
        holed = False  # whether a number is missing since that event
        for fact in boot.facts:
            if latest_seq is not None and boot.is_hole(latest_seq, fact.seq):
                holed = True
                state = "unknown"
            latest_seq = fact.seq
            said = state_set_by(fact, source)
            if latest_ms is not None and fact.at_ms < latest_ms:
                # Presence 2, last sentence: it neither vouches nor ends a vouch, and what it sets holds from
                # `latest_ms` on, which is where the span now being waited for begins.
                state = said or state
                continue
            # Presence 2: the event before this one vouches until now, but for no longer than `vouch_s`.
            if latest_ms is not None and not holed:
                spans.append(Span(latest_ms, min(fact.at_ms, latest_ms + boot.vouch_ms), state))
            if said == "absent" and fact.kind == "presence":
                spans = _departed(spans, fact.last_heard_ms, fact.at_ms)
            state = said or state
            latest_ms = fact.at_ms
            holed = False
        # Presence 3: from the last event of a boot to the first of the next it is unknown.
        if boot is boots[-1] and latest_ms is not None and not holed:
            spans.append(Span(latest_ms, latest_ms + boot.vouch_ms, state))
    counted = [Span(max(s.start, source.start_ms), min(s.end, source.end_ms), s.state) for s in spans]
    return joined([span for span in counted if span.state != "unknown"])


def _departed(spans: list[Span], last_heard_ms: int, at_ms: int) -> list[Span]:
    """Presence 1: a departure makes the vouched time from `last_heard_at` to its `at` absent, and no unknown known."""
    told: list[Span] = []
    for span in spans:
        start, end = max(span.start, last_heard_ms), min(span.end, at_ms)
        if span.state != "present" or start >= end:
            told.append(span)
            continue
        told += [Span(span.start, start, "present"), Span(start, end, "absent"), Span(end, span.end, "present")]
    return [span for span in told if span.start < span.end]


def joined(spans: list[Span]) -> list[Span]:
    """The same time with neighbours of one state as one maximal span, empty ones dropped."""
    whole: list[Span] = []
    for span in sorted(spans):
        if span.start >= span.end:
            continue
        if whole and whole[-1].end == span.start and whole[-1].state == span.state:
            whole[-1] = Span(whole[-1].start, span.end, span.state)
        else:
            whole.append(span)
    return whole


def merge_sources(told: list[tuple[Source, list[Span]]]) -> list[Span]:
    """Presence 4, over the time of all sources; the result has no gaps between its first and last span."""
    edges = {edge for _, spans in told for span in spans for edge in (span.start, span.end)}
    if not edges:
        return []
    for source, _ in told:
        edges |= {edge for edge in (source.start_ms, source.end_ms) if min(edges) < edge < max(edges)}
    ordered = sorted(edges)
    merged = []
    for start, end in zip(ordered[:-1], ordered[1:], strict=True):
        # Only sources that count here have a say, also if what they say is nothing.
        states = {_state_at(spans, start) for source, spans in told if source.start_ms <= start < source.end_ms}
        if "present" in states:
            merged.append(Span(start, end, "present"))
        elif states == {"absent"}:
            merged.append(Span(start, end, "absent"))
        else:
            merged.append(Span(start, end, "unknown"))
    return joined(merged)


def _state_at(spans: list[Span], at_ms: int) -> str:
    return next((span.state for span in spans if span.start <= at_ms < span.end), "unknown")


def fill_short_gaps(spans: list[Span], leave_time_ms: int) -> list[Span]:
    """Presence 5: an absent span shorter than the leave time with present time adjoining on both sides is present."""
    filled = []
    for i, span in enumerate(spans):
        short = span.state == "absent" and span.end - span.start < leave_time_ms
        inner = 0 < i < len(spans) - 1
        adjoined = inner and spans[i - 1].state == spans[i + 1].state == "present"
        filled.append(span._replace(state="present") if short and adjoined else span)
    return joined(filled)


def cut_at(spans: list[Span], until_ms: int) -> list[Span]:
    """The timeline up to the instant of judgement, and unknown where it ends before that."""
    cut = [Span(s.start, min(s.end, until_ms), s.state) for s in spans]
    if spans and spans[-1].end < until_ms:
        cut.append(Span(spans[-1].end, until_ms, "unknown"))
    return joined(cut)
