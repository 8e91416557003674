"""When the service was receiving, for silence counts no other time (domain.md, Presence, last paragraph); its clock."""

from collections.abc import Mapping
from typing import Any

from emcheck.domain.findings import Span
from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY
from emcheck.domain.rules.service_clock import Word

_KEPT: Ms = 30 * DAY
"""An outage longer ago cannot explain a silence that is not counted yet."""


class Receiving:
    """The outages of the service, as its starts, stops and signs of life tell them."""

    def __init__(self) -> None:
        self.down: list[Span] = []
        self.last_at: Ms | None = None
        """The last sign of life."""
        self.stopped_at: Ms | None = None
        self.clock: tuple[Word, ...] = ()
        """What was found of its own clock; seldom anything."""

    def tell_clock(self, said: Mapping[str, Any], at: Ms) -> None:
        """The clock was found to have been stepped by `stepped_ms`, or to be `synchronised` or not."""
        self.clock += (Word(at, said.get("stepped_ms"), said.get("synchronised")),)
        self.last_at = at

    @property
    def synchronised(self) -> bool | None:
        """What was last told of its clock; None where nothing was."""
        return next((word.synchronised for word in reversed(self.clock) if word.synchronised is not None), None)

    def sign(self, what: str, at: Ms) -> Span | None:
        """`started`, `stopped` or `alive` at `at`; a start returns the outage that it ends.

        A start without a stop is a crash; the last sign of life is then taken for the stop. Before its first
        start the service received nothing.
        """
        ended: Span | None = None
        if what == "started":
            since = self.last_at if self.stopped_at is None else self.stopped_at
            ended = Span(since or 0, at)
            if ended.end > ended.start:
                self.down = [span for span in self.down if span.end > at - _KEPT] + [ended]
            ended = ended if since is not None and ended.end > ended.start else None
        self.stopped_at = at if what == "stopped" else None
        self.last_at = at
        return ended
