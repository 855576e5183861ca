"""Residencies over HTTP: families, permits, bodies, workers; the cast is as its notes say on any day."""

from datetime import timedelta

import pytest

from bot.residency import assess
from bot.residency.facts import Kin
from bot.residency.verdict import Block, Cap
from bot.sandbox import relations
from bot.sandbox.people import SERIALS, by_civil_id, by_index
from bot.sandbox.roster import roster
from tests.sandbox.kit import BUSY, CLEAN, DOWN, JOURNEY_A, FakeClock
from tests.sandbox.people import (
    CITIZEN,
    DAYS,
    GARDENS,
    LARGE,
    LATE,
    ONE_COMPANY,
    SELF_SPONSOR,
    SEVERAL,
    TROUBLED,
    WAHA,
    Desk,
    ask,
    blocks,
    family,
    move,
    permits,
    standing,
    today,
)

# --- families ------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", DAYS)
async def test_the_family_of_the_journeys_is_so_on_any_day(desk: Desk, clock: FakeClock, day: str) -> None:
    move(clock, day)
    own, wife, son, mother, daughter = await standing(desk, clock, JOURNEY_A)
    assert [each.kin for each in (own, wife, son, mother, daughter)] == [
        Kin.SELF,
        Kin.WIFE,
        Kin.SON,
        Kin.MOTHER,
        Kin.DAUGHTER,
    ]
    assert (own.article, Block.EMPLOYER in blocks(own)) == (18, True)
    for ready in (wife, son):
        assert (ready.days, ready.ready, ready.cap) == (41, True, Cap.INSURANCE)
        assert [(offer.years, offer.fils) for offer in ready.offers] == [(1, 20_000), (2, 40_000)]
    assert (mother.days, blocks(mother)) == (20, {Block.INSURANCE, Block.LATIN_NAME})
    named = next(each for each in mother.barriers if each.block is Block.LATIN_NAME)
    differ = [one for one, other in zip(named.written, named.printed, strict=True) if one != other]
    assert len(differ) == 1
    assert (daughter.days, blocks(daughter)) == (214, {Block.WINDOW})


@pytest.mark.parametrize("day", DAYS)
async def test_the_other_blocks_of_a_family(desk: Desk, clock: FakeClock, day: str) -> None:
    move(clock, day)
    own, *others = await standing(desk, clock, TROUBLED)
    assert own.article == 19
    assert [(each.kin, blocks(each)) for each in others] == [
        (Kin.WIFE, {Block.DEBTS, Block.FINES}),
        (Kin.SON, {Block.PASSPORT_EXPIRY, Block.PASSPORT_DATA}),
        (Kin.DAUGHTER, {Block.BIOMETRIC, Block.ABROAD}),
        (Kin.DAUGHTER, {Block.FEE}),
        (Kin.FATHER, {Block.MEDICAL, Block.PHOTO, Block.ADDRESS}),
        (Kin.BROTHER, {Block.SPONSOR_FILE, Block.OTHER}),
        (Kin.DOMESTIC, {Block.INSURANCE, Block.ABSENCE_REPORT}),
    ]


@pytest.mark.parametrize("day", DAYS)
async def test_people_alone(desk: Desk, clock: FakeClock, day: str) -> None:
    move(clock, day)
    (own,) = await standing(desk, clock, SELF_SPONSOR)
    assert (own.article, own.ready, [offer.years for offer in own.offers]) == (24, True, [1, 2, 3])
    (late,) = await standing(desk, clock, LATE)
    assert (late.days, late.ready, [fine.fils for fine in late.fines]) == (-45, True, [120_000])
    owed = (await ask(desk, "fines/search", by="civil_id", number=LATE))["fines"]
    assert [(fine["id"], fine["fils"]) for fine in owed] == [(late.fines[0].id, 120_000)]
    assert await family(desk, CITIZEN) == []
    assert await family(desk, "285011500028") == []
    assert [each.kin for each in await family(desk, CLEAN)] == [Kin.SELF]


async def test_a_dependant_sees_their_own_residency_only(desk: Desk) -> None:
    wife = (await family(desk, JOURNEY_A))[1]
    (own,) = await family(desk, wife.civil_id)
    assert (own.kin, own.sponsor_kin, own.number) == (Kin.SELF, Kin.WIFE, wife.number)


