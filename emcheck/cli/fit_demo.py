"""`emcheck fit demo`: a fitting without hardware, on a simulated limb or on what is none."""

import asyncio
from pathlib import Path
from typing import Any

import typer

from emcheck.cli.conducting import conduct
from emcheck.cli.demo_console import MADE, DemoConsole
from emcheck.cli.night import empty
from emcheck.cli.reading import bad_input, read_policy
from emcheck.cli.stopping import term_is_ctrl_c
from emcheck.clock import VirtualClock
from emcheck.domain.ids import TagId, UnitId
from emcheck.domain.instants import format_ms, parse_ms
from emcheck.domain.register import Register, parse_register
from emcheck.domain.rights import Role
from emcheck.evidence.fitting_record import record_pdf
from emcheck.ingest.embedded import BrokerError
from emcheck.ports import StoreError
from emcheck.service.running import quiet_logging
from emcheck.service.sessions import Looking, document
from emcheck.settings import Settings
from emcheck.shipped import shipped_config
from emcheck.store.sql import SqlStore
from firmware_sim.body import PLACES
from firmware_sim.worlds.flat import flat
from firmware_sim.worlds.night import OutOfStepError

_BEGIN = parse_ms("2026-04-01T10:00:00Z")
_SESSION = "FS-demo"
_OPENING: dict[str, str | None] = {
    "order_id": "O-1", "tag": "T-7", "takes_off": "T-1", "unit": "BU-0001", "by": "A. Fitter", "fitter_tag": "F-1",
    "strap_batch": None,
}  # fmt: skip
_UNTIL_THE_CHECK: list[dict[str, Any]] = [
    {"step": "identity", "answer": "yes", "identifiers": ["photo", "date of birth"]},
    {"step": "limb", "answer": "yes", "limb": "right_ankle"},
    {"step": "skin", "answer": "yes"},
    {"step": "movement", "answer": "yes"},
    {"step": "strap_gap", "answer": "yes", "gap_mm": 9},
    {"step": "slide_off", "answer": "yes"},
    {"until": "closed"},
    {"wait_s": 15},
    {"what": "lifted"},
    {"until": "lift", "within_s": 60},
    {"what": "lowered"},
    {"what": "moved"},
    {"until": "body", "within_s": 240},
]
_TO_THE_SIGNATURE: list[dict[str, Any]] = [
    {"until": "unit"},
    {"step": "call", "answer": "yes"},
    {"what": "room", "room": "hall"},
    {"wait_s": 75},
    {"what": "room", "room": "kitchen"},
    {"wait_s": 75},
    {"what": "walk_over"},
    {"until": "walk"},
    {"until": "schedule", "within_s": 150},
    {"until": "fitter_tag"},
    {"close": "success", "wearer": "Alex Example"},
]
_UNFITTED: list[dict[str, Any]] = [{"close": "cannot_validate", "note": "the check saw no living limb"}]


def show_visit(situation: str, folder: Path) -> None:
    """Play a visit in which the tag is closed on a place of the simulator; its record is `record.pdf` in `folder`."""
    if situation not in PLACES:
        bad_input(f"{situation}: no such situation; there are {', '.join(PLACES)}")
    empty(folder, "record.pdf", *MADE)
    quiet_logging()
    try:
        plain = asyncio.run(_played(situation, folder))
    except (BrokerError, StoreError, OutOfStepError, OSError) as error:
        bad_input(error)
    record = folder / "record.pdf"
    record.write_bytes(record_pdf(plain))
    typer.echo(f"Record: {record}. Database: {folder / 'emcheck.db'}")


def show_page(situation: str, folder: Path) -> None:
    """The same by hand, in the fitters' page: what is said there to be done is done, second by second, until Ctrl-C."""
    if situation not in PLACES:
        bad_input(f"{situation}: no such situation; there are {', '.join(PLACES)}")
    empty(folder, "record.pdf", *MADE)
    quiet_logging()
    try:
        with term_is_ctrl_c():
            asyncio.run(_by_hand(situation, folder))
    except (BrokerError, StoreError, OutOfStepError, OSError) as error:
        bad_input(error)
    except KeyboardInterrupt:
        return


async def _by_hand(situation: str, folder: Path) -> None:
    register = _register()
    desk = DemoConsole(folder, register.orders[0].timezone, must=True, roles=[Role.FITTER])
    async with flat(
        folder, register, read_policy(None), VirtualClock(_BEGIN), unit=UnitId("BU-0001"), tag=TagId("T-7"),
        fitter_tag=TagId("F-1"), place=situation, pace_s=1.0, console=desk.beside,
    ):  # fmt: skip
        typer.echo(
            f"Choose a password:  {desk.links[Role.FITTER]}\n"
            f"Fitters' page:      {desk.address}/visits, as {Role.FITTER}; a window of a phone's width shows it best\n"
            "Order O-1 (find it by its name), tag T-7 in the place of T-1, unit BU-0001, your own tag F-1.\n"
            f"The strap will be closed on: {situation}. Ctrl-C ends.\n"
            f"The visit's time is simulated: it begins at {format_ms(_BEGIN)} and goes by as fast as yours."
        )
        await asyncio.Event().wait()


def _register() -> Register:
    return parse_register((shipped_config() / "register.example.json").read_text(encoding="utf-8"))


async def _played(situation: str, folder: Path) -> dict[str, Any]:
    settings = Settings.model_validate({"store": {"url": f"sqlite:///{folder / 'emcheck.db'}"}})
    register = _register()
    clock = VirtualClock(_BEGIN)

    async def says(script: list[dict[str, Any]]) -> None:
        await conduct(settings, _SESSION, _OPENING, script, wait_s=120, as_json=False, clock=clock)

    async def look() -> Any:
        store = SqlStore(settings.store.async_url, read_only=True)
        await store.open()
        try:
            return await (await Looking.at(store, _SESSION)).look(clock.now())
        finally:
            await store.close()

    async with flat(
        folder, register, read_policy(None), clock, unit=UnitId("BU-0001"), tag=TagId("T-7"),
        fitter_tag=TagId("F-1"), place=situation,
    ):  # fmt: skip
        await says(_UNTIL_THE_CHECK)
        typer.echo("\nThe fitter's phone is lost here; with another the same session goes on.\n")
        living = "body" not in (await look()).standing.open_steps()
        await says(_TO_THE_SIGNATURE if living else _UNFITTED)
        return document(await look())
