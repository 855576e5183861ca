from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.ledger.databases import database_url, engine, postgres, template
from tests.payments.world import World, build

__all__ = ["database_url", "engine", "postgres", "provider", "template", "world"]


@pytest.fixture
def provider() -> str:
    """The gateway; a test's own parameter replaces it."""
    return "sandbox"


@pytest.fixture
async def world(engine: AsyncEngine, tmp_path: Path, provider: str) -> AsyncGenerator[World, None]:
    async with build(engine, tmp_path / "gateway.json", provider) as built:
        yield built
