"""The shapes that are read, and which one a document has."""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from emcheck.exchange.curfew_times import is_curfew_times, read_curfew_times
from emcheck.exchange.fields import parse
from emcheck.exchange.imported import Given, Imported, NotSaid, NotUnderstood
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
    read = READERS[shape_of(text) if shape is Shape.AUTO else shape]
    try:
        return read(text, given)
    except NotSaid as first:
        raise _all_not_said(read, text, given, first) from None


def _all_not_said(read: Callable[[str, Given], Imported], text: str, given: Given, first: NotSaid) -> NotUnderstood:
    """Everything that an option must say, in one line: reading goes on with what stands in for it."""
    found = [first]
    while True:
        last = found[-1]
        if last.place is None:
            given = replace(given, **{last.field: last.stand_in})
        else:
            given = replace(given, addresses=dict(given.addresses) | {last.place: last.stand_in})
        try:
            read(text, given)
        except NotSaid as another:
            found.append(another)
            continue
        except NotUnderstood:
            pass  # it is told once everything is said: what stands in may have led to it
        if len(found) == 1:
            return first
        fields = ", ".join(dict.fromkeys(each.field for each in found))
        return NotUnderstood("", f"the document does not say {fields}; give {', '.join(each.remedy for each in found)}")
