"""Stands in for the service where none runs: acknowledges what is contiguous, asks for what is missing.

It knows the wire, not the rules: one answer a unit and second at most, a hole asked for once a minute.
"""

import heapq
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emcheck.domain.ids import BootId, Ms, UnitId
from emcheck.domain.instants import MINUTE, SECOND, format_ms
from emcheck.wire.signing import seal
from firmware_sim.uplink import Outgoing

COMMIT_MS = 50
"""A batch is committed this long after a message of it came."""
STORE = "01KMFFFFFF" + "0" * 15 + "1"


@dataclass(slots=True)
class _Boot:
    """Numbers of one boot that came (or are lost): all up to `upto`, and those beyond a hole."""

    upto: int = 0
    beyond: set[int] = field(default_factory=set)
    asked_at: Ms | None = None

    def take(self, first: int, last: int) -> None:
        if first > self.upto + 1:
            self.beyond.update(range(first, last + 1))
            return
        self.upto = max(self.upto, last)
        while self.beyond and self.upto + 1 in self.beyond:
            self.upto += 1
        if self.beyond:
            self.beyond = {seq for seq in self.beyond if seq > self.upto}


class Loopback:
    """The service's half of the protocol for all units, by virtual time; with a key it signs."""

    def __init__(self, key: Ed25519PrivateKey | None = None) -> None:
        self._key = key
        self._boots: dict[UnitId, dict[BootId, _Boot]] = {}
        self._fresh: dict[UnitId, set[BootId]] = {}
        self._answered_at: dict[UnitId, Ms] = {}
        self._agenda: list[tuple[Ms, int, str, UnitId, BootId]] = []
        self._serial = 0
        self._n = 0

    def receive(self, message: Outgoing, now: Ms) -> None:
        """Take in one `up` message; its answer will be due shortly."""
        if message.envelope is None:
            return
        unit, (boot, first, last) = message.unit, message.envelope
        boots = self._boots.setdefault(unit, {})
        state = boots.setdefault(boot, _Boot())
        state.take(first, last)
        if b'"lost"' in message.payload:
            self._take_lost(boots, message.payload)
        fresh = self._fresh.setdefault(unit, set())
        if not fresh:
            due = max(now + COMMIT_MS, self._answered_at.get(unit, 0) + SECOND)
            self._schedule(due, "answer", unit, boot)
        fresh.add(boot)
        if state.beyond and state.asked_at is None:
            state.asked_at = now
            self._schedule(now + MINUTE, "ask", unit, boot)

    def known_upto(self, unit: UnitId, boot: BootId) -> int:
        """The number up to which every event of a boot came or is known to be lost; 0 where there is none."""
        state = self._boots.get(unit, {}).get(boot)
        return 0 if state is None else state.upto

    def next_due(self) -> Ms | None:
        """When something is to be said next."""
        return self._agenda[0][0] if self._agenda else None

    def due(self, now: Ms) -> list[tuple[UnitId, bytes]]:
        """Messages for `down` topics that are due at `now`."""
        said: list[tuple[UnitId, bytes]] = []
        while self._agenda and self._agenda[0][0] <= now:
            _, _, kind, unit, boot = heapq.heappop(self._agenda)
            if kind == "ask":
                said += self._ask(unit, boot, now)
                continue
            self._answered_at[unit] = now
            for fresh in sorted(self._fresh.pop(unit, ())):
                ack = {"now": format_ms(now), "ack": {"boot": fresh, "seq": self._boots[unit][fresh].upto}}
                said.append((unit, self._message(unit, ack)))
        return said

    def _ask(self, unit: UnitId, boot: BootId, now: Ms) -> list[tuple[UnitId, bytes]]:
        state = self._boots[unit][boot]
        if not state.beyond:
            state.asked_at = None
            return []
        self._schedule(now + MINUTE, "ask", unit, boot)
        hole = {"boot": boot, "from": state.upto + 1, "to": min(state.beyond) - 1}
        return [(unit, self._message(unit, {"resend": hole}))]

    def _take_lost(self, boots: dict[BootId, _Boot], payload: bytes) -> None:
        for event in json.loads(payload)["events"]:
            if event["type"] == "lost":
                boots.setdefault(event["boot"], _Boot()).take(event["from"], event["to"])

    def _message(self, unit: UnitId, said: Mapping[str, object]) -> bytes:
        self._n += 1
        named = {} if self._key is None else {"unit": unit}
        message = {"v": 1, "store": STORE, "n": self._n, **named, **said}
        payload = json.dumps(message, separators=(",", ":")).encode()
        return payload if self._key is None else seal(payload, self._key)

    def _schedule(self, at: Ms, kind: str, unit: UnitId, boot: BootId) -> None:
        self._serial += 1
        heapq.heappush(self._agenda, (at, self._serial, kind, unit, boot))
