"""A task ends though what it waits by swallows a cancellation, as the MQTT client does before Python 3.12."""

import asyncio

from emcheck.ending import end


async def test_a_task_that_hears_only_the_third_cancellation_ends() -> None:
    heard = 0

    async def hard_of_hearing() -> None:
        nonlocal heard
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                heard += 1
                if heard == 3:
                    raise

    task = asyncio.create_task(hard_of_hearing())
    await asyncio.sleep(0)
    assert await end([task]) == set()
    assert (heard, task.cancelled()) == (3, True)


async def test_who_does_not_end_in_time_is_named() -> None:
    async def deaf() -> None:
        while not over:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    over = False
    task, other = asyncio.create_task(deaf()), asyncio.create_task(asyncio.sleep(3600))
    await asyncio.sleep(0)
    assert await end([task, other], within_s=0.3) == {task}
    over = True
    assert await end([task]) == set()


async def test_a_failure_is_left_to_who_asks_for_it() -> None:
    async def failing() -> None:
        raise RuntimeError("a fault")

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)
    assert await end([task]) == set()
    assert str(task.exception()) == "a fault"
