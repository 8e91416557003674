"""Tables for people: fitted to a terminal, one line a row where piped, coloured only where that is wanted."""

import os
import sys
from collections.abc import Sequence

import typer


def for_people() -> bool:
    """Whether standard output is a terminal, or is to be treated as one (`FORCE_COLOR`)."""
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def show(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str | None = None) -> None:
    """Print a table; `NO_COLOR` is obeyed, and without a terminal there are neither colours nor line breaks."""
    if for_people():
        _show_fitted(columns, rows, title)
        return
    widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
    for row in ([title] if title else [], columns, *rows):
        if row:
            typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip())


def _show_fitted(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns, title=title, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)


def say(line: str, *, urgent: bool = False) -> None:
    """One line as it stands, in red where it is urgent and colour is wanted."""
    from rich.console import Console

    Console(highlight=False, markup=False, emoji=False).print(line, style="bold red" if urgent else "", soft_wrap=True)
