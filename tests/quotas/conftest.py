"""Real Redis, one server and a cluster; a clock that obeys; a desk with everything joined as the service does."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from tests.quotas.desk import Desk, open_desk
from tests.store.servers import redis, servers

__all__ = ["redis", "servers"]


@pytest_asyncio.fixture
async def desk(redis: Redis | RedisCluster) -> AsyncIterator[Desk]:
    async with open_desk(redis) as opened:
        yield opened


@pytest.fixture
def one_server(servers: object) -> None:
    """For what a cluster cannot change: skipped there."""
    if len(getattr(servers, "nodes", ())) > 1:
        pytest.skip("the same on a cluster")
