"""What stands committed: findings and alerts by subject, of what is not settled; the store holds the rest."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from emcheck.domain.alerts import Alert
from emcheck.domain.findings import Finding, is_settled
from emcheck.domain.ids import AlertId, Ms
from emcheck.domain.queue import Change, alert_id, excused_otherwise, reconcile
from emcheck.ports import Store
from emcheck.present.together import told_of_all
from emcheck.service.breath import Breath

_AT_ONCE = 500
"""Subjects whose alerts the store is asked of at once."""


class Decision(NamedTuple):
    """A subject judged anew: its findings that had not ended by `settled`; why late, and by what instruction."""

    subject: str
    found: list[Finding]
    at: Ms
    settled: Ms
    late: str | None
    cause: str | None = None


def _at_once(first: Change, then: Change) -> Change:
    """An alert that is laid under an incident at the instant of its last change is told of once."""
    note = "; ".join(note for note in (first.note, then.note) if note)
    return Change(dataclasses.replace(then.alert, revision=first.alert.revision), first.action, note)


class Standing:
    """Compares decisions with what stands. Alerts are read when a subject has its first, and let go after its last."""

    def __init__(self, store: Store, breath: Breath) -> None:
        self._store = store
        self._breath = breath
        self.findings: dict[str, dict[str, Finding]] = {}
        self._alerts: dict[str, dict[AlertId, Alert]] = {}

    def load(self, findings: Iterable[Finding]) -> None:
        """Findings that stand at a start."""
        for finding in findings:
            self.findings.setdefault(finding.subject, {})[finding.key] = finding

    async def reopen(self, subjects: Iterable[str]) -> dict[str, list[Finding]]:
        """All findings that stand of some subjects, settled ones too."""
        found: dict[str, list[Finding]] = {}
        for subject in subjects:
            found[subject] = await self._store.findings(subject)
            if found[subject]:
                self.findings[subject] = {finding.key: finding for finding in found[subject]}
        await self._read_alerts([subject for subject, held in found.items() if held])
        return found

    async def _read_alerts(self, subjects: Sequence[str]) -> None:
        for first in range(0, len(subjects), _AT_ONCE):
            page = subjects[first : first + _AT_ONCE]
            self._alerts |= {subject: {} for subject in page}
            for alert in await self._store.alerts(open_only=False, subjects=page):
                if alert.subject in self._alerts:  # another may be stored under the same name
                    self._alerts[alert.subject][alert.alert_id] = alert
            await self._breath.pause()

    def put(self, alert: Alert) -> None:
        """Somebody did something about an alert."""
        if alert.subject in self._alerts:
            self._alerts[alert.subject][alert.alert_id] = alert

    async def queue_changes(self, decisions: Sequence[Decision]) -> list[tuple[Change, Ms]]:
        """What decisions change in the queue, and when."""
        changes: list[tuple[Change, Ms]] = []
        last: dict[tuple[AlertId, Ms], int] = {}
        before = {decision.subject: list(self.findings.get(decision.subject, {}).values()) for decision in decisions}
        told_of = {d.subject for d in decisions if any(f.raised_at is not None for f in (*before[d.subject], *d.found))}
        await self._read_alerts(sorted(told_of - self._alerts.keys()))
        for decision in decisions:
            await self._breath.pause()
            subject = decision.subject
            settled = [finding for finding in before[subject] if is_settled(finding, decision.settled)]
            held = [finding for finding in before[subject] if finding not in settled]
            told = {alert_id(finding) for finding in (*held, *decision.found) if finding.raised_at is not None}
            before[subject] = [*settled, *decision.found]
            known = self._alerts.get(subject, {})
            live = {name: known[name] for name in told if name in known}
            found, at, cause = decision.found, decision.at, decision.cause
            excused = excused_otherwise(held, found) if cause else ()
            for change in reconcile(
                live, found, at, explain=told_of_all, late=decision.late, cause=cause, excused=excused
            ):
                name = change.alert.alert_id
                if change.action == "suppressed" and (place := last.get((name, at))) is not None:
                    changes[place] = _at_once(changes[place][0], change), at
                else:
                    place = last[name, at] = len(changes)
                    changes.append((change, at))
                known[name] = changes[place][0].alert
        return changes

    async def replace(
        self, decisions: Sequence[Decision], *, stamp: Callable[[Finding], Finding]
    ) -> tuple[list[Finding], list[tuple[str, str]]]:
        """What of the findings is new or revised, and what no longer holds; then only what is not settled is kept."""
        revised: list[Finding] = []
        gone: list[tuple[str, str]] = []
        by_subject: dict[str, list[Decision]] = {}
        for decision in decisions:
            by_subject.setdefault(decision.subject, []).append(decision)
        for subject, made in by_subject.items():
            await self._breath.pause()
            before = after = self.findings.get(subject, {})
            for decision in made:
                settled = {key: finding for key, finding in after.items() if is_settled(finding, decision.settled)}
                fresh = {finding.key: finding for finding in decision.found}
                after = settled | fresh
            revised += [stamp(finding) for key, finding in after.items() if before.get(key) != finding]
            gone += [(subject, key) for key in before if key not in after]
            self._keep(subject, fresh)
        return revised, gone

    def _keep(self, subject: str, after: dict[str, Finding]) -> None:
        if after:
            self.findings[subject] = after
        else:
            self.findings.pop(subject, None)
        if not any(finding.raised_at is not None for finding in after.values()):
            self._alerts.pop(subject, None)
