"""A malicious night from a seed: a register and what its units told, late, repeated, torn, lost, contradicting itself.

Nothing here knows a rule. Instants are drawn near the edges at which rules turn: of windows, fittings, installations,
variations, suspensions and absences, and lengths near 120, 132, 300 and 660 s.
"""

import json
import random
from dataclasses import dataclass
from typing import Any

from firmware_sim.auditor.instants import format_utc, parse_utc
from tests.firmware_sim.adversary_register import Plan, plan

UNITS = ("BU-0001", "BU-0002", "BU-0003")
S = 1000
GAPS_S = (1, 5, 20, 59, 60, 61, 119, 120, 121, 131, 132, 133, 180, 240, 299, 300, 301, 600, 659, 660, 661, 1800, 7200)
NUDGES_MS = (0, 0, 0, 1, -1, 1 * S, -1 * S, 60 * S, -60 * S, 119 * S, 120 * S, 121 * S, 300 * S, -300 * S)
DAYS_MS = (0, 0, 0, 2 * S, 2 * S, 3600 * S, 100_000 * S, 500_000 * S)
DELAYS_MS = (0, 1, 2 * S, 2 * S, 2 * S, 5 * S, 30 * S, 61 * S, 300 * S, 301 * S, 1200 * S)
EARLY_MS = (-299_999, -300_000, -300_001, -60_000, -400_000)
OFFSETS_MS = (0, 0, 30_000, 30_001, -30_000, -30_001, 45_000, -45_000, 120_000, -90_000, 600_000, -3_600_000)


@dataclass(frozen=True, slots=True)
class Night:
    """A case to be judged: the register, the stream's rows in order of receipt, and instants to judge at."""

    register: dict[str, Any]
    rows: list[dict[str, Any]]
    untils: list[int | None]


@dataclass(slots=True)
class Told:
    """One event of a unit and when it was really told."""

    boot: str
    seq: int
    true_ms: int
    event: dict[str, Any]


def night(seed: int) -> Night:
    """The case of a seed."""
    chance = random.Random(seed)
    made = plan(chance)
    rows: list[dict[str, Any]] = []
    for unit in sorted({i["unit"] for i in made.register["installations"]}):
        told = _Unit(chance, made, unit).tell()
        rows += _Delivery(chance, unit, told).rows()
    rows += [_instruction(chance, made, absence) for absence in made.later_absences]
    rows += _strangers(chance, made)
    chance.shuffle(rows)
    rows.sort(key=lambda row: row["received_at"])
    return Night(made.register, rows, _untils(chance, made, rows))


