"""How a demo is stopped: by Ctrl-C or SIGTERM, at any instant, in order and without a word."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_to_end() -> Iterator[None]:
    """While modules are read, Ctrl-C ends the process at once: nothing is open yet.

    Raised inside an extension that builds something, KeyboardInterrupt may be lost, and the demo would go on.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def term_is_ctrl_c() -> Iterator[None]:
    """SIGTERM does what Ctrl-C does, where that is heeded: in the background of a script it is not."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
