"""One's own residency from the sandbox registry, with the rules of the day; the gate before it; a chat over it all."""

from datetime import date, timedelta
from typing import Any

import pytest

from bot.dialogs.checkout import CheckPayment, OpenOrder, Status
from bot.dialogs.family_join import AskDay, Today
from bot.dialogs.overstay import CheckOverstay, CheckTravel, EstimateOverstay, NoPermit, Rates, Stay
from bot.domain import FineKind
from bot.errors import OutsideError, Unavailable, Unsigned
from bot.i18n.text import Money
from bot.model import Chat as Address
from bot.model import Signed
from bot.ports import Asked, Failed
from bot.residency.facts import Permit
from bot.residency.overstay import Case, estimate
from bot.residency.travel import Hurdle
from bot.services.authority import RULES, Reach, guarded
from bot.services.registry import Registry
from bot.services.travel import Travel
from tests.dialogs.data import ORDER, PAID, link, standing
from tests.dialogs.harness import MASKED, NOON, Chat
from tests.sandbox.kit import BUSY, CLEAN, JOURNEY_A, MANY, SINGLE, FakeClock
from tests.sandbox.people import CITIZEN, LATE, SELF_SPONSOR, TROUBLED, move

TODAY = date(2026, 11, 21)


def as_(actor: str) -> Asked:
    return Asked("1:0", Address("test", "1"), "ar", actor)


async def own(travel: Travel, actor: str) -> Stay:
    return await travel.check_overstay(CheckOverstay(), as_(actor))


# --- one's own -----------------------------------------------------------------------------------


async def test_forty_five_days_late(travel: Travel) -> None:
    stay = await own(travel, LATE)
    assert (stay.case, stay.late, stay.subject) == (Case.EXPIRED, 45, f"{LATE[:4]}****{LATE[-4:]}")
    assert stay.last == (TODAY - timedelta(days=45)).isoformat()
    assert stay.estimate == estimate(Case.EXPIRED, TODAY - timedelta(days=45), TODAY)
    assert stay.estimate.fils == 120_000
    assert stay.rates == Rates("2025-01-05", 2_000, 4_000)


async def test_only_residency_fines_belong_to_an_overstay(travel: Travel, registry: Registry) -> None:
    stay = await own(travel, JOURNEY_A)
    assert stay.late < 0
    assert stay.estimate is None
    assert stay.waived == ()
    assert [fine.fils for fine in stay.fines] == [20_000]
    permit = (await registry.family(JOURNEY_A))[0]
    assert {fine.kind for fine in permit.fines} == set(FineKind), "there are traffic fines beside it"


async def test_the_day_is_kuwaits(travel: Travel, clock: FakeClock) -> None:
    """At nine in the evening UTC the next day has begun."""
    late = (await own(travel, LATE)).late
    clock.at = NOON + 12 * 3600 - 1
    assert (await own(travel, LATE)).on == "2026-11-21"
    clock.at += 1
    after = await own(travel, LATE)
    assert (after.on, after.late) == ("2026-11-22", late), "the sandbox keeps its cast as late as it is"


async def test_nobody_in_the_records(travel: Travel) -> None:
    for ask in (
        travel.check_overstay(CheckOverstay(), as_(CITIZEN)),
        travel.check_travel(CheckTravel(), as_(CITIZEN)),
    ):
        with pytest.raises(Failed) as refusal:
            await ask
        assert refusal.value.word == NoPermit.NO_PERMIT


async def test_another_person_s_residency_is_not_told(registry: Registry, clock: FakeClock) -> None:
    class Confused:
        async def family(self, sponsor: str) -> tuple[Permit, ...]:
            del sponsor
            return await registry.family(SELF_SPONSOR)

    with pytest.raises(Failed):
        await own(Travel(Confused(), clock), LATE)


async def test_dependants_are_nobodys_own(travel: Travel, registry: Registry) -> None:
    """A sponsor's file holds others, too; the answer is about whoever asks."""
    family = await registry.family(JOURNEY_A)
    assert len(family) == 5
    clear = await travel.check_travel(CheckTravel(), as_(JOURNEY_A))
    assert clear.expires == family[0].expires.isoformat()


