"""A unit and the service over a wire in memory: told, obeyed, echoed, counted; and never flooded."""

import asyncio
import json
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emcheck.clock import VirtualClock
from emcheck.domain.engine import Engine
from emcheck.domain.ids import UnitId
from emcheck.domain.instants import DAY, HOUR, MINUTE, SECOND, format_ms
from emcheck.domain.policies import Policies
from emcheck.domain.register import Register
from emcheck.domain.roster import Roster
from emcheck.service.acknowledging import Acknowledger, Seal
from emcheck.service.configuring import Configuring
from emcheck.service.history import Recent
from emcheck.service.intake import take
from emcheck.store.memory import MemoryStore
from emcheck.wire.signing import public_text, seal
from emcheck.wire.topics import up
from firmware_sim.base_unit import BaseUnit, Flash
from firmware_sim.unit_config import UnitConfig
from tests.air import Air
from tests.firmware_sim.bench_unit import START, TAG, Bench
from tests.support import UnitStory, england, nightly, order, register

UNIT = UnitId("BU-0001")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


class Desk:
    """The service's side: intake, acknowledging and configuring over a store in memory."""

    def __init__(
        self, known: Register | None = None, store: MemoryStore | None = None, seal: Seal | None = None
    ) -> None:
        store = store or MemoryStore()
        self.air = Air()
        self.clock = VirtualClock(START)
        self.memory = Recent()
        policies = Policies(england())
        self.engine = Engine(known or register(), policies, memory=self.memory, decided=lambda *decision: None)
        self.roster = self.engine.roster
        self.acknowledger = Acknowledger(store, self.air, every_s=0.0, seal=seal)
        self.configuring = Configuring(
            store,
            self.acknowledger,
            self.clock,
            roster=lambda: self.roster,
            turn=asyncio.Lock(),
        )

    async def hears(self, payload: bytes, now: int) -> list[bytes]:
        """Take a message; the downlinks that follow."""
        taken = take(self.engine, up(UNIT), payload, now, retained=False, remember=self.memory.remember)
        assert taken.receipt is not None
        self.acknowledger.owe(UNIT, taken.receipt.boot, self.engine.acknowledged(UNIT, taken.receipt.boot), [])
        await self.acknowledger.send(now)
        self.configuring.taken(taken)
        await self.configuring.refresh(now)
        await self.configuring.send(await self.configuring.wanted(now), now)
        said, self.air.sent = [downlink.payload for downlink in self.air.sent], []
        return said

    @property
    def waiting(self) -> float:
        return self.configuring.readings()["configurations_unacknowledged"][1]


