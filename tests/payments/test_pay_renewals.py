"""Renewing residencies: each part recorded once and apart, no price that changed, nobody's permit twice."""

import asyncio

import msgspec
import pytest

from bot.dialogs.checkout import CheckoutRefused, OpenOrder, Recording, Share, Status
from bot.domain import Basket, Item, Relation
from bot.errors import Forbidden, Unavailable, Unsigned
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.i18n.text import Local
from bot.model import Chat
from bot.ports import Failed
from bot.residency.facts import Body
from bot.services.authority import guarded
from bot.services.ledger import Posting
from bot.services.orders.closing import Closing
from bot.services.orders.parts import POST_SIDE_BY_SIDE
from bot.services.orders.refunds import NotPossible, Refunds
from bot.services.payments.gateways import Gateways
from bot.services.receipts import Printer, Receipts
from tests.payments.world import HERE, OWNER, SUBJECT, THERE, World, asked, item, renewal

MINUTE = 60
HOUR = 3600
WIFE, SON = renewal("WIFE", 40_000), renewal("SON", 60_000, 1, 3)
OWNERS = ("285011500029", "312010100017")
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def fine(number: str, part: int, fils: int = 5_000) -> Item:
    made = item(number, fils)
    return Item(made.number, made.kind, made.title, made.fils, part=part)


async def postings(world: World, ref: str) -> list[Posting]:
    async with world.ledger.read() as read:
        order = await read.order(ref)
        assert order is not None
        return await read.postings(order.id)


async def stand(world: World, ref: str) -> list[tuple[str, str]]:
    return [(each.status, each.reason) for each in await postings(world, ref)]


async def refused(world: World, *items: Item, chat: Chat = HERE) -> str:
    with pytest.raises(Failed) as caught:
        await world.open(*items, key="9:9", chat=chat)
    return caught.value.word


def closing(world: World) -> Closing:
    return Closing(world.ledger, Gateways(world.payments), world.clock)


# --- recording ---------------------------------------------------------------------------------------


async def test_each_part_is_recorded_under_its_own_reference(world: World) -> None:
    link = await world.open(WIFE, fine("F1", 0), SON)
    await world.pay(link)
    assert {name: [line.number for line in said[2]] for name, said in world.registry.recorded.items()} == {
        f"{link.order}-1": ["P-WIFE", "F1"],
        f"{link.order}-2": ["P-SON"],
    }
    assert {said[2][0].until for said in world.registry.recorded.values()} == {"2028-12-31", "2029-12-31"}
    how = await world.check(link.order)
    assert how.status is Status.POSTED
    assert (how.shares.fines, how.shares.renewals, how.shares.recorded, how.shares.refused) == (1, 2, 2, 0)
    assert how.shares.people == (
        Share(WIFE.title, 2, "2028-12-31", Recording.POSTED, 1),
        Share(SON.title, 3, "2029-12-31", Recording.POSTED),
    )
    assert world.chats.kinds == ["paid"]
    assert world.chats.news[0].data["shares"]["recorded"] == 2


async def test_an_order_of_one_part_keeps_its_own_reference(world: World) -> None:
    link = await world.open(WIFE, fine("F1", 0))
    await world.pay(link)
    assert world.registry.heard == [link.order]
    assert (await world.check(link.order)).shares.people[0].fines == 1


async def test_only_fines_have_no_people(world: World) -> None:
    link = await world.open(item("F1"), item("F2"))
    await world.pay(link)
    shares = (await world.check(link.order)).shares
    assert (shares.fines, shares.renewals, shares.people) == (2, 0, ())


async def test_what_is_recorded_is_not_recorded_again_when_the_rest_is(world: World) -> None:
    world.registry.down_for = {"P-SON"}
    link = await world.open(WIFE, SON)
    await world.pay(link)
    assert await stand(world, link.order) == [("posted", ""), ("pending", "")]
    how = await world.check(link.order)
    assert how.status is Status.PAID
    assert [share.state for share in how.shares.people] == [Recording.PENDING, Recording.POSTED]
    for _ in range(3):
        world.clock.advance(HOUR)
        await world.orders.sweep()
    world.registry.down_for = set()
    world.clock.advance(HOUR)
    await world.orders.sweep()
    assert (await world.check(link.order)).status is Status.POSTED
    assert world.registry.heard.count(f"{link.order}-1") == 1
    assert world.registry.heard.count(f"{link.order}-2") == 5
    assert world.chats.kinds == ["paid", "posted"]


