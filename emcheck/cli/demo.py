"""`emcheck demo`: a night of curfew monitoring in a simulated town, over a real broker and a real database."""

from pathlib import Path
from typing import Annotated

import typer

from emcheck.cli.stopping import nothing_to_end


def demo(
    scenario: Annotated[str, typer.Option(help="A scenario: a name from config/scenarios, or a file.")] = "town",
    folder: Annotated[Path, typer.Option(help="Where it lives; an earlier demo there is removed.")] = Path("var/demo"),
    seed: Annotated[int | None, typer.Option(help="Another night of the same scenario.")] = None,
    console: Annotated[
        bool, typer.Option("--console", help="Keep the console up when the night is over, until Ctrl-C.")
    ] = False,
) -> None:
    """Show a whole night: units connect, alerts come with reasons, and each presence is drawn against its window.

    A link that is printed first opens the night in the console while it lasts.
    """
    with nothing_to_end():
        from emcheck.cli.night import show_night

    show_night(scenario, folder, seed, in_console=console)
