"""Lines of an order that renew residencies, recorded person by person."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Lines get what a renewal is made of; what was recorded so far is written down as one part an order."""
    _lines()
    op.create_table(
        "postings",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("order_id", _ID, nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_postings"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_postings_order_id"),
        sa.UniqueConstraint("order_id", "part", name="uq_postings_order_id"),
        sa.CheckConstraint("status IN ('pending', 'posted', 'refused')", name=op.f("ck_postings_status")),
    )
    op.execute(_RECORDED)


def _lines() -> None:
    op.drop_index("uq_order_items_live_fine", "order_items")
    op.execute("ALTER TABLE order_items RENAME COLUMN fine TO number")
    op.add_column("order_items", sa.Column("years", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("order_items", sa.Column("until", sa.String(10), nullable=False, server_default=""))
    op.add_column("order_items", sa.Column("part", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(
        "uq_order_items_live_number",
        "order_items",
        ["number"],
        unique=True,
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )


_RECORDED = """
INSERT INTO postings (order_id, part, status, reason, at)
SELECT o.id, 0, s.status, CASE WHEN s.status = 'refused' THEN o.reason ELSE '' END, o.updated
FROM orders o JOIN (
    SELECT id, CASE
        WHEN EXISTS (SELECT 1 FROM order_history h WHERE h.order_id = orders.id AND h.status = 'posted')
        THEN 'posted'
        WHEN status = 'review' AND reason IN (
            'already_paid', 'amount_differs', 'unknown_fine', 'not_payable', 'order_differs', 'key_reused'
        )
        THEN 'refused'
        ELSE 'pending'
    END AS status
    FROM orders
) s ON s.id = o.id
WHERE o.paid_at > 0
"""