async def test_a_process_that_dies_asks_again_for_what_it_had_not_written_down(world: World) -> None:
    world.registry.down = True
    lines = tuple(renewal(f"{number}", 1_000, number) for number in range(100))
    link = await world.open(*lines)
    await world.pay(link)
    assert world.registry.calls <= POST_SIDE_BY_SIDE, "a registry that is down is not asked a hundred times"
    world.registry.down, world.registry.heard, world.registry.dies_at = False, [], "P-80"
    with pytest.raises(asyncio.CancelledError):
        await world.another_process().post(link.order)
    said = await stand(world, link.order)
    assert said == [("posted", "")] * 64 + [("pending", "")] * 36
    world.registry.dies_at = ""
    before = dict(world.registry.recorded)
    world.registry.heard = []
    world.clock.advance(HOUR)
    await world.orders.sweep()
    assert (await world.check(link.order)).status is Status.POSTED
    assert len(world.registry.heard) == 36
    assert 1 < world.registry.most_at_once <= POST_SIDE_BY_SIDE
    assert len(world.registry.recorded) == 100
    assert before == {name: world.registry.recorded[name] for name in before}


async def test_a_part_that_is_refused_stops_no_other_and_is_told(world: World) -> None:
    world.registry.refuses_parts = {"P-SON": "not_renewable"}
    link = await world.open(WIFE, SON, fine("F1", 1))
    await world.pay(link)
    assert await stand(world, link.order) == [("posted", ""), ("refused", "not_renewable")]
    how = await world.check(link.order)
    assert (how.status, how.reason, how.receipt) == (Status.REVIEW, "partly", link.order)
    assert how.paper
    assert how.shares.people == (
        Share(SON.title, 3, "2029-12-31", Recording.REFUSED, 1),
        Share(WIFE.title, 2, "2028-12-31", Recording.POSTED),
    )
    assert [(woken.kind, woken.data["reason"]) for woken in world.chats.news] == [
        ("paid", ""),
        ("review", "partly"),
    ]
    world.clock.advance(HOUR)
    await world.orders.sweep()
    assert world.registry.calls == 2, "a refusal is for a person, not for the sweep"
    # Neither of them can be paid for once more, here or elsewhere.
    for chat in (HERE, THERE):
        assert await refused(world, SON, chat=chat) == CheckoutRefused.ALREADY_PAID


async def test_all_refused_is_told_as_the_registry_says_it(world: World) -> None:
    world.registry.refuses = "unknown_permit"
    link = await world.open(WIFE, SON)
    await world.pay(link)
    how = await world.check(link.order)
    assert (how.status, how.reason, how.shares.refused) == (Status.REVIEW, "unknown_permit", 2)


async def test_a_retry_records_only_what_was_refused(world: World) -> None:
    world.registry.refuses_parts = {"P-SON": "years_not_offered"}
    link = await world.open(WIFE, SON)
    await world.pay(link)
    world.registry.refuses_parts, world.registry.heard = {}, []
    await closing(world).retry_posting(link.order, who="amina")
    assert await stand(world, link.order) == [("posted", ""), ("pending", "")]
    await world.orders.sweep()
    assert world.registry.heard == [f"{link.order}-2"]
    assert (await world.check(link.order)).status is Status.POSTED
    assert world.chats.kinds == ["paid", "review", "posted"]
    with pytest.raises(NotPossible):
        await closing(world).retry_posting(link.order, who="amina")


async def test_giving_back_what_was_refused_ends_the_review(world: World) -> None:
    world.registry.refuses_parts = {"P-SON": "not_renewable"}
    link = await world.open(WIFE, SON)
    await world.pay(link)
    refunds = Refunds(world.ledger, Gateways(world.payments), world.clock)
    await refunds.refund(link.order, fils=59_999, why="not renewable", who="amina")
    assert (await world.check(link.order)).status is Status.REVIEW
    await refunds.refund(link.order, fils=1, why="the rest", who="amina")
    how = await world.check(link.order)
    assert (how.status, how.refunded, how.shares.refused) == (Status.POSTED, 60_000, 1)
    live = {row["number"]: bool(row["live"]) for row in await world.rows("order_items")}
    assert live == {"P-WIFE": True, "P-SON": False}
    await world.open(SON, chat=THERE)


async def test_many_posts_at_once_end_in_one_truth(world: World) -> None:
    world.registry.down = True
    link = await world.open(WIFE, SON)
    await world.pay(link)
    world.registry.down = False
    await asyncio.gather(*(world.another_process().post(link.order) for _ in range(3)))
    assert await stand(world, link.order) == [("posted", "")] * 2
    assert world.chats.kinds == ["paid", "posted"]


# --- one permit in one live order --------------------------------------------------------------------


