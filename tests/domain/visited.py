"""A fitter's visit as a test tells it: what is said and done, and what the unit tells of a tag meanwhile."""

import json
from collections.abc import Callable, Iterator
from math import exp
from random import Random
from typing import Any

from emcheck.domain.fitting.acts import CloseFitting
from emcheck.domain.fitting.judging import Standing, standing
from emcheck.domain.fitting.settling import as_of
from emcheck.domain.fitting.visits import NO_VISITS, Visit, begun, visits_after
from emcheck.domain.ids import BootId
from emcheck.domain.instants import HOUR, SECOND, format_ms
from emcheck.domain.instructions import parse_instruction
from emcheck.domain.policy import Policy
from emcheck.domain.receipt import Told
from emcheck.domain.register import Register
from tests.support import BOOT, at, england, register

BEGIN = at("10:00")
SHA256 = "ab" * 32
ROOM_C = 21.0
Physics = Callable[[float, bool], dict[str, Any]]
"""What the sensors say so many seconds after the strap was closed, and whether the tag is held off."""


def unfitted(**parts: Any) -> Register:
    """The usual wearer, order and unit, and no tag on."""
    return register(**{"fittings": [], **parts})


def on_leg(chance: Random) -> Physics:
    """A natural limb: it warms with a time constant of 5.2 min, and moves."""

    def feels(since_s: float, lifted: bool) -> dict[str, Any]:
        skin = 31.5 - (31.5 - ROOM_C) * exp(-since_s / 312)
        moved = chance.random() < 0.75
        return {
            "skin_c": round(skin + chance.gauss(0, 0.1), 1),
            "ambient_c": round(ROOM_C + 1.5 * (1 - exp(-since_s / 312)) + chance.gauss(0, 0.1), 1),
            "motion_mg": round(chance.lognormvariate(3.2, 0.8), 1) if moved else 0.0,
            "proximity": round(chance.uniform(0.02, 0.1) if lifted else chance.uniform(0.88, 0.97), 2),
        }

    return feels


def on_foam(chance: Random) -> Physics:
    """A prosthesis: it moves as a leg does and touches the sensor, and stays as cold as the room."""

    def feels(since_s: float, lifted: bool) -> dict[str, Any]:
        return on_leg(chance)(since_s, lifted) | {
            "skin_c": round(ROOM_C + chance.gauss(0.2, 0.1), 1),
            "ambient_c": round(ROOM_C + chance.gauss(0, 0.1), 1),
        }

    return feels


