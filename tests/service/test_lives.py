"""Whole lives of alerts, at random: the schedule and the auditor, which share nothing, agree on every step."""

import json
import random
from typing import Any

import pytest

from emcheck.domain.auditing import Told, missed
from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY, MINUTE, SECOND, format_ms
from emcheck.domain.policies import Line
from emcheck.ports import Delivery, Message
from emcheck.service.auditing import audit
from emcheck.service.enrolment import load_register
from emcheck.store.memory import MemoryStore
from tests.service.test_recovery import pipeline
from tests.support import UnitStory, at, england, lines, register

GRACE = 60_000
SEEDS = range(8)


class Life:
    """An evening with a cut strap and comings and goings; receipts, operators and restarts as chance wants."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = at("18:30")
        self.up_since = [at("18:20")]

    async def begin(self) -> None:
        self.store = MemoryStore()
        await self.store.open()
        await load_register(self.store, register(), at("18:20"))
        await self.start(at("18:20"))
        told = UnitStory().boots(at("18:30")).hears(at("18:30"))
        told.tell(at("18:40"), "tag_tamper", tag="T-1", kind="strap_cut")
        for number in range(self.chance.randrange(6)):
            when = at("18:41") + number * MINUTE * self.chance.randrange(1, 20)
            told = told.loses(when, last_heard=when - SECOND) if self.chance.random() < 0.5 else told.hears(when)
        self.queue = lines(told)

    async def start(self, now: Ms) -> None:
        self.loop = pipeline(self.store, DAY)
        await self.loop.recover(now)
        self.up_since.append(now)

    async def goes_on(self) -> None:
        """Some time passes, then somebody does something, or the service is killed and starts again."""
        self.now += self.chance.choice([SECOND, 10 * SECOND, MINUTE, 5 * MINUTE, 20 * MINUTE]) * self.chance.choice(
            [1, 2]
        )
        while self.queue and self.queue[0].received_at <= self.now:
            line = self.queue.pop(0)
            await self.decided(line.received_at - 1)
            await self.loop.receive([Message(line.topic, line.payload, False, line.received_at)])
        await self.decided(self.now)
        alerts = await self.store.alerts(open_only=True)
        what = self.chance.random()
        if what < 0.05:
            self.now += self.chance.choice([SECOND, 5 * MINUTE])
            await self.start(self.now)
        elif alerts and what < 0.4:
            alert = self.chance.choice(alerts)
            revision = self.chance.randint(1, alert.revision)
            await self.store.note_deliveries([Delivery(alert.alert_id, revision, "centre", self.now)])
        elif alerts and what < 0.75:
            await self.acts(self.chance.choice(alerts).alert_id)
        await self.decided(self.now)

    async def decided(self, until: Ms) -> None:
        while self.loop.wake_at() <= until:
            await self.loop.tick(until)

    async def acts(self, alert: str) -> None:
        until = format_ms(self.now + self.chance.randrange(1, 60) * MINUTE)
        acts: list[dict[str, Any]] = [
            {"act": "confirm"}, {"act": "shelve", "until": until}, {"act": "close", "disposition": "false"},
        ]  # fmt: skip
        act = self.chance.choice([{"act": "acknowledge"}] * 7 + acts)
        said = {"type": "alert", "by": "op-1", "alert_id": alert} | act
        await self.store.post(json.dumps(said).encode(), self.now)
        await self.loop.instruct(await self.store.letters(), self.now)

    async def forgotten(self) -> list[Any]:
        """What the auditor finds of steps."""
        found = await audit(
            self.store, Line(england()), now=self.now + GRACE, publishers=[], contacts={}, up_since=self.loop.up_since
        )  # fmt: skip
        return [one for one in found if one.kind == "step_overdue" and one.since <= self.now]

    async def too_early(self) -> tuple[int, list[Any]]:
        """How many steps were made, and those that the auditor would not have missed at that very instant."""
        made, early = 0, []
        for alert in await self.store.alerts(open_only=False):
            told = [Told(c.at, c.action, c.alert) for c in await self.store.alert_history(alert.alert_id)]
            arrived = await self.store.deliveries([alert.alert_id])
            for place, step in enumerate(told):
                if step.action != "escalated":
                    continue
                made += 1
                known = [one.revision for one in arrived if one.at <= step.at]
                wanted = [
                    missed(told[:place], known, england(), now=step.at + GRACE, up_since=up) for up in self.up_since
                ]
                if not any(one is not None and one.since == step.at for one in wanted):
                    early.append((alert.rule, step))
        return made, early


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_step_is_forgotten_and_none_is_made_before_its_time(seed: int) -> None:
    life = Life(seed)
    await life.begin()
    for _ in range(30):
        await life.goes_on()
        assert await life.forgotten() == []
    made, early = await life.too_early()
    assert early == []
    assert made > 0
    await life.store.close()
