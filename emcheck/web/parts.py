"""What the console works with, handed to it when it is made, and found again from any request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from emcheck.clock import Clock
from emcheck.desk import Access, Desk
from emcheck.domain.engine import Engine
from emcheck.domain.ids import Ms
from emcheck.service.board import Boards
from emcheck.service.own import Own
from emcheck.service.showing import Known
from emcheck.web.alerts.live import Live
from emcheck.web.noting import Noted
from emcheck.web.people.elsewhere import Elsewhere
from emcheck.web.people.signing_in import SigningIn


@dataclass(slots=True, kw_only=True)
class Parts:
    """The store, the clock, who signs in, and the running service as far as the console may know it."""

    desk: Desk
    clock: Clock
    signing_in: SigningIn
    live: Live
    known: Callable[[], Known | None]
    """What the service has in memory; None while it is reading itself back."""
    troubles: Callable[[], list[str]]
    """What keeps the service from its work, in words."""
    posted: Callable[[], None]
    """An instruction was posted: the decision loop need not wait for its next look."""
    elsewhere: Elsewhere | None = None
    """The provider that people may sign in with."""
    is_secure: bool = False
    """Whether browsers come over TLS."""
    wait_s: float = 10.0
    """How long the answer of the decision loop is waited for."""
    zone: str = "UTC"
    """In which times are shown that belong to no order."""
    shift_starts: tuple[str, ...] = ("07:00", "19:00")
    """When shifts begin, by that zone's clock."""
    photo_bytes_max: int = 1 << 20
    """How large one photo of a visit may be."""
    board_every_ms: Ms = 10_000
    """How old a board may be."""
    boards: Boards = field(init=False)
    noted: Noted = field(default_factory=Noted)
    _targets: Mapping[str, Ms] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.boards = Boards(self._engine, self.clock, self.desk)

    def _engine(self) -> Engine | None:
        known = self.known()
        return None if known is None else known.engine

    def targets_ms(self, now: Ms) -> Mapping[str, Ms]:
        """Within what time alerts are to be acknowledged, by priority; none known while it starts."""
        known = self.known()
        if known is not None:
            self._targets = known.engine.roster.policies.own.then(now).targets_ms()
        return self._targets

    def undo_ms(self, now: Ms) -> Ms:
        """For how long an act can be taken back; nothing is offered while the service starts."""
        known = self.known()
        return -1 if known is None else Own(known.engine.roster.policies.own).undo_ms(now)

    async def note_look(self, account: str, action: str, address: str, *, subject: str = "") -> None:
        """Keep that somebody looks at a list of people, before it is shown; its refreshing itself is the same look."""
        now = self.clock.now()
        if self.noted.is_news(account, action, subject, now):
            await self.desk.note_access([Access(now, account, action, subject or None, None, address)])


def parts_of(request: Request) -> Parts:
    """The console's parts."""
    return cast("Parts", request.app.state.parts)


WithParts = Annotated[Parts, Depends(parts_of)]
