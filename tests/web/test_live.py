"""The live line: what changed comes once to all, goes on where a browser left off, and ends when it should."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from emcheck.desk import Count, Told
from emcheck.domain.alerts import AlertState
from emcheck.ports import StoreError
from emcheck.web.alerts.live import Live
from tests.support import at
from tests.web.centre import Centre, urgent

PATIENCE_S = 30.0


async def always() -> bool:
    return True


@asynccontextmanager
async def watching(it: Centre) -> AsyncIterator[Live]:
    """The line runs for the length of a block."""
    running = asyncio.create_task(it.parts.live.run())
    try:
        yield it.parts.live
    finally:
        it.parts.live.close()
        running.cancel()
        await asyncio.wait({running})


async def heard(
    live: Live, after: int | None, until: Callable[[str, dict[str, Any]], bool],
    *, still: Callable[[], Awaitable[bool]] = always,
) -> list[tuple[str, str, dict[str, Any]]]:  # fmt: skip
    """Events as (kind, number, content) up to the one that is waited for."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(live.stream(after, still)) as stream:
        async for told in stream:
            for said in told.decode().split("\n\n"):  # what is told at one look may come at once
                fields = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
                if "event" in fields:
                    content = json.loads(fields["data"])
                    found.append((fields["event"], fields.get("id", ""), content))
                    if until(fields["event"], content):
                        return found
    return found


def names(events: list[tuple[str, str, dict[str, Any]]]) -> list[str]:
    """The alerts that changes were about."""
    return [alert["id"] for kind, _, said in events if kind == "changes" for alert in said["alerts"]]


def about(name: str) -> Callable[[str, dict[str, Any]], bool]:
    return lambda kind, said: kind == "changes" and any(alert["id"] == name for alert in said["alerts"])


async def test_what_is_committed_comes_with_its_row(it: Centre) -> None:
    async with watching(it) as live:
        hearing = asyncio.create_task(heard(live, 0, about("AL-AAA")))
        await asyncio.sleep(0)
        await it.raises(urgent(text="<i>out</i>"))
        events = await hearing
    [told] = [alert for kind, _, said in events if kind == "changes" for alert in said["alerts"]]
    assert (told["priority"], told["waits"], told["action"], told["revision"]) == ("P1", True, "raised", 1)
    assert 'id="row-AL-AAA"' in told["html"]
    assert "&lt;i&gt;out&lt;/i&gt;" in told["html"]


async def test_who_comes_back_is_told_what_was_missed_and_nothing_twice(it: Centre) -> None:
    await it.raises(urgent("AL-1"))
    seen = await it.store.last_told()
    await it.raises(urgent("AL-2"), urgent("AL-3"))
    await it.raises(urgent("AL-2", revision=2, state=AlertState.ACKNOWLEDGED), action="acknowledged")
    async with watching(it) as live:
        events = await heard(live, seen, about("AL-3"))
        assert names(events) == ["AL-2", "AL-3"]
        [told] = [a for kind, _, said in events if kind == "changes" for a in said["alerts"] if a["id"] == "AL-2"]
        assert (told["action"], told["came"]) == ("acknowledged", True)
        again = int(next(number for kind, number, _ in events if kind == "changes"))
        assert again == await it.store.last_told()
        assert names(await heard(live, again, lambda kind, said: kind == "beat")) == []


async def test_what_came_and_was_passed_on_meanwhile_has_come_all_the_same(it: Centre) -> None:
    """An alert that nobody attended to while a console was away is news to it, and no change of what it knows."""
    seen = await it.store.last_told()
    await it.raises(urgent("AL-1"))
    known = await it.store.last_told()
    await it.raises(urgent("AL-1", revision=2), action="escalated")
    async with watching(it) as live:
        for after, came in ((seen, True), (known, False)):
            events = await heard(live, after, about("AL-1"))
            [told] = [alert for kind, _, said in events if kind == "changes" for alert in said["alerts"]]
            assert (told["action"], told["came"]) == ("escalated", came)


async def test_who_missed_too_much_or_comes_from_another_database_loads_anew(it: Centre) -> None:
    await it.raises(*[urgent(f"AL-{n:03}") for n in range(500)])
    async with watching(it) as live:
        for after in (0, 10_000):
            kinds = [kind for kind, _, _ in await heard(live, after, lambda kind, said: kind == "beat")]
            assert kinds[0] == "anew", after


