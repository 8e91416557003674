"""The timeline as text: a line for the curfew, a line for presence, a night a row. Patterns, not colour."""

from collections.abc import Sequence

from emcheck.domain.ids import Ms
from emcheck.domain.instants import HOUR, MINUTE
from emcheck.domain.timeline import Stretch
from emcheck.domain.windows import Window
from emcheck.present.words import day, hour

PRESENT, ABSENT, UNKNOWN, CURFEW = "█", "░", "╱", "━"
COLUMN_MS = 10 * MINUTE
LEGEND = f"{PRESENT} at home   {ABSENT} not heard   {UNKNOWN} unknown   {CURFEW} curfew   (a column is 10 minutes)"


def draw_text(title: str, known: Sequence[Stretch], windows: Sequence[Window], *, until: Ms, zone: str) -> str:
    """Each window that has begun, with an hour on either side; a column shows the worst of its ten minutes.

    Windows of which nothing at all is known are not drawn: a run of them is one line.
    """
    rows = [f"{title}  ({zone})"]
    unknown: list[Window] = []
    for window in windows:
        if window.start >= until:
            break
        if any(_overlap(stretch, window.start, min(window.end, until)) for stretch in known):
            rows += [*_nothing_known(unknown, zone), *_drawn(window, known, until, zone)]
            unknown = []
        else:
            unknown.append(window)
    return "\n".join([*rows, *_nothing_known(unknown, zone)])


def _nothing_known(windows: Sequence[Window], zone: str) -> list[str]:
    if not windows:
        return []
    first, last, count = _span(windows[0], zone), _span(windows[-1], zone), len(windows)
    return [f"  {first}: unknown" if count == 1 else f"  {first}, up to {last}, {count} windows: unknown"]


def _span(window: Window, zone: str) -> str:
    """`Tue 24 Mar 2026 19:00 to 07:00`: the night by the date on which it begins."""
    return f"{day(window.start, zone)} {hour(window.start, zone)} to {hour(window.end, zone)}"


def _drawn(window: Window, known: Sequence[Stretch], until: Ms, zone: str) -> list[str]:
    low, high = window.start - HOUR, min(window.end + HOUR, max(until, window.start + HOUR))
    columns = range(low, high, COLUMN_MS)
    curfew = "".join(CURFEW if window.start <= at < window.end else " " for at in columns)
    presence = "".join(_cell(known, at, min(at + COLUMN_MS, high), until) for at in columns)
    return [f"  {_span(window, zone)}", f"    curfew   {curfew}", f"    at home  {presence}"]


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
