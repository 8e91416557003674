"""The service's own figures: how old the feed is, who is silent, outages, and how late its loop runs."""

import asyncio
import contextlib
import time

from emcheck.service.replay import replay
from emcheck.service.vitals import Vitals
from tests.support import UnitStory, at, england, lines, register


def test_the_feed_and_the_silent_are_told_of_what_was_received() -> None:
    unit = UnitStory().boots(at("18:30")).hears(at("18:30")).beats(at("18:31"), at("19:00"))
    engine = replay(lines(unit), register(units=("BU-0001", "BU-0002")), england(), until=at("19:30")).engine
    told = {name: value for name, (_, value) in Vitals(lambda: engine).readings(at("19:30")).items()}
    assert told["feed_age_seconds"] == 30 * 60 - 2
    assert (told["units"], told["units_silent"]) == (2, 2)
    assert (told["outages"], told["outage_seconds"]) == (0, 0)
    engine.service("started", at("19:31"))
    engine.service("stopped", at("19:40"))
    engine.service("started", at("20:40"))
    told = {name: value for name, (_, value) in Vitals(lambda: engine).readings(at("20:41")).items()}
    assert (told["outages"], told["outage_seconds"]) == (2, 1_858 + 3_600)


def test_while_the_service_reads_itself_back_only_its_loop_is_told() -> None:
    assert set(Vitals(lambda: None).readings(at("19:30"))) == {"event_loop_late_seconds"}


async def test_a_stall_of_the_loop_is_remembered() -> None:
    vitals = Vitals(lambda: None)
    task = asyncio.create_task(vitals.run())
    await asyncio.sleep(0.01)
    time.sleep(0.9)  # noqa: ASYNC251 - the stall that is looked for
    await asyncio.sleep(0.1)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    _, late = vitals.readings(at("19:30"))["event_loop_late_seconds"]
    assert isinstance(late, float)
    assert late > 0.1
