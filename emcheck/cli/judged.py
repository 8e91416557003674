"""What a replay found: printed, drawn, and compared with what was expected."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer

from emcheck.cli.reading import bad_input, read_text
from emcheck.cli.showing import show, terminal_width
from emcheck.domain.case import Case
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import AddressId, Ms
from emcheck.domain.register import Register
from emcheck.domain.timeline import Stretch
from emcheck.domain.windows import Window
from emcheck.present import lines
from emcheck.present.drawing import cell_of, draw_text, legend
from emcheck.service.replay import Replayed


def print_findings(found: list[Finding], *, as_lines: bool) -> None:
    """A table for people, or lines of JSON for programs."""
    if as_lines:
        sys.stdout.writelines(lines.dump(finding) + "\n" for finding in found)
        return
    if not found:
        typer.echo("No findings.")
        return
    told = [(finding, lines.as_json(finding)) for finding in found]
    rows = [(line["start"], f.rule, f.subject, f.priority, line["text"]) for f, line in told]
    show(("start (UTC)", "rule", "who", "pri", "what"), rows, prose=True)


def print_timeline(result: Replayed, register: Register, *, as_lines: bool) -> None:
    """Each wearer's presence at each address, for as long as tag and unit were there: drawn, or lines of JSON."""
    names = {wearer.wearer_id: wearer.name for wearer in register.wearers}
    drawn: list[_Drawing] = []
    for case in result.engine.cases.values():
        for address in case.addresses:
            sources = case.sources(address)
            known = result.timeline(case.wearer_id, address)
            until = min(result.until, max(source.counts.end for source in sources))
            if as_lines:
                told = lines.intervals(case.wearer_id, address, known, until)
                sys.stdout.writelines(json.dumps(interval) + "\n" for interval in told)
            else:
                began = min(source.counts.start for source in sources)
                who = " ".join(filter(None, (case.wearer_id, names.get(case.wearer_id))))
                drawn += _drawings(who, case, address, known, Span(began, until))
    if drawn:
        cell = cell_of((window for each in drawn for window in each.windows), terminal_width())
        texts = [draw_text(*each[:3], until=each.until, now=result.until, zone=each.zone, cell=cell) for each in drawn]
        sys.stdout.write("\n" + "\n\n".join([*texts, legend(cell)]) + "\n")


class _Drawing(NamedTuple):
    title: str
    known: list[Stretch]
    windows: list[Window]
    until: Ms
    zone: str


def _drawings(who: str, case: Case, address: AddressId, known: list[Stretch], counts: Span) -> Iterator[_Drawing]:
    """A drawing for each order that has had a window at the address in the time that counts."""
    for state in case.orders:
        windows = [
            w for w in state.windows if w.address_id == address and w.start < counts.end and w.end > counts.start
        ]
        if windows:
            title = f"{who}, order {state.order.order_id} at {address}"
            yield _Drawing(title, known, windows, counts.end, state.order.timezone)


def expected(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of findings, as far as they name any fields."""
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


def differs(found: list[Finding], wanted: list[dict[str, Any]]) -> bool:
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
