"""What the rounds look for is found by an index, however many rows there are."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_PLAIN = (("consents", "at"), ("remembered", "consent_id"), ("reminders", "consent_id"))
_SOME = (
    ("ix_orders_named", "orders", ("status", "updated"), "chat_blind <> ''"),
    ("ix_orders_forget", "orders", ("forget_at",), "forget_at IS NOT NULL AND chat_blind <> ''"),
    ("ix_orders_subject", "orders", ("created",), "chat_blind = '' AND subject <> ''"),
    ("ix_order_items_live", "order_items", ("order_id",), "live"),
    ("ix_notices_untold", "notices", ("order_id",), "told_at = 0"),
    ("ix_gateway_events_payload", "gateway_events", ("at",), "length(payload) > 0"),
)


def upgrade() -> None:
    """Add the indexes."""
    for table, column in _PLAIN:
        op.create_index(f"ix_{table}_{column}", table, [column])
    for name, table, columns, where in _SOME:
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
