"""What an open look-up costs, and what becomes of it once that is used up.

The ministry's own enquiry is open to all, behind a verification code; so is ours, but nobody should read
through other people's numbers with it. Whoever is signed in pays nothing for their own number, and for
others' half: on an account that follows the person, without pictures.
"""

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from bot.crypto import Keyring
from bot.dialogs.find_reference import FindReference, Reference
from bot.dialogs.verify import Held, Why
from bot.dialogs.violations import FindFines, FindFinesRefused, Owed
from bot.domain import Subject
from bot.i18n.text import masked
from bot.model import Chat
from bot.ports import Asked, Clock, Effect, Executor, Failed
from bot.services.verification import TRIES, Ticket

HOUR: Final = 3600


class Limit(msgspec.Struct, frozen=True):
    """A sliding window.

    Attributes:
        free: so many without a picture.
        most: so many at most; the difference is what a passed picture gives, once in a window.
        window: seconds.
    """

    free: int
    most: int
    window: int = HOUR

    @property
    def terms(self) -> tuple[int, int, int]:
        """As the store takes them."""
        return self.window, self.free, self.most


LIMITS: Final[Mapping[Why, Limit]] = {
    # A family of ten with everybody's number; twice that for whoever pays for a neighbour, too.
    Why.CHAT: Limit(10, 20),
    # Half the price of a chat's. A company's representative does forty in an hour, hardly more.
    Why.PERSON: Limit(40, 40),
    # Who asks about one number: the resident on two devices, a spouse, the sponsor, his representative.
    Why.NUMBER: Limit(5, 20),
    # Passports tried for one civil ID: a slip or two. 6 an hour against 10**7 passport numbers and as many
    # days as a passport has.
    Why.TRIES: Limit(3, 6),
    # Mobile operators share an address among many: four chats use theirs up before pictures are asked for.
    Why.ADDRESS: Limit(40, 200),
}
"""The figures are ours: nobody publishes how many look-ups residents make. Metrics should revise them."""


class Counted(Protocol):
    """What a window said; `bot.store.quotas.Counted`, whose docstring holds."""

    @property
    def verdict(self) -> int: ...
    @property
    def until(self) -> int: ...
    @property
    def passed(self) -> bool: ...
    @property
    def origin(self) -> str: ...


class Windows(Protocol):
    """The windows; `bot.store.quotas.Quotas`, whose docstrings hold."""

    async def chat(
        self, chat: Chat, what: str, limit: tuple[int, int, int], now: int, origin: str
    ) -> Counted:
        """Count against a chat."""
        ...

    async def other(
        self, name: str, what: str, limit: tuple[int, int, int], now: int, *, passed: bool
    ) -> Counted:
        """Count against anything else."""
        ...


class Tickets(Protocol):
    """Where verifications come from; `bot.services.verification.Verification`."""

    async def ticket(self, chat: Chat, language: str) -> Ticket:
        """The link to a picture for this chat."""
        ...


class LookUp(msgspec.Struct, frozen=True):
    """What is looked up.

    Attributes:
        number: whose window the number's limit is.
        what: everything that was given: the same again learns nothing and costs nothing.
        guess: whether ``what`` is a guess at what belongs to ``number``.
    """

    number: str
    what: str
    guess: bool = False


