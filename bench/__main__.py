"""`make bench`: every figure that emcheck is held to, measured side by side in one run on this machine."""

import argparse
import json
import os
import platform
from collections.abc import Callable, Iterator

from rich.console import Console

from bench import alerting, console, crowd, memory, pipeline, replaying, searching
from bench.figures import Figure, as_json, table
from bench.progress import Say, teller

MEASUREMENTS: dict[str, Callable[[Say], Iterator[Figure]]] = {
    "replay": replaying.measure,
    "memory": memory.measure,
    "pipeline": pipeline.measure,
    "alerting": alerting.measure,
    "crowd": crowd.measure,
    "console": console.measure,
    "searching": searching.measure,
}

_WIDTH = 130
"""Where the output is no terminal."""


def main() -> None:
    """Run what is asked for and print one table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("which", nargs="*", metavar="MEASUREMENT", help=f"all, or of {', '.join(MEASUREMENTS)}")
    parser.add_argument("--json", action="store_true", help="figures for programs")
    asked = parser.parse_args()
    if unknown := set(asked.which) - set(MEASUREMENTS):
        parser.error(f"{', '.join(sorted(unknown))}: not known; there are {', '.join(MEASUREMENTS)}")
    say, figures, load = teller(), [], os.getloadavg()[0]
    for name in asked.which or MEASUREMENTS:
        figures += list(MEASUREMENTS[name](say))
    if asked.json:
        print(json.dumps(as_json(figures), indent=1))
        return
    shown = Console()
    if not shown.is_terminal:
        shown = Console(width=_WIDTH)
    shown.print(table(figures))
    cores = os.cpu_count() or 1
    shown.print(f"\n{platform.machine()}, {cores} cores, Python {platform.python_version()}; medians of turns.")
    if load > cores / 2:
        shown.print(f"Others were at work here (load {load:.1f} before we began): ratios hold, other figures are low.")


if __name__ == "__main__":
    main()