async def test_the_down_and_the_busy_answer_so_here_too(desk: Desk) -> None:
    for path, field in (("families/search", "sponsor"), ("bodies/search", "actor")):
        assert (await desk.post(f"/{path}", json={field: DOWN})).status_code == 503
        assert (await desk.post(f"/{path}", json={field: BUSY})).status_code == 429


async def test_permits_are_found_by_number_and_others_left_out(desk: Desk) -> None:
    own, wife, *_ = await family(desk, JOURNEY_A)
    numbers = [wife.number, "P-00000000000", "X", own.number, wife.number]
    found = await permits(desk, "permits/search", permits=numbers)
    assert [(each.number, each.kin) for each in found] == [(wife.number, Kin.WIFE), (own.number, Kin.WORKER)]
    assert found[0] == wife


# --- bodies and their workers --------------------------------------------------------------------


@pytest.mark.parametrize("day", DAYS)
async def test_authorised_users_and_their_bodies(desk: Desk, clock: FakeClock, day: str) -> None:
    move(clock, day)
    (one,) = (await ask(desk, "bodies/search", actor=ONE_COMPANY))["bodies"]
    assert (one["number"], one["government"], one["due"]) == (WAHA, False, 12)
    several = (await ask(desk, "bodies/search", actor=SEVERAL))["bodies"]
    assert [each["government"] for each in several] == [False, False, True]
    assert several[2]["number"] == GARDENS
    assert several[1]["due"] > 500
    for nobody in (CLEAN, JOURNEY_A, CITIZEN, "285011500028"):
        assert (await ask(desk, "bodies/search", actor=nobody)) == {"bodies": []}


@pytest.mark.parametrize("day", DAYS)
async def test_twelve_workers_are_due_and_each_verdict_is_there(
    desk: Desk, clock: FakeClock, day: str
) -> None:
    move(clock, day)
    by = today(clock) + timedelta(days=59)
    found = await permits(desk, "workers/due", body=WAHA, by=by, limit=200)
    assert len(found) == 12
    assert [each.expires for each in found] == sorted(each.expires for each in found)
    verdicts = [assess(each, today(clock)) for each in found]
    ready = [each for each in verdicts if each.ready]
    assert sorted((len(each.offers), each.cap, bool(each.fines)) for each in ready) == [
        (1, Cap.INSURANCE, False),
        (1, Cap.REGISTRY, False),
        (2, Cap.INSURANCE, False),
        (2, Cap.INSURANCE, True),
        (2, Cap.INSURANCE, True),
        (3, Cap.INSURANCE, False),
    ]
    assert set[Block]().union(*(blocks(each) for each in verdicts)) == set(Block) - {
        Block.WINDOW,
        Block.EMPLOYER,
        Block.FEE,
        Block.UNDERWAY,
    }


async def test_those_who_are_due_come_in_pages(desk: Desk, clock: FakeClock) -> None:
    by = today(clock) + timedelta(days=59)
    whole = [each.number for each in await permits(desk, "workers/due", body=WAHA, by=by, limit=200)]
    seen: list[str] = []
    after, more = None, True
    while more:
        page = await ask(desk, "workers/due", body=WAHA, by=by, limit=5, after=after)
        assert 1 <= len(page["permits"]) <= 5
        seen += [each["number"] for each in page["permits"]]
        last, more = page["permits"][-1], page["more"]
        after = {"expires": last["expires"], "permit": last["number"]}
    assert seen == whole
    assert await ask(desk, "workers/due", body=WAHA, by=by, limit=5, after=after) == {
        "permits": [],
        "more": False,
    }
    assert (await ask(desk, "workers/due", body="999999", by=by, limit=5))["permits"] == []


async def test_workers_are_found_by_civil_id_in_their_body_only(desk: Desk, clock: FakeClock) -> None:
    worker, other = list(roster(WAHA, today(clock)))[1:3]
    asked = [worker.strip(), JOURNEY_A, "285011500028", other.strip()]
    found = await permits(desk, "workers/search", body=WAHA, civil_ids=asked)
    assert [each.civil_id for each in found] == [asked[0], asked[3]]
    assert {(each.kin, each.article) for each in found} == {(Kin.WORKER, 18)}
    assert await permits(desk, "workers/search", body=LARGE, civil_ids=asked) == []


