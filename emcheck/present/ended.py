"""What ended an alert, in words: a person, later facts, or that its cause lasts no longer."""

from collections.abc import Iterable

from emcheck.domain.advice import is_over
from emcheck.domain.alerts import Alert, AlertState
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms
from emcheck.domain.referrals import Referral
from emcheck.present.acted import DISPOSITIONS
from emcheck.present.referred import state
from emcheck.present.times import clock

Changed = tuple[Ms, str, str, str]
"""When an alert was changed, what the change was, by whom, and its note."""
NOTHING = "Nothing is to be done."


def ended(
    alert: Alert, history: Iterable[Changed], grounds: Iterable[Finding], zone: str, *, now: Ms,
    referral: Referral | None = None,
) -> str:  # fmt: skip
    """`Closed by jo at Tue 24 Mar 19:40:00: no answer. Nothing is to be done.`; empty while it goes on.

    `grounds` are the findings that it rests on. A breach that is still to be referred is what remains.
    """
    if alert.state is AlertState.CLOSED or alert.withdrawn:
        return f"{_by_whom(alert, history, zone)} {_remains(referral, now, zone)}"
    if alert.ended_at is None or not is_over(alert):
        return ""
    at = clock(alert.ended_at, zone)
    last = max(grounds, key=lambda finding: finding.start, default=None)
    if last is not None and last.is_left_open:
        return f"Known until {at}; nothing tells what came after."
    if alert.window is not None and alert.ended_at == alert.window.end:
        return f"The curfew ended at {at}."
    return f"It is over: it ended at {at}."


def _by_whom(alert: Alert, history: Iterable[Changed], zone: str) -> str:
    """Who or what ended it, and when."""
    wanted = ("withdrawn",) if alert.withdrawn and alert.state is not AlertState.CLOSED else ("closed",)
    found = [change for change in history if change[1] in wanted]
    why = DISPOSITIONS.get(alert.disposition or "", "")
    if not found:
        return "Withdrawn." if alert.withdrawn else f"Closed{f': {why}' if why else ''}."
    at, action, by, note = found[-1]
    if action == "withdrawn":
        return f"Withdrawn at {clock(at, zone)}{f': {note}' if note else ''}."
    return f"Closed by {by} at {clock(at, zone)}{f': {why}' if why else ''}{f' ({note})' if note else ''}."


def _remains(referral: Referral | None, now: Ms, zone: str) -> str:
    if referral is None or referral.referred is not None:
        return NOTHING
    return f"What remains: it is {state(referral, now, zone)}."
