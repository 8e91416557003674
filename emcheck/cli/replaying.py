"""`emcheck replay`: findings of a recorded stream, to the letter of the formats contract."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How findings are printed."""

    TABLE = "table"
    JSONL = "jsonl"


def replay(
    stream: Annotated[str, typer.Argument(help="A .jsonl or .jsonl.gz stream, or - for standard input.")],
    register: Annotated[Path, typer.Option(help="The register: what should be monitored.")],
    policy: Annotated[
        list[str] | None,
        typer.Option(help="A policy's file, or a shipped one's name; the first is the service's own; repeatable."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Judge as at this instant; the last line's where left out.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="A table for people, jsonl for programs.")] = Format.TABLE,
    expect: Annotated[Path | None, typer.Option(help="Compare with these findings on the fields they name.")] = None,
    timeline: Annotated[bool, typer.Option("--timeline", help="Print the intervals of presence too.")] = False,
) -> None:
    """Judge a recorded stream as the live service would have. Exit 1 if --expect differs, 2 on bad input."""
    from emcheck.cli import judged
    from emcheck.cli.progressing import progress
    from emcheck.cli.reading import bad_input, read_instant, read_policy, read_register
    from emcheck.domain.policy import PolicyError
    from emcheck.present import lines
    from emcheck.service.replay import replay as judge
    from emcheck.service.stream import StreamError, read_stream

    known = read_register(register)
    own, *others = [read_policy(named) for named in policy or ["england-wales"]]
    at = read_instant(until, "--until")
    wanted = judged.expected(expect) if expect is not None else None
    try:
        with progress() as on_line:
            result = judge(
                read_stream(stream), known, own, others=others, until=at, name=stream, on_line=on_line,
                whole_timeline=timeline,
            )  # fmt: skip
    except PolicyError as error:
        bad_input(f"--policy, {register}: {error}")
    except StreamError as error:
        bad_input(error)
    if not result.lines:
        typer.echo(f"emcheck: nothing was judged: {_why_nothing(stream, until)}", err=True)
    found = lines.in_order(result.findings)
    judged.print_findings(found, as_lines=format_ is Format.JSONL)
    if timeline:
        judged.print_timeline(result, known, as_lines=format_ is Format.JSONL)
    if wanted is not None and judged.differs(found, wanted):
        raise typer.Exit(1)


def _why_nothing(stream: str, until: str | None) -> str:
    name = "standard input" if stream == "-" else stream
    if until is None:
        return f"{name} holds no lines; name a stream that does"
    return f"{name} holds no line received until {until}; name a later --until"
