"""The timeline as text: hours, a line for the curfew, a line for presence, a night a row. Patterns, not colour."""

from collections.abc import Iterable, Sequence

from emcheck.domain.ids import Ms
from emcheck.domain.instants import HOUR, MINUTE
from emcheck.domain.timeline import Stretch
from emcheck.domain.windows import Window
from emcheck.present.times import day, duration, hour, local_minutes

PRESENT, ABSENT, UNKNOWN, CURFEW, TO_COME = "█", "░", "╱", "━", "·"
_LABEL = 13
_CELLS = tuple(minutes * MINUTE for minutes in (10, 15, 20, 30, 60, 120, 240))


def cell_of(windows: Iterable[Window], width: int | None) -> Ms:
    """How much a column shows so that every window fits a terminal of so many columns; 10 minutes for a file."""
    longest = max((window.end - window.start for window in windows), default=0) + 2 * HOUR
    fitting = (cell for cell in _CELLS if width is None or _LABEL - (-longest // cell) <= width)
    return next(fitting, _CELLS[-1])


def legend(cell: Ms) -> str:
    """What the signs mean, and how long a column is."""
    signs = {PRESENT: "at home", ABSENT: "not heard", UNKNOWN: "unknown", TO_COME: "to come", CURFEW: "curfew"}
    return "   ".join([*(f"{sign} {means}" for sign, means in signs.items()), f"(a column is {duration(cell)})"])


def draw_text(
    title: str, known: Sequence[Stretch], windows: Sequence[Window], *, until: Ms, now: Ms, zone: str, cell: Ms
) -> str:
    """Each window, with an hour on either side, as far as anything counts (`until`); from `now` on it is to come.

    A column shows the worst of its time. Windows of which nothing at all is known are not drawn: a run of them is one
    line.
    """
    rows = [f"{title}  ({zone})"]
    unknown: list[Window] = []
    for window in windows:
        if window.start >= until:
            rows += [*_nothing_known(unknown, zone), f"  {_span(window, zone)}: to come"]
            unknown = []
        elif any(_overlap(stretch, window.start, min(window.end, until)) for stretch in known):
            rows += [*_nothing_known(unknown, zone), *_drawn(window, known, until, now, zone, cell)]
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


def _drawn(window: Window, known: Sequence[Stretch], until: Ms, now: Ms, zone: str, cell: Ms) -> list[str]:
    low, high = window.start - HOUR, window.end
    if until < now or until > window.end:
        high = min(window.end + HOUR, max(until, window.start + HOUR))
    columns = range(low, high, cell)
    curfew = "".join(CURFEW if window.start <= at < window.end else " " for at in columns)
    presence = "".join(_cell(known, at, min(at + cell, high), until, now) for at in columns)
    rows = {"": _hours(columns, zone, cell), "curfew": curfew, "at home": presence}
    return [f"  {_span(window, zone)}", *(f"    {name:<{_LABEL - 4}}{row}".rstrip() for name, row in rows.items())]


def _hours(columns: Sequence[Ms], zone: str, cell: Ms) -> str:
    """The local hour over the column that it begins in, as often as there is room: each, every second and so on."""
    every = next(n for n in (1, 2, 3, 6, 12) if n * HOUR >= 3 * cell)
    line = ""
    for number, at in enumerate(columns):
        minute = local_minutes(at, zone)
        full = int(-(-minute // 60))
        if full * 60 < minute + cell / MINUTE and full % every == 0 and (not line or len(line) < number):
            line = line.ljust(number) + f"{full % 24:02}"
    return line


def _cell(known: Sequence[Stretch], start: Ms, end: Ms, until: Ms, now: Ms) -> str:
    if start >= until:
        return TO_COME if until >= now else " "
    end = min(end, until)
    absent = sum(_overlap(s, start, end) for s in known if not s.present)
    present = sum(_overlap(s, start, end) for s in known if s.present)
    if absent > 0:
        return ABSENT
    return PRESENT if present * 2 >= end - start else UNKNOWN


def _overlap(stretch: Stretch, start: Ms, end: Ms) -> Ms:
    return max(0, min(stretch.end, end) - max(stretch.start, start))
