"""Weekdays and times of day as services write them, and what a list of weekly windows comes to."""

import re

from emcheck.domain.register import DAYS
from emcheck.exchange.imported import NotUnderstood, Report, quoted

_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.0+)?)?")


def weekday(text: str | None, path: str) -> str:
    """`mon` of `Mo`, `MONDAY` or `Monday`: two letters and more of the English name."""
    said = (text or "").lower()
    found = [short for short, full in zip(DAYS, _FULL, strict=True) if len(said) > 1 and full.startswith(said)]
    if len(found) != 1:
        said = "missing" if text is None else f"{quoted(text)} is no day of the week"
        raise NotUnderstood(path, f"{said}; write it as in monday")
    return found[0]


def time_of_day(text: str | None, path: str) -> str:
    """`19:00` of `19:00` or `19:00:00`."""
    match = _TIME.fullmatch(text or "")
    if match is None:
        said = "missing" if text is None else f"{quoted(text)} is no time of day"
        raise NotUnderstood(path, f"{said}; write it as in 19:00")
    hours, minutes, seconds = match.groups()
    return f"{int(hours):02}:{minutes}" + (f":{seconds}" if seconds not in (None, "00") else "")


def next_day(day: str) -> str:
    """The weekday after."""
    return DAYS[(DAYS.index(day) + 1) % 7]


def remark_on_midnight(windows: list[dict[str, str]], where: str, report: Report) -> None:
    """A window until 23:59 ends a minute short of midnight: taken as written, and told."""
    short = [w for w in windows if w["until_time"].startswith("23:59")]
    if short:
        report.assumed.append((where, f"{len(short)} windows end at 23:59 as written, a minute short of midnight"))
