"""A tag's reading, and which readings cannot be."""

from typing import Any, NamedTuple

from emcheck.domain.ids import Ms

SENSOR_MIN_C, SENSOR_MAX_C = -40.0, 75.0
"""Beyond this the sensor lies, not the weather: the loggers of data/README lay between 2.9 and 51.8 degC, sun
included."""
LIMB_MAX_C = 45.0
"""Skin is scalded above (ISO 13732-1 for long contact: 43 degC): a warm reading beyond is the sun or a heater."""
STRAPS = ("closed", "open", "cut")
FIELDS = ("skin_c", "ambient_c", "motion", "proximity", "strap")


class Sample(NamedTuple):
    """What a tag said at an instant; None is missing. Motion is in the tag's own unit, proximity 0 to 1 (contact)."""

    at: Ms
    skin_c: float | None = None
    ambient_c: float | None = None
    motion: float | None = None
    proximity: float | None = None
    strap: str | None = None


def impossible(sample: Sample) -> tuple[str, str] | None:
    """The first field that cannot be, and why; None where all can."""
    for name, value in (("skin_c", sample.skin_c), ("ambient_c", sample.ambient_c)):
        if value is not None and not SENSOR_MIN_C <= value <= SENSOR_MAX_C:
            return name, f"{value:g} degC cannot be; {SENSOR_MIN_C:g} to {SENSOR_MAX_C:g} can"
    if sample.motion is not None and not 0 <= sample.motion < float("inf"):
        return "motion", f"{sample.motion:g} cannot be; 0 and more can"
    if sample.proximity is not None and not 0 <= sample.proximity <= 1:
        return "proximity", f"{sample.proximity:g} cannot be; 0 (free) to 1 (contact) can"
    if sample.strap is not None and sample.strap not in STRAPS:
        return "strap", f"{sample.strap!r} is not known; {', '.join(STRAPS)} are"
    return None


def without(sample: Sample, field: str) -> Sample:
    """The reading without one of its fields."""
    changes: dict[str, Any] = {field: None}
    return sample._replace(**changes)


def merged(held: Sample, new: Sample) -> Sample:
    """What two readings of one step say: of each channel the newer, of motion the greater."""
    _, skin, ambient, motion, proximity, strap = new
    if held.motion is not None and (motion is None or held.motion > motion):
        motion = held.motion
    return Sample(
        new.at,
        held.skin_c if skin is None else skin,
        held.ambient_c if ambient is None else ambient,
        motion,
        held.proximity if proximity is None else proximity,
        held.strap if strap is None else strap,
    )
