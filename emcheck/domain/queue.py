"""Reconciling findings with alerts: one alert per cause, raised once, amended or withdrawn as facts arrive.

A cause has a name that stays while facts revise the finding, and the alert's id is made of it: the same
cause is the same alert in a replay, after a crash and at every delivery.
"""

import base64
import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from emcheck.domain.alerts import TRANSITIONS, Act, Alert, AlertState, Course, on_course
from emcheck.domain.called import called
from emcheck.domain.findings import Finding
from emcheck.domain.ids import AlertId, Ms
from emcheck.domain.instants import DAY

_NAMED_BY: dict[str, Callable[[Finding], object]] = {
    "curfew.absence": lambda f: (f.order_id, f.window and f.window.start, f.raised_at),
    "curfew.accumulated": lambda f: f.order_id,
    "unit.silent": lambda f: (f.unit, f.start),
    "tag.strap": lambda f: (f.wearer_id, f.detail),
    "evidence.gap": lambda f: (f.unit, dict(f.detail)["boot"], dict(f.detail)["from"]),
    "evidence.rejected": lambda f: (f.unit, f.class_, f.start),
    "evidence.unknown_device": lambda f: (f.unit, f.start),
    "service.clock": lambda f: (f.class_, f.start),
    "service.undecided": lambda f: (f.wearer_id, f.start),
    "unit.power": lambda f: (f.unit, f.start),
    "unit.battery": lambda f: (f.unit, f.start),
    "unit.case": lambda f: (f.unit, f.start),
    "unit.clock": lambda f: (f.unit, f.start),
    "unit.moved": lambda f: (f.unit, f.start // DAY),
    "rf.interference": lambda f: (f.unit, f.evidence[0]),
    "tag.battery": lambda f: (f.wearer_id, dict(f.detail)["tag"], f.start // (7 * DAY)),
    "tag.case": lambda f: (f.wearer_id, f.detail),
    "body.not_attached": lambda f: (f.wearer_id, f.class_, dict(f.detail)["tag"], f.start),
    "body.no_motion": lambda f: (f.wearer_id, f.class_, dict(f.detail)["tag"], f.start),
    "evidence.replayed": lambda f: (f.wearer_id, dict(f.detail)["tag"], f.start // DAY),
    "fitting.overdue": lambda f: f.order_id,
    "fitting.unvalidated": lambda f: (f.wearer_id, dict(f.detail)["tag"], dict(f.detail).get("fitted_at", f.start)),
    "fleet.batch": lambda f: f.about,
    "incident.silent": lambda f: (f.about, f.start),
    "incident.power": lambda f: (f.about, f.start),
    "monitoring.removal_due": lambda f: (f.wearer_id, dict(f.detail)["tag"], f.start),
    "service.audit": lambda f: (f.class_, dict(f.detail).get("publisher"), f.start),
    "monitoring.not_producing": lambda f: (f.order_id, dict(f.detail)["address"], f.start),
    "evidence.conflict": lambda f: (f.unit, f.evidence[0].boot, f.evidence[0].seq),
}
RULES = frozenset(_NAMED_BY)
"""Every rule there is: each finding has an alert that it may raise."""


Told = Callable[[Finding, Sequence[Finding]], str]
"""Puts words to an alert: of its findings, and of the one that weighs the most."""


class Change(NamedTuple):
    """An alert after a change, and what the change was: raised, amended, reinstated or withdrawn."""

    alert: Alert
    action: str
    note: str


def alert_id(finding: Finding) -> AlertId:
    """The id of the alert that a finding belongs to."""
    cause = f"{finding.rule}|{_NAMED_BY[finding.rule](finding)}"
    return AlertId("AL-" + base64.b32encode(hashlib.sha256(cause.encode()).digest()[:10]).decode())


def reconcile(
    known: dict[AlertId, Alert],
    findings: Iterable[Finding],
    now: Ms,
    *,
    explain: Told,
    late: str | None = None,
    cause: str | None = None,
    excused: Collection[AlertId] = (),
) -> list[Change]:
    """What to raise, amend and withdraw so that one subject's alerts say what its findings say.

    `cause` is what it came from where that was no fact: an instruction, and `excused` are alerts of which it made
    another part authorised.
    """
    causes: dict[AlertId, list[Finding]] = {}
    for finding in findings:
        if finding.raised_at is not None:
            causes.setdefault(alert_id(finding), []).append(finding)
    changes: list[Change] = []
    for name, grounds in causes.items():
        fresh = _alert(name, grounds, now, explain)
        before = known.get(name)
        if before is None:
            state = AlertState.SUPPRESSED if fresh.incident is not None else fresh.state
            raised = replace(fresh, state=state, late=late, course=Course(since=now, told_at=now))
            changes.append(Change(raised, "raised", late or cause or ""))
        elif (change := _revised(before, fresh, grounds, excused=name in excused)) is not None:
            note = f"{change.note}; {cause}" if cause else change.note
            changes.append(Change(on_course(before, change.alert, now), change.action, note))
    for name, before in known.items():
        if name not in causes and not before.withdrawn:
            gone = replace(before, withdrawn=True, revision=before.revision + 1)
            why = cause or "what is known now no longer shows it"
            changes.append(Change(on_course(before, gone, now), "withdrawn", why))
    return changes


def excused_otherwise(before: Iterable[Finding], after: Iterable[Finding]) -> set[AlertId]:
    """The alerts of absences that are over, of which another part is authorised than was."""
    was, now = _excused(before), _excused(after)
    return {name for name in was.keys() & now.keys() if was[name] != now[name]}


def _excused(findings: Iterable[Finding]) -> dict[AlertId, Ms]:
    sums: dict[AlertId, Ms] = {}
    for finding in findings:
        if finding.window is not None and finding.raised_at is not None and finding.end is not None:
            name = alert_id(finding)
            sums[name] = sums.get(name, 0) + (finding.excluded_ms or 0)
    return sums


def _revised(before: Alert, fresh: Alert, grounds: list[Finding], *, excused: bool) -> Change | None:
    """What is worth telling of an alert that stands; None where nothing is."""
    after, action, notes = before, "reinstated" if before.withdrawn else "amended", []
    said = [_difference(before, fresh, grounds), "another part of it is authorised" if excused else None]
    if any(said):
        notes += [note for note in said if note is not None]
        after = replace(
            before, priority=fresh.priority, class_=fresh.class_, ended_at=fresh.ended_at,
            happened_at=fresh.happened_at, text=fresh.text, size=fresh.size, withdrawn=False,
        )  # fmt: skip
    if before.incident != fresh.incident and (fresh.incident is not None or fresh.ended_at is None):
        after, action, note = _grouped(after, fresh.incident)
        notes.append(note)
    return Change(replace(after, revision=before.revision + 1), action, "; ".join(notes)) if notes else None


def _grouped(alert: Alert, incident: AlertId | None) -> Change:
    """The alert under an incident, or on its own again. What somebody attends to stays where it is."""
    if incident is None:
        state = TRANSITIONS.get((alert.state, Act.RELEASE), alert.state)
        note = f"incident {alert.incident} does not account for it any more"
        return Change(replace(alert, incident=None, state=state), "released", note)
    state = TRANSITIONS.get((alert.state, Act.SUPPRESS), alert.state)
    return Change(replace(alert, incident=incident, state=state), "suppressed", f"incident {incident} accounts for it")


def _alert(name: AlertId, grounds: list[Finding], now: Ms, explain: Told) -> Alert:
    first = min(grounds, key=lambda f: f.start)
    last = max(grounds, key=lambda f: f.start)
    main = max(grounds, key=lambda f: (f.absent_ms or 0, -f.start))
    return Alert(
        alert_id=name,
        rule=first.rule,
        subject=first.subject,
        priority=min(f.priority for f in grounds),
        happened_at=first.start,
        raised_at=first.raised_at if first.raised_at is not None else now,
        text=explain(main, grounds),
        class_=main.class_,
        wearer_id=first.wearer_id,
        order_id=first.order_id,
        unit=first.unit,
        window=first.window,
        ended_at=last.end,
        incident=main.incident,
        size=int(dict(main.detail)["units"]) if first.rule.startswith("incident.") else None,
    )


def _difference(before: Alert, fresh: Alert, grounds: list[Finding]) -> str | None:
    """In words, what is worth telling; None where nothing is. A growing count of seconds is not."""
    if before.withdrawn:
        return "facts that came later show it again"
    said, left_open = [], max(grounds, key=lambda f: f.start).is_left_open
    if before.priority != fresh.priority:
        said.append(f"priority {before.priority} is now {fresh.priority}")
    if before.class_ != fresh.class_:
        was, now = called(before.rule, before.class_), called(fresh.rule, fresh.class_)
        said.append(f"told as {was} before, as {now} now")
    if before.ended_at is None and fresh.ended_at is not None:
        said.append("whether it goes on is not known, for nothing tells of it" if left_open else "it has ended")
    elif before.ended_at is not None and fresh.ended_at is None:
        said.append("it goes on")
    elif _ended_elsewhere(before, fresh, grounds):
        said.append("how much of it is known has changed" if left_open else "it ended at another time than was known")
    if before.rule == "tag.strap" and before.text != fresh.text:
        said.append(fresh.text)
    if _has_grown(before, fresh, grounds[0]):
        said.append(f"{fresh.size} base units by now")
    if before.happened_at != fresh.happened_at:
        said.append("it began at another time than was known")
    return "; ".join(said) or None


def _has_grown(before: Alert, fresh: Alert, incident: Finding) -> bool:
    """An incident that is twice as large as was told, or of another size now that no more come."""
    if fresh.size is None or fresh.size == before.size:
        return False
    return fresh.size >= 2 * (before.size or 1) or bool(dict(incident.detail).get("complete"))


def _ended_elsewhere(before: Alert, fresh: Alert, grounds: list[Finding]) -> bool:
    """An absence whose end a presence tells, or that is twice as long as was told.

    Facts that come late lengthen it minute by minute; each of them is not worth telling.
    """
    if before.ended_at is None or fresh.ended_at is None or before.ended_at == fresh.ended_at:
        return False
    last = max(grounds, key=lambda f: f.start)
    if last.absent_ms is None:
        return False
    told, now = before.ended_at - before.happened_at, fresh.ended_at - fresh.happened_at
    return len(last.evidence) > 1 or now >= 2 * told or now < told
