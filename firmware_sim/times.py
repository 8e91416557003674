"""Times as scenario files write them: local wall time, or an instant with an offset where that is ambiguous."""

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator
from whenever import PlainDateTime

from emcheck.domain.ids import Ms
from emcheck.domain.instants import parse_ms

_SHAPE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?")


def _checked(text: str) -> str:
    if not _SHAPE.fullmatch(text):
        raise ValueError(f"{text!r} is no time; write it as in 2026-03-24T19:19 or 2026-03-24T19:19:00Z")
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time: {error}") from None
    return text


LocalOrInstant = Annotated[str, AfterValidator(_checked)]


def instant(text: str, zone: str, reading: Literal["earlier", "later"] = "earlier") -> Ms:
    """The instant meant by `text` in `zone`; a local time that is skipped or repeated takes the named reading."""
    if datetime.fromisoformat(text).tzinfo is not None:
        return parse_ms(text)
    return PlainDateTime.parse_iso(text).assume_tz(zone, disambiguation=reading).timestamp(unit="millisecond")
