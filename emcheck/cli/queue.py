"""`emcheck alerts list`: what waits, for how much longer it may, and whom it is passed on to next."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from emcheck.cli.explaining import JsonOption, policies_known, read_store, the_alert
from emcheck.cli.serving import ConfigOption
from emcheck.cli.showing import show

if TYPE_CHECKING:
    from emcheck.service.figures import Waiting
    from emcheck.store.sql import SqlStore


def alerts_list(
    config: ConfigOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Closed, withdrawn and suppressed ones too.")] = False,
    incident: Annotated[
        str | None, typer.Option(help="Those that this incident (or how its id begins) accounts for.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The alerts that wait, the most urgent first: time left to the target, and the next step if nobody acts.

    Those under an incident wait with it and are not listed.
    """
    from emcheck.clock import SystemClock
    from emcheck.domain.instants import format_ms
    from emcheck.present import escalated
    from emcheck.present.story import alert_json
    from emcheck.service.figures import waiting

    own, now = policies_known(config).own, SystemClock().now()

    async def found(store: "SqlStore") -> "list[Waiting]":
        under = None if incident is None else (await the_alert(store, incident)).alert_id
        return await waiting(store, own, everything=everything, incident=under)

    queue, targets = read_store(config, found), own.then(now).targets_ms()
    if as_json:
        for alert, step in queue:
            told = alert_json(alert) | {"escalation": escalated.as_json(alert, step, targets, now)}
            typer.echo(json.dumps(told, ensure_ascii=False))
    elif not queue:
        typer.echo("No alerts wait." if incident is None else f"Nothing waits under {incident}; --all shows all of it.")
    else:
        rows = [
            (
                a.priority, "withdrawn" if a.withdrawn else a.state.replace("_", " "), format_ms(a.raised_at),
                a.alert_id, a.subject, a.rule, escalated.time_left(a, targets, now), escalated.next_step(step, now),
                a.text,
            )
            for a, step in queue
        ]  # fmt: skip
        show(("pri", "state", "raised (UTC)", "alert", "who", "rule", "time left", "next", "what"), rows, prose=True)
