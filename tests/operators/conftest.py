from collections.abc import AsyncGenerator, Iterator

import pytest
import stamina
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.ledger.databases import database_url, engine, postgres, template
from tests.operators.world import World, build
from tests.sandbox.kit import Stage, serving

__all__ = ["database_url", "engine", "postgres", "template", "world"]


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Retries follow one another at once."""
    with stamina.set_testing(testing=True, attempts=3, cap=True):
        yield


@pytest.fixture(scope="session")
async def stage() -> AsyncGenerator[Stage, None]:
    async with serving(Stage()) as stage:
        yield stage


@pytest.fixture
async def world(engine: AsyncEngine, stage: Stage) -> AsyncGenerator[World, None]:
    async with build(engine, stage) as built:
        yield built
