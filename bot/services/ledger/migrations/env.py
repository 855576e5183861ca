"""Alembic's entry: runs on the connection, and in the transaction, that `bot.services.ledger.migrate` gives."""

from alembic import context

from bot.services.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
