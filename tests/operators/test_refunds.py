"""Giving money back: only on the gateway's word, never twice, never more than it took."""

import asyncio
from functools import partial
from typing import Any

import pytest

from bot.errors import Unavailable
from bot.services.ledger import AttemptStatus, Order, OrderStatus, RefundRow, RefundStatus
from bot.services.orders.refunds import REPEAT_FOR, NotPossible, Refunds
from bot.services.payments import Refund, RefundResult, Result
from tests.operators.world import HOUR, Different, World

AMINA = "amina"


async def give_back(world: World, order: Order, *, by: Refunds | None = None, **more: Any) -> RefundRow:
    return await (by or world.refunds).refund(order.ref, why="paid by mistake", who=AMINA, **more)


async def said(world: World, table: str) -> list[tuple[str, str, str]]:
    return [(row["who"], row["what"], row["status"]) for row in await world.rows(table)]


async def at_gateway(world: World) -> Result:
    attempt = (await world.rows("attempts"))[0]
    return (await world.payments.enquire(attempt["track"], "", attempt["fils"])).status


# --- what the gateway answers --------------------------------------------------------------------


async def test_captured_gives_the_money_back_and_all_that_follows(world: World) -> None:
    order = await world.paid(20_000, 25_000)
    refund = await give_back(world, order)
    assert (refund.status, refund.fils, refund.due, len(refund.reference)) == (
        RefundStatus.DONE,
        45_000,
        None,
        12,
    )
    assert refund.key.isalnum()
    assert len(refund.key) <= 19
    assert await at_gateway(world) is Result.REFUNDED
    assert await world.status(order) is OrderStatus.REFUNDED
    assert await world.statuses("attempts") == ["REFUNDED"]
    assert await world.live() == [False, False]
    assert await said(world, "refund_history") == [
        (AMINA, "asked for", "asked"),
        ("gateway", "gave it back", "done"),
    ]
    assert (await said(world, "order_history"))[-1] == (
        "operator",
        "refunded; the registry keeps its record",
        "refunded",
    )
    (notice,) = await world.rows("notices")
    assert (notice["name"], notice["kind"]) == (f"order:{order.ref}:refunded:{refund.key}", "refunded")
    assert (notice["reason"], notice["due"], notice["told_at"]) == (refund.key, world.clock.now(), 0)
    assert [(row["who"], row["what"]) for row in await world.rows("audit")] == [
        (AMINA, "refund asked"),
        ("gateway", "refund done"),
    ]


async def test_what_the_registry_never_recorded_is_not_recorded_afterwards(world: World) -> None:
    order = await world.paid(posted=False)
    await give_back(world, order)
    (row,) = await world.rows("orders")
    assert (row["status"], row["post_due"]) == ("refunded", None)
    assert (await said(world, "order_history"))[-1] == ("operator", "refunded", "refunded")


async def test_anything_but_captured_is_refused(world: World) -> None:
    order = await world.paid(knob="refund_refused")
    refund = await give_back(world, order)
    assert (refund.status, refund.due) == (RefundStatus.REFUSED, None)
    assert await world.status(order) is OrderStatus.POSTED
    assert await world.rows("notices") == []
    again = await give_back(world, order)  # a refusal stands in nobody's way
    assert again.key != refund.key


@pytest.mark.parametrize("mood", ["cut", "lost", "garbled"])
async def test_no_answer_is_unknown_and_asked_for_again_under_the_same_key(world: World, mood: str) -> None:
    order = await world.paid()
    world.wire.mood = mood
    refund = await give_back(world, order)
    assert refund.status is RefundStatus.UNKNOWN
    assert await world.status(order) is OrderStatus.POSTED
    assert await world.due() == []
    world.wire.mood = ""
    world.clock.advance(120)
    (due,) = await world.due()
    after = await world.refunds.take_up(due)
    assert (after.key, after.status) == (refund.key, RefundStatus.DONE)
    assert await world.status(order) is OrderStatus.REFUNDED
    assert await at_gateway(world) is Result.REFUNDED


