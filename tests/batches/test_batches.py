"""Batches: from a file to verdicts and a price, whoever dies on the way."""

import asyncio
import csv
import io
from typing import Any

import msgspec
import openpyxl
import pytest

from bot.clock import local
from bot.crypto import Keyring
from bot.dialogs.company.effects import (
    Batch,
    BatchRefused,
    FindTemplate,
    QuoteBatch,
    ReadBatch,
    StartBatch,
    StartBatchRefused,
    StopBatch,
)
from bot.domain import ItemKind
from bot.errors import Unavailable
from bot.model import Woken
from bot.ports import Failed
from bot.residency import assess
from bot.services.batches.parts import AGAIN, LEASE
from bot.services.batches.workbook import Table, excel, text
from bot.services.ledger.privacy import Letting
from bot.services.orders.parts import chat_blind
from bot.services.privacy import PERIODS, Retention
from tests.batches.sheets import excel as sheet
from tests.batches.world import (
    COMPANY,
    ELSEWHERE,
    GOVERNMENT,
    GREAT,
    HERE,
    ONE,
    QUOTE,
    SEVERAL,
    World,
    listed,
    staff,
)

STRANGER = "285011500029"
WRONG = ("285011500028", "2.85012E+11", "-")
DAY = 24 * 3600
FORMULAS = ("=1+1", '=HYPERLINK("https://evil.example","x")', "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1")


def refused(word: str) -> Any:
    return pytest.raises(Failed, match=word)


async def great(world: World, count: int, **other: Any) -> Batch:
    """``count`` workers of the great company, from whoever may act for it."""
    return await world.checked(listed(staff(GREAT)[:count]), GREAT, world.asked(SEVERAL), **other)


def kinds(told: list[Woken]) -> list[str]:
    return [each.kind for each in told]


# --- checking ------------------------------------------------------------------------------------


async def test_every_row_is_counted_once(world: World) -> None:
    workers = staff(COMPANY)
    batch = await world.checked(listed([*workers, *WRONG, STRANGER, workers[0], workers[0]]))
    assert batch.total == batch.done == len(workers) + len(WRONG) + 3
    assert (batch.unknown, batch.repeated) == (len(WRONG) + 1, 2)
    assert batch.ready + batch.blocked == len(workers)
    assert batch.ready, "some can be renewed"
    assert batch.blocked, "and some cannot"
    assert [offer.years for offer in batch.offers] == sorted({offer.years for offer in batch.offers})
    assert batch.offers[0].count <= batch.ready
    assert world.calls() == 1


async def test_the_offers_are_what_the_registry_and_the_rules_say(world: World) -> None:
    batch = await world.checked(listed(staff(COMPANY)))
    permits = await world.registry.workers(COMPANY, staff(COMPANY))
    people = [assess(permit, local(world.clock.now()).date()) for permit in permits]
    for offer in batch.offers:
        theirs = [found for one in people if (found := one.offer(offer.years)) is not None]
        assert (offer.count, offer.fils) == (len(theirs), sum(each.fils for each in theirs))
    assert batch.ready == sum(one.ready for one in people)


async def test_the_chat_hears_how_far_it_is_and_once_when_it_is_done(world: World) -> None:
    # One part after the other: the last of two at once may take the last step, and is the end.
    checking = world.batches._checking
    checking.limits = msgspec.structs.replace(checking.limits, at_once=1)
    batch = await great(world, 250)
    assert kinds(world.told) == ["progress", "progress", "done"]
    news = [msgspec.convert(each.data, Batch) for each in world.told]
    assert [each.done for each in news] == sorted(each.done for each in news)
    assert news[-1].done == batch.total == 250
    assert news[-1].url.startswith("https://i.example/batches/")
    assert {(each.chat, each.dialog, each.ref) for each in world.told} == {(HERE, "batch", batch.ref)}
    await world.batches.sweep()
    assert kinds(world.told)[-1:] == ["done"]
    assert len(world.told) == 3


async def test_sent_twice_is_checked_once(world: World) -> None:
    content = listed(staff(COMPANY))
    first, second = await world.sends(content), await world.sends(content)
    await world.tasks.drain()
    assert first.ref == second.ref
    assert (await world.sends(content)).finished
    assert world.calls() == 1
    assert kinds(world.told) == ["done"]
    assert len(await world.rows("batches")) == 1


