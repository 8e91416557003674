"""A tag's senses while it is on this and that: `SimulatedBody.reading(at)`, the same for the same seed.

1. The skin side goes to what the place makes of it as an exponential does, with the time constant of putting on where
   it comes to something warm, and of removal elsewhere; the gap between the sides follows faster.
2. Blood flow and the air wander about what is drawn. Time passes in steps of 10 s whatever the readings' distance, so
   that two tags of one seed live through the same.
3. The electrode counts fewer the closer something is that conducts, and drifts with the tag's temperature; its
   firmware knows the counts of an average part only (`NOMINAL`).
"""

from math import exp, sqrt
from random import Random
from typing import NamedTuple

from emcheck.domain.ids import Ms
from emcheck.domain.instants import MINUTE
from firmware_sim.body.motion import Motion, Movements
from firmware_sim.body.parameters import PARAMETERS, Parameters
from firmware_sim.body.places import ON_LIMB, Place, Surroundings, Truth

STEP_MS: Ms = 10_000
NOMINAL_SKIN, NOMINAL_FREE = 129.0, 210.0
"""Middles of the counts that data/README has for skin and free air."""
COUNTED_AT_C = 30.0
FLOW_MIN, AIR_MIN = 20.0, 30.0
"""How long blood flow and the air stay as they are."""


class BodyReading(NamedTuple):
    """What the tag says at an instant, as `report` has it (protocol.md)."""

    at: Ms
    skin_c: float
    ambient_c: float
    motion_mg: float
    proximity: float
    strap: str


