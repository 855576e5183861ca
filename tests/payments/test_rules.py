"""The rules of a payment, at every gateway and on both databases: however the news come, in whatever order."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from structlog.testing import capture_logs

from bot.dialogs.checkout import PayLink, Status
from bot.services.orders.refunds import Refunds
from bot.services.payments.gateways import Gateways
from tests.payments.counterparts.bank import SILENCE
from tests.payments.world import World

EVERYWHERE = pytest.mark.parametrize("provider", ["sandbox", "knet", "tap", "myfatoorah"])
REAL = pytest.mark.parametrize("provider", ["knet", "tap", "myfatoorah"])

MINUTE = 60
HOUR = 3600
PROBE = "7B997A6FBEF71C1A37838269B66F4DFF000000000000000000000000000000007B997A6FBEF71C1A37838269B66F4DFF"
"""A ciphertext that would give KNET's key away to whoever sees what it decrypts to."""


async def back(world: World, way: str) -> httpx.Response:
    """The browser follows the gateway's way back."""
    return await world.browser.get(way)


async def held(world: World, button: str = "approved", knob: str = "") -> PayLink:
    """Somebody paid, and the notification is still under way."""
    link = await world.open()
    page = await world.press_pay(link)
    world.ears.held = True
    await world.press(page, button, knob)
    world.ears.held = False
    assert world.ears.heard
    return link


async def settled_once(world: World, link: PayLink) -> None:
    assert (await world.check(link.order)).status is Status.POSTED
    assert await world.statuses("attempts") == ["PAID"]
    assert world.chats.kinds.count("paid") == 1
    assert list(world.registry.recorded) == [link.order]
    assert [row["what"] for row in await world.rows("order_history")].count("paid") == 1


# --- 1: the same notification again ---------------------------------------------------------------


@EVERYWHERE
async def test_the_same_notification_again_gets_the_same_answer(world: World) -> None:
    link = await held(world)
    first, second = await world.replay(), await world.replay()
    assert first.status_code == 200
    assert (first.text, first.status_code) == (second.text, second.status_code)
    await settled_once(world, link)


@EVERYWHERE
async def test_twenty_notifications_at_once_are_one_payment(world: World) -> None:
    link = await held(world)
    answers = await asyncio.gather(*(world.replay() for _ in range(20)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, answers[0].text)}
    await settled_once(world, link)
    (event,) = await world.rows("gateway_events")
    assert event["repeats"] == 19


# --- 2: the way back before, after and without the notification -----------------------------------


@EVERYWHERE
async def test_back_before_the_notification(world: World) -> None:
    link = await held(world)
    way = await world.rows("links")
    assert way
    await world.check(link.order)
    await world.replay()
    await settled_once(world, link)


@EVERYWHERE
async def test_back_after_the_notification(world: World) -> None:
    link = await world.open()
    way = await world.pay(link)
    assert link.order in (await back(world, way)).text
    await settled_once(world, link)


@EVERYWHERE
async def test_back_without_any_notification(world: World) -> None:
    link = await world.open()
    way = await world.pay(link, knob="missing")
    assert world.chats.kinds == []
    assert link.order in (await back(world, way)).text
    await settled_once(world, link)


@EVERYWHERE
async def test_a_notification_after_the_sweep(world: World) -> None:
    link = await held(world)
    world.clock.advance(2 * MINUTE)
    await world.orders.sweep()
    assert world.chats.kinds == ["paid"]
    assert (await world.replay()).status_code == 200
    await settled_once(world, link)


# --- 3: altered ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "what"),
    [
        (provider, what)
        for provider in ("sandbox", "knet", "tap", "myfatoorah")
        for what in ("amount", "currency", "track", "merchant")
        if (provider, what) != ("sandbox", "merchant")  # it has one merchant
    ],
)
async def test_an_enquiry_about_something_else_is_never_paid(world: World, what: str) -> None:
    link = await world.open()
    way = await world.pay(link, knob=what)
    await back(world, way)
    world.clock.advance(2 * MINUTE)
    await world.orders.sweep()
    assert world.registry.recorded == {}
    assert "paid" not in world.chats.kinds
    assert "PAID" not in await world.statuses("attempts")
    standing = await world.check(link.order)
    assert standing.status in {Status.REVIEW, Status.UNKNOWN}
    if standing.status is Status.REVIEW:
        assert world.chats.kinds == ["review"]


