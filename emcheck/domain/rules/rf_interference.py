"""rf.interference: the noise at a unit is high while frames are missed.

Rule book (domain.md, Rules):
1. Noise is high from a `unit_status` whose `noise_dbm` is over `noise_max_dbm` to the next that is not; frames of a
   tag are missed from a report of fewer than `heard_min_pct` of those expected to the next that is not. A finding is
   where both hold, in event time; what was said last stands. P2.
2. Noise alone is information: it harms nobody while the tags are heard. Missed frames alone are distance.
3. One alert for one stretch of noise, however often frames come and go in it.
4. Who jams is not said. An absence in high noise carries a doubt, whether frames were reported as missed before it or
   not: for the absence is nothing but missed frames.
"""

from collections.abc import Iterable

from emcheck.domain import channels
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import Ms, RuleId, UnitId
from emcheck.domain.instants import FOREVER
from emcheck.domain.policy import Policy
from emcheck.domain.track import Track

RULE = RuleId("rf.interference")


def noise(unit: UnitId, track: Track, installed: Iterable[Span], now: Ms) -> list[channels.Run]:
    """The stretches of high noise (1)."""
    return channels.runs(channels.changes(track, unit, channels.NOISE), now, installed, "high")


def find(unit: UnitId, track: Track, installed: Iterable[Span], now: Ms, policy: Policy) -> list[Finding]:
    """One finding each time a tag's frames were missed in high noise (1, 3)."""
    found: list[Finding] = []
    for loud in noise(unit, track, installed, now):
        span = Span(loud.start, FOREVER if loud.end is None else loud.end)
        for tag in sorted(tag for channel, tag in channels.keys(track) if channel == channels.FRAMES):
            missed = channels.runs(channels.changes(track, unit, channels.FRAMES, tag), now, [span], "missed")
            found += [
                Finding(
                    rule=RULE,
                    unit=unit,
                    start=run.start,
                    end=run.end,
                    priority=policy.text("rf.interference.priority"),
                    evidence=(loud.changes[0].fact, run.changes[0].fact),
                    detail=(("tag", tag), ("noise_dbm", round(loud.changes[0].amount or 0))),
                    policy=policy.label,
                )
                for run in missed
            ]
    return found
