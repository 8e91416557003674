"""What is open of some wearers: alerts about them, and about the base units in their homes."""

from collections.abc import Sequence

from emcheck.desk import Desk, rank
from emcheck.domain.alerts import Alert
from emcheck.domain.case import Case
from emcheck.domain.findings import Finding
from emcheck.domain.ids import WearerId
from emcheck.domain.instants import FOREVER

_AT_ONCE = 500


async def open_alerts(desk: Desk, cases: Sequence[Case]) -> list[tuple[Alert, list[WearerId]]]:
    """Each with whom it is about, in the queue's order; then what an incident accounts for, and what was withdrawn."""
    subjects = sorted({subject for case in cases for subject in (case.wearer_id, *case.units)})
    found: list[Alert] = []
    for first in range(0, len(subjects), _AT_ONCE):
        found += await desk.alerts(open_only=True, subjects=subjects[first : first + _AT_ONCE])
    of = [(alert, [case.wearer_id for case in cases if concerns(case, alert)]) for alert in found]
    return sorted([each for each in of if each[1]], key=lambda each: (*_place(each[0]), each[0].alert_id))


def _place(alert: Alert) -> tuple[bool, int]:
    number = rank(alert)
    return number is None, alert.raised_at if number is None else number


def gravest(alerts: Sequence[Alert]) -> Alert | None:
    """The first of the highest priority."""
    return min(alerts, key=lambda alert: (alert.priority, *_place(alert)), default=None)


def concerns(case: Case, about: Alert | Finding) -> bool:
    """Whether it is about a wearer: of the wearer, or of a base unit while that told of one of their tags.

    A unit that was taken elsewhere tells of other people.
    """
    if about.wearer_id is not None or about.unit is None:
        return about.wearer_id == case.wearer_id
    began, end = (about.happened_at, about.ended_at) if isinstance(about, Alert) else (about.start, about.end)
    ended = FOREVER if end is None else end
    return any(
        source.unit == about.unit and source.counts.start <= ended and began < source.counts.end
        for address in case.addresses
        for source in case.sources(address)
    )
