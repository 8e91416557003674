"""What people did about an alert, and which of it can be taken back, by whom, and until when."""

from collections.abc import Sequence
from typing import NamedTuple

from emcheck.domain.acts import InstructionError
from emcheck.domain.alerts import Act, Alert
from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms
from emcheck.ports import AlertChange
from emcheck.present.times import duration

_MISTAKES = {"acknowledged": Act.ACKNOWLEDGE, "claimed": Act.CLAIM, "shelved": Act.SHELVE, "closed": Act.CLOSE}
BACK = {
    Act.ACKNOWLEDGE: "unacknowledged", Act.CLAIM: "unclaimed", Act.SHELVE: "unshelved", Act.CLOSE: "reopened",
}  # fmt: skip
"""What the taking-back of an act is called in the history."""
BY_PEOPLE = frozenset({*_MISTAKES, *BACK.values(), "confirmed", "handed_over", "noted"})
"""The changes that somebody made; an alert is passed on by hand, too."""


class Mistake(NamedTuple):
    """An act that can be taken back: which it was, how it stands in the history, and the alert before it."""

    act: Act
    change: AlertChange
    before: Alert


def acts_of_people(history: Sequence[AlertChange], *, after: int = 0) -> list[AlertChange]:
    """What people did to an alert after one of its revisions, oldest first."""
    return [change for change in history if _is_of_people(change) and change.alert.revision > after]


def _is_of_people(change: AlertChange) -> bool:
    return change.action in BY_PEOPLE or (change.action == "escalated" and change.by != "emcheck")


def said_of(change: AlertChange) -> str:
    """`acknowledged by a.clerk at 2026-03-24T19:07:02.000Z`."""
    return f"{change.action.replace('_', ' ')} by {change.by} at {format_ms(change.at)}"


def to_take_back(history: Sequence[AlertChange], by: str, at: Ms, undo_ms: Ms) -> Mistake:
    """What somebody did last, notes aside; InstructionError where it cannot be taken back by them at `at`."""
    done = [change for change in acts_of_people(history) if change.action != "noted"]
    if not done:
        raise InstructionError("act", "nobody did anything about it that could be taken back")
    last = done[-1]
    act = _MISTAKES.get(last.action)
    if act is None:
        raise InstructionError("act", f"the last act was not such: {said_of(last)}; that is not taken back")
    if last.by != by:
        raise InstructionError("act", f"{said_of(last)}: only who did it takes it back")
    if at - last.at > undo_ms:
        raise InstructionError("act", f"{said_of(last)}: an act is taken back within {duration(undo_ms)} only")
    return Mistake(act, last, history[history.index(last) - 1].alert)


def undo_until(history: Sequence[AlertChange], by: str, at: Ms, undo_ms: Ms) -> tuple[str, Ms] | None:
    """What somebody did last and until when it can be taken back; None where nothing can be."""
    try:
        mistake = to_take_back(history, by, at, undo_ms)
    except InstructionError:
        return None
    alert, made = history[-1].alert, mistake.change.alert
    same = (alert.state, alert.holder) == (made.state, made.holder)
    return (mistake.change.action, mistake.change.at + undo_ms) if same else None
