"""Migrations of the ledger by Alembic, which is imported where there is one to make."""

from importlib.resources import as_file, files

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

log = structlog.get_logger(__name__)


def upgrade(connection: Connection) -> None:
    """Bring the schema to this release's, inside the connection's transaction; a newer one is left as it is."""
    with as_file(files("bot.services.ledger") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if newer := set(MigrationContext.configure(connection).get_current_heads()) - known:
            log.warning("ledger of a newer release used as it is", revision=", ".join(sorted(newer)))
            return
        command.upgrade(config, "head")
