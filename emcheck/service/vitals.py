"""How the service itself fares, as figures: how old the feed is, who is silent, its own outages, and how late it runs.

Whoever asks walks all units once: 10 ms for 100,000, each time that `/metrics` is read.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from emcheck.domain.engine import Engine
from emcheck.domain.ids import Ms
from emcheck.service.http import By

_LOOK_EVERY_S = 0.5
_REMEMBERED = 120
"""Looks of a minute: a stall between two scrapes is seen by the next one."""

Readings = dict[str, tuple[str, float | By]]


class Vitals:
    """`engine` gives the live state; None while the service reads itself back."""

    def __init__(self, engine: Callable[[], Engine | None]) -> None:
        self._engine = engine
        self._late_s: deque[float] = deque([0.0], maxlen=_REMEMBERED)

    async def run(self) -> None:
        """Look how late the event loop is, for ever."""
        time = asyncio.get_running_loop().time
        while True:
            due = time() + _LOOK_EVERY_S
            await asyncio.sleep(_LOOK_EVERY_S)
            self._late_s.append(max(0.0, time() - due))

    def readings(self, now: Ms) -> Readings:
        """As `/metrics` shows them; what no unit ever told has no age."""
        engine, silent, newest = self._engine(), 0, None
        late = ("By how much the event loop was late at most in the last minute", max(self._late_s))
        if engine is None:
            return {"event_loop_late_seconds": late}
        for unit in engine.units.values():
            silent += unit.silent_at is not None
            heard_at = unit.last_received_at
            if heard_at is not None and (newest is None or heard_at > newest):
                newest = heard_at
        outages = [span for span in engine.receiving.down if span.start > 0]
        age: Readings = {}
        if newest is not None:
            age["feed_age_seconds"] = ("Seconds since anything came of any base unit", max(0, now - newest) / 1000)
        return age | {
            "units": ("Base units in the register", float(len(engine.units))),
            "units_silent": ("Base units that count as silent", float(silent)),
            "outages": ("Times of the last 30 days in which the service did not receive", float(len(outages))),
            "outage_seconds": (
                "Seconds of the last 30 days in which it did not", sum(span.end - span.start for span in outages) / 1000
            ),
            "event_loop_late_seconds": late,
        }  # fmt: skip
