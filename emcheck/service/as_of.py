"""As of when a database speaks: of this moment while a service runs on it live, else of the last that it was told.

A night that is simulated, or a copy that is looked at later, would else be told as if it had waited ever since.
"""

from emcheck.domain.ids import Ms
from emcheck.store.sql import SqlStore


async def as_of(store: SqlStore, now: Ms) -> Ms:
    """`now` while a service runs by the machine's clock; else when the last message or change came."""
    if await store.is_live():
        return now
    row, number = await store.last_row(), await store.last_told()
    told = [] if row is None else [row.received_at]
    told += [each.change.at for each in await store.told_after(number - 1, limit=1)]
    return max(told, default=now)
