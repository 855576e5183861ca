"""Money that goes back while the registry is being told of it: both stand in the order's history."""

import asyncio

from bot.domain import Item
from bot.services.orders.refunds import Refunds
from bot.services.payments.gateways import Gateways
from tests.payments.world import World, renewal


async def history(world: World) -> list[tuple[str, str, str]]:
    return [(row["who"], row["what"], row["status"]) for row in await world.rows("order_history")]


class Slow:
    """The registry takes its time over a record that it then makes."""

    def __init__(self, world: World) -> None:
        self._record = world.registry.record_payment
        self.began, self.may_end = asyncio.Event(), asyncio.Event()

    async def __call__(self, order: str, paid_at: int, reference: str, items: tuple[Item, ...]) -> None:
        self.began.set()
        await self.may_end.wait()
        await self._record(order, paid_at, reference, items)


async def test_a_record_that_lands_after_the_money_went_back_is_written_down(world: World) -> None:
    world.registry.down = True
    link = await world.open(renewal("1"))
    await world.pay(link)
    world.registry.down = False
    slow = Slow(world)
    setattr(world.registry, "record_payment", slow)  # noqa: B010 - the same, and slower
    world.clock.advance(3600)

    async def gives_back() -> None:
        await slow.began.wait()
        refunds = Refunds(world.ledger, Gateways(world.payments), world.clock)
        await refunds.refund(link.order, why="asked for", who="amina")
        assert (await history(world))[-1] == ("operator", "refunded", "refunded")
        slow.may_end.set()

    await asyncio.gather(world.orders.sweep(), gives_back())
    assert (await history(world))[-1] == ("registry", "answered: recorded, after it went back", "refunded")
    assert await world.statuses("orders") == ["refunded"]
    assert await world.statuses("postings") == ["posted"]
    assert world.chats.kinds.count("posted") == 0
    while await world.orders.sweep():
        pass
    assert len(world.registry.recorded) == 1
