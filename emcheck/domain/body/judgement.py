"""What the body check says after a reading: a state, how sure, and why in one sentence."""

from typing import NamedTuple

from emcheck.domain.body.modes import ACTIVE, COOLING, MOVING, RESTING, STILL

ATTACHED, DETACHED, UNCERTAIN = "attached", "detached", "uncertain"
SKIN, LOOSE, COVERED, ELSEWHERE, OFF = "skin", "loose", "covered", "moving", "off"
_CONCLUSIONS = {
    SKIN: "on a limb",
    LOOSE: "on a limb, but nothing touches it: a loose strap",
    COVERED: "over sock or bandage, not on skin",
    ELSEWHERE: "moving, but not on skin",
    OFF: "off and still",
}
_SEEN_C_MIN = 0.05


class Reading(NamedTuple):
    """The evidence that a judgement rests on, as far as it is there; None is missing."""

    skin_c: float | None = None
    above_c: float | None = None
    slope_c_per_min: float | None = None
    contact: float | None = None
    moved_min: int | None = None
    strap: str | None = None
    contact_fault: bool = False
    proven: bool = False
    ambient_c: float | None = None
    strong: bool | None = None
    """Moved by more than a knock at the table that it lies on."""
    cold: bool = False
    """It is touched, and so far not warmed as by a limb."""
    unusable: tuple[str, ...] = ()
    """Channels that tell what cannot be, are frozen, or have fallen silent."""


class Judgement:
    """A state, the probability that the tag is on bare skin, and what speaks for it."""

    __slots__ = ("_covered", "_loose", "_modes", "reading", "remarks", "state")

    def __init__(
        self,
        *,
        state: str,
        modes: list[float],
        covered: float,
        loose: float,
        reading: Reading,
        remarks: tuple[str, ...],
    ) -> None:
        self.state = state
        self._modes = modes
        self._covered = covered
        self._loose = loose
        self.reading = reading
        self.remarks = remarks

    @property
    def p_attached(self) -> float:
        """How likely the tag is on bare skin."""
        return (self._modes[ACTIVE] + self._modes[RESTING]) * (1 - self._covered - self._loose)

    @property
    def p_detached(self) -> float:
        """How likely it is on no limb at all; a cover is neither."""
        return self._modes[COOLING] + self._modes[STILL] + self._modes[MOVING]

    @property
    def hypotheses(self) -> dict[str, float]:
        """Probabilities with a sum of 1.

        `skin`, `loose` (worn, but nothing touches it now), `covered` (sock or bandage), `moving` (but not on skin: a
        prosthesis, a bag) and `off` (and still).
        """
        worn = self._modes[ACTIVE] + self._modes[RESTING]
        off = self._modes[COOLING] + self._modes[STILL]
        on_limb = {SKIN: self.p_attached, LOOSE: worn * self._loose, COVERED: worn * self._covered}
        return {**on_limb, ELSEWHERE: self._modes[MOVING], OFF: off}

    @property
    def words(self) -> str:
        """As `skin 4.1 degC above ambient and rising 0.6 degC/min; contact 0.93: on a limb (p 0.998)`."""
        return f"{'; '.join(_evidence(self.reading)) or 'no readings'}: {self._conclusion()}" + "".join(
            f"; {remark}" for remark in self.remarks
        )

    def _conclusion(self) -> str:
        likely, p = max(self.hypotheses.items(), key=lambda each: each[1])
        if self.state == UNCERTAIN:
            return f"uncertain, most likely {_CONCLUSIONS[likely]} (p {_p(p)})"
        if self.state == ATTACHED:
            return f"{_CONCLUSIONS[SKIN]} (p {_p(self.p_attached)})"
        where = _CONCLUSIONS[max((ELSEWHERE, OFF), key=self.hypotheses.__getitem__)]
        return f"{where} (p {_p(self.p_detached)})"


def _p(value: float) -> str:
    return "over 0.999" if value > 0.999 else f"{value:.3f}"


def _evidence(reading: Reading) -> list[str]:
    said = []
    slope = reading.slope_c_per_min
    turn = ""
    if slope is not None:
        rising = "rising" if slope > 0 else "falling"
        turn = f" and {rising} {abs(slope):.1f} degC/min" if abs(slope) >= _SEEN_C_MIN else " and steady"
    if reading.above_c is not None:
        side = "above" if reading.above_c >= 0 else "below"
        said.append(f"skin {abs(reading.above_c):.1f} degC {side} ambient{turn}")
    elif reading.skin_c is not None:
        said.append(f"skin side {reading.skin_c:.1f} degC{turn}, ambient not known")
    if reading.contact is not None:
        proof = "" if reading.proven else ", by a sensor not yet seen to say no"
        said.append(f"contact {reading.contact:.2f}{proof}")
    if reading.cold:
        said.append("not yet warmed as by a limb")
    if reading.contact_fault:
        said.append("the proximity sensor is faulty: it says contact off the limb")
    if reading.moved_min is not None:
        said.append(f"moved in {reading.moved_min} of 10 min" if reading.moved_min else "not moved in 10 min")
    if reading.strap in ("open", "cut"):
        said.append(f"strap {reading.strap}")
    return said
