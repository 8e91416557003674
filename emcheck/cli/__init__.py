"""The command line: thin commands over the service.

Exit codes: 0 well; 1 a difference was found; 2 bad input or usage, named in one line.
"""

import typer

from emcheck import __version__
from emcheck.cli import (
    attending,
    auditing,
    body,
    demo,
    doctor,
    explaining,
    files,
    fitting,
    instructing,
    orders,
    policies,
    quarantine,
    queue,
    referring,
    registers,
    replaying,
    serving,
    simulating,
    stats,
    users,
)
from emcheck.cli.usage import OneLineGroup

app = typer.Typer(
    name="emcheck",
    cls=OneLineGroup,
    help="Curfew checker for electronic monitoring: tag events in, alerts with reasons out.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("simulate")(simulating.simulate)
app.command("doctor")(doctor.doctor)
app.command("replay")(replaying.replay)
app.command("demo")(demo.demo)
app.command("serve")(serving.serve_command)
app.command("instruct")(instructing.instruct)
app.command("export")(instructing.export)
registers.register_app.command("load")(serving.register_load)
config_app = typer.Typer(help="The settings of this installation.", no_args_is_help=True)
config_app.command("show")(serving.config_show)
alerts_app = typer.Typer(help="The monitoring queue.", no_args_is_help=True)
alerts_app.command("watch")(serving.alerts_watch)
alerts_app.command("list")(queue.alerts_list)
alerts_app.command("audit")(auditing.alerts_audit)
alerts_app.command("act")(attending.alerts_act)
alerts_app.command("refer")(referring.alerts_refer)
alerts_app.command("referrals")(referring.alerts_referrals)
app.command("explain")(explaining.explain)
app.command("stats")(stats.stats)
store_app = typer.Typer(help="The database.", no_args_is_help=True)
store_app.command("confirm")(serving.store_confirm)
app.add_typer(instructing.instructions_app, name="instructions")
app.add_typer(store_app, name="store")
app.add_typer(config_app, name="config")
app.add_typer(alerts_app, name="alerts")
app.add_typer(registers.register_app, name="register")
app.add_typer(orders.order_app, name="order")
app.add_typer(policies.policy_app, name="policy")
app.add_typer(body.body_app, name="body")
app.add_typer(users.user_app, name="user")
app.add_typer(fitting.fit_app, name="fit")
app.add_typer(quarantine.quarantine_app, name="quarantine")
app.command("schema")(files.schema)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"emcheck {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=False)
def _root(
    version: bool = typer.Option(
        False, "--version", help="Print the version and leave.", is_eager=True, callback=_version
    ),
) -> None:
    """Exit codes: 0 well; 1 a difference was found; 2 bad input or usage, named in one line."""


def main() -> None:
    """Entry point of the `emcheck` script."""
    app()
