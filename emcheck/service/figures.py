"""What the statistics are made of, out of the store."""

from collections import Counter

from emcheck.domain.ids import Ms
from emcheck.ports import Store
from emcheck.present.statistics import Statistics, statistics
from emcheck.service.enrolment import register_in_force


async def gathered(store: Store, *, since: Ms, until: Ms, operators: int) -> Statistics:
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
        operators=operators,
        batches={fitting.wearer_id: fitting.strap_batch for fitting in worn if fitting.strap_batch},
        straps=Counter(fitting.strap_batch for fitting in worn if fitting.strap_batch),
    )