class Meter:
    """Lets look-ups through, or says what is needed first.

    Args:
        windows: where they are counted.
        tickets: where pictures are to be had.
        keyring: gives the blind names of people.
        clock: time.
        limits: by what they limit.
    """

    def __init__(
        self,
        windows: Windows,
        tickets: Tickets,
        keyring: Keyring,
        clock: Clock,
        limits: Mapping[Why, Limit] = LIMITS,
    ) -> None:
        self._windows = windows
        self._tickets = tickets
        self._keyring = keyring
        self._clock = clock
        self._limits = limits

    async def held(self, look_up: LookUp, asked: Asked) -> Held | None:
        """Count ``look_up``; None where it may happen.

        The asker's own window comes first and the number's last, so that nobody who is refused anyhow uses up
        what others are allowed.

        Raises:
            StoreAway: nothing can be counted; the look-up must not happen.
        """
        now = self._clock.now()
        if asked.actor:
            who = f"person:{asked.actor}"
            own = await self._windows.other(
                who, look_up.what, self._limits[Why.PERSON].terms, now, passed=True
            )
            if own.verdict:
                return await self._refusal(Why.PERSON, own, asked)
            return await self._number(look_up, who, asked, passed=True)
        chat = self._keyring.blind(f"chat:{asked.chat.channel}:{asked.chat.id}")
        own = await self._windows.chat(
            asked.chat, look_up.what, self._limits[Why.CHAT].terms, now, asked.origin
        )
        if own.verdict:
            return await self._refusal(Why.CHAT, own, asked)
        if own.origin:
            place = await self._windows.other(
                f"address:{own.origin}",
                f"{chat}:{look_up.what}",
                self._limits[Why.ADDRESS].terms,
                now,
                passed=own.passed,
            )
            if place.verdict:
                return await self._refusal(Why.ADDRESS, place, asked)
        return await self._number(look_up, chat, asked, passed=own.passed)

    async def _number(self, look_up: LookUp, who: str, asked: Asked, *, passed: bool) -> Held | None:
        why = Why.TRIES if look_up.guess else Why.NUMBER
        what = look_up.what if look_up.guess else who
        counted = await self._windows.other(
            f"{why}:{look_up.number}", what, self._limits[why].terms, self._clock.now(), passed=passed
        )
        return await self._refusal(why, counted, asked) if counted.verdict else None

    async def _refusal(self, why: Why, counted: Counted, asked: Asked) -> Held:
        limit = self._limits[why]
        if counted.verdict > 1:
            return Held(pause=True, why=why, limit=limit.most, until=counted.until)
        ticket = await self._tickets.ticket(asked.chat, asked.language)
        if not ticket.url:
            return Held(pause=True, why=Why.PICTURES, limit=TRIES, until=ticket.closes)
        return Held(
            why=why,
            limit=limit.free,
            until=counted.until,
            url=ticket.url,
            ref=ticket.ref,
            closes=ticket.closes,
        )


def metered(executors: Mapping[type[Effect], Executor], meter: Meter) -> dict[type[Effect], Executor]:
    """``executors`` with the two open look-ups behind ``meter``.

    A civil ID that is not known and one that owes nothing take the same way through here: nothing is decided
    by what a look-up finds.
    """
    fines, reference = executors[FindFines], executors[FindReference]

    async def find_fines(effect: FindFines, asked: Asked) -> Owed | Held:
        if not effect.number:
            return await own_fines(asked)
        own = effect.by is Subject.CIVIL_ID and effect.number == asked.actor
        look_up = LookUp(f"{effect.by}:{effect.number}", f"fines:{effect.by}:{effect.number}")
        if not own and (held := await meter.held(look_up, asked)):
            return held
        owed: Owed = await fines(effect, asked)
        return owed

    async def own_fines(asked: Asked) -> Owed:
        """What is owed by whoever is signed in: free, and the dialog learns the masked number only."""
        if not asked.actor:
            raise Failed(FindFinesRefused.NOBODY)
        owed: Owed = await fines(FindFines(Subject.CIVIL_ID, asked.actor), asked)
        return msgspec.structs.replace(owed, subject=masked(asked.actor).text)

    async def find_reference(effect: FindReference, asked: Asked) -> Reference | Held:
        given = f"reference:{effect.civil_id}:{effect.passport}:{effect.expiry}"
        own = effect.civil_id == asked.actor
        if not own and (held := await meter.held(LookUp(effect.civil_id, given, guess=True), asked)):
            return held
        found: Reference = await reference(effect, asked)
        return found

    return {**executors, FindFines: find_fines, FindReference: find_reference}
