"""What a broken, forged or malicious unit may send, from one seed: each message with what must become of it.

`reason` is the quarantine's reason for the whole message, `events` the reasons of single events in it, both empty
where it is to be taken; `None` stands for bytes that were mutated by chance, of which only the sums are known.
"""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY, HOUR, MINUTE, format_ms

SEQ_MAX = 2**63 - 1
CLOCK_OFFSET_MS_MOST = 10**11
"""Three years."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Attack(NamedTuple):
    """One message, and what must become of it."""

    kind: str
    topic: str
    payload: bytes
    reason: str | None
    events: tuple[str, ...] = ()


class Attacker:
    """Attacks in the name of enrolled `units`, and of strangers."""

    def __init__(self, seed: int, units: tuple[str, ...]) -> None:
        self.chance = random.Random(seed)
        self._units = units
        self._seq: dict[str, int] = {}
        self._kinds: list[tuple[str, Callable[[str, Ms], Attack]]] = [
            (name.removeprefix("_do_"), getattr(self, name)) for name in sorted(dir(self)) if name.startswith("_do_")
        ]

    def attacks(self, count: int, now: Callable[[], Ms]) -> Iterator[Attack]:
        """So many attacks, each kind as often as any other."""
        for index in range(count):
            _, make = self._kinds[index % len(self._kinds)]
            yield make(self.chance.choice(self._units), now())

    # --- what they are made of ----------------------------------------------------------------------------

    def ulid(self) -> str:
        return "01" + "".join(self.chance.choice(_ALPHABET) for _ in range(24))

    def _boot_of(self, unit: str) -> str:
        return f"01HQ{unit.replace('-', '').replace('U', 'V'):0>22}"

    def envelope(self, unit: str, /, *events: object, boot: str | None = None, **fields: Any) -> dict[str, Any]:
        """The next envelope of a unit; numbers go on, but for a boot of its own."""
        first = 1
        if boot is None:
            first = self._seq.get(unit, 1)
            self._seq[unit] = first + len(events)
        return {"v": 1, "boot": boot or self._boot_of(unit), "first_seq": first, "events": list(events), **fields}

    @staticmethod
    def status(at: Ms, **fields: Any) -> dict[str, Any]:
        return {"type": "unit_status", "at": format_ms(at), "power": "mains", **fields}

    @staticmethod
    def _said(kind: str, unit: str, body: object, reason: str | None = "", events: tuple[str, ...] = ()) -> Attack:
        payload = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
        return Attack(kind, f"em/v1/{unit}/up", payload, reason, events)

    # --- not readable -------------------------------------------------------------------------------------

    def _do_random_bytes(self, unit: str, now: Ms) -> Attack:
        return self._said("random bytes", unit, b"\xff" + self.chance.randbytes(self.chance.randrange(400)), "not_json")

    def _do_truncated(self, unit: str, now: Ms) -> Attack:
        whole = json.dumps(self.envelope(unit, self.status(now), boot=self.ulid())).encode()
        return self._said("truncated", unit, whole[: self.chance.randrange(len(whole))], "not_json")

    def _do_deep_nesting(self, unit: str, now: Ms) -> Attack:
        return self._said("deep nesting", unit, b"[" * self.chance.randrange(2_000, 60_000), "not_json")

    def _do_deep_value(self, unit: str, now: Ms) -> Attack:
        depth = self.chance.randrange(1, 150)
        field = self.chance.choice(["v", "boot", "first_seq", "events", "unit", "sig", "sent_at"])
        body = json.dumps(self.envelope(unit, self.status(now), boot=self.ulid()) | {field: 0})
        nested = body.replace(f'"{field}": 0', f'"{field}": {"[" * depth}{"]" * depth}', 1)
        return self._said("deep value", unit, nested.encode(), "wrong_version" if field == "v" else "not_in_schema")

    def _do_huge_number(self, unit: str, now: Ms) -> Attack:
        digits = self.chance.choice([20, 400, 4_000, 5_000])
        body = json.dumps(self.envelope(unit, self.status(now), boot=self.ulid()) | {"first_seq": 0})
        said = body.replace('"first_seq": 0', f'"first_seq": {"9" * digits}').encode()
        return self._said("huge number", unit, said, "not_json" if digits > 4_300 else "not_in_schema")

    def _do_not_a_number(self, unit: str, now: Ms) -> Attack:
        body = self.envelope(unit, self.status(now), boot=self.ulid()) | {
            self.chance.choice(["first_seq", "boot", "events"]): self.chance.choice([float("nan"), float("inf"), -0.5])
        }
        return self._said("not a number", unit, body, "not_in_schema")

    def _do_wrong_type(self, unit: str, now: Ms) -> Attack:
        body: object = self.chance.choice([None, 7, "text", [], {}, [[]], True])
        if isinstance(body, dict) and not body:
            return self._said("wrong type", unit, body, "wrong_version")
        if self.chance.random() < 0.5:
            return self._said("wrong type", unit, body, "not_in_schema")
        whole = self.envelope(unit, self.status(now), boot=self.ulid()) | {"events": body}
        return self._said("wrong type", unit, whole, "not_in_schema", ())

    def _do_wrong_version(self, unit: str, now: Ms) -> Attack:
        version = self.chance.choice([0, 2, -1, "1", None, 1e300, "\ud800", [1], "9" * 5_000])
        body = self.envelope(unit, self.status(now), boot=self.ulid()) | {"v": version}
        return self._said("wrong version", unit, body, "wrong_version")

    def _do_over_size(self, unit: str, now: Ms) -> Attack:
        body = self.envelope(unit, self.status(now, case="x"), boot=self.ulid(), padding="x" * 65_536)
        return self._said("over size", unit, body, "over_size")

    def _do_bad_topic(self, unit: str, now: Ms) -> Attack:
        name = self.chance.choice(
            ["bu-0001", "é\u202e", "A", "B" * 33, "BU_0001", "BU-0001é", "-BU1", "$", "B" * 9_000]
        )
        body = self.envelope(unit, self.status(now), boot=self.ulid())
        return self._said("bad topic", name, body, "bad_topic")

    def _do_other_unit(self, unit: str, now: Ms) -> Attack:
        body = self.envelope(unit, self.status(now), boot=self.ulid()) | {"unit": "BU-4711"}
        return self._said("other unit", unit, body, "other_unit")

    def _do_not_enrolled(self, unit: str, now: Ms) -> Attack:
        stranger = f"XX-{self.chance.randrange(3_000):04}"
        return self._said(
            "not enrolled", stranger, self.envelope(unit, self.status(now), boot=self.ulid()), "not_enrolled"
        )

    # --- readable, with events that are not ---------------------------------------------------------------

    def _do_bad_event(self, unit: str, now: Ms) -> Attack:
        bad: object = self.chance.choice(
            [
                None, 0, "", [], {}, {"type": "dance", "at": format_ms(now)}, {"type": "unit_status"},
                {"type": "\ud800", "at": format_ms(now)}, {"type": "unit_status", "at": "\x00"},
                {"type": "report", "at": format_ms(now), "tag": "T-1", "heard": float("nan")},
                {"type": "report", "at": format_ms(now), "tag": "\x00", "heard": 1},
                {"type": "boot", "at": format_ms(now), "heartbeat_s": 1e308},
                {"type": "boot", "at": format_ms(now), "reason": "\ud83d"},
                {"type": "boot", "at": format_ms(now), "tags": {"\udfff": "in"}},
                {"type": "lost", "at": format_ms(now), "boot": self.ulid(), "from": 0, "to": 1, "periodic_only": True},
                {"type": "unit_status", "at": format_ms(now), "clock_offset_ms": 1e16},
            ]
        )  # fmt: skip
        body = self.envelope(unit, self.status(now), bad, self.status(now))
        return self._said("bad event", unit, body, "", ("not_in_schema",))

    def _do_bad_events(self, unit: str, now: Ms) -> Attack:
        count = self.chance.randrange(1, 40)
        return self._said("bad events", unit, self.envelope(unit, *[0] * count), "", ("not_in_schema",) * count)

    def _do_impossible_time(self, unit: str, now: Ms) -> Attack:
        text = self.chance.choice(
            ["2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "0000-01-01T00:00:00Z", "2026-03-24T19:00:60Z",
             format_ms(now + 6 * MINUTE), format_ms(now + 30 * DAY), "9999-12-31T23:59:59.999999Z"]
        )  # fmt: skip
        body = self.envelope(unit, {"type": "tag_tamper", "at": text, "tag": "T-9", "kind": "strap_cut"})
        return self._said("impossible time", unit, body, "", ("impossible_time",))

    def _do_heard_after(self, unit: str, now: Ms) -> Attack:
        later = {"type": "presence", "tag": "T-91", "in_range": False, "at": format_ms(now)}
        body = self.envelope(unit, later | {"last_heard_at": format_ms(now + HOUR)})
        return self._said("heard after it left", unit, body, "", ("impossible_time",))

    # --- readable to the last, and still no good ----------------------------------------------------------

    def _do_deep_unknown_field(self, unit: str, now: Ms) -> Attack:
        depth = self.chance.randrange(1, 120)
        body = json.dumps(self.envelope(unit, self.status(now, colour=0)))
        return self._said(
            "deep unknown field", unit, body.replace('"colour": 0', f'"colour": {"[" * depth}{"]" * depth}').encode()
        )

    def _do_sequence_end(self, unit: str, now: Ms) -> Attack:
        body = self.envelope(unit, self.status(now), boot=self.ulid()) | {"first_seq": SEQ_MAX}
        return self._said("sequence end", unit, body)

    def _do_sequence_overflow(self, unit: str, now: Ms) -> Attack:
        body = self.envelope(unit, self.status(now), boot=self.ulid()) | {"first_seq": SEQ_MAX + 1}
        return self._said("sequence overflow", unit, body, "not_in_schema")

    def _do_lost_giant(self, unit: str, now: Ms) -> Attack:
        boot = self.chance.choice([self._boot_of(unit), self._boot_of(self._units[0]), self.ulid()])
        lost = {
            "type": "lost",
            "at": format_ms(now),
            "boot": boot,
            "from": self.chance.choice([1, 2**40]),
            "to": SEQ_MAX,
        }
        body = self.envelope(unit, lost | {"periodic_only": self.chance.random() < 0.5}, boot=self.ulid())
        return self._said("lost giant", unit, body)

    def _do_absurd_boot(self, unit: str, now: Ms) -> Attack:
        boot = {"type": "boot", "at": format_ms(now), "reason": "power_on", "boot_n": self.chance.choice([0, SEQ_MAX])}
        previous = {"prev_boot": self.ulid(), "prev_last_seq": SEQ_MAX}
        return self._said("absurd boot", unit, self.envelope(unit, boot | previous, boot=self.ulid()))

    def _do_clock_offset_giant(self, unit: str, now: Ms) -> Attack:
        offset = self.chance.choice([-1, 1]) * self.chance.choice([29_999, 30_001, HOUR, CLOCK_OFFSET_MS_MOST])
        body = self.envelope(unit, self.status(now, clock_offset_ms=offset), boot=self.ulid())
        ahead = ("impossible_time",) if offset <= -HOUR else ()
        return self._said("clock offset", unit, body, "", ahead)

    def _do_long_ago(self, unit: str, now: Ms) -> Attack:
        gone = {"type": "presence", "tag": "T-92", "in_range": self.chance.random() < 0.5, "at": "0001-01-01T00:00:00Z"}
        return self._said("long ago", unit, self.envelope(unit, gone, boot=self.ulid()))

    def _do_thousands_of_tags(self, unit: str, now: Ms) -> Attack:
        tags = {f"X{self.chance.randrange(10**6)}": "in" for _ in range(self.chance.choice([10, 100, 3_000]))}
        return self._said("thousands of tags", unit, self.envelope(unit, self.status(now, tags=tags)))

    def _do_flapping(self, unit: str, now: Ms) -> Attack:
        said = [
            {"type": "presence", "tag": "T-93", "in_range": bool(number % 2), "at": format_ms(now - 20 + number)}
            for number in range(20)
        ]
        return self._said("flapping", unit, self.envelope(unit, *said))

    def _do_mutated(self, unit: str, now: Ms) -> Attack:
        body = bytearray(json.dumps(self.envelope(unit, self.status(now), self.status(now), boot=self.ulid())).encode())
        for _ in range(self.chance.randrange(1, 6)):
            place = self.chance.randrange(len(body))
            match self.chance.randrange(3):
                case 0:
                    body[place] = self.chance.randrange(256)
                case 1:
                    del body[place]
                case _:
                    body[place:place] = body[place : place + self.chance.randrange(20)]
        return self._said("mutated", unit, bytes(body), None)
