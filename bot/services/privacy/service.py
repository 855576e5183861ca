"""What the dialogs ``mydata`` and ``forget`` ask for."""

from typing import Final, Protocol

import structlog

from bot.crypto import Keyring
from bot.dialogs.my_data import (
    Export,
    ExportData,
    ForgetAll,
    Forgotten,
    Kept,
    ListKept,
    Recall,
    Recalled,
    Remember,
    Remembered,
    RememberRefused,
    Unremember,
)
from bot.dialogs.my_data.consent import CURRENT, REMEMBER_NUMBER
from bot.errors import Unreadable
from bot.i18n.text import masked
from bot.model import Chat
from bot.ports import Asked, Clock, Effect, Executor, Failed
from bot.services.ledger import Ledger, Order
from bot.services.ledger import privacy as rows
from bot.services.ledger.privacy import Held, Letting
from bot.services.orders.parts import GIVE_UP, chat_blind
from bot.services.privacy.export import Exports
from bot.services.privacy.periods import PERIODS

log = structlog.get_logger(__name__)

_BATCH: Final = 1000
"""Orders of one chat: more than anybody makes."""


class Memory(Protocol):
    """What is kept of chats outside the ledger; `bot.store.privacy.ChatMemory`."""

    async def forget(self, chat: Chat) -> None:
        """Empty the chat; safe to repeat.

        Raises:
            StoreAway: the store does not answer.
        """
        ...


class Privacy:
    """Remembers by consent, shows, hands out, forgets.

    Args:
        ledger: migrated.
        memory: the rest of what is kept.
        exports: makes the files.
        keyring: seals numbers, names chats.
        clock: the time.

    Every method raises `Unavailable` while the ledger does not answer.
    """

    def __init__(
        self, *, ledger: Ledger, memory: Memory, exports: Exports, keyring: Keyring, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._memory = memory
        self._exports = exports
        self._keyring = keyring
        self._clock = clock

    async def show(self, _effect: ListKept, asked: Asked) -> Kept:
        """Execute `ListKept`."""
        blind = chat_blind(self._keyring, asked.chat)
        async with self._ledger.read() as read:
            held = Held.of(read)
            row, agreed = await self._remembered(held, blind)
            orders = await held.orders_of(blind)
            reminders = await held.reminders_of(blind)
        number = self.opened(row) if row else ""
        return Kept(
            number=masked(number).text if number else "",
            until=row.expires if row and number else 0,
            renew=bool(number) and not agreed,
            orders=len(orders),
            paid=sum(_paid(order) for order in orders),
            reminders=len(reminders),
        )

    async def remember(self, effect: Remember, asked: Asked) -> Remembered:
        """Execute `Remember`: the consent and what is remembered by it in one transaction.

        Raises:
            Failed: a value of `RememberRefused`.
        """
        if effect.version != CURRENT.version:
            raise Failed(RememberRefused.OUTDATED)
        blind, now = chat_blind(self._keyring, asked.chat), self._clock.now()
        expires = now + PERIODS["remembered"].seconds
        async with self._ledger.write() as work:
            letting = Letting.of(work)
            row, agreed = await self._remembered(letting, blind)
            number = effect.number or (self.opened(row) if row else "")
            if not number:
                raise Failed(RememberRefused.NOTHING)
            if row and agreed and self.opened(row) == number:  # the same effect again
                return Remembered(masked(number).text, row.expires)
            consent = await letting.add_consent(blind, REMEMBER_NUMBER, effect.version, now, withdrawn=False)
            sealed = self._keyring.seal(number.encode(), _place(blind))
            await letting.remember(
                rows.Remembered(chat_blind=blind, consent_id=consent, value=sealed, at=now, expires=expires)
            )
        return Remembered(masked(number).text, expires)

    async def recall(self, _effect: Recall, asked: Asked) -> Recalled:
        """Execute `Recall`."""
        blind = chat_blind(self._keyring, asked.chat)
        async with self._ledger.read() as read:
            row, agreed = await self._remembered(Held.of(read), blind)
        return Recalled(self.opened(row) if row and agreed else "")

    async def unremember(self, _effect: Unremember, asked: Asked) -> Kept:
        """Execute `Unremember`."""
        blind, now = chat_blind(self._keyring, asked.chat), self._clock.now()
        async with self._ledger.write() as work:
            letting = Letting.of(work)
            if await letting.unremember(blind):
                await letting.add_consent(blind, REMEMBER_NUMBER, CURRENT.version, now, withdrawn=True)
        return await self.show(ListKept(), asked)

    async def export(self, _effect: ExportData, asked: Asked) -> Export:
        """Execute `ExportData`."""
        url, until = self._exports.link(asked.chat, asked.language)
        return Export(url, until)

    async def forget(self, _effect: ForgetAll, asked: Asked) -> Forgotten:
        """Execute `ForgetAll`: the ledger first, because it may say no; then the rest.

        What is interrupted in between is done again: nothing of it minds.
        """
        blind, now = chat_blind(self._keyring, asked.chat), self._clock.now()
        refundable = PERIODS["refundable"].seconds
        async with self._ledger.write() as work:
            letting = Letting.of(work)
            if paying := await letting.open_orders(blind, now):
                return Forgotten(paying=paying[0].ref)
            await letting.forget_chat(blind, now, refundable)
            await letting.clear_unpaid(now, 0, _BATCH)
            await letting.clear_paid(now, 0, _BATCH)
            stays = await letting.orders_of(blind)
        await self._memory.forget(asked.chat)
        log.info("chat forgotten", channel=asked.chat.channel, stays=len(stays))
        # What was not paid and stays has a gateway that is still asked about it, for a day at most.
        ends = (order.paid_at + refundable if _paid(order) else now + GIVE_UP for order in stays)
        return Forgotten(stays=len(stays), until=max(ends, default=0))

    def opened(self, row: rows.Remembered) -> str:
        """The number of the row; empty when it has expired or no key opens it."""
        if row.expires <= self._clock.now():
            return ""
        try:
            return self._keyring.open(row.value, _place(row.chat_blind)).decode()
        except Unreadable:
            log.error("remembered number unreadable")  # noqa: TRY400 - its text says no more
            return ""

    async def _remembered(self, held: Held, blind: str) -> tuple[rows.Remembered | None, bool]:
        """What the chat had us remember, and whether by the text that holds now."""
        row = await held.remembered(blind)
        if row is None:
            return None, False
        by = {consent.id: consent.version for consent in await held.consents(blind)}
        return row, by.get(row.consent_id) == CURRENT.version


def executors(privacy: Privacy) -> dict[type[Effect], Executor]:
    """Who executes which effect."""
    return {
        ListKept: privacy.show,
        Remember: privacy.remember,
        Recall: privacy.recall,
        Unremember: privacy.unremember,
        ExportData: privacy.export,
        ForgetAll: privacy.forget,
    }


def _paid(order: Order) -> bool:
    return order.paid_at > 0


def _place(blind: str) -> bytes:
    return f"remembered:{blind}".encode()
