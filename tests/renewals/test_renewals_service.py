"""A sponsor's file and its prices, from the sandbox registry and the rules of the day."""

from datetime import date

import msgspec
import pytest

from bot.dialogs.renewal import ListFile, QuoteRefused, QuoteRenewals, Wish
from bot.dialogs.renewal.file import Standing, standing
from bot.domain import ItemKind
from bot.errors import Forbidden, Malformed, OutsideError, Unsigned
from bot.model import Chat
from bot.ports import Asked, Failed
from bot.residency.facts import Kin
from bot.residency.verdict import Candidate
from bot.sandbox.people import EPOCH, SERIALS, by_index
from bot.services.authority import guarded
from bot.services.registry import Registry
from bot.services.renewals import Appraiser, QuoteLimits, Renewals, executors
from tests.sandbox.kit import DOWN, JOURNEY_A, NOON, FakeClock

SPONSOR, LATE, ALONE = JOURNEY_A, "283020807189", "279051704121"
STRANGER = "290063001017"


def asked(actor: str = SPONSOR) -> Asked:
    return Asked("1:0", Chat("test", "1"), "ar", actor)


def wish(one: Candidate, years: int, fils: int | None = None) -> Wish:
    offer = one.offer(years)
    shown = offer.fils if offer is not None else 0
    return Wish(one.civil_id, years, shown if fils is None else fils)


async def kin(renewals: Renewals, relation: Kin, actor: str = SPONSOR) -> Candidate:
    """The one on the file who is that."""
    return next(one for one in (await renewals.file(actor)).people if one.kin is relation)


async def test_a_file_is_oneself_then_whoever_ends_first(renewals: Renewals) -> None:
    people = (await renewals.file(SPONSOR)).people
    assert people[0].kin is Kin.SELF
    assert [one.expires for one in people[1:]] == sorted(one.expires for one in people[1:])
    assert {one.kin: standing(one) for one in people} == {
        Kin.SELF: Standing.EMPLOYER,
        Kin.MOTHER: Standing.BLOCKED,
        Kin.WIFE: Standing.READY,
        Kin.SON: Standing.READY,
        Kin.DAUGHTER: Standing.LATER,
    }


async def test_nobody_on_the_file(renewals: Renewals) -> None:
    assert (await renewals.file("271031406032")).people == ()


async def test_one_part_a_person_in_the_order_of_the_wishes(renewals: Renewals) -> None:
    wife, son = await kin(renewals, Kin.WIFE), await kin(renewals, Kin.SON)
    quoted = await renewals.quote(SPONSOR, (wish(son, 2), wish(wife, 1)))
    bill = quoted.bill
    assert [(item.number, item.part, item.years, item.fils) for item in bill.items] == [
        (son.permit, 0, 2, 40_000),
        (wife.permit, 1, 1, 20_000),
    ]
    assert bill.subject == "2850****0029"
    assert bill.owners == (son.civil_id, wife.civil_id)
    assert bill.body == ""
    assert quoted.people == (son, wife)
    assert quoted.until == NOON + 1800
    assert not quoted.changed
    assert not quoted.large


async def test_no_name_and_no_number_stands_in_a_line(renewals: Renewals) -> None:
    wife = await kin(renewals, Kin.WIFE)
    text = msgspec.json.encode((await renewals.quote(SPONSOR, (wish(wife, 1),))).bill.items).decode()
    assert wife.civil_id not in text
    assert wife.name.en not in text
    assert wife.name.ar not in text


async def test_fines_are_paid_in_the_part_of_whoever_owes_them(renewals: Renewals) -> None:
    late = await kin(renewals, Kin.SELF, LATE)
    assert late.days == -45
    quoted = await renewals.quote(LATE, (wish(late, 1),))
    assert [(item.kind, item.fils, item.part) for item in quoted.bill.items] == [
        (ItemKind.RESIDENCY, 120_000, 0),
        (ItemKind.RENEWAL, 50_000, 0),
    ]


@pytest.mark.parametrize(("shown", "changed"), [(40_000, False), (39_999, True), (0, True)])
async def test_another_total_than_was_shown_is_told(renewals: Renewals, shown: int, changed: bool) -> None:  # noqa: FBT001
    wife = await kin(renewals, Kin.WIFE)
    assert (await renewals.quote(SPONSOR, (wish(wife, 2, shown),))).changed is changed


@pytest.mark.parametrize(("above", "large"), [(0, True), (39_999, True), (40_000, False), (40_001, False)])
async def test_above_a_sum_a_fresh_sign_in(
    registry: Registry,
    clock: FakeClock,
    above: int,
    large: bool,  # noqa: FBT001
) -> None:
    renewals = Renewals(registry, clock, QuoteLimits(600, above))
    quoted = await renewals.quote(SPONSOR, (wish(await kin(renewals, Kin.WIFE), 2),))
    assert quoted.large is large
    assert quoted.until == NOON + 600


