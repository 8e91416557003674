"""The queue: by rule and by who has an alert, found by an index; views of it that people keep."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_PAGE = 500


def upgrade() -> None:
    """Add the columns, their indices and the table, and say of alerts in the queue by which rule they are."""
    op.create_table(
        "saved_view",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "name", name=op.f("pk_saved_view")),
    )
    op.add_column("alert", sa.Column("rule", sa.Text()))
    op.add_column("alert", sa.Column("holder", sa.Text()))
    _name_rules()
    op.create_index(
        "ix_alert_rule", "alert", ["rule", "rank", "alert_id"], unique=False,
        sqlite_where=sa.text("rank IS NOT NULL"), postgresql_where=sa.text("rank IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_alert_holder", "alert", ["holder", "rank", "alert_id"], unique=False,
        sqlite_where=sa.text("holder IS NOT NULL AND rank IS NOT NULL"),
        postgresql_where=sa.text("holder IS NOT NULL AND rank IS NOT NULL"),
    )  # fmt: skip


def _name_rules() -> None:
    """Of what is in the queue; of all else the next change says it."""
    alert = sa.table("alert", *[sa.column(name) for name in ("alert_id", "rank", "body", "rule")])
    set_rule = sa.update(alert).where(alert.c.alert_id == sa.bindparam("named")).values(rule=sa.bindparam("ruled"))
    connection, after = op.get_bind(), ""
    while page := connection.execute(
        sa.select(alert.c.alert_id, alert.c.body)
        .where(alert.c.rank.is_not(None), alert.c.alert_id > after)
        .order_by(alert.c.alert_id)
        .limit(_PAGE)
    ).all():
        after = page[-1].alert_id
        connection.execute(set_rule, [{"named": row.alert_id, "ruled": json.loads(row.body)["rule"]} for row in page])


def downgrade() -> None:
    """Not offered, as in 0001."""
    raise RuntimeError("there is no way back but the backup made before the upgrade")
