"""What weakens an absence: facts about the equipment that may have made it up (domain.md, Presence, last paragraphs).

1. `interference`: the noise at a unit of the address was high, whether frames were reported as missed or not: an
   absence is nothing but missed frames (rules/rf_interference, 4).
2. `tag_battery`: a fitted tag's battery was at 5 % or less (rules/tag_battery, 2).
3. `clock`: a unit's clock was off (rules/unit_clock, 1); its times are corrected, but by its own word.
4. `our_clock`: the service's own clock was stepped or not synchronised (rules/service_clock).
A doubt stands beside the finding; it changes neither seconds nor priority.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from emcheck.domain import channels
from emcheck.domain.findings import Span
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.rules import rf_interference, tag_battery, unit_clock
from emcheck.domain.timeline import Source
from emcheck.domain.track import Track


class Doubt(NamedTuple):
    """Its name, and when it stands; `end` is None while it does."""

    name: str
    start: Ms
    end: Ms | None


def doubts_of(sources: Iterable[Source], tracks: Mapping[UnitId, Track], now: Ms) -> list[Doubt]:
    """Every doubt about the tags and units that count at an address."""
    found: set[Doubt] = set()
    for source in sources:
        track = tracks[source.unit]
        if channels.speaks(track):
            told = {
                "interference": rf_interference.noise(source.unit, track, [source.counts], now),
                "tag_battery": tag_battery.empty(source.unit, track, source.tag, source.fitted, now),
                "clock": unit_clock.faults(source.unit, track, [source.counts], now),
            }
            found |= {Doubt(name, run.start, run.end) for name, runs in told.items() for run in runs}
    return sorted(found, key=lambda doubt: (doubt.name, doubt.start))


def named(doubts: Iterable[Doubt], span: Span) -> tuple[str, ...]:
    """The names of those that stand at some instant of a span."""
    touching = (d for d in doubts if d.start < span.end and (d.end is None or d.end > span.start))
    return tuple(dict.fromkeys(doubt.name for doubt in touching))
