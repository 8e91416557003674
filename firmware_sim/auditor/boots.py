"""From what a unit was heard to say to its boots in order, each with facts in order, at corrected times.

domain.md, Presence: times are corrected by the unit's reported `clock_offset_ms` where it exceeds the policy; within
a boot events are ordered by `seq`, boots by `boot_n`, where missing by the time of their first event.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from firmware_sim.auditor.instants import parse_utc
from firmware_sim.auditor.intake import Received

FUTURE_MS_MAX = 5 * 60_000
"""protocol.md, Clocks: a corrected time more than 5 min in the future is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One usable event; `at_ms` and `last_heard_ms` are corrected times (the latter only of a departure)."""

    seq: int
    kind: str
    at_ms: int
    last_heard_ms: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """One boot: its facts by `seq`, and what is known of the numbers between them."""

    name: str
    facts: list[Fact]
    vouch_ms: int
    bad: frozenset[int]
    harmless: list[tuple[int, int]]

    def is_hole(self, before: int, after: int) -> bool:
        """Presence 3: whether the numbers between two neighbours leave the time between them unknown."""
        first, last = before + 1, after - 1
        if first > last:
            return False
        # Refused and conflicting numbers stay holes for good, whatever is declared about them.
        if any(first <= seq <= last for seq in self.bad):
            return True
        # No hole where every number is declared lost with `periodic_only`.
        reached = first
        for low, high in sorted(self.harmless):
            if low <= reached <= high:
                reached = high + 1
        return reached <= last


def boots_of_unit(received: Received, *, clock_policy_ms: int, heartbeat_default_s: int) -> list[Boot]:
    """The boots of one unit, oldest first."""
    single, bad = _single_contents(received)
    first_look = {
        name: _usable(contents, clock_policy_ms=clock_policy_ms, not_after_ms=None)[0]
        for name, contents in single.items()
    }
    oldest_first = _in_order({name: facts for name, facts in first_look.items() if facts})

    # An older boot's event dated after a newer boot's start is in conflict: its number is a hole. So the newest
    # boot is read first, and each older one up to the start of the newer ones.
    kept: dict[str, list[Fact]] = {}
    not_after_ms: int | None = None
    for name in reversed(oldest_first):
        facts, refused = _usable(single[name], clock_policy_ms=clock_policy_ms, not_after_ms=not_after_ms)
        bad.setdefault(name, set()).update(refused)
        kept[name] = facts
        if facts:
            start_ms = facts[0].at_ms
            not_after_ms = start_ms if not_after_ms is None else min(not_after_ms, start_ms)

    harmless = _declared_periodic(fact for facts in kept.values() for fact in facts)
    return [
        Boot(
            name=name,
            facts=kept[name],
            vouch_ms=2200 * _told_at_boot(kept[name], "heartbeat_s", heartbeat_default_s),
            bad=frozenset(bad[name]),
            harmless=harmless.get(name, []),
        )
        for name in oldest_first
        if kept[name]
    ]


Contents = dict[int, tuple[dict[str, Any], int]]


def _single_contents(received: Received) -> tuple[dict[str, Contents], dict[str, set[int]]]:
    """By boot, the numbers with exactly one content, and the numbers that are holes for good.

    A number refused once is refused, also where it came well another time: else the order of arrival would decide.
    """
    single: dict[str, Contents] = {}
    bad: dict[str, set[int]] = {}
    for name, seq in received.refused:
        bad.setdefault(name, set()).add(seq)
    for (name, seq), copies in received.contents.items():
        if (name, seq) in received.refused:
            continue
        if len(copies) > 1:
            bad.setdefault(name, set()).add(seq)  # one number with two contents
        else:
            single.setdefault(name, {})[seq] = next(iter(copies.values()))
    return single, bad


def _usable(contents: Contents, *, clock_policy_ms: int, not_after_ms: int | None) -> tuple[list[Fact], set[int]]:
    """The facts of one boot by `seq`, and the numbers whose corrected time cannot be accepted."""
    facts: list[Fact] = []
    refused: set[int] = set()
    offset_ms = 0
    for seq in sorted(contents):
        event, received_ms = contents[seq]
        # protocol.md, Clocks: an offset corrects from its own seq onward, and only beyond the policy.
        told = event.get("clock_offset_ms") if event["type"] == "unit_status" else None
        offset_here_ms = offset_ms if told is None else round(told)
        correction_ms = offset_here_ms if abs(offset_here_ms) > clock_policy_ms else 0
        at_ms = parse_utc(event["at"]) - correction_ms
        if at_ms > received_ms + FUTURE_MS_MAX:
            refused.add(seq)
            continue
        # A date that is in conflict was found so with this very offset; what follows is corrected by it all the same.
        offset_ms = offset_here_ms
        if not_after_ms is not None and at_ms > not_after_ms:
            refused.add(seq)
            continue
        # Presence 1: `last_heard_at` missing is `at`.
        heard_text = (event.get("last_heard_at") if event["type"] == "presence" else None) or event["at"]
        facts.append(
            Fact(
                seq=seq,
                kind=event["type"],
                at_ms=at_ms,
                last_heard_ms=parse_utc(heard_text) - correction_ms,
                fields=event,
            )
        )
    return facts, refused


def _told_at_boot(facts: list[Fact], name: str, default: int) -> int:
    """A number out of the boot event, where it came and says it."""
    for fact in facts:
        if fact.kind == "boot" and fact.fields.get(name) is not None:
            return int(fact.fields[name])
    return default


def _in_order(boots: dict[str, list[Fact]]) -> list[str]:
    """Boots, oldest first: those with `boot_n` by it; each other one before the first that begins after it does."""

    def starts_ms(name: str) -> int:
        return boots[name][0].at_ms

    def boot_n(name: str) -> int:
        return _told_at_boot(boots[name], "boot_n", -1)

    numbered = [name for name in boots if boot_n(name) >= 0]
    ordered = sorted(numbered, key=lambda name: (boot_n(name), starts_ms(name), name))
    for name in sorted(boots.keys() - set(numbered), key=lambda name: (starts_ms(name), name)):
        place = next((i for i, other in enumerate(ordered) if starts_ms(other) > starts_ms(name)), len(ordered))
        ordered.insert(place, name)
    return ordered


def _declared_periodic(facts: Iterable[Fact]) -> dict[str, list[tuple[int, int]]]:
    """By the boot that they name, the ranges declared lost with `periodic_only`."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    for fact in facts:
        if fact.kind == "lost" and fact.fields["periodic_only"]:
            ranges.setdefault(fact.fields["boot"], []).append((fact.fields["from"], fact.fields["to"]))
    return ranges
