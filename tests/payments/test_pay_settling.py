"""From the button to the registry's record: believed only by enquiry, paid once, told once."""

import asyncio
import hashlib
import hmac
from typing import Any

import msgspec
import pytest

from bot.dialogs.checkout import PayLink, RefusalReason, Status
from tests.payments.world import HERE, PHONE, SECRET, SUBJECT, World, item

MINUTE = 60
HOUR = 3600
NOTIFY = "/payments/sandbox/notify"


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-sandbox-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


async def notice(world: World, status: str = "CAPTURED", **other: Any) -> bytes:
    """A notification about the newest attempt, as the gateway would write it."""
    row = (await world.rows("attempts"))[-1]
    body = {"event": "e1", "id": row["provider_ref"], "track_id": row["track"], "amount": "5.000"}
    return msgspec.json.encode({**body, "currency": "KWD", "status": status, **other})


async def notify(world: World, body: bytes) -> int:
    return (await world.browser.post(NOTIFY, content=body, headers=signed(body))).status_code


async def history(world: World, link: PayLink) -> list[tuple[str, str, str]]:
    async with world.ledger.read() as read:
        order = await read.order(link.order)
        assert order is not None
        return [(row["who"], row["what"], row["status"]) for row in await read.history(order.id)]


async def test_a_payment_is_captured_recorded_and_told_once(world: World) -> None:
    link = await world.open(item("F1", 20_000), item("F2", 25_000))
    await world.pay(link)
    standing = await world.check(link.order)
    assert (standing.status, standing.receipt, standing.fils) == (Status.POSTED, link.order, 45_000)
    assert standing.at == world.clock.now()
    assert len(standing.bank) == 12
    paid_at, bank, items = world.registry.recorded[link.order]
    assert (paid_at, bank) == (standing.at, standing.bank)
    assert [line.number for line in items] == ["F1", "F2"]

    (woken,) = world.chats.news
    assert (woken.id, woken.chat, woken.dialog) == (f"order:{link.order}:paid", HERE, "checkout")
    assert (woken.kind, woken.ref) == ("paid", link.order)
    assert (woken.data["receipt"], woken.data["bank"], woken.data["fils"]) == (
        link.order,
        standing.bank,
        45_000,
    )
    assert await world.orders.sweep() == 0
    assert len(world.chats.news) == 1


async def test_the_history_explains_the_status(world: World) -> None:
    link = await world.open()
    await world.pay(link, "funds")
    await world.pay(link)
    assert await history(world, link) == [
        ("chat", "opened", "open"),
        ("gateway", "paid", "paid"),
        ("registry", "answered: recorded", "posted"),
        ("resident", "pressed pay", "CREATED"),
        ("gateway", "page made", "LINKED"),
        ("gateway", "refused: funds", "FAILED"),
        ("resident", "pressed pay", "CREATED"),
        ("gateway", "page made", "LINKED"),
        ("gateway", "enquiry agrees: paid", "PAID"),
    ]


@pytest.mark.parametrize("knob", ["duplicate", "missing", "late"])
async def test_whatever_becomes_of_the_notification_one_capture(world: World, knob: str) -> None:
    link = await world.open()
    back = await world.pay(link, knob=knob)
    for _ in range(2):
        assert (await world.browser.get(back)).status_code == 200
    world.clock.advance(10 * MINUTE)
    await world.orders.sweep()
    assert await world.statuses("attempts") == ["PAID"]
    assert world.chats.kinds == ["paid"]
    assert len(world.registry.recorded) == world.registry.calls == 1


async def test_the_sweep_finds_a_payment_nobody_told_of(world: World) -> None:
    link = await world.open()
    await world.pay(link, knob="missing")
    world.clock.advance(1 * MINUTE)
    assert await world.orders.sweep() == 0
    world.clock.advance(1 * MINUTE)
    assert await world.orders.sweep() == 1
    assert world.chats.kinds == ["paid"]
    assert await world.statuses("orders") == ["posted"]
    assert link.order in world.registry.recorded


async def test_the_same_notification_twenty_times_at_once(world: World) -> None:
    await world.pay(await world.open(), knob="missing")
    body = await notice(world)
    answers = await asyncio.gather(*(notify(world, body) for _ in range(20)))
    assert answers == [200] * 20
    assert await notify(world, body) == 200
    assert await world.statuses("attempts") == ["PAID"]
    assert world.chats.kinds == ["paid"]
    assert world.registry.calls == 1
    (event,) = await world.rows("gateway_events")
    assert (event["repeats"], event["altered"]) == (20, False)


