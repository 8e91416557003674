"""A hallway beside a centre: what the fitter's page says is done is done, and the base unit tells it, second by second.

The clock is the test's; a second of it takes some milliseconds. What the tag is put on is a `Physics` of
`tests/domain/visited`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from emcheck.desk import Account
from emcheck.domain.fitting.acts import AnswerStep, MarkFitting
from emcheck.domain.ids import UnitId
from emcheck.domain.instants import SECOND
from emcheck.domain.rights import Role
from emcheck.ending import end
from emcheck.service.session import schedule_of
from tests.domain.visited import Physics, on_leg
from tests.support import UnitStory, at
from tests.web.centre import HASHED, Centre

BEGIN = at("10:00")
UNIT = UnitId("BU-0001")


@dataclass
class Doorstep:
    """Moves the centre's clock on while `passing`, and tells what is to be told of it."""

    it: Centre
    physics: Physics = field(default_factory=lambda: on_leg(Random(1)))
    heard: str = "T-1"
    """The tag that is really there."""
    levels: dict[str, float] = field(default_factory=dict)
    """dBm by room; -60 where none is named."""
    tag_of_fitter: str = "F-1"
    story: UnitStory = field(default_factory=UnitStory)
    closed_at: int | None = None
    rooms_really: list[str] = field(default_factory=list)
    """Where the fitter is, where the page could not tell yet."""
    real_s: float = 0.003
    """How long a second takes."""

    async def second(self) -> None:
        """One second passes."""
        async with self.it.loop.turn:
            self.it.clock.advance(self.it.clock.now() + SECOND)
            now = self.it.clock.now()
            acts = [act for one in self.it.loop._visiting.open.values() for _, act in one.acts]
            marks = [act for act in acts if isinstance(act, MarkFitting)]
            lifts = [mark.what for mark in marks if mark.what in ("lifted", "lowered")]
            rooms = self.rooms_really or [mark.room for mark in marks if mark.room]
            if self.closed_at is None and "movement" in [act.step for act in acts if isinstance(act, AnswerStep)]:
                self.closed_at = now
            since = 0.0 if self.closed_at is None else (now - self.closed_at) / SECOND
            level = self.levels.get(rooms[-1] or "", -60.0) if rooms else -60.0
            if acts and level > -130:
                strap = "open" if self.closed_at is None else "closed"
                sense = self.physics(since, lifts[-1:] == ["lifted"])
                heard: dict[str, Any] = {"interval_s": 1, "heard": 1, "expected": 1, "rssi_dbm": level}
                self.story.tell(now, "report", received=now, tag=self.heard, strap=strap, **heard, **sense)
                self.story.tell(now, "report", received=now, tag=self.tag_of_fitter, strap="closed", **heard)
            if now % (10 * SECOND) == 0:
                sha256 = schedule_of(self.it.loop.engine.roster, UNIT)(now)
                self.story.tell(
                    now, "unit_status", received=now, power="mains", battery_pct=100, tilt_deg=1, moved=False,
                    case="closed", signal_dbm=-80, noise_dbm=-110, buffered=0, config_rev=1, schedule_sha256=sha256,
                )  # fmt: skip
            await self.it.tells(self.story)
        await asyncio.sleep(self.real_s)

    async def run(self) -> None:
        """For as long as it is not cancelled."""
        while True:
            await self.second()

    async def passes(self, seconds: int) -> None:
        """So many seconds, no more."""
        for _ in range(seconds):
            await self.second()

    @contextlib.asynccontextmanager
    async def passing(self) -> AsyncIterator["Doorstep"]:
        """Time passes for the length of a block."""
        task = asyncio.create_task(self.run(), name="doorstep")
        try:
            yield self
        finally:
            await end([task])
            if not task.cancelled():
                task.result()


async def fitters(it: Centre, *names: str) -> None:
    """Accounts of fitters of these names."""
    for name in names:
        await it.store.put_account(Account(name, Role.FITTER, it.clock.now(), password=HASHED))


@contextlib.asynccontextmanager
async def unfitted_centre(folder: Path, *, note: str | None = None, **parts: Any) -> AsyncIterator[Centre]:
    """A centre by day, whose wearer W-1 of O-1 has no tag yet."""
    from tests.support import register
    from tests.web.centre import centre

    wearer = {"wearer_id": "W-1", "name": "Priya <Barker>"} | ({} if note is None else {"notes": {"limb": note}})
    known = register(**{"fittings": [], "wearers": [wearer], **parts})
    async with centre(folder, known=known, begin=BEGIN) as it:
        yield it
