"""Retention: each kind goes when its time has come, and not a day before; what may still matter stays."""

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from bot.dialogs.my_data import ListKept, Remember
from bot.dialogs.my_data.consent import CURRENT
from bot.model import Chat, Frame, Session
from bot.residency.reminding import Kind
from bot.services.ledger import tables as t
from bot.services.orders.parts import KEEP_LINKS
from bot.services.orders.refunds import Refunds
from bot.services.payments.gateways import Gateways
from bot.services.privacy import PERIODS
from tests.payments.world import NOON, item
from tests.privacy.desk import CIVIL_ID, DAY, Desk


def days(period: str) -> int:
    return PERIODS[period].days


async def later(desk: Desk, period: str) -> dict[str, int]:
    """A day before the period ends nothing goes; a day after, what the pass let go of."""
    desk.world.clock.advance((days(period) - 1) * DAY)
    assert await desk.retention.run() == {}
    desk.world.clock.advance(2 * DAY)
    return await desk.retention.run()


async def test_an_unpaid_order_is_cleared(desk: Desk) -> None:
    ref = await desk.cancelled("F9")
    assert await later(desk, "unpaid") == {"unpaid orders": 1}
    order, rows = await desk.reads(ref)
    assert (order.chat, order.chat_blind, order.subject) == (b"", "", "")
    assert order.key == f"gone:{order.id}"
    assert [(row["number"], row["title_ar"], row["fils"]) for row in rows["order_items"]] == [
        ("forgotten", "", 5000)
    ]
    assert rows["order_history"], "the history stays: nothing in it leads to anybody"
    assert await desk.retention.run() == {}


async def test_an_open_order_closes_first(desk: Desk) -> None:
    link = await desk.world.open()
    desk.world.clock.advance(3600)
    await desk.sweep()
    assert (await desk.order(link.order)).status == "cancelled"
    assert await later(desk, "unpaid") == {"unpaid orders": 1}


async def test_a_refused_payment_loses_the_pages_address(desk: Desk) -> None:
    link = await desk.world.open()
    await desk.world.pay(link, "funds")
    await desk.world.cancel(link.order)
    await desk.sweep()
    assert await later(desk, "unpaid") == {"unpaid orders": 1}
    [attempt] = await desk.world.rows("attempts")
    assert attempt["url"] == ""
    assert attempt["track"], "a late word of the gateway still finds it"


async def test_a_paid_order_loses_its_chat_and_later_the_masked_number(desk: Desk) -> None:
    ref = await desk.paid("F1")
    desk.world.clock.advance((days("payloads") + 1) * DAY)
    assert await desk.retention.run() == {"notifications": 1}
    desk.world.clock.advance((days("paid") - days("payloads") - 2) * DAY)
    assert await desk.retention.run() == {}
    desk.world.clock.advance(2 * DAY)
    assert await desk.retention.run() == {"chats of paid orders": 1}
    order, rows = await desk.reads(ref)
    assert (order.chat, order.chat_blind, order.subject) == (b"", "", "2850****0029")
    assert rows["links"] == []
    desk.world.clock.advance((days("books") - days("paid")) * DAY)
    assert (await desk.retention.run())["masked numbers of old orders"] == 1
    order, rows = await desk.reads(ref)
    assert order.subject == ""
    assert [(row["number"], row["fils"]) for row in rows["order_items"]] == [("forgotten", 5000)]
    assert order.bank


async def test_a_refund_long_after_needs_no_chat(desk: Desk) -> None:
    ref = await desk.paid("F1")
    desk.world.clock.advance((days("paid") + 1) * DAY)
    await desk.retention.run()
    refunds = Refunds(desk.world.ledger, Gateways(desk.world.payments), desk.world.clock)
    await refunds.refund(ref, why="complaint", who="omar")
    await desk.sweep()
    assert desk.world.chats.kinds.count("refunded") == 0
    assert await desk.retention.run() == {"notices for nobody": 1}
    assert await desk.world.orders.sweep() == 0, "and nobody tries to tell it any more"


async def test_an_order_in_review_keeps_its_chat(desk: Desk) -> None:
    link = await desk.world.open()
    await desk.world.pay(link, "approved", "amount")
    await desk.sweep()
    order = await desk.order(link.order)
    assert order.status == "review", order
    desk.world.clock.advance((days("paid") + days("unpaid")) * DAY)
    await desk.retention.run()
    assert (await desk.order(link.order)).chat_blind == desk.blind()


async def test_a_second_payment_in_review_keeps_the_chat_of_a_settled_order(desk: Desk) -> None:
    ref = await desk.paid("F1")
    order = await desk.order(ref)
    async with desk.world.engine.begin() as connection:
        second = dict((await connection.execute(t.attempts.select())).mappings().one())
        del second["id"]
        await connection.execute(insert(t.attempts).values(second | {"track": "SECOND", "status": "REVIEW"}))
    desk.world.clock.advance((days("paid") + 1) * DAY)
    await desk.retention.run()
    assert (await desk.order(order.ref)).chat_blind == desk.blind()


async def test_an_order_the_registry_has_not_recorded_keeps_its_chat(desk: Desk) -> None:
    desk.world.registry.down = True
    link = await desk.world.open()
    await desk.world.pay(link)
    desk.world.clock.advance((days("paid") + 1) * DAY)
    await desk.retention.run()
    assert (await desk.order(link.order)).chat_blind == desk.blind()


async def test_a_chat_that_was_not_told_yet_stays(desk: Desk) -> None:
    desk.world.chats.away = True
    link = await desk.world.open()
    await desk.world.pay(link)
    desk.world.clock.advance((days("paid") + 1) * DAY)
    await desk.retention.run()
    assert (await desk.order(link.order)).chat_blind == desk.blind()