async def test_a_gateway_that_keeps_silent_for_a_minute_has_given_back_once(world: World) -> None:
    order = await world.paid(knob="refund_silent")
    assert (await give_back(world, order, fils=2000)).status is RefundStatus.UNKNOWN
    world.clock.advance(120)
    (due,) = await world.due()
    assert (await world.refunds.take_up(due)).status is RefundStatus.DONE
    rest = await give_back(world, order)
    assert rest.fils == 3000  # so the 2.000 went once


@pytest.mark.parametrize(
    ("first", "then", "status"),
    [("lost", "declined", RefundStatus.DONE), ("cut", "declined", RefundStatus.REFUSED)],
)
async def test_declined_once_more_says_nothing_of_the_first_time(
    world: World, first: str, then: str, status: RefundStatus
) -> None:
    """A token that ran out, a key that was forgotten: the money may have gone back the first time."""
    order = await world.paid()
    world.wire.mood = first
    refund = await give_back(world, order, fils=2000)
    world.wire.mood = then
    world.clock.advance(120)
    (due,) = await world.due()
    assert (await world.refunds.take_up(due)).status is status
    world.wire.mood = ""
    rest = await give_back(world, order)
    assert rest.fils == (3000 if status is RefundStatus.DONE else 5000)
    assert rest.key != refund.key


async def test_declined_once_more_and_no_word_is_for_a_person(world: World) -> None:
    order = await world.paid()
    world.wire.mood = "lost"
    refund = await give_back(world, order, fils=2000)
    world.wire.mood = "closed"
    for _ in range(5):
        world.clock.advance(HOUR)
        for due in await world.due():
            assert (await world.refunds.take_up(due)).status is RefundStatus.UNKNOWN
    assert await world.due() == []
    with pytest.raises(NotPossible, match="another refund"):
        await give_back(world, order)
    world.wire.mood = ""
    done = await world.refunds.resolve(order.ref, refund.key, done=True, reference="", who=AMINA)
    assert done.status is RefundStatus.DONE


async def test_one_refund_is_one_request(world: World) -> None:
    """A client that asks twice by itself could be declined for what it has done already."""
    order = await world.paid()
    world.wire.mood = "lost"
    await give_back(world, order)
    assert world.wire.passed == 1


async def test_nothing_is_repeated_at_a_gateway_without_keys(world: World) -> None:
    order = await world.paid()
    knet = Different(world.payments, keyed=False)
    world.wire.mood = "lost"
    refund = await give_back(world, order, by=world.refunds_by(knet))
    world.wire.mood = ""
    assert (refund.status, knet.asked) == (RefundStatus.UNKNOWN, 1)
    for _ in range(5):
        world.clock.advance(HOUR)
        for due in await world.due():
            await world.refunds_by(knet).take_up(due)
    assert (await world.statuses("refunds"), knet.asked) == (["unknown"], 1)
    assert await world.due() == []  # a person must look


async def test_a_key_is_not_repeated_once_the_gateway_may_have_forgotten_it(world: World) -> None:
    order = await world.paid()
    tap = Different(world.payments, keyed=True)
    world.wire.mood = "cut"
    refund = await give_back(world, order, by=world.refunds_by(tap))
    world.wire.mood = ""
    world.clock.advance(REPEAT_FOR)
    after = await world.refunds_by(tap).take_up(refund)
    assert (tap.asked, after.status) == (1, RefundStatus.REFUSED)  # the gateway was asked, and has none


async def test_pending_is_asked_about_until_it_is_done(world: World) -> None:
    order = await world.paid()
    tap = Different(world.payments, keyed=True, patient=True)
    refund = await give_back(world, order, by=world.refunds_by(tap))
    assert (refund.status, refund.reference) == (RefundStatus.PENDING, f"re_{refund.key}")
    assert await world.status(order) is OrderStatus.POSTED
    world.wire.mood = "cut"
    world.clock.advance(120)
    (due,) = await world.due()
    assert (await world.refunds_by(tap).take_up(due)).status is RefundStatus.PENDING
    assert await world.due() == []
    world.wire.mood = ""
    world.clock.advance(600)
    (due,) = await world.due()
    assert (await world.refunds_by(tap).take_up(due)).status is RefundStatus.DONE
    assert tap.asked == 1
    assert await world.status(order) is OrderStatus.REFUNDED


