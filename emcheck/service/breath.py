"""Long work in the event loop takes a breath now and then, so that the network is looked at and others go on."""

import asyncio

_TURNS = 3
"""Of the loop, in one breath: it looks at the network and the clock, tells whoever waited for that, and they go on."""


class Breath:
    """Knows for how long work holds the loop; `most_ms` at a stretch is wanted."""

    def __init__(self, most_ms: float) -> None:
        self._most_s = most_ms / 1000
        self._until_s = 0.0

    def begin(self) -> None:
        """The loop goes on just now: a stretch begins."""
        self._until_s = asyncio.get_running_loop().time() + self._most_s

    def due(self) -> bool:
        """Whether the stretch is long enough."""
        return asyncio.get_running_loop().time() >= self._until_s

    async def pause(self) -> None:
        """Let all others go on, if that is due."""
        if self.due():
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            self.begin()
