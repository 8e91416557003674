"""How a base unit gets its events to the service: envelopes, the window, patience (protocol.md).

1. Envelopes hold consecutive events of one boot; at most 8 are unacknowledged, one of them sent ahead for
   tamper, presence or `lost` (a `lost` behind a backlog would hold up the acknowledgement that frees it).
2. An unanswered envelope is sent again after 20 s, doubling to 60 s, with jitter.
3. The oldest one, unanswered five times while others were answered, is halved; an event that fails alone
   is replaced by `lost` and counted in `refused`.
4. While the host is away only urgent envelopes go.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emcheck.domain.ids import BootId, Ms, UnitId
from emcheck.domain.instants import format_ms
from emcheck.wire.signing import seal
from firmware_sim.event_log import BootLog, EventLog

WINDOW_ENVELOPES = 8
EVENTS_PER_ENVELOPE = 50
ENVELOPE_BYTES = 60_000
"""Under the protocol's 64 KiB with room for the header."""
FIRST_RETRY_MS = 20_000
"""A modem on a bad evening takes seconds; repeats that cross their own answer help nobody."""
LAST_RETRY_MS = 60_000
TRIES_BEFORE_HALVING = 5
ROUND_TRIP_MS_MAX = 10_000
"""A slower answer says nothing of the clock: somebody on the way was waiting."""


class Outgoing(NamedTuple):
    """A message to publish. `envelope` names an `up` message's events: boot, first and last number."""

    at: Ms
    unit: UnitId
    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    envelope: tuple[BootId, int, int] | None = None


@dataclass(slots=True)
class Flight:
    """An envelope on its way; `unanswered` counts tries that nobody answered while others were answered."""

    boot: BootId
    first: int
    last: int
    ahead: bool
    sent_at: Ms = 0
    tries: int = 0
    unanswered: int = 0
    answers_before: int = 0
    next_try_at: Ms = 0