async def test_a_beat_tells_the_time_the_counts_and_what_is_wrong(it: Centre) -> None:
    await it.raises(urgent())
    it.troubles.append("the broker: gone")
    async with watching(it) as live:
        [(_, _, beat), *_] = await heard(live, None, lambda kind, said: kind == "beat")
    assert beat["now"] == it.clock.now()
    assert beat["troubles"] == ["the broker: gone"]
    assert beat["counts"] == [
        {"priority": "P1", "open": 1, "waiting": 1, "first_raised_at": urgent().raised_at}
    ]  # fmt: skip


async def test_many_at_once_come_without_rows(it: Centre) -> None:
    async with watching(it) as live:
        hearing = asyncio.create_task(heard(live, 0, about("AL-199")))
        await asyncio.sleep(0)
        await it.raises(*[urgent(f"AL-{n:03}") for n in range(200)])
        events = await hearing
    rows = [alert["html"] for kind, _, said in events if kind == "changes" for alert in said["alerts"]]
    assert len(rows) >= 200
    assert rows[-1] is None


async def test_who_may_not_watch_any_more_is_told_and_let_go(it: Centre) -> None:
    live = it.parts.live

    async def no_more() -> bool:
        return False

    live.still_every_s = 0.0
    async with watching(it):
        events = await heard(live, None, lambda kind, said: False, still=no_more)
    assert events[-1][0] == "over"
    assert live.watchers == 0


async def test_many_who_begin_at_once_are_counted_for_once(it: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    await it.raises(urgent())
    counted, count = [0], it.store.queue_counts

    async def counting() -> list[Count]:
        counted[0] += 1
        return await count()

    monkeypatch.setattr(it.store, "queue_counts", counting)

    def is_beat(kind: str, said: dict[str, Any]) -> bool:
        return kind == "beat"

    found = await asyncio.gather(*(heard(it.parts.live, None, is_beat) for _ in range(40)))
    assert {json.dumps(events[-1][2]["counts"]) for events in found} == {
        json.dumps([Count("P1", 1, 1, at("18:49"))._asdict()])
    }
    assert counted[0] < 40


async def test_one_who_does_not_read_holds_nobody_up(it: Centre) -> None:
    live = it.parts.live
    async with watching(it), aclosing(live.stream(None, always)) as sleeper:
        await anext(sleeper)
        for number in range(100):
            await live.tell(b"event: x\ndata: %d\n\n" % number)
        await it.raises(urgent())
        assert names(await heard(live, 0, about("AL-AAA"))) == ["AL-AAA"]
        rest = [await anext(sleeper) for _ in range(5)]
    assert any(said.startswith(b"event: anew") for said in rest)


async def test_a_store_that_fails_is_said_and_tried_again(it: Centre) -> None:
    asked, failing = it.store.told_after, [StoreError("locked", remedy="wait", transient=True)]

    async def told_after(number: int, *, limit: int) -> list[Told]:
        if failing:
            raise failing.pop()
        return await asked(number, limit=limit)

    it.store.told_after = told_after  # type: ignore[method-assign] # a database that fails once
    async with watching(it) as live:
        events = await heard(live, None, lambda kind, said: "the database: locked" in said.get("troubles", ()))
        assert events
        it.clock.advance(it.clock.now() + 1)
        await heard(live, None, lambda kind, said: kind == "beat" and said["now"] == it.clock.now())


async def test_what_comes_while_somebody_begins_to_watch_is_not_missed(it: Centre) -> None:
    """Each at another instant of its beginning: what is not read as missed comes as news."""
    async with watching(it) as live:
        for number in range(12):
            seen = await it.store.last_told()
            hearing = asyncio.create_task(heard(live, seen, about(f"AL-{number:02}")))
            for _ in range(number):
                await asyncio.sleep(0)
            await it.raises(urgent(f"AL-{number:02}"))
            assert f"AL-{number:02}" in names(await hearing)
            async with asyncio.timeout(PATIENCE_S):
                while live.is_watching:
                    await asyncio.sleep(0.02)
