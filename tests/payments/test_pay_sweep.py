"""The sweep: orders side by side, what is due of one order one after the other."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from bot.model import Chat, Woken
from bot.services.orders.parts import POST_AGAIN, SIDE_BY_SIDE
from bot.tasks import Tasks
from tests.payments.world import World, item

PATIENCE = 30
"""Seconds after which something hangs."""


class Told(list[Woken]):
    """News; tells when there are as many as expected."""

    def __init__(self, expected: int) -> None:
        super().__init__()
        self._expected = expected
        self.all = asyncio.Event()

    def append(self, woken: Woken) -> None:
        super().append(woken)
        if len(self) == self._expected:
            self.all.set()


async def waiting(world: World, many: int) -> list[str]:
    """Paid orders of different chats that the registry is to be told of now; the oldest first."""
    world.registry.down = True
    refs: list[str] = []
    for number in range(many):
        link = await world.open(item(f"F{number}"), key=f"{number}:0", chat=Chat("telegram", str(number)))
        await world.pay(link)
        refs.append(link.order)
    assert await world.statuses("orders") == ["paid"] * many
    world.registry.down = False
    world.registry.calls = 0
    world.clock.advance(POST_AGAIN[0])
    return refs


async def in_hand(world: World) -> int:
    """Orders that somebody has claimed."""
    return sum(row["post_due"] > world.clock.now() for row in await world.rows("orders"))


async def test_a_slow_answer_about_one_order_keeps_no_other_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, *others = await waiting(world, 4)
    told, answer = Told(len(others)), asyncio.Event()
    record = world.registry.record_payment

    async def recording(order: str, *rest: Any) -> None:
        if order == slow:
            await answer.wait()
        await record(order, *rest)

    monkeypatch.setattr(world.registry, "record_payment", recording)
    monkeypatch.setattr(world.chats, "news", told)
    sweep = Tasks().spawn(world.orders.sweep(), "sweep")
    await asyncio.wait_for(told.all.wait(), PATIENCE)
    assert sorted(await world.statuses("orders")) == ["paid", "posted", "posted", "posted"]
    answer.set()
    assert await sweep == 4
    assert await world.statuses("orders") == ["posted"] * 4


async def test_so_many_orders_at_once_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    refs = await waiting(world, 2 * SIDE_BY_SIDE)
    record, full, answer = world.registry.record_payment, asyncio.Event(), asyncio.Event()
    asked: list[str] = []

    async def recording(order: str, *rest: Any) -> None:
        asked.append(order)
        if len(asked) == SIDE_BY_SIDE:
            full.set()
        await answer.wait()
        await record(order, *rest)

    monkeypatch.setattr(world.registry, "record_payment", recording)
    sweep = Tasks().spawn(world.orders.sweep(), "sweep")
    await asyncio.wait_for(full.wait(), PATIENCE)
    claimed = [await in_hand(world) for _ in refs]  # time for whoever would take more
    assert claimed == [SIDE_BY_SIDE] * len(claimed)
    assert len(asked) == SIDE_BY_SIDE
    answer.set()
    assert await sweep == len(refs)
    assert sorted(asked) == sorted(refs), "each once"


async def test_of_one_order_nothing_is_told_before_what_it_follows_from(world: World) -> None:
    world.chats.away = True
    refs = await waiting(world, 5)
    world.chats.away = False
    await world.orders.sweep()
    for ref in refs:
        assert [woken.kind for woken in world.chats.news if woken.ref == ref] == ["paid", "posted"]
    assert await world.orders.sweep() == 0


async def test_an_error_of_ours_in_one_order_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, *others = await waiting(world, SIDE_BY_SIDE + 4)
    record = world.registry.record_payment

    async def recording(order: str, *rest: Any) -> None:
        if order == broken:
            raise RuntimeError("of ours")
        await record(order, *rest)

    monkeypatch.setattr(world.registry, "record_payment", recording)
    with pytest.raises(RuntimeError):
        await world.orders.sweep()
    assert Counter(await world.statuses("orders")) == {"posted": len(others), "paid": 1}


@pytest.mark.parametrize("away", [10, 60, 180])
async def test_within_a_quarter_of_an_hour_after_the_registry_is_back(world: World, away: int) -> None:
    world.registry.down = True
    await world.pay(await world.open())
    for _ in range(away):
        world.clock.advance(60)
        await world.orders.sweep()
    world.registry.down = False
    for _ in range(14):
        world.clock.advance(60)
        await world.orders.sweep()
    assert await world.statuses("orders") == ["posted"]
    assert world.chats.kinds == ["paid", "posted"]
