"""Unknown and known-but-clean cannot be told apart: the same answer by the same steps."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from bot.crypto import Keyring
from bot.dialogs.find_reference import FindReference
from bot.dialogs.violations import FindFines
from bot.domain import Subject
from bot.model import Chat
from bot.ports import Asked, Effect, Executor, Failed
from bot.sandbox import population
from bot.sandbox.recorded import Recorded
from bot.services.http import make_client
from bot.services.quotas import Meter, metered
from bot.services.registry import Registry
from bot.services.registry import executors as registry_executors
from bot.services.verification import Pictures, Verification
from bot.store.quotas import Quotas
from bot.store.verifications import Verifications
from tests.quotas.desk import News
from tests.sandbox.kit import CLEAN, TOKEN, FakeClock, Stage, registry, serving
from tests.store.servers import Deployment

TODAY = date(2026, 11, 21)
UNKNOWN = "327110503339"
"""A birth date a year from now: nobody has it, and every check but that of the date lets it pass."""
STRANGER = Asked("k:1:0", Chat("web", "1"), "ar", origin="somewhere")


class Town:
    """The sandbox registry on loopback behind the metered executors."""

    def __init__(self, stage: Stage, executors: dict[type[Effect], Executor], servers: Deployment) -> None:
        self.stage = stage
        self.executors = executors
        self._servers = servers

    async def trace(self, effect: Effect) -> tuple[Any, list[tuple[str, str]], int]:
        """What came back, what the registry was asked, and how often Redis was."""
        self.stage.asked.clear()
        for node in self._servers.nodes:
            await node.config_resetstat()
        said: Any
        try:
            said = await self.executors[type(effect)](effect, STRANGER)
        except Failed as refusal:
            said = refusal.word
        calls = [(await node.info("commandstats")).get("cmdstat_evalsha", {}) for node in self._servers.nodes]
        return said, list(self.stage.asked), sum(each.get("calls", 0) for each in calls)


@pytest_asyncio.fixture
async def town(redis: Redis | RedisCluster, servers: Deployment) -> AsyncIterator[Town]:
    clock, keyring, recorded = FakeClock(), Keyring.parse(Keyring.generate()), Recorded()
    stage = Stage()
    stage.app = registry(clock, recorded)
    async with serving(stage), make_client(f"{stage.origin}/registry", TOKEN) as client:
        verification = Verification(
            Verifications(redis, keyring), keyring, clock, stage.origin, News().wake, Pictures().draw
        )
        meter = Meter(Quotas(redis, keyring), verification, keyring, clock)
        inner = registry_executors(Registry(client, clock, timeout=20.0))
        town = Town(stage, metered(inner, meter), servers)
        await town.trace(FindFines(Subject.REFERENCE, "123456"))  # scripts are loaded, connections open
        yield town
    recorded.close()


async def test_unknown_and_clean_civil_ids(town: Town) -> None:
    assert population.by_civil_id(UNKNOWN, TODAY) is None
    unknown = await town.trace(FindFines(Subject.CIVIL_ID, UNKNOWN))
    clean = await town.trace(FindFines(Subject.CIVIL_ID, CLEAN))
    assert unknown == clean
    assert unknown[0].fines == ()
    assert unknown[1] == [("POST", "/registry/v1/fines/search?")]
    assert unknown[2] == 3, "the chat, the address, the number"


async def test_unknown_and_clean_references(town: Town) -> None:
    known = population.by_civil_id(CLEAN, TODAY)
    assert known is not None
    unknown = await town.trace(FindFines(Subject.REFERENCE, "999999"))
    assert unknown == await town.trace(FindFines(Subject.REFERENCE, known.reference))
    assert unknown[0].fines == ()


async def test_nobody_and_a_wrong_passport(town: Town) -> None:
    nobody = await town.trace(FindReference(UNKNOWN, "A1234567", "2027-03-12"))
    somebody = await town.trace(FindReference(CLEAN, "A1234567", "2027-03-12"))
    assert nobody == somebody
    assert nobody[0] == "no_match"


async def test_a_right_passport_with_a_wrong_date_is_no_nearer(town: Town) -> None:
    known = population.by_civil_id(CLEAN, TODAY)
    assert known is not None
    near = await town.trace(FindReference(CLEAN, known.passport, "2027-03-12"))
    far = await town.trace(FindReference(CLEAN, "A1234567", "2027-03-12"))
    assert near == far
