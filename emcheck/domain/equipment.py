"""What the rules say of one unit's equipment, from what it told beside presence (`channels`)."""

from collections.abc import Iterator, Sequence
from functools import partial

from emcheck.domain import channels
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.policies import Line
from emcheck.domain.rules import rf_interference, unit_battery, unit_case, unit_clock, unit_moved, unit_power
from emcheck.domain.track import Track

_RULES = (unit_power, unit_case, unit_clock, unit_moved, rf_interference)
RULES = frozenset(rule.RULE for rule in (*_RULES, unit_battery))


def findings(unit: UnitId, track: Track, installed: Sequence[Span], now: Ms, line: Line) -> Iterator[Finding]:
    """Everything that holds, in event time, each by the version in force when it began."""
    if channels.speaks(track):
        for rule in _RULES:
            yield from line.judged(partial(rule.find, unit, track, installed, now))
        yield from unit_battery.find(unit, track, installed, now, line)


def steps(unit: UnitId, track: Track, installed: Sequence[Span], now: Ms, line: Line) -> Iterator[Ms]:
    """Instants after `now` at which that may change though nothing more is told."""
    if channels.speaks(track):
        due = [
            *unit_power.steps(unit, track, installed, now, line),
            *unit_battery.steps(unit, track, installed, now, line),
            *channels.ahead(track, now),
            *(span.end for span in installed),
        ]
        yield from (at for at in due if at > now)
