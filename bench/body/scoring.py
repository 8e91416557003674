"""What a body check got right and wrong on a labelled recording: off is positive, `uncertain` counts as worn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.body.records import Record
from bench.body.reference import OFF, UNCLEAR, WORN, runs
from emcheck.domain.body import DETACHED, MODEL, BodyCheck, Model

SHORT_MIN = 120
_NEAR = 5
"""An episode that ends within so many readings of a removal is about that removal."""


@dataclass(slots=True)
class Score:
    """Sums over recordings; minutes are readings."""

    hit: int = 0
    false: int = 0
    missed: int = 0
    worn: int = 0
    short_found: int = 0
    short: int = 0
    long_found: int = 0
    long: int = 0
    false_episodes: int = 0
    delays_min: list[float] = field(default_factory=list)

    @property
    def f1(self) -> float:
        """Of minutes, off positive."""
        return 2 * self.hit / max(1, 2 * self.hit + self.false + self.missed)

    @property
    def false_a_day(self) -> float:
        """False episodes a worn day."""
        return self.false_episodes / max(1e-9, self.worn / 1440)

    def add(self, marks: Sequence[int], said: Sequence[bool]) -> None:
        """One recording: its labels, and where the check said detached."""
        for mark, off in zip(marks, said, strict=True):
            self.hit += mark == OFF and off
            self.missed += mark == OFF and not off
            self.false += mark == WORN and off
            self.worn += mark == WORN
        for start, end in runs(list(marks), OFF):
            first = next((i for i in range(start, end) if said[i]), None)
            if end - start < SHORT_MIN:
                self.short += 1
                self.short_found += first is not None
            else:
                self.long += 1
                self.long_found += first is not None
            if first is not None:
                self.delays_min.append(first - start)
        for start, end in runs([int(each) for each in said], 1):
            around = marks[max(0, start - _NEAR) : end + _NEAR]
            self.false_episodes += all(mark == WORN for mark in around)


def said_detached(record: Record, *, model: Model = MODEL, bias_c: float | None = None) -> list[bool]:
    """Where the check says detached."""
    check = BodyCheck(bias_c=bias_c, model=model)
    return [check.take(sample).state == DETACHED for sample in record.samples]


def score(records: Iterable[Record], *, model: Model = MODEL) -> Score:
    """The check's score on labelled recordings."""
    total = Score()
    for record in records:
        total.add(record.worn, said_detached(record, model=model))
    return total


__all__ = ["OFF", "UNCLEAR", "WORN", "Score", "said_detached", "score"]
