"""Two judgements of one stream side by side: what one finds and the other does not, and what they say otherwise."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from emcheck.domain.findings import Finding
from emcheck.domain.policy import Policy, Threshold
from emcheck.present import lines
from emcheck.present.policies import tree_in_words

_SAME = ("rule", "wearer_id", "order_id", "unit", "window", "start")
"""What makes two findings the same one under two policies."""
_TOLD = ("class", "end", "seconds", "state", "priority", "raised_at")
"""What may differ between them and matters."""


class Difference(NamedTuple):
    """A finding of one judgement, of both where they say otherwise: `changed` names the fields."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None
    changed: dict[str, tuple[Any, Any]]

    @property
    def either(self) -> dict[str, Any]:
        """The finding, as it is now where it is."""
        return self.after or self.before or {}


def differences(before: Iterable[Finding], after: Iterable[Finding]) -> list[Difference]:
    """In the order of findings; a finding that begins elsewhere is another one."""
    old, new = _by_name(before), _by_name(after)
    found = []
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name), new.get(name)
        changed = {} if was is None or now is None else _changed(was, now)
        if was is None or now is None or changed:
            found.append(Difference(was, now, changed))
    return sorted(found, key=lambda d: (d.either["start"], d.either["rule"]))


def _by_name(findings: Iterable[Finding]) -> dict[str, dict[str, Any]]:
    told = (lines.as_json(finding) for finding in lines.in_order(findings))
    return {str([line.get(key) for key in _SAME]): line for line in told}


def _changed(was: dict[str, Any], now: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {key: (was.get(key), now.get(key)) for key in _TOLD if was.get(key) != now.get(key)}


def thresholds(before: Policy, after: Policy) -> list[tuple[str, str, str]]:
    """Each threshold that differs, with both values and units, and each tree that does."""
    rows = []
    for key in sorted(before.thresholds.keys() | after.thresholds.keys()):
        old, new = before.thresholds.get(key), after.thresholds.get(key)
        if (old and old.value) != (new and new.value):
            rows.append((key, _value(old), _value(new)))
    for name in sorted(before.trees.keys() | after.trees.keys()):
        was, now = (tree_in_words(policy.trees.get(name, ())) or "nobody" for policy in (before, after))
        if was != now:
            rows.append((f"escalation.{name}", was, now))
    return rows


def _value(threshold: Threshold | None) -> str:
    return "not set" if threshold is None else f"{threshold.value} {threshold.unit}".strip()


_READING = ("presence.", "clock.", "rf.", "tag.battery.", "unit.battery.", "unit.moved.", "body.no_motion.room_")
"""Thresholds by which facts are read, so that any rule may hang on them."""


def because(found: Difference, keys: Iterable[str]) -> list[str]:
    """Which of the differing thresholds may be why: the rule's own, else those by which facts are read."""
    known, rule = list(keys), found.either["rule"]
    own = [key for key in known if key.startswith(f"{rule}.")]
    return own or [key for key in known if key.startswith(_READING)]


def as_json(found: Difference, keys: Iterable[str]) -> dict[str, Any]:
    """A difference for programs; `keys` are the thresholds that differ."""
    what = "only_before" if found.after is None else "only_after" if found.before is None else "changed"
    return {"difference": what, "before": found.before, "after": found.after, "changed": found.changed} | {
        "because": because(found, keys)
    }