async def test_the_audit_ages(desk: Desk) -> None:
    async with desk.world.ledger.write() as work:
        await work.audit("omar", "looked", "IQ-1", NOON)
    with pytest.raises(DBAPIError, match="history only grows"):
        async with desk.world.engine.begin() as connection:
            await connection.execute(text("DELETE FROM audit"))
    desk.world.clock.advance((days("audit") + 1) * DAY)
    assert await desk.retention.run() == {}, "the newest row keeps its company"
    async with desk.world.ledger.write() as work:
        await work.audit("omar", "looked", "IQ-2", desk.world.clock.now())
    assert await desk.retention.run() == {"audit": 1}
    assert [row["about"] for row in await desk.world.rows("audit")] == ["IQ-2"]
    with pytest.raises(DBAPIError, match="history only grows"):
        async with desk.world.engine.begin() as connection:
            await connection.execute(text("UPDATE audit SET who = 'nobody'"))


async def test_remembered_numbers_and_then_their_consents(desk: Desk) -> None:
    await desk.privacy.remember(Remember(CIVIL_ID, CURRENT.version), desk.asked())
    assert await later(desk, "remembered") == {"remembered numbers and consents": 1}
    assert len(await desk.world.rows("consents")) == 1
    desk.world.clock.advance((days("consents") - days("remembered")) * DAY)
    assert await desk.retention.run() == {"remembered numbers and consents": 1}
    assert await desk.world.rows("consents") == []
    assert (await desk.privacy.show(ListKept(), desk.asked())).number == ""


@pytest.mark.parametrize("fines", [("F1",), ("F1", "F2")])
async def test_money_for_an_order_already_forgotten_waits_for_a_person(
    desk: Desk, fines: tuple[str, ...]
) -> None:
    """The registry is told of nothing, whatever it would answer; the money can be given back."""
    link = await desk.world.open(*(item(fine) for fine in fines))
    page = await desk.world.press_pay(link)
    await desk.world.cancel(link.order)
    async with desk.world.ledger.write() as work:
        [attempt] = await work.attempts((await desk.order(link.order)).id)
        await work.set_attempt(attempt, NOON, "test", "x", status="EXPIRED", due=None)
    desk.world.clock.advance((days("unpaid") + 1) * DAY)
    assert await desk.retention.run() == {"unpaid orders": 1}
    assert (await desk.order(link.order)).chat == b""
    desk.world.clock.advance(-(days("unpaid") + 1) * DAY)  # the page's life is the gateway's own
    await desk.world.press(page, "approved")
    await desk.sweep()
    order = await desk.order(link.order)
    assert (order.status, order.reason) == ("review", "forgotten")
    assert await desk.world.statuses("attempts") == ["REVIEW"]
    assert desk.world.registry.calls == 0
    assert desk.world.chats.kinds == [], "there is nobody to tell"
    [row] = await desk.world.rows("attempts")
    refunds = Refunds(desk.world.ledger, Gateways(desk.world.payments), desk.world.clock)
    await refunds.refund(link.order, track=row["track"], why="came too late", who="omar")
    assert (await desk.order(link.order)).status == "refunded"


async def test_reminders_go_a_while_after_their_last_day(desk: Desk) -> None:
    """So that a residency renewed late still moves its reminder."""
    await desk.reminded(Kind.RESIDENCY, Kind.PASSPORT)
    desk.world.clock.advance(45 * DAY)  # its last day
    assert await desk.retention.run() == {}
    assert await later(desk, "reminders") == {"reminders": 1}
    assert [row["kind"] for row in await desk.world.rows("reminders")] == ["passport"]


async def test_a_consent_stays_while_a_reminder_stands_by_it(desk: Desk) -> None:
    await desk.reminded(Kind.PASSPORT)  # to the end of 2029
    desk.world.clock.advance((days("consents") + 30) * DAY)
    assert await desk.retention.run() == {}
    desk.world.clock.advance((days("consents") + 30) * DAY)
    assert await desk.retention.run() == {"reminders": 1, "remembered numbers and consents": 1}
    assert await desk.world.rows("consents") == []


async def test_many_go_in_batches(desk: Desk) -> None:
    async with desk.world.ledger.write() as work:
        for number in range(250):
            await work.audit("gateway", "notification refused", str(number), NOON)
        await work.audit("omar", "looked", "IQ-2", NOON + 900 * DAY)
    desk.world.clock.advance(900 * DAY)
    assert await desk.retention.run() == {"audit": 250}


async def test_what_could_not_be_said_for_a_week_is_dropped(desk: Desk) -> None:
    session = Session(rev=1, frames=(Frame("home", 1, "menu"),))
    await desk.store.commit(Chat("telegram", "1"), 0, session, [b"said"])
    # The stream's ids are the server's clock; ours is set beside it.
    [(entry, _)] = await desk.redis.xrange((await desk.valkey.find("o:"))[0])
    at = int(entry.decode().partition("-")[0]) // 1000
    desk.world.clock.advance(at - desk.world.clock.now())
    week = PERIODS["undelivered"].seconds
    desk.world.clock.advance(week - 60)
    assert await desk.memory.drop_undelivered(week) == 0
    desk.world.clock.advance(120)
    assert await desk.memory.drop_undelivered(week) == 1
    assert (await desk.store.load(Chat("telegram", "1"))).waiting == ()


def test_the_periods_fit_one_another() -> None:
    assert PERIODS["links"].seconds == KEEP_LINKS
    assert PERIODS["links"].seconds < PERIODS["unpaid"].seconds, "a link never leads to a cleared order"
    assert PERIODS["refundable"].seconds < PERIODS["paid"].seconds < PERIODS["books"].seconds
