"""Tables for people: fitted to a terminal, one line a row where piped, coloured only where that is wanted."""

from rich.console import Console
from rich.table import Table

_PIPED_WIDTH = 1000
"""Wide enough that no row is broken: what reads a pipe reads lines."""


def show(table: Table | str) -> None:
    """Print a table; `NO_COLOR` is obeyed, and without a terminal there are neither colours nor line breaks."""
    console = Console()
    if console.is_terminal:
        console.print(table)
        return
    piped = Console(width=_PIPED_WIDTH, color_system=None)
    with piped.capture() as captured:
        piped.print(table)
    console.file.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def say(line: str, *, urgent: bool = False) -> None:
    """One line as it stands, in red where it is urgent and colour is wanted."""
    Console(highlight=False, markup=False, emoji=False).print(line, style="bold red" if urgent else "", soft_wrap=True)