class _Unit:
    """What one unit says of itself, event by event."""

    def __init__(self, chance: random.Random, made: Plan, unit: str) -> None:
        self.chance, self.made, self.unit = chance, made, unit
        self.heartbeat_s = chance.choice((None, 60, 300, 300, 300, 120, 30))
        self.numbered = chance.random() < 0.6
        self.boots = chance.choice((0, 0, 1, 7))
        self.now = made.first_ms + chance.randrange(0, 7200) * S
        self.offset_ms = 0
        self.told: list[Told] = []
        self.calm = chance.random() < 0.5
        """A calm unit mostly beats on; another jumps about."""

    def tell(self) -> list[Told]:
        """All it ever said."""
        self._boot()
        for _ in range(self.chance.randint(4, 45)):
            self._advance()
            self._act()
            if self.now > self.made.last_ms:
                break
        return self.told

    def _advance(self) -> None:
        if self.chance.random() < (0.12 if self.calm else 0.3):
            ahead = [edge for edge in self.made.edges_ms if edge > self.now]
            if ahead:
                self.now = max(self.now, self.chance.choice(ahead[:4]) + self.chance.choice(NUDGES_MS))
                return
        beat_s = self.heartbeat_s or 60
        near_s = [s for s in GAPS_S if s <= 2.2 * beat_s] if self.calm else list(GAPS_S)
        self.now += self.chance.choice((*near_s, beat_s, beat_s)) * S + self.chance.choice((0, 0, 0, 1, -1))
        if self.made.last_ms - self.made.first_ms > 100 * 3600 * S and self.chance.random() < 0.1:
            self.now += self.chance.choice((8, 24, 60)) * 3600 * S

    def _act(self) -> None:
        act = self.chance.choices(
            ("in", "out", "report", "silent_report", "status", "tags", "offset", "tamper", "lost", "reboot", "drift"),
            (16, 16, 14, 3, 12, 8, 4, 3, 4, 3, 2),
        )[0]
        tag = self.chance.choice(self.made.tags)
        if act in ("in", "out"):
            self._say("presence", tag=tag, in_range=act == "in", **(self._last_heard() if act == "out" else {}))
        elif act in ("report", "silent_report"):
            heard = 0 if act == "silent_report" else self.chance.choice((1, 9))
            self._say("report", tag=tag, interval_s=60, heard=heard, expected=10, rssi_dbm=-60, strap="closed")
        elif act == "tamper":
            back_ms = self.chance.choice((0, 30, 400)) * S
            self._say("tag_tamper", back_ms=back_ms, tag=tag, kind="case_open")
        elif act == "lost":
            self._lost()
        elif act == "reboot":
            self._boot()
        elif act == "drift":
            self.offset_ms = self.chance.choice(OFFSETS_MS)
        else:
            self._status(act)

    def _status(self, act: str) -> None:
        fields: dict[str, Any] = {}
        if act == "tags" or self.chance.random() < 0.1:
            fields["tags"] = self._tags()
        if act == "offset" or (self.offset_ms and self.chance.random() < 0.3):
            fields["clock_offset_ms"] = self.chance.choice((self.offset_ms, self.offset_ms, self.offset_ms + 7, None))
        self._say(
            "unit_status", power="mains", battery_pct=90, tilt_deg=0, moved=False, case="closed", signal_dbm=-80,
            noise_dbm=-110, buffered=0, **fields,
        )  # fmt: skip

    def _tags(self) -> dict[str, str]:
        return {tag: self.chance.choice(("in", "out")) for tag in self.made.tags if self.chance.random() < 0.7}

    def _last_heard(self) -> dict[str, Any]:
        if self.chance.random() < 0.2:
            return {}
        back_s = self.chance.choice((0, 1, 20, 59, 60, 61, 119, 120, 121, 300, 400, 1000, 5000))
        return {"last_heard_at": format_utc(self.now + self.offset_ms - back_s * S)}

    def _lost(self) -> None:
        boot = self.chance.choice(sorted({t.boot for t in self.told}))
        last = max(t.seq for t in self.told if t.boot == boot)
        low = self.chance.randint(1, last)
        span: dict[str, Any] = {"from": low, "to": min(last, low + self.chance.choice((0, 0, 1, 3)))}
        self._say(
            "lost",
            boot=boot,
            periodic_only=self.chance.random() < 0.6,
            **span,
        )

    def _boot(self) -> None:
        self.boots += 1
        fields: dict[str, Any] = {"reason": "power_on", "firmware": "1"}
        if self.heartbeat_s is not None and self.chance.random() < 0.9:
            fields["heartbeat_s"] = self.heartbeat_s
        if self.numbered and self.chance.random() < 0.9:
            fields["boot_n"] = self.boots
        if self.chance.random() < 0.3:
            fields["tags"] = self._tags()
        if self.told and self.chance.random() < 0.5:
            fields |= {"prev_boot": self.told[-1].boot, "prev_last_seq": self.told[-1].seq + self.chance.randint(0, 2)}
        name = f"01JD{UNITS.index(self.unit)}000000000{self.boots:02}{self.chance.randrange(10**10):010d}"
        self._say("boot", boot_name=name, **fields)

    def _say(self, type_: str, *, back_ms: int = 0, boot_name: str | None = None, **fields: Any) -> None:
        if self.chance.random() < 0.03:
            back_ms += self.chance.choice((1, 1 * S, 40 * S, 200 * S, 1000 * S))
        boot = boot_name or self.told[-1].boot
        seq = 1 if boot_name else self.told[-1].seq + 1
        at_ms = self.now + self.offset_ms - back_ms
        if "last_heard_at" in fields:
            fields["last_heard_at"] = format_utc(min(at_ms, parse_utc(fields["last_heard_at"])))
        self.told.append(Told(boot, seq, self.now, {"type": type_, "at": format_utc(at_ms), **fields}))


