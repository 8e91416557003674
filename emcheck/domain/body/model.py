"""The numbers of the body check, each with its source. They are facts of thermometers and limbs, not policy.

`README` is the list of published figures that docs/adr names; `fit` is
`bench/body/measure.py` and `bench/body/fit.py` on the wrists there.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Motion(NamedTuple):
    """How likely a minute has strong and faint motion."""

    strong: float
    faint: float


class Bell(NamedTuple):
    """A normal distribution and how much of it is anywhere instead, at a flat density."""

    mean: float
    spread: float
    stray: float = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Everything that the evidence is weighed by."""

    motion: tuple[Motion, ...] = (
        Motion(0.76, 0.17),
        Motion(0.07, 0.09),
        Motion(0.05, 0.06),
        Motion(0.008, 0.022),
        Motion(0.48, 0.17),
    )
    """Of the modes below. Zero: 7 % of active and 84 % of resting minutes (fit), 94 to 98 % off; moving is between the
    45 % of a bag and the 26 % of a wearer, for a prosthetic shank walks too (README)."""
    faint_share: float = 0.1
    """Motion under this share of what is usual for the tag is faint: a knock at the table it lies on (fit)."""
    gap: tuple[Bell, ...] = (
        Bell(0.80, 0.36, 0.15), Bell(1.0, 0.30, 0.04), Bell(-0.1, 0.25), Bell(0.0, 0.08), Bell(0.0, 0.2),
    )  # fmt: skip
    """Skin minus ambient above the tag's own bias, degC: worn 5 to 95 % 0.26 to 1.38 active, 0.15 to 1.29 resting, off
    -0.06 to 0.05 (fit); README: worn 1.03 against 0.3 off. Just removed, the skin side cools first."""
    gap_per_c: float = 0.17
    no_flow_c: float = 36.2
    """At rest the gap is 0.17 degC for each degC that the surroundings are cooler than 36.7 (fit: 0.22 at 35.5, 0.41
    at 34.5, 0.57 at 33.5, 0.74 at 32.5, 0.90 at 31.5); in surroundings as warm as a body there is none, and it says
    nothing."""
    slope: tuple[Bell, ...] = (
        Bell(0.0, 0.11, 0.1), Bell(0.0, 0.09, 0.1), Bell(-0.35, 0.2), Bell(0.0, 0.03, 0.12), Bell(0.0, 0.12),
    )  # fmt: skip
    """degC/min of the skin side. Removal -0.60 at the steepest with a time constant of 9.1 min (README); the rest fit,
    save that what lies still strays as often as loggers do in the sun."""
    level: tuple[Bell, ...] = (
        Bell(31.0, 3.0, 0.1), Bell(32.5, 2.8, 0.1), Bell(27.0, 4.0, 0.1), Bell(22.0, 5.0, 0.1), Bell(24.0, 5.0, 0.1),
    )  # fmt: skip
    """degC of the skin side: wrist 25.6 to 34.7, limbs 24.6 +- 5.1 to 28.8 +- 5.8 (README); rooms 17.7 to 30.1
    (fit)."""
    gap_weight: float = 0.23
    slope_weight: float = 0.35
    level_weight: float = 0.2
    contact_weight: float = 0.8
    motion_weight: float = 1.0
    """How much of a minute's evidence is new after the minute before; of 1 (fit, rounded; that of contact was chosen
    so that stationary loggers are seen and a loose wrist is not accused, on the capacitive records)."""
    turns: tuple[tuple[int, int, float], ...] = (
        (0, 1, 40), (1, 0, 30), (0, 2, 1_200), (1, 2, 6_000), (0, 3, 30_000), (1, 3, 120_000), (0, 4, 20_000),
        (2, 3, 20), (2, 0, 500), (2, 4, 30), (3, 0, 500), (3, 4, 300), (4, 3, 30), (4, 0, 300),
    )  # fmt: skip
    """From mode, to mode, every so many minutes while in it: a removal in one to two days of wear (the wrists;
    README: 29 short ones), cooling for two time constants or carried off from there, off for hours."""
    gap_change_c: float = 0.6
    """A gap that has changed by so much since the last reading is new evidence in full; the same again is mostly old
    (fit)."""
    bias_c: tuple[float, float] = (0.08, 0.25)
    """A tag's bias before anything is known of it: 0.28 +- 0.17 (README), -0.13 +- 0.05 (fit, another make)."""
    worn_gap_c: tuple[float, float] = (0.77, 0.35)
    """A wearer's usual gap above the bias: 0.77 +- 0.15 on wrists (fit), 0.73 (README). Lower limbs are 24.6 to
    28.8 degC, +- 5 (README), so that on them it differs by twice as much (chosen)."""
    skin_contact: tuple[float, float] = (0.97, 0.05)
    loose_share: float = 0.15
    loose_free: float = 0.5
    """Snug skin reads 123 to 135 counts, free air 196 to 228: of 81 between them, 0.93 to 1 (1 is the most); a loose
    strap as free air up to a quarter of the time (README)."""
    beside_share: float = 0.1
    """Off a limb, beside cloth, foam or wood that reads as cover does (chosen)."""
    covered_contact: tuple[float, float] = (0.40, 0.25)
    """Over cloth; not published, and so from nothing to 0.9 (chosen)."""
    free_contact: tuple[float, float] = (0.05, 0.12)
    unproven_stuck: float = 0.15
    proven_stuck: float = 0.01
    """How often a sensor says contact in free air: before, and after it has been seen to say no (chosen)."""
    covered_share: float = 0.02
    """Of worn tags, over sock or bandage before anything is known (chosen: temperature cannot tell, AUC 0.56,
    README)."""
    detached_from: float = 0.999
    attached_from: float = 0.95
    """Where the test decides: the error rates that it may make (operating curve in docs/adr)."""
    detached_until: float = 0.9
    attached_until: float = 0.5
    """A decision stands until it is less likely than this."""
    drift_per_c: float = 0.0059
    """0.36 to 0.59 counts a degC (README) over the 81 between skin and free air."""


MODEL = Model()
