"""Whether an order's prices still hold: each line, whose it is, and for whom they work."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from bot.clock import local
from bot.dialogs.renewal import Quoted, Wish
from bot.domain import FineKind, Item, ItemKind
from bot.errors import OutsideError
from bot.i18n.text import Local
from bot.residency import assess, lines
from bot.residency.facts import Permit
from bot.sandbox.faults import Faults
from bot.sandbox.recorded import Recorded
from bot.sandbox.registry import registry_app
from bot.services.registry import Registry
from bot.services.renewals import Appraiser, Renewals
from bot.services.seldom import Seldom
from tests.sandbox.kit import JOURNEY_A, NOON, TOKEN, FakeClock

SPONSOR, LATE = JOURNEY_A, "283020807189"
ONE_COMPANY = "274090908407"
FINE = Item("F-NOT-THERE", ItemKind.TRAFFIC, Local("", ""), 5000)
WORDS = Local("كلمات أخرى", "other words")


@pytest.fixture
async def quoted(renewals: Renewals) -> Quoted:
    """The wife and the son for two years."""
    people = [one for one in (await renewals.file(SPONSOR)).people if one.ready]
    return await renewals.quote(SPONSOR, tuple(Wish(one.civil_id, 2, 40_000) for one in people))


async def test_a_fresh_price_holds(appraiser: Appraiser, quoted: Quoted) -> None:
    assert len(quoted.bill.items) == 2
    assert await appraiser.holds(quoted.bill.items, quoted.bill.owners, "")
    assert await appraiser.holds(quoted.bill.items, (), ""), "asked again before each link, without owners"


async def test_words_are_no_price(appraiser: Appraiser, quoted: Quoted) -> None:
    items = tuple(msgspec.structs.replace(item, title=WORDS) for item in quoted.bill.items)
    assert await appraiser.holds(items, quoted.bill.owners, "")


CHANGES: dict[str, Callable[[Item], Item]] = {
    "fils": lambda item: msgspec.structs.replace(item, fils=item.fils - 1),
    "more fils": lambda item: msgspec.structs.replace(item, fils=item.fils + 1),
    "years": lambda item: msgspec.structs.replace(item, years=1),
    "years not offered": lambda item: msgspec.structs.replace(item, years=5),
    "until": lambda item: msgspec.structs.replace(item, until="2040-01-01"),
    "unknown": lambda item: msgspec.structs.replace(item, number="P-00000000000"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_any_other_line_does_not_hold(appraiser: Appraiser, quoted: Quoted, change: str) -> None:
    first, second = quoted.bill.items
    assert not await appraiser.holds((CHANGES[change](first), second), quoted.bill.owners, "")
    assert not await appraiser.holds((first, CHANGES[change](second)), (), "")


async def test_one_permit_once_and_one_renewal_a_part(appraiser: Appraiser, quoted: Quoted) -> None:
    first, second = quoted.bill.items
    assert not await appraiser.holds((first, msgspec.structs.replace(first, part=1)), (), "")
    assert not await appraiser.holds((first, msgspec.structs.replace(second, part=0)), (), "")


async def test_whose_they_are(appraiser: Appraiser, quoted: Quoted) -> None:
    first, second = quoted.bill.owners
    assert not await appraiser.holds(quoted.bill.items, (first,), "")
    assert not await appraiser.holds(quoted.bill.items, (SPONSOR,), "")
    assert await appraiser.holds(quoted.bill.items, (second, first, SPONSOR), "")


async def test_fines_belong_to_their_part(appraiser: Appraiser, renewals: Renewals) -> None:
    late = (await renewals.file(LATE)).people[0]
    items = (await renewals.quote(LATE, (Wish(LATE, 1, 0),))).bill.items
    assert [item.kind for item in items] == [ItemKind.RESIDENCY, ItemKind.RENEWAL]
    assert late.fines
    assert await appraiser.holds(items, (LATE,), "")
    assert not await appraiser.holds(items[1:], (LATE,), ""), "a fine left out"
    assert not await appraiser.holds((*items, FINE), (LATE,), ""), "a fine too many"
    elsewhere = (msgspec.structs.replace(items[0], part=1), items[1])
    assert not await appraiser.holds(elsewhere, (LATE,), ""), "a fine of another part"
    assert FineKind(items[0].kind) is FineKind.RESIDENCY


async def test_fines_alone_are_not_its_business(appraiser: Appraiser) -> None:
    assert await appraiser.holds((FINE,), (), "")


async def test_what_is_renewed_meanwhile_does_not_hold(
    appraiser: Appraiser, quoted: Quoted, registry: Registry
) -> None:
    part = tuple(item for item in quoted.bill.items if item.part == 0)
    await registry.record_payment("IQ-7F3C-9A1D-1", NOON, "600100000001", part)
    assert not await appraiser.holds(quoted.bill.items, quoted.bill.owners, "")
    assert await appraiser.holds(quoted.bill.items[1:], (), ""), "the other one can still be paid"


async def test_a_day_later_the_rules_of_that_day_decide(
    appraiser: Appraiser, registry: Registry, clock: FakeClock
) -> None:
    """22 December 2025 was the last day of the old fees; the day is Kuwait's."""
    clock.at = 1_766_436_900.0  # 23:55 in Kuwait
    today = local(clock.now()).date()
    assert today.isoformat() == "2025-12-22"
    permit = await _ready(registry, today)
    items = lines(permit, 1, today)
    assert await appraiser.holds(items, (), "")
    clock.at += 600
    assert not await appraiser.holds(items, (), "")


async def _ready(registry: Registry, today: Any) -> Permit:
    """Somebody of the cast's family who can be renewed today."""
    for permit in await registry.family(SPONSOR):
        if assess(permit, today).ready:
            return permit
    raise AssertionError("nobody is ready")


async def test_whom_they_work_for(appraiser: Appraiser, registry: Registry, clock: FakeClock) -> None:
    today = local(clock.now()).date()
    (company,) = await registry.bodies(ONE_COMPANY)
    due = await registry.workers_due(company.number, today.replace(year=today.year + 1), 50)
    worker = next(permit for permit in due if assess(permit, today).ready)
    items = lines(worker, 1, today)
    owners = (worker.civil_id,)
    assert await appraiser.holds(items, owners, company.number)
    assert await appraiser.holds(items, (), company.number)
    assert not await appraiser.holds(items, owners, "100000000000"), "another company"


async def test_a_dependant_works_for_nobody(appraiser: Appraiser, quoted: Quoted, registry: Registry) -> None:
    (company,) = await registry.bodies(ONE_COMPANY)
    assert not await appraiser.holds(quoted.bill.items, quoted.bill.owners, company.number)


@pytest.mark.parametrize("weather", ["503", "malformed", "429"])
async def test_nothing_is_said_while_the_registry_does_not_answer(
    quoted: Quoted, clock: FakeClock, weather: str
) -> None:
    """No yes and no no: whoever asks must not sell meanwhile."""
    app = registry_app(clock, TOKEN, Faults(), Recorded())
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Sandbox-Fail": weather}
    async with Seldom("http://registry", headers, transport=httpx.ASGITransport(app)) as client:
        away = Appraiser(Registry(client, clock, timeout=20.0), clock)
        with pytest.raises(OutsideError):
            await away.holds(quoted.bill.items, quoted.bill.owners, "")
