"""Notifications to a contact, sent by Apprise to a real HTTP receiver on this machine."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from emcheck.alerting.apprising import AddressError, Channel
from emcheck.alerting.notifying import Contact
from emcheck.alerting.outbox import OutboxRunner
from emcheck.clock import VirtualClock
from emcheck.domain.alerts import Alert, AlertState
from emcheck.domain.instants import MINUTE
from emcheck.ports import Commit, Delivery
from tests.alerting.fakes import FailingStore, until
from tests.alerting.receiving import Centre, centre
from tests.store.samples import T0, alert, change


class Room:
    """A store, a clock that stands until it is moved, and a supervisor with a pager and a mailbox."""

    def __init__(self, pager: Centre, mail: Centre) -> None:
        self.store = FailingStore()
        self.clock = VirtualClock(T0)
        self.pager, self.mail = pager, mail
        addresses = {"page": pager.url, "mail": mail.url}
        ways = {by: Channel(url.replace("http://", "json://")) for by, url in addresses.items()}
        self.contact = Contact("supervisor", ways)

    async def passed_on(self, *alerts: Alert, by: str = "page", action: str = "escalated") -> None:
        to = f"supervisor {by}"
        await self.store.commit(Commit(alerts=[change(one, action)._replace(to=to) for one in alerts]))

    async def changed(self, *alerts: Alert) -> None:
        await self.store.commit(Commit(alerts=[change(one, "changed", published=None) for one in alerts]))

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[OutboxRunner]:
        runner = OutboxRunner(
            self.store, [], [self.contact], clock=self.clock, every_ms=MINUTE, retry_first_s=0.001, retry_most_s=0.002
        )
        task = asyncio.create_task(runner.run())
        try:
            yield runner
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def told(self, count: int = 1) -> list[dict[str, Any]]:
        """What the pager was told, once it was told so often."""
        await until(lambda: len(self.pager.came) >= count)
        return [json.loads(posted.body) for posted in self.pager.came]

    async def owed(self) -> int:
        return len(
            await self.store.owed_to("notify supervisor", ["supervisor page", "supervisor mail"], after=0, limit=99)
        )

    async def all_done(self) -> None:
        while await self.owed():
            await asyncio.sleep(0.001)


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    with centre() as pager, centre() as mail:
        made = Room(pager, mail)
        await made.store.open()
        yield made
        await made.store.close()


async def test_a_contact_is_told_by_the_channel_of_the_step_and_what_it_took_is_kept(room: Room) -> None:
    await room.passed_on(alert(revision=3))
    async with room.at_work() as runner:
        [sent] = await room.told()
        await room.all_done()
        assert (runner.delivered_total, runner.routes["notify supervisor"].last_error) == (1, None)
    assert sent["title"] == "emcheck: P1 alert waits"
    assert sent["message"] == "P1 absence in a curfew, W-1, alert AL-1:\nnot heard at home"
    assert room.mail.came == []
    assert await room.store.deliveries(["AL-1"]) == [Delivery("AL-1", 3, "supervisor page", T0)]


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"state": AlertState.ACKNOWLEDGED},
        {"state": AlertState.SHELVED},
        {"state": AlertState.SUPPRESSED},
        {"state": AlertState.CLOSED},
        {"withdrawn": True},
    ],
)
async def test_what_somebody_attends_to_meanwhile_is_not_told(room: Room, meanwhile: dict[str, Any]) -> None:
    await room.passed_on(alert(revision=2))
    await room.changed(alert(revision=3, **meanwhile))
    async with room.at_work() as runner:
        await room.all_done()
        await room.passed_on(alert("AL-2"))
        runner.notify()
        [sent] = await room.told()
    assert "AL-2" in sent["message"]
    assert "AL-1" not in sent["message"]
    assert await room.store.deliveries(["AL-1"]) == []


async def test_ten_thousand_alerts_are_one_message_and_one_a_minute(room: Room) -> None:
    flood = [alert(f"AL-{n}", subject=f"W-{n}", priority="P2", raised_at=T0 + n) for n in range(9_999)]
    await room.passed_on(*flood, alert("AL-W", raised_at=T0 + 99_999))
    async with room.at_work() as runner:
        [sent] = await room.told()
        assert sent["title"] == "emcheck: 10,000 alerts wait"
        assert sent["message"].startswith("P1 absence in a curfew, W-1, alert AL-W:")
        assert sent["message"].endswith("This is the worst of 10,000: 1 P1, 9,999 P2.")
        await room.all_done()
        await room.passed_on(alert("AL-X"), alert("AL-Y"))
        runner.notify()
        room.clock.advance(T0 + MINUTE - 1)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(room.pager.came) == 1
        room.clock.advance(T0 + MINUTE)
        [_, later] = await room.told(2)
    assert later["title"] == "emcheck: 2 alerts wait"


async def test_two_channels_are_told_in_one_message_and_only_what_failed_is_tried_again(room: Room) -> None:
    room.mail.answers = 503
    await room.passed_on(alert("AL-1"), alert("AL-2", subject="W-2"))
    await room.passed_on(alert("AL-3", subject="W-3"), by="mail")
    async with room.at_work() as runner:
        await until(lambda: len(room.mail.came) >= 1 and runner.delivered_total == 2)
        room.clock.advance(T0 + MINUTE)
        await until(lambda: len(room.mail.came) >= 3)
        assert runner.routes["notify supervisor"].last_error == "mail: not every address took it"
        room.mail.answers = 204
        await room.all_done()
        assert runner.delivered_total == 3
    assert len(room.pager.came) == 1
    told = [json.loads(posted.body)["title"] for posted in room.mail.came]
    assert (told[0], told[-1]) == ("emcheck: 3 alerts wait", "emcheck: P1 alert waits")
    assert [one.consumer for one in await room.store.deliveries(["AL-1", "AL-2", "AL-3"])] == [
        "supervisor page", "supervisor page", "supervisor mail",
    ]  # fmt: skip


async def test_killed_before_it_is_noted_it_is_told_again(room: Room) -> None:
    await room.passed_on(alert())
    room.store.failing["outbox_delivered"] = 10**6
    async with room.at_work():
        await room.told()
    room.store.failing.clear()
    async with room.at_work():
        await room.told(2)
        await room.all_done()
    assert len(await room.store.deliveries(["AL-1"])) == 1


async def test_a_store_that_fails_for_a_while_loses_no_word_and_repeats_none(room: Room) -> None:
    await room.passed_on(alert())
    room.store.failing["note_deliveries"] = 3
    async with room.at_work():
        await room.told()
        while not await room.store.deliveries(["AL-1"]):
            await asyncio.sleep(0.001)
        room.clock.advance(T0 + MINUTE)
        await room.all_done()
    assert len(room.pager.came) == 1
    assert len(await room.store.deliveries(["AL-1"])) == 1


async def test_two_steps_to_one_contact_are_one_alert(room: Room) -> None:
    await room.passed_on(alert(revision=2))
    await room.passed_on(replace(alert(revision=3), text="still not heard at home"))
    async with room.at_work():
        [sent] = await room.told()
        await room.all_done()
    assert sent["title"] == "emcheck: P1 alert waits"
    assert "still not heard" in sent["message"]
    assert len(await room.store.deliveries(["AL-1"])) == 2


@pytest.mark.parametrize(
    ("addresses", "problem"),
    [
        ("", "no address; write one as in mailto://"),
        (" ", "no address"),
        ("nonsense", "Apprise cannot use address 1"),
        ("json://127.0.0.1:1 pager://secret", "Apprise cannot use address 2"),
        ("json://", "Apprise cannot use address 1"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_without_what_is_secret_in_it(addresses: str, problem: str) -> None:
    with pytest.raises(AddressError, match=problem) as caught:
        Channel(addresses)
    assert "secret" not in str(caught.value)


async def test_all_addresses_of_a_channel_must_take_it() -> None:
    with centre() as first, centre() as second:
        way = Channel(f"{first.url} {second.url}".replace("http://", "json://"))
        await way.send("a", "b")
        assert (len(first.came), len(second.came)) == (1, 1)
        second.answers = 500
        with pytest.raises(ConnectionError):
            await way.send("a", "b")
