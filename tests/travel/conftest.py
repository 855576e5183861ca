"""The sandbox registry without a network, and the service over it: httpx speaks ASGI."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio
import stamina

from bot.sandbox.faults import Faults
from bot.sandbox.recorded import Recorded
from bot.sandbox.registry import registry_app
from bot.services.registry import Registry
from bot.services.seldom import Seldom
from bot.services.travel import Travel
from tests.sandbox.kit import TOKEN, FakeClock


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Retries follow one another at once."""
    with stamina.set_testing(testing=True, attempts=2, cap=True):
        yield


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest_asyncio.fixture
async def registry(clock: FakeClock) -> AsyncIterator[Registry]:
    recorded = Recorded()
    app = registry_app(clock, TOKEN, Faults(), recorded)
    async with Seldom(
        transport=httpx.ASGITransport(app),
        base_url="http://registry",
        headers={"Authorization": f"Bearer {TOKEN}"},
    ) as client:
        yield Registry(client, clock, timeout=20.0)
    recorded.close()


@pytest.fixture
def travel(registry: Registry, clock: FakeClock) -> Travel:
    return Travel(registry, clock)
