"""fitting.unvalidated: a tag is worn whose fitting was not validated, or is to be validated anew.

Rule book (domain.md, Fitting; Rules):
1. From `fitted_at` to `removed_at` of a fitting whose `validation` is neither `validated` nor `overridden`. `pending`
   and nothing at all are the same: missing evidence is a fail. P2. A refit, another strap or another limb is another
   fitting of the register, so that it needs a validation of its own.
2. A fitting that a supervisor let stand in a visit (`override` of the register) is one too, class `overridden`: it
   names who and why. It never happens in silence.
3. It says nothing of the wearer: a tag over a sock or on a prosthesis is heard at home, whoever is there.
4. A fitting of which neither is said and in which there was a `body.no_motion` is to be validated anew, class
   `revalidate`: from the first such time in it until the fitting ends, which is when a fitter has the tag in hand, and
   no matter what the tag did since. P3, and from `revalidate_within_s` on as any other. The first time stands, though
   the nights that showed it are folded (`Question`; docs/adr/0013): a case keeps it as it keeps sums of absences.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from emcheck.domain.findings import FactRef, Finding
from emcheck.domain.ids import Ms, RuleId, TagId, WearerId
from emcheck.domain.instants import FOREVER, format_ms
from emcheck.domain.policies import Line
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting, Order
from emcheck.domain.rules import body_no_motion

RULE = RuleId("fitting.unvalidated")
REVALIDATE = "revalidate"


class Question(NamedTuple):
    """The first time in a fitting in which its tag did not move or warm (4)."""

    tag: TagId
    fitted_at: Ms
    start: Ms
    end: Ms | None
    class_: str
    fact: FactRef


def find(
    wearer_id: WearerId, _orders: Iterable[Order], fittings: Iterable[Fitting], now: Ms, policy: Policy
) -> list[Finding]:
    """One finding for each fitting that has begun (1)."""
    return [
        Finding(
            rule=RULE,
            class_=None if fitting.override is None else "overridden",
            wearer_id=wearer_id,
            start=fitting.fitted_at,
            end=_end(fitting, now),
            priority=policy.text(f"fitting.unvalidated.priority{'' if fitting.override is None else '_overridden'}"),
            detail=(("tag", fitting.tag), ("validation", fitting.validation or "missing"), *_override(fitting)),
            policy=policy.label,
        )
        for fitting in fittings
        if fitting.fitted_at <= now
        if not _is_validated(fitting)
    ]


def questions(settled: Sequence[Question], found: Iterable[Finding], fittings: Iterable[Fitting]) -> list[Question]:
    """The first of each fitting, of those whose nights are folded and of what is found of tags now (4)."""
    told = [f for f in found if f.rule == body_no_motion.RULE]
    first: list[Question] = []
    for fitting in fittings if settled or told else ():
        asked = [q for q in settled if (q.tag, q.fitted_at) == (fitting.tag, fitting.fitted_at)]
        asked += [_question(fitting, f) for f in told if _is_in(fitting, f)]
        first += sorted(asked, key=lambda q: (q.start, q.class_))[:1]
    return first


def revalidations(
    wearer_id: WearerId, fittings: Iterable[Fitting], asked: Iterable[Question], now: Ms, line: Line
) -> list[Finding]:
    """One finding for each validated fitting that was asked about, each by the version in force when it was (4)."""
    validated = {(f.tag, f.fitted_at): f for f in fittings if _is_validated(f)}
    return [
        _revalidation(wearer_id, validated[q.tag, q.fitted_at], q, now, line.at(q.start))
        for q in asked
        if (q.tag, q.fitted_at) in validated
    ]


def next_step(asked: Iterable[Question], now: Ms, line: Line) -> Ms:
    """When a validation that is asked for is overdue next; FOREVER for never."""
    return min((due for q in asked if (due := _due(q, line.at(q.start))) > now), default=FOREVER)


def _is_validated(fitting: Fitting) -> bool:
    return fitting.override is None and fitting.validation in ("validated", "overridden")


def _is_in(fitting: Fitting, found: Finding) -> bool:
    inside = fitting.fitted_at <= found.start < (fitting.removed_at or FOREVER)
    return inside and dict(found.detail)["tag"] == fitting.tag


def _question(fitting: Fitting, found: Finding) -> Question:
    return Question(fitting.tag, fitting.fitted_at, found.start, found.end, found.class_ or "", found.evidence[0])


def _due(question: Question, policy: Policy) -> Ms:
    return question.start + policy.ms(f"{RULE}.revalidate_within_s")


def _revalidation(wearer_id: WearerId, fitting: Fitting, question: Question, now: Ms, policy: Policy) -> Finding:
    due, end = _due(question, policy), _end(fitting, now)
    overdue = (now if end is None else end) >= due
    return Finding(
        rule=RULE,
        class_=REVALIDATE,
        wearer_id=wearer_id,
        start=question.start,
        end=end,
        priority=policy.text(f"{RULE}.priority{'' if overdue else '_revalidate'}"),
        evidence=(question.fact,),
        detail=(
            ("tag", fitting.tag),
            ("fitted_at", format_ms(fitting.fitted_at)),
            ("shown", question.class_),
            ("due", format_ms(due)),
        ),
        policy=policy.label,
    )


def _end(fitting: Fitting, now: Ms) -> Ms | None:
    return fitting.removed_at if fitting.removed_at is not None and fitting.removed_at <= now else None


def _override(fitting: Fitting) -> tuple[tuple[str, str], ...]:
    """Who let it stand, and why (2)."""
    override = fitting.override
    return () if override is None else (("by", override.by), ("reason", override.reason))
