"""Figures and the table they are shown in."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table: `text` is the value with its unit; `reached` is None where there is no target."""

    group: str
    what: str
    value: float
    text: str
    target: str = ""
    reached: bool | None = None


def at_least(group: str, what: str, value: float, target: float, unit: str) -> Figure:
    """A figure that should not be lower."""
    text, wanted = f"{spelt(value)} {unit}", f"at least {spelt(target)} {unit}"
    return Figure(
        group=group, what=what, value=value, text=text.strip(), target=wanted.strip(), reached=value >= target
    )


def at_most(group: str, what: str, value: float, target: float, unit: str) -> Figure:
    """A figure that should not be higher."""
    text, wanted = f"{spelt(value)} {unit}", f"at most {spelt(target)} {unit}"
    return Figure(
        group=group, what=what, value=value, text=text.strip(), target=wanted.strip(), reached=value <= target
    )


def plain(group: str, what: str, value: float, unit: str) -> Figure:
    """A figure without a target."""
    return Figure(group=group, what=what, value=value, text=f"{spelt(value)} {unit}".strip())


def spelt(value: float) -> str:
    """A number in three significant figures or whole."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(figures: Sequence[Figure]) -> Table:
    """All of them, grouped as they came."""
    shown = Table(
        "", "figure", "target", "reached", title="emcheck bench", title_justify="left", box=None, pad_edge=False
    )
    shown.columns[1].justify = shown.columns[2].justify = "right"
    group = ""
    for figure in figures:
        if figure.group != group:
            group = figure.group
            shown.add_row(f"\n[bold]{group}[/]")
        mark = {None: "", True: "[green]yes[/]", False: "[bold red]no[/]"}[figure.reached]
        shown.add_row(f"  {figure.what}", figure.text, figure.target, mark)
    return shown


def as_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """For programs."""
    return [asdict(figure) for figure in figures]