async def test_before_a_journey(travel: Travel) -> None:
    clear = await travel.check_travel(CheckTravel(), as_(JOURNEY_A))
    assert [(one.hurdle, one.kind, one.fils) for one in clear.found] == [
        (Hurdle.FINES, "residency", 20_000),
        (Hurdle.FINES, "traffic", 25_000),
        (Hurdle.BARRED, "traffic", 150_000),
        (Hurdle.EXIT_PERMIT, "", 0),
    ]
    assert [fine.fils for fine in clear.fines] == [10_000, 20_000, 15_000], "oldest first"
    assert (clear.back_by, clear.abroad_since) == ("2027-05-21", "")


async def test_nothing_before_a_journey(travel: Travel) -> None:
    clear = await travel.check_travel(CheckTravel(), as_(SELF_SPONSOR))
    assert (clear.found, clear.fines, clear.settling) == ((), (), 0)


@pytest.mark.parametrize("effect", [CheckOverstay(), CheckTravel()])
async def test_a_registry_that_does_not_answer(travel: Travel, effect: Any) -> None:
    with pytest.raises(OutsideError):
        await travel.executors()[type(effect)](effect, as_(BUSY))


# --- by a date -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [*Case])
async def test_an_estimate_asks_nobody(case: Case, clock: FakeClock) -> None:
    class Silent:
        async def family(self, sponsor: str) -> tuple[Any, ...]:
            raise Unavailable("registry", sponsor)

    stay = await Travel(Silent(), clock).estimate_overstay(EstimateOverstay(case, "2026-05-01"), as_(""))
    last = date(2026, 9, 1) if case is Case.NEWBORN else date(2026, 5, 1)
    assert (stay.last, stay.on, stay.subject, stay.fines) == (last.isoformat(), "2026-11-21", "", ())
    assert stay.estimate == estimate(case, last, TODAY)


@pytest.mark.parametrize(
    ("day", "last", "waived"),
    [
        ("2026-02-27", "2026-02-20", ()),
        ("2026-02-28", "2026-02-20", ("2026-02-28", "2026-03-27")),
        ("2026-03-10", "2026-03-05", ("2026-02-28", "2026-03-27")),
        ("2026-03-28", "2026-03-26", ("2026-02-28", "2026-03-27")),
        ("2026-03-29", "2026-03-27", ()),
        ("2026-03-10", "2026-03-10", ()),
    ],
)
async def test_waivers(
    travel: Travel, clock: FakeClock, day: str, last: str, waived: tuple[str, ...]
) -> None:
    move(clock, day)
    stay = await travel.estimate_overstay(EstimateOverstay(Case.VISIT, last), as_(""))
    assert stay.waived == waived
    other = await travel.estimate_overstay(EstimateOverstay(Case.EXPIRED, last), as_(""))
    assert other.waived == ()


@pytest.mark.parametrize(
    ("day", "rates"),
    [("2025-01-04", Rates("2020-01-01", 2_000, 2_000)), ("2025-01-05", Rates("2025-01-05", 2_000, 4_000))],
)
async def test_rates_are_those_of_the_day(travel: Travel, clock: FakeClock, day: str, rates: Rates) -> None:
    move(clock, day)
    stay = await travel.estimate_overstay(EstimateOverstay(Case.EXPIRED, "2024-06-01"), as_(""))
    assert (stay.rates.first, stay.rates.after) == (rates.first, rates.after)
    assert date.fromisoformat(stay.rates.since) <= date.fromisoformat(day)


async def test_which_day_it_is(travel: Travel) -> None:
    assert await travel.ask_day(AskDay(), as_("")) == Today("2026-11-21")


# --- the gate ------------------------------------------------------------------------------------


