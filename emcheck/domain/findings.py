"""Findings: what the rules say of the facts. A finding is a value; nobody edits one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from emcheck.domain.ids import AlertId, BootId, Ms, OrderId, RuleId, UnitId, WearerId


class FactRef(NamedTuple):
    """The event a finding rests on: `(unit, boot, seq)` names it for ever."""

    unit: UnitId
    boot: BootId
    seq: int


class Span(NamedTuple):
    """A half-open interval `[start, end)` of instants."""

    start: Ms
    end: Ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of `emcheck replay --format jsonl` (formats.md), before words are put to it.

    `subject` is the wearer or the unit the finding is about and orders its alerts; `absent_ms` is the
    finding's length less `excluded_ms`; `detail` holds what a rule wants said (counts, numbers missing).
    """

    rule: RuleId
    start: Ms
    end: Ms | None
    priority: str
    class_: str | None = None
    wearer_id: WearerId | None = None
    order_id: OrderId | None = None
    unit: UnitId | None = None
    about: str = ""
    """Whom or what it is about where that is neither the wearer nor a unit."""
    window: Span | None = None
    episode: Span | None = None
    """The run of absent and unknown time that the finding's alert is about."""
    absent_ms: Ms | None = None
    excluded_ms: Ms | None = None
    raised_at: Ms | None = None
    evidence: tuple[FactRef, ...] = ()
    doubts: tuple[str, ...] = ()
    detail: tuple[tuple[str, str | int], ...] = ()
    incident: AlertId | None = None
    """The incident that accounts for it: one cause of many findings, told as one alert."""
    zone: str = "UTC"
    policy: str = ""
    register: str = field(default="", compare=False)
    """Hash of the register it was first found under; whoever keeps it stamps it."""
    policy_sha256: str = field(default="", compare=False)
    """Hash of the policy whose `name@version` it carries, likewise."""

    @property
    def subject(self) -> str:
        """Wearer, unit or what else it is about: alerts of one subject are delivered in order."""
        return self.about or self.wearer_id or self.unit or ""

    @property
    def key(self) -> str:
        """Names this finding among those of its subject: same key, same finding, revised."""
        window = "" if self.window is None else str(self.window.start)
        class_ = self.class_ if self.window is None else ""
        number = f"{self.evidence[0].boot}.{self.evidence[0].seq}" if self.unit and self.evidence else ""
        told = dict(self.detail)
        what = number or told.get("tag", told.get("publisher", ""))
        return f"{self.rule}|{self.order_id or ''}|{self.unit or ''}|{class_}|{window}|{self.start}|{what}"

    @property
    def is_left_open(self) -> bool:
        """Whether it is an absence that nothing ended: nobody vouches for the time after it."""
        if self.window is None or self.absent_ms is None or self.end is None:
            return False
        return self.end < self.window.end and len(self.evidence) < 2  # the second is the presence that ended it


Decided = Callable[[str, list[Finding], Ms, Ms], None]
"""A subject, its findings, the instant, and before when findings are settled and so not among them."""


def is_settled(finding: Finding, before: Ms) -> bool:
    """Whether its window, or what it says of a unit or tag, had ended by `before`: such findings are not told again."""
    if finding.window is not None:
        return finding.window.end <= before
    return finding.end is not None and finding.end <= before
