"""Reminders in the ledger: kept by consent, once, moved, due, taken back; on both databases."""

import asyncio
from datetime import date

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from bot.crypto import Keyring
from bot.dialogs.reminders import RemindRefused
from bot.dialogs.reminders.consent import CURRENT
from bot.errors import StoreAway, Unavailable
from bot.model import Woken
from bot.ports import Failed
from bot.services.ledger import tables as t
from bot.services.ledger.privacy import Letting
from bot.services.orders.parts import LEASE, chat_blind
from bot.services.reminders import Reminders
from tests.payments.world import HERE, NOON, PHONE, THERE
from tests.reminders.keeper import (
    FATHER,
    INSURANCE,
    PASSPORT,
    RESIDENCY,
    SON,
    TODAY,
    WIFE,
    Keeper,
    at,
    days_told,
    ends,
    father,
    in_days,
    on,
    son,
    wife,
)

HERS = (WIFE, RESIDENCY)


async def consents(keeper: Keeper) -> list[tuple[int, bool]]:
    async with keeper.ledger.read() as read:
        rows = await Letting.of(read).consents(chat_blind(keeper.keyring, HERE))
    assert {row.what for row in rows} <= {"reminders"}
    return [(row.version, row.withdrawn) for row in rows]


async def old_terms(keeper: Keeper) -> None:
    """They agreed to a text that has changed since."""
    async with keeper.ledger.write() as work:
        blind = chat_blind(keeper.keyring, HERE)
        old = await Letting.of(work).add_consent(blind, "reminders", 0, NOON, withdrawn=False)
        await work._on.execute(t.reminders.update().values(consent_id=old))


# --- opting in -----------------------------------------------------------------------------------


async def test_nothing_is_kept_by_looking(keeper: Keeper) -> None:
    known = await keeper.show()
    assert [(person.permit, person.civil_id) for person in known.people] == [
        ("P-1", FATHER),
        ("P-2", WIFE),
        ("P-3", SON),
    ]
    assert [ending.kind for ending in known.people[2].endings] == [RESIDENCY, PASSPORT], (
        "exempt from insurance"
    )
    assert on(known) == set()
    assert await keeper.rows() == []
    assert await consents(keeper) == []


async def test_a_row_names_nobody_and_knows_its_next_moment(keeper: Keeper) -> None:
    known = await keeper.remember(HERS, (SON, PASSPORT))
    assert on(known) == {("P-2", RESIDENCY), ("P-3", PASSPORT)}
    first, second = await keeper.rows()
    assert (first["permit"], first["kin"], first["kind"], first["subject"]) == (
        "P-2", "wife", "residency", "2900****1017",
    )  # fmt: skip
    assert first["last_day"] == in_days(45).isoformat()
    assert first["due"] == at(in_days(15)), "60 days before is past, 30 before comes next"
    assert second["due"] == at(date(2029, 11, 2)), "60 days before the passport ends"
    assert first["consent_id"] == second["consent_id"]
    assert PHONE.encode() not in first["chat"]
    assert not {FATHER, WIFE, SON, "Amina", "أمينة"} & {str(value) for value in first.values()}
    assert await consents(keeper) == [(CURRENT.version, False)]


async def test_the_same_twice_is_once(keeper: Keeper) -> None:
    first = await keeper.remember(HERS)
    keeper.clock.advance(5)
    assert await keeper.remember(HERS) == first
    assert len(await keeper.rows()) == 1
    assert await consents(keeper) == [(CURRENT.version, False)]


async def test_the_same_by_two_processes_at_once_is_once(keeper: Keeper) -> None:
    await asyncio.gather(*(keeper.remember(HERS) for _ in range(4)))
    assert len(await keeper.rows()) == 1
    assert await consents(keeper) == [(CURRENT.version, False)]
    assert on(await keeper.show()) == {("P-2", RESIDENCY)}


