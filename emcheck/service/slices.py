"""Long walks over everybody in slices, so that nothing else waits: the decision loop has its turn after each."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TypeVar

_T = TypeVar("_T")
SLICE_S = 0.004
"""How long a slice lasts; below the 14 ms that the decision loop allows itself."""
_LOOK_EVERY = 16
_RUN = 512


async def in_slices(items: Iterable[_T]) -> AsyncIterator[_T]:
    """The items one by one; whoever else has work has it done between slices."""
    time = asyncio.get_running_loop().time
    over = time() + SLICE_S
    for number, item in enumerate(items):
        yield item
        if number % _LOOK_EVERY == 0 and time() >= over:
            await asyncio.sleep(0)
            over = time() + SLICE_S


async def in_runs(items: Sequence[_T]) -> AsyncIterator[Sequence[_T]]:
    """The same in runs of a few hundred, for walks that cost a microsecond an item."""
    time = asyncio.get_running_loop().time
    over = time() + SLICE_S
    for first in range(0, len(items), _RUN):
        yield items[first : first + _RUN]
        if time() >= over:
            await asyncio.sleep(0)
            over = time() + SLICE_S
