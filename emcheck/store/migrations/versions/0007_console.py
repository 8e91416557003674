"""The console: accounts, sign-ins and the access log; and the rank of an alert in the queue, found by an index."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_PAGE = 500


def upgrade() -> None:
    """Add the tables, the column and its index, and give open alerts their rank."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "account",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger()),
        sa.Column("password", sa.Text()),
        sa.Column("link_sha256", sa.Text()),
        sa.Column("link_until", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_account")),
    )
    op.create_table(
        "sign_in",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_sign_in")),
    )
    op.create_table(
        "access_log",
        sa.Column("access_no", number, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text()),
        sa.Column("alert_id", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.PrimaryKeyConstraint("access_no", name=op.f("pk_access_log")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_access_log_subject"), "access_log", ["subject"], unique=False)
    op.add_column("alert", sa.Column("rank", sa.BigInteger()))
    _rank_what_is_open()
    op.create_index(
        "ix_alert_rank", "alert", ["rank", "alert_id"], unique=False,
        sqlite_where=sa.text("rank IS NOT NULL"), postgresql_where=sa.text("rank IS NOT NULL"),
    )  # fmt: skip


def _rank_what_is_open() -> None:
    """As the code of this revision ranks: priority, what waits first, the time of the raise."""
    alert = sa.table("alert", *[sa.column(name) for name in ("alert_id", "closed", "raised_at", "body", "rank")])
    set_rank = sa.update(alert).where(alert.c.alert_id == sa.bindparam("named")).values(rank=sa.bindparam("ranked"))
    connection, after = op.get_bind(), ""
    while page := connection.execute(
        sa.select(alert.c.alert_id, alert.c.raised_at, alert.c.body)
        .where(alert.c.closed == 0, alert.c.alert_id > after)
        .order_by(alert.c.alert_id)
        .limit(_PAGE)
    ).all():
        after, ranked = page[-1].alert_id, []
        for row in page:
            told = json.loads(row.body)
            if told["state"] == "suppressed" or told["withdrawn"]:
                continue
            attended = told["state"] not in ("unacknowledged", "returned_unacknowledged")
            group = 2 * int(told["priority"][1:]) + int(attended)
            ranked.append({"named": row.alert_id, "ranked": (group << 44) + min(max(row.raised_at, 0), (1 << 44) - 1)})
        if ranked:
            connection.execute(set_rank, ranked)


def downgrade() -> None:
    """Not offered, as in 0001."""
    raise RuntimeError("there is no way back but the backup made before the upgrade")
