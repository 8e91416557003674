"""`emcheck register`, `emcheck policy`, `emcheck schema`: checking and showing the files people write."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from emcheck.cli.reading import bad_input, read_policy, read_register
from emcheck.domain.register import Register
from emcheck.wire.codec import envelope_schema

register_app = typer.Typer(help="What should be monitored.", no_args_is_help=True)
policy_app = typer.Typer(help="Thresholds with their sources.", no_args_is_help=True)


@register_app.command("check")
def register_check(path: Annotated[Path, typer.Argument(help="A register.json.")]) -> None:
    """Say whether a register can be used; exit 2 and one line if not."""
    register = read_register(path)
    typer.echo(
        f"{path}: good. {len(register.wearers)} wearers, {len(register.orders)} orders, "
        f"{len(register.installations)} installations, {len(register.fittings)} fittings; sha256 {register.sha256()}"
    )


@policy_app.command("check")
def policy_check(path: Annotated[Path, typer.Argument(help="A policy .toml.")]) -> None:
    """Say whether a policy can be used; exit 2 and one line if not."""
    policy = read_policy(path)
    unsigned = sum(1 for threshold in policy.thresholds.values() if threshold.sign_off)
    typer.echo(f"{path}: good. {policy.label}, {len(policy.thresholds)} thresholds, {unsigned} to be signed off")


@policy_app.command("show")
def policy_show(
    path: Annotated[Path | None, typer.Argument(help="A policy .toml; England & Wales where left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Every threshold with its unit, reason and source."""
    policy = read_policy(path)
    rows = {key: {f: getattr(t, f) for f in t.__slots__} for key, t in sorted(policy.thresholds.items())}
    if as_json:
        typer.echo(json.dumps({"policy": policy.label, "sha256": policy.sha256, "thresholds": rows}, indent=1))
        return
    table = Table("threshold", "value", "reason", "source", title=policy.label, box=None)
    for key, row in rows.items():
        value = row["value"]
        shown = str(value).lower() if isinstance(value, bool) else f"{value} {row['unit']}"
        table.add_row(key, shown, str(row["reason"]), str(row["source"]))
    Console().print(table)


def schema(name: Annotated[str, typer.Argument(help="register or envelope.")]) -> None:
    """Print the JSON Schema of a format."""
    schemas = {"register": lambda: Register.model_json_schema(by_alias=True), "envelope": envelope_schema}
    if name not in schemas:
        bad_input(f"no schema {name!r}; there are {', '.join(sorted(schemas))}")
    typer.echo(json.dumps(schemas[name](), indent=1))
