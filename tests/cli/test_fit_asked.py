"""`emcheck fit` asked step by step: what is typed, and what is never assumed."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emcheck.cli.conducting import conduct
from emcheck.clock import VirtualClock
from emcheck.domain.ids import TagId, UnitId
from emcheck.domain.register import parse_register
from emcheck.service.sessions import Looking
from emcheck.settings import Settings
from emcheck.shipped import shipped_config
from emcheck.store.sql import SqlStore
from firmware_sim.worlds.flat import flat
from tests.support import at, england

OPENING = {
    "order_id": "O-1", "tag": "T-7", "takes_off": "T-1", "unit": "BU-0001", "by": "A. Fitter", "fitter_tag": "F-1",
    "strap_batch": None,
}  # fmt: skip


def asked(folder: Path, *typed: str) -> tuple[str, str | None]:
    """What a fitter sees who types so beside a real service; and how the visit ended, None while it goes on."""
    settings = Settings.model_validate({"store": {"url": f"sqlite:///{folder / 'emcheck.db'}"}})
    register = parse_register((shipped_config() / "register.example.json").read_text(encoding="utf-8"))
    clock = VirtualClock(at("10:00", "2026-04-01"))

    async def visit() -> str | None:
        async with flat(
            folder, register, england(), clock, unit=UnitId("BU-0001"), tag=TagId("T-7"), fitter_tag=TagId("F-1"),
            place="skin",
        ):  # fmt: skip
            await conduct(settings, "FS-1", dict(OPENING), None, wait_s=10, as_json=False, clock=clock)
        store = SqlStore(settings.store.async_url, read_only=True)
        await store.open()
        try:
            closed = (await (await Looking.at(store, "FS-1")).look(clock.now())).session.closed
        finally:
            await store.close()
        return None if closed is None else closed.outcome

    with CliRunner().isolation(input="".join(f"{line}\n" for line in typed)) as (told, *_):
        outcome = asyncio.run(visit())
        return told.getvalue().decode(), outcome


@pytest.mark.timeout(170)
def test_how_a_visit_ends_is_chosen_and_never_assumed(tmp_path: Path) -> None:
    told, outcome = asked(tmp_path, "leave", "", "cannot", "", "no", "")
    assert outcome == "cannot_validate"
    assert told.count("How does the visit end") == 2, "Enter chooses nothing"
    assert told.count("Does the tag stay on (no, yes)") == 2


@pytest.mark.timeout(170)
def test_a_visit_may_go_on_later(tmp_path: Path) -> None:
    told, outcome = asked(tmp_path, "leave", "later")
    assert outcome is None
    assert "Session FS-1: open, pending." in told
