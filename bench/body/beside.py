"""The body check and published detectors on the same readings: wrists with removals put in, simulated lives."""

from collections.abc import Callable, Iterator, Sequence

from bench.body.lives import DAYS, lives
from bench.body.published import Detector, detectors
from bench.body.records import Record
from bench.body.scoring import Score, said_detached
from bench.body.sections import Row, Section
from bench.body.simulated import LEFT_AT, Size
from bench.progress import Say

COLUMNS = ("", "F1 of minutes", "removals under 2 h", "longer", "false a worn day")


def on_lives(size: Size, say: Say) -> Section:
    """Simulated people; a tag with and without proximity."""
    say("simulated lives, and published detectors on them")
    known = lives(size.seeds, LEFT_AT, size.tag)
    blind = [each._replace(samples=[s._replace(proximity=None) for s in each.samples]) for each in known]
    title = f"simulated lives, {size.seeds} people for {DAYS} days, a removal a day, a reading a minute"
    ours = [
        _row("the body check, tag with proximity", known, said_detached),
        _row("the body check, tag without proximity", blind, said_detached),
    ]
    return Section(title, COLUMNS, [*ours, *_published(blind, say)])


def on_wrists(held: Sequence[Record], say: Say) -> Section:
    """Removals put into the wrists of the people that nothing was fitted on."""
    title = f"removals put into real wrists, {len(held) // 2} people held out, a reading a minute"
    return Section(title, COLUMNS, [_row("the body check", held, said_detached), *_published(held, say)])


def _published(records: Sequence[Record], say: Say) -> Iterator[Row]:
    for name, detector in detectors():
        if detector is None:
            yield Row((name, "not installed", "", "", ""))
        else:
            say(f"published: {name}")
            yield _row(name, records, _on_samples(detector))


def _on_samples(detector: Detector) -> Callable[[Record], list[bool]]:
    return lambda record: detector(record.samples)


def _row(name: str, records: Sequence[Record], said: Callable[[Record], list[bool]]) -> Row:
    got = Score()
    for record in records:
        got.add(record.worn, said(record))
    short, longer = f"{got.short_found} of {got.short}", f"{got.long_found} of {got.long}"
    return Row((name, f"{got.f1:.3f}", short, longer, f"{got.false_a_day:.3f}"))
