"""Text form of instants: RFC 3339, UTC, milliseconds, as `formats.md` and `protocol.md` write them."""

from datetime import UTC, datetime, timedelta

from emcheck.domain.ids import Ms

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

_REMEDY = "write it as in 2026-03-28T19:00:05.120Z"
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999
SECOND: Ms = 1_000
MINUTE: Ms = 60_000
HOUR: Ms = 3_600_000
DAY: Ms = 86_400_000
FOREVER: Ms = 1 << 61
"""An instant that does not come; its negative, one before all."""


def parse_ms(text: str) -> Ms:
    """Milliseconds since the epoch of an RFC 3339 instant with offset; ValueError if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise ValueError(f"{text!r} is no instant; {_REMEDY}") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no UTC offset; {_REMEDY}")
    return (moment - _EPOCH) // _MS


def format_ms(at: Ms) -> str:
    """`2026-03-28T19:00:05.120Z` of an instant; one beyond the years 1 to 9999 is shown as their edge."""
    at = min(max(at, _FIRST), _LAST)
    return (_EPOCH + at * _MS).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"


def format_optional_ms(at: Ms | None) -> str | None:
    """The text of an instant, or None where there is none (an open end)."""
    return None if at is None else format_ms(at)