class Uplink:
    """The sending half of a base unit, over its event log. RAM only: a reboot sends all unacknowledged again."""

    def __init__(self, *, unit: UnitId, log: EventLog, rng: Random, key: Ed25519PrivateKey | None = None) -> None:
        self.unit = unit
        self.log = log
        self.connected = False
        self.host_online = True
        self.refused = 0
        self.out: list[Outgoing] = []
        self._rng = rng
        self._key = key
        self._flights: list[Flight] = []
        self._answers = 0
        self._somebody_listens = False
        self._cursor: dict[BootId, int] = {}
        self._urgent: deque[tuple[BootId, int]] = deque()
        for boot, seq in log.unacknowledged():
            self.note(boot, seq)

    def note(self, boot: BootId, seq: int) -> None:
        """An event was stored; if it is urgent it may go ahead, and `lost` before all others."""
        kept = self.log.boots[boot].events[seq]
        if kept.type == "lost":
            self._urgent.appendleft((boot, seq))
        elif kept.urgent:
            self._urgent.append((boot, seq))

    def connect(self, now: Ms) -> None:
        """The link is up: what is unanswered goes again within two seconds."""
        self.connected = self._somebody_listens = True
        for flight in self._flights:
            flight.unanswered = 0
            flight.tries = 0
            flight.next_try_at = now + self._rng.randrange(2_000)

    def disconnect(self) -> None:
        """The link is gone; nothing is sent until it is back."""
        self.connected = False

    def next_due(self) -> Ms | None:
        """When an unanswered envelope is to be sent again."""
        if not self.connected:
            return None
        return min((f.next_try_at for f in self._flights if self.host_online or f.ahead), default=None)

    def pump(self, boot: BootId, now: Ms) -> None:
        """Send what may be sent now: repeats that are due, one envelope ahead, then the backlog in order."""
        if not self.connected:
            return
        for flight in [f for f in self._flights if f.next_try_at <= now and (self.host_online or f.ahead)]:
            self._again(flight, now)
        if self.host_online:
            self._declare(boot, now)
            self._backlog(now)
        self._ahead(now)

    def answered(self, boot: BootId, now: Ms) -> Ms | None:
        """An acknowledgement of `boot` was taken over; the round trip, where one envelope sent once shows it."""
        acked = self.log.boots[boot].acked_seq
        done = [f for f in self._flights if f.boot == boot and f.last <= acked]
        self._flights = [f for f in self._flights if not (f.boot == boot and f.last <= acked)]
        newest = max(done, key=lambda f: f.sent_at, default=None)
        if newest is None or newest.tries != 1 or now - newest.sent_at > ROUND_TRIP_MS_MAX:
            return None
        return now - newest.sent_at

    def heard_from_host(self) -> None:
        """The service said something to this unit: it is alive."""
        self._answers += 1
        self._somebody_listens = True

    def answer(self, boot: BootId, first: int, last: int, now: Ms) -> None:
        """Send kept events out of turn, as asked for by `resend`; they are in nobody's window."""
        log = self.log.boots.get(boot)
        if log is None or not self.connected:
            return
        for start, end in _runs(log, first, last):
            self._publish(boot, start, end, now)

    def waiting(self) -> list[tuple[BootId, int]]:
        """First events of envelopes sent and not yet acknowledged."""
        return [(f.boot, f.first) for f in self._flights]

    def hold(self, *, sent_after: Ms, until: Ms) -> None:
        """Do not repeat before `until` what was sent after `sent_after`."""
        for flight in self._flights:
            if flight.sent_at > sent_after:
                flight.next_try_at = max(flight.next_try_at, until)

    def again_now(self, now: Ms) -> None:
        """Let every unanswered envelope go again at once."""
        for flight in self._flights:
            flight.next_try_at = now

    def _declare(self, boot: BootId, now: Ms) -> None:
        """Say what was lost, in events of the current boot that may go ahead.

        Only after a connection or an answer: while nobody listens a gap still grows, and is told once.
        """
        if self.log.gaps and self._somebody_listens:
            self._somebody_listens = False
            before = self.log.boots[boot].last_seq
            self.log.declare(boot, now)
            for seq in range(self.log.boots[boot].last_seq, before, -1):
                self.note(boot, seq)

    def _again(self, flight: Flight, now: Ms) -> None:
        """A repeat is due: send again, halve, or give up (3)."""
        if not all(self.log.holds(flight.boot, seq) for seq in range(flight.first, flight.last + 1)):
            self._ground(flight)
            return
        if self._answers > flight.answers_before and self._blocks(flight):
            flight.unanswered += 1
        if flight.unanswered >= TRIES_BEFORE_HALVING:
            self._halve(flight)
        elif flight.ahead and self._urgent:
            self._ground(flight)
        else:
            self._send(flight, now)

    def _blocks(self, flight: Flight) -> bool:
        """Whether the acknowledgement waits for this very envelope and not for one before it."""
        return flight.first == self.log.boots[flight.boot].acked_seq + 1

    def _halve(self, flight: Flight) -> None:
        self._ground(flight)
        if flight.first == flight.last:
            self.log.discard(flight.boot, flight.first)
            self.refused += 1
            return
        half = (flight.first + flight.last) // 2
        self._flights.insert(0, Flight(flight.boot, flight.first, half, flight.ahead))

    def _ground(self, flight: Flight) -> None:
        """Take an envelope out of the air; what is left of its events goes again in its turn."""
        self._flights.remove(flight)
        self._cursor[flight.boot] = min(self._cursor.get(flight.boot, flight.first), flight.first)

    def _ahead(self, now: Ms) -> None:
        """Send the oldest urgent event that is neither sent nor safe, with urgent neighbours, if the slot is free."""
        while self._urgent:
            boot, seq = self._urgent[0]
            log = self.log.boots.get(boot)
            settled = log is None or seq <= log.acked_seq or seq not in log.events or self._flying(boot, seq)
            if not settled and not self._slot_free(for_lost=log is not None and log.events[seq].type == "lost"):
                return
            self._urgent.popleft()
            if settled or log is None:
                continue
            last = seq
            while last + 1 in log.events and log.events[last + 1].urgent and not self._flying(boot, last + 1):
                last += 1
            self._launch(Flight(boot, seq, min(last, seq + EVENTS_PER_ENVELOPE - 1), ahead=True), now)

    def _slot_free(self, *, for_lost: bool) -> bool:
        """Whether an envelope may go ahead. `lost` takes the place of another: the rest goes again in its turn."""
        for flight in [f for f in self._flights if f.ahead]:
            kept = self.log.boots[flight.boot].events.get(flight.first)
            if not for_lost or (kept is not None and kept.type == "lost"):
                return False
            self._ground(flight)
        return True

    def _backlog(self, now: Ms) -> None:
        """Fill the window with envelopes of the oldest unsent events, boot by boot."""
        free = WINDOW_ENVELOPES - 1 - sum(not f.ahead for f in self._flights)
        for log in list(self.log.boots.values()):
            while free > 0:
                start = self._next_unsent(log)
                if start is None:
                    break
                first, last = next(_runs(log, start, self._run_end(log, start)))
                self._launch(Flight(log.boot, first, last, ahead=False), now)
                self._cursor[log.boot] = last + 1
                free -= 1

    def _next_unsent(self, log: BootLog) -> int | None:
        seq = max(self._cursor.get(log.boot, 1), log.acked_seq + 1)
        while seq <= log.last_seq and (seq not in log.events or self._flying(log.boot, seq)):
            seq += 1
        self._cursor[log.boot] = seq
        return seq if seq <= log.last_seq else None

    def _run_end(self, log: BootLog, start: int) -> int:
        """The last number before an envelope in the air begins."""
        return min([f.first - 1 for f in self._flights if f.boot == log.boot and f.first > start], default=log.last_seq)

    def _flying(self, boot: BootId, seq: int) -> bool:
        return any(f.boot == boot and f.first <= seq <= f.last for f in self._flights)

    def _launch(self, flight: Flight, now: Ms) -> None:
        self._flights.append(flight)
        self._send(flight, now)

    def _send(self, flight: Flight, now: Ms) -> None:
        wait_ms = min(FIRST_RETRY_MS << min(flight.tries, 4), LAST_RETRY_MS)
        flight.tries += 1
        flight.sent_at = now
        flight.answers_before = self._answers
        flight.next_try_at = now + round(wait_ms * self._rng.uniform(0.8, 1.0))
        self._publish(flight.boot, flight.first, flight.last, now)

    def _publish(self, boot: BootId, first: int, last: int, now: Ms) -> None:
        log = self.log.boots[boot]
        log.sent_seq = max(log.sent_seq, last)
        events = ",".join(log.events[seq].text for seq in range(first, last + 1))
        header = f'{{"v":1,"unit":"{self.unit}","boot":"{boot}","first_seq":{first},"sent_at":"{format_ms(now)}"'
        payload = f'{header},"events":[{events}]}}'.encode()
        if self._key is not None:
            payload = seal(payload, self._key)
        self.out.append(Outgoing(now, self.unit, f"em/v1/{self.unit}/up", payload, envelope=(boot, first, last)))


def _runs(log: BootLog, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Stretches of kept events within `first..last`, each small enough for one envelope."""
    start, size = None, 0
    for seq in range(first, min(last, log.last_seq) + 1):
        kept = log.events.get(seq)
        size += len(kept.text) + 1 if kept else 0
        if start is not None and (kept is None or seq - start >= EVENTS_PER_ENVELOPE or size > ENVELOPE_BYTES):
            yield start, seq - 1
            start, size = None, len(kept.text) + 1 if kept else 0
        if kept is not None and start is None:
            start = seq
    if start is not None:
        yield start, min(last, log.last_seq)