async def test_the_large_company_has_thousands_and_every_kind_of_verdict(
    desk: Desk, clock: FakeClock
) -> None:
    everyone = [line.strip() for line in roster(LARGE, today(clock))][1:]
    assert len(everyone) == len(set(everyone)) > 5_000
    seen: set[Block] = set()
    for first in range(0, 2_000, 100):
        some = everyone[first : first + 100]
        found = await permits(desk, "workers/search", body=LARGE, civil_ids=some)
        assert [each.civil_id for each in found] == some
        seen = seen.union(*(blocks(assess(each, today(clock))) for each in found))
    assert seen == set(Block) - {Block.EMPLOYER, Block.FEE, Block.UNDERWAY}


async def test_relations_agree_with_families_and_workers(desk: Desk, clock: FakeClock) -> None:
    async def said(actor: str, person: str) -> list[str]:
        found: list[str] = (await ask(desk, "relations/search", actor=actor, person=person))["relations"]
        return found

    heads = [person for day in range(66_000, 66_060) if (person := by_index(day * SERIALS + 10 * (day % 90)))]
    met = 0
    for sponsor in (JOURNEY_A, TROUBLED, *(head.civil_id for head in heads[:20])):
        for permit in await family(desk, sponsor):
            expected = [] if permit.kin is Kin.SELF else ["sponsor"]
            met += len(expected)
            assert await said(sponsor, permit.civil_id) == expected
            assert await said(permit.civil_id, sponsor) == []
    assert met > 20
    for actor, body, word in ((ONE_COMPANY, WAHA, "company"), (SEVERAL, GARDENS, "government")):
        for line in list(roster(body, today(clock)))[1:]:
            assert await said(actor, line.strip()) == [word]
            assert await said(JOURNEY_A, line.strip()) == []


async def test_a_drawn_user_acts_for_the_workers_of_the_drawn_body(desk: Desk, clock: FakeClock) -> None:
    users = [
        person
        for day in range(66_000, 66_040)
        if (person := by_index(day * SERIALS + 10 * (day % 90)))
        and relations.users_bodies(person, today(clock))
    ]
    assert users
    for user in users[:3]:
        for body in (await ask(desk, "bodies/search", actor=user.civil_id))["bodies"]:
            by = today(clock) + timedelta(days=59)
            due = await permits(desk, "workers/due", body=body["number"], by=by, limit=200)
            assert len(due) == body["due"]
            for permit in due[:3]:
                person = by_civil_id(permit.civil_id, today(clock))
                assert person is not None
                assert relations.employer(person, today(clock)) == body["number"]
                again = await permits(
                    desk, "workers/search", body=body["number"], civil_ids=[permit.civil_id]
                )
                assert again == [permit]
                word = "government" if body["government"] else "company"
                known = await ask(desk, "relations/search", actor=user.civil_id, person=permit.civil_id)
                assert known == {"relations": [word]}


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("families/search", {"sponsor": "28501150002"}),
        ("permits/search", {"permits": []}),
        ("permits/search", {"permits": ["P-1"] * 101}),
        ("permits/search", {"permits": ["p-1"]}),
        ("permits/search", {"permits": ["P-1\n"]}),
        ("workers/due", {"body": WAHA, "by": "2027-01-20", "limit": 0}),
        ("workers/due", {"body": WAHA, "by": "2027-01-20", "limit": 201}),
        ("workers/due", {"body": WAHA, "by": "2027-02-29", "limit": 1}),
        ("workers/due", {"body": WAHA, "by": "2027-01-20", "limit": 1, "after": {"expires": "2027-01-01"}}),
        ("workers/search", {"body": WAHA, "civil_ids": []}),
        ("workers/search", {"body": WAHA, "civil_ids": [CLEAN] * 101}),
        ("workers/search", {"body": "31", "civil_ids": [CLEAN]}),
        ("bodies/search", {"actor": CLEAN, "more": 1}),
    ],
)
async def test_what_the_document_does_not_allow_is_refused(desk: Desk, path: str, asked: object) -> None:
    response = await desk.post(f"/{path}", json=asked)
    assert (response.status_code, response.json()["code"]) == (422, "invalid")
