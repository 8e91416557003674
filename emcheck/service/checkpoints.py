"""Folded state of units, written now and then, so that a start reads it and the few rows after it.

A checkpoint holds a unit as of its own newest inbox row. In each round every unit that told something since its
last one gets a new one, a few with each commit; at the end of a round the service's own checkpoint says from
which row on a start has to read. A crash costs at most the rows of two rounds, an orderly stop none.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from emcheck.domain.engine import Engine
from emcheck.domain.findings import Span
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.keeping import FORM, state_of
from emcheck.domain.rules.service_clock import Word
from emcheck.ports import Checkpoint, InboxRow

SERVICE = UnitId("(service)")
"""The name under which the service's own state is kept; no unit's id has brackets."""
_AT_ONCE = 200
"""Checkpoints written with one commit: a few milliseconds."""


class Checkpoints:
    """Takes them in rounds. `stale` are the units of which something came since their newest one."""

    def __init__(
        self, engine: Engine, under: Callable[[], str], stale: Iterable[UnitId], *, every_ms: Ms, now: Ms
    ) -> None:
        self._engine = engine
        self._under, self._stamp = under, under()
        self._stale = set(stale)
        self._every_ms = every_ms
        self._next_at = now + every_ms
        self._left: list[UnitId] | None = None
        self._at_beginning: dict[str, Any] = {}

    def take(
        self, last_row_of: Mapping[UnitId, int], row_id: int, rows: Sequence[InboxRow], *, leaving: bool
    ) -> list[Checkpoint]:
        """Checkpoints to write with a commit whose last row is `row_id`; `leaving`: all that are owed."""
        now = rows[-1].received_at if rows else 0
        self._stale.update(row.unit for row in rows if row.unit in self._engine.units)
        if leaving or (self._left is None and now >= self._next_at):
            self._next_at = now + self._every_ms
            self._begin(row_id)
        if self._left is None:
            return []
        batch, self._left = (self._left, []) if leaving else (self._left[:_AT_ONCE], self._left[_AT_ONCE:])
        taken = [self._of(name, last_row_of.get(name, 0), row_id, now) for name in batch if name in self._engine.units]
        if not self._left:
            self._left = None
            taken.append(Checkpoint(SERVICE, row_id, now, _dumped(self._at_beginning)))
        return taken

    def _begin(self, row_id: int) -> None:
        receiving = self._engine.receiving
        self._at_beginning = self._stamped(
            {
                "from_row": row_id,
                "down": receiving.down,
                "last_at": receiving.last_at,
                "stopped_at": receiving.stopped_at,
                "clock": receiving.clock,
            }
        )
        self._left = sorted(self._stale)

    def _of(self, name: UnitId, row_id: int, as_of: int, now: Ms) -> Checkpoint:
        self._stale.discard(name)
        state = self._stamped(state_of(self._engine.roster, name) | {"as_of": as_of})
        return Checkpoint(name, row_id, now, _dumped(state))

    def _stamped(self, state: dict[str, Any]) -> dict[str, Any]:
        return {"form": FORM, "under": self._stamp, **state}

    def amended(self, units: Iterable[UnitId]) -> None:
        """An instruction overtook the checkpoints of some units; of all, if facts are folded otherwise since."""
        before, self._stamp = self._stamp, self._under()
        self._stale.update(units if before == self._stamp else self._engine.units)


def readable(checkpoint: Checkpoint, under: str) -> dict[str, Any] | None:
    """The state in a checkpoint; None where it was folded under something else, or in another form."""
    state: dict[str, Any] = json.loads(checkpoint.state)
    return state if state.get("form") == FORM and state.get("under") == under else None


def restore_receiving(engine: Engine, state: Mapping[str, Any]) -> None:
    """Know again when the service was receiving."""
    engine.receiving.down = [Span(*span) for span in state["down"]]
    engine.receiving.clock = tuple(Word(*word) for word in state.get("clock", ()))
    engine.receiving.last_at, engine.receiving.stopped_at = state["last_at"], state["stopped_at"]


def _dumped(state: dict[str, Any]) -> bytes:
    return json.dumps(state, separators=(",", ":")).encode()