@pytest.mark.parametrize("effect", [CheckOverstay(), CheckTravel()])
async def test_one_s_own_needs_signing_in(travel: Travel, registry: Registry, effect: Any) -> None:
    gated = guarded(travel.executors(), registry)
    with pytest.raises(Unsigned):
        await gated[type(effect)](effect, as_(""))
    answer: Any = await gated[type(effect)](effect, as_(MANY))
    assert answer.subject == f"{MANY[:4]}****{MANY[-4:]}"


def test_what_is_open_names_nobody() -> None:
    assert RULES[EstimateOverstay].reach is RULES[AskDay].reach is Reach.ANYONE
    assert EstimateOverstay.__struct_fields__ == ("case", "last")
    assert AskDay.__struct_fields__ == ()


# --- a chat over it all --------------------------------------------------------------------------


class Town:
    """A chat whose effects are executed by the service itself, behind the gate."""

    def __init__(self, chat: Chat, travel: Travel, registry: Registry, actor: str) -> None:
        self.chat = chat
        self._actor = actor
        self._gated = guarded(travel.executors(), registry)
        chat.session = type(chat.session)(signed=Signed(actor, NOON, NOON + 1800))
        chat.answers(OpenOrder, link()).answers(CheckPayment, standing(Status.NONE))

    async def settle(self) -> Chat:
        """Execute what the chat waits for, until it waits for nothing of ours."""
        while self.chat.held and type(self.chat.held[0].effect) in self._gated:
            effect = self.chat.held[0].effect
            self.chat.lets_go(await self._gated[type(effect)](effect, as_(self._actor)))
        return self.chat


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_everything_payable_is_paid_and_looked_at_again(
    travel: Travel, registry: Registry, language: str
) -> None:
    town = Town(Chat(language), travel, registry, JOURNEY_A)
    town.chat.says("/menu").presses("More").presses("Overstay and travel").presses("Clear to travel?")
    chat = (await town.settle()).hears("{n} thing stands before a journey:", n=4)
    chat.presses("Pay {total}", total=Money(45_000)).stands("overstay.paying_all", "checkout.paying")
    order = next(effect for effect in chat.effects if isinstance(effect, OpenOrder))
    assert order.subject == MASKED
    await registry.record_payment(ORDER, NOON, "600100000001", order.items)
    chat.wakes("paid", ORDER, **PAID).says("/back")
    (await town.settle()).stands("overstay.hurdles").hears("{n} thing stands before a journey:", n=2)
    chat.hears("{n} violation was paid a moment ago", n=3).hears_not("Traffic violations, payable here")


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_an_overstay_is_paid_and_looked_at_again(
    travel: Travel, registry: Registry, language: str
) -> None:
    town = Town(Chat(language), travel, registry, JOURNEY_A)
    town.chat.says("/menu").presses("More").presses("Overstay and travel").presses("My overstay's cost")
    chat = (await town.settle()).hears("Recorded and due:", n=1, amount=Money(20_000)).presses("Pay {total}")
    order = next(effect for effect in chat.effects if isinstance(effect, OpenOrder))
    await registry.record_payment(ORDER, NOON, "600100000001", order.items)
    chat.wakes("paid", ORDER, **PAID).says("/back")
    (await town.settle()).stands("overstay.in_order").hears("{n} violation was paid a moment ago", n=1)


@pytest.mark.parametrize("actor", [CLEAN, SINGLE, TROUBLED, LATE, MANY])
@pytest.mark.parametrize("language", ["ar", "en"])
async def test_the_cast_is_told_something(
    travel: Travel, registry: Registry, actor: str, language: str
) -> None:
    town = Town(Chat(language), travel, registry, actor)
    town.chat.says("/menu").presses("More").presses("Overstay and travel").presses("My overstay's cost")
    assert (await town.settle()).top.state in {"stay", "in_order"}
    town.chat.presses("Clear to travel?")
    assert (await town.settle()).top.state in {"clear", "hurdles"}
    assert actor not in "".join(message.text for message in town.chat.screen)
    assert actor not in repr([frame.answers for frame in town.chat.session.frames])
