"""A closed review loses no money: pages that are still open are asked about, contradictions need a word."""

from typing import Any

import pytest

from bot.services.ledger import AttemptStatus, OrderStatus
from bot.services.orders.closing import Closing
from bot.services.orders.refunds import NotPossible
from bot.services.payments import Enquiry, Result
from bot.services.payments.gateways import Gateways
from tests.payments.world import World

HOUR = 3600


class Says:
    """The gateway, with an answer put into its mouth."""

    def __init__(self, payments: Any, said: Result) -> None:
        self._payments = payments
        self.said = said

    def __getattr__(self, name: str) -> Any:
        return getattr(self._payments, name)

    async def enquire(self, track_id: str, provider_ref: str, fils: int) -> Enquiry:
        del provider_ref
        return Enquiry(status=self.said, track_id=track_id, fils=fils, currency="KWD")


def closing(world: World, said: Result | None = None) -> Closing:
    payments: Any = world.payments if said is None else Says(world.payments, said)
    return Closing(world.ledger, Gateways(payments), world.clock)


async def in_review(world: World, *, captured: int = 0) -> tuple[str, str]:
    """An order that waits for a person while the gateway's page is open; its reference and that page."""
    link = await world.open()
    page = await world.press_pay(link)
    now = world.clock.now()
    async with world.ledger.write() as work:
        order = await work.order(link.order)
        assert order is not None
        [attempt] = await work.attempts(order.id)
        review = {"status": AttemptStatus.REVIEW, "reason": "silent", "due": None, "captured": captured}
        await work.set_attempt(attempt, now, "gateway", "to be reviewed: silent", **review)
        await work.set_order(order, now, "gateway", "x", status=OrderStatus.REVIEW, reason="silent")
    return link.order, page


async def sweep_for(world: World, seconds: int) -> None:
    """Time passes in steps as a running service takes them."""
    for _ in range(0, seconds, 600):
        world.clock.advance(600)
        while await world.orders.sweep():
            pass


async def test_a_page_still_open_is_asked_about_after_closing(world: World) -> None:
    """Somebody pays on it, and no notification comes."""
    ref, page = await in_review(world)
    await closing(world).close(ref, why="nobody paid", who="amina")
    assert (await world.statuses("orders"), await world.statuses("attempts")) == (["cancelled"], ["EXPIRED"])
    world.ears.held = True
    await world.press(page, "approved")
    await sweep_for(world, HOUR)
    assert (await world.statuses("orders"), await world.statuses("attempts")) == (["posted"], ["PAID"])
    assert "paid" in world.chats.kinds


async def test_it_is_asked_about_until_its_life_is_over_and_then_no_more(world: World) -> None:
    ref, _ = await in_review(world)
    await closing(world).close(ref, why="nobody paid", who="amina")
    await sweep_for(world, HOUR // 3)
    [attempt] = await world.rows("attempts")
    assert attempt["due"] is not None
    await sweep_for(world, 2 * HOUR)
    [attempt] = await world.rows("attempts")
    assert (attempt["due"], attempt["status"]) == (None, "EXPIRED")
    assert await world.statuses("orders") == ["cancelled"]


@pytest.mark.parametrize("said", [Result.FAILED, Result.EXPIRED])
async def test_a_last_word_is_not_asked_for_again(world: World, said: Result) -> None:
    ref, _ = await in_review(world)
    await closing(world, said).close(ref, why="x", who="amina")
    assert [row["due"] for row in await world.rows("attempts")] == [None]


async def test_what_nobody_was_sent_to_is_not_asked_about(world: World) -> None:
    ref, _ = await in_review(world)
    async with world.ledger.write() as work:
        order = await work.order(ref)
        assert order is not None
        [attempt] = await work.attempts(order.id)
        await work.set_attempt(attempt, world.clock.now(), "x", "x", url="")
    await closing(world, Result.MISSING).close(ref, why="x", who="amina")
    assert [row["due"] for row in await world.rows("attempts")] == [None]


# --- a gateway that contradicts itself -------------------------------------------------------------


async def test_a_contradiction_is_closed_on_an_operators_word_only(world: World) -> None:
    ref, _ = await in_review(world)
    by = closing(world, Result.SUSPECT)
    with pytest.raises(NotPossible, match=r"is suspect at the gateway.*--despite-suspect"):
        await by.close(ref, why="bank says no", who="amina")
    assert await world.rows("audit") == []
    closed = await by.close(ref, why="bank says no", who="amina", despite_suspect=True)
    assert closed.status is OrderStatus.CANCELLED
    [row] = await world.rows("audit")
    assert (row["who"], row["what"], row["about"]) == (
        "amina",
        "review closed despite suspect",
        f"{ref} bank says no",
    )
    history = await world.rows("attempt_history")
    assert (history[-1]["what"], history[-1]["status"]) == (
        "closed by an operator's word: suspect",
        "EXPIRED",
    )


async def test_the_word_covers_contradictions_and_nothing_else(world: World) -> None:
    ref, _ = await in_review(world)
    for said in (Result.PENDING, Result.UNKNOWN, Result.PAID):
        with pytest.raises(NotPossible):
            await closing(world, said).close(ref, why="x", who="amina", despite_suspect=True)
    await closing(world).close(ref, why="x", who="amina", despite_suspect=True)
    assert [row["what"] for row in await world.rows("audit")] == ["review closed"], (
        "there was nothing suspect"
    )


async def test_money_that_was_seen_is_given_back_first(world: World) -> None:
    ref, _ = await in_review(world, captured=5000)
    with pytest.raises(NotPossible, match="give it back first"):
        await closing(world, Result.SUSPECT).close(ref, why="x", who="amina", despite_suspect=True)
