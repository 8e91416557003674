"""`emcheck stats`: how the monitoring centre fares, with the targets beside."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from emcheck.cli.explaining import JsonOption, policy_in_force, read_store
from emcheck.cli.serving import ConfigOption
from emcheck.cli.showing import show

if TYPE_CHECKING:
    from emcheck.present.statistics import Statistics
    from emcheck.store.sql import SqlStore


def stats(
    config: ConfigOption = None,
    since: Annotated[str | None, typer.Option(help="From this instant on; 30 days back where left out.")] = None,
    until: Annotated[
        str | None,
        typer.Option(help="Until this instant; now where left out, the last that is stored where no service runs."),
    ] = None,
    operators: Annotated[int, typer.Option(help="How many share the queue.", min=1)] = 1,
    as_json: JsonOption = False,
) -> None:
    """Alerts by wearer, rule and outcome, how fast they were seen, floods, stale and chattering ones."""
    from emcheck.cli.reading import bad_input, read_instant
    from emcheck.clock import SystemClock
    from emcheck.domain.instants import DAY, format_ms
    from emcheck.present import statistics
    from emcheck.service.as_of import as_of
    from emcheck.service.figures import gathered

    live, end, begin = SystemClock().now(), read_instant(until, "--until"), read_instant(since, "--since")
    policy = policy_in_force(config)

    async def asked(store: "SqlStore") -> "Statistics":
        at = await as_of(store, live) + 1 if end is None else end
        first = at - 30 * DAY if begin is None else begin
        if first >= at:
            bad_input("--since: not before --until")
        return await gathered(store, policy=policy, since=first, until=at, operators=operators)

    found = read_store(config, asked)
    if as_json:
        typer.echo(json.dumps(statistics.as_json(found), indent=1))
        return
    for title, columns, rows in statistics.tables(found):
        if rows:
            show(columns, rows, title=title)
            typer.echo()
    typer.echo(f"Of {format_ms(found.since)} to {format_ms(found.until)}.")
