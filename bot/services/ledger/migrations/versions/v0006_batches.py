"""Batches of workers."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add files with many workers, their parts and the prices quoted for them."""
    op.create_table(
        "batches",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("ref", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(24), nullable=False),
        sa.Column("about", sa.LargeBinary(), nullable=False),
        sa.Column("chat_blind", sa.String(24), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        sa.UniqueConstraint("ref", name="uq_batches_ref"),
        sa.UniqueConstraint("digest", name="uq_batches_digest"),
        sa.CheckConstraint("status IN ('checking', 'done')", name=op.f("ck_batches_status")),
    )
    for column in ("chat_blind", "created", "due"):
        op.create_index(f"ix_batches_{column}", "batches", [column])
    _parts()
    _baskets()


def _parts() -> None:
    op.create_table(
        "batch_parts",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("batch_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("people", sa.LargeBinary(), nullable=False),
        sa.Column("verdicts", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("checked", sa.BigInteger(), nullable=False),
        sa.Column("ready", sa.Integer(), nullable=False),
        sa.Column("blocked", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Integer(), nullable=False),
        sa.Column("offers", sa.String(400), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batch_parts"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_batch_parts_batch_id"),
        sa.UniqueConstraint("batch_id", "position", name="uq_batch_parts_batch_id"),
    )


def _baskets() -> None:
    op.create_table(
        "batch_baskets",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("ref", sa.String(16), nullable=False),
        sa.Column("batch_id", _ID, nullable=False),
        sa.Column("years", sa.Integer(), nullable=False),
        sa.Column("fils", sa.BigInteger(), nullable=False),
        sa.Column("fines", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batch_baskets"),
        sa.UniqueConstraint("ref", name="uq_batch_baskets_ref"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_batch_baskets_batch_id"),
    )
    op.create_index("ix_batch_baskets_batch_id", "batch_baskets", ["batch_id"])