async def test_a_notification_repeated_with_another_amount_is_marked(world: World) -> None:
    await world.pay(await world.open(), knob="missing")
    assert await notify(world, await notice(world)) == 200
    assert await notify(world, await notice(world, amount="0.001")) == 200
    (event,) = await world.rows("gateway_events")
    assert event["altered"]
    assert await world.statuses("orders") == ["posted"]


async def test_a_notification_alone_is_not_believed(world: World) -> None:
    link = await world.open()
    await world.press_pay(link)
    assert await notify(world, await notice(world, "CAPTURED")) == 200
    assert (await world.check(link.order)).status is Status.NONE
    assert await notify(world, await notice(world, "NOT CAPTURED", event="e2")) == 200
    assert (await world.check(link.order)).status is Status.NONE
    assert world.chats.news == []


async def test_a_late_failure_changes_nothing(world: World) -> None:
    link = await world.open()
    page = await world.press_pay(link)
    await world.press(page, "approved")
    await world.press(page, "funds", knob="again")
    assert (await world.check(link.order)).status is Status.POSTED
    assert await world.statuses("attempts") == ["PAID"]
    assert world.chats.kinds == ["paid"]
    assert ("gateway", "late answer not applied: failed", "PAID") in await history(world, link)


async def test_a_failure_followed_by_a_capture_is_paid(world: World) -> None:
    link = await world.open()
    page = await world.press_pay(link)
    await world.press(page, "pin")
    await world.press(page, "approved", knob="again")
    assert (await world.check(link.order)).status is Status.POSTED
    assert world.chats.kinds == ["refused", "paid"]


@pytest.mark.parametrize("knob", ["amount", "currency", "track"])
async def test_an_enquiry_that_differs_goes_to_review(world: World, knob: str) -> None:
    link = await world.open()
    await world.pay(link, knob=knob)
    assert (await world.check(link.order)).status is Status.REVIEW
    assert [row["reason"] for row in await world.rows("attempts")] == [knob]
    assert world.chats.kinds == ["review"]
    assert world.registry.calls == 0
    # And no new try to pay for it.
    answer = await world.browser.post(link.url, data={"go": "1"})
    assert answer.headers["location"].startswith("/p/")
    assert len(await world.rows("attempts")) == 1


@pytest.mark.parametrize(
    ("button", "reason"),
    [
        ("funds", RefusalReason.FUNDS),
        ("pin", RefusalReason.PIN),
        ("cancel", RefusalReason.CANCELLED),
    ],
)
async def test_a_refusal_is_told_and_another_try_is_possible(
    world: World, button: str, reason: RefusalReason
) -> None:
    link = await world.open()
    await world.pay(link, button)
    standing = await world.check(link.order)
    assert (standing.status, standing.reason, standing.receipt) == (Status.REFUSED, reason, "")
    assert [(woken.kind, woken.data["reason"]) for woken in world.chats.news] == [("refused", reason)]
    await world.pay(link)
    assert await world.statuses("attempts") == ["FAILED", "PAID"]


async def test_two_refusals_are_two_pieces_of_news(world: World) -> None:
    link = await world.open()
    await world.pay(link, "funds")
    await world.pay(link, "funds")
    assert world.chats.kinds == ["refused", "refused"]
    assert len({woken.id for woken in world.chats.news}) == 2


async def test_a_silent_bank_is_unknown_until_it_speaks(world: World) -> None:
    link = await world.open()
    await world.pay(link, "timeout")
    assert (await world.check(link.order)).status is Status.UNKNOWN
    answer = await world.browser.post(link.url, data={"go": "1"})
    assert answer.headers["location"].startswith("/p/")
    world.clock.advance(2 * MINUTE)
    await world.orders.sweep()
    assert (await world.check(link.order)).status is Status.POSTED
    assert await world.statuses("attempts") == ["PAID"]


async def test_a_gateway_that_is_down_at_the_notification(world: World) -> None:
    link = await world.open()
    await world.pay(link, knob="missing")
    body = await notice(world)
    world.wire.cut = True
    assert await notify(world, body) == 200
    assert await world.statuses("attempts") == ["UNKNOWN"]
    assert (await world.check(link.order)).status is Status.UNKNOWN
    world.wire.cut = False
    world.clock.advance(2 * MINUTE)
    await world.orders.sweep()
    assert await world.statuses("orders") == ["posted"]


