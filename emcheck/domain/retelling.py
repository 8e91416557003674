"""All that a unit ever told, read again in the order in which it happened rather than that in which it arrived.

Refusals, clock offsets and heartbeats that came late are then known where they count: what is folded from here is
what arrival in order would have given (P1).
"""

from collections.abc import Iterable, Iterator, Sequence

from emcheck.domain.facts import Event
from emcheck.domain.ids import BootId, Ms
from emcheck.domain.receipt import Told
from emcheck.domain.sequence import Ranges

Number = tuple[BootId, int]
"""A boot and a number in it."""
Step = tuple[int, Ms]
"""Up to which number it is known that numbers were given out, and since when."""
_STEPS_MAX = 64
"""So many are told apart: a hole seldom grows, and what is beyond counts as shown with the last."""


def steps_of(shown: Iterable[Step], first: int, last: int) -> tuple[Step, ...]:
    """What was shown of the numbers from `first` to `last`, each step later and further than the one before."""
    steps: list[Step] = []
    for number, at in sorted(((min(number, last), at) for number, at in shown if number >= first), key=_earliest):
        if not steps or number > steps[-1][0]:
            steps.append((number, at))
    return tuple(steps) if len(steps) <= _STEPS_MAX else (*steps[: _STEPS_MAX - 1], steps[-1])


def _earliest(step: Step) -> tuple[Ms, int]:
    return step[1], -step[0]


def unusable(told: Sequence[Told]) -> tuple[set[Number], dict[Number, Ms]]:
    """Numbers that were refused once; and those that came with two contents, with the earliest time they give."""
    refused = {
        (boot, seq) for _, boot, first, events in told for seq, event in enumerate(events, start=first) if event is None
    }
    repeated = _repeated(told)
    contents: dict[Number, list[Event]] = {}
    if repeated:
        for _, boot, first, events in told:
            for seq, event in enumerate(events, start=first):
                if event is not None and (boot, seq) in repeated:
                    contents.setdefault((boot, seq), []).append(event)
    conflicting = {
        number: min(event["at"] for event in said)
        for number, said in contents.items()
        if any(event != said[0] for event in said)
    }
    return refused, conflicting


def _repeated(told: Sequence[Told]) -> set[Number]:
    seen: dict[BootId, Ranges] = {}
    repeated: set[Number] = set()
    for _, boot, first, events in told:
        known, last = seen.setdefault(boot, Ranges()), first + len(events) - 1
        if first <= known.last():
            repeated |= {(boot, seq) for seq in range(first, last + 1) if seq in known}
        known.add(first, last)
    return repeated


def retold(told: Sequence[Told]) -> Iterator[tuple[BootId, int, Event, Ms]]:
    """Every number once, with its content and first receipt: boots as they first came, numbers rising."""
    places: dict[BootId, list[tuple[int, int]]] = {}
    for place, (_, boot, first, _) in enumerate(told):
        places.setdefault(boot, []).append((first, place))
    for boot, begun in places.items():
        yield from _boot_retold(told, boot, sorted(begun))


def _boot_retold(
    told: Sequence[Told], boot: BootId, begun: list[tuple[int, int]]
) -> Iterator[tuple[BootId, int, Event, Ms]]:
    """Envelopes by first number; those that overlap are held together until no later one can repeat their numbers."""
    held: dict[int, tuple[Event, Ms]] = {}
    for first, place in begun:
        for seq in sorted(number for number in held if number < first):
            yield boot, seq, *held.pop(seq)
        received_at, _, _, events = told[place]
        for seq, event in enumerate(events, start=first):
            if event is not None:
                said = held.get(seq)
                held[seq] = (event, received_at) if said is None else (said[0], min(said[1], received_at))
    for seq in sorted(held):
        yield boot, seq, *held[seq]


class Shown:
    """When each number of each boot was first shown to be used: by a later one, or by what a unit declared of it.

    A hole is noticed then, however late it is that all is read again.
    """

    def __init__(self, told: Sequence[Told]) -> None:
        self._shown: dict[BootId, list[Step]] = {}
        for received_at, boot, first, events in told:
            self._note(boot, first + len(events) - 1, received_at)

    def declares(self, event: Event, received_at: Ms) -> None:
        """A boot names the last number of the one before it; what is declared lost was given out."""
        if event["type"] == "boot" and event.get("prev_boot") is not None:
            self._note(BootId(str(event["prev_boot"])), event.get("prev_last_seq") or 0, received_at)
        elif event["type"] == "lost":
            self._note(event["boot"], event["to"], received_at)

    def steps(self, boot: BootId, first: int, last: int) -> tuple[Step, ...]:
        """By which receipts it was known that numbers from `first` to `last` had been given out."""
        return steps_of(self._shown[boot], first, last)

    def _note(self, boot: BootId, number: int, at: Ms) -> None:
        self._shown.setdefault(boot, []).append((number, at))
