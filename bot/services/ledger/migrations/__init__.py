"""Alembic environment of the ledger; part of the wheel."""
