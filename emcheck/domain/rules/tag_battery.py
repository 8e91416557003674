"""tag.battery: a tag's battery is low.

Rule book (domain.md, Rules):
1. From the first report with `battery_pct` of `low_pct` or less, in event time, until one is above `clear_pct`, or the
   fitting ends; what a unit said last stands, and each unit that hears the tag is read by itself. P4: a visit is due
   in 7 days.
2. At `doubt_pct` (5 %) or less the tag may fall silent at any time: an absence then carries a doubt.
3. Reports outside the fitting are not used.
"""

from collections.abc import Iterable, Iterator, Mapping

from emcheck.domain import channels
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import Ms, RuleId, TagId, UnitId, WearerId
from emcheck.domain.instants import FOREVER, format_ms
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting
from emcheck.domain.track import Track

RULE = RuleId("tag.battery")


def find(
    wearer_id: WearerId, fittings: Iterable[Fitting], tracks: Mapping[UnitId, Track], now: Ms, policy: Policy
) -> list[Finding]:
    """One finding for each fitting, unit and time the battery was low (1, 3)."""
    return [
        Finding(
            rule=RULE,
            wearer_id=wearer_id,
            start=run.start,
            end=run.end,
            priority=policy.text("tag.battery.priority"),
            evidence=(run.changes[0].fact,),
            detail=(
                ("tag", fitting.tag),
                ("battery_pct", round(run.changes[0].amount or 0)),
                ("visit_due", format_ms(run.start + policy.ms("tag.battery.visit_within_s"))),
            ),
            policy=policy.label,
        )
        for fitting in fittings
        for run in _runs(fitting, tracks, now)
    ]


def _runs(fitting: Fitting, tracks: Mapping[UnitId, Track], now: Ms) -> Iterator[channels.Run]:
    fitted = Span(fitting.fitted_at, fitting.removed_at or FOREVER)
    for unit, track in tracks.items():
        told = channels.changes(track, unit, channels.TAG_BATTERY, fitting.tag, inside=fitted)
        yield from channels.runs(told, now, [fitted], "low", "empty", keeping="between")


def empty(unit: UnitId, track: Track, tag: TagId, fitted: Span, now: Ms) -> list[channels.Run]:
    """The stretches in which one unit told that the battery is all but empty (2)."""
    told = channels.changes(track, unit, channels.TAG_BATTERY, tag, inside=fitted)
    return channels.runs(told, now, [fitted], "empty")