# --- 4: contradictions ---------------------------------------------------------------------------


@REAL
async def test_captured_then_refused_is_paid(world: World) -> None:
    link = await world.open()
    await world.pay(link, knob="reordered")
    await settled_once(world, link)
    assert len(world.ears.heard) == 2


@EVERYWHERE
async def test_refused_then_captured_is_paid(world: World) -> None:
    link = await world.open()
    page = await world.press_pay(link)
    await world.press(page, "funds")
    assert (await world.check(link.order)).status is Status.REFUSED
    await world.press(page, "approved", knob="again")
    await settled_once(world, link)
    assert world.chats.kinds == ["refused", "paid"]


# --- 5 and 6: silence ----------------------------------------------------------------------------


@EVERYWHERE
async def test_a_silent_bank_then_success(world: World) -> None:
    link = await world.open()
    await world.pay(link, "timeout")
    assert (await world.check(link.order)).status in {Status.UNKNOWN, Status.PENDING}
    assert world.chats.kinds == []
    # Nobody is led to a second payment meanwhile.
    assert (await world.browser.post(link.url, data={"go": "1"})).headers["location"].startswith("/p/")
    world.clock.advance(max(SILENCE, 2 * MINUTE))
    await world.orders.sweep()
    await settled_once(world, link)


@EVERYWHERE
async def test_an_enquiry_that_fails_at_the_notification(world: World) -> None:
    link = await held(world)
    world.wire.cut = True
    answer = await world.replay()
    assert answer.status_code == 200
    assert await world.statuses("attempts") == ["UNKNOWN"]
    assert world.chats.kinds == []
    world.wire.cut = False
    assert (await world.replay()).text == answer.text
    await settled_once(world, link)


# --- 7: two pages of one bill --------------------------------------------------------------------


@EVERYWHERE
async def test_two_pages_of_one_bill_both_paid(world: World) -> None:
    link = await world.open()
    first = await world.press_pay(link)
    await world.cancel(link.order)
    second = await world.press_pay(await world.renew(link.order))
    assert second != first
    await world.press(second, "approved")
    await world.press(first, "approved")
    for _ in range(3):
        world.clock.advance(11 * MINUTE)
        await world.orders.sweep()
    assert sorted(await world.statuses("attempts")) == ["PAID", "REVIEW"]
    assert (world.chats.kinds.count("paid"), world.chats.kinds.count("review")) == (1, 1)
    assert world.chats.news[-1].data["reason"] == "second"
    assert list(world.registry.recorded) == [link.order]


@EVERYWHERE
async def test_paid_after_our_link_expired(world: World) -> None:
    link = await world.open()
    page = await world.press_pay(link)
    world.clock.advance(31 * MINUTE)
    assert (await world.browser.get(link.url)).status_code in {200, 410}
    await world.press(page, "approved", knob="again")
    await settled_once(world, link)


# --- 8 and 9: rubbish and forgeries --------------------------------------------------------------


@EVERYWHERE
async def test_all_rubbish_is_answered_alike_and_quoted_nowhere(world: World, provider: str) -> None:
    link = await held(world)
    _, body, headers = world.ears.heard[-1]
    before = await world.rows("attempts"), await world.rows("orders"), await world.rows("gateway_events")
    rubbish: list[tuple[bytes, dict[str, str]]] = [
        (b"", {}),
        (b"\xff\xfe\x00", headers),
        (b"{}", headers),
        (b"trandata=zz", {}),
        (b"trandata=" + PROBE.encode(), {}),
        (PROBE.encode(), {}),
        (b"trandata=" + PROBE[:62].encode(), {}),
        (body[:-2], headers),
        (body[:40], headers),
        (body + b"00", headers),
    ]
    if provider != "knet":  # whose notifications carry no signature
        rubbish += [(body, {}), (body, {name: value[::-1] for name, value in headers.items()})]
    with capture_logs() as logs:
        answers = [
            await world.browser.post(
                f"/payments/{provider}/notify", content=content, headers={**sent, "x-replayed": "1"}
            )
            for content, sent in rubbish
        ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(400, "refused")}
    assert len({tuple(sorted(answer.headers.keys())) for answer in answers}) == 1
    assert before == (
        await world.rows("attempts"),
        await world.rows("orders"),
        await world.rows("gateway_events"),
    )
    audit = await world.rows("audit")
    assert [row["what"] for row in audit] == ["notification refused"] * len(rubbish)
    said = repr(logs) + repr(audit)
    assert PROBE[:16] not in said
    assert "TESTKEY" not in said
    assert world.chats.news == []
    await world.replay()
    await settled_once(world, link)


