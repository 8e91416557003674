"""What became of an envelope: what the unit is told, and what has to be judged anew."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from emcheck.domain.facts import Event
from emcheck.domain.ids import BootId, Ms
from emcheck.domain.instants import FOREVER


class Told(NamedTuple):
    """An envelope as it was received; None stands for an event that was refused alone."""

    received_at: Ms
    boot: BootId
    first_seq: int
    events: Sequence[Event | None]


class Refusal(NamedTuple):
    """A number of an envelope that was not taken, and why."""

    seq: int
    reason: str
    detail: str


class Receipt(NamedTuple):
    """What became of an envelope: what was refused, how many numbers were new, whether to keep it."""

    boot: BootId
    refused: tuple[Refusal, ...]
    new: int
    recall: bool
    """Only all facts of the unit together can tell what it says; the engine waits for them (`recall`)."""


@dataclass(slots=True)
class Folded:
    """What folding an envelope did, gathered event by event."""

    changed: bool = False
    """Something else may now be said, from `since` on."""
    since: Ms = FOREVER
    lengthened: Ms = FOREVER
    """Where what is known was only made longer."""
    renumbered: bool = False
    """What is missing may be otherwise than was known."""
    new: int = 0
    recall: bool = False
    refused: list[Refusal] = field(default_factory=list)


class QuarantineCount(NamedTuple):
    """How much input of one unit was refused for one reason."""

    unit: str | None
    reason: str
    messages: int
    last_received_at: Ms
