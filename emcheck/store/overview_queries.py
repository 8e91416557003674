"""The statements of pages that look back and over all, one set for both databases."""

from sqlalchemy import Select, and_, literal_column, or_, select

from emcheck.desk import RANKS_OF_A_GROUP, is_waiting
from emcheck.domain.ids import Ms
from emcheck.store.schema import alert, quarantine


def alerts_raised(since: Ms, until: Ms, after: tuple[Ms, str], limit: int) -> Select[tuple[bytes]]:
    """Alerts that were raised in a span, open or closed, each half by its index."""
    return (
        select(alert.c.body)
        .where(
            alert.c.closed.in_((0, 1)), alert.c.raised_at >= max(since, after[0]), alert.c.raised_at < until,
            or_(alert.c.raised_at > after[0], alert.c.alert_id > after[1]),
        )
        .order_by(alert.c.raised_at, alert.c.alert_id)
        .limit(limit)
    )  # fmt: skip


def in_hand(limit: int) -> Select[tuple[bytes]]:
    """Alerts of the queue that somebody has, acknowledged or shelved."""
    groups = [group for group in range(2, 12) if not is_waiting(group)]
    attended = [and_(alert.c.rank >= g * RANKS_OF_A_GROUP, alert.c.rank < (g + 1) * RANKS_OF_A_GROUP) for g in groups]
    held = and_(literal_column("alert.holder IS NOT NULL"), literal_column("alert.rank IS NOT NULL"))
    return select(alert.c.body).where(or_(held, *attended)).order_by(alert.c.rank, alert.c.alert_id).limit(limit)


def open_incidents(limit: int) -> Select[tuple[bytes]]:
    """Alerts of groups of units, by the index of subjects: theirs begin alike (`domain.bursts.Group`)."""
    return (
        select(alert.c.body)
        .where(alert.c.subject >= "incident ", alert.c.subject < "incident!", alert.c.closed == 0)
        .order_by(alert.c.raised_at, alert.c.alert_id)
        .limit(limit)
    )


def refused(unit: str | None, reason: str | None, before: int, limit: int) -> Select[tuple[object, ...]]:
    """Refused input, the newest first."""
    page = select(quarantine).where(quarantine.c.quarantine_no < before)
    if unit is not None:
        page = page.where(or_(quarantine.c.unit == unit, quarantine.c.topic == unit))
    if reason is not None:
        page = page.where(quarantine.c.reason == reason)
    return page.order_by(quarantine.c.quarantine_no.desc()).limit(limit)
