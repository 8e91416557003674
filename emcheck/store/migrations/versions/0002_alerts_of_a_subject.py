"""The alerts of one subject are found by an index: they are read when the subject has its first one."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the index."""
    op.create_index(op.f("ix_alert_subject"), "alert", ["subject"], unique=False)


def downgrade() -> None:
    """Not offered, as in 0001."""
    raise RuntimeError("there is no way back but the backup made before the upgrade")
