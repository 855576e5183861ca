"""Workers looked up and priced, against the sandbox registry; and the gate before every operation of a body."""

from typing import Any

import msgspec
import pytest

from bot.clock import local
from bot.dialogs.company.effects import (
    FindWorker,
    FindWorkerRefused,
    ListBodies,
    ListWorkers,
    QuoteBatch,
    QuoteWorkers,
    ReadBatch,
    StartBatch,
    StopBatch,
)
from bot.dialogs.renewal import QuoteRefused, Wish
from bot.domain import ItemKind
from bot.errors import Forbidden, Unavailable, Unsigned
from bot.i18n.text import masked
from bot.ports import Effect, Failed
from bot.residency import assess
from bot.services.authority import RULES, Reach, guarded
from bot.services.batches import executors as batch_executors
from bot.services.companies import Companies
from bot.services.companies import executors as company_executors
from bot.services.renewals import QuoteLimits
from tests.batches.world import COMPANY, GOVERNMENT, GREAT, ONE, QUOTE, SEVERAL, World, staff

STRANGER = "285011500029"
OF_BODY: list[Effect] = [
    ListWorkers(COMPANY, 10),
    FindWorker(COMPANY, STRANGER),
    QuoteWorkers(COMPANY, (Wish(STRANGER, 1, 0),)),
    StartBatch(COMPANY, "F1"),
    ReadBatch(COMPANY, "B-1"),
    StopBatch(COMPANY, "B-1"),
    QuoteBatch(COMPANY, "B-1", 1),
]


@pytest.fixture
def companies(world: World) -> Companies:
    return Companies(world.registry, world.clock, QuoteLimits(QUOTE, 50_000))


async def people(world: World, body: str = COMPANY) -> dict[str, Any]:
    """The body's workers as their renewals stand."""
    today = local(world.clock.now()).date()
    permits = await world.registry.workers(body, staff(body))
    return {permit.civil_id: assess(permit, today) for permit in permits}


async def ready(world: World, years: int = 1) -> list[Wish]:
    """Wishes for everyone who may have it."""
    found = await people(world)
    return [
        Wish(number, years, offer.fils)
        for number, one in found.items()
        if (offer := one.offer(years)) is not None
    ]


async def test_the_bodies_one_may_act_for(world: World, companies: Companies) -> None:
    assert [body.number for body in (await companies.bodies(ListBodies(), world.asked(ONE))).bodies] == [
        COMPANY
    ]
    several = (await companies.bodies(ListBodies(), world.asked(SEVERAL))).bodies
    assert {GREAT, GOVERNMENT} < {body.number for body in several}
    assert [body.government for body in several if body.number == GOVERNMENT] == [True]
    assert not (await companies.bodies(ListBodies(), world.asked(STRANGER))).bodies


async def test_those_who_are_due_are_all_whose_window_is_open(world: World, companies: Companies) -> None:
    found = await companies.due(ListWorkers(COMPANY, 30), world.asked())
    everybody = await people(world)
    windows = {
        number
        for number, one in everybody.items()
        if not any(barrier.block == "window" for barrier in one.barriers)
    }
    assert {each.civil_id for each in found.workers} == windows
    assert [each.expires for each in found.workers] == sorted(each.expires for each in found.workers)
    body = (await companies.bodies(ListBodies(), world.asked())).bodies[0]
    assert body.due == len(found.workers), "what the list of bodies says"
    assert not found.more
    arabic = await companies.due(ListWorkers(COMPANY, 2), world.asked(language="ar"))
    assert arabic.more
    assert len(arabic.workers) == 2
    assert arabic.workers[0].name != found.workers[0].name


async def test_one_worker(world: World, companies: Companies) -> None:
    number, one = next(iter((await people(world)).items()))
    found = await companies.find(FindWorker(COMPANY, number), world.asked())
    assert found.worker == one
    permit = (await world.registry.workers(COMPANY, [number]))[0]
    assert found.passport == permit.passport_expires.isoformat()
    assert found.work_permit == (permit.work_permit_until.isoformat() if permit.work_permit_until else "")
    for body, stranger in ((COMPANY, STRANGER), (GOVERNMENT, number)):
        with pytest.raises(Failed, match=FindWorkerRefused.UNKNOWN):
            await companies.find(FindWorker(body, stranger), world.asked())


