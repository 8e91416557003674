"""Memory of a service that runs for months: what stays is kept out of the garbage collector's way.

Cases, units and the register are hundreds of thousands of objects that never die, and looking through them stopped
all else for seconds. What outlived one full collection is therefore not looked at again (`gc.freeze`), save after
the broker was lost: an MQTT session leaves cycles behind, and after such an outage nobody misses a second.
"""

import asyncio
import contextlib
import ctypes
import gc
import sys
from collections.abc import Callable, Iterator

_TIDY_EVERY_S = 3_600.0
_THRESHOLDS = (700, 10, 5)
"""Full collections come twice as often as by default and are half as long: some 20 ms each."""


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """While this holds, a full collection looks at what is new since the last one only."""
    usual = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    gc.callbacks.append(_freeze)
    try:
        yield
    finally:
        gc.callbacks.remove(_freeze)
        gc.set_threshold(*usual)
        gc.unfreeze()


def _freeze(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()


def settle() -> None:
    """A start is over: what it read stays, and what it used meanwhile is handed back.

    glibc would keep it, half of all memory (malloc_trim(3)).
    """
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


async def tidy(sessions: Callable[[], int], *, every_s: float = _TIDY_EVERY_S) -> None:
    """Look through everything after an hour in which a session ended, for ever."""
    seen = sessions()
    while True:
        await asyncio.sleep(every_s)
        if sessions() != seen:
            seen = sessions()
            gc.unfreeze()
            gc.collect()
