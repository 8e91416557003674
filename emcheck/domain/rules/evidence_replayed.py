"""evidence.replayed: frames of a tag came whose counter had gone back.

Rule book (protocol.md, last paragraph; domain.md, Rules):
1. From a report with `replayed` of 1 or more, in event time, to the unit's next report of the tag with none. P2.
2. Such frames are recorded ones played again, or a tag that lost its memory: the unit does not count them as heard,
   so nothing that was known of presence rests on them.
3. Reports outside the fitting are not used; each unit that hears the tag is read by itself.
"""

from collections.abc import Iterable, Mapping

from emcheck.domain import channels
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import Ms, RuleId, UnitId, WearerId
from emcheck.domain.instants import FOREVER
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting
from emcheck.domain.track import Track

RULE = RuleId("evidence.replayed")


def find(
    wearer_id: WearerId, fittings: Iterable[Fitting], tracks: Mapping[UnitId, Track], now: Ms, policy: Policy
) -> list[Finding]:
    """One finding for each fitting, unit and run of reports with such frames (1, 3)."""
    found: list[Finding] = []
    for fitting in fittings:
        fitted = Span(fitting.fitted_at, fitting.removed_at or FOREVER)
        for unit, track in tracks.items():
            told = channels.changes(track, unit, channels.REPLAYED, fitting.tag, inside=fitted)
            found += [
                Finding(
                    rule=RULE,
                    wearer_id=wearer_id,
                    start=run.start,
                    end=run.end,
                    priority=policy.text("evidence.replayed.priority"),
                    evidence=(run.changes[0].fact,),
                    detail=(("tag", fitting.tag), ("frames", round(run.changes[0].amount or 0))),
                    policy=policy.label,
                )
                for run in channels.runs(told, now, [fitted], "replayed")
            ]
    return found
