import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.ledger.databases import database_url, engine, postgres, template
from tests.reminders.keeper import Keeper

__all__ = ["database_url", "engine", "postgres", "template"]


@pytest.fixture
async def keeper(engine: AsyncEngine) -> Keeper:
    """Reminders on a real database."""
    return Keeper.on(engine)
