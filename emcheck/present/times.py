"""Times as a person reads them: local, with their day, and how long something took."""

from datetime import date

from whenever import Instant

from emcheck.domain.ids import Ms
from emcheck.domain.instants import parse_ms

_SHOWN_FROM, _SHOWN_UNTIL = parse_ms("0002-01-01T00:00:00Z"), parse_ms("9998-12-31T00:00:00Z")
"""Nobody's clock is right beyond; a unit may say anything."""


def clock(at: Ms, zone: str) -> str:
    """Local time with its day, as a person reads it: `Tue 24 Mar 19:00:05`.

    Where that time comes twice on that day, the clock meant stands with it: `Sun 25 Oct 01:30:00 GMT`.
    """
    return _local(at, zone, "%a %d %b %H:%M:%S")


def day(at: Ms, zone: str) -> str:
    """The local date: `Tue 24 Mar 2026`."""
    return _local(at, zone, "%a %d %b %Y", alone=True)


def short_day(at: Ms, zone: str) -> str:
    """The local date without its year: `Tue 24 Mar`."""
    return _local(at, zone, "%a %d %b", alone=True)


def local_date(at: Ms, zone: str) -> date:
    """The local date."""
    return Instant.from_timestamp(at, unit="millisecond").to_tz(zone).date().to_stdlib()


def local_minutes(at: Ms, zone: str) -> float:
    """How many minutes of the local day the clock on the wall shows."""
    local = Instant.from_timestamp(at, unit="millisecond").to_tz(zone).time()
    return local.hour * 60 + local.minute + local.second / 60


def offset_ms(at: Ms, zone: str) -> Ms:
    """How far local time is ahead of UTC."""
    local = Instant.from_timestamp(at, unit="millisecond").to_tz(zone)
    return round(local.offset.total("seconds")) * 1000


def hour(at: Ms, zone: str) -> str:
    """The local time of day: `19:00`, or `01:30 BST` where it comes twice on that day."""
    return _local(at, zone, "%H:%M")


def _local(at: Ms, zone: str, form: str, *, alone: bool = False) -> str:
    local = Instant.from_timestamp(min(max(at, _SHOWN_FROM), _SHOWN_UNTIL), unit="millisecond").to_tz(zone)
    said = local.to_stdlib().strftime(form)
    return f"{said} {local.tz_abbrev()}" if local.is_repeated() and not alone else said


def duration(span_ms: Ms) -> str:
    """`19 min`, `2 h 5 min`, `45 s`."""
    seconds = span_ms // 1000
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = [
        f"{hours} h" if hours else "",
        f"{minutes} min" if minutes else "",
        f"{rest} s" if rest and not hours else "",
    ]
    return " ".join(part for part in parts if part)
