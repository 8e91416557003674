"""The story of the prosthetic leg, through simulator, broker, service and terminal, in five variants.

A fitter closes the tag on a prosthetic leg: bare foam, over a sock, warmed by hand, with a heat pack; or on a real one.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from emcheck.clock import VirtualClock
from emcheck.domain.fitting.acts import AnswerStep, MarkFitting
from emcheck.domain.ids import TagId, UnitId
from emcheck.domain.instants import SECOND
from emcheck.evidence.fitting_record import record_pdf
from emcheck.ingest.embedded import EmbeddedBroker
from emcheck.service.app import Service
from emcheck.service.sessions import Looking, document
from firmware_sim.uplink import Outgoing
from firmware_sim.visit import SimulatedVisit
from tests.domain.visited import unfitted
from tests.service.hallway import SCRIPT, fit, lines
from tests.service.living import living
from tests.service.test_instructing import reading
from tests.support import at

BEGIN = at("10:00")
NOT_ON_A_LIMB = "not on a living limb, do not leave, choose the other leg"
SIMULATED: list[dict[str, Any]] = [item | ({"wait_s": 75} if item.get("wait_s") == 30 else {}) for item in SCRIPT]
"""A simulated tag sends every 8 to 12 s: a room takes longer."""
REFUSED = [*SIMULATED[: next(i for i, item in enumerate(SCRIPT) if item.get("until") == "body") + 1]]
"""Until the check has spoken; then the fitter says how the visit ends."""
VARIANTS = {
    "bare foam": "prosthesis-foam",
    "over a sock": "prosthesis-sock",
    "warmed by hand": "prosthesis-hand-warmed",
    "with a heat pack": "prosthesis-heat-pack",
    "a real leg": "skin",
}


class Flat:
    """The simulated visit on a broker: what the session says is done is done, second by second."""

    def __init__(self, service: Service, clock: VirtualClock, visit: SimulatedVisit, client: aiomqtt.Client) -> None:
        self._service, self._clock, self._visit, self._client = service, clock, visit, client
        self._done = 0

    async def listen(self) -> None:
        async for message in self._client.messages:
            self._visit.unit.downlink(bytes(message.payload), self._clock.now())

    async def run(self) -> None:
        self._visit.unit.connected(self._clock.now())
        while True:
            self._clock.advance(self._clock.now() + SECOND)
            self._follow()
            await self._publish(self._visit.step(self._clock.now()))
            await self._answered()
            await asyncio.sleep(0.002)

    async def _publish(self, messages: list[Outgoing]) -> None:
        for message in messages:
            await self._client.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)

    async def _answered(self) -> None:
        """Wait for the acknowledgement; one that is lost at QoS 0 is asked for again, though the clock stands still."""
        unit = self._visit.unit
        for turn in range(1, 20_000):
            if not unit.unacknowledged():
                return
            await asyncio.sleep(0.001)
            if turn % 1_000 == 0:
                unit.again_now(self._clock.now())
                await self._publish(unit.take_outgoing())
        raise AssertionError("the service answers no more")

    def _follow(self) -> None:
        """Do what was said since."""
        acts = [act for one in self._service.pipeline._visiting.open.values() for _, act in one.acts]
        now, rooms = self._clock.now(), 0
        for act in acts[self._done :]:
            if isinstance(act, AnswerStep) and act.step == "movement":
                self._visit.does("close", now)
            elif isinstance(act, MarkFitting) and act.what in ("lifted", "lowered"):
                self._visit.does("lift" if act.what == "lifted" else "lower", now)
            elif isinstance(act, MarkFitting) and act.what == "room":
                rooms += 1
                self._visit.does("room", now, room=rooms + 1)
        self._done = len(acts)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(store_dir=tmp_path / "broker") as running:
        yield running


async def played(broker: EmbeddedBroker, database: Path, place: str, script: list[dict[str, Any]]) -> dict[str, Any]:
    """A visit from its first question to its end; the record as a file."""
    clock = VirtualClock(BEGIN)
    visit = SimulatedVisit(
        unit=UnitId("BU-0001"), tag=TagId("T-1"), fitter_tag=TagId("F-1"), place=place, seed=f"story/{place}", now=BEGIN
    )
    async with (
        living(broker, database, clock, known=unfitted()) as service,
        aiomqtt.Client(broker.host, broker.port, identifier="BU-0001") as client,
    ):
        await client.subscribe("em/v1/BU-0001/down")
        flat = Flat(service, clock, visit, client)
        tasks = [asyncio.create_task(job) for job in (flat.listen(), flat.run(), fit(database, clock, script))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            done.pop().result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    async with reading(database) as store:
        return document(await (await Looking.at(store, "FS-1")).look(clock.now()))


@pytest.mark.timeout(175)
@pytest.mark.parametrize("variant", [name for name, place in VARIANTS.items() if place != "skin"])
async def test_on_a_prosthetic_leg_the_fitter_is_told_not_to_leave(
    variant: str, broker: EmbeddedBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ending = {"close": "cannot_validate", "note": "both legs looked at"}
    told = await played(broker, tmp_path / "em.db", VARIANTS[variant], [*REFUSED, ending])
    said = [line["words"] for line in lines(capsys.readouterr().out) if line.get("step") == "body"]
    assert said[-1].lower().endswith(f"{NOT_ON_A_LIMB}.")
    body = next(step for step in told["record"]["steps"] if step["step"] == "body")
    assert (told["outcome"], told["record"]["state"], body["state"]) == ("cannot_validate", "pending", "failed")
    assert body["words"].lower().endswith(f"{NOT_ON_A_LIMB}.")
    assert told["signatures"] == []


@pytest.mark.timeout(175)
async def test_on_a_real_leg_the_fitter_leaves_with_a_record_that_shows_why(
    broker: EmbeddedBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = await played(broker, tmp_path / "em.db", VARIANTS["a real leg"], SIMULATED)
    assert lines(capsys.readouterr().out)[-1]["state"] == "validated"
    assert told["outcome"] == "success"
    assert told["sha256"] == told["signed_sha256"]
    body = next(step for step in told["record"]["steps"] if step["step"] == "body")
    read = body["readings"]
    assert read["lift_off_lowest_contact"] < read["contact_no_below"]
    assert read["skin_rise_c"] >= told["record"]["policy"]["thresholds"]["fitting.body.rise_min_c"]["value"]
    assert read["moved_mg"] > 0
    assert read["state"] == "attached"
    assert record_pdf(json.loads(json.dumps(told))).startswith(b"%PDF")
