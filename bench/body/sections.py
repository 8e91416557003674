"""Parts of the body check's table: each has columns of its own, a row by situation, and perhaps a target."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from rich.table import Table
from rich.text import Text

_MARKS = {None: "", True: "yes", False: "no"}


class Row(NamedTuple):
    """What is measured, and whether the target is reached; None where there is none."""

    cells: tuple[str, ...]
    target: str = ""
    reached: bool | None = None


class Section(NamedTuple):
    """A title, the names of the columns, and the rows."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Row]


def shown(section: Section) -> Table:
    """For a person."""
    drawn = Table(title=section.title, title_justify="left", box=None, pad_edge=False, title_style="bold")
    for number, name in enumerate((*section.columns, "target", "reached")):
        drawn.add_column(name, justify="right" if 0 < number < len(section.columns) else "left", no_wrap=number == 0)
    for row in section.rows:
        mark = Text(_MARKS[row.reached], style="bold red" if row.reached is False else "green")
        drawn.add_row(*map(Text, row.cells), Text(row.target), mark)
    return drawn


def as_plain(sections: Iterable[Section]) -> list[dict[str, Any]]:
    """For programs."""
    return [
        {
            "section": section.title,
            **dict(zip(section.columns, row.cells, strict=True)),
            "target": row.target,
            "reached": row.reached,
        }
        for section in sections
        for row in section.rows
    ]


def ranged(value: str, low: str, high: str) -> str:
    """A value with its interval, as `56 % (46 to 66 %)`."""
    return f"{value} ({low} to {high})"