async def test_what_stays_pending_is_asked_for_a_day_and_then_reviewed(world: World) -> None:
    link = await world.open()
    await world.pay(link, "pending")
    asked = world.wire.passed.count("GET")
    for _ in range(24 * 12 - 1):
        world.clock.advance(5 * MINUTE)
        await world.orders.sweep()
    assert await world.statuses("attempts") == ["PENDING"]
    # 2, 10, 30 minutes, then hours 1 to 23.
    assert world.wire.passed.count("GET") - asked == 3 + 23
    world.clock.advance(5 * MINUTE)
    await world.orders.sweep()
    assert (await world.statuses("attempts"), await world.statuses("orders")) == (["REVIEW"], ["review"])
    assert world.chats.kinds == ["review"]
    assert world.chats.news[0].data["receipt"] == link.order


async def test_a_review_for_silence_ends_when_the_bank_speaks(world: World) -> None:
    link = await world.open()
    page = await world.press_pay(link)
    await world.press(page, "pending")
    world.clock.advance(24 * HOUR)
    await world.orders.sweep()
    await world.press(page, "approved", knob="again")
    assert (await world.check(link.order)).status is Status.POSTED
    assert world.chats.kinds == ["review", "paid"]


async def test_paid_after_our_link_expired_is_accepted(world: World) -> None:
    link = await world.open()
    page = await world.press_pay(link)
    world.clock.advance(31 * MINUTE)
    await world.orders.sweep()
    await world.orders.sweep()
    assert (await world.statuses("attempts"), await world.statuses("orders")) == (["EXPIRED"], ["cancelled"])
    await world.press(page, "approved", knob="again")
    assert (await world.check(link.order)).status is Status.POSTED
    assert world.chats.kinds == ["refused", "paid"]


async def test_whoever_left_the_gateways_page_is_told_once_that_nothing_was_taken(world: World) -> None:
    link = await world.open()
    await world.press_pay(link)
    assert (await world.check(link.order)).status is Status.NONE
    world.clock.advance(31 * MINUTE)
    for _ in range(3):
        await world.orders.sweep()
    assert world.chats.kinds == ["refused"]
    assert world.chats.news[0].data["reason"] == RefusalReason.TIMEOUT


async def test_whoever_asks_and_learns_that_the_page_expired_is_not_told_again(world: World) -> None:
    link = await world.open()
    await world.press_pay(link)
    world.clock.advance(31 * MINUTE)
    found = await world.check(link.order)
    assert (found.status, found.reason) == (Status.REFUSED, RefusalReason.TIMEOUT)
    for _ in range(2):
        await world.orders.sweep()
    assert world.chats.news == []


async def test_two_pages_of_one_order_both_paid(world: World) -> None:
    link = await world.open()
    first = await world.press_pay(link)
    await world.cancel(link.order)
    second = await world.press_pay(await world.renew(link.order))
    assert first == second or len(await world.rows("attempts")) == 2
    await world.press(second, "approved")
    await world.press(first, "approved")
    assert sorted(await world.statuses("attempts")) == ["PAID", "REVIEW"]
    assert (await world.check(link.order)).status is Status.POSTED
    assert world.chats.kinds == ["paid", "review"]
    assert world.registry.calls == 1


async def test_two_pages_paid_at_the_same_moment(world: World) -> None:
    link = await world.open()
    first = await world.press_pay(link)
    await world.cancel(link.order)
    second = await world.press_pay(await world.renew(link.order))
    await asyncio.gather(world.press(first, "approved"), world.press(second, "approved"))
    assert sorted(await world.statuses("attempts")) == ["PAID", "REVIEW"]
    assert await world.statuses("orders") == ["posted"]


async def test_paid_after_its_fine_went_to_another_order(world: World) -> None:
    link = await world.open(item("F1"), item("F2"), key="1:0")
    page = await world.press_pay(link)
    other = await world.open(item("F1"), key="2:0")
    await world.press(page, "approved")
    assert await world.statuses("orders") == ["review", "open"]
    assert world.chats.kinds == ["review"]
    await world.pay(other)
    assert await world.statuses("orders") == ["review", "posted"]


