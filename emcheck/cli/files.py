"""`emcheck register`, `emcheck schema`: checking and showing the files people write."""

import json
from pathlib import Path
from typing import Annotated

import typer

from emcheck.cli.showing import show

register_app = typer.Typer(help="What should be monitored.", no_args_is_help=True)


@register_app.command("check")
def register_check(
    path: Annotated[Path, typer.Argument(help="A register.json.")],
    policy: Annotated[str | None, typer.Option(help="Limits of orders; England & Wales where left out.")] = None,
) -> None:
    """Say whether a register can be used; warn of orders beyond a limit; exit 2 and one line if it is refused."""
    from emcheck.cli.reading import heed_limits, read_policy, read_register

    register = read_register(path)
    heed_limits(register, read_policy(policy), path)
    typer.echo(
        f"{path}: good. {len(register.wearers)} wearers, {len(register.orders)} orders, "
        f"{len(register.installations)} installations, {len(register.fittings)} fittings; sha256 {register.sha256()}"
    )


@register_app.command("show")
def register_show(
    path: Annotated[Path, typer.Argument(help="A register.json.")],
    at: Annotated[str | None, typer.Option(help="What is in force at this instant; everything where left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Who is monitored: orders with their curfew, tags and base units."""
    from emcheck.cli.reading import read_instant, read_register
    from emcheck.present.standing import in_force

    register, now = read_register(path), read_instant(at, "--at")
    rows = in_force(register, now)
    if as_json:
        typer.echo(json.dumps({"register": register.sha256(), "orders": rows}, indent=1, ensure_ascii=False))
        return
    if not rows:
        typer.echo("No order is in force.")
        return
    show(
        ("wearer", "order", "curfew", "tags", "base units"),
        [(row["wearer"], row["order"], *("; ".join(row[key]) for key in ("curfew", "tags", "units"))) for row in rows],
    )


def _schema_names() -> list[str]:
    from emcheck.service.published import NAMES

    return list(NAMES)


def schema(
    name: Annotated[
        str,
        typer.Argument(help="As `register` or `asyncapi`; any other word lists them.", autocompletion=_schema_names),
    ],
) -> None:
    """Print the JSON Schema of a format, or AsyncAPI 3 of everything on MQTT."""
    from emcheck.cli.reading import bad_input
    from emcheck.service.published import NAMES, published

    if name not in NAMES:
        bad_input(f"no schema {name!r}; there are {', '.join(NAMES)}")
    typer.echo(json.dumps(published(name), indent=1, ensure_ascii=False))
