"""What two policies make of one stream: judged twice, printed side by side."""

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from emcheck.cli.progressing import progress
from emcheck.cli.reading import bad_input
from emcheck.cli.showing import show
from emcheck.domain.policy import Policy, PolicyError
from emcheck.domain.register import Register
from emcheck.present import comparing
from emcheck.present.comparing import Difference, differences
from emcheck.service.replay import replay
from emcheck.service.stream import Line, StreamError, read_stream


def judged_twice(
    stream: str, register: Register, policies: tuple[Policy, Policy], others: Sequence[Policy] = ()
) -> list[Difference]:
    """How the findings of a stream differ between two policies; bad input is a line and exit code 2.

    Each judges all of it: what the stream says was published meanwhile is left aside. `others` are those that orders
    name.
    """
    if stream == "-":
        bad_input("--stream: a stream that is judged twice must be a file")
    found = []
    for policy in policies:
        try:
            with progress() as on_line:
                lines = (line for line in read_stream(stream) if not _publishes(line))
                beside = [other for other in others if other.name != policy.name]
                result = replay(lines, register, policy, others=beside, name=stream, on_line=on_line)
                found.append(result.findings)
        except StreamError as error:
            bad_input(error)
        except PolicyError as error:
            bad_input(f"--policy: {error}")
    return differences(*found)


def _publishes(line: Line) -> bool:
    return line.kind == "instruction" and isinstance(line.payload, dict) and line.payload.get("type") == "policy"


def names_of(policies: tuple[Policy, Policy], paths: tuple[Path, Path]) -> tuple[str, str]:
    """What the two are called: name and version, or the files' names where two contents have one, with a warning."""
    before, after = policies
    if before.label != after.label or before.sha256 == after.sha256:
        return before.label, after.label
    told = f"both are {after.label} but differ in content; give {paths[1]} another version"
    typer.echo(f"emcheck: warning: {paths[0]} and {paths[1]}: {told}", err=True)
    return str(paths[0]), str(paths[1])


def print_differences(
    names: tuple[str, str],
    thresholds: list[tuple[str, str, str]],
    found: list[Difference],
    *,
    judged: bool,
    as_json: bool,
) -> None:
    """Tables for people, one object for programs."""
    before, after = names
    keys = [key for key, _, _ in thresholds]
    if as_json:
        told = {
            "before": before,
            "after": after,
            "thresholds": {key: {"before": old, "after": new} for key, old, new in thresholds},
            "findings": [comparing.as_json(difference, keys) for difference in found] if judged else None,
        }
        typer.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    if thresholds:
        show(("threshold", before, after), thresholds)
    else:
        typer.echo(f"{before} and {after} have the same thresholds.")
    if judged:
        typer.echo()
        _print_found(found, keys, before, after)


def _print_found(found: list[Difference], keys: list[str], before: str, after: str) -> None:
    if not found:
        typer.echo("The stream is judged alike under both.")
        return
    rows = []
    for difference in found:
        line = difference.either
        who = line.get("wearer_id") or line.get("unit") or ""
        why = ", ".join(comparing.because(difference, keys))
        rows.append((line["start"], line["rule"], who, _what(difference, before, after), why))
    show(("start (UTC)", "rule", "who", "difference", "by the thresholds"), rows)


def _what(difference: Difference, before: str, after: str) -> str:
    if difference.after is None:
        return f"only under {before}: {difference.either['text']}"
    if difference.before is None:
        return f"only under {after}: {difference.either['text']}"
    return "; ".join(f"{key} {_said(old)} -> {_said(new)}" for key, (old, new) in difference.changed.items())


def _said(value: object) -> str:
    return "none" if value is None else str(value)
