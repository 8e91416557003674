"""What a shift hands over and how it fared, out of the store and the running service.

Alerts are read page by page, so that a month of them holds nobody up. What is said of a time that is over is the same
whenever it is asked, unless an act of it was taken back since: then it was not done. What is open is as it stands now.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from emcheck.desk import EVERYTHING, Count, Desk
from emcheck.domain.alerts import Alert, AlertState, Step
from emcheck.domain.ids import AlertId, Ms
from emcheck.domain.referrals import Referral
from emcheck.domain.roster import Roster
from emcheck.present.shift import standing
from emcheck.present.statistics import Statistics, floods, statistics, within
from emcheck.service.referring import owed_referrals

_PAGE = 500
_INCIDENTS = 100
OPEN_SHOWN = 50
IN_HAND_SHOWN = 200
CLOSED_SHOWN = 200
"""So many are named on the page; the counts are of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Everything at one look."""

    since: Ms
    until: Ms
    operators: int
    counts: list[Count]
    open: list[Alert]
    """What is most urgent in the queue."""
    shelved: list[Alert]
    promised: list[Alert]
    """What somebody acknowledged, claimed or was handed, those first that come back first."""
    incidents: list[tuple[Alert, int]]
    """Incidents that go on, with how many alerts each accounts for."""
    referrals: list[Referral]
    steps: list[Step]
    """What people did in it and let stand (`present.shift.standing`)."""
    closed: list[tuple[Alert, Step]]
    """What was closed in it and not opened again by taking that back, the newest first."""
    closed_count: int
    floods: list[tuple[Ms, int]]
    statistics: Statistics


async def shift_of(desk: Desk, roster: Roster, *, since: Ms, until: Ms, now: Ms, operators: int) -> Shift:
    """What is to be said at the end of `[since, until)`, and of `now` itself where it goes on; `operators` share it."""
    end = until + 1 if until >= now else until
    raised = [alert async for page in _pages(desk, since, end) for alert in page]
    told = await desk.alert_steps(since)
    steps = [step for step in told if step.at < end]
    queue = await desk.queue_page(EVERYTHING, after=None, limit=OPEN_SHOWN)
    in_hand = await desk.in_hand(limit=IN_HAND_SHOWN)
    shelved = [alert for alert in in_hand if alert.state is AlertState.SHELVED]
    promised = [alert for alert in in_hand if alert.state is not AlertState.SHELVED and alert.size is None]
    found = await asyncio.to_thread(_statistics, roster, raised, steps, since, end, operators)
    done = [step for step in standing(told) if step.at < end]
    closed = {step.alert_id: step for step in done if step.action == "closed"}
    return Shift(
        since=since, until=until, operators=operators, counts=await desk.queue_counts(), open=queue,
        shelved=sorted(shelved, key=_comes_back), promised=sorted(promised, key=_comes_back),
        incidents=[(one, await desk.count_under(one.alert_id)) for one in await desk.open_incidents(limit=_INCIDENTS)],
        referrals=await owed_referrals(desk, roster.policies, roster.register),
        steps=done, closed=await _closed(desk, closed), closed_count=len(closed),
        floods=floods(raised, since=since, operators=operators), statistics=replace(found, until=until),
    )  # fmt: skip


def _comes_back(alert: Alert) -> tuple[Ms, str]:
    return (1 << 62 if alert.lease_until is None else alert.lease_until, alert.alert_id)


async def _pages(desk: Desk, since: Ms, until: Ms) -> AsyncIterator[list[Alert]]:
    after: tuple[Ms, str] = (-1, "")
    while page := await desk.alerts_raised(since, until, after=after, limit=_PAGE):
        yield page
        after = page[-1].raised_at, page[-1].alert_id


async def _closed(desk: Desk, closed: dict[AlertId, Step]) -> list[tuple[Alert, Step]]:
    names = sorted(closed, key=lambda name: -closed[name].at)[:CLOSED_SHOWN]
    known = {alert.alert_id: alert for alert in await desk.alerts_named(names)} if names else {}
    return [(known[name], closed[name]) for name in names if name in known]


def _statistics(
    roster: Roster, raised: list[Alert], steps: list[Step], since: Ms, until: Ms, operators: int
) -> Statistics:
    """As `emcheck stats` has them, of the register in memory."""
    register = roster.register
    monitored = {order.wearer_id for order in register.orders if order.starts_at < until and order.ends_at > since}
    worn = [f for f in register.fittings if f.fitted_at < until and (f.removed_at is None or f.removed_at > since)]
    return statistics(
        raised, steps, since=since, until=until, wearers=len(monitored),
        targets=within(roster.policies.own.then(until)), operators=operators,
        batches={fitting.wearer_id: fitting.strap_batch for fitting in worn if fitting.strap_batch},
        straps=Counter(fitting.strap_batch for fitting in worn if fitting.strap_batch),
    )  # fmt: skip
