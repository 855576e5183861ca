"""The two addresses: what opens, what does not, and what they give away."""

import itertools

import pytest

from bot.crypto import Keyring
from bot.services.ledger import AttemptStatus, OrderStatus, RefundStatus
from bot.services.receipts import Standing
from bot.services.receipts.service import LINK_DAYS
from tests.receipts.desk import BASE, HERE, NOON, SUBJECT, THERE, Office, fines, token_of

DAY = 24 * 3600
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what no database can change."""


async def test_a_link_opens_the_order_s_pdf(office: Office) -> None:
    order = await office.paid()
    url = office.receipts.link(order.ref)
    assert url.startswith(f"{BASE}/receipts/")
    opened = await office.receipts.open(token_of(url))
    assert opened is not None
    name, pdf = opened
    assert name == f"iqamati-{order.ref}.pdf"
    assert pdf.startswith(b"%PDF-")
    assert await office.receipts.name(token_of(url)) == name


@on_sqlite
async def test_a_link_works_for_seven_days(office: Office) -> None:
    order = await office.paid()
    token = token_of(office.receipts.link(order.ref))
    office.clock.at += LINK_DAYS * DAY - 1
    assert await office.receipts.name(token) is not None
    office.clock.at += 1
    assert await office.receipts.name(token) is None
    assert await office.receipts.open(token) is None
    assert await office.receipts.name(token_of(office.receipts.link(order.ref))) is not None


@on_sqlite
async def test_a_proof_is_always_the_same_and_lasts(office: Office) -> None:
    order = await office.paid()
    url = office.receipts.proof(order.ref)
    assert url.startswith(f"{BASE}/r/")
    office.clock.at += 3650 * DAY
    assert office.receipts.proof(order.ref) == url
    assert await office.receipts.verify(token_of(url)) is not None


@on_sqlite
async def test_no_altered_token_opens_anything(office: Office) -> None:
    order, other = await office.paid(), await office.paid()
    link = token_of(office.receipts.link(order.ref))
    proof = token_of(office.receipts.proof(order.ref))
    ref, until, mac = link.split("_")
    later = f"{int(until, 16) + DAY:08x}"
    forged = [
        "",
        link[:-1],
        link + "0",
        link.upper(),
        f"{ref}_{later}_{mac}",
        f"{other.ref}_{until}_{mac}",
        f"{ref}_{until}_{token_of(office.receipts.link(other.ref)).split('_')[2]}",
        f"{ref}_{until}_{proof.split('_')[1]}",
        f"{ref}_{until}_{'0' * 24}",
        f"{ref}_{until}",
        f"{link}\n",
        f"{ref}_{until}_{'٠' * 24}",
    ]
    forged += [link[:at] + ("0" if link[at] != "0" else "1") + link[at + 1 :] for at in range(len(link))]
    assert [await office.receipts.name(each) for each in forged] == [None] * len(forged)
    false = [
        proof[:-1],
        f"{proof}0",
        link,
        f"{other.ref}_{proof.split('_')[1]}",
        f"{ref}_{mac}",
        proof.upper(),
    ]
    assert [await office.receipts.verify(each) for each in false] == [None] * len(false)
    assert await office.receipts.open(proof) is None


@on_sqlite
async def test_another_key_s_tokens_open_nothing(office: Office) -> None:
    order = await office.paid()
    link, proof = office.receipts.link(order.ref), office.receipts.proof(order.ref)
    office.keyring = Keyring.parse(Keyring.generate())
    ours = office.over(office.ledger)
    assert await ours.name(token_of(link)) is None
    assert await ours.verify(token_of(proof)) is None


@on_sqlite
async def test_an_order_that_was_never_paid_has_no_receipt(office: Office) -> None:
    order = await office.unpaid()
    for ref in (order.ref, "IQ-0000-0000"):
        assert await office.receipts.name(token_of(office.receipts.link(ref))) is None
        assert await office.receipts.open(token_of(office.receipts.link(ref))) is None
        assert await office.receipts.verify(token_of(office.receipts.proof(ref))) is None


@on_sqlite
async def test_the_addresses_name_nobody(office: Office) -> None:
    order = await office.paid()
    for url in (office.receipts.link(order.ref), office.receipts.proof(order.ref)):
        assert all(each not in url for each in (SUBJECT, HERE.id, order.chat_blind, order.bank))


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        (OrderStatus.PAID, Standing.RECORDING),
        (OrderStatus.POSTED, Standing.RECORDED),
        (OrderStatus.REVIEW, Standing.REVIEW),
        (OrderStatus.REFUNDED, Standing.REFUNDED),
    ],
)
@on_sqlite
async def test_a_proof_says_how_the_payment_stands(
    office: Office, status: OrderStatus, standing: Standing
) -> None:
    order = await office.paid(status=status)
    proof = await office.receipts.verify(token_of(office.receipts.proof(order.ref)))
    assert proof is not None
    assert proof.standing is standing
    assert (proof.order, proof.total, proof.paid_at) == (order.ref, 45_000, NOON)
    assert proof.bank == order.bank
    assert proof.refunded == (45_000 if standing is Standing.REFUNDED else 0)
    assert not proof.trial
    assert SUBJECT not in repr(proof)


@on_sqlite
async def test_a_trial_payment_is_called_one(office: Office) -> None:
    order = await office.paid(provider="sandbox")
    proof = await office.receipts.verify(token_of(office.receipts.proof(order.ref)))
    assert proof is not None
    assert proof.trial


async def test_only_refunds_carried_out_count(office: Office) -> None:
    order = await office.paid()
    token = token_of(office.receipts.proof(order.ref))
    seen = []
    for fils, status in (
        (4_000, RefundStatus.REFUSED),
        (10_000, RefundStatus.DONE),
        (5_500, RefundStatus.DONE),
        (29_500, RefundStatus.ASKED),
    ):
        await office.refund(order, fils, status=status)
        proof = await office.receipts.verify(token)
        assert proof is not None
        seen.append((proof.standing, proof.refunded))
    assert seen == [(Standing.RECORDED, sum_) for sum_ in (0, 10_000, 15_500, 15_500)]
    (listed,) = await office.receipts.of_chat(HERE)
    assert listed.refunded == 15_500


async def test_all_of_it_given_back_is_a_refunded_receipt(office: Office) -> None:
    order = await office.paid()
    for fils in (10_000, 35_000):
        await office.refund(order, fils)
    async with office.ledger.write() as work:
        (attempt,) = await work.attempts(order.id)
        await work.set_attempt(attempt, NOON, "op", "refunded", status=AttemptStatus.REFUNDED)
    proof = await office.receipts.verify(token_of(office.receipts.proof(order.ref)))
    assert proof is not None
    assert (proof.standing, proof.refunded) == (Standing.REFUNDED, 45_000)
    (listed,) = await office.receipts.of_chat(HERE)
    assert listed.refunded == 45_000


@pytest.mark.parametrize("earlier", [True, False])
async def test_another_capture_given_back_changes_no_receipt(office: Office, *, earlier: bool) -> None:
    order = await office.unpaid()
    if earlier:
        await office.other_capture(order)
    await office.pay(order)
    if not earlier:
        await office.other_capture(order)
    proof = await office.receipts.verify(token_of(office.receipts.proof(order.ref)))
    assert proof is not None
    assert (proof.standing, proof.refunded) == (Standing.RECORDED, 0)
    (listed,) = await office.receipts.of_chat(HERE)
    assert listed.refunded == 0


async def test_a_chat_lists_its_own_paid_orders_newest_first(office: Office) -> None:
    mine = []
    for number in range(8):
        mine.append((await office.paid(fines(1_000 * (number + 1)))).ref)
        # Two at a time in one second: their sequence must still be one.
        office.clock.at += number % 2
    await office.unpaid()
    theirs = await office.paid(chat=THERE)
    newest = list(reversed(mine))

    first = await office.receipts.of_chat(HERE)
    assert [each.order for each in first] == newest[:6]
    assert [each.total for each in first] == [8_000, 7_000, 6_000, 5_000, 4_000, 3_000]
    assert all(each.refunded == 0 for each in first)
    rest = await office.receipts.of_chat(HERE, before=first[-1].order)
    assert [each.order for each in rest] == newest[6:]
    assert await office.receipts.of_chat(HERE, before=mine[0]) == ()
    assert [each.order for each in await office.receipts.of_chat(THERE)] == [theirs.ref]

    seen: list[str] = []
    before = ""
    for _ in itertools.takewhile(lambda _: len(seen) < len(mine), range(20)):
        (one,) = await office.receipts.of_chat(HERE, before=before, limit=1)
        seen.append(before := one.order)
    assert seen == newest


async def test_another_chat_s_order_is_no_place_to_go_on_from(office: Office) -> None:
    await office.paid()
    theirs = await office.paid(chat=THERE)
    assert await office.receipts.of_chat(HERE, before=theirs.ref) == ()
    assert await office.receipts.of_chat(HERE, before="IQ-NONE") == ()