async def test_a_refund_whose_process_died_is_taken_up(world: World) -> None:
    order = await world.paid()
    async with world.ledger.write() as work:
        (attempt,) = await work.attempts(order.id)
        now = world.clock.now()
        row = await work.add_refund(attempt, "DIEDK3Y", 5000, why="x", who=AMINA, at=now, due=now + 120)
    assert row.status is RefundStatus.ASKED
    world.clock.advance(120)
    (due,) = await world.due()
    async with world.ledger.write() as work:
        assert await work.claim(due, world.clock.now() + 60)
        assert not await work.claim(due, world.clock.now() + 60)
    assert (await world.refunds.take_up(due)).status is RefundStatus.DONE
    assert (await world.refunds.take_up(due)).status is RefundStatus.DONE
    assert len(await world.rows("notices")) == 1


async def test_a_gateway_that_is_gone_leaves_the_refund_to_a_person(world: World) -> None:
    order = await world.paid()
    tap = Different(world.payments, keyed=True, patient=True)
    refund = await give_back(world, order, by=world.refunds_by(tap))
    other = Different(world.payments, keyed=True)
    other.name = "other"
    after = await world.refunds_by(other).take_up(refund)
    assert (after.status, after.due) == (RefundStatus.UNKNOWN, None)
    with pytest.raises(Unavailable):
        await give_back(world, order, by=world.refunds_by(other))


# --- how much ------------------------------------------------------------------------------------


async def test_a_part_and_then_the_rest(world: World) -> None:
    order = await world.paid(20_000, 25_000)
    part = await give_back(world, order, fils=20_000)
    assert part.status is RefundStatus.DONE
    assert await world.status(order) is OrderStatus.POSTED
    assert await world.statuses("attempts") == ["PAID"]
    assert await world.live() == [True, True]
    with pytest.raises(NotPossible, match=r"at most 25\.000 KWD"):
        await give_back(world, order, fils=25_001)
    rest = await give_back(world, order)
    assert rest.fils == 25_000
    assert await world.status(order) is OrderStatus.REFUNDED
    assert [row["kind"] for row in await world.rows("notices")] == ["refunded", "refunded"]


@pytest.mark.parametrize("fils", [5001, 0, -1])
async def test_more_than_was_captured_is_refused_before_the_gateway_is_asked(world: World, fils: int) -> None:
    order = await world.paid()
    with pytest.raises(NotPossible, match=r"at most 5\.000 KWD"):
        await give_back(world, order, fils=fils)
    assert await world.rows("refunds") == []


async def test_the_limit_is_what_the_gateway_says_it_took(world: World) -> None:
    order = await world.order()
    attempt = await world.reviewed(order, "amount", captured=1, knob="amount")
    order = await world.set_order(order, status=OrderStatus.REVIEW, reason="amount")
    with pytest.raises(NotPossible, match=r"at most 0\.001 KWD"):
        await give_back(world, order, track=attempt.track, fils=5000)
    assert (await give_back(world, order, track=attempt.track)).fils == 1
    assert await world.status(order) is OrderStatus.REFUNDED
    assert await world.live() == [False]


@pytest.mark.parametrize(("knob", "why"), [("currency", "USD"), ("track", "another payment")])
async def test_what_the_gateway_reports_differently_is_for_its_portal(
    world: World, knob: str, why: str
) -> None:
    order = await world.order()
    attempt = await world.reviewed(order, knob, knob=knob)
    with pytest.raises(NotPossible, match=why):
        await give_back(world, order, track=attempt.track)
    assert await world.rows("refunds") == []


