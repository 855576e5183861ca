from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.ledger.databases import database_url, engine, postgres, template
from tests.payments.world import World, build

__all__ = ["database_url", "engine", "postgres", "template", "world"]


@pytest.fixture
async def world(engine: AsyncEngine, tmp_path: Path) -> AsyncGenerator[World, None]:
    async with build(engine, tmp_path / "gateway.json") as built:
        yield built
