"""`emcheck alerts act`: an operator's word about an alert, from the command line."""

from typing import Annotated

import typer

from emcheck.cli.serving import ConfigOption


def alerts_act(
    alert: Annotated[str, typer.Argument(help="The alert's id, or how it begins.")],
    act: Annotated[str, typer.Argument(help="acknowledge, confirm, shelve or close.")],
    by: Annotated[str, typer.Option(help="Who says so.")],
    config: ConfigOption = None,
    until: Annotated[str | None, typer.Option(help="Until when it is shelved, as 2026-03-25T07:00:00Z.")] = None,
    disposition: Annotated[str | None, typer.Option(help="Why it is closed, as equipment_fault.")] = None,
    note: Annotated[str, typer.Option(help="What else is to be known.")] = "",
) -> None:
    """Acknowledge, confirm, shelve or close an alert of the running service."""
    from emcheck.cli.explaining import read_store, the_alert
    from emcheck.cli.instructing import carry_out
    from emcheck.cli.referring import remind

    alert = read_store(config, lambda store: the_alert(store, alert)).alert_id
    said = {"type": "alert", "alert_id": alert, "act": act, "by": by, "note": note}
    said |= {key: value for key, value in (("until", until), ("disposition", disposition)) if value is not None}
    name = f"{alert} {act}"
    carry_out(said, name=name, what=name, config=config)
    if disposition == "breach_reported":
        remind(alert, config)
