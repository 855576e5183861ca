"""A column that may be empty, filled for what is there, with an index: what the release before does without."""

import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "HEAD"


def upgrade() -> None:
    """Note which orders were made before this release."""
    op.add_column("orders", sa.Column("made_by", sa.String(8)))
    op.execute("UPDATE orders SET made_by = 'before'")
    op.create_index("ix_orders_made_by", "orders", ["made_by"])