async def test_more_is_added_to_what_is_there(keeper: Keeper) -> None:
    await keeper.remember(HERS)
    assert on(await keeper.remember(HERS, (FATHER, INSURANCE))) == {("P-2", RESIDENCY), ("P-1", INSURANCE)}
    assert len(await keeper.rows()) == 2


@pytest.mark.parametrize("left", [1, 0, -1, -90])
async def test_what_is_too_late_is_not_offered(keeper: Keeper, left: int) -> None:
    keeper.go_to(at(TODAY, 10))
    keeper.files.files[FATHER] = (wife(expires=in_days(left)),)
    [person] = (await keeper.show()).people
    assert [ending.kind for ending in person.endings] == [PASSPORT, INSURANCE]
    with pytest.raises(Failed, match=RemindRefused.GONE):
        await keeper.remember(HERS)


async def test_only_persons_on_the_file(keeper: Keeper) -> None:
    with pytest.raises(Failed, match=RemindRefused.GONE):
        await keeper.remember(HERS, ("268032105138", RESIDENCY))
    assert await keeper.rows() == []
    assert await consents(keeper) == []


async def test_another_text_keeps_nothing(keeper: Keeper) -> None:
    with pytest.raises(Failed, match=RemindRefused.OUTDATED):
        await keeper.remember(HERS, version=CURRENT.version - 1)
    assert await consents(keeper) == []


async def test_the_database_itself_wants_a_consent_and_one_row(keeper: Keeper) -> None:
    await keeper.remember(HERS)
    [row] = await keeper.rows()
    for change in ({"consent_id": 77, "permit": "P-9"}, {}, {"kind": "visa", "permit": "P-9"}):
        with pytest.raises(IntegrityError):
            async with keeper.engine.begin() as connection:
                await connection.execute(insert(t.reminders).values({**row, "id": 99, **change}))


# --- the text has changed ------------------------------------------------------------------------


async def test_nobody_is_reminded_under_an_older_text_until_they_agree(keeper: Keeper) -> None:
    await keeper.remember(HERS)
    await old_terms(keeper)
    assert (await keeper.show()).renew
    keeper.go_to(at(in_days(15)))
    assert await keeper.reminders.due() == []
    known = await keeper.remember()
    assert not known.renew
    assert await keeper.due_moments() == [at(in_days(38))], "what came meanwhile is over"
    assert len(await consents(keeper)) == 3
    keeper.go_to(at(in_days(38)))
    assert days_told(await keeper.tell()) == [7]


# --- dates move ----------------------------------------------------------------------------------


async def test_a_renewed_residency_moves_by_itself_when_the_list_is_opened(keeper: Keeper) -> None:
    await keeper.remember(HERS, (WIFE, PASSPORT))
    renewed = date(2028, 1, 8)
    keeper.files.files[FATHER] = (father(), wife(expires=renewed), son())
    known = await keeper.show()
    assert ends(known, "P-2", RESIDENCY) == "2028-01-08"
    assert [row["last_day"] for row in await keeper.rows()] == ["2028-01-08", "2030-01-01"]
    assert await keeper.due_moments() == [at(date(2027, 11, 9)), at(date(2029, 11, 2))]


async def test_a_new_date_learned_elsewhere_moves_every_chats(keeper: Keeper) -> None:
    await keeper.remember(HERS, (SON, RESIDENCY))
    await keeper.remember(HERS, chat=THERE)
    assert await keeper.reminders.moved("P-2", date(2028, 1, 8)) == 2
    assert await keeper.reminders.moved("P-2", date(2028, 1, 8)) == 0, "told again, nothing to do"
    assert [row["last_day"] for row in await keeper.rows()] == [
        "2028-01-08",
        in_days(45).isoformat(),
        "2028-01-08",
    ]
    assert await keeper.reminders.moved("P-unknown", date(2028, 1, 8)) == 0


async def test_who_left_the_file_is_forgotten(keeper: Keeper) -> None:
    await keeper.remember(HERS, (SON, RESIDENCY))
    keeper.files.files[FATHER] = (father(), son())
    assert on(await keeper.show()) == {("P-3", RESIDENCY)}
    assert [row["permit"] for row in await keeper.rows()] == ["P-3"]


