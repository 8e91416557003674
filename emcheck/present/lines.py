"""Findings as lines: the JSON of formats.md, to the letter, and the order in which they stand."""

import json
from collections.abc import Iterable
from typing import Any

import tzdata

from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms, format_optional_ms
from emcheck.domain.timeline import Stretch
from emcheck.present.words import explain

TZDATA: str = tzdata.__version__
"""The locked tz database, kept with each finding."""


def seconds(span_ms: Ms) -> int | float:
    """Whole seconds as a whole number, else three decimals."""
    return span_ms // 1000 if span_ms % 1000 == 0 else round(span_ms / 1000, 3)


def as_json(finding: Finding) -> dict[str, Any]:
    """The finding as formats.md writes it; what does not apply is left out."""
    optional = {
        "class": finding.class_,
        "wearer_id": finding.wearer_id,
        "order_id": finding.order_id,
        "unit": finding.unit,
        "window": finding.window and {"start": format_ms(finding.window.start), "end": format_ms(finding.window.end)},
    }
    line: dict[str, Any] = {"rule": finding.rule} | {key: value for key, value in optional.items() if value is not None}
    line |= {"start": format_ms(finding.start), "end": format_optional_ms(finding.end)}
    if finding.absent_ms is not None:
        line |= {"seconds": seconds(finding.absent_ms), "excluded_seconds": seconds(finding.excluded_ms or 0)}
    line |= {
        "state": "open" if finding.end is None else "closed",
        "priority": finding.priority,
        "raised_at": format_optional_ms(finding.raised_at),
        "text": explain(finding),
        "evidence": [fact._asdict() for fact in finding.evidence],
    }
    if finding.incident is not None:
        line["incident"] = finding.incident
    if finding.doubts:
        line["doubts"] = list(finding.doubts)
    if finding.detail:
        line["detail"] = dict(finding.detail)
    under = {"policy": finding.policy, "policy_sha256": finding.policy_sha256, "register": finding.register}
    return line | under | {"tzdata": TZDATA}


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sorted by (start, rule, wearer_id, order_id, unit, end), absent keys first."""

    def key(finding: Finding) -> tuple[Any, ...]:
        end = (False, 0) if finding.end is None else (True, finding.end)
        names = (finding.wearer_id, finding.order_id, finding.unit)
        return (finding.start, finding.rule, *((name is not None, name or "") for name in names), end)

    return sorted(findings, key=key)


def dump(finding: Finding) -> str:
    """One line of JSON."""
    return json.dumps(as_json(finding), ensure_ascii=False)


def intervals(wearer_id: str, address: str, known: Iterable[Stretch], until: Ms) -> Iterable[dict[str, Any]]:
    """Presence as lines: known time up to `until`; what lies between them, and after the last, is unknown."""
    at: Ms | None = None
    for stretch in known:
        start, end = stretch.start, min(stretch.end, until)
        if end <= start:
            break
        if at is not None and start > at:
            yield _interval(wearer_id, address, at, start, "unknown")
        yield _interval(wearer_id, address, start, end, "present" if stretch.present else "absent")
        at = end
    if at is not None and at < until:
        yield _interval(wearer_id, address, at, until, "unknown")


def _interval(wearer_id: str, address: str, start: Ms, end: Ms, state: str) -> dict[str, Any]:
    span = {"start": format_ms(start), "end": format_ms(end)}
    return {"timeline": {"wearer_id": wearer_id, "address_id": address, **span, "state": state}}
