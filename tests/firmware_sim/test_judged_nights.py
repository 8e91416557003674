"""Whole nights judged: by the service, by an auditor who reads the rule book for himself, and against the truth.

Findings are held against the truth file, which knows when people really left and came: nobody is accused of time at
home, and nobody is away unseen while a unit was watching.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from emcheck.domain.register import parse_register
from emcheck.present.lines import as_json, in_order
from emcheck.service.replay import replay
from emcheck.service.stream import read_stream
from firmware_sim.auditor import audit_whole
from firmware_sim.auditor.instants import parse_utc
from firmware_sim.auditor.verdicts import outside, union
from firmware_sim.auditor.windows import windows_of_order
from tests.firmware_sim.conftest import Play, lines
from tests.firmware_sim.test_scenario import SHIPPED
from tests.support import england

Spans = list[tuple[int, int]]

FRAMES_S_MAX = 15
"""Between two frames of a tag: so much later an arrival may be heard, or so much earlier was the last one."""
FIELDS = {
    "curfew.absence": (
        "rule",
        "class",
        "wearer_id",
        "order_id",
        "window",
        "start",
        "end",
        "seconds",
        "excluded_seconds",
    ),
    "curfew.accumulated": ("rule", "wearer_id", "order_id", "start"),
}
NIGHTS = [*((path.stem, None) for path in SHIPPED), ("clock-change-spring", 1), ("outage-day", 1)]


@pytest.mark.parametrize(("name", "seed"), NIGHTS)
def test_the_service_the_auditor_and_the_truth_agree(name: str, seed: int | None, play: Play) -> None:
    night = play(name, seed)
    register = json.loads(night.files.register.read_text())
    result = replay(read_stream(str(night.files.stream)), parse_register(json.dumps(register)), england())
    assert [f.rule for f in result.findings if f.rule.startswith("monitoring.")] == [], "no scenario is about that"
    ours = [as_json(finding) for finding in in_order(result.findings) if finding.rule in FIELDS]
    audited, timelines = audit_whole(lines(night.files.stream), register, result.until)
    assert [_told(finding) for finding in ours] == [_told(finding) for finding in audited]
    assert (audited == []) == (name == "quiet"), "a night with nothing to find proves nothing"

    truth = lines(night.files.truth)
    for order in register["orders"]:
        wearer = Wearer(
            tolerance_ms=(FRAMES_S_MAX + night.scenario.units.leave_time_s) * 1000,
            windows=[(w.start, min(w.end, result.until)) for w in windows_of_order(order, result.until)],
            known=_known(timelines[order["wearer_id"], order["curfew"][0]["address_id"]]),
            away=[_span(s) for s in truth if s.get("order_id") == order["order_id"] and s["state"] == "away"],
            found=[_span(f, result.until) for f in ours if f["order_id"] == order["order_id"] and "class" in f],
        )
        assert wearer.accused_at_home() == []
        assert wearer.away_unseen() == []


def _told(finding: dict[str, Any]) -> dict[str, Any]:
    """What both say."""
    return {key: finding.get(key) for key in FIELDS[finding["rule"]]}


@dataclass(frozen=True)
class Wearer:
    """What one wearer did, what was known of it, and what was found; all in ms UTC."""

    tolerance_ms: int
    windows: Spans
    known: Spans
    away: Spans
    found: Spans

    def accused_at_home(self) -> Spans:
        """Found to be absent beyond the tolerance around what the wearer did."""
        return _without(self.found, _moved(self.away, self.tolerance_ms))

    def away_unseen(self) -> Spans:
        """Away in a window, for more than the tolerance, known, and yet not found."""
        away = _moved(self.away, -self.tolerance_ms)
        return _without(_common(_common(away, self.windows), self.known), self.found)


def _known(timeline: list[tuple[int, int, str]]) -> Spans:
    return [(start, end) for start, end, state in timeline if state != "unknown"]


def _span(told: dict[str, Any], until: int = 0) -> tuple[int, int]:
    return parse_utc(told["start"]), until if told["end"] is None else parse_utc(told["end"])


def _moved(spans: Spans, by_ms: int) -> Spans:
    """Each span longer by so much at both ends, or shorter."""
    return [(start - by_ms, end + by_ms) for start, end in spans if start - by_ms < end + by_ms]


def _without(spans: Spans, taken: Spans) -> Spans:
    return [left for span in spans for left in outside(*span, union(taken))]


def _common(spans: Spans, others: Spans) -> Spans:
    return [
        (max(start, low), min(end, high))
        for start, end in spans
        for low, high in others
        if max(start, low) < min(end, high)
    ]