async def lives(bench: Bench, desk: Desk, seconds: int, *, lose: bool = False) -> list[dict[str, Any]]:
    """Time passes for a unit and its service; what the service told it."""
    said: list[dict[str, Any]] = []
    for _ in range(seconds // 10):
        bench.waits(10)
        payloads = [json.dumps(envelope).encode() for envelope in bench.envelopes]
        bench.envelopes = []
        while payloads:
            for downlink in await desk.hears(payloads.pop(0), bench.now):
                told = json.loads(downlink)
                if "config" in told:
                    said.append(told)
                if not (lose and "config" in told):
                    bench.unit.downlink(downlink, bench.now)
                    bench.says()
                    payloads += [json.dumps(envelope).encode() for envelope in bench.envelopes]
                    bench.envelopes = []
    return said


@pytest.fixture
def bench() -> Bench:
    made = Bench(heartbeat_s=60, report_s=30)
    made.connects()
    return made


async def test_it_is_told_once_obeys_and_says_so(bench: Bench) -> None:
    desk = Desk()
    said = await lives(bench, desk, 3600)
    assert len(said) == 1
    config = said[0]["config"]
    assert said[0].keys() == {"v", "store", "n", "config"}
    assert bench.flash.config.rev == config["rev"]
    assert (bench.flash.config.report_s, bench.flash.config.tags) == (60, ("T-1",))
    assert bench.told("unit_status")[-1]["schedule_sha256"] == config["schedule_sha256"]
    assert desk.waiting == 0
    assert desk.configuring.readings()["configurations_sent_total"][1] == 1


async def test_a_lost_one_is_said_again(bench: Bench) -> None:
    desk = Desk()
    assert len(await lives(bench, desk, 250, lose=True)) == 3, "at once, after one and after two more minutes"
    assert desk.waiting == 1
    assert len(await lives(bench, desk, 600)) == 1
    assert desk.waiting == 0


async def test_a_change_of_curfew_is_told_with_a_higher_number(bench: Bench) -> None:
    desk = Desk()
    [first] = await lives(bench, desk, 120)
    desk.roster = Roster(register(order(curfew=nightly("21:00"))), Policies(england()))
    desk.configuring.amended(desk.engine.units)
    await desk.configuring.refresh(bench.now)
    assert desk.waiting == 1, "it shows before the unit has said anything"
    assert desk.configuring.unacknowledged() == [UNIT]
    [second] = await lives(bench, desk, 120)
    assert second["config"]["rev"] > first["config"]["rev"]
    assert second["n"] > first["n"]
    assert bench.flash.config.schedule[0]["from"][11:16] == "21:00"
    assert desk.waiting == 0


async def test_a_restart_tells_nothing_to_who_holds_it(bench: Bench) -> None:
    store = MemoryStore()
    await lives(bench, Desk(store=store), 120)
    desk = Desk(store=store)
    bench.unit.power(bench.now, mains=False)  # a status, told at once
    bench.says()
    assert await lives(bench, desk, 3600) == []
    assert desk.waiting == 0


async def test_a_reboot_to_the_factory_s_settings_is_noticed(bench: Bench) -> None:
    desk = Desk()
    await lives(bench, desk, 120)
    bench.flash = Flash(config=UnitConfig(tags=(TAG,)))
    bench.unit = BaseUnit(unit=UNIT, flash=bench.flash, rng=Random("blank"), now_ms=bench.now)
    bench.connects()
    said = await lives(bench, desk, 300)
    assert len(said) == 1
    assert bench.flash.config.rev == said[0]["config"]["rev"]
    assert desk.waiting == 0


async def test_old_firmware_that_names_none_is_not_flooded() -> None:
    desk = Desk()
    story = UnitStory().boots(START).beats(START + MINUTE, START + DAY - 7 * HOUR)  # the next week begins at noon
    said: list[int] = []
    for received, envelope in story.messages:
        told = await desk.hears(json.dumps(envelope).encode(), received)
        said += [received for downlink in told if b'"config"' in downlink]
    gaps = [later - earlier for earlier, later in zip(said, said[1:], strict=False)]
    assert min(gaps) >= MINUTE
    assert len(said) <= 7 + 17
    assert min(gaps[7:]) >= HOUR
    assert desk.configuring.readings()["configurations_unanswered"][1] == 1


async def test_a_signed_one_is_obeyed_and_names_its_unit(bench: Bench) -> None:
    bench.flash.service_key = public_text(KEY)
    desk = Desk(seal=lambda payload: seal(payload, KEY))
    [said] = await lives(bench, desk, 120)
    assert (said["unit"], bench.flash.config.rev) == (UNIT, said["config"]["rev"])


async def test_a_restored_database_tells_nothing(bench: Bench) -> None:
    desk = Desk()
    desk.acknowledger.silent = True
    for _ in range(10):
        for envelope in bench.waits(60):
            assert await desk.hears(json.dumps(envelope).encode(), bench.now) == []
    assert desk.waiting == 1


async def test_a_unit_that_is_not_heard_is_not_told(bench: Bench) -> None:
    desk = Desk()
    for minute in range(10):
        await desk.configuring.refresh(START + minute * MINUTE)
        await desk.configuring.send(await desk.configuring.wanted(START + minute * MINUTE), START + minute * MINUTE)
    assert desk.air.sent == []


async def test_a_spoilt_schedule_is_not_obeyed(bench: Bench) -> None:
    desk = Desk()
    [_, downlink] = await desk.hears(json.dumps(bench.envelopes[0]).encode(), START + SECOND)
    message = json.loads(downlink)
    message["config"]["schedule"][0]["until"] = format_ms(START)
    bench.unit.downlink(json.dumps(message).encode(), START + SECOND)
    assert bench.flash.config.rev == 0


async def test_it_runs_as_a_task_of_the_service(bench: Bench) -> None:
    desk = Desk()
    task = asyncio.create_task(desk.configuring.run())
    await asyncio.sleep(0)
    payload = json.dumps(bench.envelopes[0]).encode()
    taken = take(desk.engine, up(UNIT), payload, START, retained=False, remember=desk.memory.remember)
    desk.configuring.taken(taken)
    async with asyncio.timeout(10):
        while not desk.air.sent:
            await asyncio.sleep(0.01)
    task.cancel()
    assert b'"config":{' in desk.air.sent[0].payload
