"""What stays is kept out of the garbage collector's way, and everything is as it was once the service has ended."""

import asyncio
import contextlib
import gc
import weakref

from emcheck.service import housekeeping


class _Knot:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.self = self


def test_what_outlived_a_full_collection_is_not_looked_at_again_until_the_service_ends() -> None:
    usual = gc.get_threshold()
    with housekeeping.undisturbed():
        kept = [_Knot() for _ in range(1000)]
        gc.collect()
        assert gc.get_freeze_count() >= 1000
        fate = weakref.ref(kept[0])
        kept.clear()
        gc.collect()
        assert fate() is not None
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == usual
    gc.collect()
    assert fate() is None


async def test_an_hour_in_which_a_session_ended_is_followed_by_a_look_at_everything() -> None:
    sessions = 1
    with housekeeping.undisturbed():
        knots = [_Knot()]
        housekeeping.settle()
        fate = weakref.ref(knots[0])
        knots.clear()
        tidying = asyncio.create_task(housekeeping.tidy(lambda: sessions, every_s=0.01))
        await asyncio.sleep(0.05)
        assert fate() is not None
        sessions = 2
        async with asyncio.timeout(10):
            while fate() is not None:
                await asyncio.sleep(0.01)
        tidying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await tidying
