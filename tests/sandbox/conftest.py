"""The sandbox registry without a network: httpx speaks ASGI to it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from bot.sandbox.faults import Faults
from bot.sandbox.recorded import Recorded
from bot.sandbox.registry import registry_app
from tests.sandbox.kit import TOKEN, FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Recorded]:
    made = Recorded(tmp_path / "registry" / "recorded.sqlite")
    yield made
    made.close()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest_asyncio.fixture
async def desk(clock: FakeClock, recorded: Recorded, faults: Faults) -> AsyncIterator[httpx.AsyncClient]:
    app = registry_app(clock, TOKEN, faults, recorded)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://registry/v1",
        headers={"Authorization": f"Bearer {TOKEN}"},
    ) as client:
        yield client
