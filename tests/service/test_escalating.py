"""Alerts that nobody attends to: steps at their instants, over restarts and kills; contacts called, and once."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emcheck.alerting.apprising import Channel
from emcheck.alerting.notifying import Contact
from emcheck.alerting.outbox import OutboxRunner
from emcheck.clock import VirtualClock
from emcheck.domain.alerts import Act, acted
from emcheck.domain.ids import AlertId
from emcheck.domain.instants import HOUR, SECOND, format_ms
from emcheck.domain.policy import Policy, parse_policy
from emcheck.ports import AlertChange, Commit, Delivery
from tests.alerting.receiving import Centre, centre
from tests.service.test_attending import Desk
from tests.support import at, calling, england

PAGING = """
[[escalation.P1]]
after_s = 60
who = "duty_operator"
by = "queue"
reason = "Nobody has seen it."
source = "the test"

[[escalation.P1]]
after_s = 300
who = "supervisor"
by = "page"
reason = "Nobody is there."
source = "the test"
"""


def paging() -> Policy:
    """The shipped policy, but its P1 pages the supervisor after five minutes; no receipts are asked for."""
    body = calling(PAGING).body
    receipt = re.compile(r"(?<=^\[alert\.receipt\.P1_s\]\nvalue = )\d+", re.MULTILINE)
    assert receipt.search(body)
    return parse_policy(receipt.sub("0", body))


async def told(desk: Desk, alert: AlertId) -> list[tuple[str, str, str]]:
    """When, what, and of a step what made it due."""
    history = await desk.store.alert_history(alert)
    return [(format_ms(c.at)[11:19], c.action, c.note.partition(";")[0]) for c in history]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    opened = await Desk(tmp_path / "em.db", england()).open(at("18:20"))
    yield opened
    await opened.close()


async def seen(desk: Desk, alert: AlertId, revision: int, when: int, consumer: str = "centre") -> None:
    await desk.store.note_deliveries([Delivery(alert, revision, consumer, when)])


async def test_steps_are_made_at_their_instants_however_late_the_loop_is(desk: Desk) -> None:
    strap = await desk.strap()
    await seen(desk, strap, 1, at("18:40:03"))
    assert desk.loop.wake_at() <= at("18:41:02")
    await desk.loop.tick(at("18:42"))
    await seen(desk, strap, 2, at("18:42"))
    await desk.loop.tick(at("20:00"))
    assert await told(desk, strap) == [
        ("18:40:02", "raised", ""),
        ("18:41:02", "escalated", "nobody attended to it for 1 min"),
        ("18:45:02", "escalated", "nobody attended to it for 5 min"),
        ("18:46:02", "escalated", "no receipt within 1 min"),
    ]
    [stands] = await desk.store.alerts_named([strap])
    assert (stands.course.steps, stands.revision, str(stands.state)) == (3, 4, "unacknowledged")


async def test_a_step_is_on_the_queue_as_an_event_of_the_alert(desk: Desk) -> None:
    strap = await desk.strap()
    await desk.loop.tick(at("18:41:02"))
    items = [item for item in await desk.store.outbox_after("mqtt", limit=99) if item.alert_id == strap]
    assert [json.loads(item.body)[:2] for item in items] == [["raised", 1], ["escalated", 2]]
    assert items[-1].event_id == f"{strap}.2"


async def test_an_acknowledgement_stops_it_while_its_lease_holds(desk: Desk) -> None:
    strap = await desk.strap()
    await desk.does(at("18:40:32"), alert_id=strap, act="acknowledge")
    await seen(desk, strap, 9, at("18:40:40"))
    await desk.loop.tick(at("19:10:32") - 1)
    assert [action for _, action, _ in await told(desk, strap)] == ["raised", "acknowledged"]
    await desk.loop.tick(at("19:20"))
    assert (await told(desk, strap))[2:] == [
        ("19:10:32", "returned", "acknowledged, and nothing followed"),
        ("19:11:02", "escalated", "nobody attended to it for 1 min"),  # it had waited for half a minute before
        ("19:15:02", "escalated", "nobody attended to it for 5 min"),
    ]


@pytest.mark.parametrize(
    "act",
    [
        {"act": "close", "disposition": "test_or_visit"},
        {"act": "shelve", "until": "2026-03-25T06:00:00Z"},
    ],
)
async def test_what_is_closed_or_shelved_is_passed_on_to_nobody(desk: Desk, act: dict[str, Any]) -> None:
    strap = await desk.strap()
    assert await desk.does(at("18:40:30"), alert_id=strap, **act) == "done"
    await desk.loop.tick(at("23:00"))
    assert len(await told(desk, strap)) == 2


async def test_what_an_incident_suppresses_is_passed_on_to_nobody_until_it_is_released(desk: Desk) -> None:
    strap = await desk.strap()
    [alert] = await desk.store.alerts_named([strap])
    suppressed = acted(alert, Act.SUPPRESS, at=at("18:40:32"), lease_ms=0)
    await commit(desk, suppressed, "suppressed", at("18:40:32"))
    await desk.loop.tick(at("20:00"))
    assert [action for _, action, _ in await told(desk, strap)] == ["raised", "suppressed"]
    await commit(desk, acted(suppressed, Act.RELEASE, at=at("20:00"), lease_ms=0), "released", at("20:00"))
    await desk.loop.tick(at("20:00:30"))
    assert (await told(desk, strap))[-1] == ("20:00:30", "escalated", "nobody attended to it for 1 min")


async def commit(desk: Desk, alert: Any, action: str, when: int) -> None:
    """A change that somebody else in the decision loop makes."""
    desk.loop._note_act(AlertChange(alert, action, when, "emcheck", "", b""))
    await desk.loop._write([])


async def test_an_act_comes_after_what_was_due_before_it(desk: Desk) -> None:
    strap = await desk.strap()
    await seen(desk, strap, 9, at("18:41"))
    await desk.does(at("18:44"), alert_id=strap, act="acknowledge")
    assert [(when, action) for when, action, _ in await told(desk, strap)] == [
        ("18:40:02", "raised"), ("18:41:02", "escalated"), ("18:44:00", "acknowledged"),
    ]  # fmt: skip


async def test_deadlines_are_rows_and_none_is_left_behind(desk: Desk) -> None:
    strap = await desk.strap()
    due = {row.subject: row.due for row in await desk.store.deadlines_due(at("23:59"))}
    assert due[f"alert {strap}"] == at("18:41:02")
    await desk.loop.tick(at("18:50"))
    assert f"alert {strap}" not in {row.subject for row in await desk.store.deadlines_due(at("23:59"))}
    await desk.does(at("18:50"), alert_id=strap, act="acknowledge")
    due = {row.subject: row.due for row in await desk.store.deadlines_due(at("23:59"))}
    assert due[f"alert {strap}"] == at("19:20")


async def test_what_fell_due_in_an_outage_is_made_up_for_at_its_own_instants(desk: Desk) -> None:
    strap = await desk.strap()
    await seen(desk, strap, 9, at("18:40:30"))
    await desk.close()
    again = await Desk(desk.database, england()).open(at("19:30"))
    await again.loop.tick(at("19:30"))
    assert [(when, action) for when, action, _ in await told(again, strap)] == [
        ("18:40:02", "raised"), ("18:41:02", "escalated"), ("18:45:02", "escalated"), ("19:10:02", "escalated"),
    ]  # fmt: skip
    await again.close()
    await desk.open(at("19:31"))


async def test_no_receipt_is_missed_while_the_service_was_down(desk: Desk) -> None:
    strap = await desk.strap()
    await desk.close()
    again = await Desk(desk.database, england()).open(at("18:42"))
    await again.loop.tick(at("18:43") - 1)
    assert [when for when, _, _ in await told(again, strap)] == ["18:40:02", "18:41:02"]
    await again.loop.tick(at("18:43"))
    assert (await told(again, strap))[-1] == ("18:43:00", "escalated", "no receipt within 1 min")
    await again.close()
    await desk.open(at("18:44"))


@pytest.mark.parametrize("killed_at", ["18:40:30", "18:41:02", "18:43", "18:45:02", "19:00", "19:10:02"])
async def test_a_service_that_is_killed_makes_the_same_steps(tmp_path: Path, killed_at: str) -> None:
    histories = []
    for name in ("calm", killed_at.replace(":", "")):
        desk = await Desk(tmp_path / f"{name}.db", england()).open(at("18:20"))
        strap = await desk.strap()
        await seen(desk, strap, 99, at("18:40:10"))
        for now in range(at("18:40:30"), at("19:15"), 4 * SECOND):
            if name != "calm" and now - 4 * SECOND < at(killed_at) <= now:
                await desk.close()
                await desk.open(now)
            await desk.loop.tick(now)
        histories.append(await told(desk, strap))
        await desk.close()
    assert histories[0] == histories[1]
    assert len(histories[0]) == 4


class Called:
    """A desk whose policy pages the supervisor, and the supervisor's pager."""

    def __init__(self, desk: Desk, pager: Centre) -> None:
        self.desk, self.pager = desk, pager
        self.clock = VirtualClock(at("18:20"))
        self.contact = Contact("supervisor", {"page": Channel(pager.url.replace("http://", "json://"))})

    async def delivers(self, messages: int = 0) -> None:
        """The outbox works until nothing is owed to the supervisor and so many messages came in all."""
        runner = OutboxRunner(self.desk.store, [], [self.contact], clock=self.clock, retry_first_s=0.01)
        task = asyncio.create_task(runner.run())
        try:
            while await self.owed() or len(self.pager.came) < messages:
                await asyncio.sleep(0.005)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def owed(self) -> int:
        return len(await self.desk.store.owed_to("notify supervisor", ["supervisor page"], after=0, limit=9))