@pytest.mark.parametrize("button", ["funds", "cancel", "pending"])
async def test_what_the_gateway_did_not_capture_is_not_given_back(world: World, button: str) -> None:
    order = await world.order()
    attempt = await world.reviewed(order, "silent", captured=0, button=button)
    with pytest.raises(NotPossible, match="does not report"):
        await give_back(world, order, track=attempt.track)
    assert await world.rows("refunds") == []


async def test_a_gateway_that_cannot_be_asked_gives_nothing_back(world: World) -> None:
    order = await world.paid()
    await world.payments.close()
    with pytest.raises((Unavailable, RuntimeError)):
        await give_back(world, order)
    assert await world.rows("refunds") == []


# --- which payment -------------------------------------------------------------------------------


async def test_a_second_capture_goes_back_and_the_order_stays_paid(world: World) -> None:
    order = await world.paid()
    second = await world.reviewed(order, "second")
    refund = await give_back(world, order, track=second.track)
    assert refund.attempt_id == second.id
    assert await world.status(order) is OrderStatus.POSTED
    assert await world.statuses("attempts") == ["PAID", "REFUNDED"]
    assert await world.live() == [True]
    with pytest.raises(NotPossible, match="nothing to give back"):
        await give_back(world, order, track=second.track)


async def test_while_a_second_capture_is_held_the_order_is_not_refunded(world: World) -> None:
    order = await world.paid()
    second = await world.reviewed(order, "second")
    await give_back(world, order)
    assert await world.status(order) is OrderStatus.REVIEW
    assert await world.live() == [True]
    await give_back(world, order, track=second.track)
    assert await world.status(order) is OrderStatus.REFUNDED
    assert await world.live() == [False]


async def test_a_payment_that_is_not_believed_must_be_named(world: World) -> None:
    order = await world.order()
    attempt = await world.reviewed(order, "second")
    with pytest.raises(NotPossible, match=attempt.track):
        await give_back(world, order)
    with pytest.raises(NotPossible, match="no payment"):
        await give_back(world, order, track="NEVER")
    with pytest.raises(NotPossible, match="no order"):
        await world.refunds.refund("IQ-0000-0000", why="x", who=AMINA)


async def test_two_operators_at_once_give_back_once(world: World) -> None:
    order = await world.paid()
    tries = [world.refunds, world.another_process(), world.another_process()]
    results = await asyncio.gather(*(give_back(world, order, by=by) for by in tries), return_exceptions=True)
    done = [each for each in results if isinstance(each, RefundRow)]
    assert [each.status for each in done] == [RefundStatus.DONE]
    assert all(isinstance(each, NotPossible) for each in results if not isinstance(each, RefundRow)), results
    assert await world.statuses("refunds") == ["done"]


async def test_the_index_lets_one_refund_of_a_payment_move(world: World) -> None:
    order = await world.paid()
    world.wire.mood = "cut"
    await give_back(world, order, fils=1000)
    with pytest.raises(NotPossible, match="under way"):
        await give_back(world, order, fils=1000)


async def test_no_long_number_is_kept_in_a_reason(world: World) -> None:
    order = await world.paid()
    await world.refunds.refund(order.ref, why="asked by 285011500029,\n phone ٩٦٥٥٠٠٠١٢٣٤", who=AMINA)
    assert (await world.rows("refunds"))[0]["why"] == "asked by …, phone …"


# --- what the portal says ------------------------------------------------------------------------


async def unknown(world: World) -> tuple[Order, RefundRow, Refunds]:
    order = await world.paid()
    by = world.refunds_by(Different(world.payments, keyed=False))
    world.wire.mood = "lost"
    refund = await give_back(world, order, by=by)
    world.wire.mood = ""
    return order, refund, by


async def test_the_portal_says_that_it_went(world: World) -> None:
    order, refund, by = await unknown(world)
    after = await by.resolve(order.ref, refund.key, done=True, reference="6001", who=AMINA)
    assert (after.status, after.reference) == (RefundStatus.DONE, "6001")
    assert await world.status(order) is OrderStatus.REFUNDED
    assert (await said(world, "refund_history"))[-1] == (AMINA, "read in the gateway's portal", "done")
    with pytest.raises(NotPossible, match="final"):
        await by.resolve(order.ref, refund.key, done=False, reference="", who=AMINA)


