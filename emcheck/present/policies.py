"""A policy as people and programs read it: its thresholds by rule, beside the codes that others give to the rule."""

from collections.abc import Sequence
from typing import Any

from emcheck.domain.codes import classes, codes
from emcheck.domain.escalation import Tree
from emcheck.domain.ids import Ms
from emcheck.domain.instants import FOREVER, format_ms
from emcheck.domain.policies import Policies
from emcheck.domain.policy import Policy, Threshold
from emcheck.present.escalated import whom
from emcheck.present.times import duration


def by_rule(policy: Policy) -> dict[str, dict[str, Threshold]]:
    """Thresholds under the name that all of their key but its last word is, as `curfew.absence`; both by name."""
    rules: dict[str, dict[str, Threshold]] = {}
    for key, threshold in sorted(policy.thresholds.items()):
        rules.setdefault(key.rpartition(".")[0], {})[key] = threshold
    return dict(sorted(rules.items()))


def tree_in_words(tree: Tree) -> str:
    """As `after 1 min duty operator on the queue; after 5 min supervisor by page`."""
    return "; ".join(f"after {duration(call.after_ms)} {whom(call)}" for call in tree)


def codes_of(rule: str) -> list[dict[str, str | None]]:
    """The public and SIA codes of a rule's alerts, by class: while the cause goes on, and once it has ended."""
    told = []
    for class_ in classes(rule):
        public, sia = codes(rule, class_, ended=False)
        public_ended, sia_ended = codes(rule, class_, ended=True)
        told.append(
            {"class": class_, "public": public, "sia": sia, "public_ended": public_ended, "sia_ended": sia_ended}
        )
    return told


def codes_in_words(rule: str) -> str:
    """As `late_return: AL08, SIA CI; ended: AL09, SIA CJ`; empty where no code fits."""
    told = []
    for code in codes_of(rule):
        going_on = _named(code["public"], code["sia"])
        ended = _named(code["public_ended"], code["sia_ended"])
        said = going_on if ended == going_on else f"{going_on}, ended {ended}"
        told.append(said if code["class"] is None else f"{code['class']}: {said}")
    return "; ".join(told)


def _named(public: str | None, sia: str | None) -> str:
    return " ".join(filter(None, (public, sia and f"SIA {sia}")))


def value_in_words(threshold: Threshold) -> str:
    """Value and unit, marked where the authority must still decide."""
    value = threshold.value
    said = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    unit = "" if isinstance(value, bool | str) else f" {threshold.unit}"
    return f"{said}{unit}{' (to be signed off)' if threshold.sign_off else ''}"


def as_json(policy: Policy) -> dict[str, Any]:
    """A policy for programs."""
    rules = by_rule(policy)
    return {
        "policy": policy.label,
        "effective_at": format_ms(policy.effective_at),
        "sha256": policy.sha256,
        "rules": {rule: {"codes": codes_of(rule), "thresholds": list(held)} for rule, held in rules.items()},
        "escalation": {
            name: [{"after_s": call.after_ms / 1000, "who": call.who, "by": call.by} for call in tree]
            for name, tree in policy.trees.items()
        },
        "thresholds": {
            key: {name: getattr(threshold, name) for name in threshold.__slots__}
            for held in rules.values()
            for key, threshold in held.items()
        },
    }


def published(known: Sequence[tuple[Policy, Ms]], now: Ms) -> list[dict[str, Any]]:
    """What is published as it stands at `now`, by name and time: `known` are versions and when each became known."""
    if not known:
        return []
    policies, known_at = Policies(*(policy for policy, _ in known)), {p.label: at for p, at in known}
    lines = sorted(policies.lines.values(), key=lambda line: (line is not policies.own, line.name))
    rows = []
    for line in lines:
        for number, (policy, span) in enumerate(line.spans()):
            replaced = span.start >= span.end or span.end <= now
            state = "replaced" if replaced else "next" if policy.effective_at > now and number else "in force"
            rows.append(
                {
                    "policy": policy.label,
                    "own": line is policies.own,
                    "state": state,
                    "effective_at": format_ms(policy.effective_at),
                    "until": None if span.end == FOREVER else format_ms(span.end),
                    "published_at": format_ms(known_at[policy.label]),
                    "retroactive": bool(number) and policy.effective_at < known_at[policy.label],
                    "sha256": policy.sha256,
                }
            )
    return rows


def in_words(row: dict[str, Any]) -> list[str]:
    """A row of `published` for people."""
    own, late = " (the service's own)" if row["own"] else "", ", retroactive" if row["retroactive"] else ""
    return [
        f"{row['policy']}{own}",
        row["state"],
        row["effective_at"],
        row["until"] or "",
        f"{row['published_at']}{late}",
        row["sha256"][:12],
    ]