class SimulatedBody:
    """One tag from `at` on, at `place`; move it with `move_to`, `lift` and `put_back`, ask it with `reading`.

    Instants never go back (ValueError). `here` is its wearer, room and electrode, `place` where it is now.
    """

    def __init__(
        self, *, seed: int | str, at: Ms, place: str = "table", parameters: Parameters = PARAMETERS, strap: str = "open"
    ) -> None:
        self._chance = Random(f"{seed}/body")
        self._noise = Random(f"{seed}/noise")
        self.here = Surroundings(parameters, Random(f"{seed}/places"))
        self._movements = Movements(parameters, Random(f"{seed}/motion"))
        draw = {name: each.draw(self._chance) for name, each in parameters.items() if name.startswith("part.")}
        self._part = draw
        self._taus = parameters["part.removal_tau_min"], parameters["part.put_on_tau_min"]
        self._wander_c = parameters["air.wander_c"].draw(self._chance)
        self._flow_spread = parameters["limb.wander"].draw(self._chance)
        self._bout_min = parameters["strap.loose_bout_min"].draw(self._chance)
        self._turn_min = parameters["limb.turn_min"].draw(self._chance)
        self._flow, self._air_c, self._sweat_c = 0.0, 0.0, 0.0
        self._before_r = 0.0
        """What the limb let through less, where the tag came from another state of it."""
        self._loose = False
        self._lifted: Place | None = None
        self.strap = strap
        self.place = self.here.place(place)
        self._came_at = self._at = self._told_at = at
        self._motion: Motion | None = None
        self._tau_min = draw["part.removal_tau_min"]
        self._skin_c, self._outward_c = self._target(at)
        self._movements.step(at, at + STEP_MS, self.place.motion)
        self._next = at + STEP_MS

    @property
    def truth(self) -> Truth:
        """What the tag is really on; while it is lifted, nothing."""
        return "elsewhere" if self._lifted is not None else self.place.truth

    @property
    def bias_c(self) -> float:
        """What the skin-side sensor reads above the outward one where both are equally warm."""
        return self._part["part.bias_c"]

    def move_to(self, place: str | Place, at: Ms, *, strap: str | None = None, motion: Motion | None = None) -> None:
        """Somebody puts the tag there at `at`; with `motion`, it moves so until it is moved again."""
        self._pass(at)
        left = self.place
        self.place = self.here.place(place) if isinstance(place, str) else place
        on_limb, was_on_limb = self.place.truth in ON_LIMB, left.truth in ON_LIMB
        self._before_r = left.contact_r - self.place.contact_r if on_limb and was_on_limb else 0.0
        self._came_at, self._motion, self._lifted = at, motion, None
        self.strap = self.strap if strap is None else strap
        removal, put_on = self._taus
        warms = self.place.source_c is not None and not was_on_limb and self._target(at)[0] > self._skin_c
        self._tau_min = (put_on if warms else removal).draw(self._chance)
        self._sweat_c = self._part["part.sweat_c"] if was_on_limb and not on_limb else 0.0

    def lift(self, at: Ms) -> None:
        """A fitter holds it off, the strap closed."""
        self._pass(at)
        here = self.here
        away = here.apart(here.draw("thing.lifted_mm"), 1.0) * self.place.closeness
        self._lifted = Place(
            truth="elsewhere", air_c=here.room_c, air_r=here.film_r, motion=self.place.motion, closeness=away
        )

    def put_back(self, at: Ms) -> None:
        """And lets it go: it is where it was."""
        self._pass(at)
        self._lifted = None

    def reading(self, at: Ms) -> BodyReading:
        """What the tag says at `at`; motion is the strongest since the last reading."""
        self._pass(at)
        noise, part = self._noise, self._part
        dried = exp(-(at - self._came_at) / MINUTE / part["part.sweat_dries_min"]) if self._sweat_c else 0.0
        skin = self._skin_c - self._sweat_c * dried * (1 - exp(-(at - self._came_at) / MINUTE))
        peak = self._movements.peak(self._told_at, at)
        self._told_at = at
        return BodyReading(
            at,
            round(skin + part["part.bias_c"] + noise.gauss(0, part["part.noise_c"]), 2),
            round(self._outward_c + noise.gauss(0, part["part.noise_c"]), 2),
            round(peak, 1),
            round(self._proximity(), 3),
            self.strap,
        )

    def _proximity(self) -> float:
        """0 (free) to 1 (contact), from counts (3)."""
        part, place = self._part, self._lifted or self.place
        closeness = 0.0 if self._loose and place.loose_share else place.closeness
        free, skin = part["part.free_counts"], part["part.skin_counts"]
        drift = part["part.count_drift"] * (self._skin_c - COUNTED_AT_C)
        counts = free - closeness * (free - skin) + drift + self._noise.gauss(0, part["part.count_noise"])
        return min(1.0, max(0.0, (NOMINAL_FREE - counts) / (NOMINAL_FREE - NOMINAL_SKIN)))

    def _target(self, at: Ms) -> tuple[float, float]:
        place = self._lifted or self.place
        left = exp(-(at - self._came_at) / MINUTE / place.fades_min) if place.fades_min else 1.0
        return place.at_rest(
            self._part["part.tag_r"], contact_r=self._contact_r(place, at), left=left, air_c=self._air_c
        )

    def _contact_r(self, place: Place, at: Ms) -> float:
        """What lies between source and skin side; a limb's blood flow turns slowly, and wanders."""
        if place.truth not in ON_LIMB:
            return place.contact_r
        turning = exp(-(at - self._came_at) / MINUTE / self._turn_min) * self._before_r
        return (place.contact_r + turning) / exp(self._flow)

    def _pass(self, at: Ms) -> None:
        """Let time pass until `at`."""
        if at < self._at:
            raise ValueError(f"a tag that has lived until {self._at} is asked for {at}; instants never go back")
        while self._next <= at:
            self._warm(self._next)
            self._wander()
            self._movements.step(self._next, self._next + STEP_MS, self._motion or self.place.motion)
            self._next += STEP_MS
        self._warm(at)

    def _warm(self, until: Ms) -> None:
        """Clause 1."""
        minutes = (until - self._at) / MINUTE
        if minutes <= 0:
            return
        skin, outward = self._target(until)
        keep, keep_gap = exp(-minutes / self._tau_min), exp(-minutes / self._part["part.gap_tau_min"])
        gap = skin - outward + (self._skin_c - self._outward_c - skin + outward) * keep_gap
        self._skin_c = skin + (self._skin_c - skin) * keep
        self._outward_c = self._skin_c - gap
        self._at = until

    def _wander(self) -> None:
        """Clause 2, and a strap that is loose."""
        chance, minutes = self._chance, STEP_MS / MINUTE
        keep = exp(-minutes / FLOW_MIN)
        self._flow = self._flow * keep + chance.gauss(0, self._flow_spread * sqrt(1 - keep * keep))
        keep = exp(-minutes / AIR_MIN)
        self._air_c = self._air_c * keep + chance.gauss(0, self._wander_c * sqrt(1 - keep * keep))
        share = self.place.loose_share
        every_min = self._bout_min if self._loose else self._bout_min * (1 - share) / max(share, 0.01)
        if chance.random() < minutes / every_min:
            self._loose = not self._loose
