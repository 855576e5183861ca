"""The first ledger: orders, attempts, links, notices, histories, gateway events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HISTORIES = ("order_history", "attempt_history")


def upgrade() -> None:
    """Make every table."""
    _orders()
    _items()
    _attempts()
    _links_and_notices()
    _histories()
    _events()


def _id() -> "sa.Column[int]":
    return sa.Column("id", _ID, autoincrement=True, nullable=False)


def _order() -> "sa.Column[int]":
    return sa.Column("order_id", _ID, nullable=False)


def _number(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _text(name: str, length: int) -> "sa.Column[str]":
    return sa.Column(name, sa.String(length), nullable=False)


def _to_order(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=f"fk_{table}_order_id")


def _orders() -> None:
    op.create_table(
        "orders",
        _id(),
        _text("ref", 16),
        _text("key", 24),
        sa.Column("chat", sa.LargeBinary(), nullable=False),
        _text("chat_blind", 24),
        _text("language", 8),
        _text("subject", 32),
        _number("total_fils"),
        _text("currency", 3),
        _text("status", 12),
        _text("reason", 40),
        _number("created"),
        _number("updated"),
        _number("paid_at"),
        _text("bank", 64),
        _number("post_due", nullable=True),
        sa.Column("post_tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.UniqueConstraint("ref", name="uq_orders_ref"),
        sa.UniqueConstraint("key", name="uq_orders_key"),
        sa.CheckConstraint("total_fils > 0", name=op.f("ck_orders_total")),
        sa.CheckConstraint("currency = 'KWD'", name=op.f("ck_orders_currency")),
        sa.CheckConstraint(
            "status IN ('open', 'paid', 'posted', 'cancelled', 'review', 'refunded')",
            name=op.f("ck_orders_status"),
        ),
    )
    op.create_index("ix_orders_chat_blind", "orders", ["chat_blind"])
    op.create_index("ix_orders_post_due", "orders", ["post_due"])
    op.create_index("ix_orders_status", "orders", ["status", "updated"])


def _items() -> None:
    op.create_table(
        "order_items",
        _id(),
        _order(),
        sa.Column("position", sa.Integer(), nullable=False),
        _text("fine", 64),
        _text("kind", 16),
        _text("title_ar", 200),
        _text("title_en", 200),
        _number("fils"),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_order_items"),
        _to_order("order_items"),
        sa.CheckConstraint("fils > 0", name=op.f("ck_order_items_fils")),
    )
    op.create_index("ix_order_items_order_id", "order_items", ["order_id"])
    _partial("uq_order_items_live_fine", "order_items", "fine", "live")


def _attempts() -> None:
    op.create_table(
        "attempts",
        _id(),
        _order(),
        _text("provider", 16),
        _text("provider_ref", 64),
        _text("track", 19),
        _number("fils"),
        _text("currency", 3),
        _text("status", 10),
        _text("url", 2000),
        _text("reason", 40),
        _text("bank", 64),
        _number("created"),
        _number("updated"),
        _number("due", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        _to_order("attempts"),
        sa.UniqueConstraint("track", name="uq_attempts_track"),
        sa.CheckConstraint("fils > 0", name=op.f("ck_attempts_fils")),
        sa.CheckConstraint(
            "status IN ('CREATED', 'LINKED', 'PENDING', 'UNKNOWN',"
            " 'PAID', 'FAILED', 'EXPIRED', 'REVIEW', 'REFUNDED')",
            name=op.f("ck_attempts_status"),
        ),
    )
    op.create_index("ix_attempts_order_id", "attempts", ["order_id"])
    op.create_index("ix_attempts_provider_ref", "attempts", ["provider", "provider_ref"])
    op.create_index("ix_attempts_due", "attempts", ["due"])
    _partial("uq_attempts_one_paid", "attempts", "order_id", "status = 'PAID'")
    _partial(
        "uq_attempts_one_open",
        "attempts",
        "order_id",
        "status IN ('CREATED', 'LINKED', 'PENDING', 'UNKNOWN')",
    )


def _partial(name: str, table: str, column: str, where: str) -> None:
    op.create_index(
        name, table, [column], unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def _links_and_notices() -> None:
    op.create_table(
        "links",
        _text("token_hash", 64),
        _order(),
        _number("created"),
        _number("expires_at"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_links"),
        _to_order("links"),
    )
    op.create_index("ix_links_order_id", "links", ["order_id"])
    op.create_index("ix_links_expires_at", "links", ["expires_at"])
    op.create_table(
        "notices",
        _id(),
        _text("name", 64),
        _order(),
        _text("kind", 12),
        _text("reason", 40),
        _number("due", nullable=True),
        _number("told_at"),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        _to_order("notices"),
        sa.UniqueConstraint("name", name="uq_notices_name"),
        sa.CheckConstraint("kind IN ('paid', 'refused', 'posted', 'review')", name=op.f("ck_notices_kind")),
    )
    op.create_index("ix_notices_order_id", "notices", ["order_id"])
    op.create_index("ix_notices_due", "notices", ["due"])


def _histories() -> None:
    for table, owner, width in (("order_history", "order", 12), ("attempt_history", "attempt", 10)):
        column = f"{owner}_id"
        op.create_table(
            table,
            _id(),
            sa.Column(column, _ID, nullable=False),
            _number("at"),
            _text("who", 16),
            _text("what", 60),
            _text("status", width),
            sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
            sa.ForeignKeyConstraint([column], [f"{owner}s.id"], name=f"fk_{table}_{column}"),
        )
        op.create_index(f"ix_{table}_{column}", table, [column])
    _freeze()


def _freeze() -> None:
    """Histories only grow: the database refuses to change or delete a row."""
    if op.get_context().dialect.name == "sqlite":
        for table in _HISTORIES:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                    " BEGIN SELECT RAISE(ABORT, 'history only grows'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION history_only_grows() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'history only grows'; END $$"
    )
    for table in _HISTORIES:
        op.execute(
            f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION history_only_grows()"
        )


def _events() -> None:
    op.create_table(
        "gateway_events",
        _id(),
        _text("provider", 16),
        _text("event", 64),
        _text("result", 32),
        _text("track", 19),
        _number("fils"),
        _number("at"),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("altered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gateway_events"),
        sa.UniqueConstraint("provider", "event", "result", name="uq_gateway_events_event"),
    )