async def test_an_insurance_that_is_not_in_the_records_any_more_keeps_its_date(keeper: Keeper) -> None:
    keeper.files.files[FATHER] = (wife(insured_until=in_days(50)),)
    await keeper.remember((WIFE, INSURANCE))
    keeper.files.files[FATHER] = (wife(insured_until=None),)
    assert ends(await keeper.show(), "P-2", INSURANCE) == in_days(50).isoformat()


# --- whose ---------------------------------------------------------------------------------------


async def test_a_stranger_in_the_same_chat_learns_only_how_many(keeper: Keeper) -> None:
    await keeper.remember(HERS, (SON, RESIDENCY))
    stranger = "268032105138"
    keeper.files.files[stranger] = ()
    known = await keeper.show(stranger)
    assert (known.people, known.others) == ((), 2)
    assert len(await keeper.rows()) == 2, "and ends none of them by looking"
    assert (await keeper.show(stranger, THERE)).others == 0


async def test_the_person_concerned_sees_hers_and_gets_no_second_one(keeper: Keeper) -> None:
    await keeper.remember(HERS, (SON, RESIDENCY))
    keeper.files.files[WIFE] = (wife(),)
    known = await keeper.show(WIFE)
    assert (on(known), known.others) == ({("P-2", RESIDENCY)}, 1)
    await keeper.remember(HERS, actor=WIFE)
    assert len(await keeper.rows()) == 2


# --- taking back ---------------------------------------------------------------------------------


async def test_one_is_taken_back_then_the_last(keeper: Keeper) -> None:
    await keeper.remember(HERS, (WIFE, PASSPORT))
    assert (await keeper.drop("P-2", PASSPORT)).left == 1
    assert [row["kind"] for row in await keeper.rows()] == ["residency"]
    assert await consents(keeper) == [(CURRENT.version, False)]
    assert (await keeper.drop("P-2")).left == 0
    assert await consents(keeper) == [(CURRENT.version, False), (CURRENT.version, True)]
    assert (await keeper.drop("P-2")).left == 0
    assert len(await consents(keeper)) == 2, "nothing was withdrawn the second time"


async def test_all_of_this_chat_and_of_no_other(keeper: Keeper) -> None:
    await keeper.remember(HERS, (FATHER, RESIDENCY))
    await keeper.remember(HERS, chat=THERE)
    assert (await keeper.drop()).left == 0
    assert len(await keeper.rows()) == 1


# --- what is due ---------------------------------------------------------------------------------


async def test_a_date_is_told_as_often_as_the_rules_say(keeper: Keeper) -> None:
    await keeper.remember((FATHER, RESIDENCY))
    told: list[int] = []
    for day in range(102):
        keeper.go_to(at(in_days(day), 11))
        told += days_told(await keeper.tell())
    assert told == [60, 30, 7, 1]
    assert await keeper.due_moments() == [None]


async def test_what_is_told_is_all_the_chat_needs(keeper: Keeper) -> None:
    await keeper.remember(HERS)
    keeper.go_to(at(in_days(15)) - 1)
    assert await keeper.reminders.due() == []
    keeper.go_to(at(in_days(15)))
    [owed] = await keeper.reminders.due()
    assert owed.woken.chat == HERE
    assert (owed.woken.dialog, owed.woken.kind, owed.woken.ref) == ("reminders", "due", "P-2")
    assert owed.woken.data == {
        "kind": "residency",
        "kin": "wife",
        "subject": "2900****1017",
        "day": in_days(45).isoformat(),
        "days": 30,
    }


async def test_each_is_told_once_whoever_tells(keeper: Keeper) -> None:
    await keeper.remember(HERS)
    keeper.go_to(at(in_days(15)))
    heard: list[str] = []

    async def wake(event: Woken) -> None:
        heard.append(event.id)

    both = await asyncio.gather(keeper.reminders.tell(wake), keeper.another_process().tell(wake))
    assert sum(both) == len(heard) == 1
    assert await keeper.reminders.tell(wake) == 0


