"""Fitters' visits beside a running service: kept over restarts, told the same by a replay, and heeded by the rules."""

import asyncio
from collections.abc import AsyncIterator
from math import exp
from pathlib import Path
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from emcheck.clock import VirtualClock
from emcheck.domain.instants import HOUR, MINUTE, SECOND, format_ms
from emcheck.ingest.embedded import EmbeddedBroker
from emcheck.service.enrolment import register_in_force
from emcheck.service.mailing import stream_of
from emcheck.service.published import published
from emcheck.service.replay import replay
from emcheck.service.session import sessions_of
from emcheck.service.sessions import Looking, document
from emcheck.service.stream import parse_lines
from tests.domain.visited import unfitted
from tests.service.hallway import OPENING, SCRIPT, Hallway, fit, lines, passing
from tests.service.living import living
from tests.service.peers import good_units
from tests.service.test_instructing import reading, told
from tests.support import at, england, register

UNIT = "BU-0001"
BEGIN = at("09:59:30")


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(store_dir=tmp_path / "broker") as running:
        yield running


class Leg:
    """A natural leg: from the room to 31.5 degC with a time constant of 5.2 min, once the strap is closed."""

    def __init__(self, seed: int = 1) -> None:
        self.chance = Random(seed)
        self.closed_at: int | None = None

    def __call__(self, now: int, strap: str, lifted: bool) -> dict[str, Any]:
        if strap == "closed" and self.closed_at is None:
            self.closed_at = now
        since_s = 0.0 if self.closed_at is None else (now - self.closed_at) / SECOND
        touching = strap == "closed" and not lifted
        return {
            "skin_c": round(31.5 - 10.5 * exp(-since_s / 312) + self.chance.gauss(0, 0.1), 1),
            "ambient_c": round(21.0 + self.chance.gauss(0, 0.1), 1),
            "motion_mg": round(self.chance.lognormvariate(3.2, 0.8), 1) if self.chance.random() < 0.7 else 0.0,
            "proximity": round(self.chance.uniform(0.88, 0.97) if touching else self.chance.uniform(0.02, 0.1), 2),
        }


def unmoved(now: int, strap: str, lifted: bool) -> dict[str, Any]:
    """A tag that lies on a table."""
    return {"skin_c": 21.0, "ambient_c": 21.0, "motion_mg": 0.0, "proximity": 0.04}


async def fittings(database: Path) -> list[tuple[str, str | None, str | None]]:
    async with reading(database) as store:
        known = (await register_in_force(store)).register.fittings
        return [(f.tag, f.limb, f.validation) for f in known if f.removed_at is None]


async def found(database: Path, rule: str) -> list[tuple[str | None, bool]]:
    """Class of each finding of a rule, and whether it goes on."""
    async with reading(database) as store:
        return [(f.class_, f.end is None) for f in await store.findings(rule=rule)]


async def the_document(database: Path, now: int) -> dict[str, Any]:
    async with reading(database) as store:
        return document(await (await Looking.at(store, "FS-1")).look(now))


