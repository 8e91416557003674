"""What became of an envelope: what the unit is told, and what has to be judged anew."""

from dataclasses import dataclass, field

from emcheck.domain.ids import BootId, Ms
from emcheck.domain.timeline import FOREVER


@dataclass(frozen=True, slots=True)
class Refusal:
    """A number of an envelope that was not taken, and why."""

    seq: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an envelope: the number to acknowledge up to, what was refused, what is in conflict."""

    boot: BootId
    acknowledged: int
    refused: tuple[Refusal, ...]
    new: int
    conflict: bool


@dataclass(slots=True)
class Folded:
    """What folding an envelope did, gathered event by event; judging is needed from `since` on."""

    changed: bool = False
    conflict: bool = False
    in_order: bool = True
    new: int = 0
    since: Ms = FOREVER
    refused: list[Refusal] = field(default_factory=list)
