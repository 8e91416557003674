"""The queue's figures in `/metrics`: what waits, what came of it, how fast it was seen."""

from dataclasses import replace
from typing import Any

from emcheck.domain.alerts import Alert, AlertState
from emcheck.domain.instants import DAY, HOUR, MINUTE, SECOND
from emcheck.ports import AlertChange
from emcheck.service.http import By
from emcheck.service.queue_figures import QueueFigures
from tests.store.samples import T0, alert
from tests.support import england


class Board:
    """The figures, and a queue that changes."""

    def __init__(self) -> None:
        self.figures = QueueFigures(lambda at: england().targets_ms())

    def changes(self, changed: Alert, action: str, at: int) -> None:
        self.figures.note([AlertChange(changed, action, at, "op-1", "", None)])

    def reads(self, name: str, now: int = T0 + HOUR) -> Any:
        value = self.figures.readings(now)[name][1]
        return {k: v for k, v in value.values.items() if v} if isinstance(value, By) else value


def test_what_waits_and_for_how_long() -> None:
    board = Board()
    first, second = alert("AL-1", raised_at=T0), alert("AL-2", raised_at=T0 + MINUTE, priority="P2")
    board.changes(first, "raised", T0)
    board.changes(second, "raised", T0 + MINUTE)
    board.changes(alert("AL-3", raised_at=T0, state=AlertState.SUPPRESSED), "raised", T0)
    assert board.reads("alerts_waiting") == {"P1": 1, "P2": 1}
    assert board.reads("alerts_in_10_minutes", T0 + 2 * MINUTE) == 2, "what lies under an incident floods nobody"
    assert board.reads("alerts_in_10_minutes", T0 + 10 * MINUTE + 1) == 1
    assert (board.reads("alerts_stale", T0 + DAY), board.reads("alerts_stale", T0 + DAY + 1)) == (0, 1)
    board.changes(replace(first, withdrawn=True), "withdrawn", T0 + HOUR)
    assert board.reads("alerts_waiting") == {"P2": 1}
    assert board.reads("alerts_outcomes_total") == {"withdrawn": 1}
    assert board.reads("alerts_raised_total") == {"curfew.absence": 3}


def test_how_fast_it_was_seen_counts_once() -> None:
    board = Board()
    for name, waited in (("AL-1", 60 * SECOND), ("AL-2", 61 * SECOND)):
        told = alert(name, raised_at=T0)
        board.changes(told, "raised", T0)
        seen = replace(told, state=AlertState.ACKNOWLEDGED)
        board.changes(seen, "acknowledged", T0 + waited)
        board.changes(replace(told, state=AlertState.RETURNED), "returned", T0 + HOUR)
        board.changes(seen, "acknowledged", T0 + 2 * HOUR)
    assert board.reads("alerts_acknowledged_total") == {"P1": 2}
    assert board.reads("alerts_acknowledged_in_time_total") == {"P1": 1}
    assert board.reads("alerts_acknowledge_seconds_total") == {"P1": 121}
    assert board.reads("alert_target_seconds")["P1"] == 60


def test_a_start_knows_what_waited() -> None:
    board = Board()
    told = alert("AL-1", raised_at=T0)
    held = replace(told, alert_id=alert("AL-2").alert_id, state=AlertState.ACKNOWLEDGED)
    board.figures.load([told, held])
    assert board.reads("alerts_waiting") == {"P1": 1}
    board.changes(replace(held, state=AlertState.CLOSED, disposition="false"), "closed", T0 + HOUR)
    assert board.reads("alerts_outcomes_total") == {"false": 1}
    assert board.reads("alerts_acknowledged_total") == {}
