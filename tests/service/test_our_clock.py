"""service.clock: what looks at our own clock find, what is made of it, and that a replay finds the same."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from emcheck.clock import Reading, VirtualClock, is_synchronised, look
from emcheck.domain.findings import Finding
from emcheck.domain.instants import DAY, MINUTE
from emcheck.ports import Message
from emcheck.present.words import explain
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.clockwatch import ClockWatch
from emcheck.service.enrolment import load_register
from emcheck.service.mailing import stream_of
from emcheck.service.pipeline import Pipeline
from emcheck.service.replay import replay
from emcheck.service.stream import Line, StreamError, parse_lines
from emcheck.store.memory import MemoryStore
from emcheck.store.sql import SqlStore
from tests.air import Air
from tests.service.brokers import opened
from tests.service.living import living
from tests.support import UnitStory, at, england, judge, lines, register, version

# --- looking ----------------------------------------------------------------------------------------------


POLICY = version("1", "2026-01-01T00:00:00Z", service__clock__step_max_s=1, service__clock__unsynchronised_after_s=900)


def told_by(watch: ClockWatch, *readings: tuple[int, int, bool | None]) -> list[dict[str, Any]]:
    return [
        word
        for wall, elapsed, synchronised in readings
        for word in watch.news(Reading(wall, elapsed, synchronised), POLICY)
    ]


def watch(*, told: bool | None = None) -> ClockWatch:
    return ClockWatch(told=told)


@pytest.mark.parametrize(
    ("wall", "told"),
    [
        (105_000, []),
        (106_000, []),
        (106_001, [{"stepped_ms": 1001}]),
        (104_000, []),
        (103_999, [{"stepped_ms": -1001}]),
        (3_705_000, [{"stepped_ms": 3_600_000}]),
    ],
)
def test_a_step_is_a_wall_clock_that_came_apart_from_one_that_nobody_sets(
    wall: int, told: list[dict[str, Any]]
) -> None:
    assert told_by(watch(), (100_000, 7_000, None), (wall, 12_000, None)) == told


def test_a_policy_that_is_published_meanwhile_is_looked_by() -> None:
    wider = version("2", "2026-02-01T00:00:00Z", service__clock__step_max_s=60)
    looking = watch()
    assert looking.news(Reading(0, 0, None), POLICY) == []
    assert looking.news(Reading(7_000, 5_000, None), wider) == []
    assert looking.news(Reading(12_000, 10_000, None), POLICY) == [{"stepped_ms": 2_000}]


def test_a_step_is_told_once_and_small_ones_add_up() -> None:
    small = [(100_000 + n * 5_600, n * 5_000, None) for n in range(4)]
    assert told_by(watch(), *small) == [{"stepped_ms": 1200}]
    assert told_by(watch(), (0, 0, None), (9_000, 0, None), (14_000, 5_000, None)) == [{"stepped_ms": 9_000}]


def test_a_clock_counts_as_unsynchronised_after_its_span_until_the_system_says_otherwise() -> None:
    said = [(at_ms, at_ms, at_ms < 5_000 or at_ms > 1_800_000) for at_ms in range(0, 2_000_000, 5_000)]
    told = []
    looking = watch()
    for reading in said:
        told += [(reading[1], word) for word in looking.news(Reading(*reading), POLICY)]
    assert told == [(905_000, {"synchronised": False}), (1_805_000, {"synchronised": True})]


def test_what_the_record_says_already_is_not_told_again() -> None:
    assert told_by(watch(told=False), (0, 0, False), (900_000, 900_000, False)) == []
    assert told_by(watch(told=False), (0, 0, True)) == [{"synchronised": True}]


def test_a_system_that_does_not_say_is_not_accused() -> None:
    assert told_by(watch(), (0, 0, None), (DAY, DAY, None)) == []


def test_the_machine_s_clocks_are_read() -> None:
    first, second = look(), look(ask_system=False)
    assert second.elapsed_ms >= first.elapsed_ms
    assert second.synchronised is None
    assert first.synchronised == is_synchronised()


# --- judging ----------------------------------------------------------------------------------------------


def clock(when: int, **said: Any) -> Line:
    return Line(0, when, "clock", "", said)


def out_at_ten() -> UnitStory:
    story = UnitStory().boots(at("18:30")).hears(at("18:30")).beats(at("18:31"), at("21:59"))
    story.loses(at("22:00"), last_heard=at("21:59")).beats(at("22:01"), at("22:39")).hears(at("22:40"))
    return story.beats(at("22:41"), at("23:30"))


def found(*words: Line, rule: str = "service.clock") -> list[Finding]:
    stream = sorted([*lines(out_at_ten()), *words], key=lambda line: line.received_at)
    return [finding for finding in judge(stream, until=at("23:30")) if finding.rule == rule]


def test_a_step_covers_what_was_skipped_or_came_twice() -> None:
    forward, back = found(clock(at("22:15"), stepped_ms=600_000), clock(at("23:00"), stepped_ms=-90_000))
    assert (forward.class_, forward.start, forward.end, forward.raised_at) == (
        "stepped", at("22:05"), at("22:15"), at("22:15")
    )  # fmt: skip
    assert (forward.priority, forward.subject, forward.unit, forward.wearer_id) == ("P1", "service", None, None)
    assert (back.start, back.end) == (at("22:58:30"), at("23:00"))
    assert "was set 10 min forward: the time from Tue 24 Mar 22:05:00 to Tue 24 Mar 22:15:00 (UTC) was skip" in explain(
        forward
    )
    assert "was set 1 min 30 s back" in explain(back)
    assert "came twice" in explain(back)


def test_it_is_unsynchronised_from_one_word_to_the_other() -> None:
    words = [clock(at("22:15"), synchronised=False), clock(at("23:00"), synchronised=True)]
    [still] = found(words[0])
    [over] = found(*words)
    assert (still.class_, still.start, still.end) == ("unsynchronised", at("22:15"), None)
    assert (over.start, over.end, over.raised_at) == (at("22:15"), at("23:00"), at("22:15"))
    assert "and it is still not" in explain(still)


@pytest.mark.parametrize(
    ("words", "doubts"),
    [
        ([], ()),
        ([clock(at("22:15"), stepped_ms=600_000)], ("our_clock",)),
        ([clock(at("22:50"), stepped_ms=600_000)], ()),
        ([clock(at("22:50"), stepped_ms=660_001)], ("our_clock",)),
        ([clock(at("21:00"), stepped_ms=5_000)], ()),
        ([clock(at("20:00"), synchronised=False)], ("our_clock",)),
        ([clock(at("20:00"), synchronised=False), clock(at("21:00"), synchronised=True)], ()),
    ],
)
def test_an_absence_in_such_time_is_in_doubt(words: list[Line], doubts: tuple[str, ...]) -> None:
    [absence] = found(*words, rule="curfew.absence")
    assert absence.doubts == doubts
    assert ("the monitoring service's own clock was set" in explain(absence)) is bool(doubts)


@pytest.mark.parametrize(
    "said", ['"stepped_ms":"5"', '"stepped_ms":true', '"synchronised":1', "", '"stepped_ms":5,"synchronised":true']
)
def test_a_line_that_is_no_word_about_the_clock_is_refused(said: str) -> None:
    line = f'{{"received_at":"2026-03-24T20:00:00Z","service":"clock"{"," if said else ""}{said}}}'
    with pytest.raises(StreamError, match=r"line 1: service: a word about the clock has stepped_ms"):
        list(parse_lines([line.encode()], "night.jsonl"))


# --- the record -------------------------------------------------------------------------------------------


async def test_a_replay_of_the_record_finds_what_the_service_found_over_restarts() -> None:
    store = MemoryStore()
    await store.open()
    await load_register(store, register(), at("18:00"))
    words = {at("22:15"): {"stepped_ms": 600_000}, at("22:20"): {"synchronised": False}}
    steps: list[tuple[int, Any]] = sorted(
        [(line.received_at, line) for line in lines(out_at_ten())] + list(words.items()), key=lambda s: s[0]
    )
    for number, (when, step) in enumerate(steps):
        if number in (0, 100, 240):
            loop = Pipeline(
                store, england(), Acknowledger(store, Air()), published=lambda alert, action, note: b"{}",
                on_alerts=lambda: None, checkpoint_every_ms=10 * MINUTE,
            )  # fmt: skip
            await loop.recover(max(when - 1, at("18:00")))
        await loop.tick(when - 1)
        if isinstance(step, dict):
            await loop.tell_clock(step, when)
        else:
            await loop.receive([Message(step.topic, step.payload, False, when)])
    live = await loop.judge_all(at("23:30"))
    assert loop.engine.receiving.synchronised is False
    recorded = [line async for line in stream_of(store)]
    again = replay(parse_lines(recorded, "inbox"), register(), england(), until=at("23:30")).findings
    assert sorted(map(repr, live)) == sorted(map(repr, again))
    assert [f.class_ for f in again if f.rule == "service.clock"] == ["stepped", "unsynchronised"]
    assert [f.doubts for f in again if f.rule == "curfew.absence"] == [("our_clock",)]
    await store.close()


async def test_a_running_service_looks_at_its_clock(tmp_path: Path) -> None:
    readings = iter([Reading(0, 0, None)])
    watched = VirtualClock(at("18:00"))

    def stepping() -> Reading:
        return next(readings, Reading(3_600_000, 5, None))

    database = tmp_path / "em.db"
    async with (
        opened("embedded", tmp_path) as broker,
        living(broker, database, watched, look=stepping, look_every_s=0.01, publishers=lambda transport: []) as service,
        asyncio.timeout(60),
    ):
        while not (words := service.pipeline.engine.receiving.clock):
            await asyncio.sleep(0.02)
        assert [word.stepped_ms for word in words] == [3_599_995]
    store = SqlStore(f"sqlite:///{database}", read_only=True)
    await store.open()
    recorded = [json.loads(line) async for line in stream_of(store)]
    await store.close()
    assert [line["stepped_ms"] for line in recorded if line.get("service") == "clock"] == [3_599_995]


async def test_a_start_on_a_clock_that_was_set_back_comes_after_what_was_received() -> None:
    store = MemoryStore()
    await store.open()
    await load_register(store, register(), at("18:00"))
    for started, heard in ((at("18:00"), at("18:10")), (at("17:00"), at("18:20"))):
        loop = Pipeline(
            store, england(), Acknowledger(store, Air()), published=lambda alert, action, note: b"{}",
            on_alerts=lambda: None, checkpoint_every_ms=DAY,
        )  # fmt: skip
        await loop.recover(started)
        told = UnitStory(boot=f"01JD0000000000000000000{heard % 1000:03}").boots(heard)
        await loop.receive([Message(line.topic, line.payload, False, line.received_at) for line in lines(told)])
    instants = [row.received_at async for row in store.inbox_after(0)]
    assert instants == sorted(instants)
    await store.close()
