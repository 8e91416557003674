"""A shift: when it began by the local clock, what was done in it by whom, and that in words for whoever takes over."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from emcheck.domain.alerts import Step
from emcheck.domain.findings import Span
from emcheck.domain.ids import AlertId, Ms
from emcheck.domain.windows import resolve
from emcheck.present.statistics import FLOOD_SPAN
from emcheck.present.times import hour, local_date

DONE: Mapping[str, str] = {
    "acknowledged": "acknowledged", "confirmed": "confirmed", "claimed": "claimed", "handed_over": "handed over",
    "noted": "noted", "shelved": "shelved", "escalated": "passed on", "closed": "closed", "referred": "referred",
    "taken_back": "taken back",
}  # fmt: skip
"""What people do about alerts, as a shift counts it."""
_TAKES_BACK: Mapping[str, str] = {
    "unacknowledged": "acknowledged", "unclaimed": "claimed", "unshelved": "shelved", "reopened": "closed",
}  # fmt: skip
"""The act that each of these takes back: the newest such of the same person about the same alert."""


def shift_at(at: Ms, starts: Sequence[str], zone: str) -> Span:
    """The shift that an instant lies in: from the last start at or before it to the next; `starts` as `07:00`."""
    today = local_date(at, zone)
    days = [today + timedelta(days=n) for n in (-1, 0, 1, 2)]
    edges = sorted(resolve(f"{day.isoformat()}T{start}", zone, "earlier") for day in days for start in starts)
    begun = max(edge for edge in edges if edge <= at)
    return Span(begun, next(edge for edge in edges if edge > begun))


def shift_before(shift: Span, starts: Sequence[str], zone: str) -> Span:
    """The one that it took over from."""
    return shift_at(shift.start - 1, starts, zone)


def local_input(at: Ms, zone: str) -> str:
    """An instant as a form's local time: `2026-03-24T19:00`."""
    return f"{local_date(at, zone).isoformat()}T{hour(at, zone)[:5]}"


def instant_of_input(text: str, zone: str) -> Ms | None:
    """The instant of a form's local time, the earlier where it comes twice; None where it is none."""
    day, separator, clock = text.strip().replace(" ", "T").partition("T")
    try:
        date.fromisoformat(day)
        return resolve(f"{day}T{clock[:8]}", zone, "earlier") if separator else None
    except ValueError:
        return None


def standing(steps: Iterable[Step]) -> list[Step]:
    """What people did and let stand, oldest first; what took an act back stands in its place as `taken_back`.

    What emcheck did itself is nobody's work.
    """
    kept: dict[int, Step] = {}
    newest: dict[tuple[AlertId, str, str], list[int]] = {}
    for number, step in enumerate(steps):
        if step.by == "emcheck":
            continue
        if step.action in _TAKES_BACK:
            if before := newest.get((step.alert_id, step.by, _TAKES_BACK[step.action])):
                del kept[before.pop()]
            kept[number] = step._replace(action="taken_back")
        elif step.action in DONE:
            kept[number] = step
            newest.setdefault((step.alert_id, step.by, step.action), []).append(number)
    return list(kept.values())


class Work(NamedTuple):
    """What one person did."""

    by: str
    acts: Mapping[str, int]


def work_of(steps: Iterable[Step]) -> list[Work]:
    """What `standing` steps are, by name."""
    found: dict[str, Counter[str]] = {}
    for step in steps:
        found.setdefault(step.by, Counter())[step.action] += 1
    return [Work(by, counts) for by, counts in sorted(found.items())]


def flood_words(spans: Sequence[tuple[Ms, int]], zone: str) -> list[str]:
    """`22:10 to 22:20: 43 alerts`, spans that touch told together."""
    runs: list[tuple[Ms, Ms, int]] = []
    for start, count in spans:
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], start + FLOOD_SPAN, runs[-1][2] + count)
        else:
            runs.append((start, start + FLOOD_SPAN, count))
    return [f"{hour(start, zone)} to {hour(end, zone)}: {count:,} alerts" for start, end, count in runs]
