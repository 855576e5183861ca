"""The registry served on loopback, and clients of it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
import stamina

from bot.sandbox.recorded import Recorded
from bot.services.http import make_client
from bot.services.registry import Registry
from bot.services.seldom import Seldom
from tests.sandbox.kit import TOKEN, FakeClock, Stage, registry, serving


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Retries follow one another at once."""
    with stamina.set_testing(testing=True, attempts=3, cap=True):
        yield


@pytest_asyncio.fixture(scope="session")
async def theatre() -> AsyncIterator[Stage]:
    async with serving(Stage()) as stage:
        yield stage


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    made = Recorded()
    yield made
    made.close()


@pytest.fixture
def stage(theatre: Stage, clock: FakeClock, recorded: Recorded) -> Stage:
    """The served sandbox registry, as new."""
    theatre.app = registry(clock, recorded)
    theatre.asked.clear()
    return theatre


@pytest_asyncio.fixture
async def wire(stage: Stage) -> AsyncIterator[Seldom]:
    async with make_client(f"{stage.origin}/registry", TOKEN) as client:
        yield client


@pytest.fixture
def client(wire: Seldom, clock: FakeClock) -> Registry:
    return Registry(wire, clock, timeout=20.0)
