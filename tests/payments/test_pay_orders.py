"""Opening, renewing, cancelling: one fine in one live order, whoever asks and how often."""

import asyncio

import pytest

from bot.dialogs.checkout import (
    CancelOrder,
    CheckoutRefused,
    CheckPayment,
    OpenOrder,
    PayLink,
    RenewLink,
    Status,
)
from bot.dialogs.receipts import ListReceipts, ReadReceipt
from bot.errors import Declined
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.model import Chat
from bot.ports import Failed
from bot.services.orders import executors
from bot.services.receipts import Printer, Receipts
from tests.payments.world import HERE, THERE, World, asked, item

MINUTE = 60
HOUR = 3600
DAY = 24 * HOUR


async def refused(world: World, *fines: str, chat: Chat = HERE, key: str = "9:9") -> str:
    with pytest.raises(Failed) as caught:
        await world.open(*(item(fine) for fine in fines), key=key, chat=chat)
    return caught.value.word


async def test_an_order_opens_with_a_link_to_our_page(world: World) -> None:
    link = await world.open(item("F1", 20_000), item("F2", 25_000))
    assert link.order.startswith("IQ-")
    assert len(link.order) == len("IQ-7F3C-9A1D")
    assert link.url.startswith(f"{world.url}/p/")
    assert (link.host, link.fils) == ("127.0.0.1", 45_000)
    assert link.until == world.clock.now() + 30 * MINUTE
    assert (await world.check(link.order)).status is Status.NONE


async def test_the_same_effect_twice_opens_one_order(world: World) -> None:
    first, second = await asyncio.gather(world.open(), world.open())
    assert first.order == second.order
    assert await world.statuses("orders") == ["open"]


async def test_the_same_fines_again_are_the_same_order_with_a_fresh_link(world: World) -> None:
    first = await world.open(item("F1"), item("F2"), key="1:0")
    again = await world.open(item("F2"), item("F1"), key="2:0")
    assert again.order == first.order
    assert again.url != first.url
    for link in (first, again):
        assert (await world.browser.get(link.url)).status_code == 200


async def test_overlapping_fines_of_one_chat_replace_the_older_order(world: World) -> None:
    first = await world.open(item("F1"), item("F2"), key="1:0")
    second = await world.open(item("F1"), key="2:0")
    assert second.order != first.order
    assert await world.statuses("orders") == ["cancelled", "open"]


async def test_an_overlapping_order_that_was_paid_meanwhile_is_not_replaced(world: World) -> None:
    first = await world.open(item("F1"), item("F2"), key="1:0")
    await world.pay(first, knob="missing")
    assert await refused(world, "F1") == CheckoutRefused.ALREADY_PAID
    assert await world.statuses("orders") == ["posted"]


async def test_an_overlapping_order_is_not_replaced_while_the_gateway_is_silent(world: World) -> None:
    first = await world.open(item("F1"), item("F2"), key="1:0")
    await world.press_pay(first)
    world.wire.cut = True
    assert await refused(world, "F1") == CheckoutRefused.GATEWAY_DOWN
    assert await world.statuses("orders") == ["open"]


async def test_another_chats_fine_is_elsewhere(world: World) -> None:
    await world.open(item("F1"))
    assert await refused(world, "F1", "F2", chat=THERE) == CheckoutRefused.ELSEWHERE


async def test_a_paid_fine_cannot_be_ordered_until_the_records_are_surely_updated(world: World) -> None:
    await world.pay(await world.open(item("F1")))
    for chat in (HERE, THERE):
        assert await refused(world, "F1", chat=chat) == CheckoutRefused.ALREADY_PAID
    world.clock.advance(DAY - HOUR)
    await world.orders.sweep()
    assert await refused(world, "F1") == CheckoutRefused.ALREADY_PAID
    world.clock.advance(2 * HOUR)
    await world.orders.sweep()
    assert (await world.open(item("F1"), key="9:9")).order


async def test_twenty_chats_at_once_get_one_order_for_one_fine(world: World) -> None:
    services = [world.another_process() for _ in range(3)]
    chats = [Chat("telegram", str(number)) for number in range(20)]
    outcomes = await asyncio.gather(
        *(
            services[number % 3].open(OpenOrder("1", (item("F1"), item("F2"))), asked("1:0", chat))
            for number, chat in enumerate(chats)
        ),
        return_exceptions=True,
    )
    links = [outcome for outcome in outcomes if isinstance(outcome, PayLink)]
    words = [outcome.word for outcome in outcomes if isinstance(outcome, Failed)]
    assert len(links) == 1
    assert words == [CheckoutRefused.ELSEWHERE] * 19
    assert await world.statuses("orders") == ["open"]


async def test_a_renewed_link_belongs_to_the_same_order(world: World) -> None:
    first = await world.open()
    world.clock.advance(31 * MINUTE)
    assert (await world.browser.get(first.url)).status_code == 410
    renewed = await world.renew(first.order)
    assert renewed.order == first.order
    assert (await world.browser.get(renewed.url)).status_code == 200