async def test_sent_at_once_from_two_processes(world: World) -> None:
    ref = await world.files.put(HERE, listed(staff(COMPANY)), "a.csv")
    effect = StartBatch(COMPANY, ref)
    both = await asyncio.gather(
        world.batches.start(effect, world.asked()), world.another().start(effect, world.asked())
    )
    assert len({batch.ref for batch in both}) == 1


async def test_another_day_body_chat_or_person_is_another_batch(world: World) -> None:
    content = listed(staff(GREAT)[:3])
    asked = world.asked(SEVERAL)
    found = [
        await world.sends(content, GREAT, asked),
        await world.sends(content, GOVERNMENT, asked),
        await world.sends(content, GREAT, world.asked(SEVERAL, ELSEWHERE)),
        await world.sends(content, GREAT, world.asked(ONE)),
    ]
    world.clock.at += DAY
    found.append(await world.sends(content, GREAT, asked))
    assert len({batch.ref for batch in found}) == 5


async def test_workers_of_another_body_are_unknown(world: World) -> None:
    batch = await world.checked(listed(staff(COMPANY)), GOVERNMENT, world.asked(SEVERAL))
    assert (batch.ready, batch.blocked, batch.unknown) == (0, 0, len(staff(COMPANY)))
    assert not batch.offers


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"just words", StartBatchRefused.EMPTY),
        (b"PK\x03\x04 broken", StartBatchRefused.UNREADABLE),
        (b"\n".join([STRANGER.encode()] * 5_001), StartBatchRefused.TOO_LONG),
    ],
)
async def test_what_is_no_list_is_refused(world: World, content: bytes, word: str) -> None:
    with refused(word):
        await world.sends(content)
    assert not await world.rows("batches")


async def test_a_file_that_is_gone_or_anothers(world: World) -> None:
    ref = await world.files.put(ELSEWHERE, listed(staff(COMPANY)), "a.csv")
    for file in (ref, "nothing"):
        with refused(StartBatchRefused.GONE):
            await world.batches.start(StartBatch(COMPANY, file), world.asked())


async def test_an_empty_list_is_offered_in_both_languages(world: World) -> None:
    for language in ("ar", "en"):
        template = await world.batches.template(FindTemplate(), world.asked(language=language))
        assert template.excel.endswith(f"/batches/list-{language}.xlsx")
        assert template.rows == 5_000
        filled = openpyxl.load_workbook(io.BytesIO(world.papers.blank(language, "xlsx") or b""))
        assert filled.active is not None
        filled.active["A2"] = STRANGER
        kept = io.BytesIO()
        filled.save(kept)
        assert (await world.sends(kept.getvalue(), asked=world.asked(language=language))).total == 1
    assert world.papers.blank("fr", "xlsx") is None
    assert world.papers.blank("ar", "pdf") is None
    assert (world.papers.blank("ar", "csv") or b"").startswith(b"\xef\xbb\xbf")


# --- who dies, and what fails --------------------------------------------------------------------


async def test_a_process_that_dies_in_the_middle(world: World) -> None:
    """Two parts are saved, two are being asked about when the process ends; another one asks about those two alone."""
    hold = world.holds(after=2)
    batch = await world.sends(listed(staff(GREAT)[:400]), GREAT, world.asked(SEVERAL))
    await world.until(lambda: world.calls() == 4 and len(world.told) == 2)
    await world.tasks.close()
    hold.set()
    world.stage.asked.clear()
    other = world.another()
    assert await other.sweep() == 0, "its lease is not over"
    world.clock.at += LEASE + 1
    assert await other.sweep() == 1
    after = await world.stands(batch, GREAT, world.asked(SEVERAL))
    assert after.done == after.total == after.ready + after.blocked + after.unknown == 400
    assert world.calls() == 2
    assert kinds(world.told)[-1:] == ["done"]
    assert await other.sweep() == 0


async def test_two_processes_do_not_take_up_one_batch(world: World) -> None:
    with world.away():
        await world.sends(listed(staff(COMPANY)))
        await world.tasks.drain()
    world.clock.at += AGAIN[0]
    done = await asyncio.gather(world.batches.sweep(), world.another().sweep())
    assert sorted(done) == [0, 1]


