"""`emcheck replay`: findings of a recorded stream, to the letter of the formats contract."""

import json
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from emcheck.cli.reading import bad_input, read_instant, read_policy, read_register, read_text
from emcheck.cli.showing import show
from emcheck.domain.findings import Finding
from emcheck.present import lines
from emcheck.present.drawing import draw_text
from emcheck.service.replay import Replayed
from emcheck.service.replay import replay as judge
from emcheck.service.stream import StreamError, read_stream


class Format(StrEnum):
    """How findings are printed."""

    TABLE = "table"
    JSONL = "jsonl"


def replay(
    stream: Annotated[str, typer.Argument(help="A .jsonl or .jsonl.gz stream, or - for standard input.")],
    register: Annotated[Path, typer.Option(help="The register: what should be monitored.")],
    policy: Annotated[Path | None, typer.Option(help="Thresholds; England & Wales where left out.")] = None,
    until: Annotated[str | None, typer.Option(help="Judge as at this instant; the last line's where left out.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="A table for people, jsonl for programs.")] = Format.TABLE,
    expect: Annotated[Path | None, typer.Option(help="Compare with these findings on the fields they name.")] = None,
    timeline: Annotated[bool, typer.Option("--timeline", help="Print the intervals of presence too.")] = False,
) -> None:
    """Judge a recorded stream as the live service would have. Exit 1 if --expect differs, 2 on bad input."""
    known, thresholds = read_register(register), read_policy(policy)
    at = read_instant(until, "--until")
    wanted = _expected(expect) if expect is not None else None
    try:
        with _progress() as on_line:
            result = judge(
                read_stream(stream), known, thresholds, until=at, name=stream, on_line=on_line, whole_timeline=timeline
            )
    except StreamError as error:
        bad_input(error)
    found = lines.in_order(result.findings)
    _print(found, format_)
    if timeline:
        _print_timeline(result, format_)
    if wanted is not None and _differs(found, wanted):
        raise typer.Exit(1)


class _progress:  # noqa: N801 - used as a context manager, named like a function
    """A progress line on stderr where that is a terminal; nothing where it is not."""

    def __enter__(self) -> Callable[[int], None]:
        console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(), TextColumn("judging"), TextColumn("{task.completed:,} lines"), TimeElapsedColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        task = self._progress.add_task("judging", total=None)
        self._progress.start()
        return lambda number: self._progress.update(task, completed=number) if number % 1000 == 0 else None

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _print(found: list[Finding], format_: Format) -> None:
    if format_ is Format.JSONL:
        sys.stdout.writelines(lines.dump(finding) + "\n" for finding in found)
        return
    table = Table("start (UTC)", "rule", "who", "pri", "what", box=None, pad_edge=False)
    for finding in found:
        line = lines.as_json(finding)
        table.add_row(line["start"], finding.rule, finding.subject, finding.priority, line["text"])
    show(table if found else "No findings.")


def _print_timeline(result: Replayed, format_: Format) -> None:
    for case in result.engine.cases.values():
        for address in case.sources:
            known = result.timeline(case.wearer_id, address)
            windows = [w for state in case.orders for w in state.windows if w.address_id == address]
            if format_ is Format.JSONL:
                for interval in lines.intervals(case.wearer_id, address, known, result.until):
                    sys.stdout.write(json.dumps(interval) + "\n")
            else:
                zone = case.orders[0].order.timezone
                sys.stdout.write(draw_text(case.wearer_id, known, windows, until=result.until, zone=zone) + "\n")


def _expected(path: Path) -> list[dict[str, Any]]:
    wanted = []
    for number, text in enumerate(read_text(path).splitlines(), start=1):
        if text.strip():
            try:
                line = json.loads(text)
            except ValueError as error:
                bad_input(f"{path}: line {number}: not JSON: {error}")
            if not isinstance(line, dict) or "rule" not in line:
                bad_input(f"{path}: line {number}: rule: missing; a finding names its rule")
            wanted.append(line)
    return wanted


def _differs(found: list[Finding], wanted: list[dict[str, Any]]) -> bool:
    """Compare on the fields the expected lines name, within the rules they name; print what differs."""
    rules = {line["rule"] for line in wanted}
    left = [lines.as_json(finding) for finding in found if finding.rule in rules]
    missing = []
    for line in wanted:
        match = next((f for f in left if all(f.get(key) == value for key, value in line.items())), None)
        if match is None:
            missing.append(line)
        else:
            left.remove(match)
    for line in missing:
        typer.echo(f"- expected, not found: {json.dumps(line)}", err=True)
    for line in left:
        typer.echo(f"+ found, not expected: {json.dumps(line)}", err=True)
    typer.echo(f"emcheck: {len(wanted) - len(missing)} of {len(wanted)} as expected, {len(left)} more", err=True)
    return bool(missing or left)
