"""The proximity channel: corrected for drift, and believed only as far as it has been seen to say no.

1. A reading drifts with the sensor's temperature; it is taken back to that at 30 degC.
2. A sensor that has never said no proves little by saying yes: it may be stuck.
3. While a fitter holds the tag off, it has to say no. One that does not in 20 s is faulty and is not listened to; so is
   one that says contact for half an hour after all else has said off.
4. A loose strap and a sock stay what they are: no contact, said again and again, is one piece of evidence against a
   limb, not many. It bars `attached` all the same. So does wood or cloth beside a tag that is off: it is no sock.
5. What is said while the tag is held off, or was said before the strap was closed, tells nothing of the limb.
"""

from math import exp, log, pi, sqrt
from typing import Any

from emcheck.domain.body.model import Model
from emcheck.domain.ids import Ms

AT_C = 30.0
NO_BELOW = 0.4
"""Half way between skin (0.97) and free air (0.05), less a spread."""
SAYS_NO_BELOW = 0.5
CHANGE = 0.5
"""A reading that has changed by so much is new evidence in full, however soon it comes (half of skin to free air)."""
LOOSE_MIN = 30.0
"""A strap stays as loose as it is for about so long (fit: the loose wrist)."""
LIFTED_MS: Ms = 20_000
DISAGREES_MIN = 30.0
SMOOTH_MIN = 2.0
"""A hand that lifts the tag is faster than a step; a fold of cloth is not contact."""
_SQRT_2PI = sqrt(2 * pi)
_ANYWHERE = 0.03


class Contact:
    """What is known of one tag's proximity sensor, and of how the tag is worn if it is: loose, or over cloth."""

    __slots__ = (
        "beside", "covered", "disagreed_min", "fault", "latest", "level", "lifted_since", "loose", "seen_no",
    )  # fmt: skip

    def __init__(self, model: Model) -> None:
        self.latest: float | None
        self.level: float | None
        self.seen_no = False
        self.fault = False
        self.begin(model)
        self.disagreed_min = 0.0
        self.lifted_since: Ms | None = None

    def begin(self, model: Model) -> None:
        """The strap is closed anew: what was said of another place is no evidence of this one."""
        self.level = self.latest = None
        self.covered, self.loose = model.covered_share, model.loose_share
        self.beside = model.beside_share

    def take_up(self, *values: Any) -> None:
        """Be what `__slots__` held."""
        (
            self.beside, self.covered, self.disagreed_min, self.fault, self.latest, self.level,
            self.lifted_since, self.loose, self.seen_no,
        ) = values  # fmt: skip

    def corrected(self, model: Model, reading: float, sensor_c: float | None) -> float:
        """Clause 1; 0 to 1."""
        drift = 0.0 if sensor_c is None else model.drift_per_c * (sensor_c - AT_C)
        return min(1.0, max(0.0, reading + drift))

    def lifted(self, at: Ms, reading: float, *, off: bool) -> None:
        """Clause 3, with a fitter's word that the tag is off the limb."""
        if reading < NO_BELOW:
            self.seen_no, self.fault = True, False
        if not off:
            self.lifted_since = None
        elif self.lifted_since is None:
            self.lifted_since = at
        elif at - self.lifted_since >= LIFTED_MS and reading >= NO_BELOW:
            self.fault = True

    def take(self, model: Model, reading: float, dt_min: float, told: list[float]) -> None:
        """Weigh a corrected reading: into the evidence of the modes, and of how the tag is worn (4)."""
        keep = exp(-dt_min / SMOOTH_MIN)
        changed = 0.0 if self.latest is None else min(1.0, abs(reading - self.latest) / CHANGE)
        self.latest = reading
        self.level = reading if self.level is None else keep * self.level + (1 - keep) * reading
        skin, cover = _near(model.skin_contact, reading), _near(model.covered_contact, reading)
        free = _near(model.free_contact, reading)
        stuck = model.proven_stuck if self.seen_no else model.unproven_stuck
        weight = model.contact_weight * dt_min + (1 - model.contact_weight) * changed
        snug = (1 - self.covered - self.loose) * (skin + _ANYWHERE) ** weight
        loose = self.loose * ((1 - model.loose_free) * skin + model.loose_free * free + _ANYWHERE) ** weight
        over = (0.9 * cover + 0.05 * skin + 0.05 * free + _ANYWHERE) ** weight
        covered = self.covered * over
        worn = snug + loose + covered
        beside = self.beside * over
        off = (1 - self.beside) * ((1 - stuck) * free + stuck * skin + _ANYWHERE) ** weight + beside
        other = (1 - self.beside) * (0.75 * free + 0.1 * skin + _ANYWHERE) ** weight + beside
        for mode, each in enumerate((log(worn), log(worn), log(off), log(off), log(other))):
            told[mode] += each
        self.beside = min(0.9, max(1e-5, beside / other))
        self.covered = min(0.999, max(1e-5, covered / worn))
        turned = min(1.0, dt_min / LOOSE_MIN)
        snugly = 1 - self.covered
        self.loose = min(0.999 * snugly, loose / worn + turned * (model.loose_share * snugly - loose / worn))

    def says_no(self) -> bool:
        """Whether it says that nothing touches it, now or lately."""
        return self.lowest() < SAYS_NO_BELOW

    def lowest(self) -> float:
        """Of what it says and said lately; 1 where it said nothing."""
        return 1.0 if self.level is None or self.latest is None else min(self.level, self.latest)

    def compare(self, model: Model, dt_min: float, p_off: float, p_worn: float) -> None:
        """Clause 3, without a fitter; and a tag that is off may be put on otherwise than it was, and the other way."""
        if p_worn > 0.9 and self.lowest() > 0.7:
            self.beside = model.beside_share
        if p_off > 0.9:
            self.covered, self.loose = model.covered_share, model.loose_share
            if self.level is not None and self.level > 0.7 and p_off > 0.99:
                self.disagreed_min += dt_min
                self.fault = self.fault or (self.disagreed_min >= DISAGREES_MIN)
                return
        self.disagreed_min = 0.0


def _near(bell: tuple[float, float], value: float) -> float:
    mean, spread = bell
    return exp(-0.5 * ((value - mean) / spread) ** 2) / (_SQRT_2PI * spread)