@pytest.mark.timeout(170)
async def test_a_visit_ends_with_a_signed_record_that_anybody_can_compute(
    broker: EmbeddedBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(BEGIN)
    async with (
        living(broker, database, clock, known=unfitted()) as service,
        good_units(broker.host, broker.port, [UNIT]) as [unit],
        passing(Hallway(service, unit, clock, Leg())) as hallway,
    ):
        assert await fit(database, clock, SCRIPT)
        assert await fittings(database) == [("T-1", "left_ankle", "validated")]
        while "fitting" in unit.config:
            await hallway.clock.sleep_until(clock.now() + SECOND)
        assert unit.config["range_dbm"] < -60
        assert not await found(database, "fitting.unvalidated")
        shown = await the_document(database, clock.now())
    said = lines(capsys.readouterr().out)
    assert said[-1] | {"words": ""} == {
        "session": "FS-1", "words": "", "outcome": "success", "state": "validated", "open": [],
    }  # fmt: skip
    body = next(line for line in said if line.get("step") == "body")
    assert body["words"].startswith("Living limb: On a living limb: skin ")
    assert shown["sha256"] == shown["signed_sha256"]
    assert [error.message for error in Draft202012Validator(published("fitting")).iter_errors(shown)] == []
    assert [each["role"] for each in shown["signatures"]] == ["fitter", "wearer"]
    await _is_replayed(database, clock.now())
    assert (await the_document(database, clock.now() + HOUR))["sha256"] == shown["signed_sha256"]


async def _is_replayed(database: Path, now: int) -> None:
    """The exported inbox comes to the same findings, and to the same closing where the stream does not say it."""
    async with reading(database) as store:
        stream = [line async for line in stream_of(store)]
        kept = sorted((f.rule, f.start, f.end, f.class_) for f in await store.findings())
        closed = (await sessions_of(store))["FS-1"].closed
        in_force = await register_in_force(store)
    lines_ = list(parse_lines(stream, "the inbox"))
    again = replay(iter(lines_), unfitted(), england(), until=now)
    assert sorted((f.rule, f.start, f.end, f.class_) for f in again.findings) == kept
    bare = [
        line._replace(payload={k: v for k, v in line.payload.items() if k != "found"})
        if line.kind == "instruction" and line.payload["type"].startswith("fitting_")
        else line
        for line in lines_
    ]
    made = replay(iter(bare), unfitted(), england(), until=now).engine.roster.register
    assert made == in_force.register
    assert closed is not None
    assert closed.found is not None
    assert closed.found.state == "validated"


@pytest.mark.timeout(170)
async def test_a_session_survives_a_kill_a_lost_phone_and_a_dead_uplink(broker: EmbeddedBroker, tmp_path: Path) -> None:
    database, clock, leg = tmp_path / "em.db", VirtualClock(BEGIN), Leg()
    half = next(i for i, item in enumerate(SCRIPT) if item.get("until") == "body")
    async with (
        living(broker, database, clock, known=unfitted(), orderly=False) as service,
        good_units(broker.host, broker.port, [UNIT]) as [unit],
        passing(Hallway(service, unit, clock, leg)),
    ):
        assert not await fit(database, clock, SCRIPT[:half])
    async with (
        living(broker, database, clock) as service,
        good_units(broker.host, broker.port, [UNIT]) as [unit],
    ):
        assert "FS-1" in service.pipeline.engine.roster.visits
        unit.boot = unit.boot[:-1] + "9"
        async with passing(Hallway(service, unit, clock, leg)):
            assert await fit(database, clock, SCRIPT[half:], session="FS-1")
    assert await fittings(database) == [("T-1", "left_ankle", "validated")]


@pytest.mark.timeout(170)
async def test_a_tag_on_a_table_is_never_validated_and_a_supervisor_is_never_silent(
    broker: EmbeddedBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(BEGIN)
    over = {"override": "no natural limb left", "by": "S. Visor"}
    async with (
        living(broker, database, clock, known=unfitted()) as service,
        good_units(broker.host, broker.port, [UNIT]) as [unit],
        passing(Hallway(service, unit, clock, unmoved)),
    ):
        tried = [item for item in SCRIPT if item.get("until") not in ("lift", "body")]
        with pytest.raises(ValueError, match="not yet a success: Living limb: ") as caught:
            await fit(database, clock, tried)
        assert "not on a living limb, do not leave, choose the other leg" in str(caught.value).lower()
        assert await fittings(database) == []
        assert await fit(database, clock, [over, {"close": "success"}])
        assert await fittings(database) == [("T-1", "left_ankle", "overridden")]
    assert await found(database, "fitting.unvalidated") == [("overridden", True)]
    async with reading(database) as store:
        [alert] = [alert for alert in await store.alerts(open_only=True) if alert.rule == "fitting.unvalidated"]
    assert "S. Visor let the fitting stand though it was not validated (no natural limb left)" in alert.text


@pytest.mark.timeout(120)
async def test_while_a_visit_is_open_the_tags_alerts_wait_and_what_was_latched_is_cleared(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """A cut strap before, an open one inside; nobody in: then it is as if nobody had come."""
    database, clock = tmp_path / "em.db", VirtualClock(at("10:00"))
    opening = {"type": "fitting_opened", "session": "FS-1"} | {k: v for k, v in OPENING.items() if k != "fitter_tag"}
    ending = {"type": "fitting_closed", "session": "FS-1", "tag": "T-1", "by": "A. Fitter"}

    async def opens(unit: Any) -> None:
        clock.advance(clock.now() + MINUTE)
        await unit.says({"type": "tag_tamper", "at": format_ms(clock.now()), "tag": "T-1", "kind": "strap_open"})
        await unit.is_acknowledged()

    async with (
        living(broker, database, clock, known=register()),
        good_units(broker.host, broker.port, [UNIT]) as [unit],
    ):
        await unit.says({"type": "presence", "at": format_ms(clock.now()), "tag": "T-1", "in_range": True})
        clock.advance(clock.now() + MINUTE)
        assert await told(database, opening) == "done"
        await opens(unit)
        assert await found(database, "tag.strap") == []
        assert await told(database, ending | {"outcome": "no_show"}) == "done"
        assert await found(database, "tag.strap") == [("strap_open", True)]
        clock.advance(clock.now() + MINUTE)
        assert await told(database, opening | {"session": "FS-2"}) == "done"
        assert await found(database, "tag.strap") == [("strap_open", False)]
        await opens(unit)
        clock.advance(clock.now() + MINUTE)
        said = ending | {"session": "FS-2", "outcome": "cannot_validate", "left_on": True}
        assert await told(database, said) == "done"
        assert await found(database, "tag.strap") == [("strap_open", False)]
        assert await fittings(database) == [("T-1", None, "pending")]
        assert await found(database, "fitting.unvalidated") == [(None, True)]


@pytest.mark.timeout(120)
async def test_two_failed_attempts_go_to_the_authority(broker: EmbeddedBroker, tmp_path: Path) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(at("2026-03-02T10:00"))
    opening = {"type": "fitting_opened"} | {k: v for k, v in OPENING.items() if k != "fitter_tag"}
    async with living(broker, database, clock, known=unfitted()):
        for session, outcome in (("FS-1", "no_show"), ("FS-2", "refused_access")):
            clock.advance(clock.now() + HOUR)
            assert await told(database, opening | {"session": session}) == "done"
            assert await found(database, "fitting.overdue") == []
            ending = {"type": "fitting_closed", "session": session, "tag": "T-1", "by": "A. Fitter"}
            assert await told(database, ending | {"outcome": outcome}) == "done"
        assert await found(database, "fitting.overdue") == [("failed_attempts", True)]
        async with reading(database) as store:
            [alert] = [alert for alert in await store.alerts(open_only=True) if alert.rule == "fitting.overdue"]
    assert "Visits to fit W-1 for order O-1 failed (no show and refused access)" in alert.text
    assert alert.text.endswith("Tell the authority.")


@pytest.mark.timeout(120)
async def test_a_limb_note_stands_before_the_first_step_and_bars_its_limb(
    broker: EmbeddedBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(BEGIN)
    known = unfitted(wearers=[{"wearer_id": "W-1", "notes": {"limb": "left leg prosthetic below the knee"}}])
    async with living(broker, database, clock, known=known):
        with pytest.raises(ValueError, match="answer 2: limb: left ankle is barred by the wearer's limb note"):
            await fit(database, clock, SCRIPT[:2])
        async with reading(database) as store:
            session = (await sessions_of(store))["FS-1"]
            assert len(session.acts) == 2
            assert b"prosthetic" not in b"".join([line async for line in stream_of(store)])
    said = lines(capsys.readouterr().out)
    assert said[1]["words"] == "LIMB NOTE: left leg prosthetic below the knee"


@pytest.mark.timeout(120)
async def test_what_nobody_ends_ends_by_itself(broker: EmbeddedBroker, tmp_path: Path) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(at("10:00"))
    opening = {"type": "fitting_opened", "session": "FS-1"} | {k: v for k, v in OPENING.items() if k != "fitter_tag"}
    async with living(broker, database, clock, known=register()) as service:
        assert await told(database, opening) == "done"
        assert await fittings(database) == []
        clock.advance(clock.now() + 2 * HOUR + SECOND)
        while service.pipeline.engine.roster.visits or not await fittings(database):
            await asyncio.sleep(0.05)
        assert await fittings(database) == [("T-1", None, "validated")]
    async with reading(database) as store:
        closed = (await sessions_of(store))["FS-1"].closed
    assert closed is not None
    assert (closed.outcome, closed.by) == ("lapsed", "emcheck")
