"""Numbers of a unit that are missing and may still come, and when each was noticed."""

from collections.abc import Iterable
from dataclasses import dataclass

from emcheck.domain.boots import Boot
from emcheck.domain.ids import BootId, Ms
from emcheck.domain.retelling import Shown, Step, steps_of

_GAPS_MAX = 64
"""So many gaps of a boot are told apart; what is beyond is one: a unit may send every other number."""


@dataclass(slots=True)
class Hole:
    """Numbers that are missing since `noticed_at`, and when they were last asked for."""

    boot: BootId
    first: int
    last: int
    shown: tuple[Step, ...]
    """What was known of its numbers, and since when: each step reaches further than the one before."""
    asked_at: Ms | None = None

    @property
    def noticed_at(self) -> Ms:
        """Since when its first number is known to have been given out."""
        return self.shown[0][1]


def holes_of(boots: Iterable[Boot], before: Iterable[Hole], noticed: Ms | Shown) -> tuple[Hole, ...]:
    """What the sequences of a unit's boots leave open, brought up from the holes `before`; what is filled goes.

    `noticed`: what is new is noticed now, or, where all is read again, when it was shown as it came: a start or a late
    fact finds the same.
    """
    held = tuple(before)
    known = {(hole.boot, hole.first, hole.last): hole for hole in held}
    found = []
    for boot in boots:
        for first, last in few(boot.sequence.holes()):
            hole = known.get((boot.boot, first, last))
            if isinstance(noticed, Shown):
                asked_at = None if hole is None else hole.asked_at
                hole = Hole(boot.boot, first, last, noticed.steps(boot.boot, first, last), asked_at)
            elif hole is None:
                hole = Hole(boot.boot, first, last, _shown(held, boot.boot, first, last, noticed))
            found.append(hole)
    return tuple(found)


def _shown(held: tuple[Hole, ...], boot: BootId, first: int, last: int, now: Ms) -> tuple[Step, ...]:
    """A hole that grew, shrank or split keeps what was known of each of its numbers, and since when."""
    around = (h.shown for h in held if h.boot == boot and h.first <= last and first <= h.last)
    return steps_of([step for shown in around for step in shown] + [(last, now)], first, last)


def few(gaps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """At most `_GAPS_MAX`, the last of them from the first to the last of the rest."""
    return gaps if len(gaps) <= _GAPS_MAX else [*gaps[: _GAPS_MAX - 1], (gaps[_GAPS_MAX - 1][0], gaps[-1][1])]
