"""`emcheck alerts act`: an operator's word about an alert, from the command line."""

from typing import Annotated

import typer

from emcheck.cli.serving import ConfigOption

_ACTS = "acknowledge, confirm, shelve, close, claim, hand-over, note, escalate or undo."


def alerts_act(
    alert: Annotated[str, typer.Argument(help="The alert's id, or how it begins.")],
    act: Annotated[str, typer.Argument(help=_ACTS)],
    by: Annotated[str, typer.Option(help="Who says so.")],
    config: ConfigOption = None,
    until: Annotated[str | None, typer.Option(help="With shelve: until when, as 2026-03-25T07:00:00Z.")] = None,
    disposition: Annotated[
        str | None,
        typer.Option(
            help="With close: why; authorised_absence, equipment_fault, wearer_contacted_and_returned, "
            "wearer_contacted_and_refused, no_answer, breach_reported, test_or_visit or false."
        ),
    ] = None,
    to: Annotated[str | None, typer.Option(help="With hand-over: who has it then.")] = None,
    note: Annotated[str, typer.Option(help="What else is to be known; with escalate: why.")] = "",
) -> None:
    """What you do about an alert of the running service. undo takes back what you did last, for a few minutes."""
    from emcheck.cli.explaining import read_store, the_alert
    from emcheck.cli.instructing import carry_out
    from emcheck.cli.referring import remind

    alert = read_store(config, lambda store: the_alert(store, alert)).alert_id
    said = {"type": "alert", "alert_id": alert, "act": act.replace("-", "_"), "by": by, "note": note}
    more = {"until": until, "disposition": disposition, "to": to}
    said |= {key: value for key, value in more.items() if value is not None}
    name = f"{alert} {act}"
    carry_out(said, name=name, what=name, config=config)
    if disposition == "breach_reported":
        remind(alert, config)
