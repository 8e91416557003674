"""What units told, as it stands in the inbox: the newest at hand, the rest read when all of it is wanted."""

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import overload

from emcheck.domain.facts import Event
from emcheck.domain.ids import BootId, Ms, UnitId
from emcheck.domain.receipt import Told
from emcheck.ports import InboxRow, Store
from emcheck.wire.codec import EnvelopeRefused, decode

_RECENT_BYTES = 64 << 20
_OVERHEAD_BYTES = 200
"""What an envelope weighs beside its payload, roughly."""


_Kept = tuple[int, int, int, bytes]
"""First number, place in the order of arrival, count and bytes of an envelope.

A plain tuple: the garbage collector does not look through those again and again, and there are many.
"""


class Recent:
    """Implements `emcheck.domain.unit.Memory` over the newest raw envelopes, up to `bytes_max` in all."""

    def __init__(self, bytes_max: int = _RECENT_BYTES) -> None:
        self._bytes_left = bytes_max
        self._kept: dict[tuple[UnitId, BootId], list[_Kept]] = {}
        self._order: deque[tuple[UnitId, BootId]] = deque()
        """Whose envelopes are kept, oldest first."""
        self._arrivals = 0
        self._longest = 1
        self._decoded: tuple[bytes, Sequence[Event | None]] | None = None

    def remember(self, unit: UnitId, boot: BootId, first_seq: int, length: int, payload: bytes) -> None:
        """Keep an envelope that brings something new."""
        self._longest = max(self._longest, length)
        self._arrivals += 1
        name, envelope = (unit, boot), (first_seq, self._arrivals, length, payload)
        kept = self._kept.get(name)
        if kept is None:
            self._kept[name] = [envelope]
        elif kept[-1][0] <= first_seq:
            kept.append(envelope)
        else:
            insort(kept, envelope)
        self._order.append(name)
        self._bytes_left -= len(payload) + _OVERHEAD_BYTES
        while self._bytes_left < 0:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        arrival, name = self._arrivals - len(self._order) + 1, self._order.popleft()
        kept = self._kept[name]
        place = next(place for place, envelope in enumerate(kept) if envelope[1] == arrival)
        self._bytes_left += len(kept.pop(place)[3]) + _OVERHEAD_BYTES
        if not kept:
            del self._kept[name]

    def original(self, unit: UnitId, boot: BootId, seq: int) -> Event | None:
        """The event that first came under a number; None where it is no longer at hand."""
        kept = self._kept.get((unit, boot), [])
        low = bisect_right(kept, seq - self._longest, key=itemgetter(0))
        high = bisect_right(kept, seq, key=itemgetter(0))
        holding = [envelope for envelope in kept[low:high] if seq < envelope[0] + envelope[2]]
        if not holding:
            return None
        first_seq, _, _, payload = min(holding, key=itemgetter(1))
        if self._decoded is None or self._decoded[0] is not payload:
            self._decoded = (payload, decode(payload).events)  # a repeat asks for number after number
        return self._decoded[1][seq - first_seq]


def told_in(received_at: Ms, payload: bytes) -> Told | None:
    """What an envelope told; each number of one that is refused whole is refused; None where nothing is legible."""
    try:
        envelope = decode(payload)
    except EnvelopeRefused as error:
        if error.boot is None or error.first_seq is None or error.count is None:
            return None
        return Told(received_at, BootId(error.boot), error.first_seq, [None] * error.count)
    return Told(received_at, envelope.boot, envelope.first_seq, envelope.events)


class Telling(Sequence[Told]):
    """All that one unit told, in order of arrival; decoded anew whenever it is read, to be small."""

    def __init__(self, rows: Sequence[InboxRow]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Told: ...
    @overload
    def __getitem__(self, place: slice) -> "Telling": ...
    def __getitem__(self, place: int | slice) -> "Told | Telling":
        if isinstance(place, slice):
            return Telling(self._rows[place])
        row = self._rows[place]
        told = told_in(row.received_at, row.payload)
        return told if told is not None else Told(row.received_at, BootId(""), 1, [])


async def telling(store: Store, unit: UnitId, pending: Iterable[InboxRow], newest: int | None) -> Telling:
    """Everything a unit told, what is `pending` and not committed yet too; `newest` is its last row."""
    fresh = [row for row in pending if row.unit == unit and row.kind == "up"]
    last = fresh[0].previous if fresh else newest
    rows = [] if last is None else await store.unit_history(newest=last, after=0)
    return Telling([*rows, *fresh])
