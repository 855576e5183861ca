"""Refunds, the audit trail, and what gateways call a payment."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOVING = "status IN ('asked', 'pending', 'unknown')"


def upgrade() -> None:
    """Add columns, tables, and the notice of a refund."""
    _payments()
    _notices()
    _refunds()
    _audit()
    _freeze()


def _payments() -> None:
    for name, width in (("payment", 64), ("bank_transaction", 64), ("auth", 32)):
        op.add_column("attempts", sa.Column(name, sa.String(width), nullable=False, server_default=""))
    op.add_column("attempts", sa.Column("captured", sa.BigInteger(), nullable=False, server_default="0"))
    for name in ("payment", "bank"):  # settlement files name a payment by either
        op.create_index(f"ix_attempts_{name}", "attempts", [name])
    op.execute("UPDATE attempts SET captured = fils WHERE status IN ('PAID', 'REFUNDED')")
    payload = sa.Column("payload", sa.LargeBinary(), nullable=False, server_default=sa.text("''"))
    op.add_column("gateway_events", payload)


def _notices() -> None:
    kinds = "kind IN ('paid', 'refused', 'posted', 'review', 'refunded')"
    with op.batch_alter_table("notices") as notices:  # SQLite changes a constraint by copying the table
        notices.drop_constraint(op.f("ck_notices_kind"), type_="check")
        notices.create_check_constraint(op.f("ck_notices_kind"), kinds)


def _refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("attempt_id", _ID, nullable=False),
        sa.Column("key", sa.String(24), nullable=False),
        sa.Column("fils", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("why", sa.String(60), nullable=False),
        sa.Column("who", sa.String(32), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_refunds"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_refunds_attempt_id"),
        sa.UniqueConstraint("key", name="uq_refunds_key"),
        sa.CheckConstraint("fils > 0", name=op.f("ck_refunds_fils")),
        sa.CheckConstraint(
            "status IN ('asked', 'pending', 'unknown', 'done', 'refused')", name=op.f("ck_refunds_status")
        ),
    )
    op.create_index("ix_refunds_attempt_id", "refunds", ["attempt_id"])
    op.create_index("ix_refunds_due", "refunds", ["due"])
    moving = sa.text(_MOVING)
    op.create_index(
        "uq_refunds_one_open",
        "refunds",
        ["attempt_id"],
        unique=True,
        sqlite_where=moving,
        postgresql_where=moving,
    )


def _audit() -> None:
    op.create_table(
        "refund_history",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("refund_id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(32), nullable=False),
        sa.Column("what", sa.String(60), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refund_history"),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name="fk_refund_history_refund_id"),
    )
    op.create_index("ix_refund_history_refund_id", "refund_history", ["refund_id"])
    op.create_table(
        "audit",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(32), nullable=False),
        sa.Column("what", sa.String(40), nullable=False),
        sa.Column("about", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])


def _freeze() -> None:
    for table in ("refund_history", "audit"):
        if op.get_context().dialect.name == "sqlite":
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                    " BEGIN SELECT RAISE(ABORT, 'history only grows'); END"
                )
        else:
            op.execute(
                f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION history_only_grows()"
            )
