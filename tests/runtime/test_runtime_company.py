"""Company of many effects at once: each is shown and ended in its own time, by one task for all."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
import pytest

from bot.model import Chat
from bot.runtime.company import SLOW_AFTER, TYPING_AFTER, TYPING_EVERY, Companies, Company
from bot.runtime.entries import Job
from bot.tasks import Tasks
from tests.runtime.world import SAFETY, FakeClock


class Shown:
    """Effects under way in a world of their own.

    Attributes:
        seen: chat and whether it was told that it takes long, in order.
    """

    def __init__(self) -> None:
        self.clock, self.tasks = FakeClock(), Tasks()
        self.seen: list[tuple[str, bool]] = []
        self.companies = Companies(self.clock, self.tasks, self._show)
        self.ended: dict[str, Company] = {}
        self._doors: dict[str, asyncio.Event] = {}

    async def _show(self, company: Company, slow: bool) -> None:  # noqa: FBT001 - `bot.runtime.company.Show`
        self.seen.append((company.chat.id, slow))

    async def begin(self, name: str, seconds: float = 30.0) -> None:
        """An effect that ends with `end`, or when its time is up."""
        self._doors[name] = asyncio.Event()
        self.tasks.spawn(self._effect(name, seconds), "effect")
        await rest()

    async def _effect(self, name: str, seconds: float) -> None:
        job = Job("1:0", "ar", msgspec.Raw(b""), seconds, slow=True)
        company = self.ended[name] = self.companies.join(Chat("test", name), job)
        try:
            await self._doors[name].wait()
        finally:
            self.companies.leave(company)

    async def end(self, name: str) -> None:
        self._doors[name].set()
        await rest()

    async def passes(self, seconds: float) -> list[tuple[str, bool]]:
        """What was shown meanwhile."""
        self.seen.clear()
        await self.clock.advance(seconds)
        await rest()
        return list(self.seen)


async def rest() -> None:
    """Let everything go on that can."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def shown() -> AsyncGenerator[Shown, None]:
    made = Shown()
    yield made
    async with asyncio.timeout(SAFETY):
        await made.tasks.close()


async def test_one_that_begins_while_another_is_long_under_way_is_shown_in_its_own_time(shown: Shown) -> None:
    await shown.begin("long")
    assert await shown.passes(TYPING_AFTER) == [("long", False)]
    await shown.begin("new")  # the next look at the other is further away than its own
    assert await shown.passes(TYPING_AFTER) == [("new", False)]
    assert await shown.passes(TYPING_EVERY - TYPING_AFTER) == [("long", True)]
    assert await shown.passes(TYPING_AFTER) == [("new", True)]


async def test_who_is_told_that_it_takes_long_is_told_once(shown: Shown) -> None:
    await shown.begin("one")
    assert await shown.passes(TYPING_AFTER) == [("one", False)]
    assert await shown.passes(SLOW_AFTER - TYPING_AFTER) == [("one", True)]
    assert await shown.passes(TYPING_EVERY) == [("one", False)]


async def test_the_end_of_one_is_not_the_end_of_the_others(shown: Shown) -> None:
    await shown.begin("first")
    await shown.begin("second")
    await shown.end("first")
    assert await shown.passes(TYPING_AFTER) == [("second", False)]


async def test_whose_time_is_up_is_ended_and_nobody_else(shown: Shown) -> None:
    await shown.begin("hasty", 0.5)
    await shown.begin("patient")
    assert await shown.passes(0.5) == []
    assert (shown.ended["hasty"].late, shown.ended["patient"].late) == (True, False)
    assert shown.ended["hasty"].task.cancelled()
    assert not shown.ended["patient"].task.done()


async def test_what_ended_in_time_is_never_called_late(shown: Shown) -> None:
    await shown.begin("quick", 0.5)
    await shown.begin("slow")
    await shown.end("quick")
    await shown.passes(0.5)
    assert not shown.ended["quick"].late


async def test_nothing_goes_on_once_all_have_ended_and_everything_when_one_begins_anew(shown: Shown) -> None:
    for _ in range(2):
        await shown.begin("one")
        await shown.begin("two")
        await shown.end("one")
        await shown.end("two")
        async with asyncio.timeout(SAFETY):
            await shown.tasks.drain()
    await shown.begin("one")
    assert await shown.passes(TYPING_AFTER) == [("one", False)]


async def test_one_task_keeps_company_to_all(shown: Shown) -> None:
    for number in range(100):
        await shown.begin(str(number))
    assert len(shown.tasks._running) == 100 + 1


async def test_should_it_ever_break_the_next_effect_has_company_again(shown: Shown) -> None:
    await shown.begin("first")
    (watch,) = [task for task in shown.tasks._running if task.get_name() == "company"]
    watch.cancel()
    await rest()
    await shown.begin("second")
    assert await shown.passes(TYPING_AFTER) == [("first", False), ("second", False)]