async def test_an_expired_order_lets_its_fines_go_and_opens_again_when_they_are_free(world: World) -> None:
    first = await world.open(item("F1"))
    world.clock.advance(31 * MINUTE)
    assert await world.orders.sweep() == 1
    assert await world.statuses("orders") == ["cancelled"]
    assert (await world.renew(first.order)).order == first.order
    assert await world.statuses("orders") == ["open"]

    world.clock.advance(31 * MINUTE)
    await world.orders.sweep()
    await world.open(item("F1"), chat=THERE)
    with pytest.raises(Failed, match=CheckoutRefused.ELSEWHERE):
        await world.renew(first.order)


async def test_a_paid_order_gets_no_new_link(world: World) -> None:
    link = await world.open()
    await world.pay(link, knob="missing")
    with pytest.raises(Failed, match=CheckoutRefused.ALREADY_PAID):
        await world.renew(link.order)


async def test_cancelling_closes_the_order_and_frees_the_fines(world: World) -> None:
    link = await world.open(item("F1"))
    await world.press_pay(link)
    assert (await world.cancel(link.order)).status is Status.CANCELLED
    assert (await world.cancel(link.order)).status is Status.CANCELLED
    await world.open(item("F1"), chat=THERE)


async def test_cancelling_what_was_paid_says_paid(world: World) -> None:
    link = await world.open()
    await world.pay(link, knob="missing")
    standing = await world.cancel(link.order)
    assert standing.status is Status.POSTED
    assert standing.receipt == link.order


async def test_nothing_is_cancelled_while_the_gateway_is_silent(world: World) -> None:
    link = await world.open()
    await world.press_pay(link)
    world.wire.cut = True
    with pytest.raises(Failed, match=CheckoutRefused.GATEWAY_DOWN):
        await world.cancel(link.order)
    assert (await world.check(link.order)).status is Status.UNKNOWN


async def test_nothing_is_cancelled_while_the_bank_is_silent(world: World) -> None:
    link = await world.open()
    await world.pay(link, "timeout")
    assert (await world.cancel(link.order)).status is Status.UNKNOWN
    assert await world.statuses("orders") == ["open"]


async def test_cancelled_against_paid_ends_in_one_truth(world: World) -> None:
    for number in range(6):
        link = await world.open(item(f"F{number}"), key=f"{number}:0")
        page = await world.press_pay(link)
        await asyncio.gather(world.press(page, "approved"), world.cancel(link.order))
        # Whoever came first: money that arrived is never forgotten.
        assert (await world.check(link.order)).status is Status.POSTED
    assert world.chats.kinds == ["paid"] * 6


def papers(world: World) -> Receipts:
    return Receipts(world.ledger, world.keyring, world.clock, Printer(Renderer(Catalog())), world.url)


async def test_paid_orders_are_listed_and_read_by_their_chat_alone(world: World) -> None:
    run = executors(world.orders, papers(world))
    refs: list[str] = []
    for number in range(3):
        link = await world.open(item(f"F{number}", 1000 * (number + 1)), key=f"{number}:0")
        with pytest.raises(Declined):
            await run[ReadReceipt](ReadReceipt(link.order), asked("r"))  # nothing was paid yet
        await world.pay(link)
        refs.insert(0, link.order)
        world.clock.advance(60)
    first = await run[ListReceipts](ListReceipts("", 2), asked("1:1"))
    assert ([each.order for each in first.listed], first.more) == (refs[:2], True)
    assert [each.fils for each in first.listed] == [3000, 2000]
    rest = await run[ListReceipts](ListReceipts(refs[1], 2), asked("1:2"))
    assert ([each.order for each in rest.listed], rest.more) == (refs[2:], False)
    assert (await run[ListReceipts](ListReceipts("", 2), asked("1:3", THERE))).listed == ()
    read = await run[ReadReceipt](ReadReceipt(refs[0]), asked("1:4"))
    assert (read.status, read.fils, read.receipt) == (Status.POSTED, 3000, refs[0])
    assert read.paper.endswith(f"{refs[0]}.pdf")
    assert read.track == (await world.rows("attempts"))[-1]["track"]


async def test_a_strangers_order_cannot_be_touched(world: World) -> None:
    link = await world.open()
    await world.pay(link)
    mine = CheckPayment(link.order), CancelOrder(link.order), RenewLink(link.order), ReadReceipt(link.order)
    for effect in mine:
        with pytest.raises(Declined):
            await executors(world.orders, papers(world))[type(effect)](effect, asked("x", THERE))


async def test_every_effect_has_its_executor(world: World) -> None:
    run = executors(world.orders, papers(world))
    link = await run[OpenOrder](OpenOrder("1", (item("F1"),)), asked("1:0"))
    assert (await run[CheckPayment](CheckPayment(link.order), asked("2:0"))).status is Status.NONE
    assert (await run[RenewLink](RenewLink(link.order), asked("3:0"))).order == link.order
    assert (await run[CancelOrder](CancelOrder(link.order), asked("4:0"))).status is Status.CANCELLED


async def test_a_number_that_was_not_masked_is_masked_before_it_is_kept(world: World) -> None:
    await world.orders.open(OpenOrder("285011500029", (item("F1"),)), asked("1:0"))
    assert [row["subject"] for row in await world.rows("orders")] == ["****0029"]
