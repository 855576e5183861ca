"""Remembering by consent, a copy of everything, forgetting: on both databases and a real Valkey."""

import base64

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from structlog.testing import capture_logs

from bot.dialogs.my_data import (
    ExportData,
    ForgetAll,
    Forgotten,
    Kept,
    ListKept,
    Recall,
    Remember,
    RememberRefused,
    Unremember,
)
from bot.dialogs.my_data.consent import CURRENT
from bot.errors import StoreAway
from bot.ports import Failed
from bot.residency.reminding import Kind
from bot.services.ledger import tables as t
from bot.services.ledger.privacy import Letting
from bot.services.privacy import PERIODS
from bot.store.privacy import GOODBYE, HOUR
from bot.store.sessions import QUARANTINE_LIFE
from tests.payments.world import HERE, NOON, THERE, item, renewal
from tests.privacy.desk import CIVIL_ID, DAY, OTHER_ID, Desk, section, token
from tests.store.servers import put_session

YEAR = PERIODS["remembered"].seconds


def agreed(number: str) -> Remember:
    return Remember(number, CURRENT.version)


# --- remembering ---------------------------------------------------------------------------------


async def test_a_number_is_remembered_with_its_consent(desk: Desk) -> None:
    done = await desk.privacy.remember(agreed(CIVIL_ID), desk.asked())
    assert (done.number, done.until) == ("2850****0029", NOON + YEAR)
    [consent], [row] = await desk.world.rows("consents"), await desk.world.rows("remembered")
    assert (consent["what"], consent["version"], consent["withdrawn"]) == ("remember_number", 1, False)
    assert row["consent_id"] == consent["id"]
    assert CIVIL_ID.encode() not in row["value"]
    assert await desk.privacy.show(ListKept(), desk.asked()) == Kept("2850****0029", NOON + YEAR)
    assert (await desk.privacy.recall(Recall(), desk.asked())).number == CIVIL_ID
    assert (await desk.privacy.recall(Recall(), desk.asked(THERE))).number == ""


async def test_the_same_effect_twice_is_one_consent(desk: Desk) -> None:
    first = await desk.privacy.remember(agreed(CIVIL_ID), desk.asked())
    desk.world.clock.advance(5)
    assert await desk.privacy.remember(agreed(CIVIL_ID), desk.asked()) == first
    assert len(await desk.world.rows("consents")) == 1


async def test_another_number_replaces_the_first(desk: Desk) -> None:
    await desk.privacy.remember(agreed(CIVIL_ID), desk.asked())
    await desk.privacy.remember(agreed(OTHER_ID), desk.asked())
    assert (await desk.privacy.recall(Recall(), desk.asked())).number == OTHER_ID
    assert len(await desk.world.rows("remembered")) == 1
    assert len(await desk.world.rows("consents")) == 2


async def test_terms_that_are_not_the_current_ones_remember_nothing(desk: Desk) -> None:
    with pytest.raises(Failed, match=RememberRefused.OUTDATED):
        await desk.privacy.remember(Remember(CIVIL_ID, CURRENT.version - 1), desk.asked())
    with pytest.raises(Failed, match=RememberRefused.NOTHING):
        await desk.privacy.remember(agreed(""), desk.asked())
    assert await desk.world.rows("consents") == []


async def test_under_older_terms_nothing_is_used_until_they_are_renewed(desk: Desk) -> None:
    await desk.privacy.remember(agreed(CIVIL_ID), desk.asked())
    async with desk.world.ledger.write() as work:
        letting = Letting.of(work)
        old = await letting.add_consent(desk.blind(), "remember_number", 0, NOON, withdrawn=False)
        await work._on.execute(t.remembered.update().values(consent_id=old))
    assert (await desk.privacy.recall(Recall(), desk.asked())).number == ""
    assert (await desk.privacy.show(ListKept(), desk.asked())).renew
    await desk.privacy.remember(agreed(""), desk.asked())
    assert (await desk.privacy.recall(Recall(), desk.asked())).number == CIVIL_ID
    assert not (await desk.privacy.show(ListKept(), desk.asked())).renew


async def test_the_database_itself_wants_a_consent(desk: Desk) -> None:
    row = {"chat_blind": "x", "consent_id": 77, "value": b"v", "at": 1, "expires": 2}
    with pytest.raises(IntegrityError):
        async with desk.world.engine.begin() as connection:
            await connection.execute(insert(t.remembered).values(row))


async def test_consents_are_not_rewritten(desk: Desk) -> None:
    await desk.privacy.remember(agreed(CIVIL_ID), desk.asked())
    with pytest.raises(DBAPIError, match="history only grows"):
        async with desk.world.engine.begin() as connection:
            await connection.execute(text("UPDATE consents SET version = 9"))


