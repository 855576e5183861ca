"""What needs a person: everything that does, nothing that does not, and a step for each."""

import pytest

from bot.operators.review import FOUND
from bot.services.ledger import Event, Order, OrderStatus
from bot.services.orders.refunds import NotPossible
from tests.operators.commands import command
from tests.operators.world import HOUR, Different, World

Capture = pytest.CaptureFixture[str]


async def matters(world: World, capsys: Capture) -> list[tuple[str, str]]:
    shown = await command(world.desk(), capsys, "review", "--json")
    found = [(each["kind"], each["order"]) for each in shown.json["matters"]]
    assert shown.code == (FOUND if found else 0)
    assert all(each["why"] and each["next"] for each in shown.json["matters"])
    return found


async def notice(world: World, order: Order) -> None:
    async with world.ledger.write() as work:
        await work.add_notice(f"order:{order.ref}:paid", order.id, "paid", "", world.clock.now() + 60)


async def claim(world: World, track: str, result: str = "CAPTURED", fils: int = 5000) -> None:
    event = Event(provider="sandbox", event="e1", result=result, track=track, fils=fils, payload=b"")
    async with world.ledger.write() as work:
        await work.add_event(event, world.clock.now())


async def test_an_ordinary_day_needs_nobody(world: World, capsys: Capture) -> None:
    order = await world.paid()
    await notice(world, order)
    await world.paid(posted=False)
    await world.order()
    (attempt,) = [row for row in await world.rows("attempts") if row["order_id"] == order.id]
    await claim(world, attempt["track"])
    shown = await command(world.desk(), capsys, "review")
    assert (shown.code, shown.lines) == (
        0,
        ["Nothing needs a person.", "Notifications refused in the last day: 0"],
    )


async def test_payments_and_orders_in_review(world: World, capsys: Capture) -> None:
    paid = await world.paid()
    second = await world.reviewed(paid, "second")
    refused = await world.paid(posted=False)
    await world.set_order(refused, status=OrderStatus.REVIEW, reason="not_payable", post_due=None)
    silent = await world.order()
    await world.reviewed(silent, "silent", captured=0, button="cancel")
    await world.set_order(silent, status=OrderStatus.REVIEW, reason="silent")
    assert await matters(world, capsys) == [
        ("payment", paid.ref),
        ("payment", silent.ref),
        ("order", refused.ref),
    ]
    shown = await command(world.desk(), capsys, "review")
    assert f"next: iqamati refund {paid.ref} --track {second.track}" in shown.text
    assert f"iqamati review --close {silent.ref}" in shown.text
    assert f"iqamati review --retry {refused.ref}" in shown.text

    closed = await command(
        world.desk(), capsys, "review", "--close", silent.ref, "--because", "nothing there"
    )
    assert (closed.code, await world.status(silent)) == (0, OrderStatus.CANCELLED)
    again = await command(world.desk(), capsys, "review", "--retry", refused.ref.lower(), "--json")
    assert again.json == {"order": refused.ref, "order_status": "paid"}
    await world.refunds.refund(paid.ref, track=second.track, why="second capture", who="amina")
    assert await matters(world, capsys) == []


async def test_refunds_nobody_knows_the_end_of(world: World, capsys: Capture) -> None:
    order = await world.paid()
    knet = Different(world.payments, keyed=False)
    by = world.refunds_by(knet)
    world.wire.mood = "lost"
    refund = await by.refund(order.ref, why="x", who="amina")
    assert (await command(world.desk(knet), capsys, "review")).code == FOUND  # nobody but a person can tell
    assert await matters(world, capsys) == []  # a gateway with keys: the sweep still finds out
    world.clock.advance(2 * HOUR)
    await by.take_up(refund)
    assert await matters(world, capsys) == [("refund", order.ref)]
    shown = await command(world.desk(), capsys, "review")
    assert f"iqamati refund {order.ref} --resolve {refund.key} done|refused" in shown.text
    await by.resolve(order.ref, refund.key, done=True, reference="", who="amina")
    assert await matters(world, capsys) == []


