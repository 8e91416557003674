"""What a session comes to: every step judged, and the state that follows from them, as a table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from emcheck.domain.fitting.heard import heard
from emcheck.domain.fitting.seen import CANNOT, PASSED, Result, Seen
from emcheck.domain.fitting.steps import BY_ID, STEPS
from emcheck.domain.fitting.visits import Visit
from emcheck.domain.ids import Ms
from emcheck.domain.policy import Policy
from emcheck.domain.receipt import Told

PENDING, VALIDATED, OVERRIDDEN = "pending", "validated", "overridden"

STATES: dict[tuple[bool, bool], str] = {
    (False, False): PENDING,
    (True, False): VALIDATED,
    (True, True): VALIDATED,
    (False, True): OVERRIDDEN,
}
"""By whether every step has its evidence, and whether a supervisor overrode it: who has shown it needs no override."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A session as it stands: the result of each step by its id, the state, and what it was judged by."""

    seen: Seen
    results: Mapping[str, Result]
    state: str

    def open_steps(self) -> list[str]:
        """The steps without evidence, in order."""
        return [step.id for step in STEPS if not is_done(step.id, self.results[step.id])]


def is_done(step: str, result: Result) -> bool:
    """Whether a step needs nothing more: positive evidence, or `cannot` where the table allows it."""
    return result.state == PASSED or (result.state == CANNOT and BY_ID[step].may_cannot)


def standing(
    visit: Visit,
    acts: Sequence[tuple[Ms, object]],
    told: Iterable[Told],
    *,
    policy: Policy,
    now: Ms,
    schedule_sha256: str | None,
    note: str | None = None,
) -> Standing:
    """A session at `now`, from its acts and what its unit told, in any order; a pure function of all of it."""
    facts = heard(told, since=visit.opened_at, policy=policy)
    seen = Seen(visit, acts, facts, policy, now, schedule_sha256, note)
    results = {step.id: step.judge(seen) for step in STEPS}
    done = all(is_done(step, result) for step, result in results.items())
    return Standing(seen, results, STATES[done, seen.override is not None])
