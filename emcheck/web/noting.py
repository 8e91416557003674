"""The access log of pages that show many people and refresh themselves: one line for a question, once an hour."""

from emcheck.domain.ids import Ms
from emcheck.domain.instants import HOUR

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
