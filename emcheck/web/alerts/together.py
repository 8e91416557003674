"""Who has which alert open, so that two at one alert know of each other. Known while a console is connected, only."""

from collections import defaultdict


class Together:
    """Consoles that are connected, by a name that each gives itself, with their account and the alert they show."""

    def __init__(self) -> None:
        self._at: dict[str, tuple[str, str, int]] = {}
        self._lines = 0
        self._changed: set[str] = set()

    def enter(self, console: str, account: str) -> int:
        """A console is connected and shows no alert yet; the number of its line."""
        self._lines += 1
        self._show(console, account, "", self._lines)
        return self._lines

    def move(self, console: str, account: str, alert_id: str) -> bool:
        """A console shows another alert, or none (`""`); False where it is not connected, or is somebody else's."""
        known, _, line = self._at.get(console, ("", "", 0))
        if known != account:
            return False
        self._show(console, account, alert_id, line)
        return True

    def leave(self, console: str, line: int) -> None:
        """A line of a console is gone; where it has another already, or gave itself no name, nothing changes."""
        _, alert_id, known = self._at.get(console, ("", "", -1))
        if known == line:
            del self._at[console]
            self._changed.add(alert_id)

    def _show(self, console: str, account: str, alert_id: str, line: int) -> None:
        _, before, _ = self._at.get(console, ("", "", 0))
        self._at[console] = account, alert_id, line
        self._changed |= {before, alert_id}

    def at(self, alert_id: str) -> list[str]:
        """Who has an alert open, by name."""
        return sorted({account for account, there, _ in self._at.values() if there == alert_id})

    def changed(self) -> dict[str, list[str]]:
        """The alerts at which somebody came or went since the last call, with who is there now."""
        names, self._changed = self._changed - {""}, set()
        there: dict[str, set[str]] = defaultdict(set)
        if names:
            for account, alert_id, _ in self._at.values():
                there[alert_id].add(account)
        return {name: sorted(there[name]) for name in sorted(names)}
