"""`emcheck body`: what a tag's readings say of where it is, as a table for programs and as a drawing."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from emcheck.domain.body import Judgement, Sample

body_app = typer.Typer(help="Whether a tag is on a living limb.", no_args_is_help=True)

SamplesFile = Annotated[str, typer.Argument(metavar="FILE", help="Body samples as CSV, or - for standard input.")]
Bias = Annotated[
    float | None,
    typer.Option(
        "--bias-c",
        min=-5,
        max=5,
        help="What the skin-side sensor reads above the ambient one off the body, in degC; estimated where left out.",
    ),
]


class Format(StrEnum):
    """How states are printed."""

    CSV = "csv"
    JSON = "json"


@body_app.command("assess")
def body_assess(
    file: SamplesFile,
    bias_c: Bias = None,
    format_: Annotated[
        Format, typer.Option("--format", help="csv: at, state and p_attached; json: with hypotheses and reasons.")
    ] = Format.CSV,
    as_json: Annotated[bool, typer.Option("--json", help="As --format json.")] = False,
) -> None:
    """Say of every row `attached`, `detached` or `uncertain`, from it and earlier ones only. Exit 2 on bad input."""
    if as_json or format_ is Format.JSON:
        rows = [json.dumps(_plain(at, judged), ensure_ascii=False) for at, _, judged in _judged(file, bias_c)]
        _say_if_none(rows, file)
        typer.echo("[" + ",\n ".join(rows) + "]")
        return
    lines = [f"{at},{judged.state},{judged.p_attached:.4f}" for at, _, judged in _judged(file, bias_c)]
    _say_if_none(lines, file)
    typer.echo("\n".join(["at,state,p_attached", *lines]))


@body_app.command("plot")
def body_plot(
    file: SamplesFile,
    out: Annotated[Path, typer.Option("--out", "-o", help="The SVG file.")],
    bias_c: Bias = None,
    force: Annotated[bool, typer.Option("--force", help="Though the file is there.")] = False,
) -> None:
    """Draw channels, evidence and state as one SVG, and print the same as text."""
    from emcheck.cli.reading import bad_input
    from emcheck.cli.writing import refuse_if_there, write_new
    from emcheck.present.body_drawing import Drawing, told

    if not force:
        refuse_if_there(out)
    name = "standard input" if file == "-" else Path(file).name
    points = [(sample, judged) for _, sample, judged in _judged(file, bias_c)]
    if not points:
        bad_input(f"{file}: no readings to draw")
    write_new(out, Drawing(name, points).svg(), force=force)
    typer.echo("\n".join([f"{out}: {len(points)} readings", *told(points)]))


@body_app.command("simulate")
def body_simulate(
    situation: Annotated[str, typer.Argument(help="As skin, prosthesis-foam, taken-off, day; a wrong one lists all.")],
    seed: Annotated[int, typer.Option(help="Another tag, wearer and room.")] = 1,
    every_s: Annotated[int, typer.Option("--every-s", min=1, max=300, help="Seconds between readings.")] = 60,
    minutes: Annotated[
        float | None, typer.Option(min=1, max=20_160, help="How long; 4 h unless said, a day of a `day`.")
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="A file for what is true: at, truth, place.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Though that file is there.")] = False,
) -> None:
    """Write the readings of a simulated tag as body samples. The same seed gives the same bytes."""
    from emcheck.cli.progressing import progress
    from emcheck.cli.reading import bad_input
    from emcheck.cli.writing import refuse_if_there, write_new
    from emcheck.domain.instants import format_ms
    from firmware_sim.body import known, play

    if situation not in known():
        bad_input(f"no situation {situation!r}; there are {', '.join(known())}")
    if truth is not None and not force:
        refuse_if_there(truth)
    rows, truths = ["at,skin_c,ambient_c,motion,proximity,strap"], ["at,truth,place"]
    with progress("simulating") as on_row:
        for (at, *senses), true, place in play(situation, seed=seed, every_ms=every_s * 1000, minutes=minutes):
            rows.append(",".join([format_ms(at), *map(str, senses)]))
            truths.append(f"{format_ms(at)},{true},{place}")
            on_row(len(rows))
    if truth is not None:
        write_new(truth, "\n".join([*truths, ""]), force=force)
    typer.echo("\n".join(rows))


def _say_if_none(rows: list[str], file: str) -> None:
    if not rows:
        typer.echo(f"{'standard input' if file == '-' else file}: the table has no reading", err=True)


def _judged(file: str, bias_c: float | None) -> Iterator[tuple[str, "Sample", "Judgement"]]:
    from emcheck.cli.progressing import progress
    from emcheck.cli.reading import bad_input, unreadable
    from emcheck.domain.body import BodyCheck
    from emcheck.exchange.samples import BadSamples, read_samples

    name = "standard input" if file == "-" else file
    check = BodyCheck(bias_c=bias_c)
    try:
        with _opened(file) as lines, progress() as on_line:
            for number, (at, sample) in enumerate(read_samples(lines), start=2):
                if number % 5_000 == 0:
                    on_line(number)
                yield at, sample, check.take(sample)
    except BadSamples as error:
        bad_input(f"{name}: {error}")
    except OSError as error:
        bad_input(f"{name}: {unreadable(error)}")
    except UnicodeDecodeError as error:
        bad_input(f"{name}: not UTF-8 text: {error.reason} at byte {error.start}")


@contextmanager
def _opened(file: str) -> Iterator[IO[str]]:
    if file == "-":
        sys.stdin.reconfigure(encoding="utf-8", errors="strict", newline="")  # type: ignore[union-attr] # text in any shell
        yield sys.stdin
        return
    with Path(file).open(encoding="utf-8", newline="") as lines:
        yield lines


def _plain(at: str, judged: "Judgement") -> dict[str, object]:
    return {
        "at": at,
        "state": judged.state,
        "p_attached": round(judged.p_attached, 6),
        "hypotheses": {name: round(p, 6) for name, p in judged.hypotheses.items()},
        "words": judged.words,
    }
