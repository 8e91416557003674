"""`emcheck simulate`: a scenario into files that `emcheck replay` reads, with the truth beside them."""

import json
from pathlib import Path
from typing import Annotated

import typer

from emcheck.shipped import shipped_config


def scenario_path(name: str) -> Path:
    """A scenario file: one named, or one that comes with emcheck."""
    if name.endswith(".toml"):
        return Path(name)
    folder = shipped_config() / "scenarios"
    path = folder / f"{name}.toml"
    if not path.exists():
        from emcheck.cli.reading import bad_input

        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        bad_input(f"no scenario {name!r}; there are {known}, or name a file")
    return path


def simulate(
    scenario: Annotated[str, typer.Argument(help="A scenario: a name from config/scenarios, or a .toml file.")],
    out: Annotated[Path, typer.Option(help="The folder for stream.jsonl.gz, register.json and truth.jsonl.")],
    seed: Annotated[int | None, typer.Option(help="Another run of the same scenario.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Though the files are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Simulate a town without a broker, fast. The same seed gives the same bytes."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from emcheck.cli.reading import bad_input
    from emcheck.cli.writing import refuse_if_there
    from firmware_sim.run import SIMULATED, simulate_to_stream
    from firmware_sim.scenario import ScenarioError, load_scenario

    try:
        plan = load_scenario(scenario_path(scenario))
    except ScenarioError as error:
        bad_input(error)
    for name in SIMULATED:
        if not force:
            refuse_if_there(out / name)
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("simulating"), BarColumn(), console=console, transient=True, disable=not console.is_terminal
    )
    task = progress.add_task("simulating", total=plan.end_ms - plan.start_ms)
    try:
        with progress:
            files = simulate_to_stream(
                plan, seed, out, progress=lambda now: progress.update(task, completed=now - plan.start_ms)
            )
    except OSError as error:
        bad_input(f"--out {out}: {error.strerror}; name a folder that can be made and written")
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "stream": str(files.stream),
                    "register": str(files.register),
                    "truth": str(files.truth),
                    "messages": files.messages,
                }
            )
        )
        return
    typer.echo(f"{files.messages:,} messages in {files.stream}; what people really did in {files.truth}")
    typer.echo(f"Judge them: emcheck replay {files.stream} --register {files.register} --timeline")
