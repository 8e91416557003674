"""`emcheck doctor`: what is wrong with this installation, in words, and what would mend it."""

import json
from typing import Annotated

import typer

from emcheck.cli.serving import ConfigOption


def doctor(
    config: ConfigOption = None, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Look at Python, the tz database, settings, policy, broker and database. Exit 1 if anything is wrong."""
    from emcheck.cli.checks import every_check

    checks = every_check(config)
    if as_json:
        typer.echo(json.dumps([check._asdict() for check in checks], indent=1))
    else:
        for check in checks:
            typer.echo(f"{'ok   ' if check.well else 'WRONG'}  {check.name:<12} {check.words}")
    if not all(check.well for check in checks):
        raise typer.Exit(1)
