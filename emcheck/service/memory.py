"""The facts as they first came, by unit and boot, for a replay: raw envelopes, opened only when asked for."""

from bisect import bisect_right, insort
from collections.abc import Iterable
from typing import NamedTuple

from emcheck.domain.facts import Event
from emcheck.domain.ids import BootId, UnitId
from emcheck.wire.codec import Envelope, decode


class _Kept(NamedTuple):
    first_seq: int
    arrival: int
    length: int
    payload: bytes


class EnvelopeMemory:
    """Implements `emcheck.domain.unit.Memory` over raw envelopes held in memory."""

    def __init__(self) -> None:
        self._kept: dict[UnitId, dict[BootId, list[_Kept]]] = {}
        self._longest = 1
        self._arrivals = 0

    def remember(self, unit: UnitId, envelope: Envelope, payload: bytes) -> None:
        """Keep an envelope that brings something new."""
        count = len(envelope.events)
        self._longest = max(self._longest, count)
        self._arrivals += 1
        kept = self._kept.setdefault(unit, {}).setdefault(envelope.boot, [])
        insort(kept, _Kept(envelope.first_seq, self._arrivals, count, payload))

    def original(self, unit: UnitId, boot: BootId, seq: int) -> Event | None:
        """The event that first came under a number."""
        kept = self._kept.get(unit, {}).get(boot, [])
        low = bisect_right(kept, seq - self._longest, key=lambda k: k.first_seq)
        high = bisect_right(kept, seq, key=lambda k: k.first_seq)
        holding = [k for k in kept[low:high] if seq < k.first_seq + k.length]
        first = min(holding, key=lambda k: k.arrival, default=None)
        return None if first is None else decode(first.payload).events[seq - first.first_seq]

    def facts(self, unit: UnitId) -> Iterable[tuple[BootId, int, Event]]:
        """Every fact of a unit, each number as it first came."""
        for boot, kept in self._kept.get(unit, {}).items():
            seen: dict[int, Event] = {}
            for envelope in sorted(kept, key=lambda k: k.arrival):
                for seq, event in enumerate(decode(envelope.payload).events, start=envelope.first_seq):
                    if event is not None:
                        seen.setdefault(seq, event)
            yield from ((boot, seq, event) for seq, event in seen.items())
