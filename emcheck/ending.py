"""Ending tasks. A cancellation is said again until it is heard.

Before Python 3.12 `asyncio.wait_for` swallows a cancellation that comes in the instant in which what it waits for is
done (https://github.com/python/cpython/issues/86296), and the MQTT client waits by it.
"""

import asyncio
import math
from collections.abc import Iterable
from typing import Any

_AGAIN_S = 0.1


async def end(tasks: Iterable[asyncio.Task[Any]], *, within_s: float = math.inf) -> set[asyncio.Task[Any]]:
    """Cancel tasks until each is done; those that are not within `within_s`. What they raised is theirs to tell."""
    loop = asyncio.get_running_loop()
    late, until = set(tasks), loop.time() + within_s
    while late and (left_s := until - loop.time()) > 0:
        for task in late:
            task.cancel()
        _, late = await asyncio.wait(late, timeout=min(left_s, _AGAIN_S))
    return late