async def test_a_registry_that_is_down_is_told_later_and_so_is_the_chat(world: World) -> None:
    world.registry.down = True
    link = await world.open()
    await world.pay(link)
    assert (await world.check(link.order)).status is Status.PAID
    assert world.chats.kinds == ["paid"]
    assert world.chats.news[0].data["status"] == "paid"
    for _ in range(5):
        world.clock.advance(HOUR)
        await world.orders.sweep()
    assert world.registry.calls == 6
    world.registry.down = False
    world.clock.advance(HOUR)
    await world.orders.sweep()
    assert (await world.check(link.order)).status is Status.POSTED
    assert world.chats.kinds == ["paid", "posted"]
    world.clock.advance(HOUR)
    await world.orders.sweep()
    assert world.registry.calls == 7


async def test_a_registry_that_refuses_needs_a_person(world: World) -> None:
    world.registry.refuses = "already_paid"
    link = await world.open()
    await world.pay(link)
    standing = await world.check(link.order)
    assert (standing.status, standing.receipt) == (Status.REVIEW, link.order)
    assert [(woken.kind, woken.data["reason"]) for woken in world.chats.news] == [
        ("paid", ""),
        ("review", "already_paid"),
    ]


async def test_a_registry_that_does_not_know_us_is_asked_again(world: World) -> None:
    world.registry.refuses = "unauthorised"
    link = await world.open()
    await world.pay(link)
    assert (await world.check(link.order)).status is Status.PAID
    world.registry.refuses = ""
    world.clock.advance(HOUR)
    await world.orders.sweep()
    assert world.chats.kinds == ["paid", "posted"]


async def test_recording_can_be_asked_for_and_happens_once(world: World) -> None:
    world.registry.down = True
    link = await world.open()
    await world.pay(link)
    world.registry.down = False
    await asyncio.gather(*(world.orders.post(link.order) for _ in range(5)))
    await world.orders.post("IQ-0000-0000")
    assert await world.statuses("orders") == ["posted"]
    assert world.chats.kinds.count("posted") >= 1
    assert len({woken.id for woken in world.chats.news}) == 2


async def test_a_chat_that_cannot_be_told_now_is_told_by_the_sweep(world: World) -> None:
    world.chats.away = True
    await world.pay(await world.open())
    assert await world.statuses("orders") == ["posted"]
    assert await world.another_process().sweep() == 0
    world.clock.advance(5)
    assert await world.another_process().sweep() == 1
    assert world.chats.kinds == []
    world.chats.away = False
    world.clock.advance(5)  # not only when the lease of whoever tried is over
    await world.another_process().sweep()
    assert world.chats.kinds == ["paid"]
    world.clock.advance(1 * MINUTE)
    assert await world.orders.sweep() == 0


async def test_sweeps_of_many_processes_at_once_do_each_thing_once(world: World) -> None:
    for number in range(8):
        await world.pay(await world.open(item(f"F{number}"), key=f"{number}:0"), knob="missing")
    services = [world.another_process() for _ in range(4)]
    world.clock.advance(2 * MINUTE)
    done = await asyncio.gather(*(service.sweep() for service in services))
    assert sum(done) == 8
    assert world.chats.kinds == ["paid"] * 8
    assert world.registry.calls == 8
    assert [await service.sweep() for service in services] == [0, 0, 0, 0]


async def test_a_charge_the_gateway_forgot_is_made_again(world: World) -> None:
    link = await world.open()
    page = await world.press_pay(link)
    world.gateway._charges.clear()
    assert (await world.check(link.order)).status is Status.NONE
    again = await world.press_pay(link)
    assert again != page
    await world.press(again, "approved")
    assert await world.statuses("attempts") == ["PAID"]


async def test_nothing_personal_is_in_any_column(world: World) -> None:
    link = await world.open(chat=HERE)
    back = await world.pay(link)
    await world.browser.get(back)
    tokens = [link.url.rsplit("/", 1)[1], back.split("/")[-2]]
    secret = [PHONE, "285011500029", SUBJECT.replace("*", ""), *tokens]
    tables = [
        "orders",
        "order_items",
        "attempts",
        "links",
        "notices",
        "order_history",
        "attempt_history",
        "gateway_events",
    ]
    for table in tables:
        rows = await world.rows(table)
        assert rows
        for value in (value for row in rows for value in row.values()):
            shown = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            assert not [word for word in secret if word in shown], (table, shown)
