import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.payments.conftest import database_url, engine, postgres, provider, template, world
from tests.reminders.keeper import Keeper

__all__ = ["database_url", "engine", "postgres", "provider", "template", "world"]


@pytest.fixture
async def keeper(engine: AsyncEngine) -> Keeper:
    """Reminders on a real database."""
    return Keeper.on(engine)