@pytest.fixture
async def called(tmp_path: Path) -> AsyncIterator[Called]:
    with centre() as pager:
        desk = await Desk(tmp_path / "em.db", paging()).open(at("18:20"))
        yield Called(desk, pager)
        await desk.close()


async def test_a_contact_is_called_and_what_the_pager_took_counts_as_delivered(called: Called) -> None:
    strap = await called.desk.strap()
    await called.desk.loop.tick(at("18:45:02"))
    await called.delivers(messages=1)
    [posted] = called.pager.came
    sent = json.loads(posted.body)
    assert sent["title"] == "emcheck: P1 alert waits"
    assert "The strap of tag T-1 was reported cut" in sent["message"]
    assert await called.desk.store.deliveries([strap]) == [Delivery(strap, 3, "supervisor page", at("18:20"))]


async def test_who_acknowledges_between_step_and_call_is_not_disturbed(called: Called) -> None:
    strap = await called.desk.strap()
    await called.desk.loop.tick(at("18:45:02"))
    await called.desk.does(at("18:45:03"), alert_id=strap, act="acknowledge")
    await called.delivers()
    assert called.pager.came == []


async def test_killed_between_the_step_and_the_call_the_call_is_made_after_the_start(called: Called) -> None:
    strap = await called.desk.strap()
    await called.desk.loop.tick(at("18:45:02"))
    await called.desk.close()
    await called.desk.open(at("18:50"))
    await called.delivers(messages=1)
    await called.desk.loop.tick(at("19:50"))
    assert len(called.pager.came) == 1
    assert [action for _, action, _ in await told(called.desk, strap)] == ["raised", "escalated", "escalated"]


