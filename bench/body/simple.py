"""Simple rules beside the body check, causal like it: what each of them alone would find."""

from collections.abc import Callable, Sequence

from bench.body.records import Record
from bench.body.scoring import Score
from emcheck.domain.body import Sample

Rule = Callable[[Sequence[Sample], int], bool]
"""Whether the tag is off, from the readings up to a place in them."""


def cool(samples: Sequence[Sample], i: int) -> bool:
    """The skin side is under 26 degC."""
    return (samples[i].skin_c or 0.0) < 26


def no_gap(samples: Sequence[Sample], i: int) -> bool:
    """For ten minutes the skin side was no more than 0.2 degC above the outward one."""
    last = samples[max(0, i - 9) : i + 1]
    return all((s.skin_c or 0.0) - (s.ambient_c or 0.0) < 0.2 for s in last)


def still(samples: Sequence[Sample], i: int) -> bool:
    """No motion for 90 minutes (Choi 2011, without its look ahead)."""
    return i >= 89 and not any(s.motion for s in samples[i - 89 : i + 1])


RULES: dict[str, Rule] = {
    "skin under 26 degC": cool,
    "gap under 0.2 degC for 10 min": no_gap,
    "still for 90 min": still,
}


def simple_scores(held: Sequence[Record]) -> dict[str, Score]:
    """Each rule's score."""
    scores = {name: Score() for name in RULES}
    for record in held:
        for name, rule in RULES.items():
            scores[name].add(record.worn, [rule(record.samples, i) for i in range(len(record.samples))])
    return scores
