"""Background tasks: what every turn does is done by hands, which take one piece of work after another."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bot import tasks as module
from bot.tasks import Tasks

SAFETY = 5.0


@pytest_asyncio.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks()
    yield made
    await made.close()


class Noted:
    """Work that notes who does it."""

    def __init__(self) -> None:
        self.by: list[asyncio.Task[None] | None] = []
        self.open = asyncio.Event()
        self.open.set()
        self.begun = asyncio.Event()

    async def work(self) -> None:
        self.by.append(asyncio.current_task())
        self.begun.set()
        await self.open.wait()

    async def breaks(self) -> None:
        await self.work()
        raise RuntimeError("2850 1010 0029")

    async def is_let_down(self) -> None:
        """By what it waits for, and not by whoever ends its task."""
        await self.work()
        awaited = asyncio.get_running_loop().create_future()
        awaited.cancel()
        await awaited

    async def cancels_itself(self) -> None:
        """As `asyncio.timeout` and `bot.runtime.company` do, whose affair it is."""
        await self.work()
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return  # without a word to the task that it was meant otherwise


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SAFETY):
        while not holds():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)


async def test_one_hand_does_what_comes_one_after_another(tasks: Tasks) -> None:
    noted = Noted()
    for _ in range(5):
        tasks.do(noted.work(), "work")
        await tasks.drain()
    assert len(noted.by) == 5
    assert len(set(noted.by)) == 1


async def test_what_comes_at_once_is_done_at_once(tasks: Tasks) -> None:
    noted = Noted()
    noted.open.clear()
    for _ in range(3):
        tasks.do(noted.work(), "work")
    await until(lambda: len(noted.by) == 3)
    noted.open.set()
    await tasks.drain()
    assert len(set(noted.by)) == 3


@pytest.mark.parametrize("ends", ["breaks", "is_let_down", "cancels_itself"])
async def test_however_work_ends_the_hand_goes_on(tasks: Tasks, ends: str) -> None:
    noted = Noted()
    tasks.do(getattr(noted, ends)(), "work")
    await tasks.drain()
    tasks.do(noted.work(), "work")
    await tasks.drain()
    first, second = noted.by
    assert first is second
    assert first is not None
    assert not first.cancelling()


async def test_a_failure_is_logged_by_the_works_name_and_without_its_words(
    tasks: Tasks, capsys: pytest.CaptureFixture[str]
) -> None:
    noted = Noted()
    tasks.do(noted.work(), "delivery")
    await tasks.drain()
    tasks.do(noted.breaks(), "effect")
    await tasks.drain()
    said = capsys.readouterr().out
    assert "effect" in said
    assert "RuntimeError" in said
    assert "2850" not in said


async def test_drain_waits_for_hands_at_work_and_not_for_those_at_rest(tasks: Tasks) -> None:
    noted = Noted()
    noted.open.clear()
    tasks.do(noted.work(), "work")
    drained = Tasks().spawn(tasks.drain(), "drained")
    await until(noted.begun.is_set)
    assert not drained.done()
    noted.open.set()
    async with asyncio.timeout(SAFETY):
        await drained
    assert noted.by[0] is not None
    assert not noted.by[0].done()  # it rests


async def test_drain_waits_for_both_kinds(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda *_: None)  # who rests, stays
    hand, other = Noted(), Noted()
    for noted in (hand, other):
        noted.open.clear()
    tasks.do(hand.work(), "done")
    tasks.spawn(other.work(), "spawned")
    drained = Tasks().spawn(tasks.drain(), "drained")
    await until(lambda: bool(hand.by and other.by))
    hand.open.set()
    await until(lambda: not tasks._under_way)
    await asyncio.sleep(0)
    assert not drained.done()
    other.open.set()
    async with asyncio.timeout(SAFETY):
        await drained
    other.open.clear()
    tasks.spawn(other.work(), "spawned")  # while the hand rests
    drained = Tasks().spawn(tasks.drain(), "drained")
    await until(lambda: len(other.by) == 2)
    other.open.set()
    async with asyncio.timeout(SAFETY):
        await drained


async def test_hands_that_nobody_needs_go(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    looks: list[Callable[[], object]] = []
    monkeypatch.setattr(loop, "call_later", lambda _seconds, look: looks.append(look))
    noted = Noted()
    noted.open.clear()
    for _ in range(4):
        tasks.do(noted.work(), "work")
    await until(lambda: len(noted.by) == 4)
    noted.open.set()
    await tasks.drain()
    four = [by for by in noted.by if by is not None]
    await until(lambda: len(looks) == 1)
    looks.pop()()  # the first look sees who rests
    tasks.do(noted.work(), "work")
    await tasks.drain()
    looks.pop()()  # three were not needed since, one was
    await until(lambda: sum(by.done() for by in four) == 3)
    looks.pop()()
    await until(lambda: all(by.done() for by in four))
    assert looks == []  # nobody left to look after
    tasks.do(noted.work(), "work")
    await tasks.drain()
    assert noted.by[-1] not in four


async def test_the_end_of_the_process_ends_hands_at_work_and_at_rest(tasks: Tasks) -> None:
    noted = Noted()
    tasks.do(noted.work(), "work")
    await tasks.drain()
    noted.open.clear()
    for _ in range(2):
        tasks.do(noted.work(), "work")
    await until(lambda: len(noted.by) == 3)
    async with asyncio.timeout(SAFETY):
        await tasks.close()
    assert all(by is not None and by.done() for by in noted.by)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("before", [0, 1], ids=["by a new hand", "by one at rest"])
async def test_work_that_has_not_begun_is_put_away(tasks: Tasks, before: int) -> None:
    noted = Noted()
    for _ in range(before):
        tasks.do(noted.work(), "work")
    await tasks.drain()
    work = noted.work()
    tasks.do(work, "work")
    await tasks.close()
    assert inspect.getcoroutinestate(work) == inspect.CORO_CLOSED
    assert len(noted.by) == before
    async with asyncio.timeout(SAFETY):
        await tasks.drain()


async def test_a_hand_that_was_cancelled_at_rest_is_not_called(tasks: Tasks) -> None:
    noted = Noted()
    tasks.do(noted.work(), "work")
    await tasks.drain()
    (hand,) = [by for by in noted.by if by is not None]
    hand.cancel()
    tasks.do(noted.work(), "work")
    await tasks.drain()
    assert noted.by[1] is not hand


def test_rest_is_short() -> None:
    assert module.REST <= 5  # what rests counts as what runs, for whoever looks for leaks
