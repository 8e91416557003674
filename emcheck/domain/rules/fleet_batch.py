"""fleet.batch: the straps of one batch are reported cut or open far oftener than all others.

Rule book (domain.md, Rules; The Register 2017: 115 faulty straps of one batch brought warning letters to wearers):
1. Of the fittings with a strap of the batch, the share that was reported (`tag.strap`) in the last `within_s` is over
   `ratio` times that of all other fittings, and `tampers_min` of them or more were reported. Where none of the others
   was, it counts as if one had been: a few in a small register show nothing.
2. It is judged at each report of the batch, in event time, from the first at which it holds; the register says how many
   wear which batch. It stands from then on: only a person can say that the straps are good.
3. It stops accusations: every report of the batch from `within_s` before it on carries the doubt `strap_batch`. Its
   alert stays in the queue, at its priority, for a strap of a bad batch may be cut all the same. P1, to a supervisor.
4. Of firmware the protocol tells that of base units only; straps and cases are the tag's.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from emcheck.domain.findings import FactRef, Finding
from emcheck.domain.ids import Ms, RuleId
from emcheck.domain.policy import Policy

RULE = RuleId("fleet.batch")
DOUBT = "strap_batch"
_SHOWN = 10
"""So many of the facts are cited."""


class Report(NamedTuple):
    """A strap that was reported: when, since when that is known, and the fact that says so."""

    at: Ms
    known_at: Ms
    fact: FactRef


def find(
    batch: str, own: Sequence[Report], worn: int, others: Sequence[Ms], others_worn: int, policy: Policy
) -> Finding | None:
    """What is found of a batch: `own` reports of `worn` straps, `others` of `others_worn`, both in order of time."""
    if not others_worn:
        return None
    within_ms, ratio = policy.ms("fleet.batch.within_s"), policy.number("fleet.batch.ratio")
    for number, report in enumerate(own, start=1):
        first = bisect_right(own, report.at - within_ms, key=lambda told: told.at)
        count = number - first
        rest = bisect_right(others, report.at) - bisect_left(others, report.at - within_ms + 1)
        enough = count >= policy.number("fleet.batch.tampers_min")
        if enough and count * others_worn > ratio * max(rest, 1) * worn:
            return Finding(
                rule=RULE,
                class_="strap_batch",
                about=f"strap batch {batch}",
                start=report.at,
                end=None,
                priority=policy.text("fleet.batch.priority"),
                raised_at=max(told.known_at for told in own[first:number]),
                evidence=tuple(told.fact for told in own[first:number][-_SHOWN:]),
                detail=(
                    ("batch", batch),
                    ("reported", count),
                    ("worn", worn),
                    ("others_reported", rest),
                    ("others_worn", others_worn),
                ),
                policy=policy.label,
            )
    return None
