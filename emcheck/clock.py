"""The only room that reads the clock. Everything else is told the time.

`SystemClock` is the machine's; `VirtualClock` stands still until somebody moves it, for the demo and tests.
"""

import asyncio
import ctypes
import heapq
import sys
import time
from typing import NamedTuple, Protocol

from emcheck.domain.ids import Ms


class Clock(Protocol):
    """Wall time in milliseconds UTC, never going back within one process."""

    def now(self) -> Ms:
        """The present instant."""
        ...

    async def sleep_until(self, at: Ms) -> None:
        """Return once `now() >= at`; at once if that is already so."""
        ...


class SystemClock:
    """The machine's clock; a step back is held at the last instant given out."""

    def __init__(self) -> None:
        self._last: Ms = 0

    def now(self) -> Ms:
        """Milliseconds since the epoch, monotone within this process."""
        self._last = max(self._last, time.time_ns() // 1_000_000)
        return self._last

    async def sleep_until(self, at: Ms) -> None:
        """Sleep in slices of at most a minute, so that a stepped clock is noticed."""
        while (left_ms := at - self.now()) > 0:
            await asyncio.sleep(min(left_ms / 1000, 60.0))


class Reading(NamedTuple):
    """A look at the machine's clocks, in milliseconds: the wall's, one that nobody sets, and what the system says."""

    wall_ms: Ms
    elapsed_ms: Ms
    synchronised: bool | None
    """Whether the system holds the wall clock to a time source; None where it does not say."""


def look(*, ask_system: bool = True) -> Reading:
    """The machine's clocks at one instant. `elapsed_ms` counts time asleep, too, where the system has such a clock."""
    counter = getattr(time, "CLOCK_BOOTTIME", None)
    elapsed_ns = time.monotonic_ns() if counter is None else time.clock_gettime_ns(counter)
    said = is_synchronised() if ask_system else None
    return Reading(time.time_ns() // 1_000_000, elapsed_ns // 1_000_000, said)


class _Timex(ctypes.Structure):
    """The head of Linux's `struct timex`, and room for the rest (adjtimex(2))."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("rest", ctypes.c_byte * 256),
    )  # fmt: skip


_STA_UNSYNC = 0x40


def is_synchronised() -> bool | None:
    """What Linux says of its clock: every time daemon tells the kernel. None elsewhere, or where asking is refused."""
    if sys.platform != "linux":
        return None
    answer = _Timex()  # no modes: nothing is set, and anybody may ask
    try:
        if ctypes.CDLL(None).adjtimex(ctypes.byref(answer)) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return not answer.status & _STA_UNSYNC


class VirtualClock:
    """Stands still until `advance` moves it; sleepers wake in order of their instants."""

    def __init__(self, start: Ms) -> None:
        self._now = start
        self._sleepers: list[tuple[Ms, int, asyncio.Future[None]]] = []
        self._serial = 0

    def now(self) -> Ms:
        """The instant to which the clock was last moved."""
        return self._now

    async def sleep_until(self, at: Ms) -> None:
        """Wait until the clock has been moved to `at` or beyond."""
        if at <= self._now:
            return
        self._serial += 1
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (at, self._serial, waiting))
        await waiting

    def advance(self, to: Ms) -> None:
        """Move the clock forward to `to` and wake who slept until then; ValueError if that is back in time."""
        if to < self._now:
            raise ValueError(f"a clock does not go back: {to} < {self._now}")
        self._now = to
        while self._sleepers and self._sleepers[0][0] <= to:
            _, _, waiting = heapq.heappop(self._sleepers)
            if not waiting.done():
                waiting.set_result(None)
