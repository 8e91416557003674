"""Body samples as CSV (formats.md): a header, then one reading a row; what is wrong is named by line and column."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from emcheck.domain.body.sample import FIELDS, Sample, impossible
from emcheck.domain.ids import Ms
from emcheck.domain.instants import parse_ms

NEEDED = ("at", "skin_c", "ambient_c", "motion")
KNOWN = ("at", *FIELDS)
_EPOCH_MAX_S = 253_402_300_799
"""The end of the year 9999."""


class BadSamples(ValueError):
    """A line and a column of a file of samples, and what is wrong there."""

    def __init__(self, line: int, column: str, what: str) -> None:
        super().__init__(f"line {line}, {column}: {what}")


def read_samples(lines: Iterable[str]) -> Iterator[tuple[str, Sample]]:
    """Each reading, with its `at` as given. BadSamples where one cannot be read, cannot be, or goes back in time."""
    rows = csv.reader(lines, strict=True)
    try:
        columns = _columns(next(rows, None))
        latest: Ms | None = None
        for row in rows:
            if not row:
                continue
            if len(row) != len(columns):
                raise BadSamples(rows.line_num, "row", f"{len(row)} cells under a header of {len(columns)}")
            sample = _sample(columns, row, rows.line_num)
            if latest is not None and sample.at < latest:
                said = f"{row[columns.index('at')]!r} is before the row above; readings stand in order of time"
                raise BadSamples(rows.line_num, "at", said)
            latest = sample.at
            yield row[columns.index("at")], sample
    except csv.Error as error:
        raise BadSamples(rows.line_num, "row", f"no CSV: {error}") from None


def _columns(header: list[str] | None) -> list[str]:
    names = [name.strip().removeprefix("\ufeff") for name in header or []]
    for name in names:
        if name not in KNOWN:
            raise BadSamples(1, repr(name), f"no such column; there are {', '.join(KNOWN)}")
        if names.count(name) > 1:
            raise BadSamples(1, name, "the column stands there twice")
    if missing := [name for name in NEEDED if name not in names]:
        raise BadSamples(1, missing[0], f"the column is missing; begin with the header {','.join(NEEDED)}")
    return names


def _sample(columns: Sequence[str], row: Sequence[str], line: int) -> Sample:
    values: dict[str, float | str | None] = {}
    at: Ms = 0
    for column, text in zip(columns, row, strict=True):
        if column == "at":
            at = _instant(text, line)
        elif not text or text.isspace():
            values[column] = None
        elif column == "strap":
            values[column] = text.strip()
        else:
            try:
                values[column] = float(text)
            except ValueError:
                raise BadSamples(
                    line, column, f"{text!r} is no number; leave the cell empty where it is missing"
                ) from None
    sample = Sample(at, **values)  # type: ignore[arg-type] # each column's kind is what its branch made of it
    if (fault := impossible(sample)) is not None:
        raise BadSamples(line, *fault)
    return sample


def _instant(text: str, line: int) -> Ms:
    """RFC 3339 or epoch seconds."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            return parse_ms(text.strip())
        except ValueError as error:
            raise BadSamples(line, "at", f"{error}, or epoch seconds") from None
    if not 0 <= seconds <= _EPOCH_MAX_S:
        raise BadSamples(line, "at", f"{text!r} are no epoch seconds of the years 1970 to 9999")
    return round(seconds * 1000)
