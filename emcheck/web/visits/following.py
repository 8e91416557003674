"""Open visits that somebody looks at: each is read once, and then only what came since.

A session is judged at most once a second, however many pages ask for it.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from fastapi import Request

from emcheck.clock import Clock
from emcheck.desk import Access, Desk
from emcheck.domain.fitting.judging import Standing
from emcheck.domain.ids import Ms
from emcheck.domain.instants import MINUTE, SECOND
from emcheck.domain.rights import Right
from emcheck.service.sessions import Look, Looking, NoSessionError
from emcheck.web.guarding import address_of
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem

_FOLLOWED_MAX = 100
_NOTED_MAX = 1_000
_NOTED_FOR: Ms = 10 * MINUTE
"""A visit has many pages: one line of the access log tells of all that one sign-in looks at within so long."""


@dataclass(slots=True)
class _Followed:
    looking: Looking
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    look: Look | None = None
    looked_at: Ms = 0


class Following:
    """Looks at visits for whoever may see them."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk, self._clock = desk, clock
        self._followed: OrderedDict[str, _Followed] = OrderedDict()
        self.adding = asyncio.Lock()
        """Held while a photo is kept and its act carried out: one sent twice at once is judged once, then again."""
        self._noted: OrderedDict[tuple[str, str, str], Ms] = OrderedDict()

    async def look(self, who: Who, name: str, *, anew: bool = False) -> Look:
        """The visit as it stands; Problem where there is none that this person may see."""
        try:
            followed = await self._follow(name)
        except NoSessionError:
            raise _no_visit(name) from None
        visit = followed.looking.session.visit
        if visit.session != name or (visit.by != who.name and not who.may(Right.OVERRIDE)):
            raise _no_visit(name)
        async with followed.lock:
            now = self._clock.now()
            if followed.look is None or anew or now - followed.looked_at >= SECOND:
                followed.look, followed.looked_at = await followed.looking.look(now), now
            return followed.look

    async def to_sign(self, who: Who, name: str) -> tuple[Look, Standing]:
        """The visit, and what its record would be if it were signed now."""
        look = await self.look(who, name, anew=True)
        followed = self._followed[name]
        async with followed.lock:
            return look, await followed.looking.to_sign()

    async def note(self, request: Request, who: Who, look: Look, action: str = "visit seen") -> None:
        """Keep in the access log that somebody looks at this visit, before it is shown."""
        now, visit = self._clock.now(), look.session.visit
        key = (who.token_sha256, visit.session, action)
        if now - self._noted.get(key, -_NOTED_FOR) < _NOTED_FOR:
            return
        await self._desk.note_access([Access(now, who.name, action, visit.wearer_id, None, address_of(request))])
        self._noted[key] = now
        while len(self._noted) > _NOTED_MAX:
            self._noted.popitem(last=False)

    async def _follow(self, name: str) -> _Followed:
        if name not in self._followed:
            looking = await Looking.at(self._desk, name)
            looking.in_thread = True
            name = looking.session.visit.session
            self._followed.setdefault(name, _Followed(looking))
            while len(self._followed) > _FOLLOWED_MAX:
                self._followed.popitem(last=False)
        self._followed.move_to_end(name)
        return self._followed[name]


def followed(request: Request) -> Following:
    """The visits that are looked at."""
    following: Following = request.app.state.visits
    return following


def _no_visit(name: str) -> Problem:
    return Problem(404, f"There is no visit {name[:40]} of yours.")
