"""`emcheck register`, `emcheck policy`, `emcheck schema`: checking and showing the files people write."""

import json
from pathlib import Path
from typing import Annotated

import typer

from emcheck.cli.showing import show

register_app = typer.Typer(help="What should be monitored.", no_args_is_help=True)
policy_app = typer.Typer(help="Thresholds with their sources.", no_args_is_help=True)


@register_app.command("check")
def register_check(
    path: Annotated[Path, typer.Argument(help="A register.json.")],
    policy: Annotated[Path | None, typer.Option(help="Limits of orders; England & Wales where left out.")] = None,
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


@policy_app.command("check")
def policy_check(path: Annotated[Path, typer.Argument(help="A policy .toml.")]) -> None:
    """Say whether a policy can be used; exit 2 and one line if not."""
    from emcheck.cli.reading import read_policy

    policy = read_policy(path)
    unsigned = sum(1 for threshold in policy.thresholds.values() if threshold.sign_off)
    typer.echo(f"{path}: good. {policy.label}, {len(policy.thresholds)} thresholds, {unsigned} to be signed off")


@policy_app.command("show")
def policy_show(
    path: Annotated[Path | None, typer.Argument(help="A policy .toml; England & Wales where left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Every threshold with its unit, reason and source."""
    from emcheck.cli.reading import read_policy

    policy = read_policy(path)
    rows = {key: {f: getattr(t, f) for f in t.__slots__} for key, t in sorted(policy.thresholds.items())}
    if as_json:
        typer.echo(json.dumps({"policy": policy.label, "sha256": policy.sha256, "thresholds": rows}, indent=1))
        return
    shown = []
    for key, row in rows.items():
        value = row["value"]
        words = str(value).lower() if isinstance(value, bool) else f"{value} {row['unit']}"
        shown.append((key, words, str(row["reason"]), str(row["source"])))
    show(("threshold", "value", "reason", "source"), shown, title=policy.label)


@policy_app.command("diff")
def policy_diff(
    before: Annotated[Path, typer.Argument(help="A policy .toml.")],
    after: Annotated[Path, typer.Argument(help="Another one.")],
    stream: Annotated[
        str | None, typer.Option(help="Judge this stream under both: what would have been found otherwise.")
    ] = None,
    register: Annotated[Path | None, typer.Option(help="The register that the stream is judged by.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Which thresholds differ, and what a recorded month would have been under the other. Exit 1 if anything does."""
    from emcheck.cli.comparing import judged_twice, names_of, print_differences
    from emcheck.cli.reading import bad_input, read_policy, read_register
    from emcheck.present import comparing

    if (stream is None) is not (register is None):
        bad_input("--stream and --register go together: a stream is judged by a register")
    policies = read_policy(before), read_policy(after)
    differing = comparing.thresholds(*policies)
    found = [] if stream is None or register is None else judged_twice(stream, read_register(register), policies)
    names = names_of(policies, (before, after))
    print_differences(names, differing, found, judged=stream is not None, as_json=as_json)
    if differing or found:
        raise typer.Exit(1)


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
