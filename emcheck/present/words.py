"""What a finding says to a person: plain, exact, no blame. "Not heard at home", never "absconded"."""

from collections.abc import Callable
from datetime import date

from whenever import Instant

from emcheck.domain.findings import Finding
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


def explain(finding: Finding) -> str:
    """One sentence or two that an operator and a lawyer both understand."""
    return _SENTENCES[finding.rule](finding)


def _absence(f: Finding) -> str:
    since, length = clock(f.start, f.zone), duration((f.absent_ms or 0) + (f.excluded_ms or 0))
    until = clock(f.end, f.zone) if f.end is not None else ""
    window = f"{clock(f.window.start, f.zone)} to {clock(f.window.end, f.zone)}" if f.window else ""
    sentence = {
        "late_return": f"Not heard at home when the curfew began at {since}; heard again at {until}, {length} late.",
        "left_during": f"Not heard at home from {since} to {until}, {length}.",
        "out_at_end": f"Not heard at home from {since} to the end of the curfew at {until}, {length}.",
        "out_whole": f"Not heard at home for the whole curfew, {since} to {until}, {length}.",
    }[f.class_ or ""]
    if f.end is None:
        sentence = f"Not heard at home since {since}, {length} so far."
    excused = f" Of this {duration(f.excluded_ms)} is authorised." if f.excluded_ms else ""
    return f"{sentence}{excused} Curfew {window}, {f.zone}."


def _accumulated(f: Finding) -> str:
    allowed, total = duration(int(dict(f.detail)["allowance_s"]) * 1000), duration(f.absent_ms or 0)
    return (
        f"Unexcused absences of this order add up to {total}; the allowance of {allowed} was used up at "
        f"{clock(f.start, f.zone)} ({f.zone})."
    )


def _silent(f: Finding) -> str:
    start = f"{_last_heard(f)} {clock(f.start, f.zone)}"
    if f.end is None:
        return f"{start} ({f.zone}), and nothing has come since. Whether anyone is at home is unknown."
    return f"{start}, until something came at {clock(f.end, f.zone)} ({f.zone}), {duration(f.end - f.start)}."


def _last_heard(f: Finding) -> str:
    heard = dict(f.detail).get("last_received_at")
    if heard is None:  # found by an older version and not judged again
        return f"Base unit {f.unit} counts as silent from"
    if heard == "never":
        return f"Base unit {f.unit} has not been heard from at all since it was installed; it counts as silent from"
    last = parse_ms(str(heard))
    later = duration(f.start - last)
    return f"Base unit {f.unit} was last heard from at {clock(last, f.zone)}; it counts as silent from {later} later,"


def _strap(f: Finding) -> str:
    what = "cut" if f.class_ == "strap_cut" else "open"
    return (
        f"The strap of tag {dict(f.detail)['tag']} was reported {what} at {clock(f.start, f.zone)} ({f.zone}). "
        "Only a fitter's visit clears this."
    )


def _gap(f: Finding) -> str:
    numbers = dict(f.detail)
    why = "were declared lost by the unit" if f.class_ == "lost" else "did not come although asked for"
    return f"Events {numbers['from']} to {numbers['to']} of base unit {f.unit} {why}; their time is unknown."


def _rejected(f: Finding) -> str:
    count = dict(f.detail)["count"]
    return f"{count} message(s) of base unit {f.unit} could not be used ({f.class_}); they are kept in quarantine."


def _unknown(f: Finding) -> str:
    count = dict(f.detail)["count"]
    return f"{count} message(s) from {f.unit}, which is not in the register; kept in quarantine, not acknowledged."


def _conflict(f: Finding) -> str:
    return (
        f"Event {f.evidence[0].seq} of base unit {f.unit} came with two different contents and counts as missing. "
        "A clone or a restored unit is possible."
    )


def _undecided(f: Finding) -> str:
    return (
        f"The curfew of {f.wearer_id} could not be judged since {clock(f.start, f.zone)} ({f.zone}): a rule failed "
        f"({dict(f.detail)['error']}). All facts are stored and what was said before stands; it is tried again."
    )


_SENTENCES: dict[str, Callable[[Finding], str]] = {
    "curfew.absence": _absence,
    "curfew.accumulated": _accumulated,
    "unit.silent": _silent,
    "tag.strap": _strap,
    "evidence.gap": _gap,
    "evidence.rejected": _rejected,
    "evidence.unknown_device": _unknown,
    "evidence.conflict": _conflict,
    "service.undecided": _undecided,
}