async def test_a_permit_is_in_one_live_order(world: World) -> None:
    await world.open(WIFE, SON)
    assert await refused(world, WIFE, chat=THERE) == CheckoutRefused.ELSEWHERE
    outcomes = await asyncio.gather(
        *(
            world.another_process().open(
                OpenOrder(SUBJECT, (renewal("X"),), OWNERS), asked("1:0", Chat("web", str(n)))
            )
            for n in range(5)
        ),
        return_exceptions=True,
    )
    assert [type(each).__name__ for each in outcomes].count("PayLink") == 1
    assert {each.word for each in outcomes if isinstance(each, Failed)} == {CheckoutRefused.ELSEWHERE}


# --- prices ------------------------------------------------------------------------------------------


async def test_a_price_is_checked_with_those_it_concerns_before_an_order_opens(world: World) -> None:
    await world.orders.open(OpenOrder(SUBJECT, (WIFE, SON), OWNERS), asked("1:0"))
    await world.orders.open(OpenOrder(SUBJECT, (renewal("W"),), (), "70012345"), asked("2:0"))
    assert world.prices.asked == [(2, OWNERS, ""), (1, (), "70012345")]


async def test_nobody_renews_without_saying_for_whom(world: World) -> None:
    world.prices.baskets = {("B-7F3C-9A1D", HERE): (WIFE,)}
    for effect in (OpenOrder(SUBJECT, (WIFE,)), OpenOrder(SUBJECT, basket=basket(WIFE))):
        with pytest.raises(Forbidden):
            await world.orders.open(effect, asked("1:0"))
    assert await world.rows("orders") == []


async def test_a_sponsor_opens_an_order_for_the_file_and_a_user_for_the_body(world: World) -> None:
    class Records:
        async def relations(self, actor: str, person: str) -> frozenset[Relation]:
            return frozenset({Relation.SPONSOR} if (actor, person) == OWNERS else ())

        async def bodies(self, actor: str) -> tuple[Body, ...]:
            return (Body("70012345", Local("شركة", "Company")),) if actor == OWNERS[1] else ()

    gate = guarded({OpenOrder: world.orders.open}, Records())[OpenOrder]

    async def opens(effect: OpenOrder, actor: str, number: int) -> bool:
        who = msgspec.structs.replace(asked(f"{number}:0"), actor=actor)
        return bool(await gate(effect, who))

    family = OpenOrder(SUBJECT, (WIFE, SON), OWNERS)
    worker = OpenOrder(SUBJECT, (renewal("WORKER"),), (), "70012345")
    assert await opens(OpenOrder(SUBJECT, (item("F1"),)), "", 1)
    assert await opens(family, OWNERS[0], 2)
    assert await opens(worker, OWNERS[1], 3)
    for effect, actor, error in (
        (family, "", Unsigned),
        (family, OWNERS[1], Forbidden),
        (worker, "", Unsigned),
        (worker, OWNERS[0], Forbidden),
    ):
        with pytest.raises(error):
            await opens(effect, actor, 4)


async def test_fines_alone_need_no_price_check(world: World) -> None:
    world.prices.hold = False
    link = await world.open(item("F1"))
    await world.renew(link.order)
    await world.pay(link)
    assert world.prices.asked == []


async def test_nothing_opens_for_a_price_that_changed(world: World) -> None:
    first = await world.open(WIFE, key="1:0")
    world.prices.hold = False
    assert await refused(world, WIFE, SON) == CheckoutRefused.CHANGED
    assert await world.statuses("orders") == ["open"], "what the chat had stays as it was"
    assert await refused(world, WIFE) == CheckoutRefused.CHANGED
    assert (await world.check(first.order)).status is Status.NONE


async def test_no_new_link_for_a_price_that_changed(world: World) -> None:
    link = await world.open(WIFE)
    world.prices.hold = False
    with pytest.raises(Failed, match=CheckoutRefused.CHANGED):
        await world.renew(link.order)
    assert await world.statuses("orders") == ["cancelled"]
    with pytest.raises(Failed, match=CheckoutRefused.CHANGED):
        await world.renew(link.order)
    world.prices.hold = True
    await world.open(WIFE, chat=THERE)


async def test_the_button_leads_nowhere_for_a_price_that_changed(world: World) -> None:
    link = await world.open(WIFE)
    world.prices.hold = False
    answer = await world.browser.post(link.url, data={"go": "1"})
    assert answer.status_code == 409
    assert "Nothing was taken." in answer.text
    assert await world.rows("attempts") == []
    assert await world.statuses("orders") == ["cancelled"]
    assert (await world.browser.get(link.url)).status_code == 200


async def test_a_price_that_changed_while_somebody_pays_does_not_hide_the_payment(world: World) -> None:
    link = await world.open(WIFE)
    page = await world.press_pay(link)
    await world.press(page, "approved", knob="missing")
    world.prices.hold = False
    answer = await world.browser.post(link.url, data={"go": "1"})
    assert answer.status_code == 303
    assert (await world.check(link.order)).status is Status.POSTED
    with pytest.raises(Failed, match=CheckoutRefused.ALREADY_PAID):
        await world.renew(link.order)