@pytest.mark.parametrize(
    ("relation", "years", "word"),
    [
        (Kin.MOTHER, 1, QuoteRefused.BLOCKED),
        (Kin.DAUGHTER, 1, QuoteRefused.BLOCKED),
        (Kin.SELF, 1, QuoteRefused.BLOCKED),
        (Kin.WIFE, 3, QuoteRefused.NOT_OFFERED),
        (Kin.WIFE, 0, QuoteRefused.NOT_OFFERED),
        (Kin.WIFE, -1, QuoteRefused.NOT_OFFERED),
    ],
)
async def test_what_is_not_offered_has_no_price(
    renewals: Renewals, relation: Kin, years: int, word: QuoteRefused
) -> None:
    ready, other = await kin(renewals, Kin.SON), await kin(renewals, relation)
    with pytest.raises(Failed) as refused:
        await renewals.quote(SPONSOR, (wish(ready, 1), wish(other, years)))
    assert refused.value.word == word


async def test_a_stranger_is_nobodys_to_renew(renewals: Renewals) -> None:
    with pytest.raises(Forbidden):
        await renewals.quote(SPONSOR, (Wish(STRANGER, 1, 20_000),))
    wife = await kin(renewals, Kin.WIFE)
    with pytest.raises(Forbidden):
        await renewals.quote(STRANGER, (wish(wife, 1),))


async def test_nobody_twice_and_not_nobody(renewals: Renewals) -> None:
    wife = await kin(renewals, Kin.WIFE)
    with pytest.raises(Malformed):
        await renewals.quote(SPONSOR, (wish(wife, 1), wish(wife, 2)))
    with pytest.raises(Malformed):
        await renewals.quote(SPONSOR, ())


async def test_a_registry_that_is_down(renewals: Renewals) -> None:
    with pytest.raises(OutsideError):
        await renewals.file(DOWN)


async def test_the_day_is_kuwaits(renewals: Renewals, clock: FakeClock) -> None:
    before = (await kin(renewals, Kin.WIFE)).days
    clock.at = NOON + 12 * 3600 - 1
    assert (await kin(renewals, Kin.WIFE)).days == before
    clock.at += 1
    assert (await kin(renewals, Kin.WIFE)).days in {before - 1, before}, (
        "a new day, or a sandbox that moves with it"
    )
    assert renewals.today.isoformat() == "2026-11-22"


async def test_whoever_is_not_signed_in_or_is_a_stranger_is_stopped_at_the_gate(
    renewals: Renewals, registry: Registry
) -> None:
    gated = guarded(executors(renewals), registry)
    wife = await kin(renewals, Kin.WIFE)
    with pytest.raises(Unsigned):
        await gated[ListFile](ListFile(), asked(""))
    with pytest.raises(Unsigned):
        await gated[QuoteRenewals](QuoteRenewals((wish(wife, 1),)), asked(""))
    with pytest.raises(Forbidden):
        await gated[QuoteRenewals](QuoteRenewals((wish(wife, 1),)), asked(STRANGER))
    assert (await gated[ListFile](ListFile(), asked())).people
    assert (await gated[QuoteRenewals](QuoteRenewals((wish(wife, 1),)), asked())).bill.items


async def test_a_wife_may_look_at_her_own_and_not_at_her_husbands(renewals: Renewals) -> None:
    wife = await kin(renewals, Kin.WIFE)
    own = (await renewals.file(wife.civil_id)).people
    assert SPONSOR not in {one.civil_id for one in own}
    assert own[0].kin is Kin.SELF


def heads() -> tuple[str, ...]:
    """Civil IDs of heads of made-up households born from 1970 to 1990."""
    first = (date(1970, 1, 1) - EPOCH).days
    indexes = ((first + 97 * n) * SERIALS + 10 * (37 * n % 900) for n in range(40))
    return tuple(person.civil_id for index in indexes if (person := by_index(index)) is not None)


async def test_every_offer_has_a_price_and_nothing_else_has(renewals: Renewals, appraiser: Appraiser) -> None:
    """Over a part of the made-up population: what is offered is what is sold, to the last fils."""
    sold = 0
    for actor in heads():
        for one in (await renewals.file(actor)).people:
            assert one.ready == bool(one.offers)
            for years in range(1, 7):
                offer = one.offer(years)
                if offer is None:
                    with pytest.raises(Failed):
                        await renewals.quote(actor, (wish(one, years),))
                    continue
                quoted = await renewals.quote(actor, (wish(one, years),))
                assert sum(item.fils for item in quoted.bill.items) == offer.fils
                assert not quoted.changed
                assert await appraiser.holds(quoted.bill.items, quoted.bill.owners, "")
                sold += 1
    assert sold > 5, "a population in which somebody renews"
