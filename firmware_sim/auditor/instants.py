"""Times as the auditor reads them: instants are int milliseconds UTC, local times resolve by the zone's own rules."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_RFC3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)")


def to_ms(moment: datetime) -> int:
    """An aware datetime as milliseconds since 1970, finer parts dropped."""
    return (moment - _EPOCH) // _MS


def parse_utc(text: str) -> int:
    """RFC 3339 in UTC to milliseconds; anything else is a ValueError (protocol.md, Envelope)."""
    if not _RFC3339_UTC.fullmatch(text):
        raise ValueError(f"{text!r} is not RFC 3339 in UTC, as in 2026-11-23T19:00:05.120Z")
    return to_ms(datetime.fromisoformat(text))


def format_utc(at_ms: int) -> str:
    """Milliseconds to RFC 3339, UTC, with milliseconds."""
    moment = _EPOCH + at_ms * _MS
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


@cache
def zone(name: str) -> ZoneInfo:
    """An IANA zone out of the locked `tzdata`, so that the machine's own database changes no verdict."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def readings(local: datetime, where: ZoneInfo) -> tuple[int, int]:
    """The earlier and the later instant that a wall time can mean.

    They differ only where it exists twice (the two passes) or not at all (the clock's rule before the change
    carried on, which is the later instant, and the rule after it carried back, which is the earlier).
    """
    both = [to_ms(local.replace(tzinfo=where, fold=fold)) for fold in (0, 1)]
    return min(both), max(both)


def earlier(local: datetime, where: ZoneInfo) -> int:
    """The earlier reading of a wall time."""
    return readings(local, where)[0]


def later(local: datetime, where: ZoneInfo) -> int:
    """The later reading of a wall time."""
    return readings(local, where)[1]
