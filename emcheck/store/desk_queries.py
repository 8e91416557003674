"""The console's statements, one set for both databases."""

from sqlalchemy import Select, and_, bindparam, delete, func, literal_column, or_, select, update

from emcheck.desk import RANKS_OF_A_GROUP, Asked, Place, is_waiting, ranks
from emcheck.store.rows import storable
from emcheck.store.schema import access_log, account, alert, alert_history, inbox, person, saved_view, sign_in

_ACCOUNT = (
    account.c.name, account.c.role, account.c.created_at, account.c.disabled_at, account.c.password,
    account.c.link_sha256, account.c.link_until,
)  # fmt: skip
ACCOUNTS = select(*_ACCOUNT).order_by(account.c.name)
ACCOUNT = select(*_ACCOUNT).where(account.c.name == bindparam("wanted"))
CHOOSE_PASSWORD = (
    update(account)
    .where(
        account.c.name == bindparam("wanted"),
        account.c.link_sha256 == bindparam("link"),
        account.c.link_until > bindparam("at"),
        account.c.disabled_at.is_(None),
    )
    .values(password=bindparam("chosen"), link_sha256=None, link_until=None)
)
SIGNED_IN = select(sign_in.c.token_sha256, sign_in.c.account, sign_in.c.began_at, sign_in.c.used_at).where(
    sign_in.c.token_sha256 == bindparam("token")
)
SIGN_IN_USED = update(sign_in).where(sign_in.c.token_sha256 == bindparam("token")).values(used_at=bindparam("at"))
SIGN_INS_OVER = delete(sign_in).where(sign_in.c.began_at < bindparam("before"))
SIGN_OUT = delete(sign_in).where(sign_in.c.token_sha256 == bindparam("token"))
SIGN_OUT_ALL = delete(sign_in).where(sign_in.c.account == bindparam("whose"))

ACCESS_LOG = (
    select(access_log)
    .where(access_log.c.access_no < bindparam("before"))
    .order_by(access_log.c.access_no.desc())
    .limit(bindparam("most"))
)
ACCESS_LOG_OF = ACCESS_LOG.where(access_log.c.subject == bindparam("whose"))

VIEWS = (
    select(saved_view.c.account, saved_view.c.name, saved_view.c.query)
    .where(saved_view.c.account == bindparam("whose"))
    .order_by(saved_view.c.name)
)
DROP_VIEW = delete(saved_view).where(
    saved_view.c.account == bindparam("whose"), saved_view.c.name == bindparam("named")
)

_group = alert.c.rank / RANKS_OF_A_GROUP
QUEUE_COUNTS = (
    select(func.floor(_group), func.count(), func.min(alert.c.rank))
    .where(literal_column("rank IS NOT NULL"))
    .group_by(func.floor(_group))
)


def queue_page(asked: Asked, after: Place | None, limit: int) -> Select[tuple[bytes]]:
    """Alerts in the queue's order, by the index of ranks."""
    low, high = ranks(asked.priority)
    page = select(alert.c.body).where(literal_column("alert.rank IS NOT NULL"), alert.c.rank < high)
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
    for word in asked.words.lower().split():
        like = f"%{word.translate(_PLAIN)}%"
        named = select(person.c.wearer_id).where(func.lower(person.c.name).like(like, escape="\\"))
        page = page.where(
            or_(
                func.lower(alert.c.subject).like(like, escape="\\"),
                func.lower(alert.c.alert_id).like(like, escape="\\"),
                alert.c.subject.in_(named),
            )
        )
    return page.order_by(alert.c.rank, alert.c.alert_id).limit(limit)


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
