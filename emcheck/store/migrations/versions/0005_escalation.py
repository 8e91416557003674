"""Who has an alert; and the contact that an item of the outbox is owed to beside the queue, found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table, the column and its index."""
    op.create_table(
        "delivery",
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "revision", "consumer", name=op.f("pk_delivery")),
    )
    op.add_column("outbox", sa.Column("target", sa.Text()))
    op.create_index(
        "ix_outbox_targets", "outbox", ["item_id"], unique=False,
        sqlite_where=sa.text("target IS NOT NULL"), postgresql_where=sa.text("target IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    """Not offered, as in 0001."""
    raise RuntimeError("there is no way back but the backup made before the upgrade")