async def test_withdrawing_deletes_and_is_written_down(desk: Desk) -> None:
    await desk.privacy.remember(agreed(CIVIL_ID), desk.asked())
    assert await desk.privacy.unremember(Unremember(), desk.asked()) == Kept()
    assert await desk.world.rows("remembered") == []
    assert [row["withdrawn"] for row in await desk.world.rows("consents")] == [False, True]
    await desk.privacy.unremember(Unremember(), desk.asked())
    assert len(await desk.world.rows("consents")) == 2, "nothing was withdrawn the second time"


async def test_a_number_is_not_used_after_its_time(desk: Desk) -> None:
    await desk.privacy.remember(agreed(CIVIL_ID), desk.asked())
    desk.world.clock.advance(YEAR)
    assert (await desk.privacy.recall(Recall(), desk.asked())).number == ""
    assert await desk.privacy.show(ListKept(), desk.asked()) == Kept()
    await desk.retention.run()
    assert await desk.world.rows("remembered") == []


# --- a copy --------------------------------------------------------------------------------------


async def test_the_copy_tells_of_a_session_put_aside_and_does_not_walk_through_redis(desk: Desk) -> None:
    await desk.sits()
    [session] = await desk.valkey.find("s:")
    await put_session(desk.redis, session, b"not ours")
    await desk.store.load(HERE)
    for node in desk.valkey.nodes:
        await node.config_resetstat()
    file = await desk.file(language="en")
    assert section(file, "quarantine") == [{"seconds": QUARANTINE_LIFE}]
    assert "session" not in [part["kind"] for part in file["kept"]]
    called = [await node.info("commandstats") for node in desk.valkey.nodes]
    assert all("cmdstat_ttl" in each and "cmdstat_scan" not in each for each in called)
    await forget(desk)
    assert await desk.valkey.find("q:") == []


async def test_the_copy_holds_everything(desk: Desk) -> None:
    await desk.sits()
    await desk.privacy.remember(agreed(OTHER_ID), desk.asked())
    ref = await desk.paid("F1", "F2")
    await desk.cancelled()
    file = await desk.file()
    [session] = section(file, "session")
    assert session["frames"][1]["answers"]["number"] == CIVIL_ID
    assert {"field": "civil_id", "name": "الرقم المدني", "value": CIVIL_ID} in session["signed"]
    assert [row["number"] for row in section(file, "remembered")] == [OTHER_ID]
    assert [row["version"] for row in section(file, "consents")] == [1]
    orders = section(file, "orders")
    assert [(row["ref"] == ref, row["status"]) for row in orders] == [(True, "posted"), (False, "cancelled")]
    assert {row["number"] for row in section(file, "order_items")} == {"F1", "F2", "F9"}
    assert [row["status"] for row in section(file, "attempts")] == ["PAID"]
    assert [(row["part"], row["status"]) for row in section(file, "postings")] == [(0, "posted")]
    assert section(file, "gateway_events")[0]["fields"]
    assert section(file, "notices")
    assert section(file, "order_history")
    assert [row["from"] for row in section(file, "log")] == ["me"]
    assert file["chat"] == {"channel": HERE.channel, "id": HERE.id}
    for part in file["kept"]:
        assert all(part[words] for words in ("title", "why", "kept_until")), part["kind"]
    english = await desk.file(language="en")
    assert [part["kind"] for part in english["kept"]] == [part["kind"] for part in file["kept"]]
    assert english["kept"][0]["title"] == "The conversation under way"


async def test_the_copy_holds_reminders(desk: Desk) -> None:
    await desk.reminded(Kind.RESIDENCY, Kind.PASSPORT)
    assert (await desk.privacy.show(ListKept(), desk.asked())).reminders == 2
    first, second = section(await desk.file(), "reminders")
    assert first == {
        "permit": "P-2",
        "subject": "2900****1017",
        "kin": "wife",
        "kind": "residency",
        "last_day": "2027-01-08",
        "at": "2026-11-24T09:00:00+03:00",
    }
    assert second["kind"] == "passport"
    assert [row["what"] for row in section(await desk.file(), "consents")] == ["reminders"]
    assert section(await desk.file(THERE), "reminders") == []


async def test_the_copy_is_of_one_chat(desk: Desk) -> None:
    await desk.sits()
    await desk.privacy.remember(agreed(CIVIL_ID), desk.asked())
    await desk.paid()
    file = await desk.file(THERE)
    assert CIVIL_ID not in str(file)
    assert section(file, "orders") == section(file, "session") == []


