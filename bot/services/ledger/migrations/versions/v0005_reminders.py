"""Reminders of dates that end."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add their table."""
    op.create_table(
        "reminders",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("chat", sa.LargeBinary(), nullable=False),
        sa.Column("chat_blind", sa.String(24), nullable=False),
        sa.Column("owner_blind", sa.String(24), nullable=False),
        sa.Column("consent_id", _ID, nullable=False),
        sa.Column("permit", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(32), nullable=False),
        sa.Column("kin", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("last_day", sa.String(10), nullable=False),
        sa.Column("due", sa.BigInteger()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reminders"),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name="fk_reminders_consent_id"),
        sa.UniqueConstraint("chat_blind", "permit", "kind", name="uq_reminders_chat_blind"),
        sa.CheckConstraint("kind IN ('residency', 'passport', 'insurance')", name=op.f("ck_reminders_kind")),
    )
    for column in ("permit", "last_day", "due"):
        op.create_index(f"ix_reminders_{column}", "reminders", [column])
