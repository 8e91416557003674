"""`emcheck register`: checking and showing a file, showing and exporting what is in force."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emcheck.cli.serving import ConfigOption
from emcheck.cli.showing import for_people, show

if TYPE_CHECKING:
    from emcheck.domain.register import Register
    from emcheck.store.sql import SqlStore

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
    typer.echo(f"{path}: good. {_counts(register)}; sha256 {register.sha256()}")


def _counts(register: "Register") -> str:
    return (
        f"{len(register.wearers)} wearers, {len(register.orders)} orders, "
        f"{len(register.installations)} installations, {len(register.fittings)} fittings"
    )


@register_app.command("show")
def register_show(
    path: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A register.json; the one in force where left out.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="What holds at this instant; everything where left out.")] = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Who is monitored: orders with their curfew and what changes it, tags and base units."""
    from emcheck.cli.reading import read_instant, read_register
    from emcheck.present.standing import in_force

    now = read_instant(at, "--at")
    register, name = read_in_force(config) if path is None else (read_register(path), "")
    rows = in_force(register, now)
    if as_json:
        typer.echo(json.dumps({"register": name or register.sha256(), "orders": rows}, indent=1, ensure_ascii=False))
        return
    if not rows:
        typer.echo("No order is in force.")
        return
    apart = "\n" if for_people() else "; "
    rows_shown = [
        (row["wearer"], row["order"], *("; ".join(row[key]) for key in ("tags", "units")), apart.join(row["curfew"]))
        for row in rows
    ]
    show(("wearer", "order", "tags", "base units", "curfew"), rows_shown, prose=True)


@register_app.command("export")
def register_export(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file; standard output where left out.")] = None,
    config: ConfigOption = None,
    force: Annotated[bool, typer.Option("--force", help="Though the file is there.")] = False,
) -> None:
    """Write the register in force, with all that instructions made of it and with personal data, as a file."""
    from emcheck.cli.writing import write_new
    from emcheck.domain.amending import as_text

    register, name = read_in_force(config)
    text = json.dumps(as_text(register.plain(personal=True)), indent=1, ensure_ascii=False) + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    write_new(out, text, force=force)
    typer.echo(f"{out}: {_counts(register)}; in findings it is called {name}")


def read_in_force(config: Path | None) -> "tuple[Register, str]":
    """The register in force with names, and what findings call it."""
    from emcheck.cli.explaining import read_store
    from emcheck.service.enrolment import named_register_in_force

    async def found(store: "SqlStore") -> "tuple[Register, str]":
        return await named_register_in_force(store)

    return read_store(config, found)
