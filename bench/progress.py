"""What is going on, on standard error: nobody should wonder whether a benchmark hangs."""

import sys
import time
from collections.abc import Callable

Say = Callable[[str], None]


def teller() -> Say:
    """A function that says what is being done, with the time since the start."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {text}", file=sys.stderr, flush=True)

    return say
