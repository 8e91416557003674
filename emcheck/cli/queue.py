"""`emcheck alerts list`: what waits, for how much longer it may, and whom it is passed on to next."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from emcheck.cli.explaining import JsonOption, policies_known, read_store, the_alert
from emcheck.cli.serving import ConfigOption
from emcheck.cli.showing import show

if TYPE_CHECKING:
    from emcheck.domain.alerts import Alert
    from emcheck.domain.ids import Ms
    from emcheck.service.figures import Waiting
    from emcheck.store.sql import SqlStore


def alerts_list(
    config: ConfigOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Closed, withdrawn and suppressed ones too.")] = False,
    incident: Annotated[
        str | None, typer.Option(help="Those that this incident (or how its id begins) accounts for.")
    ] = None,
    holder: Annotated[str | None, typer.Option("--with", help="Only what this person has.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The alerts that wait, the most urgent first.

    With the time left to the target, and the next step if nobody acts.
    Those under an incident wait with it and are not listed. A breach that is overdue to be referred is, though closed.
    Where no live service runs on the database, times are as of the last that it was told.
    """
    from emcheck.clock import SystemClock
    from emcheck.domain.instants import format_ms
    from emcheck.present import escalated, referred
    from emcheck.present.story import alert_json
    from emcheck.present.whom import whom
    from emcheck.service.as_of import as_of
    from emcheck.service.figures import waiting

    policies, live = policies_known(config), SystemClock().now()

    async def found(store: "SqlStore") -> "tuple[Ms, list[Waiting]]":
        at = await as_of(store, live)
        under = None if incident is None else (await the_alert(store, incident)).alert_id
        found = await waiting(store, policies, at, everything=everything, incident=under)
        return at, [one for one in found if holder in (None, one.alert.holder)]

    now, queue = read_store(config, found)
    targets = policies.own.then(now).targets_ms()
    if as_json:
        for alert, step, of, referral in queue:
            told = alert_json(alert) | {"escalation": escalated.as_json(alert, step, of, targets, now)}
            if now != live:
                told["escalation"]["as_of"] = format_ms(now)
            if referral is not None:
                told["referral"] = referred.plain(referral, now)
            typer.echo(json.dumps(told, ensure_ascii=False))
    elif not queue:
        nothing = "No alerts wait." if holder is None else f"{holder} has none."
        typer.echo(nothing if incident is None else f"Nothing waits under {incident}; --all shows all of it.")
    else:
        rows = [
            (
                a.priority, _state(a), format_ms(a.raised_at),
                a.alert_id, whom(a.subject), a.rule, escalated.time_left(a, targets, now),
                escalated.next_step(a, step, of, now) if referral is None else "refer it: overdue",
                a.text if referral is None else f"{referred.in_words(referral, now, 'UTC')} {a.text}",
            )
            for a, step, of, referral in queue
        ]  # fmt: skip
        show(("pri", "state", "raised (UTC)", "alert", "who", "rule", "time left", "next", "what"), rows, prose=True)
        if now != live:
            typer.echo(f"As of {format_ms(now)}, the last that is stored: no live service runs on this database.")


def _state(alert: "Alert") -> str:
    """`acknowledged, with jo`."""
    state = "withdrawn" if alert.withdrawn else alert.state.replace("_", " ")
    return state if alert.holder is None else f"{state}, with {alert.holder}"
