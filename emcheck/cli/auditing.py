"""`emcheck alerts audit`: whether every step that was due was made, and all that is owed delivered."""

import json
from typing import TYPE_CHECKING

import typer

from emcheck.cli.explaining import JsonOption, policies_known, read_store
from emcheck.cli.serving import ConfigOption, settings_of
from emcheck.cli.showing import show

if TYPE_CHECKING:
    from emcheck.domain.auditing import Difference
    from emcheck.store.sql import SqlStore


def alerts_audit(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Ask the database for what was due and was not done. Exit 1 if there is any."""
    from emcheck.clock import SystemClock
    from emcheck.domain.instants import format_ms
    from emcheck.service.auditing import audit, publishers_in, targets_in

    own, settings, now = policies_known(config).own, settings_of(config), SystemClock().now()

    async def found(store: "SqlStore") -> "list[Difference]":
        return await audit(
            store, own, now=now, publishers=publishers_in(settings), contacts=targets_in(settings, own.then(now))
        )

    differences = read_store(config, found)
    if as_json:
        told = [one._asdict() | {"since": format_ms(one.since)} for one in differences]
        typer.echo(json.dumps({"at": format_ms(now), "differences": told}, indent=1))
    elif not differences:
        typer.echo("Every step that was due was made, and nothing is owed.")
    else:
        rows = [
            (d.kind.replace("_", " "), d.publisher, str(d.number), format_ms(d.since), " ".join(d.examples))
            for d in differences
        ]
        show(("difference", "publisher", "how many", "since (UTC)", "alerts"), rows)
    if differences:
        raise typer.Exit(1)