async def test_a_registry_that_fails_in_the_middle(world: World) -> None:
    """What it answered stays; the chat hears once that it waits; the rest is asked about when it is back."""
    asked = world.asked(SEVERAL)
    with world.away(after=2):
        batch = await great(world, 500)
        assert batch.waiting
        assert 0 < batch.done < 500
        for wait in AGAIN[:2]:
            world.clock.at += wait
            assert await world.batches.sweep() == 1
        assert await world.batches.sweep() == 0, "not at once again"
    waits = [each for each in world.told if each.data["waiting"]]
    assert len(waits) == 1
    before, done = world.calls(), batch.done
    world.stage.asked.clear()
    world.clock.at += 300
    assert await world.batches.sweep() == 1
    after = await world.stands(batch, GREAT, asked)
    assert after.finished
    assert not after.waiting
    assert world.calls() == (500 - done) // 100, before
    assert kinds(world.told)[-1] == "done"


async def test_a_registry_that_is_silent_for_hours(world: World) -> None:
    with world.away():
        await world.checked(listed(staff(COMPANY)))
        for _ in range(8):
            world.clock.at += 3600
            await world.batches.sweep()
    assert kinds(world.told) == ["progress", "stopped"]
    assert not await world.rows("batches")
    assert not await world.rows("batch_parts")
    assert (await world.checked(listed(staff(COMPANY)))).finished, "it can be sent again"


async def test_a_chat_that_cannot_be_told_is_told_later(world: World) -> None:
    world.deaf = True
    batch = await world.checked(listed(staff(COMPANY)))
    assert batch.finished
    assert not world.told
    world.deaf = False
    world.clock.at += LEASE + 1
    assert await world.batches.sweep() == 1
    assert kinds(world.told) == ["done"]
    assert world.calls() == 1


async def test_who_may_not_act_for_the_body_any_more(world: World) -> None:
    """Whoever sent it lost the right before it was checked: nothing is asked about anybody."""
    await world.sends(listed(staff(COMPANY)), COMPANY, world.asked(SEVERAL))
    await world.tasks.drain()
    assert kinds(world.told) == ["stopped"]
    assert world.calls() == 0
    assert not await world.rows("batch_parts")


async def test_stopping_forgets_it(world: World) -> None:
    content = listed(staff(GREAT)[:400])
    asked = world.asked(SEVERAL)
    with world.away(after=1):
        batch = await great(world, 400)
    await world.batches.stop(StopBatch(GREAT, batch.ref), asked)
    assert not await world.rows("batches")
    assert not await world.rows("batch_parts")
    world.clock.at += LEASE + 1
    assert await world.batches.sweep() == 0
    with refused(BatchRefused.GONE):
        await world.stands(batch, GREAT, asked)
    await world.batches.stop(StopBatch(GREAT, batch.ref), asked)
    again = await world.checked(content, GREAT, asked)
    assert again.finished
    assert again.ref != batch.ref


async def test_stopping_while_it_is_checked(world: World) -> None:
    asked = world.asked(SEVERAL)
    hold = world.holds(after=2)
    batch = await world.sends(listed(staff(GREAT)[:1_000]), GREAT, asked)
    await world.until(lambda: world.calls() == 6 and len(world.told) == 2)
    await world.batches.stop(StopBatch(GREAT, batch.ref), asked)
    hold.set()
    await world.tasks.drain()
    assert "done" not in kinds(world.told)
    assert world.calls() == 6, "nobody more than was in hand"
    assert not await world.rows("batch_parts")


# --- whose it is ---------------------------------------------------------------------------------


async def test_a_batch_is_its_chats_its_persons_and_its_bodys(world: World) -> None:
    batch = await world.checked(listed(staff(COMPANY)))
    strangers = (
        (COMPANY, world.asked(ONE, ELSEWHERE)),
        (COMPANY, world.asked(SEVERAL)),
        (GREAT, world.asked(ONE)),
    )
    for body, asked in strangers:
        with refused(BatchRefused.GONE):
            await world.stands(batch, body, asked)
        with refused(BatchRefused.GONE):
            await world.batches.quote(QuoteBatch(body, batch.ref, 1), asked)
        await world.batches.stop(StopBatch(body, batch.ref), asked)
    quote = await world.batches.quote(QuoteBatch(COMPANY, batch.ref, 1), world.asked())
    assert await world.batches.lines(quote.ref, world.asked())
    for _, asked in strangers[:2]:
        assert await world.batches.lines(quote.ref, asked) is None
    assert await world.batches.lines("B-0000-0000", world.asked()) is None