async def test_a_price(world: World, companies: Companies) -> None:
    wish = (await ready(world))[0]
    quoted = await companies.quote(QuoteWorkers(COMPANY, (wish,)), world.asked())
    assert quoted.bill.subject == masked(wish.civil_id).text
    assert (quoted.bill.owners, quoted.bill.body) == ((wish.civil_id,), COMPANY)
    assert sum(item.fils for item in quoted.bill.items) == wish.fils
    assert [item.years for item in quoted.bill.items if item.kind is ItemKind.RENEWAL] == [1]
    assert quoted.until == world.clock.now() + QUOTE
    assert not quoted.changed
    other = msgspec.structs.replace(wish, fils=wish.fils - 1)
    assert (await companies.quote(QuoteWorkers(COMPANY, (other,)), world.asked())).changed


async def test_several_at_once_are_parts_of_one_order(world: World, companies: Companies) -> None:
    wishes = tuple(await ready(world))
    quoted = await companies.quote(QuoteWorkers(COMPANY, wishes), world.asked())
    assert quoted.bill.subject == masked(COMPANY).text
    assert quoted.bill.owners == tuple(wish.civil_id for wish in wishes)
    assert {item.part for item in quoted.bill.items} == set(range(len(wishes)))
    assert sum(item.fils for item in quoted.bill.items) == sum(wish.fils for wish in wishes)
    assert quoted.large


async def test_what_cannot_be_had_has_no_price(world: World, companies: Companies) -> None:
    found = await people(world)
    blocked = next(number for number, one in found.items() if not one.ready)
    able = next(number for number, one in found.items() if one.ready)
    for wishes, why in (
        ((Wish(blocked, 1, 0),), QuoteRefused.BLOCKED),
        ((Wish(able, 1, 0), Wish(blocked, 1, 0)), QuoteRefused.BLOCKED),
        ((Wish(STRANGER, 1, 0),), QuoteRefused.BLOCKED),
        ((Wish(able, 99, 0),), QuoteRefused.NOT_OFFERED),
    ):
        with pytest.raises(Failed, match=why):
            await companies.quote(QuoteWorkers(COMPANY, wishes), world.asked())


async def test_a_registry_that_does_not_answer(world: World, companies: Companies) -> None:
    with world.away(), pytest.raises(Unavailable):
        await companies.find(FindWorker(COMPANY, STRANGER), world.asked())


# --- the gate ------------------------------------------------------------------------------------


def test_every_operation_of_a_body_is_behind_its_gate() -> None:
    of_body = {effect for effect, rule in RULES.items() if rule.reach is Reach.BODY}
    assert of_body == {type(effect) for effect in OF_BODY}


@pytest.mark.parametrize("effect", OF_BODY, ids=lambda effect: type(effect).__name__)
async def test_a_body_that_is_not_ones_own(world: World, companies: Companies, effect: Effect) -> None:
    """Nobody, a stranger and another body's user get nowhere; nothing is asked but who may act for what."""
    gate = guarded({**company_executors(companies), **batch_executors(world.batches)}, world.registry)
    with pytest.raises(Unsigned):
        await gate[type(effect)](effect, world.asked(""))
    for actor in (STRANGER, SEVERAL, staff(COMPANY)[0]):
        with pytest.raises(Forbidden):
            await gate[type(effect)](effect, world.asked(actor))
    nobodys = msgspec.structs.replace(effect, body="")
    with pytest.raises(Forbidden):
        await gate[type(effect)](nobodys, world.asked(ONE))
    assert world.calls("workers") == 0
    assert not await world.rows("batches")


async def test_ones_own_body_opens_the_gate(world: World, companies: Companies) -> None:
    gate = guarded(company_executors(companies), world.registry)
    assert (await gate[ListWorkers](ListWorkers(COMPANY, 10), world.asked())).workers
    with pytest.raises(Unsigned):
        await gate[ListBodies](ListBodies(), world.asked(""))
