"""`emcheck instruct` and `emcheck export`: what the decision loop is told, and all that it was ever told."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from emcheck.cli.serving import ConfigOption, settings_of

_WAIT_S = 10.0


def instruct(
    path: Annotated[str, typer.Argument(help="An instruction (see `emcheck schema stream`), - for standard input.")],
    config: ConfigOption = None,
    wait_s: Annotated[float, typer.Option("--wait", help="How many seconds to wait for the service.", min=0)] = _WAIT_S,
) -> None:
    """Tell the service of a variation, an absence, a swap: it is judged by from then on, and kept for ever."""
    import json

    from emcheck.cli.reading import bad_input, read_text

    name = "standard input" if path == "-" else path
    try:
        raw: Any = json.loads(sys.stdin.read() if path == "-" else read_text(Path(path)))
    except json.JSONDecodeError as error:
        bad_input(f"{name}: not JSON: {error.msg} in line {error.lineno}; an instruction is one JSON object: {{...}}")
    carry_out(raw, name=name, config=config, wait_s=wait_s)


def carry_out(raw: Any, *, name: str, config: Path | None, wait_s: float = _WAIT_S) -> None:
    """Post an instruction and say what became of it; what is wrong with it is a line and exit code 2."""
    import asyncio

    from emcheck.cli.reading import bad_input
    from emcheck.domain.instructions import InstructionError, parse_instruction
    from emcheck.ports import StoreError
    from emcheck.service.mailing import post

    try:
        act = parse_instruction(raw)
        outcome = asyncio.run(post(settings_of(config), raw, wait_s=wait_s))
    except InstructionError as error:
        bad_input(f"{name}: {error}")
    except StoreError as error:
        bad_input(f"{error}. {error.remedy}")
    what = name if act.type == "alert" else act.type
    if outcome is None:
        typer.echo(f"{what}: posted; no service took it within {wait_s:.0f} s, the next one that runs will")
    elif outcome.startswith("done"):
        typer.echo(f"{what}: {outcome}")
    else:
        bad_input(f"{name}: {outcome}")


def export(
    out: Annotated[Path, typer.Option("--out", help="The stream, .jsonl or .jsonl.gz.")], config: ConfigOption = None
) -> None:
    """Write the inbox as a stream that `emcheck replay` judges as the service did."""
    import asyncio

    from emcheck.cli.reading import bad_input
    from emcheck.ports import StoreError
    from emcheck.service.mailing import export_stream

    try:
        lines = asyncio.run(export_stream(settings_of(config), out))
    except StoreError as error:
        bad_input(f"{error}. {error.remedy}")
    except FileExistsError:
        bad_input(f"{out}: is there already; name another file with --out")
    except OSError as error:
        bad_input(f"{out}: {error.strerror}; name a file that can be written with --out")
    typer.echo(f"{out}: {lines} lines")
