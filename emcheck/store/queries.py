"""The reading statements, one set for both databases. Ties are sorted in Python: collations differ between servers."""

from sqlalchemy import Select, and_, bindparam, delete, exists, func, literal_column, or_, select, update

from emcheck.store.schema import (
    alert,
    alert_history,
    checkpoint,
    counter,
    deadline,
    delivery,
    finding,
    inbox,
    mailbox,
    meta,
    outbox,
    outbox_cursor,
    person,
    policy,
    quarantine,
    register,
    unit,
)

_INBOX = (inbox.c.row_id, inbox.c.received_at, inbox.c.kind, unit.c.name, inbox.c.previous, inbox.c.payload)
_CHECKPOINT = (unit.c.name, checkpoint.c.row_id, checkpoint.c.at, checkpoint.c.state)

META = select(meta.c.key, meta.c.value)
ACKNOWLEDGING = select(meta.c.value).where(meta.c.key == "acknowledging")
COUNTERS = select(counter.c.name)
UNITS = select(unit.c.name, unit.c.unit_no)
LAST_ROW_ID = select(func.coalesce(func.max(inbox.c.row_id), 0))
LAST_ROW = select(*_INBOX).select_from(inbox.outerjoin(unit)).order_by(inbox.c.row_id.desc()).limit(1)
INBOX_PAGE = (
    select(*_INBOX)
    .select_from(inbox.outerjoin(unit))
    .where(inbox.c.row_id > bindparam("after"))
    .order_by(inbox.c.row_id)
    .limit(bindparam("most"))
)
INBOX_PAGE_OF = INBOX_PAGE.where(or_(unit.c.name == bindparam("unit"), literal_column("kind = 1")))


def _unit_history() -> Select[tuple[int, int, int, str, int, bytes]]:
    walk = (
        select(inbox.c.row_id, inbox.c.previous)
        .where(inbox.c.row_id == bindparam("newest"), inbox.c.row_id > bindparam("after"))
        .cte("walk", recursive=True)
    )
    earlier = select(inbox.c.row_id, inbox.c.previous).where(
        inbox.c.row_id == walk.c.previous, inbox.c.row_id > bindparam("after")
    )
    walked = walk.union_all(earlier)
    return (
        select(*_INBOX)
        .select_from(walked.join(inbox, inbox.c.row_id == walked.c.row_id).outerjoin(unit))
        .order_by(inbox.c.row_id)
    )


UNIT_HISTORY = _unit_history()

_other = checkpoint.alias("other")
CHECKPOINTS_PAGE = (
    select(*_CHECKPOINT, checkpoint.c.unit_no)
    .select_from(checkpoint.join(unit))
    .where(
        checkpoint.c.unit_no > bindparam("after"),
        checkpoint.c.row_id
        == select(func.max(_other.c.row_id)).where(_other.c.unit_no == checkpoint.c.unit_no).scalar_subquery(),
    )
    .order_by(checkpoint.c.unit_no)
    .limit(bindparam("most"))
)
CHECKPOINTS_REPLACED = delete(checkpoint).where(
    exists().where(_other.c.unit_no == checkpoint.c.unit_no, _other.c.row_id > checkpoint.c.row_id)
)

REGISTER = (
    select(register.c.sha256, register.c.loaded_at, register.c.body, register.c.as_of_row)
    .order_by(register.c.register_no.desc())
    .limit(1)
)
REGISTERS = select(register.c.sha256, register.c.loaded_at, register.c.body, register.c.as_of_row).order_by(
    register.c.register_no
)
POLICIES = select(
    policy.c.name, policy.c.version, policy.c.sha256, policy.c.effective_at, policy.c.published_at, policy.c.body,
    policy.c.as_of_row,
).order_by(policy.c.policy_no)  # fmt: skip
INSTRUCTIONS = (
    select(*_INBOX)
    .select_from(inbox.outerjoin(unit))
    .where(literal_column("kind = 1"), inbox.c.row_id > bindparam("after"))
    .order_by(inbox.c.row_id)
)
LETTERS = (
    select(mailbox.c.letter_no, mailbox.c.posted_at, mailbox.c.body)
    .where(mailbox.c.outcome.is_(None))
    .order_by(mailbox.c.letter_no)
)
ANSWERS = (
    select(mailbox.c.letter_no, mailbox.c.posted_at, mailbox.c.body, mailbox.c.outcome)
    .where(mailbox.c.outcome.is_not(None))
    .order_by(mailbox.c.letter_no)
)
OUTCOME = select(mailbox.c.outcome).where(mailbox.c.letter_no == bindparam("number"))
ANSWERED = update(mailbox).where(mailbox.c.letter_no == bindparam("number")).values(outcome=bindparam("said"), body=b"")
LETTERS_OLD = delete(mailbox).where(mailbox.c.outcome.is_not(None), mailbox.c.posted_at < bindparam("before"))
PEOPLE = select(person.c.wearer_id, person.c.name, person.c.notes)
PERSON = PEOPLE.where(person.c.wearer_id == bindparam("wearer"))

