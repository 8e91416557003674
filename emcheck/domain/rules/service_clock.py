"""service.clock: the service's own clock was stepped, or is not synchronised.

Rule book (domain.md, Rules):
1. A running service compares its wall clock every few seconds with one that nobody sets. Where the two have come apart
   by more than `step_max_s` since they were last compared, the wall clock was stepped: class `stepped`. It covers the
   time that was skipped, or that came twice: from the earlier of the two readings to the later.
2. Where the system can say whether its clock is held to a time source, and has said for `unsynchronised_after_s` that
   it is not, that is class `unsynchronised`, from then until it says that it is. `emcheck doctor` tells what it says.
3. P1, to operations: when alerts are raised and silences begin is told by this clock; what units report is dated by
   theirs.
4. An absence that touches such time carries the doubt `our_clock`: units set their clocks by ours.
5. What was found stands in the inbox as a line of the service, so that a replay finds the same. It runs in receive
   time.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from emcheck.domain.doubts import Doubt
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, RuleId
from emcheck.domain.policy import Policy

RULE = RuleId("service.clock")
SUBJECT = "service"
"""It is about no wearer and no unit."""


class Word(NamedTuple):
    """What a look at the clock found: by how much it was set forward, or whether it is synchronised from now on."""

    at: Ms
    stepped_ms: Ms | None = None
    synchronised: bool | None = None


class _Run(NamedTuple):
    class_: str
    start: Ms
    end: Ms | None
    raised_at: Ms
    stepped_ms: Ms | None = None


def _runs(words: Iterable[Word]) -> Iterator[_Run]:
    since: Ms | None = None
    for at, stepped_ms, synchronised in words:
        if stepped_ms is not None:
            yield _Run("stepped", at - abs(stepped_ms), at, at, stepped_ms)
        elif synchronised is False and since is None:
            since = at
        elif synchronised and since is not None:
            yield _Run("unsynchronised", since, at, since)
            since = None
    if since is not None:
        yield _Run("unsynchronised", since, None, since)


def find(words: Iterable[Word], policy: Policy) -> list[Finding]:
    """Every step, and every stretch without synchronisation (1, 2)."""
    return [
        Finding(
            rule=RULE,
            class_=run.class_,
            about=SUBJECT,
            start=run.start,
            end=run.end,
            priority=policy.text("service.clock.priority"),
            raised_at=run.raised_at,
            detail=() if run.stepped_ms is None else (("stepped_ms", run.stepped_ms),),
            policy=policy.label,
        )
        for run in _runs(words)
    ]


def doubts(words: Iterable[Word]) -> tuple[Doubt, ...]:
    """What weakens absences in such time (4)."""
    return tuple(Doubt("our_clock", run.start, run.end) for run in _runs(words))