async def test_nothing_is_begun_while_nobody_can_check_the_price(world: World) -> None:
    link = await world.open(WIFE)
    world.prices.down = True
    for act in (world.open(SON, key="2:0"), world.renew(link.order)):
        with pytest.raises(Unavailable):
            await act
    assert (await world.browser.post(link.url, data={"go": "1"})).status_code == 503
    assert await world.rows("attempts") == []
    assert await world.statuses("orders") == ["open"]


# --- pages and paper ---------------------------------------------------------------------------------


@on_sqlite
async def test_the_page_says_whose_residency_until_when_and_what_is_agreed_to(world: World) -> None:
    link = await world.open(WIFE, fine("F1", 0), SON)
    page = (await world.browser.get(f"{link.url}?lang=en")).text
    for said in ("Residency renewal and fines", "Dependant WIFE", "Dependant SON", "Fine F1", "105.000"):
        assert said in page
    assert "is not returned once it is recorded" in page
    assert "A fine paid is not returned here either" in page
    assert OWNER not in page
    only = await world.open(renewal("ONE"), key="2:0")
    page = (await world.browser.get(f"{only.url}?lang=en")).text
    assert "Residency renewal and fines" not in page
    assert "Residency renewal" in page
    assert "A fine paid" not in page
    fines = await world.open(item("F9"), key="3:0")
    page = (await world.browser.get(f"{fines.url}?lang=en")).text
    assert "Payment of fines" in page
    assert "is not returned once it is recorded" not in page


@on_sqlite
async def test_the_way_back_and_the_paper_tell_of_everybody(world: World) -> None:
    world.registry.refuses_parts = {"P-SON": "not_renewable"}
    link = await world.open(WIFE, fine("F1", 0), SON)
    back = await world.browser.get(await world.pay(link))
    for said in ("Payment under review", "✓ معال WIFE", "✕ معال SON", "Nobody is charged twice"):
        assert said in back.text
    printer = Printer(Renderer(Catalog()))
    receipts = Receipts(world.ledger, world.keyring, world.clock, printer, world.url)
    proof = await receipts.verify(receipts.proof(link.order).rsplit("/", 1)[1])
    assert proof is not None
    assert (proof.fines, proof.renewals, proof.refused, proof.total) == (1, 2, 1, 105_000)
    opened = await receipts.open(receipts.link(link.order).rsplit("/", 1)[1].removesuffix(".pdf"))
    assert opened is not None
    assert opened[1].startswith(b"%PDF-")


# --- baskets -----------------------------------------------------------------------------------------


def basket(*items: Item) -> Basket:
    return Basket("B-7F3C-9A1D", len(items), sum(each.fils for each in items))


@pytest.mark.parametrize("kept", ["gone", "another chat's", "another sum"])
async def test_a_basket_that_is_not_what_was_quoted(world: World, kept: str) -> None:
    whose = THERE if kept == "another chat's" else HERE
    if kept != "gone":
        world.prices.baskets = {("B-7F3C-9A1D", whose): (WIFE,) if kept == "another sum" else (WIFE, SON)}
    with pytest.raises(Failed, match=CheckoutRefused.CHANGED):
        await world.orders.open(OpenOrder(SUBJECT, body="70012345", basket=basket(WIFE, SON)), asked("1:0"))
    assert await world.rows("orders") == []


@on_sqlite
async def test_five_thousand_workers_are_opened_paid_and_recorded_once_each(world: World) -> None:
    workers = tuple(renewal(f"{number}", 20_000, number, 1 + number % 3) for number in range(5_000))
    world.prices.baskets = {("B-7F3C-9A1D", HERE): workers}
    world.registry.refuses_parts = {"P-4321": "not_renewable"}
    effect = OpenOrder(SUBJECT, body="70012345", basket=basket(*workers))
    link = await world.orders.open(effect, asked("1:0"))
    page = (await world.browser.get(f"{link.url}?lang=en")).text
    assert page.count("<li>") == 21
    assert "4980 more" in page.replace(",", "")
    await world.pay(link)
    for _ in range(3):
        await world.orders.sweep()
    assert sorted(world.registry.heard) == sorted(f"{link.order}-{number}" for number in range(1, 5_001))
    how = await world.check(link.order)
    assert (how.status, how.shares.renewals, how.shares.recorded, how.shares.refused) == (
        Status.REVIEW,
        5_000,
        4_999,
        1,
    )
    assert len(how.shares.people) == 10
    assert how.shares.people[0].state is Recording.REFUSED