async def test_an_address_lives_an_hour_and_proves_itself(desk: Desk) -> None:
    made = await desk.privacy.export(ExportData(), desk.asked())
    assert made.until == NOON + 3600
    known = token(made.url)
    raw = base64.urlsafe_b64decode(known + "=" * (-len(known) % 4))
    assert HERE.id.encode() not in raw
    assert await desk.exports.open(known) is not None
    for wrong in ("", "x", known[:-4], known[:-4] + "AAAA", "A" * 700, "é", known.swapcase()):
        assert await desk.exports.open(wrong) is None
    desk.world.clock.advance(3600)
    assert await desk.exports.open(known) is None


# --- forgetting ----------------------------------------------------------------------------------


async def forget(desk: Desk) -> Forgotten:
    return await desk.privacy.forget(ForgetAll(), desk.asked())


async def test_of_a_chat_that_never_paid_nothing_stays(desk: Desk) -> None:
    await desk.sits()
    await desk.privacy.remember(agreed(CIVIL_ID), desk.asked())
    ref = await desk.cancelled()
    assert await forget(desk) == Forgotten()
    assert await desk.world.rows("remembered") == await desk.world.rows("consents") == []
    order, rows = await desk.reads(ref)
    assert (order.chat, order.chat_blind, order.subject) == (b"", "", "")
    assert [row["number"] for row in rows["order_items"]] == ["forgotten"]
    assert rows["links"] == []
    session = (await desk.store.load(HERE)).session
    assert session.signed is None
    assert CIVIL_ID not in str(session)
    assert await desk.memory.log(HERE) == []
    assert {key.kind for key in await desk.memory.keys(HERE)} == {"s"}
    await desk.turn()  # the last words
    await desk.memory.round()
    assert {key.kind for key in await desk.memory.keys(HERE)} == {"k", "s"}, "they are still being said"
    desk.world.clock.advance(GOODBYE)
    assert await desk.memory.round() == 1
    assert await desk.memory.keys(HERE) == ()
    assert {key[:2] for _, key in await desk.valkey.keys()} == {b"f:"}, (
        "keys that stayed are yet to be looked for"
    )
    desk.world.clock.advance(HOUR)
    assert await desk.memory.round() == 0
    assert await desk.valkey.keys() == []
    file = await desk.file()
    assert [part["kind"] for part in file["kept"]] == ["language"], "the default of whoever comes anew"


async def test_of_a_residency_nobody_paid_for_nothing_stays(desk: Desk) -> None:
    await desk.sits()
    link = await desk.world.open(renewal("WIFE"), key="8:0")
    [line] = section(await desk.file(), "order_items")
    assert (line["number"], line["years"], line["until"]) == ("P-WIFE", 2, "2028-12-31")
    await desk.world.cancel(link.order)
    await forget(desk)
    _, rows = await desk.reads(link.order)
    cleared = [(row["number"], row["title_ar"], row["until"]) for row in rows["order_items"]]
    assert cleared == [("forgotten", "", "")]


async def test_whoever_writes_again_begins_a_new_conversation(desk: Desk) -> None:
    await desk.sits()
    await forget(desk)
    await desk.turn()
    await desk.turn()  # the resident wrote again
    desk.world.clock.advance(GOODBYE)
    assert await desk.memory.round() == 0
    assert (await desk.store.load(HERE)).session.rev
    assert await desk.valkey.find("f:") == []


async def test_of_a_paid_order_the_books_stay_and_the_chat_for_a_while(desk: Desk) -> None:
    ref = await desk.paid()
    done = await forget(desk)
    refundable = PERIODS["refundable"].seconds
    assert done == Forgotten(stays=1, until=(await desk.order(ref)).paid_at + refundable)
    assert (await desk.order(ref)).chat_blind == desk.blind()
    desk.world.clock.advance(refundable - DAY)
    await desk.retention.run()
    assert (await desk.order(ref)).chat_blind == desk.blind(), "a refund could still be told"
    desk.world.clock.advance(2 * DAY)
    assert (await desk.retention.run())["chats of paid orders"] == 1
    order, rows = await desk.reads(ref)
    assert (order.chat, order.chat_blind, order.subject) == (b"", "", "2850****0029")
    assert [row["number"] for row in rows["order_items"]] == ["F1"], "the receipt still lists it"
    assert order.bank
    assert order.total_fils == 5000


async def test_an_order_that_may_be_paid_now_comes_first(desk: Desk) -> None:
    await desk.sits()
    await desk.privacy.remember(agreed(CIVIL_ID), desk.asked())
    link = await desk.world.open()
    assert await forget(desk) == Forgotten(paying=link.order)
    assert await desk.world.rows("remembered")
    assert (await desk.store.load(HERE)).session.signed
    await desk.world.press_pay(link)
    desk.world.clock.advance(3000)  # the link has expired, the gateway's page has not
    assert await forget(desk) == Forgotten(paying=link.order)
    await desk.world.cancel(link.order)
    assert await forget(desk) == Forgotten()


