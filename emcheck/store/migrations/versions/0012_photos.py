"""Photos of fitters' visits, whose pictures go after a time."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "photo",
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("wearer_id", sa.Text(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger()),
        sa.Column("kept_days", sa.BigInteger()),
        sa.Column("picture", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("session", "sha256", name=op.f("pk_photo")),
    )
    op.create_index(
        "ix_photo_kept",
        "photo",
        ["at"],
        unique=False,
        sqlite_where=sa.text("picture IS NOT NULL"),
        postgresql_where=sa.text("picture IS NOT NULL"),
    )
    op.create_index(op.f("ix_photo_wearer_id"), "photo", ["wearer_id"], unique=False)


def downgrade() -> None:
    """Not offered, as in 0001."""
    raise RuntimeError("there is no way back but the backup made before the upgrade")
