"""What the statistics and the queue's list are made of, out of the store."""

from collections import Counter
from typing import NamedTuple

from emcheck.domain.alerts import Alert, AlertState
from emcheck.domain.escalation import Due
from emcheck.domain.ids import Ms
from emcheck.domain.policies import Policies
from emcheck.domain.policy import Policy
from emcheck.domain.referrals import Referral
from emcheck.ports import Store
from emcheck.present.statistics import Statistics, statistics, within
from emcheck.service.attending import arrived
from emcheck.service.enrolment import register_in_force
from emcheck.service.own import Own
from emcheck.service.referring import overdue_referrals

_PAGE = 500
"""Alerts that the store is asked of at once."""


class Waiting(NamedTuple):
    """An alert, its next step, None where nothing follows, of how many, and how it is overdue to be referred."""

    alert: Alert
    step: Due | None
    of: int
    referral: Referral | None = None


async def waiting(
    store: Store, policies: Policies, now: Ms, *, everything: bool, incident: str | None = None
) -> list[Waiting]:
    """What waits, the most urgent first; `everything`: what is closed, withdrawn or suppressed, too.

    A breach that is overdue to be referred waits though its alert is closed. With `incident`, what it accounts for.
    """
    overdue = {one.alert.alert_id: one for one in await overdue_referrals(store, policies, now)}
    if incident is not None:
        alerts = await store.alerts_under(incident, open_only=not everything)
    else:
        found = await store.alerts(open_only=not everything)
        alerts = [a for a in found if everything or not (a.withdrawn or a.state is AlertState.SUPPRESSED)]
        listed = {alert.alert_id for alert in alerts}
        alerts += [one.alert for name, one in overdue.items() if name not in listed]
    queue, plan_of = [], Own(policies.own).plan
    for first in range(0, len(alerts), _PAGE):
        page = alerts[first : first + _PAGE]
        has = arrived(await store.deliveries([alert.alert_id for alert in page]))
        for a in page:
            plan, delivered = plan_of(a), has.get(a.alert_id, 0) >= a.course.told_revision
            of = len(plan.tree_of(a.rule, a.priority))
            queue.append(Waiting(a, plan.due(a, delivered=delivered), of, overdue.get(a.alert_id)))
    return sorted(queue, key=lambda one: (one.alert.priority, one.alert.raised_at))


async def gathered(store: Store, *, policy: Policy, since: Ms, until: Ms, operators: int) -> Statistics:
    """Of alerts raised in `[since, until)`; wearers are those with an order in force then, straps those fitted then."""
    register = (await register_in_force(store)).register
    monitored = {o.wearer_id for o in register.orders if o.starts_at < until and o.ends_at > since}
    worn = [f for f in register.fittings if f.fitted_at < until and (f.removed_at is None or f.removed_at > since)]
    return statistics(
        await store.alerts(open_only=False),
        await store.alert_steps(since),
        since=since,
        until=until,
        wearers=len(monitored),
        targets=within(policy),
        operators=operators,
        batches={fitting.wearer_id: fitting.strap_batch for fitting in worn if fitting.strap_batch},
        straps=Counter(fitting.strap_batch for fitting in worn if fitting.strap_batch),
    )
