"""How the command line says that it was used wrongly: in one line on standard error, as it says all else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import typer
from typer.core import TyperGroup

_USAGE_ERROR = cast("type[typer.BadParameter]", typer.BadParameter.__bases__[0])
"""Of all ways to use a command wrongly; typer gives a public name only to this one kind."""


class OneLineGroup(TyperGroup):
    """The root of all commands; what is wrong with the options of any of them passes here."""

    def make_context(self, *args: Any, **options: Any) -> typer.Context:
        """The root's own options."""
        with _in_one_line():
            return cast("typer.Context", super().make_context(*args, **options))

    def invoke(self, ctx: Any) -> Any:
        """The command that was asked for, with its options."""
        with _in_one_line():
            return super().invoke(ctx)


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Usage errors as a line that names option and remedy, and exit code 2. A command without arguments shows help."""
    try:
        yield
    except _USAGE_ERROR as error:
        said = " ".join(error.format_message().split()).rstrip(".").replace("Value error, ", "")
        if said.startswith("Usage: "):
            raise
        path = error.ctx.command_path if error.ctx is not None else "emcheck"
        typer.echo(f"emcheck: {said[:1].lower()}{said[1:]}; see {path} --help", err=True)
        raise typer.Exit(2) from None
