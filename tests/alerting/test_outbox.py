"""The outbox: at least once, in order per subject, one that is down delays nobody else."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emcheck.alerting.outbox import OutboxRunner
from emcheck.alerting.route import REFUSALS_MAX, Backoff
from emcheck.ports import OutboxItem
from tests.alerting.fakes import FailingStore, Receiver, raise_alerts, running, settled, until


@pytest.fixture
async def store() -> AsyncIterator[FailingStore]:
    opened = FailingStore()
    await opened.open()
    yield opened
    await opened.close()


async def test_everything_is_delivered_to_everyone_once_where_nothing_fails(store: FailingStore) -> None:
    await raise_alerts(store, "W-1", "W-2", "W-1")
    centre, log = Receiver("centre"), Receiver("log")
    async with running(store, [centre, log]) as outbox:
        await settled(store, "centre")
        await settled(store, "log")
        assert outbox.delivered_total == 6
    assert sorted(centre.events) == sorted(log.events) == ["AL-W-1.1", "AL-W-1.3", "AL-W-2.2"]


async def test_what_is_committed_later_is_delivered_at_the_word(store: FailingStore) -> None:
    centre = Receiver()
    async with running(store, [centre]) as outbox:
        for revision in range(1, 4):
            await raise_alerts(store, "W-1", revision=revision)
            outbox.notify()
            await settled(store, "centre")
    assert centre.events == ["AL-W-1.1", "AL-W-1.2", "AL-W-1.3"]


async def test_more_than_a_batch_goes_out_in_order_of_each_subject(store: FailingStore) -> None:
    await raise_alerts(store, *(f"W-{number % 30}" for number in range(450)))
    centre = Receiver()
    async with running(store, [centre]):
        await settled(store, "centre")
    assert len(centre.events) == len(set(centre.events)) == 450
    for subject in {item.subject for item in centre.took}:
        ids = [item.item_id for item in centre.took if item.subject == subject]
        assert ids == sorted(ids)


async def test_several_subjects_are_delivered_at_once_and_one_never_overtakes_itself(store: FailingStore) -> None:
    await raise_alerts(store, "W-1", "W-1", *(f"W-{number}" for number in range(2, 30)))
    centre = Receiver()
    centre.holds["AL-W-1.1"] = asyncio.Event()
    async with running(store, [centre]):
        await until(lambda: len(centre.took) == 28)
        assert "AL-W-1.2" not in centre.tried
        centre.holds["AL-W-1.1"].set()
        await settled(store, "centre")
    assert centre.events[-2:] == ["AL-W-1.1", "AL-W-1.2"]
    assert 1 < centre.at_once_most <= 8


async def test_a_publisher_that_is_down_delays_nobody_else_and_catches_up(store: FailingStore) -> None:
    await raise_alerts(store, "W-1", "W-2", "W-1")
    centre, log = Receiver("centre"), Receiver("log")
    centre.down = True
    async with running(store, [centre, log]) as outbox:
        await settled(store, "log")
        await until(lambda: len(centre.tried) > 5)
        assert centre.took == []
        assert outbox.routes["centre"].last_error == "nobody answers"
        centre.down = False
        await settled(store, "centre")
        assert outbox.routes["centre"].last_error is None
        assert outbox.given_up_total == 0
    assert centre.events.index("AL-W-1.1") < centre.events.index("AL-W-1.3")


async def test_a_publisher_that_is_down_is_left_alone_in_the_pause_whatever_the_news(store: FailingStore) -> None:
    await raise_alerts(store, *(f"W-{number}" for number in range(30)))
    centre, log = Receiver("centre"), Receiver("log")
    centre.down = True
    async with running(store, [centre, log], retry_first_s=3_600) as outbox:
        await settled(store, "log")
        await until(lambda: outbox.routes["centre"].failed_total > 0 and not centre.at_once)
        tried = list(centre.tried)
        assert len(tried) <= 8, "after the first failure nothing new is begun"
        await raise_alerts(store, "W-99")
        outbox.notify()
        await settled(store, "log")
        assert centre.tried == tried


async def test_an_item_refused_for_good_holds_up_its_subject_only_and_is_given_up(store: FailingStore) -> None:
    await raise_alerts(store, "W-1", "W-2", "W-1", "W-2")
    centre = Receiver()
    centre.refuses = {"AL-W-1.1"}
    async with running(store, [centre]) as outbox:
        await settled(store, "centre")
        assert outbox.given_up_total == 1
    assert centre.tried.count("AL-W-1.1") == REFUSALS_MAX
    assert centre.events == ["AL-W-2.2", "AL-W-2.4", "AL-W-1.3"]


async def test_while_a_refused_subject_waits_others_go_on_and_the_cursor_stands(store: FailingStore) -> None:
    await raise_alerts(store, "W-1", *(f"W-{number}" for number in range(2, 302)))
    centre = Receiver()
    centre.refuses = {"AL-W-1.1"}
    async with running(store, [centre], retry_first_s=3_600) as outbox:
        await until(lambda: len(centre.took) == 300)
        await raise_alerts(store, "W-2", revision=9)
        outbox.notify()
        await until(lambda: centre.events[-1] == "AL-W-2.9")
    assert [item.event_id for item in await store.outbox_after("centre", limit=1)] == ["AL-W-1.1"]
    assert centre.tried.count("AL-W-1.1") == 1


async def test_a_refusal_that_passes_is_none(store: FailingStore) -> None:
    await raise_alerts(store, "W-1")
    centre = Receiver()
    centre.refuses = {"AL-W-1.1"}
    async with running(store, [centre]) as outbox:
        await until(lambda: len(centre.tried) >= 2)
        centre.refuses.clear()
        await settled(store, "centre")
        assert outbox.delivered_total + outbox.given_up_total == 1


async def test_after_a_crash_what_the_cursor_had_not_passed_comes_again_in_the_same_bytes(store: FailingStore) -> None:
    await raise_alerts(store, "W-1", "W-2")
    centre = Receiver()
    store.failing["outbox_delivered"] = 1_000_000
    async with running(store, [centre]):
        await until(lambda: len(centre.took) == 2)
    store.failing.clear()
    async with running(store, [centre]):
        await settled(store, "centre")
    assert sorted(centre.took[:2]) == sorted(centre.took[2:])


async def test_an_orderly_stop_moves_the_cursor_past_what_was_delivered(store: FailingStore) -> None:
    await raise_alerts(store, "W-1", "W-1")
    centre = Receiver()
    centre.holds["AL-W-1.2"] = asyncio.Event()
    async with running(store, [centre]):
        await until(lambda: "AL-W-1.2" in centre.tried)
    assert [item.event_id for item in await store.outbox_after("centre", limit=9)] == ["AL-W-1.2"]


@pytest.mark.parametrize("call", ["outbox_after", "outbox_delivered"])
async def test_a_store_that_fails_for_a_while_costs_no_delivery_and_repeats_none(
    store: FailingStore, call: str
) -> None:
    await raise_alerts(store, "W-1", "W-2")
    store.failing[call] = 3
    centre = Receiver()
    async with running(store, [centre]):
        await settled(store, "centre")
    assert store.failing[call] == 0
    assert sorted(centre.events) == ["AL-W-1.1", "AL-W-2.2"]


def test_the_pause_doubles_up_to_its_most_and_jitter_halves_it_at_most() -> None:
    backoff = Backoff(1.0, 60.0)
    assert [backoff.pause_s(tries, jitter=0) for tries in (1, 2, 3, 6, 7, 8, 10_000)] == [1, 2, 4, 32, 60, 60, 60]
    assert backoff.pause_s(3, jitter=1) == 2
    assert backoff.pause_s(3, jitter=0.5) == 3


async def test_two_publishers_of_one_name_would_share_a_cursor(store: FailingStore) -> None:
    with pytest.raises(ValueError, match="one name"):
        OutboxRunner(store, [Receiver("centre"), Receiver("centre")])


class Moody(Receiver):
    """Fails and refuses as chance has it."""

    def __init__(self, rng: Random) -> None:
        super().__init__()
        self.rng = rng

    async def publish(self, item: OutboxItem) -> None:
        self.down = self.rng.random() < 0.2
        self.refuses = {item.event_id} if self.rng.random() < 0.2 else set()
        await super().publish(item)


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["W-1", "W-2", "W-3", "BU-0001"]), min_size=1, max_size=30), st.integers(0, 999))
def test_whatever_fails_each_subject_has_all_its_items_in_order(subjects: list[str], seed: int) -> None:
    """But for what was given up; and first deliveries never go back."""

    async def play() -> None:
        store = FailingStore()
        await store.open()
        await raise_alerts(store, *subjects)
        store.failing.update({"outbox_after": seed % 3, "outbox_delivered": seed % 4})
        centre = Moody(Random(seed))
        async with running(store, [centre]) as outbox:
            await settled(store, "centre")
            assert len(centre.took) + outbox.given_up_total == len(subjects)
        for subject in set(subjects):
            ids = [item.item_id for item in centre.took if item.subject == subject]
            assert ids == sorted(set(ids))
        await store.close()

    asyncio.run(play())