async def test_nobody_is_found_in_the_database_the_news_or_addresses(world: World) -> None:
    workers = staff(COMPANY)
    batch = await world.checked(listed(workers))
    await world.batches.quote(QuoteBatch(COMPANY, batch.ref, 1), world.asked())
    permits = await world.registry.workers(COMPANY, workers)
    kept = [await world.rows(table) for table in ("batches", "batch_parts", "batch_baskets")]
    assert all(kept)
    seen = repr((kept, world.told, world.stage.asked, batch))
    for needle in (*workers, ONE, COMPANY, *(permit.latin for permit in permits)):
        assert needle not in seen


# --- prices --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fines", [False, True], ids=["without fines", "with fines"])
async def test_a_price_is_the_sum_of_its_lines(world: World, *, fines: bool) -> None:
    batch = await world.checked(listed(staff(COMPANY)))
    assert any(offer.fined for offer in batch.offers)
    for offer in batch.offers:
        if not fines and not offer.clean:
            continue
        wanted = QuoteBatch(COMPANY, batch.ref, offer.years, fines=fines)
        quote = await world.batches.quote(wanted, world.asked())
        expected = (offer.count, offer.fils) if fines else (offer.clean, offer.clean_fils)
        assert (quote.count, quote.fils) == expected
        assert quote.until == world.clock.now() + QUOTE
        assert quote.large == (quote.fils > 100_000)
        assert COMPANY not in quote.subject
        items = await world.batches.lines(quote.ref, world.asked())
        assert items is not None
        assert sum(item.fils for item in items) == quote.fils
        renewals = [item for item in items if item.kind is ItemKind.RENEWAL]
        assert len(renewals) == quote.count == len({item.part for item in items})
        assert {item.part for item in items} == set(range(quote.count))
        assert {item.years for item in renewals} == {offer.years}
        assert len({item.number for item in items}) == len(items)
        assert fines or renewals == list(items), "nobody pays another's fines unasked"
    assert world.calls() == 1, "what the registry said a moment ago is not asked again"


async def test_an_old_answer_is_asked_anew(world: World) -> None:
    """Meanwhile somebody of the list was renewed elsewhere: the price and its lines follow."""
    batch = await world.checked(listed(staff(COMPANY)))
    before = await world.batches.quote(QuoteBatch(COMPANY, batch.ref, 1), world.asked())
    items = await world.batches.lines(before.ref, world.asked())
    assert items is not None
    one = tuple(item for item in items if item.part == 0)
    await world.registry.record_payment("IQ-0000-0000", world.clock.now(), "600100000001", one)
    world.clock.at += QUOTE + 1
    now = await world.batches.lines(before.ref, world.asked())
    assert now is not None
    assert sum(item.fils for item in now) < before.fils
    after = await world.batches.quote(QuoteBatch(COMPANY, batch.ref, 1), world.asked())
    assert after.count == before.count - 1
    assert after.fils == before.fils - sum(item.fils for item in one)
    assert world.calls() == 2, "asked once for both"
    assert (await world.stands(batch)).blocked == batch.blocked + 1


async def test_checking_again_asks_about_everybody(world: World) -> None:
    """Whoever was blocked may have cleared it: the very file would only be known already."""
    batch = await great(world, 300)
    asked = world.asked(SEVERAL)
    world.clock.at += 60
    world.stage.asked.clear()
    again = await world.batches.read(ReadBatch(GREAT, batch.ref, anew=True), asked)
    assert world.calls() == 3
    assert (again.ready, again.blocked, again.offers) == (batch.ready, batch.blocked, batch.offers)
    world.clock.at += 60
    with world.away(after=1), pytest.raises(Unavailable):
        await world.batches.read(ReadBatch(GREAT, batch.ref, anew=True), asked)
    assert (await world.stands(batch, GREAT, asked)).finished


