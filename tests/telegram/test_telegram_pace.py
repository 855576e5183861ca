"""The pace: thirty a second overall, one a second in a chat after a burst of three."""

import asyncio
from collections.abc import Awaitable

import pytest

from bot.errors import RetryLater
from bot.handlers.telegram.pace import BURST, PATIENCE, PER_SECOND, Pacer
from tests.telegram.kit import FakeClock


async def test_a_chat_gets_three_at_once_then_one_a_second() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    for _ in range(6):
        await pacer.send("5")
    assert clock.slept == [1, 1, 1]
    clock.time += 2
    for _ in range(3):
        await pacer.send("5")
    assert clock.slept == [1, 1, 1, 1]


async def test_a_chat_that_was_quiet_has_its_burst_again() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    for _ in range(BURST):
        await pacer.send("5")
    clock.time += BURST
    for _ in range(BURST):
        await pacer.send("5")
    assert clock.slept == []


async def test_no_second_holds_more_than_thirty_messages() -> None:
    clock = FakeClock(flowing=False)
    pacer = Pacer(clock)
    sent: list[float] = []

    async def send(chat: int) -> None:
        await pacer.send(str(chat))
        sent.append(clock.monotonic())

    async with asyncio.TaskGroup() as group:
        for chat in range(100):
            group.create_task(send(chat))
        for _ in range(40):
            await clock.advance(0.1)
    assert len(sent) == 100
    assert all(sent[index + PER_SECOND] - sent[index] >= 1 for index in range(100 - PER_SECOND))


async def test_a_queue_longer_than_our_patience_is_left_to_the_outbox() -> None:
    clock = FakeClock(flowing=False)
    pacer = Pacer(clock)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(_outcome(pacer.change(str(chat)))) for chat in range(300)]
        await clock.advance(PATIENCE + 1)
    refused = [task.result() for task in waiting if task.result() is not None]
    assert len(refused) == 300 - PER_SECOND * (int(PATIENCE) + 1)
    assert all(after is not None and after > PATIENCE for after in refused)


async def test_a_chat_with_a_long_queue_too() -> None:
    clock = FakeClock(flowing=False)
    pacer = Pacer(clock)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(_outcome(pacer.send("5"))) for _ in range(20)]
        await clock.advance(PATIENCE + 1)
    assert sum(task.result() is None for task in waiting) == BURST + int(PATIENCE)
    await pacer.send("6")


async def test_edits_count_overall_only() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    for _ in range(PER_SECOND):
        await pacer.change("5")
    assert clock.slept == []
    await pacer.change("5")
    assert clock.slept == [1]


async def test_one_chat_told_to_wait_does_not_silence_the_others_but_two_do() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    pacer.told("5", 10)
    with pytest.raises(RetryLater):
        await pacer.send("5")
    await pacer.send("6")
    clock.time += 4
    pacer.told("6", 20)
    with pytest.raises(RetryLater) as all_wait:
        await pacer.send("7")
    assert all_wait.value.after == 20
    clock.time += 20
    await pacer.send("5")
    pacer.told("7", 10)
    await pacer.send("6")


async def test_a_429_meanwhile_reaches_those_who_wait() -> None:
    clock = FakeClock(flowing=False)
    pacer = Pacer(clock, per_second=1)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(_outcome(pacer.send("5"))) for _ in range(2)]
        await clock.advance(0.5)
        pacer.told("5", 30)
        await clock.advance(1)
    assert [task.result() for task in waiting] == [None, 29.5]


async def test_only_the_chats_of_the_last_seconds_are_remembered() -> None:
    clock = FakeClock()
    pacer = Pacer(clock, per_second=100_000)
    for chat in range(10_000):
        await pacer.send(str(chat))
        clock.time += 0.01
    assert len(pacer._whole) < 250
    for chat in range(100):
        pacer.told(str(chat), 1)
        clock.time += 2
    assert len(pacer._paused) == 1


async def _outcome(turn: Awaitable[None]) -> float | None:
    try:
        await turn
    except RetryLater as refused:
        return refused.after
    return None
