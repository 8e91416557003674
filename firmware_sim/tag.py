"""Tag firmware and what its sensors feel: frames every 1 to 15 s, strap, counter, tamper memory, skin and motion.

Sensor figures: skin side worn 31.1 degC in a cool climate (25.6 to 34.7); after removal it falls to the
room's temperature with a time constant of 9.1 min, after putting on it rises with 5.2 min; zero motion in
26 % of worn and in 94 to 98 % of unworn minutes (wrist recordings; an ankle is cooler, hence the lower end).
That is what a town's tags feel; one that a scenario puts somewhere (`tag_on`) feels what firmware_sim/body makes of
the place, at every frame.
"""

from math import exp
from random import Random

from emcheck.domain.ids import Ms, TagId
from firmware_sim.body import SimulatedBody
from firmware_sim.body.motion import ASKED
from firmware_sim.tag_watch import Frame, Sense, Strap, Tamper

PERIOD_MS = (8_000, 12_000)
"""Each tag's own mean interval; with the jitter a frame comes every 6.4 to 14.4 s."""
JITTER = 0.2
SENSE_EVERY_MS = 30_000
OFF_TAU_MS = 546_000
ON_TAU_MS = 312_000
ROOM_C = (18.5, 22.0)
SKIN_C = (29.5, 32.5)


class Tag:
    """One tag. The world asks for frames at the instants it names in `next_at`."""

    def __init__(self, *, tag: TagId, rng: Random, now: Ms) -> None:
        self.tag = tag
        self.period_ms = rng.randrange(*PERIOD_MS)
        self.next_at = now + rng.randrange(self.period_ms)
        self.last_at = now - self.period_ms
        self.asleep = False
        self.memory: list[tuple[Tamper, Ms]] = []
        self._counter = 0
        self._strap: Strap = "closed"
        self._rng = rng
        self._worn = True
        self._skin_c = self._target_c = rng.uniform(*SKIN_C)
        self._room_c = rng.uniform(*ROOM_C)
        self._battery_pct = rng.randrange(55, 100)
        self._sensed_at = now
        self._body: SimulatedBody | None = None
        self._sense = self._sample(now)

    def frame(self, at: Ms) -> Frame:
        """The frame sent at `at`; the next is a jittered period away."""
        self._counter += 1
        self.last_at = at
        self.next_at = at + int(self.period_ms * (1 - JITTER + 2 * JITTER * self._rng.random()))
        if self._body is not None or at - self._sensed_at >= SENSE_EVERY_MS:
            self._sense = self._sample(at)
        tampers = tuple(tamper._replace(age_ms=at - when) for tamper, when in self.memory) if self.memory else ()
        return Frame(self.tag, self._counter, self.period_ms, self._sense, tampers)

    def unheard_until(self, at: Ms) -> None:
        """Nobody was near: frames up to `at` were sent into the void and only the counter shows it."""
        if at > self.next_at:
            missed = (at - self.next_at) // self.period_ms + 1
            self._counter += missed
            self.last_at = self.next_at + (missed - 1) * self.period_ms
            self.next_at = self.last_at + self.period_ms

    def cut(self, at: Ms) -> None:
        """The strap is cut: remembered with its time until a fitter clears it, and the tag is off the leg."""
        self.memory.append((Tamper(len(self.memory) + 1, "strap_cut", 0), at))
        self._sense = self._sample(at)
        self._strap, self._worn = "cut", False
        self._sense = self._sense._replace(strap="cut")
        if self._body is not None:
            self._body.move_to("bag", at, strap="cut")

    def put(self, place: str, at: Ms) -> None:
        """From `at` on the tag is there, the strap as it was; the first place it has long been at."""
        if self._body is None:
            seed = f"{self.tag}/{self._rng.random()}"
            self._body = SimulatedBody(seed=seed, at=at, place=place, strap=self._strap)
        else:
            self._body.move_to(place, at)

    def taken_out(self, at: Ms) -> None:
        """Out of its box, strap open, in a fitter's hand."""
        self._strap = "open"
        self.put("held", at)

    def closed_on(self, place: str, at: Ms) -> None:
        """A fitter closes the strap on something, and has it moved."""
        if self._body is None:
            self.put("held", at)
        if self._body is not None:
            self._strap = "closed"
            self._body.move_to(place, at, strap="closed", motion=ASKED)

    def lifted(self, at: Ms, *, off: bool) -> None:
        """A fitter holds it off what it is on, or lets it down again."""
        if self._body is not None and off:
            self._body.lift(at)
        elif self._body is not None:
            self._body.put_back(at)

    def _felt(self, body: SimulatedBody, at: Ms) -> Sense:
        """What a place makes the tag feel; who wears it to bed lies under a duvet."""
        if (body.place.name, self.asleep) in (("skin", True), ("in-bed", False)):
            body.move_to("in-bed" if self.asleep else "skin", at)
        felt = body.reading(at)
        return Sense(self._strap, felt.proximity, felt.skin_c, felt.ambient_c, felt.motion_mg, self._battery_pct)

    def _sample(self, at: Ms) -> Sense:
        if self._body is not None:
            return self._felt(self._body, at)
        rng, worn = self._rng, self._worn
        target_c = self._target_c if worn else self._room_c
        fade = exp(-(at - self._sensed_at) / (ON_TAU_MS if worn else OFF_TAU_MS))
        self._skin_c = target_c + (self._skin_c - target_c) * fade
        self._sensed_at = at
        still = rng.random() < ((0.85 if self.asleep else 0.26) if worn else 0.96)
        motion_mg = 0.0 if still else rng.lognormvariate(2.0 if self.asleep else 3.2, 0.8)
        return Sense(
            strap=self._strap,
            proximity=round(rng.uniform(0.86, 0.97) if worn else rng.uniform(0.02, 0.10), 2),
            skin_c=round(self._skin_c + rng.gauss(0, 0.1), 1),
            ambient_c=round(self._room_c + (1.5 if worn else 0.0) + rng.gauss(0, 0.1), 1),
            motion_mg=round(motion_mg, 1),
            battery_pct=self._battery_pct,
        )