async def test_nobody_left(world: World) -> None:
    batch = await world.checked(listed([STRANGER]))
    with refused(BatchRefused.NONE_LEFT):
        await world.batches.quote(QuoteBatch(COMPANY, batch.ref, 1), world.asked())
    with refused(BatchRefused.NONE_LEFT):
        await world.batches.quote(
            QuoteBatch(COMPANY, (await world.checked(listed(staff(COMPANY)))).ref, 99), world.asked()
        )


# --- the file with verdicts ----------------------------------------------------------------------


def token(batch: Batch) -> str:
    return batch.url.rpartition("/")[2].removesuffix(".xlsx")


async def verdicts(world: World, batch: Batch) -> list[list[str]]:
    """Lines of the CSV."""
    content = await world.papers.open(token(batch), "csv")
    assert content is not None
    return [*csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))]


async def test_a_verdict_for_each_row(world: World) -> None:
    workers = staff(COMPANY)
    batch = await world.checked(listed([*workers, *WRONG, STRANGER, workers[0]]))
    heading, *lines = await verdicts(world, batch)
    assert heading[:7] == [
        "Row",
        "Number as written",
        "Civil ID",
        "Name",
        "Latin name",
        "Residency ends",
        "Verdict",
    ]
    assert heading[8:] == [f"{offer.years} year{'s' * (offer.years > 1)}, KWD" for offer in batch.offers]
    assert [int(line[0]) for line in lines] == [*range(2, batch.total + 2)], (
        "one for each row, in their order"
    )
    assert [line[2] for line in lines[: len(workers)]] == list(workers), "numbers in full"
    said = [line[6] for line in lines]
    assert said.count("Can be renewed now") == batch.ready
    assert said.count("Blocked") == batch.blocked
    assert said.count("No civil ID") == len(WRONG)
    assert said.count("Not found") == 1
    assert said.count("Repeated") == batch.repeated == 1
    for number, offer in enumerate(batch.offers, 8):
        amounts = [line[number] for line in lines if line[number]]
        assert len(amounts) == offer.count
        assert sum(int(each.replace(".", "")) for each in amounts) == offer.fils
    for line in lines:
        if line[6] == "Blocked":
            assert line[7].startswith("1. ")
    whys = "\n".join(line[7] for line in lines)
    for part in (
        "Health insurance",
        "https://insonline.moh.gov.kw/",
        "The work permit",
        "a spreadsheet".capitalize(),
        "in row 2",
    ):
        assert part in whys


async def test_every_block_of_a_worker_is_named(world: World) -> None:
    batch = await world.checked(listed(staff(COMPANY)))
    permits = await world.registry.workers(COMPANY, staff(COMPANY))
    _, *lines = await verdicts(world, batch)
    for permit, line in zip(permits, lines, strict=True):
        candidate = assess(permit, local(world.clock.now()).date())
        for number in range(1, len(candidate.barriers) + 1):
            assert f"{number}. " in line[7]
        assert f"{len(candidate.barriers) + 1}. " not in line[7]


async def test_the_workbook_says_the_same_in_the_chats_language(world: World) -> None:
    asked = world.asked(language="ar")
    batch = await world.checked(listed([*staff(COMPANY), *WRONG]), asked=asked)
    content = await world.papers.open(token(batch), "xlsx")
    book = openpyxl.load_workbook(io.BytesIO(content or b""))
    cells: Any = book.active
    rows = [*cells.iter_rows()]
    lines = await verdicts(world, batch)
    assert [cell.value for cell in rows[0]] == lines[0]
    assert lines[0][6] == "النتيجة"
    assert cells.sheet_view.rightToLeft
    for row, line in zip(rows[1:], lines[1:], strict=True):
        assert row[2].value is None or (row[2].data_type, row[2].value) == ("s", line[2])
        assert (row[6].value, row[7].value or "") == (line[6], line[7].replace("\r\n", "\n"))
        for cell, written in zip(row[8:], line[8:], strict=True):
            assert (f"{cell.value:.3f}" if cell.value is not None else "") == written


