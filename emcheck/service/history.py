"""What units told, as it stands in the inbox: the newest at hand, the rest read when all of it is wanted."""

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, overload

from emcheck.domain.facts import Event
from emcheck.domain.ids import BootId, Ms, UnitId
from emcheck.domain.receipt import Told
from emcheck.ports import InboxRow
from emcheck.wire.codec import EnvelopeRefused, decode

_RECENT_BYTES = 64 << 20
_OVERHEAD_BYTES = 200
"""What an envelope weighs beside its payload, roughly."""


class _Kept(NamedTuple):
    first_seq: int
    arrival: int
    length: int
    payload: bytes


class Recent:
    """Implements `emcheck.domain.unit.Memory` over the newest raw envelopes, up to `bytes_max` in all."""

    def __init__(self, bytes_max: int = _RECENT_BYTES) -> None:
        self._bytes_left = bytes_max
        self._kept: dict[tuple[UnitId, BootId], list[_Kept]] = {}
        self._oldest: deque[tuple[tuple[UnitId, BootId], _Kept]] = deque()
        self._longest = 1
        self._decoded: tuple[bytes, Sequence[Event | None]] | None = None
        self._arrivals = 0

    def remember(self, unit: UnitId, boot: BootId, first_seq: int, length: int, payload: bytes) -> None:
        """Keep an envelope that brings something new."""
        self._longest = max(self._longest, length)
        self._arrivals += 1
        name, envelope = (unit, boot), _Kept(first_seq, self._arrivals, length, payload)
        kept = self._kept.setdefault(name, [])
        if not kept or kept[-1].first_seq <= first_seq:
            kept.append(envelope)
        else:
            insort(kept, envelope)
        self._oldest.append((name, envelope))
        self._bytes_left -= len(payload) + _OVERHEAD_BYTES
        while self._bytes_left < 0:
            self._forget(*self._oldest.popleft())

    def _forget(self, name: tuple[UnitId, BootId], envelope: _Kept) -> None:
        self._bytes_left += len(envelope.payload) + _OVERHEAD_BYTES
        kept = self._kept[name]
        if len(kept) == 1:
            del self._kept[name]
        else:
            kept.remove(envelope) if kept[0] is not envelope else kept.pop(0)

    def original(self, unit: UnitId, boot: BootId, seq: int) -> Event | None:
        """The event that first came under a number; None where it is no longer at hand."""
        kept = self._kept.get((unit, boot), [])
        low = bisect_right(kept, seq - self._longest, key=lambda k: k.first_seq)
        high = bisect_right(kept, seq, key=lambda k: k.first_seq)
        holding = [k for k in kept[low:high] if seq < k.first_seq + k.length]
        first = min(holding, key=lambda k: k.arrival, default=None)
        if first is None:
            return None
        if self._decoded is None or self._decoded[0] is not first.payload:
            self._decoded = (first.payload, decode(first.payload).events)  # a repeat asks for number after number
        return self._decoded[1][seq - first.first_seq]


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