async def test_the_portal_says_that_it_did_not_go(world: World) -> None:
    order, refund, by = await unknown(world)
    after = await by.resolve(order.ref, refund.key, done=False, reference="", who=AMINA)
    assert after.status is RefundStatus.REFUSED
    assert await world.status(order) is OrderStatus.POSTED
    assert (await world.rows("audit"))[-1]["who"] == AMINA


async def test_the_gateways_own_word_counts_more_than_the_portal_read_by_a_person(world: World) -> None:
    order = await world.paid()
    world.wire.mood = "lost"
    refund = await give_back(world, order)
    world.wire.mood = ""
    with pytest.raises(NotPossible, match="still asked for"):
        await world.refunds.resolve(order.ref, refund.key, done=False, reference="", who=AMINA)
    world.clock.advance(REPEAT_FOR)
    with pytest.raises(NotPossible, match="the gateway says done"):
        await world.refunds.resolve(order.ref, refund.key, done=False, reference="", who=AMINA)
    assert await world.status(order) is OrderStatus.REFUNDED


async def test_what_was_given_back_in_the_portal_is_recorded_and_not_given_again(world: World) -> None:
    order = await world.paid()
    (attempt,) = await world.rows("attempts")
    portal = Refund(
        key="PORTAL", track_id=attempt["track"], provider_ref="", payment_id="", fils=5000, why="x"
    )
    assert (await world.payments.refund(portal)).status is RefundResult.DONE
    with pytest.raises(NotPossible, match="as refunded"):
        await give_back(world, order)
    record = partial(world.refunds.made_elsewhere, order.ref, reference="6001", why="x", who=AMINA)
    part = await record(fils=2000)
    assert (part.status, part.reference, part.due) == (RefundStatus.DONE, "6001", None)
    with pytest.raises(NotPossible, match=r"at most 3\.000"):
        await record(fils=3001)
    await record()
    assert await world.status(order) is OrderStatus.REFUNDED
    assert (await said(world, "refund_history"))[1] == (AMINA, "made in the gateway's portal", "done")


async def test_a_record_that_was_cut_short_is_never_asked_of_the_gateway(world: World) -> None:
    order = await world.paid()
    async with world.ledger.write() as work:
        (attempt,) = await work.attempts(order.id)
        now = world.clock.now()
        await work.add_refund(attempt, "CUTSHORT", 5000, why="x", who=AMINA, at=now, due=None)
    world.clock.advance(24 * HOUR)
    assert await world.due() == []
    after = await world.refunds.resolve(order.ref, "CUTSHORT", done=False, reference="", who=AMINA)
    assert after.status is RefundStatus.REFUSED


async def test_a_refund_of_another_order_is_not_resolved(world: World) -> None:
    _, refund, by = await unknown(world)
    other = await world.paid()
    with pytest.raises(NotPossible, match="has no refund"):
        await by.resolve(other.ref, refund.key, done=True, reference="", who=AMINA)
    with pytest.raises(NotPossible, match="no order"):
        await by.resolve("IQ-0000-0000", refund.key, done=True, reference="", who=AMINA)


async def test_a_late_answer_after_the_last_word_is_noted_and_changes_nothing(world: World) -> None:
    order, refund, by = await unknown(world)
    await by.resolve(order.ref, refund.key, done=False, reference="", who=AMINA)
    after = await by._record(refund, RefundStatus.DONE, "gateway", "gave it back")
    assert after.status is RefundStatus.REFUSED
    assert (await said(world, "refund_history"))[-1] == (
        "gateway",
        "late answer not applied: done",
        "refused",
    )


# --- closing and recording again -----------------------------------------------------------------


