"""Signing in: a link from the chat, the provider's page, a code back into the chat.

What each secret binds: the token in the link, the chat that asked; the state and the browser's cookie, the browser
that pressed our button; nonce and verifier, the provider's answer to that press; the code, the chat that asked once
more. Whoever holds only some of them signs nobody in.
"""

import re
import secrets
from collections.abc import Awaitable
from enum import StrEnum
from typing import Final, Protocol, TypeVar

import msgspec
import structlog

from bot.crypto import Keyring
from bot.dialogs.identify import (
    BeginSignIn,
    Confirmed,
    ConfirmSignIn,
    SignInLink,
    SignInPause,
    SignInRefused,
)
from bot.errors import BotError, Declined, OutsideError, StoreAway, Unavailable
from bot.model import Chat, Woken
from bot.ports import Asked, Clock, Effect, Executor, Failed, Wake
from bot.services.identity.discovery import SERVICE, NoCivilId
from bot.services.identity.provider import Provider, Trip

log = structlog.get_logger(__name__)

T = TypeVar("T")

LIFE: Final = 300
"""Seconds from the link to the confirmed code."""

LINKS: Final = 5
"""Links a chat gets within `WINDOW`: a slip, a page left, a code mistyped three times, and one more. Each is stored
and makes the provider serve a page; whoever needs more has another problem."""

WINDOW: Final = 600
"""Seconds of the sliding window of `LINKS`; ours, like that figure."""

BACK: Final = "/signin/back"
"""Path to which the provider sends browsers; operators register it there."""

_SECRET_BYTES: Final = 32  # RFC 7636: 43 characters are the shortest verifier
_CODES: Final = 1_000_000
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32, to be read out
_REF: Final = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}", re.ASCII)
_SEALED: Final = re.compile(r"([0-9A-Z]{4}-[0-9A-Z]{4})\.([A-Za-z0-9_-]{43})", re.ASCII)
"""A token or a state: the sign-in's reference and a secret."""


class Link(msgspec.Struct, frozen=True, array_like=True):
    """A sign-in as its page shows it.

    Attributes:
        ref: public reference, ``7F3C-9A1D``.
        chat: which asked.
        language: of that chat.
        at: when it asked (epoch seconds).
        until: when everything about it is over (epoch seconds).
        host: where the button leads.
        afresh: the chat was signed in already, and a new sign-in was asked for.
        token: of the link.
    """

    ref: str
    chat: Chat
    language: str
    at: int
    until: int
    host: str
    afresh: bool
    token: str


class Onward(msgspec.Struct, frozen=True):
    """Where the button leads. ``browser``: a secret for the browser that pressed it, to be kept ``life`` seconds."""

    ref: str
    url: str
    host: str
    browser: str
    life: int


class Way(StrEnum):
    """How the way back ended."""

    DONE = "done"
    LEFT = "left"  # the person refused, or the provider did
    UNKNOWN = "unknown"  # no such way is open: wrong, used before, too late, another browser
    DOWN = "down"  # the provider does not answer
    REFUSED = "refused"  # it answered something that cannot be believed
    NOBODY = "nobody"  # it does not say which civil ID


class Code(msgspec.Struct, frozen=True):
    """The code for the chat, six digits."""

    link: Link
    code: str


class _Result(msgspec.Struct, frozen=True, array_like=True):
    civil_id: str
    code: str
    until: int


class Store(Protocol):
    """Sign-ins under way; `bot.store.signins.SignInStore`, whose docstrings hold."""

    async def begin(
        self, ref: str, *, key: str, chat: Chat, token: str, record: bytes, life: int
    ) -> bytes | None: ...
    async def open(self, ref: str, token: str) -> tuple[bytes, bool] | None: ...
    async def start(self, ref: str, token: str, *, state: str, browser: str, secrets: bytes) -> bool: ...
    async def take(self, ref: str, *, state: str, browser: str) -> tuple[bytes, bytes] | None: ...
    async def settle(self, ref: str, *, state: str, code: str, result: bytes) -> bool: ...
    async def result(self, ref: str, browser: str) -> tuple[bytes, bytes] | None: ...
    async def confirm(self, ref: str, *, chat: Chat, key: str, code: str) -> tuple[str, bytes]: ...


class Counted(Protocol):
    """What a window said; `bot.store.quotas.Counted`, whose docstring holds."""

    @property
    def verdict(self) -> int: ...
    @property
    def until(self) -> int: ...


