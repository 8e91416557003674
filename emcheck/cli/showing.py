"""Tables for people: fitted to a terminal, one line a row where piped, coloured only where that is wanted."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

_PROSE_LEAST = 30
"""Columns that a sentence needs to be read; else it stands below."""


def for_people() -> bool:
    """Whether standard output is a terminal, or is to be treated as one (`FORCE_COLOR`)."""
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def terminal_width() -> int | None:
    """How many columns the terminal has; None where output is no terminal."""
    return shutil.get_terminal_size((80, 24)).columns if for_people() else None


def wrapped(line: str) -> list[str]:
    """A line of prose in lines that fit the terminal, the later ones indented a little more; whole where piped."""
    width = terminal_width()
    if width is None or len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line.lstrip(), max(width, 40), initial_indent=indent, subsequent_indent=f"{indent}  ")


def show(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str | None = None, prose: bool = False
) -> None:
    """Print a table; `NO_COLOR` is obeyed, and without a terminal there are neither colours nor line breaks.

    Where the last column is `prose` and there is no room for it beside the others, it stands below them: no id is cut.
    """
    if for_people():
        _show_fitted(columns, rows, title, prose=prose)
        return
    widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
    for row in ([title] if title else [], columns, *rows):
        if row:
            typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip())


def _show_fitted(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None, *, prose: bool) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    widths = [max(map(_longest, column)) for column in zip(columns, *rows, strict=True)]
    room = Console().width - sum(width + 1 for width in widths[:-1])
    if prose and room < min(widths[-1], _PROSE_LEAST):
        _show_stacked(columns, rows, title, Console().width)
        return
    table = Table(title=title, box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")  # a name that is cut may be another's
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)


def _longest(cell: str) -> int:
    return max(map(len, cell.splitlines() or [""]))


def _show_stacked(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None, width: int) -> None:
    """The short columns in as many lines as they need, aligned where one is enough; the last one below, indented."""
    heads = [max(map(_longest, column)) for column in zip(columns, *rows, strict=True)][:-1]
    aligned = sum(heads) + 2 * (len(heads) - 1) <= width
    for line in [title] if title else []:
        say(line)
    for row in (columns, *rows):
        cells = [cell.ljust(head) if aligned else cell for cell, head in zip(row, heads, strict=False)]
        lines = [""]
        for cell in cells:
            joined = f"{lines[-1]}  {cell}" if lines[-1] else cell
            lines = [*lines[:-1], joined] if len(joined.rstrip()) <= width else [*lines, f"  {cell}"]
        told = [
            part
            for said in row[-1].splitlines()
            for part in textwrap.wrap(said, max(width, 40), initial_indent="    ", subsequent_indent="      ")
        ]
        for line in (*lines, *told):
            say(line.rstrip())


def show_lines(rows: Iterable[Mapping[str, Any]]) -> None:
    """JSON for programs, an object a line; nothing where there is none."""
    for row in rows:
        typer.echo(json.dumps(row, ensure_ascii=False))


def say(line: str, *, urgent: bool = False) -> None:
    """One line as it stands, in red where it is urgent and colour is wanted."""
    from rich.console import Console

    Console(highlight=False, markup=False, emoji=False).print(line, style="bold red" if urgent else "", soft_wrap=True)