async def test_a_cancelled_order_that_turns_out_paid_is_not_forgotten_too_soon(desk: Desk) -> None:
    link = await desk.world.open()
    page = await desk.world.press_pay(link)
    await desk.world.cancel(link.order)
    assert await forget(desk) == Forgotten(stays=1, until=NOON + DAY), (
        "the gateway is asked about it for a day"
    )
    await desk.world.press(page, "approved")
    await desk.sweep()
    await desk.retention.run()
    order = await desk.order(link.order)
    assert order.status == "posted"
    assert order.chat_blind == "", "it was to be forgotten, and the chat was told"
    assert desk.world.chats.kinds[0] == "paid"


async def test_reminders_are_forgotten_with_the_chat(desk: Desk) -> None:
    await desk.reminded(Kind.RESIDENCY)
    await desk.reminded(Kind.RESIDENCY, chat=THERE)
    assert await forget(desk) == Forgotten()
    assert [row["chat_blind"] for row in await desk.world.rows("reminders")] == [desk.blind(THERE)]
    assert [row["chat_blind"] for row in await desk.world.rows("consents")] == [desk.blind(THERE)]


async def test_forgetting_again_and_halfway(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.sits()
    await desk.privacy.remember(agreed(CIVIL_ID), desk.asked())
    with monkeypatch.context() as patched:
        patched.setattr(desk.redis, "zadd", _away)  # Redis goes away in the middle
        with pytest.raises(StoreAway):
            await forget(desk)
    assert await desk.world.rows("remembered") == []
    await forget(desk)
    await forget(desk)
    assert {key.kind for key in await desk.memory.keys(HERE)} <= {"s"}


async def _away(*_arguments: object) -> None:
    raise ConnectionResetError


async def test_another_chat_keeps_everything(desk: Desk) -> None:
    await desk.sits(THERE)
    await desk.privacy.remember(agreed(OTHER_ID), desk.asked(THERE))
    ref = await desk.paid(chat=THERE)
    await forget(desk)
    desk.world.clock.advance(GOODBYE)
    await desk.memory.round()
    await desk.retention.run()
    assert (await desk.privacy.recall(Recall(), desk.asked(THERE))).number == OTHER_ID
    assert (await desk.store.load(THERE)).session.signed
    assert (await desk.order(ref)).chat_blind == desk.blind(THERE)
    assert {key.kind for key in await desk.memory.keys(THERE)} == {"k", "s", "w"}


async def test_a_key_of_a_chat_that_nobody_listed_goes_too(desk: Desk) -> None:
    await desk.sits()
    tag, name = desk.store.place(HERE)
    await desk.redis.set(f"z:{tag}:{name}:anything", b"x")
    await desk.redis.set(f"u:{tag}:{name}", b"the count of look-ups")
    await forget(desk)
    assert {key.kind for key in await desk.memory.keys(HERE)} == {"s", "u"}
    desk.world.clock.advance(GOODBYE)
    assert await desk.memory.round() == 1
    desk.world.clock.advance(HOUR)
    with capture_logs() as told:
        await desk.memory.round()
    assert {key[:2] for _, key in await desk.valkey.keys() if name.encode() in key} == {b"u:"}
    assert [entry["kind"] for entry in told] == ["z"], "and whoever wrote it is told"


async def test_whoever_began_anew_within_the_hour_keeps_all_of_it(desk: Desk) -> None:
    await desk.sits()
    await forget(desk)
    desk.world.clock.advance(GOODBYE)
    assert await desk.memory.round() == 1
    await desk.sits()
    tag, name = desk.store.place(HERE)
    await desk.redis.set(f"z:{tag}:{name}:anything", b"x")
    desk.world.clock.advance(HOUR)
    await desk.memory.round()
    found = {key[:2] for _, key in await desk.valkey.keys() if name.encode() in key}
    assert found == {b"k:", b"s:", b"w:", b"z:"}
    assert await desk.valkey.find("f:") == []


async def test_receipts_outlive_forgetting_by_their_address(desk: Desk) -> None:
    ref = await desk.paid()
    await forget(desk)
    async with desk.world.engine.connect() as connection:
        found = await connection.execute(select(t.orders.c.bank).where(t.orders.c.ref == ref))
        assert found.scalar_one()


async def test_two_unpaid_orders_of_two_fines(desk: Desk) -> None:
    link = await desk.world.open(item("F5"), item("F6"))
    await desk.world.cancel(link.order)
    await desk.cancelled("F7")
    await forget(desk)
    fines = [row["number"] for row in await desk.world.rows("order_items")]
    assert fines == ["forgotten"] * 3
    again = await desk.world.open(item("F5"), key="5:1")
    assert again.order != link.order