async def test_a_chat_that_cannot_be_woken_is_told_later(keeper: Keeper) -> None:
    await keeper.remember(HERS)
    keeper.go_to(at(in_days(15)))
    heard: list[str] = []

    async def away(_event: Woken) -> None:
        raise StoreAway("gone")

    async def wake(event: Woken) -> None:
        heard.append(event.id)

    with pytest.raises(StoreAway):
        await keeper.reminders.tell(away)
    assert await keeper.reminders.tell(wake) == 0, "another process may still have it in hand"
    keeper.go_to(keeper.clock.now() + LEASE)
    assert await keeper.reminders.tell(wake) == 1
    assert len(heard) == 1


async def test_a_claimed_one_is_nobody_elses_until_its_lease_ends(keeper: Keeper) -> None:
    await keeper.remember(HERS)
    keeper.go_to(at(in_days(15)))
    processes = [keeper.reminders, keeper.another_process(), keeper.another_process()]
    found = await asyncio.gather(*(process.due() for process in processes))
    [first] = [owed for each in found for owed in each]
    keeper.clock.advance(LEASE - 1)
    assert await keeper.another_process().due() == []
    keeper.clock.advance(1)
    [again] = await keeper.another_process().due()
    assert again.woken.id == first.woken.id, "so that a chat that has heard it hears nothing"
    await keeper.reminders.told(first)
    assert await keeper.due_moments() == [again.until], "whoever was too slow changes nothing"
    await keeper.reminders.told(again)
    assert await keeper.due_moments() == [at(in_days(38))]


async def test_a_date_that_moved_while_it_was_told_stays_moved(keeper: Keeper) -> None:
    await keeper.remember(HERS)
    keeper.go_to(at(in_days(15)))
    [owed] = await keeper.reminders.due()
    await keeper.reminders.moved("P-2", date(2028, 1, 8))
    await keeper.reminders.told(owed)
    assert await keeper.due_moments() == [at(date(2027, 11, 9))]


async def test_after_a_long_silence_one_is_told_for_all_that_were_missed(keeper: Keeper) -> None:
    await keeper.remember((FATHER, RESIDENCY))
    keeper.go_to(at(in_days(95), 12))
    assert days_told(await keeper.tell()) == [5]
    assert await keeper.due_moments() == [at(in_days(99))]
    keeper.go_to(at(in_days(103)))
    assert days_told(await keeper.tell()) == [-3]
    assert await keeper.reminders.due() == []


async def test_the_longest_waiting_come_first_and_only_so_many(keeper: Keeper) -> None:
    await keeper.remember((FATHER, RESIDENCY), HERS, (SON, RESIDENCY))
    keeper.go_to(at(in_days(60)))
    assert [owed.row.permit for owed in await keeper.reminders.due(2)] == ["P-2", "P-3"]
    assert [owed.row.permit for owed in await keeper.reminders.due(2)] == ["P-1"]


async def test_a_chat_whose_key_is_gone_is_not_asked_for_ever(keeper: Keeper) -> None:
    await keeper.remember(HERS)
    keeper.go_to(at(in_days(15)))
    other = Reminders(
        ledger=keeper.ledger,
        files=keeper.files,
        keyring=Keyring.parse(Keyring.generate()),
        clock=keeper.clock,
    )
    assert await other.due() == []
    assert await keeper.due_moments() == [None]


# --- what is away --------------------------------------------------------------------------------


async def test_the_registry_is_away(keeper: Keeper) -> None:
    await keeper.remember(HERS)
    keeper.files.down = True
    with pytest.raises(Unavailable):
        await keeper.show()
    with pytest.raises(Unavailable):
        await keeper.remember((SON, RESIDENCY))
    assert (await keeper.drop()).left == 0, "taking back needs no registry"