class _Delivery:
    """How a unit's events reach the service."""

    def __init__(self, chance: random.Random, unit: str, told: list[Told]) -> None:
        self.chance, self.unit, self.told = chance, unit, told
        self.good = chance.random() < 0.3
        """A good line loses nothing and says nothing false."""
        self.slow = chance.random() < 0.1
        self.sent: list[tuple[int, Told]] = []
        self.out: list[dict[str, Any]] = []

    def rows(self) -> list[dict[str, Any]]:
        """The rows, in any order."""
        self._batches()
        if not self.good:
            self._repeats()
            for _ in range(self.chance.choice((0, 0, 1, 2))):
                self._mischief()
        return self.out

    def _batches(self) -> None:
        left = list(self.told)
        missing: list[Told] = []
        while left:
            length = self.chance.choice((1, 1, 1, 2, 3, 6))
            run = [t for t in left[:length] if t.boot == left[0].boot]
            left = left[len(run) :]
            if not self.good and self.chance.random() < 0.08:
                missing += run
                continue
            delays = EARLY_MS if self.chance.random() < 0.02 else DAYS_MS if self.slow else DELAYS_MS
            self._send(run[-1].true_ms + self.chance.choice(delays), run)
        for told in missing:
            if self.chance.random() < 0.5:
                self._send(told.true_ms + self.chance.choice((10, 400, 3000, 20_000)) * S, [told])
            elif self.chance.random() < 0.5:
                self._declare_lost(told)

    def _declare_lost(self, told: Told) -> None:
        last = max(self.told, key=lambda t: (t.boot, t.seq))
        event = {
            "type": "lost", "at": format_utc(last.true_ms), "boot": told.boot, "from": told.seq, "to": told.seq,
            "periodic_only": self.chance.random() < 0.7,
        }  # fmt: skip
        declared = Told(last.boot, last.seq + 1, last.true_ms, event)
        self.told.append(declared)
        self._send(last.true_ms + self.chance.choice(DELAYS_MS), [declared])

    def _send(self, received_ms: int, run: list[Told]) -> None:
        self.sent += [(received_ms, told) for told in run]
        self._row(received_ms, run[0].boot, run[0].seq, [told.event for told in run])

    def _row(self, received_ms: int, boot: str, first_seq: int, events: list[Any], **changes: Any) -> None:
        envelope = {
            "v": 1, "boot": boot, "first_seq": first_seq, "sent_at": format_utc(received_ms), "events": events,
        } | changes  # fmt: skip
        self.out.append({"received_at": format_utc(received_ms), "topic": f"em/v1/{self.unit}/up", "payload": envelope})

    def _repeats(self) -> None:
        by_number = {(t.boot, t.seq): t for _, t in self.sent}
        for received_ms, told in list(self.sent):
            if self.chance.random() < 0.1:
                run = [told]
                while self.chance.random() < 0.6 and (run[-1].boot, run[-1].seq + 1) in by_number:
                    run.append(by_number[run[-1].boot, run[-1].seq + 1])
                self._send(received_ms + self.chance.choice((1, 61, 5000)) * S, run)

    def _mischief(self) -> None:
        received_ms, told = self.chance.choice(self.sent)
        later_ms = received_ms + self.chance.choice((0, 2, 500, 9000)) * S
        kind = self.chance.choice(("conflict", "version", "event", "stranger", "time", "text", "unit", "size"))
        changed = told.event | {"at": format_utc(parse_utc(told.event["at"]) - 7 * S)}
        changed.pop("last_heard_at", None)
        fresh = max(t.seq for t in self.told if t.boot == told.boot) + 1
        if kind == "conflict":
            self._row(later_ms, told.boot, told.seq, [changed])
        elif kind == "version":
            self._row(later_ms, told.boot, self.chance.choice((told.seq, fresh)), [told.event], v=2)
        elif kind == "event":
            bad = self.chance.choice(({"type": "dance"}, told.event | {"at": "noon"}, {"type": "presence"}, 7, None))
            self._row(later_ms, told.boot, self.chance.choice((told.seq, fresh)), [bad, changed])
        elif kind == "unit":
            self._row(later_ms, told.boot, fresh + 100, [told.event], unit="BU-9999")
        elif kind == "size":
            self._row(later_ms, told.boot, fresh, [told.event], padding="x" * 66_000)
        elif kind == "time":
            ahead = told.event | {"at": format_utc(later_ms + self.chance.choice((300_000, 300_001, 900_000)))}
            self._row(later_ms, told.boot, fresh, [ahead])
        else:
            text = "bm90IEpTT04="
            self.out.append(
                {"received_at": format_utc(later_ms), "topic": f"em/v1/{self.unit}/up", "payload_b64": text}
            )


def _instruction(chance: random.Random, made: Plan, absence: dict[str, Any]) -> dict[str, Any]:
    received_ms = chance.choice(made.edges_ms) + chance.choice((*NUDGES_MS, 7200 * S, 40_000 * S))
    return {"received_at": format_utc(received_ms), "instruction": {"type": "authorised_absence", **absence}}


def _strangers(chance: random.Random, made: Plan) -> list[dict[str, Any]]:
    if chance.random() < 0.8:
        return []
    payload = {"v": 1, "boot": "01JD0000000000000000000000", "first_seq": 1, "sent_at": "", "events": []}
    at = format_utc(made.first_ms + 1)
    return [{"received_at": at, "topic": topic, "payload": payload} for topic in ("em/v1/BU-7777/up", "em/v2/x")]


def _untils(chance: random.Random, made: Plan, rows: list[dict[str, Any]]) -> list[int | None]:
    receipts = [parse_utc(row["received_at"]) for row in rows]
    near = chance.choices(made.edges_ms, k=3) + chance.choices(receipts, k=4)
    nudged = [at + chance.choice(NUDGES_MS) for at in near]
    return [None, min(receipts) - 1, *chance.choices(receipts, k=2), *nudged, max(receipts) + 10**7]


def dumps(rows: list[dict[str, Any]]) -> str:
    """The rows as a stream file."""
    return "".join(json.dumps(row) + "\n" for row in rows)
