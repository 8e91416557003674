"""evidence.gap, evidence.rejected, evidence.unknown_device, evidence.conflict: what is missing or unusable.

Rule book (protocol.md, Gap and Bad input; domain.md, Rules):
1. gap: a hole that stays open 10 minutes, or numbers declared lost. Never a silence. P3.
2. rejected: quarantined input of an enrolled unit, or a receipt of a consumer that cannot be used; one finding a unit
   and reason while they come less than `quiet_s` apart, so that a flood is one finding with a count. It names what was
   wrong with the first.
3. unknown_device: the same for a unit that is not enrolled.
4. conflict: one number with two contents, which then counts as missing.
5. conflict, class `older_boot`: events of an older boot dated after a newer boot's start, neighbours as one: the unit
   was cloned, its flash restored, or its clock set. Their time is unknown; they measure nothing.
They run in receive time, save that a gap's span is that of its neighbours, and those of older boots in event time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from emcheck.domain.boots import Boot, Entry
from emcheck.domain.findings import FactRef, Finding
from emcheck.domain.ids import BootId, Ms, RuleId, UnitId
from emcheck.domain.policy import Policy
from emcheck.domain.track import Track

GAP = RuleId("evidence.gap")
REJECTED = RuleId("evidence.rejected")
UNKNOWN_DEVICE = RuleId("evidence.unknown_device")
CONFLICT = RuleId("evidence.conflict")
OLDER_BOOT = "older_boot"
BAD_RECEIPT = "bad_receipt"
_WHAT_MAX = 200
"""Characters of what a message says are not to fill a finding."""


@dataclass(slots=True)
class Refusals:
    """A run of refused input of one unit for one reason."""

    reason: str
    first_at: Ms
    last_at: Ms
    count: int = 1
    what: str = ""
    """What was wrong with the first of them: the field, and what would be right."""


def refused(rule: RuleId, unit: UnitId, run: Refusals, policy: Policy) -> Finding:
    """The finding of a run of refusals (2, 3)."""
    return Finding(
        rule=rule,
        class_=run.reason,
        unit=unit,
        start=run.first_at,
        end=run.last_at,
        priority=policy.text(f"{rule}.priority"),
        raised_at=run.first_at,
        detail=(("count", run.count), *((("what", _plain(run.what)),) if run.what else ())),
        policy=policy.label,
    )


def _plain(what: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in what[:_WHAT_MAX])


def remembered(finding: Finding, end: Ms) -> Refusals:
    """The run that a finding tells of, after a start."""
    told = dict(finding.detail)
    return Refusals(finding.class_ or "", finding.start, end, int(told["count"]), str(told.get("what", "")))


def gap(
    unit: UnitId, boot: BootId, numbers: tuple[int, int], *, kind: str, start: Ms, end: Ms | None, raised_at: Ms,
    periodic_only: bool, policy: Policy,
) -> Finding:  # fmt: skip
    """Missing numbers of one boot (1); `kind` is `open` or `lost`, `periodic_only` that no change was among them."""
    first, last = numbers
    return Finding(
        rule=GAP,
        class_=kind,
        unit=unit,
        start=start,
        end=end,
        priority=policy.text("evidence.gap.priority"),
        raised_at=raised_at,
        evidence=(FactRef(unit, boot, first), FactRef(unit, boot, last)),
        detail=(("boot", boot), ("from", first), ("to", last), *((("periodic_only", "yes"),) if periodic_only else ())),
        policy=policy.label,
    )


def conflict(unit: UnitId, boot: BootId, seq: int, *, at: Ms, policy: Policy) -> Finding:
    """One number with two contents (4)."""
    return Finding(
        rule=CONFLICT,
        unit=unit,
        start=at,
        end=at,
        priority=policy.text("evidence.conflict.priority"),
        raised_at=at,
        evidence=(FactRef(unit, boot, seq),),
        policy=policy.label,
    )


def overtaken(track: Track) -> Iterator[tuple[Boot, list[Entry]]]:
    """Neighbouring entries of a boot that are dated after a newer boot's start (5)."""
    for boot in track.boots.values():
        if boot is track.newest:
            continue
        beyond: list[Entry] = []
        for entry in boot.entries:
            if entry.start - boot.correction(entry.first) > boot.limit:
                beyond.append(entry)
            elif beyond:
                yield boot, beyond
                beyond = []
        if beyond:
            yield boot, beyond


def older_boots(unit: UnitId, track: Track, now: Ms, policy: Policy) -> Iterator[Finding]:
    """An older boot's events after a newer boot's start (5)."""
    for boot, beyond in overtaken(track):
        dated = [at - boot.correction(entry.first) for entry in beyond for at in (entry.start, entry.end)]
        if min(dated) <= now:
            numbers = dict.fromkeys((beyond[0].first, beyond[-1].last))
            yield Finding(
                rule=CONFLICT,
                class_=OLDER_BOOT,
                unit=unit,
                start=min(dated),
                end=max(dated),
                priority=policy.text("evidence.conflict.priority"),
                evidence=tuple(FactRef(unit, boot.boot, seq) for seq in numbers),
                policy=policy.label,
            )
