"""The shapes that are read, and which one a document has."""

from collections.abc import Callable
from enum import StrEnum

from emcheck.exchange.curfew_times import is_curfew_times, read_curfew_times
from emcheck.exchange.fields import parse
from emcheck.exchange.imported import Given, Imported, NotUnderstood
from emcheck.exchange.moj import is_moj, read_moj


class Shape(StrEnum):
    """What a document is written in."""

    AUTO = "auto"
    MOJ = "moj"
    CURFEW_TIMES = "curfew-times"
    ICAL = "ical"


def _read_ical(text: str, given: Given) -> Imported:
    from emcheck.exchange.ical import read_ical

    return read_ical(text, given)


READERS: dict[Shape, Callable[[str, Given], Imported]] = {
    Shape.MOJ: read_moj,
    Shape.CURFEW_TIMES: read_curfew_times,
    Shape.ICAL: _read_ical,
}


def shape_of(text: str) -> Shape:
    """The shape of a document; NotUnderstood where it is none of them."""
    if text.lstrip().upper().startswith("BEGIN:"):
        return Shape.ICAL
    document = parse(text)
    if is_moj(document):
        return Shape.MOJ
    if is_curfew_times(document):
        return Shape.CURFEW_TIMES
    raise NotUnderstood("", "neither a monitoring order (curfew_duration), curfew times (fromDay) nor iCalendar")


def read_order(text: str, shape: Shape, given: Given) -> Imported:
    """The order in a document."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise NotUnderstood("", "empty; give a file with a monitoring order, curfew times or a calendar in it")
    return READERS[shape_of(text) if shape is Shape.AUTO else shape](text, given)