class Windows(Protocol):
    """Sliding windows; `bot.store.quotas.Quotas`, whose docstrings hold."""

    async def other(
        self, name: str, what: str, limit: tuple[int, int, int], now: int, *, passed: bool
    ) -> Counted: ...


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_LINK: Final = msgspec.msgpack.Decoder(Link)
_TRIP: Final = msgspec.msgpack.Decoder(Trip)
_RESULT: Final = msgspec.msgpack.Decoder(_Result)


class SignIns:
    """Sign-ins of all chats.

    Args:
        store: those under way.
        windows: count how many a chat asks for.
        provider: None where none is configured.
        keyring: names a sign-in after the effect that asked for it.
        clock: time.
        wake: brings the return into the chat.
        base_url: where residents' browsers find us, without a slash at the end.
    """

    def __init__(
        self,
        store: Store,
        windows: Windows,
        provider: Provider | None,
        keyring: Keyring,
        clock: Clock,
        wake: Wake,
        base_url: str,
    ) -> None:
        self._store = store
        self._windows = windows
        self._provider = provider
        self._keyring = keyring
        self._clock = clock
        self._wake = wake
        self._base_url = base_url

    # --- the chat --------------------------------------------------------------------------------

    async def begin(self, _effect: BeginSignIn, asked: Asked) -> SignInLink | SignInPause:
        """A link for the chat that asks, unless it asks too often; the same one for the same ``asked.key``.

        Raises:
            Failed: ``off``, or ``spent`` where the key's sign-in is over already.
            OutsideError: the provider does not say where one signs in.
        """
        if self._provider is None:
            raise Failed(SignInRefused.OFF)
        host = await self._provider.host()
        now = self._clock.now()
        chat = f"sign-ins:{asked.chat.channel}:{asked.chat.id}"
        counted = await self._stored(
            self._windows.other(chat, asked.key, (WINDOW, LINKS, LINKS), now, passed=True)
        )
        if counted.verdict:
            return SignInPause(LINKS, counted.until)
        ref = self._ref(asked.key)
        link = Link(ref, asked.chat, asked.language, now, now + LIFE, host, bool(asked.actor), _secret())
        record = await self._stored(
            self._store.begin(
                ref, key=asked.key, chat=asked.chat, token=link.token, record=_ENCODE(link), life=LIFE
            )
        )
        if record is None:
            raise Failed(SignInRefused.SPENT)
        begun = _LINK.decode(record)
        return SignInLink(ref, f"{self._base_url}/signin/{ref}.{begun.token}", begun.host, begun.until)

    async def confirm(self, effect: ConfirmSignIn, asked: Asked) -> Confirmed:
        """Who signed in, if ``effect.code`` is the code on their page and this is the chat that asked.

        Raises:
            Failed: ``wrong``, ``spent`` or ``off``.
            Unavailable: the store does not answer.
        """
        if self._provider is None:
            raise Failed(SignInRefused.OFF)
        if _REF.fullmatch(effect.ref) is None:
            raise Failed(SignInRefused.SPENT)
        word, result = await self._stored(
            self._store.confirm(effect.ref, chat=asked.chat, key=asked.key, code=effect.code)
        )
        if word != "right":
            raise Failed(SignInRefused.WRONG if word == "wrong" else SignInRefused.SPENT)
        found = _RESULT.decode(result)
        if self._clock.now() >= found.until:  # Redis forgets by its own clock
            raise Failed(SignInRefused.SPENT)
        return Confirmed(found.civil_id)

    # --- the pages -------------------------------------------------------------------------------

    def ref(self, text: str) -> str:
        """The reference inside a token or a state; empty where it is neither."""
        found = _SEALED.fullmatch(text)
        return found[1] if found else ""

    async def page(self, token: str) -> tuple[Link, bool] | None:
        """What the link shows, and whether somebody has signed in through it; changes nothing.

        Raises:
            Unavailable: the store does not answer.
        """
        found = _SEALED.fullmatch(token)
        if found is None:
            return None
        opened = await self._stored(self._store.open(found[1], found[2]))
        if opened is None:
            return None
        link = _LINK.decode(opened[0])
        return None if self._over(link) else (link, opened[1])

    async def start(self, token: str, language: str) -> Onward | None:
        """The provider's page for the browser that pressed the button; None where the link is none, or used.

        Args:
            token: of the link.
            language: ``ar`` or ``en``, in which our page was read.

        Raises:
            OutsideError: the provider does not say where one signs in, or the store does not answer.
        """
        shown = await self.page(token)
        if self._provider is None or shown is None or shown[1]:
            return None
        link = shown[0]
        trip, state, browser = Trip(_secret(), _secret()), _secret(), _secret()
        url = await self._provider.address(trip, f"{link.ref}.{state}", language, afresh=link.afresh)
        started = await self._stored(
            self._store.start(link.ref, link.token, state=state, browser=browser, secrets=_ENCODE(trip))
        )
        if not started:
            return None
        return Onward(link.ref, url, link.host, browser, max(1, link.until - self._clock.now()))

    async def returned(
        self, state: str, code: str, error: str, *, issuer: str, browser: str
    ) -> tuple[Way, Link | None]:
        """The browser with the secret ``browser`` is back.

        What does not belong to an open way changes nothing. What does is taken, so that it cannot be repeated.

        Args:
            state: as the provider gives it back.
            code: for the ID token; empty where there is none.
            error: the provider's word for a refusal.
            issuer: in whose name the answer is given; empty where it is not said.
            browser: the secret that `start` gave this browser; empty where it has none.

        Returns:
            How it ended, and the sign-in where it is known. After `Way.DONE` the chat waits for the code that
            `shown` shows.

        Raises:
            Unavailable: the store does not answer.
        """
        found = _SEALED.fullmatch(state)
        if self._provider is None or found is None or not browser:
            return Way.UNKNOWN, None
        ref, secret = found[1], found[2]
        taken = await self._stored(self._store.take(ref, state=secret, browser=browser))
        if taken is None:
            return Way.UNKNOWN, None
        link = _LINK.decode(taken[0])
        if self._over(link):
            return Way.UNKNOWN, None
        if error or not code:
            return Way.LEFT, link
        try:
            if not await self._provider.may_answer(issuer):
                raise Declined(SERVICE, "another provider's answer")
            trip = _TRIP.decode(taken[1])
            civil_id = await self._provider.civil_id(code, trip, link.at if link.afresh else 0)
        except OutsideError as fault:
            log.warning("sign-in not completed", reason=fault.reason)
            return _way(fault), link
        result = _Result(civil_id, f"{secrets.randbelow(_CODES):06d}", link.until)
        settled = await self._stored(
            self._store.settle(ref, state=secret, code=result.code, result=_ENCODE(result))
        )
        if not settled:
            return Way.UNKNOWN, None
        await self._tell(link)
        return Way.DONE, link

    async def shown(self, ref: str, browser: str) -> Code | None:
        """The code, for the browser that signed in, until the chat has it; changes nothing.

        Raises:
            Unavailable: the store does not answer.
        """
        if not browser or _REF.fullmatch(ref) is None:
            return None
        found = await self._stored(self._store.result(ref, browser))
        if found is None:
            return None
        link = _LINK.decode(found[0])
        return None if self._over(link) else Code(link, _RESULT.decode(found[1]).code)

    async def _tell(self, link: Link) -> None:
        news = Woken(
            id=f"signin:{link.ref}", chat=link.chat, dialog="identify", kind="returned", ref=link.ref
        )
        try:
            await self._wake(news)
        except BotError as error:  # the page says what to do, and the chat has a button for it
            log.warning("chat not woken after a sign-in", reason=type(error).__name__)

    def _over(self, link: Link) -> bool:
        return self._clock.now() >= link.until

    def _ref(self, key: str) -> str:
        number = int(self._keyring.blind(f"sign-in of effect:{key}"), 16)
        letters = "".join(_ALPHABET[number >> shift & 31] for shift in range(0, 40, 5))
        return f"{letters[:4]}-{letters[4:]}"

    async def _stored(self, asking: Awaitable[T]) -> T:
        try:
            return await asking
        except StoreAway:
            raise Unavailable(SERVICE, "the store does not answer") from None


def _secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


def _way(error: OutsideError) -> Way:
    match error:
        case NoCivilId():
            return Way.NOBODY
        case Unavailable():
            return Way.DOWN
        case _:
            return Way.REFUSED


def executors(sign_ins: SignIns) -> dict[type[Effect], Executor]:
    """Who executes which effect of the dialog that signs in."""
    return {BeginSignIn: sign_ins.begin, ConfirmSignIn: sign_ins.confirm}
