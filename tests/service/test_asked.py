"""`emcheck fit` asked at a terminal: every question answered by hand, once to the signature and once to the way out."""

import io
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import typer

from emcheck.cli.conducting import conduct
from emcheck.cli.visit import RefusedError
from emcheck.clock import VirtualClock
from emcheck.domain.fitting.limb_note import UNCLEAR
from emcheck.ingest.embedded import EmbeddedBroker
from emcheck.settings import Settings
from tests.domain.visited import unfitted
from tests.service.hallway import OPENING, Hallway, passing
from tests.service.living import living
from tests.service.peers import good_units
from tests.service.test_visiting import BEGIN, UNIT, Leg, fittings, unmoved
from tests.support import register


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(store_dir=tmp_path / "broker") as running:
        yield running


async def asked(
    database: Path,
    clock: VirtualClock,
    typed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    name: str | None = "FS-1",
    **said: str | None,
) -> bool:
    """A fitter who types these lines; `said` is what their command says otherwise."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(typed) + "\n"))
    settings = Settings.model_validate({"store": {"url": f"sqlite:///{database}"}})
    opening = {"strap_batch": None, "takes_off": None} | OPENING | said
    return await conduct(settings, name, opening, None, wait_s=600, as_json=False, clock=clock)


PREPARED = ["yes", "photo", "date of birth", "yes", "left_ankle", "yes", "yes", "yes", "9", "yes"]
"""Identity, limb, skin, movement, strap gap, slide-off; strap and case are waited for."""

SHORT = ["yes", "photo", "date of birth", "left ankle", "yes", "yes", "250", "12,5 mm", "yes"]
"""The same, where a limb or a number of mm is taken as yes."""
LEAVES = ["leave", "later"]


@pytest.mark.timeout(170)
async def test_every_question_is_asked_and_the_record_is_signed(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(BEGIN)
    typed = ["maybe", *PREPARED, "", "", "", "yes", "hall"]
    async with (
        living(broker, database, clock, known=unfitted()) as service,
        good_units(broker.host, broker.port, [UNIT]) as [unit],
    ):
        hallway = Hallway(service, unit, clock, Leg())
        async with passing(hallway):
            with pytest.raises(typer.Abort):  # the phone is gone in the middle of the walk
                await asked(database, clock, typed, monkeypatch)
            await clock.sleep_until(clock.now() + 40_000)
            assert await asked(database, clock, ["", "", "no", "", "", "yes", "W. Earer"], monkeypatch)
    said = capsys.readouterr().out
    assert "'maybe' is none of yes, no, cannot, leave" in said
    assert "8 of 13  Living limb" in said
    assert "On a living limb: skin " in said
    assert "Session FS-1 goes on where it stood" in said
    assert "hall: lowest -60 dBm" in said
    assert said.count("Is hall the only room (yes, no)") == 3, "Enter chooses nothing"
    assert "Only hall was walked: walk the others, or say that there is no other room." in said
    assert "Session FS-1: success, validated." in said
    assert await fittings(database) == [("T-1", "left_ankle", "validated")]


@pytest.mark.timeout(170)
async def test_who_is_told_not_to_leave_may_choose_the_other_limb_or_end_the_visit(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(BEGIN)
    typed = [*PREPARED, "", "", "", "other limb", "yes", "right_ankle", "no", "it is dark", "leave", "cannot_validate"]
    async with (
        living(broker, database, clock, known=unfitted()) as service,
        good_units(broker.host, broker.port, [UNIT]) as [unit],
        passing(Hallway(service, unit, clock, unmoved)),
    ):
        assert not await asked(database, clock, [*typed, "no", "no light"], monkeypatch)
    said = capsys.readouterr().out
    assert "not on a living limb, do not leave, choose the other leg" in said.lower()
    assert "Right ankle; a natural limb, seen and felt." in said
    assert "Session FS-1: cannot validate, pending." in said
    assert await fittings(database) == []


@pytest.mark.timeout(170)
async def test_a_limb_or_a_number_is_a_yes_and_leave_leaves_at_every_prompt(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(BEGIN)
    async with (
        living(broker, database, clock, known=unfitted()) as service,
        good_units(broker.host, broker.port, [UNIT]) as [unit],
        passing(Hallway(service, unit, clock, Leg())),
    ):
        assert not await asked(database, clock, ["yes", *LEAVES], monkeypatch)  # at an identifier
        assert not await asked(database, clock, [*SHORT, "", *LEAVES], monkeypatch)  # where the tag is held off
    said = capsys.readouterr().out
    assert "'250' is no gap between 0 and 100 mm; measure it in mm" in said
    assert "Left ankle; a natural limb, seen and felt." in said
    assert "12.5 mm" in said
    assert "Waiting for what is heard; Ctrl-C stops, and the session stays open." in said
    assert said.count("Session FS-1: open, pending.") == 2


@pytest.mark.timeout(120)
async def test_what_contradicts_a_session_is_refused_and_what_the_service_warned_of_is_shown(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(BEGIN)
    note = {"limb": "fit on the right"}
    async with living(broker, database, clock, known=register(wearers=[{"wearer_id": "W-1", "notes": note}])):
        assert not await asked(database, clock, LEAVES, monkeypatch, name="FS-long", tag="T-2")
        said = [line for line in capsys.readouterr().out.splitlines() if "[info" not in line]
        assert said[0].startswith("Session FS-long: tag T-2 for O-1")
        assert "W-1 wears T-1 since" in said[1]
        assert "`emcheck fit --takes-off T-1`" in said[1]
        assert said[2:4] == ["LIMB NOTE: fit on the right", UNCLEAR]
        alone: dict[str, str | None] = dict.fromkeys(OPENING)
        assert not await asked(database, clock, LEAVES, monkeypatch, name="FS-l", **alone)
        assert "Session FS-long goes on where it stood" in capsys.readouterr().out
        for wrong, message in (
            ({"tag": "T-8"}, "you scanned T-8, and FS-long is about T-2"),
            ({"tag": "T-2", "order_id": "O-2"}, "you said order O-2, and FS-long has O-1"),
            ({"tag": "T-2", "by": "B. Other"}, "you said fitter B. Other, and FS-long has A. Fitter"),
            ({"tag": "T-2", "takes_off": "T-1"}, "FS-long began without taking T-1 off"),
        ):
            with pytest.raises(RefusedError, match=message):
                await asked(database, clock, LEAVES, monkeypatch, name="FS-long", **wrong)
        with pytest.raises(RefusedError, match="you scanned T-8, and FS-long is about T-2"):
            await asked(database, clock, LEAVES, monkeypatch, name=None, tag="T-8")
        with pytest.raises(RefusedError, match=r"which is about T-2 and not about T-8, .*answer `leave` there"):
            await asked(database, clock, LEAVES, monkeypatch, name="FS-2", tag="T-8")
