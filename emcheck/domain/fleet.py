"""What is seen of all straps together: the reports of each batch, and which batches stand in doubt."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from emcheck.domain.case import Case
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, WearerId
from emcheck.domain.instants import parse_ms
from emcheck.domain.policies import Line
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting
from emcheck.domain.rules import fleet_batch, tag_strap

_Name = tuple[WearerId, str, Ms]
"""A fitting: whose, which tag, since when."""


class Fleet:
    """The reported straps of all wearers. A case that was judged is looked at; a batch in doubt marks what is found."""

    def __init__(self, own: Line, fittings: Iterable[Fitting]) -> None:
        self._own = own
        self._worn: Counter[str | None] = Counter()
        self._batch_of: dict[_Name, str | None] = {}
        """Of those fittings whose strap was reported."""
        self._reported: dict[WearerId, dict[Ms, Finding]] = {}
        self._found: dict[str, Finding] = {}
        self.is_due = False
        """Something was reported that was not judged yet."""
        self.count(fittings)

    def count(self, fittings: Iterable[Fitting], by: int = 1) -> None:
        """Fittings come (`by` 1) or go (-1)."""
        for fitting in fittings:
            self._worn[fitting.strap_batch] += by
            self.is_due |= bool(self._reported)

    def look(self, case: Case, found: list[Finding]) -> list[Finding]:
        """What was found of a case; its reported straps are noted, and marked where their batch is in doubt."""
        wearer = case.wearer_id
        if wearer not in self._reported and not any(f.rule == tag_strap.RULE for f in found):
            return found
        before = self._reported.get(wearer, {})
        now = {f.start: f for f in before.values() if f.end is not None and f.end <= case.settled}
        now |= {f.start: f for f in found if f.rule == tag_strap.RULE}
        if now.keys() != before.keys():
            self.is_due = True
        self._note(wearer, now, case.fittings)
        return [self._marked(f) if f.rule == tag_strap.RULE else f for f in found]

    def _note(self, wearer: WearerId, reported: dict[Ms, Finding], fittings: Iterable[Fitting]) -> None:
        self._reported[wearer] = reported
        if not reported:
            del self._reported[wearer]
        for fitting in fittings:
            self._batch_of[wearer, fitting.tag, fitting.fitted_at] = fitting.strap_batch

    def remember(self, finding: Finding, fittings: Iterable[Fitting]) -> None:
        """Know again, after a start, what was found."""
        if finding.rule == fleet_batch.RULE:
            self._found[str(dict(finding.detail)["batch"])] = finding
        elif finding.wearer_id is not None:
            known = self._reported.get(finding.wearer_id, {})
            self._note(finding.wearer_id, known | {finding.start: finding}, fittings)
            self.is_due = True

    def judge(self) -> tuple[dict[str, list[Finding]], set[WearerId]]:
        """What holds of each batch by subject, and the wearers whose reports are seen otherwise than before."""
        self.is_due = False
        before, self._found = self._found, {}
        reports: dict[str | None, list[fleet_batch.Report]] = {}
        wearers: dict[str | None, set[WearerId]] = {}
        for wearer, reported in self._reported.items():
            for finding in reported.values():
                batch = self._batch(finding)
                report = fleet_batch.Report(finding.start, finding.raised_at or finding.start, finding.evidence[0])
                reports.setdefault(batch, []).append(report)
                wearers.setdefault(batch, set()).add(wearer)
        everybody = self._worn.total()
        for batch, own in reports.items():
            policy = self._policy(min(report.at for report in own))
            if batch is None or len(own) < policy.number("fleet.batch.tampers_min"):
                continue
            others = sorted(report.at for other, told in reports.items() if other != batch for report in told)
            worn = self._worn[batch]
            found = fleet_batch.find(batch, sorted(own), worn, others, everybody - worn, policy)
            if found is not None:
                self._found[batch] = found
        changed = {b for b in before.keys() | self._found.keys() if _since(before.get(b)) != _since(self._found.get(b))}
        gone: dict[str, list[Finding]] = {f.subject: [] for b, f in before.items() if b not in self._found}
        return gone | self.findings(), set().union(*(wearers.get(batch, set()) for batch in changed))

    def findings(self) -> dict[str, list[Finding]]:
        """The batches in doubt, by subject."""
        return {finding.subject: [finding] for finding in self._found.values()}

    def _batch(self, report: Finding) -> str | None:
        told = dict(report.detail)
        fitted_at = parse_ms(str(told["fitted_at"]))
        return self._batch_of.get((report.wearer_id or WearerId(""), str(told["tag"]), fitted_at))

    def _policy(self, at: Ms) -> Policy:
        """A batch is judged by the version in force when the first of its straps was reported."""
        return self._own.at(at)

    def _named(self, doubted: Finding) -> Policy:
        return next((v for v in self._own.versions if v.label == doubted.policy), self._policy(doubted.start))

    def _marked(self, report: Finding) -> Finding:
        batch = self._batch(report)
        doubted = None if batch is None else self._found.get(batch)
        if doubted is None or report.start <= doubted.start - self._named(doubted).ms("fleet.batch.within_s"):
            return report
        return replace(report, doubts=(fleet_batch.DOUBT,))


def _since(found: Finding | None) -> Ms | None:
    return None if found is None else found.start
