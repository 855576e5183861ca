"""Journey B with nothing made up but the payment: the dialog, the gate, the services, the sandbox registry."""

from typing import Any

import msgspec
import pytest

from bot.dialogs.checkout import CheckPayment, OpenOrder, Status
from bot.dialogs.renewal import ListFile, QuoteRenewals
from bot.domain import Item
from bot.i18n.text import Money
from bot.model import Signed
from bot.ports import Asked, Effect, Failed
from bot.residency.facts import Kin
from bot.services.authority import guarded
from bot.services.registry import Registry
from bot.services.renewals import Renewals, executors
from tests.dialogs.data import ORDER, PAID, link, standing
from tests.dialogs.family import signed
from tests.dialogs.harness import NOON, Chat
from tests.sandbox.kit import JOURNEY_A

LATE, ALONE, BLOCKED = "283020807189", "279051704121", "276100302556"


class Town:
    """A chat whose effects are executed by the services themselves."""

    def __init__(self, chat: Chat, renewals: Renewals, registry: Registry) -> None:
        self.chat = chat
        self._gated = guarded(executors(renewals), registry)

    async def settle(self) -> Chat:
        """Execute what the chat waits for, until it waits for nothing of ours."""
        chat = self.chat
        while chat.held and type(chat.held[0].effect) in self._gated:
            effect: Effect = chat.held[0].effect
            actor = chat.session.signed.civil_id if chat.session.signed else ""
            try:
                answer: Any = await self._gated[type(effect)](effect, Asked("1:0", chat.address, "ar", actor))
            except Failed as refusal:
                answer = refusal.word
            chat.lets_go(answer)
        return chat


@pytest.fixture(params=["ar", "en"])
def town(request: pytest.FixtureRequest, renewals: Renewals, registry: Registry) -> Town:
    chat = signed(Chat(str(request.param)))
    chat.answers(OpenOrder, link(fils=80_000)).answers(CheckPayment, standing(Status.NONE))
    return Town(chat, renewals, registry)


def as_whom(town: Town, civil_id: str) -> Chat:
    """Another one is signed in."""
    town.chat.session = type(town.chat.session)(signed=Signed(civil_id, NOON, NOON + 1800))
    return town.chat


async def test_a_family_is_renewed_and_stands_so_in_the_records(town: Town, registry: Registry) -> None:
    town.chat.says("/renewal")
    chat = (await town.settle()).stands("renewal.file").hears("{n} residency on your file:", n=5)
    chat.hears("ends in {n} day", n=41).hears("ends in {n} day", n=20).hears("ends in {n} day", n=214)
    chat.presses("What is the block?", n=2).hears("Health insurance is not paid.")
    chat.hears("A year costs {amount}.", amount=Money(100_000)).hears(
        "The Latin name differs from the passport."
    )
    chat.presses("Back").presses("Renew the ready one", n=2)
    chat.presses("{n} year: {amount}", n=2, amount=Money(80_000)).presses("They are right").presses("I agree")
    (await town.settle()).stands("renewal.summary").hears("In all *{total}*", total=Money(80_000))
    chat.presses("Pay {total}").stands("renewal.paying", "checkout.paying")
    order = next(effect for effect in chat.effects if isinstance(effect, OpenOrder))
    for part in (0, 1):
        paid = tuple(item for item in order.items if item.part == part)
        await registry.record_payment(f"{ORDER}-{part + 1}", NOON, "600100000001", paid)
    chat.wakes("paid", ORDER, **PAID).says("/back").stands("renewal.paid").presses("My file again")
    (await town.settle()).hears("{n} residency on your file:", n=5)
    chat.hears("ends in {n} day", n=41 + 731)  # two years later, one of them a leap year
    file = await registry.family(JOURNEY_A)
    assert {permit.expires.isoformat() for permit in file if permit.kin in {Kin.WIFE, Kin.SON}} == {
        "2029-01-01"
    }


async def test_a_late_one_with_the_fine(town: Town) -> None:
    as_whom(town, LATE).says("/renewal")
    chat = (await town.settle()).hears("ended {n} day ago", n=45)
    chat.presses("Renew the ready one").hears(
        "Each amount includes fines of {amount}.", amount=Money(120_000)
    )
    chat.presses("{n} year: {amount}", n=1, amount=Money(170_000)).presses("They are right").presses(
        "I agree"
    )
    (await town.settle()).stands("renewal.summary").hears(
        "{who}, {n} fine: {amount}", n=1, amount=Money(120_000)
    )
    assert chat.top.answers["large"], "a hundred dinars and more want a fresh sign-in"


async def test_somebody_alone(town: Town) -> None:
    as_whom(town, ALONE).says("/renewal")
    chat = (await town.settle()).hears("Nobody else is on it").presses("Renew the ready one")
    chat.presses("{n} year: {amount}", n=1, amount=Money(500_000)).presses("They are right").presses(
        "I agree"
    )
    (await town.settle()).stands("renewal.summary").hears("In all *{total}*", total=Money(500_000))


async def test_a_family_in_which_everybody_is_blocked(town: Town) -> None:
    as_whom(town, BLOCKED).says("/renewal")
    chat = (await town.settle()).stands("renewal.file")
    assert not chat.heard("✓ {who}: {days}; can be renewed now")
    chat.presses("What blocks them?")
    for place in range(6):  # those on the first page
        chat.picks(chat.last.labels[place]).stands("renewal.person").hears("Before the renewal, {n} thing")
        chat.presses("Back").presses("What blocks them?")
    assert {type(effect) for effect in chat.effects} == {ListFile}


async def test_blocked_between_the_choice_and_the_price(town: Town, registry: Registry) -> None:
    """Somebody else renews the son meanwhile: it is too early for him now, and nothing is sold."""
    town.chat.says("/renewal")
    chat = (await town.settle()).presses("Renew the ready one").presses("{n} year: {amount}", n=1)
    chat.presses("They are right").presses("I agree")
    quoted = (await town.settle()).top.answers["bill"]["items"]
    chat.says("/back").presses("{n} year: {amount}", n=2).presses("They are right")
    items = tuple(msgspec.convert(line, Item) for line in quoted[:1])
    await registry.record_payment("IQ-AAAA-BBBB", NOON, "600100000002", items)
    chat.presses("I agree")
    (await town.settle()).stands("renewal.file").hears("Meanwhile something blocks one of those chosen.")
    assert isinstance(chat.effects[-2], QuoteRenewals)