FINDINGS = select(finding.c.body)
FINDINGS_OF = FINDINGS.where(finding.c.subject == bindparam("subject"))
FINDINGS_BY = FINDINGS.where(finding.c.rule == bindparam("rule"))
FINDINGS_LIVE = FINDINGS.where(
    or_(
        finding.c.window_end > bindparam("after"),
        and_(finding.c.window_end.is_(None), or_(finding.c.end_at.is_(None), finding.c.end_at > bindparam("after"))),
    )
)
ALERTS = select(alert.c.body)
ALERTS_OPEN = ALERTS.where(alert.c.closed == 0)
ALERTS_OF = ALERTS.where(alert.c.subject.in_(bindparam("subjects", expanding=True)))
ALERTS_NAMED = ALERTS.where(alert.c.alert_id.in_(bindparam("names", expanding=True)))
_CHANGE = (alert_history.c.body, alert_history.c.action, alert_history.c.at, alert_history.c.by, alert_history.c.note)
ALERTS_UNDER = (
    ALERTS.where(alert.c.incident == bindparam("incident"), alert.c.closed <= bindparam("closed"))
    .order_by(alert.c.raised_at, alert.c.alert_id)
    .limit(bindparam("most"))
)
ALERT_HISTORY = (
    select(*_CHANGE).where(alert_history.c.alert_id == bindparam("alert_id")).order_by(alert_history.c.history_no)
)

OPEN_ALERTS = (
    select(alert.c.raised_at, alert.c.alert_id)
    .where(
        alert.c.closed == 0,
        alert.c.raised_at >= bindparam("at"),
        or_(alert.c.raised_at > bindparam("at"), alert.c.alert_id > bindparam("name")),
    )
    .order_by(alert.c.raised_at, alert.c.alert_id)
    .limit(bindparam("most"))
)
ALERT_HISTORIES = (
    select(alert_history.c.alert_id, *_CHANGE)
    .where(alert_history.c.alert_id.in_(bindparam("names", expanding=True)))
    .order_by(alert_history.c.history_no)
)

ALERT_STEPS = (
    select(alert_history.c.alert_id, alert_history.c.action, alert_history.c.at, alert_history.c.by)
    .where(alert_history.c.at >= bindparam("since"))
    .order_by(alert_history.c.history_no)
)

DEADLINES_DUE = select(deadline.c.subject, deadline.c.due_at).where(deadline.c.due_at <= bindparam("at"))

QUARANTINED = (
    select(quarantine)
    .where(quarantine.c.quarantine_no > bindparam("after"))
    .order_by(quarantine.c.quarantine_no)
    .limit(bindparam("most"))
)
QUARANTINE_COUNTS = select(
    quarantine.c.unit, quarantine.c.reason, func.count(), func.max(quarantine.c.received_at)
).group_by(quarantine.c.unit, quarantine.c.reason)

_OUTBOX = [column for column in outbox.c if column.name != "target"]
_delivered = func.coalesce(
    select(outbox_cursor.c.item_id).where(outbox_cursor.c.publisher == bindparam("publisher")).scalar_subquery(), 0
)
OUTBOX_AFTER = select(*_OUTBOX).where(outbox.c.item_id > _delivered).order_by(outbox.c.item_id).limit(bindparam("most"))
OWED_TO = (
    select(*_OUTBOX, outbox.c.target, alert.c.body.label("alert_body"))
    .join(alert, alert.c.alert_id == outbox.c.alert_id)
    .where(
        literal_column("outbox.target IS NOT NULL"),
        outbox.c.target.in_(bindparam("targets", expanding=True)),
        outbox.c.item_id > _delivered,
        outbox.c.item_id > bindparam("after"),
    )
    .order_by(outbox.c.item_id)
    .limit(bindparam("most"))
)
DELIVERIES = select(delivery).where(delivery.c.alert_id.in_(bindparam("names", expanding=True)))
