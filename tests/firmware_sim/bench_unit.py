"""A base unit on a bench: frames, time and answers given by hand, everything it says noted."""

import json
from random import Random
from typing import Any

from emcheck.domain.ids import BootId, TagId, UnitId
from emcheck.domain.instants import format_ms, parse_ms
from firmware_sim.base_unit import BaseUnit, Flash
from firmware_sim.event_log import EventLog
from firmware_sim.tag_watch import Frame, Sense, Tamper
from firmware_sim.unit_config import UnitConfig
from firmware_sim.uplink import Outgoing

STORE = "01KMFFFFFF0000000000000001"
OTHER_STORE = "01KMFFFFFF0000000000000002"
TAG = TagId("T-1")
START = parse_ms("2026-03-24T18:00:00Z")
SENSE = Sense("closed", 0.9, 31.0, 21.0, 12.0, 90)


class Bench:
    """One unit, its flash, a clock in the tester's hand, and all events that were ever sent, by name."""

    def __init__(self, *, capacity_events: int = 3_000, **config: Any) -> None:
        self.now = START
        self.flash = Flash(log=EventLog(capacity_events), config=UnitConfig(tags=(TAG,), **config))
        self.unit = BaseUnit(unit=UnitId("BU-0001"), flash=self.flash, rng=Random("bench"), now_ms=self.now)
        self.n = 0
        self.counter = 0
        self.sent: dict[tuple[BootId, int], dict[str, Any]] = {}
        self.envelopes: list[dict[str, Any]] = []

    def connects(self) -> list[dict[str, Any]]:
        self.unit.connected(self.now)
        return self.says()

    def hears(self, *tampers: Tamper, rssi_dbm: float = -70.0) -> list[dict[str, Any]]:
        self.counter += 1
        self.unit.heard(Frame(TAG, self.counter, 10_000, SENSE, tampers), rssi_dbm, self.now)
        return self.says()

    def waits(self, seconds: float, *, hearing: bool = False) -> list[dict[str, Any]]:
        """Time passes; the unit is woken when it asks for it. With `hearing` a frame comes every 10 s."""
        end = self.now + round(seconds * 1000)
        said = []
        frame_at = self.now + 10_000 if hearing else end + 1
        while min(self.unit.next_due(), frame_at) <= end:
            self.now = max(self.now, min(self.unit.next_due(), frame_at))
            if self.now >= frame_at:
                said += self.hears()
                frame_at += 10_000
            self.unit.tick(self.now)
            said += self.says()
        self.now = end
        return said

    def reboots(self) -> None:
        self.unit = self.unit.reboot(self.now)

    def answers(self, store: str = STORE, n: int | None = None, **said: Any) -> list[dict[str, Any]]:
        self.n += 1
        message = {"v": 1, "store": store, "n": self.n if n is None else n, "now": format_ms(self.now), **said}
        self.unit.downlink(json.dumps(message).encode(), self.now)
        return self.says()

    def acknowledges(self, seq: int, boot: BootId | None = None, **said: Any) -> list[dict[str, Any]]:
        return self.answers(ack={"boot": boot or self.unit.boot, "seq": seq}, **said)

    def says(self) -> list[dict[str, Any]]:
        """Envelopes published since the last look; an event is for ever the same."""
        envelopes = [json.loads(m.payload) for m in self._published() if m.envelope is not None]
        for envelope in envelopes:
            for seq, event in enumerate(envelope["events"], start=envelope["first_seq"]):
                assert self.sent.setdefault((envelope["boot"], seq), event) == event
        self.envelopes += envelopes
        return envelopes

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Every event of a kind that was ever sent, each once."""
        return [event for event in self.sent.values() if event["type"] == kind]

    def _published(self) -> list[Outgoing]:
        return self.unit.take_outgoing()

    @property
    def last_seq(self) -> int:
        return self.flash.log.boots[self.unit.boot].last_seq


def events(envelopes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All events of some envelopes, in order."""
    return [event for envelope in envelopes for event in envelope["events"]]


def numbers(envelopes: list[dict[str, Any]]) -> list[int]:
    """The numbers of all events of some envelopes."""
    return [seq for e in envelopes for seq in range(e["first_seq"], e["first_seq"] + len(e["events"]))]
