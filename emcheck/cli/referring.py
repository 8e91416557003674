"""`emcheck alerts refer` and `alerts referrals`: breaches that were reported to the authority or should be."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emcheck.cli.explaining import JsonOption, policies_known, read_store, the_alert
from emcheck.cli.serving import ConfigOption
from emcheck.cli.showing import show, show_lines

if TYPE_CHECKING:
    from emcheck.domain.referrals import Referral
    from emcheck.store.sql import SqlStore


def alerts_refer(
    alerts: Annotated[
        list[str], typer.Argument(metavar="ALERT...", help="The alerts that it rests on, or how they begin.")
    ],
    to: Annotated[str, typer.Option(help="To which authority.")],
    by: Annotated[str, typer.Option(help="Who made it.")],
    order: Annotated[str | None, typer.Option(help="Which order, where the alerts leave a choice.")] = None,
    at: Annotated[str | None, typer.Option(help="When it was made, as 2026-03-25T09:00:00Z, if not now.")] = None,
    reference: Annotated[str | None, typer.Option(help="What the authority calls it.")] = None,
    note: Annotated[str, typer.Option(help="What else is to be known.")] = "",
    config: ConfigOption = None,
) -> None:
    """Record that a breach was reported to the authority."""
    from emcheck.cli.instructing import carry_out

    async def named(store: "SqlStore") -> list[str]:
        return [(await the_alert(store, name)).alert_id for name in alerts]

    alerts = read_store(config, named)
    said: dict[str, Any] = {"type": "referral", "order_id": order or _order_of(alerts, config), "alerts": alerts}
    said |= {"to": to, "by": by, "note": note}
    said |= {key: value for key, value in (("at", at), ("reference", reference)) if value is not None}
    name = f"referral of {', '.join(alerts)}"
    carry_out(said, name=name, what=name, config=config)


def _order_of(names: list[str], config: Path | None) -> str:
    """The one order that the alerts are about."""
    from emcheck.cli.reading import bad_input
    from emcheck.domain.referrals import order_of
    from emcheck.service.enrolment import register_in_force

    async def found(store: "SqlStore") -> set[str]:
        known = {order.order_id: order for order in (await register_in_force(store)).register.orders}
        alerts = [alert for alert in await store.alerts(open_only=False) if alert.alert_id in names]
        return {order.order_id for alert in alerts if (order := order_of(alert, known)) is not None}

    orders = sorted(read_store(config, found))
    if len(orders) != 1:
        what = f"they are about {', '.join(orders)}" if orders else "the alerts name none"
        bad_input(f"--order: {what}; say which order was breached")
    return orders[0]


def remind(name: str, config: Path | None) -> None:
    """Say what is missing where an alert was closed as reported and no referral of it is on record."""
    from emcheck.clock import SystemClock
    from emcheck.present import referred
    from emcheck.service.referring import all_referrals

    policies, now = policies_known(config), SystemClock().now()
    for one in read_store(config, lambda store: all_referrals(store, policies)):
        if one.alert.alert_id == name and one.referred is None:
            said = referred.row(one, now)[-1]
            remedy = f"emcheck alerts refer {name} --to ... --by ...{'' if one.order else ' --order ...'}"
            typer.echo(f"emcheck: {name}: no referral of it is on record. {said} Record it: {remedy}", err=True)


def alerts_referrals(
    everything: Annotated[bool, typer.Option("--all", help="Those that were made, too.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Breaches that are to be referred, the earliest due first."""
    from emcheck.clock import SystemClock
    from emcheck.present import referred
    from emcheck.service.referring import all_referrals

    policies, now = policies_known(config), SystemClock().now()

    async def asked(store: "SqlStore") -> "list[Referral]":
        return await all_referrals(store, policies)

    found = [one for one in read_store(config, asked) if everything or one.referred is None]
    if as_json:
        show_lines(referred.plain(one, now) for one in found)
    elif not found:
        typer.echo("No breach waits to be referred.")
    else:
        show(("alert", "rule", "order", "breach"), [referred.row(one, now) for one in found], prose=True)
