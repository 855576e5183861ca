from collections.abc import AsyncIterator

import pytest_asyncio

from tests.runtime.world import World, opened
from tests.store.servers import Deployment, servers

__all__ = ["servers", "world"]


@pytest_asyncio.fixture
async def world(servers: Deployment) -> AsyncIterator[World]:
    async with opened(servers) as made:
        yield made
