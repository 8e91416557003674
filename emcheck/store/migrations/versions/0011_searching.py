"""Searching: the queue's index holds the subject too, so that a search reads the alerts that it finds and no others."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the index of ranks anew."""
    op.drop_index("ix_alert_rank", table_name="alert")
    where = sa.text("rank IS NOT NULL")
    op.create_index(
        "ix_alert_rank", "alert", ["rank", "alert_id", "subject"], unique=False, sqlite_where=where,
        postgresql_where=where,
    )  # fmt: skip


def downgrade() -> None:
    """Not offered, as in 0001."""
    raise RuntimeError("there is no way back but the backup made before the upgrade")
