"""Incidents in the queue: one alert for one cause, none lost under it, over restarts and in a replay."""

import json
import random
from typing import Self

import pytest

from emcheck.domain.alerts import Alert, AlertState
from emcheck.domain.instants import DAY, HOUR, MINUTE, SECOND
from emcheck.domain.queue import alert_id
from emcheck.domain.register import Register
from emcheck.ports import Message
from emcheck.service.enrolment import load_register
from emcheck.service.replay import replay
from emcheck.service.stream import Line
from emcheck.store.memory import MemoryStore
from tests.domain.test_incidents import GONE, HEARD, story, town
from tests.service.test_recovery import as_lines, live, pipeline, told
from tests.support import UnitStory, at, england, lines


class Queue:
    """A decision loop over stories, and what stands in its queue."""

    def __init__(self, known: Register) -> None:
        self.known, self.store = known, MemoryStore()
        self.service = pipeline(self.store, DAY)

    async def __aenter__(self) -> Self:
        await self.store.open()
        await load_register(self.store, self.known, at("17:59"))
        await self.service.recover(at("17:59"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.store.close()

    async def restarts(self, now: int) -> None:
        self.service = pipeline(self.store, DAY)
        await self.service.recover(now)

    async def tells(self, stream: list[Line], until: int) -> None:
        for line in (line for line in stream if line.received_at <= until):
            await self.service.tick(line.received_at - 1)
            await self.service.receive([Message(line.topic, line.payload, False, line.received_at)])
        await self.passes(until)

    async def passes(self, until: int) -> None:
        while self.service.wake_at() <= until:
            await self.service.tick(until)

    async def does(self, now: int, **act: str) -> str | None:
        number = await self.store.post(json.dumps({"type": "alert", "by": "op-1", **act}).encode(), now)
        await self.service.instruct(await self.store.letters(), now)
        return await self.store.outcome(number)

    async def of(self, rule: str) -> list[Alert]:
        return [alert for alert in await self.store.alerts(open_only=False) if alert.rule == rule]

    async def waiting(self) -> list[Alert]:
        """What an operator sees."""
        shown = (AlertState.UNACKNOWLEDGED, AlertState.RETURNED)
        return [a for a in await self.store.alerts(open_only=True) if a.state in shown and not a.withdrawn]


def outage(units: int, *, back: int | None = None) -> list[UnitStory]:
    """All units are silent from 19:00:12; all but the first come back."""
    return [story(n, HEARD, back=None if n == 1 else back, until=at("23:00")) for n in range(1, units + 1)]


async def test_one_incident_waits_and_its_alerts_lie_under_it() -> None:
    async with Queue(town(20)) as queue:
        spread = [story(n, HEARD + n * SECOND) for n in range(1, 21)]
        await queue.tells(lines(*spread), at("19:05"))
        assert [(a.rule, a.size, a.priority) for a in await queue.waiting()] == [("incident.silent", 20, "P1")]
        [incident] = await queue.of("incident.silent")
        under = await queue.store.alerts_under(incident.alert_id, open_only=True)
        assert {(a.rule, a.state) for a in under} == {("unit.silent", AlertState.SUPPRESSED)}
        assert len(under) == 20
        refused = await queue.does(at("19:05"), alert_id=under[0].alert_id, act="acknowledge")
        assert str(refused).endswith(f"; it is part of incident {incident.alert_id}: act on that one")
        steps = {a.unit: [c.action for c in await queue.store.alert_history(a.alert_id)] for a in under}
        assert sorted(map(tuple, steps.values())) == [("raised",)] * 11 + [("raised", "suppressed")] * 9


async def test_what_somebody_attends_to_stays_with_them() -> None:
    async with Queue(town(20)) as queue:
        first = [story(n, HEARD - (30 * SECOND if n == 1 else 0)) for n in range(1, 21)]
        stream = lines(*first)
        await queue.tells(stream, GONE - 1)
        [early] = await queue.of("unit.silent")
        assert await queue.does(GONE - 1, alert_id=early.alert_id, act="acknowledge") == "done"
        await queue.passes(at("19:05"))
        [attended] = [a for a in await queue.of("unit.silent") if a.alert_id == early.alert_id]
        assert attended.state is AlertState.ACKNOWLEDGED
        assert attended.incident is not None, "it is known to belong to it"


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_closed_incident_closes_what_is_under_it_and_releases_who_is_not_back(restarted: bool) -> None:
    async with Queue(town(220)) as queue:
        await queue.tells(lines(*outage(220, back=at("19:40"))), at("19:45:01"))
        [incident] = await queue.of("incident.silent")
        assert incident.ended_at == at("19:40")
        closing = {"alert_id": incident.alert_id, "act": "close", "disposition": "equipment_fault"}
        [alone] = [a for a in await queue.waiting() if a.rule == "unit.silent"]
        assert (alone.unit, alone.incident, alone.priority) == ("BU-0001", None, "P2")
        assert await queue.does(at("19:46"), **closing) == "done"
        if restarted:
            await queue.restarts(at("19:46:01"))
        assert queue.service.wake_at() == 0, "there is work at once"
        await queue.passes(at("19:46:01"))
        assert {(a.state, a.disposition) for a in await queue.of("unit.silent") if a.unit != "BU-0001"} == {
            (AlertState.CLOSED, "equipment_fault")
        }
        last = (await queue.store.alert_history(await _of(queue, "BU-0002")))[-1]
        assert (last.note, last.by) == (f"with its incident {incident.alert_id}", "op-1")
        assert [a.unit for a in await queue.waiting()] == ["BU-0001"]


async def _of(queue: Queue, unit: str) -> str:
    return next(a.alert_id for a in await queue.of("unit.silent") if a.unit == unit)


async def test_an_incident_that_goes_on_is_not_closed() -> None:
    async with Queue(town(20)) as queue:
        await queue.tells(lines(*outage(20)), at("19:05"))
        [incident] = await queue.of("incident.silent")
        refused = await queue.does(at("19:06"), alert_id=incident.alert_id, act="close", disposition="false")
        assert refused is not None
        assert "the incident goes on" in refused


async def test_ten_thousand_silences_within_a_minute_are_one_incident_within_a_minute() -> None:
    """Each unit spoke once, at another instant of one minute."""
    known = town(10_000, since="18:57", uplink=["vox", "nova"], postcode=[f"SE{n}" for n in range(700)])
    spoke = []
    for number in range(1, 10_001):
        when = HEARD + number * 6
        told = UnitStory(f"BU-{number:04}")
        told.tell(when, "boot", received=when, reason="power_on", firmware="1")
        spoke.append(told)
    async with Queue(known) as queue:
        messages = [Message(line.topic, line.payload, False, line.received_at) for line in lines(*spoke)]
        for start in range(0, len(messages), 500):
            await queue.service.receive(messages[start : start + 500])
        await queue.passes(GONE + 3 * MINUTE)
        [incident] = await queue.of("incident.silent")
        assert incident.raised_at - GONE <= MINUTE
        assert incident.size == 10_000
        silences = await queue.of("unit.silent")
        assert len({a.unit for a in silences}) == 10_000, "none is lost"
        assert {a.state for a in silences} == {AlertState.SUPPRESSED}
        assert [a.rule for a in await queue.waiting()] == ["incident.silent"]
        at_once = [a for a in silences if (await queue.store.alert_history(a.alert_id))[0].alert.state is not a.state]
        assert len(at_once) == 99, "so many were told one by one before"


@pytest.mark.parametrize("seed", range(12))
async def test_incidents_are_judged_alike_live_after_restarts_and_in_a_replay(seed: int) -> None:
    chance = random.Random(seed)
    known = town(24, uplink=["vox", "vox", "nova"], postcode=["SE15 4", "N1 9", None, None])
    stories = []
    for number in range(1, 25):
        last = HEARD + chance.randrange(0, 40) * SECOND + (DAY if chance.random() < 0.2 else 0)
        if last > at("23:00"):
            stories.append(story(number, at("22:00")))
            continue
        back = last + chance.randrange(3, 60) * MINUTE if chance.random() < 0.8 else None
        told_ = story(number, last, back=back, until=at("22:00"))
        if chance.random() < 0.4:
            for place, (when, envelope) in enumerate(told_.messages):
                if when > last:
                    envelope["events"][0] |= {"power": "battery", "battery_pct": 80}
                    told_.messages[place] = (when, envelope)
        stories.append(told_)
    stream, until = lines(*stories), at("22:30")
    restarts = {chance.randrange(1, len(stream)): chance.choice(["killed", "stopped"]) for _ in range(3)}
    store, _ = await live(stream, known, until, restarts=restarts, checkpoint_every_ms=HOUR)
    rows = [row async for row in store.inbox_after(0)]
    again = replay(as_lines(rows), known, england(), until=until)
    assert told(await store.findings()) == told(again.findings)
    alerts = {a.alert_id: a for a in await store.alerts(open_only=False)}
    raised = {alert_id(f): f for f in again.findings if f.raised_at is not None}
    assert {name for name, alert in alerts.items() if not alert.withdrawn} == raised.keys()
    await store.close()
    for name, finding in raised.items():
        assert (alerts[name].state is AlertState.SUPPRESSED) is (finding.incident is not None)
        assert alerts[name].incident == finding.incident