async def test_an_order_nothing_was_taken_for_is_closed(world: World) -> None:
    order = await world.order()
    await world.reviewed(order, "silent", captured=0, button="cancel")
    order = await world.set_order(order, status=OrderStatus.REVIEW, reason="silent")
    closed = await world.closing.close(order.ref, why="nothing in the portal", who=AMINA)
    assert (closed.status, closed.reason) == (OrderStatus.CANCELLED, "")
    assert await world.statuses("attempts") == ["EXPIRED"]
    assert await world.live() == [False]
    (row,) = await world.rows("audit")
    assert (row["who"], row["what"]) == (AMINA, "review closed")
    assert row["about"] == f"{order.ref} nothing in the portal"


@pytest.mark.parametrize(("button", "captured"), [("approved", 0), ("cancel", 5000)])
async def test_an_order_that_holds_money_is_not_closed(world: World, button: str, captured: int) -> None:
    order = await world.order()
    attempt = await world.reviewed(order, "silent", captured=captured, button=button)
    order = await world.set_order(order, status=OrderStatus.REVIEW, reason="silent")
    with pytest.raises(NotPossible, match=f"iqamati refund {order.ref} --track {attempt.track}"):
        await world.closing.close(order.ref, why="x", who=AMINA)
    assert await world.status(order) is OrderStatus.REVIEW
    assert await world.live() == [True]


async def test_an_order_that_may_still_be_paid_is_not_closed(world: World) -> None:
    order = await world.order()
    await world.reviewed(order, "silent", captured=0, button="pending")
    order = await world.set_order(order, status=OrderStatus.REVIEW, reason="silent")
    with pytest.raises(NotPossible, match="may still be paid"):
        await world.closing.close(order.ref, why="x", who=AMINA)


async def test_a_payment_that_waits_is_closed_and_its_paid_order_stays(world: World) -> None:
    order = await world.paid()
    await world.reviewed(order, "track", captured=0, button="cancel")
    await world.closing.close(order.ref, why="x", who=AMINA)
    assert await world.status(order) is OrderStatus.POSTED
    assert await world.statuses("attempts") == ["PAID", "EXPIRED"]
    assert await world.live() == [True]
    with pytest.raises(NotPossible, match="waits for nobody"):
        await world.closing.close(order.ref, why="x", who=AMINA)


async def test_what_went_back_in_the_portal_is_closed_as_refunded(world: World) -> None:
    order = await world.order()
    attempt = await world.reviewed(order, "currency", knob="currency")
    order = await world.set_order(order, status=OrderStatus.REVIEW, reason="currency")
    given = await world.browser.post(
        "/gateway/v1/refunds",
        headers={"authorization": "Bearer shared-with-the-sandbox"},
        json={"track_id": attempt.track, "amount": "5.000", "key": "PORTAL"},
    )
    assert given.json()["status"] == "CAPTURED"
    await world.closing.close(order.ref, why="given back in the portal", who=AMINA)
    assert await world.status(order) is OrderStatus.CANCELLED
    assert await world.statuses("attempts") == ["REFUNDED"]


async def test_a_refused_record_is_tried_again(world: World) -> None:
    order = await world.paid(posted=False)
    await world.set_order(order, status=OrderStatus.REVIEW, reason="not_payable", post_due=None)
    again = await world.closing.retry_posting(order.ref, who=AMINA)
    assert (again.status, again.reason, again.post_due) == (OrderStatus.PAID, "", world.clock.now())
    assert (await world.rows("audit"))[-1]["what"] == "posting retried"
    with pytest.raises(NotPossible, match="does not wait"):
        await world.closing.retry_posting(order.ref, who=AMINA)


async def test_what_the_registry_did_not_refuse_is_not_tried_again(world: World) -> None:
    order = await world.order()
    await world.reviewed(order, "amount")
    order = await world.set_order(order, status=OrderStatus.REVIEW, reason="amount")
    with pytest.raises(NotPossible, match="does not wait"):
        await world.closing.retry_posting(order.ref, who=AMINA)
    assert await world.statuses("attempts") == [AttemptStatus.REVIEW]
