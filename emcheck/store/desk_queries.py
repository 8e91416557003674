"""The console's statements, one set for both databases."""

from collections.abc import Iterator
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, literal_column, or_, select

from emcheck.desk import RANKS_OF_A_GROUP, Asked, Place, is_waiting, ranks
from emcheck.store.rows import storable
from emcheck.store.schema import alert, alert_history, inbox, person, saved_view

_T = TypeVar("_T")
VIEWS = (
    select(saved_view.c.account, saved_view.c.name, saved_view.c.query)
    .where(saved_view.c.account == bindparam("whose"))
    .order_by(saved_view.c.name)
)
DROP_VIEW = delete(saved_view).where(
    saved_view.c.account == bindparam("whose"), saved_view.c.name == bindparam("named")
)

_group = alert.c.rank // RANKS_OF_A_GROUP
QUEUE_COUNTS = (
    select(_group, func.count(), func.min(alert.c.rank)).where(literal_column("rank IS NOT NULL")).group_by(_group)
)


def queue_page(asked: Asked, after: Place | None, limit: int) -> Select[tuple[bytes]]:
    """Alerts in the queue's order, by the index of ranks.

    A search asks that index alone which alerts are found, for it holds all that is sought in; only those are read.
    """
    if asked.words:
        found = _queue_page(select(alert.c.alert_id), asked, after, limit).subquery()
        page = select(alert.c.body).where(alert.c.alert_id.in_(select(found.c.alert_id)))
        return page.order_by(alert.c.rank, alert.c.alert_id)
    return _queue_page(select(alert.c.body), asked, after, limit)


def _queue_page(page: Select[tuple[_T]], asked: Asked, after: Place | None, limit: int) -> Select[tuple[_T]]:
    """The same of a column."""
    low, high = ranks(asked.priority)
    page = page.where(literal_column("alert.rank IS NOT NULL"), alert.c.rank < high)
    if after is None:
        page = page.where(alert.c.rank >= low)
    else:
        low = max(low, after.rank)
        page = page.where(alert.c.rank >= low, or_(alert.c.rank > after.rank, alert.c.alert_id > after.alert_id))
    if asked.waiting_only:
        groups = [group for group in range(2, 12) if is_waiting(group)]
        page = page.where(
            or_(
                *(and_(alert.c.rank >= g * RANKS_OF_A_GROUP, alert.c.rank < (g + 1) * RANKS_OF_A_GROUP) for g in groups)
            )
        )
    if asked.rule is not None:
        page = page.where(alert.c.rule == storable(asked.rule))
    if asked.holder is not None:
        page = page.where(literal_column("alert.holder IS NOT NULL"), alert.c.holder == storable(asked.holder))
    if asked.subjects is not None:
        page = page.where(alert.c.subject.in_([storable(each) for each in asked.subjects]))
    if asked.incident is not None:
        incident = storable(asked.incident)
        page = page.where(or_(alert.c.alert_id == incident, alert.c.incident == incident))
    if asked.words.strip():
        page = page.where(*_speaking_of(asked))
    return page.order_by(alert.c.rank, alert.c.alert_id).limit(limit)


def _speaking_of(asked: Asked) -> Iterator[ColumnElement[bool]]:
    """A condition for each word that is sought; people are looked through once, whatever the number of words."""
    words = {word: f"%{word.translate(_PLAIN)}%" for word in asked.words.lower().split()}
    name = func.lower(person.c.name).label("name")
    people = (
        select(person.c.wearer_id, name).where(or_(*(name.like(like, escape="\\") for like in words.values()))).cte()
    )
    for word, like in words.items():
        named = select(people.c.wearer_id).where(people.c.name.like(like, escape="\\"))
        heard_by = [storable(each) for each in asked.heard_by.get(word, ())]
        yield or_(
            func.lower(alert.c.subject).like(like, escape="\\"),
            alert.c.alert_id.like(like.upper(), escape="\\"),  # ours are in capitals (`queue.alert_id`)
            alert.c.subject.in_(named),
            *([alert.c.subject.in_(heard_by)] if heard_by else []),
        )


_PLAIN = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
"""What LIKE would read as more than itself."""

LAST_TOLD = select(func.coalesce(func.max(alert_history.c.history_no), 0))
TOLD_AFTER = (
    select(
        alert_history.c.history_no, alert_history.c.body, alert_history.c.action, alert_history.c.at,
        alert_history.c.by, alert_history.c.note,
    )
    .where(alert_history.c.history_no > bindparam("after"))
    .order_by(alert_history.c.history_no)
    .limit(bindparam("most"))
)  # fmt: skip
ACTS_OF_PEOPLE = ("acknowledged", "confirmed", "shelved", "closed")
HOLDERS = (
    select(alert_history.c.alert_id, alert_history.c.action, alert_history.c.at, alert_history.c.by)
    .where(alert_history.c.alert_id.in_(bindparam("names", expanding=True)), alert_history.c.action.in_(ACTS_OF_PEOPLE))
    .order_by(alert_history.c.history_no)
)
COUNT_UNDER = select(func.count()).select_from(alert).where(alert.c.incident == bindparam("incident"))
NAMES = select(person.c.wearer_id, person.c.name).where(
    person.c.wearer_id.in_(bindparam("wearers", expanding=True)), person.c.name.is_not(None)
)
ROW_FROM = (
    select(inbox.c.row_id, inbox.c.received_at)
    .where(inbox.c.row_id >= bindparam("least"))
    .order_by(inbox.c.row_id)
    .limit(1)
)