class VisitStory:
    """One visit under way: `now` moves on as things are said and done."""

    def __init__(
        self,
        *,
        known: Register | None = None,
        policy: Policy | None = None,
        physics: Physics | None = None,
        session: str = "FS-1",
        **fields: Any,
    ) -> None:
        self.register, self.policy = known or unfitted(), policy or england()
        self.physics = physics or on_leg(Random(1))
        self.now = BEGIN
        self.tag = fields.get("tag", "T-1")
        self.opening = {
            "type": "fitting_opened", "session": session, "order_id": "O-1", "tag": self.tag, "unit": "BU-0001",
            "fitter_tag": "F-1", "by": "A. Fitter",
        } | fields  # fmt: skip
        act: Any = parse_instruction(self.opening)
        visits = visits_after(NO_VISITS, act, self.register, self.now, most_ms=2 * HOUR)
        self.visit: Visit = visits[session]
        self.acts: list[tuple[int, Any]] = []
        self.told: list[Told] = []
        self.seq = 0
        self.closed_at: int | None = None
        self.lifted = False
        self.room_dbm = -60.0
        self.note: str | None = None
        self.strap = "open"
        self._keep(self.opening | {"found": begun(self.visit)})

    # --- what is said ---------------------------------------------------------------------------------------

    def _keep(self, said: dict[str, Any]) -> None:
        self.acts.append((self.now, parse_instruction(said)))

    def says(self, step: str, answer: str = "yes", **fields: Any) -> "VisitStory":
        """An answer."""
        self._keep(
            {"type": "fitting_answer", "session": self.visit.session, "tag": self.tag, "by": "A. Fitter"}
            | {"step": step, "answer": answer, **fields}
        )
        return self.passes(1)

    def marks(self, what: str, **fields: Any) -> "VisitStory":
        """What the fitter does."""
        if what in ("lifted", "lowered"):
            self.lifted = what == "lifted"
        self._keep(
            {"type": "fitting_mark", "session": self.visit.session, "tag": self.tag, "by": "A. Fitter", "what": what}
            | fields
        )
        return self

    def overridden(self, by: str = "S. Visor", reason: str = "both legs are prosthetic") -> "VisitStory":
        self._keep({"type": "fitting_override", "session": self.visit.session, "by": by, "reason": reason})
        return self

    # --- what is told ---------------------------------------------------------------------------------------

    def tell(self, kind: str, **fields: Any) -> "VisitStory":
        self.seq += 1
        event: Any = {"type": kind, "at": self.now, **fields}
        self.told.append(Told(self.now + SECOND, BootId(BOOT), self.seq, [event]))
        return self

    def stands(self, **fields: Any) -> "VisitStory":
        """The unit's status."""
        well = {
            "power": "mains", "battery_pct": 100, "tilt_deg": 1, "moved": False, "case": "closed", "signal_dbm": -80,
            "noise_dbm": -110, "buffered": 0, "config_rev": 1, "schedule_sha256": SHA256,
        }  # fmt: skip
        return self.tell("unit_status", **(well | fields))

    def closes_strap(self) -> "VisitStory":
        self.strap, self.closed_at = "closed", self.now
        return self

    def opens_strap(self) -> "VisitStory":
        self.strap = "open"
        return self

    def passes(self, seconds: int, *, every_s: int = 1, heard: bool = True) -> "VisitStory":
        """Time in which the tag is reported."""
        for _ in range(0, seconds, every_s):
            self.now += every_s * SECOND
            if not heard:
                continue
            since = 0.0 if self.closed_at is None else (self.now - self.closed_at) / SECOND
            sense = self.physics(since, self.lifted)
            self.tell(
                "report", tag=self.tag, interval_s=every_s, heard=1, expected=1, rssi_dbm=self.room_dbm,
                strap=self.strap, **sense,
            )  # fmt: skip
        return self

    # --- a whole visit ------------------------------------------------------------------------------------

    def prepares(self, limb: str = "left_ankle") -> "VisitStory":
        """Everything up to the closed strap."""
        self.stands().tell("presence", tag="F-1", in_range=True, rssi_dbm=-50)
        self.says("identity", identifiers=["photo", "date of birth"]).says("limb", limb=limb)
        self.says("skin").says("movement")
        self.closes_strap().passes(2)
        return self.says("strap_gap", gap_mm=9).says("slide_off")

    def checks_limb(self, lift_s: int = 25) -> "VisitStory":
        """The body step: lift off, down again, walk on the spot, wait."""
        self.passes(15).marks("lifted").passes(lift_s).marks("lowered").passes(5)
        return self.marks("moved").passes(60)

    def walks(self, *rooms: str) -> "VisitStory":
        for room in rooms or ("hall", "kitchen", "bedroom"):
            self.marks("room", room=room).passes(30)
        return self.marks("walk_over").passes(1)

    def whole(self) -> "VisitStory":
        return self.prepares().checks_limb().walks().says("call").stands().passes(2)

    # --- what comes of it ---------------------------------------------------------------------------------

    def judged(self, *, told: list[Told] | None = None, acts: list[tuple[int, Any]] | None = None) -> Standing:
        """As it stands now; with other facts or acts where they are given."""
        return standing(
            self.visit, self.acts if acts is None else acts, self.told if told is None else told,
            policy=self.policy, now=self.now, schedule_sha256=SHA256, note=self.note or "",
        )  # fmt: skip

    def states(self) -> dict[str, str]:
        return {step: result.state for step, result in self.judged().results.items()}

    def words(self, step: str) -> str:
        return self.judged().results[step].words

    def record_of(self) -> Standing:
        return as_of(
            self.visit, self.acts, self.told, policy=self.policy, at=self.now, schedule_sha256=SHA256
        )  # fmt: skip


def closing(story: VisitStory, **fields: Any) -> CloseFitting:
    """The end of a visit; a success is signed over its record."""
    from emcheck.domain.fitting.record import record, record_sha256

    said: dict[str, Any] = {
        "type": "fitting_closed", "session": story.visit.session, "tag": story.tag, "by": "A. Fitter",
        "outcome": "success",
    }  # fmt: skip
    said |= fields
    if said["outcome"] == "success":
        it = story.record_of()
        signed = {"name": "A. Fitter", "role": "fitter", "at": format_ms(story.now)}
        said = {
            "as_of": format_ms(story.now), "acts": len(story.acts), "record_sha256": record_sha256(record(it)),
            "signatures": [signed, {**signed, "name": "W. Earer", "role": "wearer"}],
        } | said  # fmt: skip
    act = parse_instruction(said)
    assert isinstance(act, CloseFitting)
    return act


def shuffled(told: list[Told], chance: Random) -> Iterator[Told]:
    """The same facts in another order, some twice, some in one envelope."""
    again = [*told, *chance.sample(told, len(told) // 4)]
    chance.shuffle(again)
    yield from again


def as_json(it: object) -> str:
    """Comparable text."""
    return json.dumps(it, sort_keys=True, default=str)