async def test_a_refund_the_service_does_not_ask_about(world: World, capsys: Capture) -> None:
    order = await world.paid()
    async with world.ledger.write() as work:
        (attempt,) = await work.attempts(order.id)
        now = world.clock.now()
        await work.add_refund(attempt, "CUTSHORT", 5000, why="x", who="amina", at=now, due=None)
    assert await matters(world, capsys) == [("refund", order.ref)]
    shown = await command(world.desk(), capsys, "review")
    assert "--resolve CUTSHORT done|refused" in shown.text


async def test_what_stays_behind_for_an_hour(world: World, capsys: Capture) -> None:
    order = await world.paid(posted=False)
    await notice(world, order)
    world.clock.advance(HOUR)
    async with world.ledger.write() as work:  # trying in vain is no news for the chat
        await work.set_order(await work.lock(order.id), world.clock.now(), "registry", "did not answer")
    assert await matters(world, capsys) == []
    world.clock.advance(1)
    assert await matters(world, capsys) == [("unposted", order.ref), ("untold", order.ref)]


async def test_notifications_that_claimed_what_is_not_true(world: World, capsys: Capture) -> None:
    order = await world.order()
    attempt = await world.charge(order, "funds")
    await claim(world, attempt.track)
    assert await matters(world, capsys) == []  # an enquiry may still confirm it
    world.clock.advance(HOUR + 1)
    assert await matters(world, capsys) == [("false_claim", order.ref)]
    await claim(world, attempt.track, fils=9000)
    assert await matters(world, capsys) == [("false_claim", order.ref), ("altered_claim", order.ref)]
    world.clock.advance(8 * 24 * HOUR)
    assert await matters(world, capsys) == []


async def test_refused_notifications_are_counted(world: World, capsys: Capture) -> None:
    async with world.ledger.write() as work:
        for _ in range(3):
            await work.audit("gateway", "notification refused", "knet", world.clock.now())
    shown = await command(world.desk(), capsys, "review", "--json")
    assert (shown.code, shown.json["notifications_refused_last_day"]) == (0, 3)
    world.clock.advance(25 * HOUR)
    shown = await command(world.desk(), capsys, "review", "--json")
    assert shown.json["notifications_refused_last_day"] == 0


async def test_an_order_the_registry_took_in_part(world: World, capsys: Capture) -> None:
    order = await world.partly()
    assert await matters(world, capsys) == [("order", order.ref)]
    shown = await command(world.desk(), capsys, "review")
    assert "refuses to record parts of it, worth 25.250" in shown.text
    assert f"iqamati review --retry {order.ref}" in shown.text
    assert f"iqamati refund {order.ref} --amount 25.250" in shown.text
    with pytest.raises(NotPossible, match="give it back first"):
        await command(world.desk(), capsys, "review", "--close", order.ref, "--because", "no")
    await command(world.desk(), capsys, "review", "--retry", order.ref)
    assert await world.statuses("postings") == ["posted", "pending"], "what is recorded stays so"
    assert await world.status(order) is OrderStatus.PAID


async def test_what_a_part_cost_can_go_back_and_nothing_waits_any_more(world: World, capsys: Capture) -> None:
    order = await world.partly()
    await command(
        world.desk(), capsys, "refund", order.ref, "--amount", "25.250", "--because", "not renewable", "--yes"
    )
    assert await matters(world, capsys) == []
    assert await world.status(order) is OrderStatus.POSTED
    live = {row["number"]: bool(row["live"]) for row in await world.rows("order_items")}
    assert live == {"R-0": True, "R-1": False, "F-9": False}


async def test_a_word_about_a_contradiction_belongs_to_closing(world: World, capsys: Capture) -> None:
    order = await world.paid()
    with pytest.raises(NotPossible, match="goes with --close"):
        await command(world.desk(), capsys, "review", "--despite-suspect", "--retry", order.ref)
