"""People: second factors and recovery codes, accounts of a provider elsewhere, where a sign-in came from."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the tables and columns; who signs in now goes on as before."""
    op.create_table(
        "second_factor",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger()),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("code_sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "code_sha256", name=op.f("pk_recovery_code")),
    )
    op.add_column("account", sa.Column("identity", sa.Text()))
    op.add_column("sign_in", sa.Column("address", sa.Text()))
    op.create_index(op.f("ix_sign_in_account"), "sign_in", ["account"], unique=False)


def downgrade() -> None:
    """Not offered, as in 0001."""
    raise RuntimeError("there is no way back but the backup made before the upgrade")
