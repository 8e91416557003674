"""Pictures of fitters' visits go after `fitting.photo.kept_days`; that they were taken stays on record."""

import asyncio
from collections.abc import Callable

import structlog

from emcheck.clock import Clock
from emcheck.desk import Desk
from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY
from emcheck.domain.policy import Policy
from emcheck.ports import StoreError

log = structlog.get_logger("emcheck.service")

_LOOK_EVERY_S = 3_600.0


class Forgetting:
    """Deletes pictures that were kept for long enough, by the policy that is in force when it looks."""

    def __init__(self, store: Desk, clock: Clock, policy: Callable[[Ms], Policy]) -> None:
        self._store, self._clock, self._policy = store, clock, policy

    async def run(self) -> None:
        """For ever; what the store refused is tried again at the next look."""
        while True:
            try:
                await self.look(self._clock.now())
            except StoreError as error:
                log.warning("photos.not_deleted", error=str(error), remedy=error.remedy)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self, now: Ms) -> None:
        """Delete what is due."""
        days = self._policy(now).number("fitting.photo.kept_days")
        gone = await self._store.forget_photos(before=now - round(days * DAY), at=now, kept_days=round(days))
        if gone:
            log.info("photos.deleted", photos=gone, kept_days=days)
