"""A hallway in which a tag is fitted, second by second: what the fitter says they do is done, and the unit tells it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emcheck.cli.conducting import conduct
from emcheck.clock import VirtualClock
from emcheck.domain.fitting.acts import AnswerStep, MarkFitting
from emcheck.domain.instants import SECOND, format_ms
from emcheck.ending import end
from emcheck.service.app import Service
from emcheck.settings import Settings
from tests.service.peers import GoodUnit

Feels = Callable[[int, str, bool], dict[str, Any]]
"""What a tag's sensors say at an instant, its strap `open` or `closed`, and whether it is held off."""

SCRIPT: list[dict[str, Any]] = [
    {"step": "identity", "answer": "yes", "identifiers": ["photo", "date of birth"]},
    {"step": "limb", "answer": "yes", "limb": "left_ankle"},
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
    {"until": "unit"},
    {"step": "call", "answer": "yes"},
    {"what": "room", "room": "hall"},
    {"wait_s": 30},
    {"what": "room", "room": "kitchen"},
    {"wait_s": 30},
    {"what": "walk_over"},
    {"until": "walk"},
    {"until": "schedule", "within_s": 150},
    {"until": "fitter_tag"},
    {"close": "success", "wearer": "W. Earer"},
]
"""A fitter who does everything as they should."""
OPENING: dict[str, str | None] = {
    "order_id": "O-1",
    "tag": "T-1",
    "unit": "BU-0001",
    "by": "A. Fitter",
    "fitter_tag": "F-1",
}


@dataclass
class Hallway:
    """Moves the clock on, and tells what is to be told of it."""

    service: Service
    unit: GoodUnit
    clock: VirtualClock
    feels: Feels
    tag: str = "T-1"
    online: bool = True
    status_due: int = 0

    async def run(self) -> None:
        """For as long as it is not cancelled."""
        while True:
            await self.second()

    async def second(self) -> None:
        """One second passes."""
        self.clock.advance(self.clock.now() + SECOND)
        now, events = self.clock.now(), []
        acts = [act for one in self.service.pipeline._visiting.open.values() for _, act in one.acts]
        marks = [act.what for act in acts if isinstance(act, MarkFitting) and act.what in ("lifted", "lowered")]
        answers = [act.step for act in acts if isinstance(act, AnswerStep)]
        strap = "closed" if "movement" in answers else "open"
        sense = self.feels(now, strap, marks[-1:] == ["lifted"])
        fast = "fitting" in self.unit.config
        if fast or now % (30 * SECOND) == 0:
            for tag, said in ((self.tag, {"strap": strap, **sense}), ("F-1", {"strap": "closed"})):
                if tag in self.unit.config.get("tags", ()):
                    heard = {"interval_s": 1, "heard": 1, "expected": 1, "rssi_dbm": -60}
                    events.append({"type": "report", "at": format_ms(now), "tag": tag, **heard, **said})
        if now >= self.status_due or self.unit.config.get("rev") != self.told_rev:
            self.status_due, self.told_rev = now + 30 * SECOND, self.unit.config.get("rev")
            events.append(self._status(now))
        if events:
            await self.unit.says(*events)
            await self.unit.is_acknowledged()
        await asyncio.sleep(0.002)

    told_rev: int | None = None

    def _status(self, now: int) -> dict[str, Any]:
        config = self.unit.config
        echo = {"config_rev": config["rev"], "schedule_sha256": config["schedule_sha256"]} if config else {}
        return {
            "type": "unit_status", "at": format_ms(now), "power": "mains", "battery_pct": 100, "tilt_deg": 1,
            "moved": False, "case": "closed", "signal_dbm": -80, "noise_dbm": -110, "buffered": 0, **echo,
        }  # fmt: skip


@contextlib.asynccontextmanager
async def passing(hallway: Hallway) -> AsyncIterator[Hallway]:
    """Time passes for the length of a block."""
    task = asyncio.create_task(hallway.run())
    try:
        yield hallway
    finally:
        await end([task])
        if not task.cancelled():
            task.result()


async def fit(
    database: Path, clock: VirtualClock, script: Sequence[dict[str, Any]], *, session: str = "FS-1", **opening: Any
) -> bool:
    """`emcheck fit` on this database, by a clock that somebody else moves."""
    settings = Settings.model_validate({"store": {"url": f"sqlite:///{database}"}})
    return await conduct(
        settings, session, {"strap_batch": None, "takes_off": None} | OPENING | opening, list(script), wait_s=120,
        as_json=True, clock=clock,
    )  # fmt: skip


def lines(text: str) -> list[dict[str, Any]]:
    """What `--json` printed."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
