from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.ledger.databases import database_url, engine, postgres, template
from tests.payments.world import build
from tests.privacy.desk import Desk
from tests.store.servers import Deployment, one, redis, servers

__all__ = ["database_url", "engine", "postgres", "redis", "servers", "template"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def valkey(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """One server for tests of the ledger's side."""
    async with one(tmp_path_factory.mktemp("p")) as started:
        yield started


@pytest.fixture
async def desk(engine: AsyncEngine, tmp_path: Path, valkey: Deployment) -> AsyncGenerator[Desk, None]:
    """Orders, chats and personal data on real databases."""
    await valkey.empty()
    async with build(engine, tmp_path / "gateway.json") as world:
        made = await Desk.open(world, valkey)
        try:
            yield made
        finally:
            await made.close()
