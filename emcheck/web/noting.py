"""The access log of pages that show many people and refresh themselves: one line for a question, once an hour."""

from typing import TYPE_CHECKING

from emcheck.desk import Access
from emcheck.domain.ids import Ms
from emcheck.domain.instants import HOUR

if TYPE_CHECKING:
    from emcheck.web.parts import Parts

_KEPT_MAX = 10_000
"""Questions of all consoles in an hour that are remembered; where there are more, some are noted again."""


class Noted:
    """Who asked what within the hour."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str, str], Ms] = {}

    def is_news(self, account: str, action: str, subject: str, at: Ms) -> bool:
        """Whether a question is to be noted; takes note of it."""
        before = self._asked.get((account, action, subject))
        if before is not None and before <= at < before + HOUR:
            return False
        if len(self._asked) >= _KEPT_MAX:
            self._asked.clear()
        self._asked[account, action, subject] = at
        return True


async def note_look(parts: "Parts", account: str, action: str, address: str, *, subject: str = "") -> None:
    """Keep that somebody looks at a list of people, before it is shown; its refreshing itself is the same look."""
    now = parts.clock.now()
    if parts.noted.is_news(account, action, subject, now):
        await parts.desk.note_access([Access(now, account, action, subject or None, None, address)])
