"""The timeline as text: a line for the curfew, a line for presence, a night a row. Patterns, not colour."""

from collections.abc import Sequence

from emcheck.domain.ids import Ms
from emcheck.domain.instants import HOUR, MINUTE
from emcheck.domain.timeline import Stretch
from emcheck.domain.windows import Window
from emcheck.present.words import clock

PRESENT, ABSENT, UNKNOWN, CURFEW = "█", "░", "╱", "━"
COLUMN_MS = 10 * MINUTE
LEGEND = f"{PRESENT} at home   {ABSENT} not heard   {UNKNOWN} unknown   {CURFEW} curfew   (a column is 10 minutes)"


def draw_text(title: str, known: Sequence[Stretch], windows: Sequence[Window], *, until: Ms, zone: str) -> str:
    """Each window that has begun, with an hour on either side; a column shows the worst of its ten minutes."""
    rows = [f"{title}  ({zone})"]
    for window in windows:
        if window.start >= until:
            break
        low, high = window.start - HOUR, min(window.end + HOUR, max(until, window.start + HOUR))
        columns = range(low, high, COLUMN_MS)
        curfew = "".join(CURFEW if window.start <= at < window.end else " " for at in columns)
        presence = "".join(_cell(known, at, min(at + COLUMN_MS, high), until) for at in columns)
        rows.append(f"  {clock(window.start, zone)[:16]} to {clock(window.end, zone)[11:16]}")
        rows += [f"    curfew   {curfew}", f"    at home  {presence}"]
    return "\n".join(rows)


def _cell(known: Sequence[Stretch], start: Ms, end: Ms, until: Ms) -> str:
    if start >= until:
        return " "
    absent = sum(_overlap(s, start, end) for s in known if not s.present)
    present = sum(_overlap(s, start, end) for s in known if s.present)
    if absent > 0:
        return ABSENT
    return PRESENT if present * 2 >= end - start else UNKNOWN


def _overlap(stretch: Stretch, start: Ms, end: Ms) -> Ms:
    return max(0, min(stretch.end, end) - max(stretch.start, start))