async def test_no_cell_becomes_a_formula(world: World) -> None:
    rows = [["id"], [staff(COMPANY)[0]], *([each] for each in FORMULAS)]
    batch = await world.checked(
        sheet([[f"'{cell}" if cell in FORMULAS else cell for cell in row] for row in rows])
    )
    content = await world.papers.open(token(batch), "xlsx")
    book = openpyxl.load_workbook(io.BytesIO(content or b""))
    assert book.active is not None
    assert {cell.data_type for row in book.active.iter_rows() for cell in row} <= {"s", "n"}
    for line in await verdicts(world, batch):
        for cell in line:
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝")), cell


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_text_that_could_be_a_formula(formula: str) -> None:
    table = Table(["name"], [[formula]])
    written = [*csv.reader(io.StringIO(text(table).decode("utf-8-sig"), newline=""))]
    assert written[1] == [f"'{formula}"]
    cells: Any = openpyxl.load_workbook(io.BytesIO(excel(table))).active
    assert (cells["A2"].data_type, cells["A2"].value) == ("s", formula)


async def test_the_address_is_the_chats_and_ends(world: World) -> None:
    batch = await world.checked(listed(staff(COMPANY)))
    good = token(batch)
    assert await world.papers.open(good, "xlsx")
    bent = good[:40] + ("A" if good[40] != "A" else "B") + good[41:]
    for name, form in ((bent, "xlsx"), (good, "pdf"), ("x", "csv"), ("", "csv"), ("A" * 700, "csv")):
        assert await world.papers.open(name, form) is None
    world.clock.at = batch.until - 1
    assert await world.papers.open(good, "csv")
    world.clock.at = batch.until
    assert await world.papers.open(good, "csv") is None
    fresh = await world.stands(batch)
    assert await world.papers.open(token(fresh), "csv")
    await world.batches.stop(StopBatch(COMPANY, batch.ref), world.asked())
    assert await world.papers.open(token(fresh), "csv") is None


# --- letting go ----------------------------------------------------------------------------------


async def test_it_goes_after_a_week_and_with_the_chat(world: World) -> None:
    async def left() -> int:
        return sum([len(await world.rows(table)) for table in ("batches", "batch_parts", "batch_baskets")])

    batch = await world.checked(listed(staff(COMPANY)))
    await world.batches.quote(QuoteBatch(COMPANY, batch.ref, 1), world.asked())
    retention = Retention(world.ledger, world.clock)
    world.clock.at += PERIODS["batches"].seconds
    await retention.run()
    assert await left() == 3
    world.clock.at += 1
    await retention.run()
    assert await left() == 0
    await world.checked(listed(staff(COMPANY)))
    other = await world.checked(listed(staff(COMPANY)), asked=world.asked(ONE, ELSEWHERE))
    async with world.ledger.write() as work:
        await Letting.of(work).forget_chat(chat_blind(world.keyring, HERE), world.clock.now(), 0)
    assert [row["ref"] for row in await world.rows("batches")] == [other.ref]


async def test_a_batch_whose_key_is_gone_ends(world: World) -> None:
    with world.away():
        await world.sends(listed(staff(COMPANY)))
        await world.tasks.drain()
    world.keyring = Keyring.parse(Keyring.generate())
    world.clock.at += LEASE + 1
    assert await world.another().sweep() == 1
    assert not await world.rows("batches")


# --- as large as it gets -------------------------------------------------------------------------


async def test_five_thousand_rows(world: World) -> None:
    """Fifty questions about workers, one about rights, and some about nobody; the price asks nothing again."""
    workers = staff(GREAT)[:4_990]
    batch = await world.checked(listed([*workers, *workers[:10]]), GREAT, world.asked(SEVERAL))
    assert batch.total == batch.done == 5_000
    assert (batch.ready + batch.blocked, batch.repeated, batch.unknown) == (4_990, 10, 0)
    assert (world.calls(), world.calls("bodies/search")) == (50, 1)
    quote = await world.batches.quote(QuoteBatch(GREAT, batch.ref, 1), world.asked(SEVERAL))
    items = await world.batches.lines(quote.ref, world.asked(SEVERAL))
    assert items is not None
    assert sum(item.fils for item in items) == quote.fils
    assert world.calls() == 50
    assert len(await verdicts(world, batch)) == 5_001
