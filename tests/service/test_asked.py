"""`emcheck fit` asked at a terminal: every question answered by hand, once to the signature and once to the way out."""

import io
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import typer

from emcheck.cli.fitting import conduct
from emcheck.clock import VirtualClock
from emcheck.ingest.embedded import EmbeddedBroker
from emcheck.settings import Settings
from tests.domain.visited import unfitted
from tests.service.hallway import OPENING, Hallway, passing
from tests.service.living import living
from tests.service.peers import good_units
from tests.service.test_visiting import BEGIN, UNIT, Leg, fittings, unmoved


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(store_dir=tmp_path / "broker") as running:
        yield running


async def asked(database: Path, clock: VirtualClock, typed: list[str], monkeypatch: pytest.MonkeyPatch) -> bool:
    """A fitter who types these lines."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(typed) + "\n"))
    settings = Settings.model_validate({"store": {"url": f"sqlite:///{database}"}})
    opening = {"strap_batch": None, "takes_off": None} | OPENING
    return await conduct(settings, "FS-1", opening, None, wait_s=150, as_json=False, clock=clock)


PREPARED = ["yes", "photo", "date of birth", "yes", "left_ankle", "yes", "yes", "yes", "9", "yes"]
"""Identity, limb, skin, movement, strap gap, slide-off; strap and case are waited for."""


@pytest.mark.timeout(170)
async def test_every_question_is_asked_and_the_record_is_signed(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database, clock = tmp_path / "em.db", VirtualClock(BEGIN)
    typed = ["maybe", *PREPARED, "", "", "", "yes", "hall", "", "W. Earer"]
    async with (
        living(broker, database, clock, known=unfitted()) as service,
        good_units(broker.host, broker.port, [UNIT]) as [unit],
    ):
        hallway = Hallway(service, unit, clock, Leg())
        async with passing(hallway):
            with pytest.raises(typer.Abort):  # the phone is gone in the middle of the walk
                await asked(database, clock, typed[: typed.index("hall") + 1], monkeypatch)
            await clock.sleep_until(clock.now() + 40_000)
            assert await asked(database, clock, ["", "W. Earer"], monkeypatch)
    said = capsys.readouterr().out
    assert "'maybe' is none of yes, no, cannot, leave" in said
    assert "8 of 13  Living limb" in said
    assert "On a living limb: skin " in said
    assert "Session FS-1 goes on where it stood" in said
    assert "hall: lowest -60 dBm" in said
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
