"""Base unit firmware as a state machine without I/O, clock or chance of its own (protocol.md, the unit's side).

Inputs carry `now_ms`, the unit's own clock: frames, ticks, downlink bytes, the link, mains power, a reboot.
Outputs are messages (`take_outgoing`) and the flash, the one thing that survives `reboot`. What it obeys:

1. The `store` it saw first is the one it is enrolled with; `n` must rise; an `ack` is no higher than sent; a
   downlink for another unit is none; with the service's key enrolled only what it signed for this unit counts.
2. Some event comes at least every `heartbeat_s`; a `unit_status` with the state of all tags every 10 min.
3. Departures name the last frame heard; a tamper is told once, with its true time.
4. `now` in an answer, and the round trip, give `clock_offset_ms` (unit minus service).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ulid import ULID

from emcheck.domain.ids import BootId, Ms, TagId, UnitId
from emcheck.domain.instants import format_ms
from emcheck.wire.signing import BadSignature, verify
from firmware_sim.downlink import Downlink, read_downlink
from firmware_sim.event_log import EventLog
from firmware_sim.tag_watch import Frame, TagWatch
from firmware_sim.unit_config import UnitConfig
from firmware_sim.uplink import Outgoing, Uplink

FIRMWARE = "sim-1.0"
STATUS_EVERY_MS = 600_000
"""Between heartbeats that reports make unnecessary: how often the state of all tags is said all the same."""
OFFSET_NEWS_MS = 5_000
"""A measured clock offset that moved this much is told at once."""
BATTERY_LIFE_MS = 48 * 3_600_000


@dataclass(slots=True)
class Flash:
    """What survives a restart."""

    log: EventLog = field(default_factory=EventLog)
    config: UnitConfig = field(default_factory=UnitConfig)
    store: str | None = None
    n: int = 0
    boot_n: int = 0
    boot: BootId | None = None
    refused: int = 0
    tampers_told: set[tuple[TagId, int]] = field(default_factory=set)
    key: Ed25519PrivateKey | None = None
    """Signs envelopes; None for a unit that does not sign."""
    service_key: str | None = None
    """Public key of the service, base64, once the fitter enrolled it."""


class BaseUnit:
    """One running boot of a base unit; `reboot` gives the next."""

    def __init__(self, *, unit: UnitId, flash: Flash, rng: Random, now_ms: Ms, reason: str = "power_on") -> None:
        self.unit = unit
        self.flash = flash
        self.ignored = 0
        self._rng = rng
        self._uplink = Uplink(unit=unit, log=flash.log, rng=rng, key=flash.key)
        self._mains = True
        self._battery_from: Ms = now_ms
        self._offset_ms: int | None = None
        self._offset_told: int | None = None
        self._rtt_ms: int | None = None
        self._last_event_at = now_ms
        self._last_status_at = now_ms
        self._watches = {tag: TagWatch(tag, now_ms) for tag in flash.config.tags}
        self._boot(now_ms, reason)

    def _boot(self, now: Ms, reason: str) -> None:
        flash = self.flash
        before = flash.log.boots.get(flash.boot) if flash.boot else None
        flash.boot_n += 1
        self.boot = flash.boot = BootId(str(ULID.from_bytes(now.to_bytes(6) + self._rng.randbytes(10))))
        flash.log.begin(self.boot)
        fields: dict[str, Any] = {"reason": reason, "firmware": FIRMWARE, "boot_n": flash.boot_n}
        fields |= {"heartbeat_s": flash.config.heartbeat_s}
        if before is not None:
            fields |= {"prev_boot": before.boot, "prev_last_seq": before.last_seq}
        self._event(now, "boot", fields | self._config_echo())
        for watch in self._watches.values():
            watch.restart_count(now, now + self._rng.randrange(1, flash.config.report_ms(now)))

    def reboot(self, now_ms: Ms, reason: str = "watchdog") -> "BaseUnit":
        """The unit after a restart: RAM is gone, flash is not, and it has to connect again."""
        return BaseUnit(unit=self.unit, flash=self.flash, rng=self._rng, now_ms=now_ms, reason=reason)

    @property
    def last_will(self) -> Outgoing:
        """What the broker is to say when the unit's connection dies."""
        return Outgoing(0, self.unit, f"em/v1/{self.unit}/link", b'{"online":false}', retain=True)

    def connected(self, now_ms: Ms) -> None:
        """The broker took the connection: say so, and send what waits."""
        online = f'{{"online":true,"boot":"{self.boot}"}}'.encode()
        self._uplink.out.append(Outgoing(now_ms, self.unit, f"em/v1/{self.unit}/link", online, retain=True))
        self._uplink.connect(now_ms)
        self.tick(now_ms)

    def disconnected(self, now_ms: Ms) -> None:
        """The link is gone; facts are kept."""
        self._uplink.disconnect()
        self.tick(now_ms)

    def power(self, now_ms: Ms, *, mains: bool) -> None:
        """Mains came or went; told at once."""
        if mains != self._mains:
            self._mains, self._battery_from = mains, now_ms
            self._status(now_ms)
        self.tick(now_ms)

    def in_range(self, tag: TagId) -> bool:
        """Whether the unit now holds the tag to be in range; each frame of one that is not could change that."""
        watch = self._watches.get(tag)
        return watch is None or watch.state == "in"

    def told(self, tag: TagId, number: int) -> bool:
        """Whether the unit already told this entry of the tag's memory."""
        return tag not in self._watches or (tag, number) in self.flash.tampers_told

    def heard(self, frame: Frame, rssi_dbm: float, now_ms: Ms) -> None:
        """A frame was received. Weaker than the calibrated range, or of a foreign tag, it does not count."""
        watch = self._watches.get(frame.tag)
        if watch is None or rssi_dbm < self.flash.config.range_dbm:
            return
        if watch.hear(frame, rssi_dbm, now_ms):
            self._event(now_ms, "presence", {"tag": frame.tag, "in_range": True, "rssi_dbm": round(rssi_dbm)})
            watch.restart_count(now_ms, now_ms + self.flash.config.report_ms(now_ms))
            self._uplink.pump(self.boot, now_ms)
        if frame.tampers:
            self._tampers(frame, now_ms)

    def _tampers(self, frame: Frame, now: Ms) -> None:
        for tamper in frame.tampers:
            if not self.told(frame.tag, tamper.number):
                self.flash.tampers_told.add((frame.tag, tamper.number))
                self._event(now - tamper.age_ms, "tag_tamper", {"tag": frame.tag, "kind": tamper.kind})
                self._uplink.pump(self.boot, now)

    def tick(self, now_ms: Ms) -> None:
        """Do what is due: departures, reports, the heartbeat, repeats."""
        for watch in self._watches.values():
            self._watch(watch, now_ms)
        if now_ms >= self._status_due():
            self._status(now_ms)
        self._uplink.pump(self.boot, now_ms)
        self.flash.refused += self._uplink.refused
        self._uplink.refused = 0

    def _watch(self, watch: TagWatch, now: Ms) -> None:
        config = self.flash.config
        leave_at = watch.leave_at(config.leave_time_ms)
        if leave_at is not None and now >= leave_at:
            watch.state = "out"
            heard_at = {} if watch.last_heard_at is None else {"last_heard_at": format_ms(watch.last_heard_at)}
            self._event(now, "presence", {"tag": watch.tag, "in_range": False, **heard_at})
        if watch.state == "in" and now >= watch.report_due:
            self._event(now, "report", watch.report(now))
            watch.restart_count(now, max(watch.report_due + config.report_ms(now), now + 1))

    def _status_due(self) -> Ms:
        heartbeat_ms = self.flash.config.heartbeat_s * 1000
        return min(self._last_event_at + heartbeat_ms, self._last_status_at + STATUS_EVERY_MS)

    def next_due(self) -> Ms:
        """The next instant, by the unit's clock, at which `tick` has something to do."""
        due = self._status_due()
        leave_ms = self.flash.config.leave_time_ms
        for watch in self._watches.values():
            leave_at = watch.leave_at(leave_ms)
            if leave_at is not None and leave_at < due:
                due = leave_at
            if watch.state == "in" and watch.report_due < due:
                due = watch.report_due
        retry = self._uplink.next_due()
        return due if retry is None or retry > due else retry

    def downlink(self, payload: bytes, now_ms: Ms) -> None:
        """Bytes on the unit's `down` topic; whatever is not for this unit, or stale, is ignored (1)."""
        message = read_downlink(payload)
        if message is None or not self._genuine(message, payload) or not self._obeys(message):
            self.ignored += 1
            return
        self.flash.store, self.flash.n = message.store, message.n
        self._uplink.heard_from_host()
        if message.ack is not None:
            rtt_ms = self._uplink.answered(message.ack.boot, now_ms)
            self.flash.refused += message.rejected
            self._measure(rtt_ms, message.now, now_ms)
        if message.resend is not None:
            self._resend(*message.resend, now_ms)
        if message.config is not None:
            self._configure(message.config, now_ms)
        self.tick(now_ms)

    def _genuine(self, message: Downlink, payload: bytes) -> bool:
        """Whether it is meant for this unit and, once the service's key is enrolled, signed by it (1)."""
        if message.unit not in (None, self.unit):
            return False
        if self.flash.service_key is None:
            return True
        try:
            verify(payload, self.flash.service_key)
        except BadSignature:
            return False
        return message.unit is not None

    def _obeys(self, message: Downlink) -> bool:
        if self.flash.store not in (None, message.store) or message.n <= self.flash.n:
            return False
        return message.ack is None or self.flash.log.acknowledge(message.ack.boot, message.ack.seq)

    def _measure(self, rtt_ms: int | None, service_now: Ms | None, now: Ms) -> None:
        if rtt_ms is None or service_now is None:
            return
        self._rtt_ms, self._offset_ms = rtt_ms, now - rtt_ms // 2 - service_now
        told = self._offset_told or 0
        if abs(self._offset_ms - told) >= OFFSET_NEWS_MS:
            self._status(now)

    def _resend(self, boot: BootId, first: int, last: int, now: Ms) -> None:
        """Answer with the events, or with the `lost` event that says they will never come."""
        log = self.flash.log.boots.get(boot)
        if log is None:
            return
        last = min(last, log.last_seq)
        self.flash.log.miss(boot, first, last)
        self._uplink.answer(boot, first, last, now)
        for gap, (told_in, seq) in list(self.flash.log.declared.items()):
            if gap.boot == boot and gap.first <= last and first <= gap.last:
                self._uplink.answer(told_in, seq, seq, now)

    def _configure(self, raw: Mapping[str, Any], now: Ms) -> None:
        config = self.flash.config.updated(raw)
        if config is None:
            self.ignored += 1
            return
        if config.rev > self.flash.config.rev:
            self.flash.config = config
            kept = {tag: self._watches.get(tag) for tag in config.tags}
            self._watches = {tag: watch or TagWatch(tag, now) for tag, watch in kept.items()}
            for watch in self._watches.values():
                watch.report_due = min(watch.report_due, now + config.report_ms(now))
        self._status(now)

    def host(self, payload: bytes, now_ms: Ms) -> None:
        """The retained word of `em/v1/host`: while the host is away, only what is urgent goes."""
        online = b'"online":false' not in payload.replace(b" ", b"")
        if online and not self._uplink.host_online and self._uplink.connected:
            self._uplink.connect(now_ms)
        self._uplink.host_online = online
        self.tick(now_ms)

    def take_outgoing(self) -> list[Outgoing]:
        """Messages to publish, in order; taken once."""
        out, self._uplink.out = self._uplink.out, []
        return out

    def unacknowledged(self) -> list[tuple[BootId, int]]:
        """First events of envelopes sent and not yet acknowledged."""
        return self._uplink.waiting()

    def hold_repeats(self, *, sent_after: Ms, until: Ms) -> None:
        """The modem still holds what was sent after an instant: nothing of that is repeated before `until`."""
        self._uplink.hold(sent_after=sent_after, until=until)

    def again_now(self, now_ms: Ms) -> None:
        """Send every unanswered envelope again at once (an answer on QoS 0 may have been lost)."""
        self._uplink.again_now(now_ms)
        self.tick(now_ms)

    def _config_echo(self) -> dict[str, Any]:
        config = self.flash.config
        return {"config_rev": config.rev, "schedule_sha256": config.schedule_sha256} if config.rev else {}

    def _status(self, now: Ms) -> None:
        drained = 0.0 if self._mains else (now - self._battery_from) / BATTERY_LIFE_MS
        tags = {tag: watch.state for tag, watch in self._watches.items() if watch.state is not None}
        fields: dict[str, Any] = {
            "power": "mains" if self._mains else "battery",
            "battery_pct": max(0, round(100 * (1 - drained))),
            "tilt_deg": 1,
            "moved": False,
            "case": "closed",
            "signal_dbm": -79 - self._rng.randrange(8),
            "noise_dbm": -112 + self._rng.randrange(5),
            "buffered": self.flash.log.unacknowledged_count(),
        }
        if tags:
            fields["tags"] = tags
        if self._offset_ms is not None:
            fields |= {"clock_offset_ms": self._offset_ms, "rtt_ms": self._rtt_ms}
            self._offset_told = self._offset_ms
        refused = {"refused": self.flash.refused} if self.flash.refused else {}
        self._last_status_at = now
        self._event(now, "unit_status", fields | self._config_echo() | refused)

    def _event(self, at: Ms, kind: str, fields: Mapping[str, Any]) -> None:
        seq = self.flash.log.append(self.boot, at, kind, fields)
        self._uplink.note(self.boot, seq)
        self._last_event_at = max(self._last_event_at, at)
