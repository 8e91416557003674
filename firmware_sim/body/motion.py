"""What a tag's accelerometer feels: movements of a few seconds, in bouts, as often as parameters.toml says.

A minute without motion has the measured share. Movements come in two kinds of bouts, quiet and restless, so that a
sleeper lies still for longer than chance alone would have it.
"""

from math import exp, log
from random import Random
from typing import NamedTuple

from emcheck.domain.ids import Ms
from emcheck.domain.instants import MINUTE
from firmware_sim.body.parameters import Parameters

LASTS_MS = 5_000
"""A movement, on average."""


class Motion(NamedTuple):
    """One way to move: its parameters, how much of the time is quiet, and for how long at a stretch."""

    zero: str
    strength_mg: str
    of_limb: bool
    """An ankle's share applies."""
    quiet_share: float = 1.0
    bout_min: float = 15.0


AWAKE = Motion("motion.awake_zero", "motion.worn_mg", True, 0.6)
ASLEEP = Motion("motion.asleep_zero", "motion.worn_mg", True, 0.75, 12.0)
GAIT = Motion("motion.gait_zero", "motion.gait_mg", False)
ASKED = Motion("motion.asked_zero", "motion.worn_mg", False)
BAG = Motion("motion.bag_zero", "motion.worn_mg", False)
STILL = Motion("motion.off_zero", "motion.knock_mg", False)
_RESTLESS_OF_ZERO = 0.25
"""Restless minutes are without motion so often, of what all are."""


class Movements:
    """The movements of one tag; `step` makes those of the time to come, `peak` is what a reading tells."""

    def __init__(self, parameters: Parameters, chance: Random) -> None:
        self._parameters = parameters
        self._chance = chance
        self._ankle = parameters["motion.ankle"].draw(chance)
        self._ways: dict[Motion, tuple[float, float, float]] = {}
        self._quiet = True
        self._under_way: list[tuple[Ms, Ms, float]] = []

    def _way(self, motion: Motion) -> tuple[float, float, float]:
        """Movements a minute in quiet and in restless bouts, and their median strength."""
        if motion not in self._ways:
            draw = self._parameters
            zero = draw[motion.zero].draw(self._chance)
            restless = _RESTLESS_OF_ZERO * zero
            share = motion.quiet_share
            quiet = min(0.99, (zero - (1 - share) * restless) / share)
            often = self._ankle if motion.of_limb else 1.0
            rates = [often * -log(each) / (1 + LASTS_MS / MINUTE) for each in (quiet, restless)]
            self._ways[motion] = (rates[0], rates[1], draw[motion.strength_mg].draw(self._chance))
        return self._ways[motion]

    def step(self, since: Ms, until: Ms, motion: Motion) -> None:
        """Draw the movements that begin between the two."""
        chance = self._chance
        quiet, restless, strength = self._way(motion)
        minutes = (until - since) / MINUTE
        if motion.quiet_share < 1:
            share = 1 - motion.quiet_share if self._quiet else motion.quiet_share
            if chance.random() < 1 - exp(-minutes * 2 * share / motion.bout_min):
                self._quiet = not self._quiet
        rate = quiet if self._quiet or motion.quiet_share == 1 else restless
        at = since + chance.expovariate(rate) * MINUTE
        while at < until:
            begins = round(at)
            lasts = round(chance.expovariate(1 / LASTS_MS))
            self._under_way.append((begins, begins + lasts, strength * chance.lognormvariate(0.0, 0.8)))
            at += chance.expovariate(rate) * MINUTE

    def peak(self, since: Ms, until: Ms) -> float:
        """The strongest movement felt after `since`, up to `until`, in mg; 0 where there was none."""
        self._under_way = [each for each in self._under_way if each[1] > since]
        return max((mg for begins, _, mg in self._under_way if begins <= until), default=0.0)
