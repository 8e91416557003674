"""How instants, local times, zones and names are written in a register, and what is refused in them."""

from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from whenever import ZonedDateTime

from emcheck.domain.ids import Ms
from emcheck.domain.instants import parse_ms
from emcheck.domain.keys import public_key
from emcheck.domain.problems import Misplaced
from emcheck.domain.rights import ACCOUNT


def _instant(value: object) -> Ms:
    if not isinstance(value, str):
        raise ValueError("an instant is text such as 2026-03-20T00:00:00Z")
    return _parsed(value)


_parsed = lru_cache(maxsize=1024)(parse_ms)
"""Many orders of a town begin and end at the same midnight."""


def _local(value: str) -> str:
    if datetime.fromisoformat(value).tzinfo is not None:
        raise ValueError("a local time has no offset; write it as in 2026-03-25T19:00")
    return value


def is_zone(name: str) -> bool:
    """Whether this names an IANA time zone."""
    try:
        ZonedDateTime(2026, 1, 1, tz=name)
    except (KeyError, ValueError):
        return False
    return True


def zone(value: str) -> str:
    """The name of a zone; ValueError where there is none of that name."""
    if not is_zone(value):
        raise ValueError(f"{value!r} is no IANA time zone; write it as in Europe/London")
    return value


def _legible(notes: dict[str, Any]) -> dict[str, Any]:
    limb = notes.get("limb")
    if limb is not None and not (isinstance(limb, str) and limb.strip()):
        raise Misplaced("limb", "a limb note is text; write it as in 'left leg prosthetic below the knee'")
    return notes


Instant = Annotated[
    Ms,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-20T00:00:00Z"]}, mode="validation"),
]
LocalTime = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?$"), AfterValidator(_local)]
LocalDate = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$"), AfterValidator(_local)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")]

Common = Annotated[str, Field(min_length=1, max_length=64)]
"""What several units have in common, by name."""
AccountName = Annotated[str, Field(pattern=f"^{ACCOUNT}$")]
"""An account of the console, as `emcheck user list` shows it."""
PublicKey = Annotated[str, AfterValidator(public_key)]
Notes = Annotated[
    dict[str, Any],
    AfterValidator(_legible),
    Field(description="What is to be known of a wearer; `limb` stands before the fitter and bars the limb it names."),
]
