"""The sandbox registry without a network, and the services over it: httpx speaks ASGI."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio
import stamina

from bot.sandbox.faults import Faults
from bot.sandbox.recorded import Recorded
from bot.sandbox.registry import registry_app
from bot.services.registry import Registry
from bot.services.renewals import Appraiser, QuoteLimits, Renewals
from bot.services.seldom import Seldom
from tests.sandbox.kit import TOKEN, FakeClock


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Retries follow one another at once."""
    with stamina.set_testing(testing=True, attempts=2, cap=True):
        yield


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    made = Recorded()
    yield made
    made.close()


@pytest_asyncio.fixture
async def registry(clock: FakeClock, recorded: Recorded) -> AsyncIterator[Registry]:
    app = registry_app(clock, TOKEN, Faults(), recorded)
    async with Seldom(
        "http://registry", {"Authorization": f"Bearer {TOKEN}"}, transport=httpx.ASGITransport(app)
    ) as client:
        yield Registry(client, clock, timeout=20.0)


@pytest.fixture
def renewals(registry: Registry, clock: FakeClock) -> Renewals:
    return Renewals(registry, clock, QuoteLimits())


@pytest.fixture
def appraiser(registry: Registry, clock: FakeClock) -> Appraiser:
    return Appraiser(registry, clock)
