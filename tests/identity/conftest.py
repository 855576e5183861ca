import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from bot.store.connect import connect
from tests.identity.world import World, build
from tests.store.servers import one, redis, servers
from tests.web.test_web_browser import FLAGS

__all__ = ["redis", "servers"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def single(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    """A client of one server, started once."""
    async with one(tmp_path_factory.mktemp("i")) as started:
        made = await connect(started.url)
        yield made
        await made.aclose()


@pytest_asyncio.fixture
async def world(single: Any) -> AsyncIterator[World]:
    await single.flushall()
    async with build(single) as built:
        yield built


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium on the path")
        pytest.skip("no chromium on the path")
    async with async_playwright() as driver:
        made = await driver.chromium.launch(executable_path=path, args=FLAGS)
        yield made
        await made.close()
