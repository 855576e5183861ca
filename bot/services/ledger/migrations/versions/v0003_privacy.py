"""Consents, what is remembered by them, orders that are to be forgotten, and an audit trail that ages."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AUDIT_SECONDS = 730 * 24 * 3600
"""Two years; docs/privacy.md. Counted from the newest row: a database has no clock of ours."""


def upgrade() -> None:
    """Add two tables and a column, and let old rows of the audit go."""
    op.add_column("orders", sa.Column("forget_at", sa.BigInteger()))
    _consents()
    _remembered()
    for statement in _SQLITE if op.get_context().dialect.name == "sqlite" else _POSTGRES:
        op.execute(statement)


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("chat_blind", sa.String(24), nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_chat_blind", "consents", ["chat_blind"])


def _remembered() -> None:
    op.create_table(
        "remembered",
        sa.Column("chat_blind", sa.String(24), nullable=False),
        sa.Column("consent_id", _ID, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chat_blind", name="pk_remembered"),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name="fk_remembered_consent_id"),
    )
    op.create_index("ix_remembered_expires", "remembered", ["expires"])


_SQLITE = (
    """
    CREATE TRIGGER consents_no_update BEFORE UPDATE ON consents
    BEGIN SELECT RAISE(ABORT, 'history only grows'); END
    """,
    "DROP TRIGGER audit_no_delete",
    f"""
    CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    WHEN OLD.at > (SELECT max(at) FROM audit) - {_AUDIT_SECONDS}
    BEGIN SELECT RAISE(ABORT, 'history only grows'); END
    """,  # noqa: S608 - a number of ours
)
_FROZEN = "FOR EACH ROW EXECUTE FUNCTION history_only_grows()"
_POSTGRES = (
    f"CREATE TRIGGER consents_frozen BEFORE UPDATE ON consents {_FROZEN}",
    "DROP TRIGGER audit_frozen ON audit",
    f"CREATE TRIGGER audit_frozen BEFORE UPDATE ON audit {_FROZEN}",
    f"""
    CREATE FUNCTION audit_only_ages() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF OLD.at > (SELECT max(at) FROM audit) - {_AUDIT_SECONDS} THEN
            RAISE EXCEPTION 'history only grows';
        END IF;
        RETURN OLD;
    END $$
    """,  # noqa: S608 - a number of ours
    "CREATE TRIGGER audit_ages BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_only_ages()",
)