async def test_a_pager_that_is_down_is_called_once_it_is_back(called: Called) -> None:
    await called.desk.strap()
    called.pager.answers = 503
    await called.desk.loop.tick(at("18:45:02"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await called.delivers()
    assert await called.owed() == 1
    called.pager.answers = 204
    await called.delivers()
    assert await called.owed() == 0


async def test_thousands_of_alerts_climb_in_chunks_and_are_few_messages(called: Called) -> None:
    desk = called.desk
    strap = await desk.strap()
    [one] = await desk.store.alerts_named([strap])
    flood = [replace(one, alert_id=AlertId(f"AL-{number}"), subject=f"W-{number}") for number in range(2_000)]
    raised = [AlertChange(alert, "raised", alert.raised_at, "emcheck", "", b"{}") for alert in flood]
    await desk.store.commit(Commit(alerts=raised))
    await desk.loop.recover(at("18:40:03"))
    commits = 0
    whole = desk.store.commit

    async def counted(commit: Commit) -> None:
        nonlocal commits
        commits += 1
        assert len(commit.alerts) <= 200
        await whole(commit)

    desk.store.commit = counted  # type: ignore[method-assign]  # to see how much is written at once
    while desk.loop.wake_at() <= at("18:45:02"):
        await desk.loop.tick(at("18:45:02"))
    assert commits >= 40
    cut = [alert for alert in await desk.store.alerts(open_only=True) if alert.rule == "tag.strap"]
    assert {alert.course.steps for alert in cut} == {2}
    await called.delivers(messages=1)
    assert len(called.pager.came) == 1
    assert json.loads(called.pager.came[0].body)["title"] == "emcheck: 2,001 alerts wait"


async def test_an_alert_at_rest_costs_nothing(called: Called) -> None:
    await called.desk.strap()
    await called.desk.loop.tick(at("18:50"))
    asked: list[str] = []
    whole = called.desk.store._rows

    async def counted(statement: Any, **values: Any) -> Any:
        asked.append(str(statement))
        return await whole(statement, **values)

    called.desk.store._rows = counted  # type: ignore[method-assign]  # to see what is asked
    assert called.desk.loop._attending.next() > at("18:50") + 24 * HOUR
    await called.desk.loop.tick(at("18:51"))
    assert [statement for statement in asked if "alert" in statement] == []
