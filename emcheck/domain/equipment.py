"""What the rules say of one unit's equipment, from what it told beside presence (`channels`)."""

from collections.abc import Iterator, Sequence

from emcheck.domain import channels
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.policy import Policy
from emcheck.domain.rules import rf_interference, unit_battery, unit_case, unit_clock, unit_moved, unit_power
from emcheck.domain.track import Track

_RULES = (unit_power, unit_battery, unit_case, unit_clock, unit_moved, rf_interference)
RULES = frozenset(rule.RULE for rule in _RULES)


def findings(unit: UnitId, track: Track, installed: Sequence[Span], now: Ms, policy: Policy) -> Iterator[Finding]:
    """Everything that holds, in event time."""
    if channels.speaks(track):
        for rule in _RULES:
            yield from rule.find(unit, track, installed, now, policy)


def steps(unit: UnitId, track: Track, installed: Sequence[Span], now: Ms, policy: Policy) -> Iterator[Ms]:
    """Instants after `now` at which that may change though nothing more is told."""
    if channels.speaks(track):
        due = [
            *unit_power.steps(unit, track, installed, now, policy),
            *unit_battery.steps(unit, track, installed, now, policy),
            *channels.ahead(track, now),
            *(span.end for span in installed),
        ]
        yield from (at for at in due if at > now)
