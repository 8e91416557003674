"""Instructions: found in the inbox by an index of their own, posted in a mailbox; a register knows since which row."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the mailbox, the index and the column."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "mailbox",
        sa.Column("letter_no", number, autoincrement=True, nullable=False),
        sa.Column("posted_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.PrimaryKeyConstraint("letter_no", name=op.f("pk_mailbox")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_inbox_instructions", "inbox", ["row_id"], unique=False,
        sqlite_where=sa.text("kind = 1"), postgresql_where=sa.text("kind = 1"),
    )  # fmt: skip
    op.add_column("register", sa.Column("as_of_row", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    """Not offered, as in 0001."""
    raise RuntimeError("there is no way back but the backup made before the upgrade")
