"""Batches on real databases, a real Valkey, and the sandbox registry on loopback."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator

import pytest
import pytest_asyncio
import stamina
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.sandbox.recorded import Recorded
from tests.batches.world import World
from tests.ledger.databases import database_url, engine, postgres, template
from tests.sandbox.kit import FakeClock, Stage, registry, serving
from tests.store.servers import Deployment, one

__all__ = ["database_url", "engine", "postgres", "template"]


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Retries follow one another at once."""
    with stamina.set_testing(testing=True, attempts=3, cap=True):
        yield


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def valkey(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with one(tmp_path_factory.mktemp("v")) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def theatre() -> AsyncIterator[Stage]:
    async with serving(Stage()) as stage:
        yield stage


@pytest.fixture
async def world(engine: AsyncEngine, valkey: Deployment, theatre: Stage) -> AsyncGenerator[World, None]:
    await valkey.empty()
    clock, recorded = FakeClock(), Recorded()
    theatre.app = registry(clock, recorded)
    theatre.asked.clear()
    async with World.opened(engine, valkey, theatre, clock) as made:
        yield made
    recorded.close()
