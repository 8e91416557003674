"""`make bench-body [DATA=FOLDER]`: the body check on simulated tags and on real recordings, one table.

Without DATA the simulator's part alone. With it the recordings too, published detectors beside, and the curve.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.body import beside, records, simulated
from bench.body.fit import halves
from bench.body.reference import WORN, labels, runs
from bench.body.scoring import Score, said_detached, score
from bench.body.sections import Section, as_plain, shown
from bench.body.simple import simple_scores
from bench.figures import Figure, as_json, at_least, at_most, plain, table
from bench.progress import Say, teller
from emcheck.domain.body import ATTACHED, DETACHED, MODEL, BodyCheck, Sample
from emcheck.exchange.samples import read_samples

ERRORS = (0.1, 0.03, 0.01, 0.005, 0.003, 0.002, 0.001, 0.0005)
SAMPLES = 1_000_000
_WIDTH = 160
Part = Section | list[Figure]


def on_wrists(wrists: Sequence[records.Record]) -> Iterator[Figure]:
    """Episodes on the recordings that nobody labelled; what the reference calls off or unclear is not false."""
    total, episodes = Score(), 0
    for record in wrists:
        said = said_detached(record)
        total.add(labels(record.samples), said)
        episodes += len(runs([int(each) for each in said], 1))
    group = f"26 real wrists, {sum(len(r.samples) for r in wrists) / 1440:.0f} days, no label (reference: reference.py)"
    days = total.worn / 1440
    yield plain(group, "worn by the reference", days, "days")
    yield plain(group, "detached episodes, all", episodes / days, "a worn day")
    yield at_most(group, "... that the reference calls worn", total.false_a_day, 0.05, "a worn day")
    yield plain(group, "F1 against the reference", total.f1, "")


def on_implants(held: Sequence[records.Record]) -> Iterator[Figure]:
    """Removals put into the wrists of the people that nothing was fitted on."""
    got = score(held)
    group = f"removals of 5 min to 6 h put into the wrists of {len(held) // 2} people held out"
    yield at_least(group, "F1 of minutes, off positive", got.f1, 0.94, "")
    yield at_least(group, f"removals under 2 h found, of {got.short}", got.short_found / got.short, 12 / 29, "")
    yield plain(group, f"longer ones found, of {got.long}", got.long_found / max(1, got.long), "")
    yield at_most(group, "false episodes", got.false_a_day, 0.2, "a worn day")
    delays = sorted(got.delays_min)
    yield at_most(group, "noticed after, median", delays[len(delays) // 2], 10, "min")
    yield at_most(group, "noticed after, 95 %", delays[len(delays) * 95 // 100], 20, "min")


def states(record: records.Record, *, proximity: bool = True) -> list[str]:
    """The state at each reading, perhaps as if the sensor had no proximity."""
    check = BodyCheck()
    samples = record.samples if proximity else [sample._replace(proximity=None) for sample in record.samples]
    return [check.take(sample).state for sample in samples]


def on_others(data: Path) -> Iterator[Figure]:
    """Recordings of what is no wrist, or no snug one."""
    for record in records.loggers(data):
        said, group = states(record), "stationary loggers, capacitance and one temperature"
        yield at_least(group, f"{record.name} detached", said.count(DETACHED) / len(said), 0.8, "")
        yield at_most(group, f"{record.name} attached", said.count(ATTACHED) / len(said), 0, "")
    for proximity in (True, False):
        group = f"spectacles, near the body, {'with' if proximity else 'without'} the capacitive channel"
        worn = on = off = off_all = 0
        for record in records.spectacles(data):
            said = states(record, proximity=proximity)
            worn += said.count(ATTACHED)
            on += sum(mark == WORN and each == DETACHED for mark, each in zip(record.worn, said, strict=True))
            off += sum(mark == 0 and each == DETACHED for mark, each in zip(record.worn, said, strict=True))
            off_all += record.worn.count(0)
        yield at_most(group, "readings called attached", worn, 0, "")
        yield plain(group, "taken off, called detached", off / off_all, "of those")
    for record in records.capacitive(data):
        said, group = states(record), "capacitive records"
        yield plain(group, f"{record.name} attached", said.count(ATTACHED) / len(said), "")
        warm = [each for sample, each in zip(record.samples, said, strict=True) if (sample.skin_c or 0) >= 30]
        yield plain(group, f"{record.name} detached while over 30 degC", warm.count(DETACHED) / max(1, len(warm)), "")


def speed() -> Iterator[Figure]:
    """A million readings a minute apart, in memory and from CSV."""
    said = [
        f"{60 * i},{31 + (i * 7 % 97) / 60:.2f},{30 + (i * 11 % 89) / 60:.2f},{max(0, i * 37 % 211 - 90)}"
        for i in range(SAMPLES)
    ]
    began = time.process_time()
    samples: list[Sample] = [sample for _, sample in read_samples(["at,skin_c,ambient_c,motion", *said])]
    read_s = time.process_time() - began
    check, began = BodyCheck(), time.process_time()
    for sample in samples:
        check.take(sample)
    take_s = time.process_time() - began
    group = "speed, one core"
    yield plain(group, "a reading weighed in", take_s / SAMPLES * 1e6, "us")
    yield plain(group, "a row of CSV read in", read_s / SAMPLES * 1e6, "us")
    yield at_least(group, "rows a minute, both", 60 * SAMPLES / (read_s + take_s), 1e6, "")


def _row(name: str, got: Score) -> tuple[str, ...]:
    delays = sorted(got.delays_min) or [float("nan")]
    short, delay = f"{got.short_found} of {got.short}", f"{delays[len(delays) // 2]:.0f} min"
    return name, f"{got.f1:.3f}", short, f"{got.false_a_day:.3f}", delay


def curve(held: Sequence[records.Record], say: Say) -> Table:
    """What other error rates would give on the held-out half, and what simple rules do."""
    title = "operating curve on the held-out half, and simple rules beside it"
    columns = ("", "F1", "under 2 h found", "false a worn day", "median delay")
    shown = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False)
    for error in ERRORS:
        say(f"operating curve at {error:g}")
        chosen = "  <- chosen" if abs(1 - error - MODEL.detached_from) < 1e-9 else ""
        got = score(held, model=replace(MODEL, detached_from=1 - error))
        shown.add_row(*_row(f"error rate {error:g}{chosen}", got))
    for name, got in simple_scores(held).items():
        shown.add_row(*_row(name, got))
    return shown


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="make bench-body", description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", help="the folder of the recordings")
    parser.add_argument("--json", action="store_true", help="figures for programs, without the curve")
    parser.add_argument("--seeds", type=int, default=simulated.Size.seeds, help="simulated tags and rooms")
    parser.add_argument("--fittings", type=int, default=simulated.Size.fittings, help="simulated fittings of each kind")
    parser.add_argument("--world", type=int, default=0, help="other ranges of what is swept; 0: as written")
    asked = parser.parse_args()
    if asked.data is not None and not asked.data.is_dir():
        parser.error(f"{asked.data} is no folder; name that of the recordings, or leave DATA out")
    if asked.seeds < 1 or asked.fittings < 1:
        parser.error("--seeds and --fittings are 1 at least")
    say, size = teller(), simulated.Size(seeds=asked.seeds, fittings=asked.fittings, world=asked.world)
    held: list[records.Record] = []
    plain: list[dict[str, Any]] = []
    console = Console() if Console().is_terminal else Console(width=_WIDTH)
    for part in parts(asked.data, size, held, say):
        if asked.json:
            plain += as_plain([part]) if isinstance(part, Section) else as_json(part)
        else:
            console.print(shown(part) if isinstance(part, Section) else table(part), "")
    if asked.json:
        print(json.dumps(plain, indent=1))
    elif held:
        console.print(curve(held, say))
    else:
        console.print("Left out without DATA=FOLDER: real wrists, loggers, spectacles, capacitance, operating curve.")


def parts(data: Path | None, size: simulated.Size, held: list[records.Record], say: Say) -> Iterator[Part]:
    """The table's parts, each as soon as it is measured; `held` takes the wrists that nothing was fitted on."""
    yield from simulated.sections(size, say)
    yield beside.on_lives(size, say)
    if data is not None:
        say("reading 26 wrists")
        wrists = records.wrists(data)
        held += halves(wrists)[1]
        yield beside.on_wrists(held, say)
        yield list(recorded(data, wrists, held, say))
    say("a million readings")
    yield list(speed())


def recorded(
    data: Path, wrists: Sequence[records.Record], held: Sequence[records.Record], say: Say
) -> Iterator[Figure]:
    """The figures on real recordings."""
    say("the wrists as they were recorded, and with removals put in")
    yield from on_wrists(wrists)
    yield from on_implants(held)
    say("loggers, spectacles, capacitance")
    yield from on_others(data)


if __name__ == "__main__":
    main()
