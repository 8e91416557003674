"""What a measured consumer is watched by: how much is committed, since when, and at what cost to the process."""

import asyncio
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

from bench.load import Generator

LEAD = 4_000
"""Messages that may be under way: enough that nobody waits for the load, less than the service's queue holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What `messages` took: wall time, this process's processor time, and bytes it had written to the disk."""

    messages: int
    wall_s: float
    cpu_s: float
    written_bytes: int


class Meter:
    """Gives the generator credit as messages are committed. The first `warm` are not measured."""

    def __init__(self, generator: Generator, *, warm: int, messages: int) -> None:
        self._generator = generator
        self._warm, self._messages = warm, messages
        self._committed = 0
        self.done = asyncio.Event()

    def begin(self) -> None:
        """Let the load come."""
        self._note()
        self._allow()

    def committed(self, messages: int) -> None:
        """So many more messages are on the disk."""
        before, self._committed = self._committed, self._committed + messages
        if before < self._warm <= self._committed:
            self._note()
        if self._committed >= self._warm + self._messages:
            self.done.set()
        self._allow()

    def cost(self) -> Cost:
        """What it took since the warm-up ended."""
        return Cost(
            messages=self._messages,
            wall_s=time.perf_counter() - self._wall_s,
            cpu_s=time.process_time() - self._cpu_s,
            written_bytes=_written_bytes() - self._written,
        )

    def _note(self) -> None:
        self._wall_s, self._cpu_s, self._written = time.perf_counter(), time.process_time(), _written_bytes()

    def _allow(self) -> None:
        last = self._warm if self._committed < self._warm else self._warm + self._messages
        self._generator.allow(min(self._committed + LEAD, last))


def _written_bytes() -> int:
    """What this process caused to be written to the disk, log and database file alike, as the kernel counts it."""
    words = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(words["write_bytes"])


def rss_bytes() -> int:
    """Memory of this process that is in RAM now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def rss_most_bytes() -> int:
    """The most memory this process ever had in RAM."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