@EVERYWHERE
async def test_a_notification_for_a_gateway_that_is_not_there(world: World) -> None:
    answer = await world.browser.post("/payments/nobody/notify", content=b"x")
    assert (answer.status_code, answer.text) == (400, "refused")


@EVERYWHERE
async def test_a_flood_of_rubbish_does_not_fill_the_ledger(world: World, provider: str) -> None:
    for _ in range(70):
        await world.browser.post(f"/payments/{provider}/notify", content=b"x")
    assert len(await world.rows("audit")) == 60


@pytest.mark.parametrize("paid", [True, False])
@EVERYWHERE
async def test_a_forged_error_changes_nothing(world: World, paid: bool) -> None:  # noqa: FBT001 - a parameter
    link = await world.open()
    page = await world.press_pay(link)
    way = await world.press(page, "approved" if paid else "pending")
    way = way.partition("?")[0]
    before = await world.rows("attempts"), await world.rows("orders"), list(world.chats.kinds)
    track = (await world.rows("attempts"))[0]["track"]
    forged = f"?Error=IPAY0100048&ErrorText=cancelled&trackid={track}&paymentid=1&amt=5.000&result=CANCELED"
    answer = await world.browser.get(way + forged)
    assert answer.status_code == 200
    after = await world.rows("attempts"), await world.rows("orders"), list(world.chats.kinds)
    if paid:
        assert after == before
    assert [row["status"] for row in after[1]] == [row["status"] for row in before[1]]
    assert "refused" not in world.chats.kinds
    nobody = await world.browser.get(f"/p/{'0' * 24}/return{forged}")
    assert nobody.status_code == 404


# --- 10: previews --------------------------------------------------------------------------------


@EVERYWHERE
async def test_a_preview_begins_nothing(world: World) -> None:
    link = await world.open()
    for _ in range(3):
        assert (await world.browser.get(link.url)).status_code == 200
        assert (await world.browser.head(link.url)).status_code == 200
    assert await world.rows("attempts") == []
    assert world.wire.passed == []


# --- 11: refunds ---------------------------------------------------------------------------------


@EVERYWHERE
async def test_a_refund_is_done_only_on_the_gateways_word(world: World) -> None:
    link = await world.open()
    await world.pay(link)
    refunds = Refunds(world.ledger, Gateways(world.payments), world.clock)
    row = await refunds.refund(link.order, fils=2_000, why="test", who="tester")
    for _ in range(6):
        world.clock.advance(10 * MINUTE)
        await world.orders.sweep()
    (kept,) = await world.rows("refunds")
    assert (kept["key"], kept["fils"], kept["status"]) == (row.key, 2_000, "done")
    assert world.chats.kinds == ["paid", "refunded"]
    assert world.chats.news[-1].data["refunded"] == 2_000
    assert (await world.check(link.order)).refunded == 2_000


@EVERYWHERE
async def test_a_refund_without_an_answer_is_not_called_done(world: World) -> None:
    link = await world.open()
    await world.pay(link)
    refunds = Refunds(world.ledger, Gateways(world.payments), world.clock)
    real, asked = world.payments.enquire, 0

    async def then_cut(*args: object) -> object:
        nonlocal asked
        asked += 1
        answer = await real(*args)  # type: ignore[arg-type]  # whatever the port is asked
        world.wire.cut = True
        return answer

    _replace(world, then_cut)
    row = await refunds.refund(link.order, fils=2_000, why="test", who="tester")
    assert asked == 1
    assert row.status.value == "unknown"
    assert world.chats.kinds == ["paid"]


def _replace(world: World, enquire: Callable[..., Awaitable[object]]) -> None:
    """The line goes dead between the question and the refund."""
    world.payments.enquire = enquire  # type: ignore[method-assign,assignment]  # only in this world
