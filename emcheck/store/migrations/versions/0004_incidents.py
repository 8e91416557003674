"""An alert names the incident that accounts for it; those of one incident are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column and the index."""
    op.add_column("alert", sa.Column("incident", sa.Text()))
    op.create_index(
        "ix_alert_incident", "alert", ["incident", "closed", "raised_at"], unique=False,
        sqlite_where=sa.text("incident IS NOT NULL"), postgresql_where=sa.text("incident IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    """Not offered, as in 0001."""
    raise RuntimeError("there is no way back but the backup made before the upgrade")
