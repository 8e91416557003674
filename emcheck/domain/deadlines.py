"""Deadlines: who is to be looked at when though nothing arrives. Kept early, never late, armed anew when they fire."""

import heapq
from collections.abc import Iterable

from emcheck.domain.ids import Ms
from emcheck.domain.instants import FOREVER


class Deadlines:
    """One live deadline a subject. Moving one later costs nothing: it fires early and is armed anew."""

    def __init__(self) -> None:
        self._heap: list[tuple[Ms, str]] = []
        self._armed: dict[str, Ms] = {}

    def begin(self, due: Iterable[tuple[str, Ms]]) -> None:
        """These subjects are to be looked at, each at its instant, and nobody else."""
        self._heap.clear()
        self._armed.clear()
        for subject, at in due:
            self.arm(subject, at)

    def arm(self, subject: str, due: Ms) -> None:
        """Look at `subject` no later than `due`."""
        if due < self._armed.get(subject, FOREVER):
            self._armed[subject] = due
            heapq.heappush(self._heap, (due, subject))

    def due(self, subject: str) -> Ms:
        """When `subject` is to be looked at; FOREVER where it is not armed."""
        return self._armed.get(subject, FOREVER)

    def disarm(self, subject: str) -> None:
        """`subject` is being looked at: its deadline has fired."""
        self._armed.pop(subject, None)

    def next(self) -> Ms:
        """The earliest deadline; FOREVER where there is none."""
        heap, armed = self._heap, self._armed
        while heap:
            due, subject = heap[0]
            if armed.get(subject) == due:
                return due
            heapq.heappop(heap)
        return FOREVER

    def pop(self) -> tuple[Ms, str]:
        """Take the earliest off; only after `next` showed one."""
        due, subject = heapq.heappop(self._heap)
        del self._armed[subject]
        return due, subject
