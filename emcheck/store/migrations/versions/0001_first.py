"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None


def _number() -> TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table."""
    _create_identity()
    _create_evidence()
    _create_verdicts()
    _create_delivery()
    _create_people()


def downgrade() -> None:
    """Not offered: evidence is not dropped by a command; the backup made before an upgrade is the way back."""
    raise RuntimeError("there is no way back but the backup made before the upgrade")


def _create_identity() -> None:
    """What this database is, its counters, and the units it has heard of."""
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "unit",
        sa.Column("unit_no", _number(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit_no", name=op.f("pk_unit")),
        sa.UniqueConstraint("name", name=op.f("uq_unit_name")),
    )


def _create_evidence() -> None:
    """What came in, what was refused, and folded state."""
    op.create_table(
        "inbox",
        sa.Column("row_id", _number(), autoincrement=False, nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("unit_no", _number(), nullable=True),
        sa.Column("previous", sa.BigInteger(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["unit_no"], ["unit.unit_no"], name=op.f("fk_inbox_unit_no_unit")),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_inbox")),
    )
    op.create_table(
        "quarantine",
        sa.Column("quarantine_no", _number(), autoincrement=True, nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=True),
        sa.Column("first_seq", sa.BigInteger(), nullable=True),
        sa.Column("last_seq", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("quarantine_no", name=op.f("pk_quarantine")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_quarantine_unit_reason_received_at"), "quarantine", ["unit", "reason", "received_at"], unique=False
    )
    op.create_table(
        "checkpoint",
        sa.Column("unit_no", _number(), autoincrement=False, nullable=False),
        sa.Column("row_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["unit_no"], ["unit.unit_no"], name=op.f("fk_checkpoint_unit_no_unit")),
        sa.PrimaryKeyConstraint("unit_no", "row_id", name=op.f("pk_checkpoint")),
    )


def _create_verdicts() -> None:
    """What the rules say of it, and what falls due."""
    op.create_table(
        "finding",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("window_start", sa.BigInteger(), nullable=True),
        sa.Column("window_end", sa.BigInteger(), nullable=True),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=True),
        sa.Column("absent_ms", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "key", name=op.f("pk_finding")),
    )
    op.create_index(op.f("ix_finding_order_id_window_end"), "finding", ["order_id", "window_end"], unique=False)
    op.create_table(
        "alert",
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("closed", sa.SmallInteger(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alert")),
    )
    op.create_index(op.f("ix_alert_closed_raised_at"), "alert", ["closed", "raised_at"], unique=False)
    op.create_table(
        "alert_history",
        sa.Column("history_no", _number(), autoincrement=True, nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.alert_id"], name=op.f("fk_alert_history_alert_id_alert")),
        sa.PrimaryKeyConstraint("history_no", name=op.f("pk_alert_history")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alert_history_alert_id"), "alert_history", ["alert_id"], unique=False)
    op.create_table(
        "deadline",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_deadline")),
    )
    op.create_index(op.f("ix_deadline_due_at"), "deadline", ["due_at"], unique=False)


def _create_delivery() -> None:
    """What is owed to publishers."""
    op.create_table(
        "outbox",
        sa.Column("item_id", _number(), autoincrement=True, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.alert_id"], name=op.f("fk_outbox_alert_id_alert")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("event_id", name=op.f("uq_outbox_event_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "outbox_cursor",
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("publisher", name=op.f("pk_outbox_cursor")),
    )


def _create_people() -> None:
    """Registers, and personal data apart."""
    op.create_table(
        "register",
        sa.Column("register_no", _number(), autoincrement=True, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("register_no", name=op.f("pk_register")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "person",
        sa.Column("wearer_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("notes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("wearer_id", name=op.f("pk_person")),
    )
