"""`emcheck instruct`, `instructions` and `export`: what the decision loop is told, and all that it was ever told."""

from pathlib import Path
from typing import Annotated, Any

import typer

from emcheck.cli.serving import ConfigOption, refuse_if_missing, settings_of
from emcheck.cli.showing import for_people, show, show_lines

instructions_app = typer.Typer(help="What the service was told, and taking it back.", no_args_is_help=True)
_WAIT_S = 10.0
_DETAILS = ("alert", "fitting_answer", "fitting_mark")
"""What operators did about alerts, and fitters in a visit: many, and listed elsewhere."""


def instruct(
    path: Annotated[str, typer.Argument(help="An instruction (see `emcheck schema stream`), - for standard input.")],
    config: ConfigOption = None,
    wait_s: Annotated[float, typer.Option("--wait", help="How many seconds to wait for the service.", min=0)] = _WAIT_S,
) -> None:
    """Tell the service of a variation, an absence, a swap: it is judged by from then on, and kept for ever."""
    import json

    from emcheck.cli.reading import bad_input, read_named

    text, name = read_named(path)
    try:
        raw: Any = json.loads(text)
    except json.JSONDecodeError as error:
        bad_input(f"{name}: not JSON: {error.msg} in line {error.lineno}; an instruction is one JSON object: {{...}}")
    carry_out(raw, name=name, config=config, wait_s=wait_s)


def carry_out(raw: Any, *, name: str, config: Path | None, wait_s: float = _WAIT_S, what: str | None = None) -> None:
    """Post an instruction and say what became of it; what is wrong with it is a line and exit code 2.

    `name` is what it was read from, or what was asked for; `what` it is called where that is not its type.
    """
    import asyncio

    from emcheck.cli.reading import bad_input
    from emcheck.domain.instructions import InstructionError, parse_instruction
    from emcheck.ports import StoreError
    from emcheck.service.mailing import post

    try:
        act = parse_instruction(raw)
        settings = settings_of(config)
        refuse_if_missing(settings)
        outcome = asyncio.run(post(settings, raw, wait_s=wait_s))
    except InstructionError as error:
        bad_input(f"{name}: {error}")
    except StoreError as error:
        bad_input(f"{error}; {error.remedy}")
    what = what or act.type
    if outcome is None:
        typer.echo(f"{what}: posted; no service took it within {wait_s:.0f} s, the next one that runs will")
    elif outcome.startswith("done"):
        typer.echo(f"{what}: {outcome}")
    else:
        bad_input(f"{name}: {outcome}")


@instructions_app.command("list")
def instructions_list(
    order: Annotated[str | None, typer.Option(help="Only what is about this order.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="What operators did about alerts and fitters in visits, too.")
    ] = False,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What the service was told, by whom, when and what became of it; refusals of the last day and what waits, too."""
    from emcheck.cli.explaining import read_store
    from emcheck.present.instructed import plain, row
    from emcheck.service.given import given

    told = [plain(*one) for one in read_store(config, given)]
    found = [
        line
        for line in told
        if (order is None or line["order_id"] == order) and (everything or line["type"] not in _DETAILS)
    ]
    if as_json:
        show_lines(found)
    elif not found:
        typer.echo("Nothing was instructed.")
    else:
        apart = "\n" if for_people() else ": "
        rows = [row(line, apart) for line in found]
        show(("number", "given (UTC)", "by", "what, and what became of it"), rows, prose=True)


@instructions_app.command("revoke")
def instructions_revoke(
    number: Annotated[int, typer.Argument(help="Its number in `emcheck instructions list`.")],
    by: Annotated[str, typer.Option(help="Who says so.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    since: Annotated[
        str | None, typer.Option("--from", help="Where it should have begun, as 2026-03-25T19:00; with --until.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Where it should have ended.")] = None,
    config: ConfigOption = None,
) -> None:
    """Take back leave, a suspension or a variation, or give leave its right times. What was entered stays on record."""
    from emcheck.cli.explaining import read_store
    from emcheck.cli.reading import bad_input
    from emcheck.domain.instructions import InstructionError
    from emcheck.service.given import revocation

    if (since is None) is not (until is None):
        bad_input("--from and --until go together: they are the times that are right")
    instead = None if since is None or until is None else (since, until)
    try:
        said = read_store(config, lambda store: revocation(store, number, by=by, reason=reason, instead=instead))
    except InstructionError as error:
        bad_input(f"{number}: {error}")
    name = f"revocation of {number}"
    carry_out(said, name=name, what=name, config=config)


def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="The stream, .jsonl or .jsonl.gz.")],
    config: ConfigOption = None,
    force: Annotated[bool, typer.Option("--force", help="Though the file is there.")] = False,
) -> None:
    """Write the inbox as a stream that `emcheck replay` judges as the service did, with the register loaded first."""
    import asyncio

    from emcheck.cli.reading import bad_input
    from emcheck.cli.writing import refuse_if_there
    from emcheck.ports import StoreError
    from emcheck.service.mailing import export_stream

    settings = settings_of(config)
    refuse_if_missing(settings)
    if not force:
        refuse_if_there(out)
    try:
        lines = asyncio.run(export_stream(settings, out, force=force))
    except StoreError as error:
        bad_input(f"{error}; {error.remedy}")
    except OSError as error:
        bad_input(f"{out}: {error.strerror}; name a file that can be written with --out")
    typer.echo(
        f"{out}: {lines} lines. Judge them with the register that was loaded first{_first_register(config)}: "
        f"emcheck replay {out} --register FILE; what was loaded or instructed later is in the stream"
    )


def _first_register(config: Path | None) -> str:
    """What it is called, and when it was loaded, to be told from others."""
    from emcheck.cli.explaining import read_store
    from emcheck.domain.instants import format_ms

    loaded = read_store(config, lambda store: store.registers())
    return f" (sha256 {loaded[0].sha256}, at {format_ms(loaded[0].loaded_at)})" if loaded else ""
