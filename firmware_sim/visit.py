"""A fitter's visit as the world has it: a unit just plugged in, a tag that is put on something, a fitter's own.

Without I/O or clock: `does` is what the fitter does, `step` lets time pass and gives what the unit sends. What the tag
is put on is a place of `firmware_sim/body`; whether that is a limb nobody here tells.
"""

from random import Random
from typing import Literal

from emcheck.domain.ids import Ms, TagId, UnitId
from firmware_sim.base_unit import BaseUnit, Flash
from firmware_sim.home import Home, Member, Receiver
from firmware_sim.people import Move
from firmware_sim.radio import ROOMS, survey
from firmware_sim.tag import Tag
from firmware_sim.uplink import Outgoing

Deed = Literal["close", "lift", "lower", "room"]
_FITTER, _WEARER = 0, 1


class SimulatedVisit:
    """One visit from `now` on, the same for the same seed; `place` is what the strap will be closed on."""

    def __init__(self, *, unit: UnitId, tag: TagId, fitter_tag: TagId, place: str, seed: int | str, now: Ms) -> None:
        self.place = place
        site, rng = survey(Random(f"{seed}/site")), Random(f"{seed}/unit")
        self._receiver = Receiver(unit, site, Flash(), rng)
        self._receiver.unit = self.unit = BaseUnit(unit=unit, flash=self._receiver.flash, rng=rng, now_ms=now)
        own, theirs = (Tag(tag=name, rng=Random(f"{seed}/{name}"), now=now) for name in (fitter_tag, tag))
        self._tag = theirs
        self._tag.taken_out(now)
        members = [Member(_FITTER, own), Member(_WEARER, theirs)]
        self._home = Home(receivers=[self._receiver], members=members, rng=Random(f"{seed}/air"))
        self.does("room", now)

    def does(self, deed: Deed, at: Ms, *, room: int = 1) -> None:
        """What the fitter does; both tags go from room to room together."""
        self._home.hear(at)
        if deed == "close":
            self._tag.closed_on(self.place, at)
        elif deed == "room":
            for member in (_FITTER, _WEARER):
                self._home.move(Move(at, member, "room", room % len(ROOMS)))
        else:
            self._tag.lifted(at, off=deed == "lift")

    def step(self, now: Ms) -> list[Outgoing]:
        """Time passes until `now`; what the unit sends."""
        self._home.hear(now)
        self.unit.tick(now)
        return self.unit.take_outgoing()
