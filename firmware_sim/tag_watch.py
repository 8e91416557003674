"""What a base unit knows of one tag: heard or not, counted for the next report, in range or out.

The decision has its own delay: in at the first frame strong enough, out when none came for `leave_time_s`;
a departure names the last frame before it.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from emcheck.domain.ids import Ms, TagId

Strap = Literal["closed", "open", "cut"]
RangeState = Literal["in", "out"]


class Tamper(NamedTuple):
    """One entry of a tag's memory, told with each frame until it is cleared by a fitter; `number` names it."""

    number: int
    kind: Literal["strap_cut", "strap_open", "case_open"]
    age_ms: Ms


class Sense(NamedTuple):
    """What the tag's sensors said last; sampled more slowly than frames are sent."""

    strap: Strap
    proximity: float
    skin_c: float
    ambient_c: float
    motion_mg: float
    battery_pct: int


class Frame(NamedTuple):
    """One radio frame. `period_ms` is how often the tag means to send; `counter` rises by one a frame."""

    tag: TagId
    counter: int
    period_ms: Ms
    sense: Sense
    tampers: tuple[Tamper, ...]


@dataclass(slots=True)
class TagWatch:
    """One configured tag as the unit hears it. `state` is None until decided after a boot."""

    tag: TagId
    since: Ms
    state: RangeState | None = None
    last_heard_at: Ms | None = None
    last_counter: int = -1
    heard: int = 0
    replayed: int = 0
    rssi_sum: float = 0.0
    counted_from: Ms = 0
    period_ms: Ms = 10_000
    sense: Sense | None = None
    report_due: Ms = 0

    def hear(self, frame: Frame, rssi_dbm: float, now: Ms) -> bool:
        """Count a frame; True if it is the one that brings the tag into range."""
        if frame.counter <= self.last_counter:
            self.replayed += 1
            return False
        self.last_counter = frame.counter
        self.last_heard_at = now
        self.heard += 1
        self.rssi_sum += rssi_dbm
        self.sense = frame.sense
        self.period_ms = frame.period_ms
        if self.state == "in":
            return False
        self.state = "in"
        return True

    def restart_count(self, now: Ms, due: Ms) -> None:
        """Begin a new report interval at `now` that ends at `due`."""
        self.heard = self.replayed = 0
        self.rssi_sum = 0.0
        self.counted_from = now
        self.report_due = due

    def leave_at(self, leave_time_ms: Ms) -> Ms | None:
        """When silence will have lasted long enough to decide `out`; None where that is already decided."""
        if self.state == "out":
            return None
        return (self.since if self.last_heard_at is None else self.last_heard_at) + leave_time_ms

    def report(self, now: Ms) -> dict[str, object]:
        """The fields of a `report` of the interval that ends now."""
        interval_ms = max(1, now - self.counted_from)
        fields: dict[str, object] = {
            "tag": self.tag,
            "interval_s": round(interval_ms / 1000),
            "heard": self.heard,
            "expected": max(self.heard, round(interval_ms / self.period_ms)),
        }
        if self.heard:
            fields["rssi_dbm"] = round(self.rssi_sum / self.heard)
        if self.sense is not None:
            fields |= self.sense._asdict()
        return fields | ({"replayed": self.replayed} if self.replayed else {})
