"""The tables, once for SQLite and PostgreSQL.

The inbox is the evidence and is only ever appended to: rows in order of arrival under an id that the caller
gives, no second index save one of the few instructions, so that an event costs its own bytes and little more.
Everything else could be computed from it again, save the register and personal data, which stands in a table of
its own so that it can be erased while facts stay. Ids have 64 bits everywhere; instants are milliseconds UTC.

A change here needs a migration beside it (`emcheck/store/migrations/versions`); a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name, so that a later migration can name it on either database."""

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012", "0013")
"""Schema revisions in order; the last is what this code reads and writes."""

metadata = MetaData(naming_convention=NAMING)


def _row_number() -> TypeEngine[int]:
    """A 64-bit key; SQLite numbers rows only where the type is INTEGER, which has 64 bits there."""
    return BigInteger().with_variant(Integer(), "sqlite")


meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next_value", BigInteger, nullable=False),
)

unit = Table(
    "unit",
    metadata,
    Column("unit_no", _row_number(), primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("name"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("row_id", _row_number(), primary_key=True, autoincrement=False),
    Column("received_at", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("unit_no", _row_number(), ForeignKey("unit.unit_no")),
    Column("previous", BigInteger),
    Column("payload", LargeBinary, nullable=False),
    Index("ix_inbox_instructions", "row_id", sqlite_where=text("kind = 1"), postgresql_where=text("kind = 1")),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("quarantine_no", _row_number(), primary_key=True, autoincrement=True),
    Column("received_at", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("unit", Text),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("boot", Text),
    Column("first_seq", BigInteger),
    Column("last_seq", BigInteger),
    Index(None, "unit", "reason", "received_at"),
    sqlite_autoincrement=True,
)

finding = Table(
    "finding",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("order_id", Text),
    Column("window_start", BigInteger),
    Column("window_end", BigInteger),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger),
    Column("absent_ms", BigInteger),
    Column("body", LargeBinary, nullable=False),
    Index(None, "order_id", "window_end"),
)

alert = Table(
    "alert",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("closed", SmallInteger, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("incident", Text),
    Column("rank", BigInteger),
    Column("rule", Text),
    Column("holder", Text),
    Index(None, "closed", "raised_at"),
    Index(
        "ix_alert_rank",
        "rank",
        "alert_id",
        "subject",
        sqlite_where=text("rank IS NOT NULL"),
        postgresql_where=text("rank IS NOT NULL"),
    ),
    Index(
        "ix_alert_rule",
        "rule",
        "rank",
        "alert_id",
        sqlite_where=text("rank IS NOT NULL"),
        postgresql_where=text("rank IS NOT NULL"),
    ),
    Index(
        "ix_alert_holder",
        "holder",
        "rank",
        "alert_id",
        sqlite_where=text("holder IS NOT NULL AND rank IS NOT NULL"),
        postgresql_where=text("holder IS NOT NULL AND rank IS NOT NULL"),
    ),
    Index(None, "subject"),
    Index(
        "ix_alert_incident",
        "incident",
        "closed",
        "raised_at",
        sqlite_where=text("incident IS NOT NULL"),
        postgresql_where=text("incident IS NOT NULL"),
    ),
)

alert_history = Table(
    "alert_history",
    metadata,
    Column("history_no", _row_number(), primary_key=True, autoincrement=True),
    Column("alert_id", Text, ForeignKey("alert.alert_id"), nullable=False),
    Column("action", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "alert_id"),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("item_id", _row_number(), primary_key=True, autoincrement=True),
    Column("subject", Text, nullable=False),
    Column("alert_id", Text, ForeignKey("alert.alert_id"), nullable=False),
    Column("event_id", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("target", Text),
    UniqueConstraint("event_id"),
    Index(
        "ix_outbox_targets",
        "item_id",
        sqlite_where=text("target IS NOT NULL"),
        postgresql_where=text("target IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

outbox_cursor = Table(
    "outbox_cursor",
    metadata,
    Column("publisher", Text, primary_key=True),
    Column("item_id", BigInteger, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("consumer", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
)

deadline = Table(
    "deadline",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("due_at", BigInteger, nullable=False),
    Index(None, "due_at"),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("unit_no", _row_number(), ForeignKey("unit.unit_no"), primary_key=True, autoincrement=False),
    Column("row_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
)

register = Table(
    "register",
    metadata,
    Column("register_no", _row_number(), primary_key=True, autoincrement=True),
    Column("sha256", Text, nullable=False),
    Column("loaded_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("as_of_row", BigInteger, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)

policy = Table(
    "policy",
    metadata,
    Column("policy_no", _row_number(), primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("effective_at", BigInteger, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("as_of_row", BigInteger, nullable=False),
    UniqueConstraint("name", "version"),
    sqlite_autoincrement=True,
)

mailbox = Table(
    "mailbox",
    metadata,
    Column("letter_no", _row_number(), primary_key=True, autoincrement=True),
    Column("posted_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("outcome", Text),
    sqlite_autoincrement=True,
)

person = Table(
    "person",
    metadata,
    Column("wearer_id", Text, primary_key=True),
    Column("name", Text),
    Column("notes", LargeBinary, nullable=False),
)

account = Table(
    "account",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("password", Text),
    Column("link_sha256", Text),
    Column("link_until", BigInteger),
    Column("identity", Text),
    Column("language", Text),
)

second_factor = Table(
    "second_factor",
    metadata,
    Column("account", Text, primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger),
    Column("step", BigInteger, nullable=False),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("account", Text, primary_key=True),
    Column("code_sha256", Text, primary_key=True),
)

sign_in = Table(
    "sign_in",
    metadata,
    Column("token_sha256", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    Column("address", Text),
    Index(None, "account"),
)

access_log = Table(
    "access_log",
    metadata,
    Column("access_no", _row_number(), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text),
    Column("alert_id", Text),
    Column("address", Text),
    Index(None, "subject"),
    sqlite_autoincrement=True,
)

photo = Table(
    "photo",
    metadata,
    Column("session", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("wearer_id", Text, nullable=False),
    Column("caption", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("deleted_at", BigInteger),
    Column("kept_days", BigInteger),
    Column("picture", LargeBinary),
    Index(
        "ix_photo_kept",
        "at",
        sqlite_where=text("picture IS NOT NULL"),
        postgresql_where=text("picture IS NOT NULL"),
    ),
    Index(None, "wearer_id"),
)

assignment = Table(
    "assignment",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("fitter", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

saved_view = Table(
    "saved_view",
    metadata,
    Column("account", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("query", Text, nullable=False),
)
