"""Verifications: a link to a picture of six digits, which a person reads and a simple program does not.

No more than a bump in the road: whoever trains a program for it reads these pictures. That is why a passed
one gives a bounded allowance, and why nothing but the picture's page depends on it. The digits follow from
the token, the picture's number and the ring's index key; they are stored nowhere.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
import structlog

from bot.crypto import Keyring
from bot.errors import StoreAway
from bot.model import Chat, Woken
from bot.ports import Clock, Wake

if TYPE_CHECKING:
    from captcha.image import ImageCaptcha

log = structlog.get_logger(__name__)

OPEN_FOR: Final = 900
"""Seconds a link is open."""
TRIES: Final = 5
"""Pictures of one link. Five guesses at six of eight digits succeed once in 52,000 times."""
EXCUSED_FOR: Final = 3600
"""Seconds a passed picture excuses the chat from others: one window of `bot.services.quotas`."""
DIGITS: Final = 6
ALPHABET: Final = "23456789"
"""Without 0 and 1, which also read as letters."""

_WIDTH, _HEIGHT = 280, 96  # pixels: a phone's page is at least 320 wide, less its margins
_SIZES = (54, 60, 66)
_INK = (255, 255, 255, 255)  # light on dark: the library thins dark ink until it is hard to see
_PAPER = (16, 42, 67)
_DRAWERS = 2


class Ticket(msgspec.Struct, frozen=True):
    """A link to a verification.

    Attributes:
        url: of the page; empty where the last one's pictures are all used up and a new one is not given yet.
        ref: public name.
        closes: when it closes (epoch seconds).
    """

    url: str
    ref: str
    closes: int


class Standing(StrEnum):
    """How a verification stands."""

    OPEN = "open"
    PASSED = "passed"
    SPENT = "spent"  # every picture was answered wrongly
    OVER = "over"  # too late


class Shown(msgspec.Struct, frozen=True):
    """What the page shows.

    Attributes:
        standing: how it stands.
        chat: whose.
        language: of the chat.
        number: of the picture.
        left: how many pictures there are yet, this one among them.
        until: when it closes (epoch seconds).
        wrong: the answer just given was wrong.
    """

    standing: Standing
    chat: Chat
    language: str
    number: int
    left: int
    until: int
    wrong: bool = False


class Open(Protocol):
    """A verification as kept; `bot.store.verifications.Open`, whose docstring holds."""

    @property
    def token(self) -> str: ...
    @property
    def chat(self) -> Chat: ...
    @property
    def language(self) -> str: ...
    @property
    def until(self) -> int: ...
    @property
    def number(self) -> int: ...


class Store(Protocol):
    """Where they are kept; `bot.store.verifications.Verifications`, whose docstrings hold."""

    def ref(self, token: str) -> str:
        """The public name."""
        ...

    async def begin(self, chat: Chat, language: str, now: int, closes: int) -> Open:
        """The chat's open one, else a new one."""
        ...

    async def find(self, token: str) -> Open | None:
        """The one behind a link."""
        ...

    async def picture(self, chat: Chat, token: str, number: int, made: bytes = b"") -> bytes | None:
        """Its picture; the first one made is kept."""
        ...

    async def answer(
        self, chat: Chat, token: str, number: int, *, right: bool, now: int, tries: int, excused: int
    ) -> str:
        """Count an answer."""
        ...


Draw = Callable[[str], Awaitable[bytes]]
"""A PNG of digits."""


class Pictures:
    """Draws digits: about 13 ms of a core, in a thread, two at a time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_DRAWERS)
        self._library: ImageCaptcha | None = None

    async def draw(self, digits: str) -> bytes:
        """A PNG, 280 by 96."""
        async with self._turns:
            return await asyncio.to_thread(self._drawn, digits)

    def _drawn(self, digits: str) -> bytes:
        library = self._library = self._library or _library()
        return library.generate(digits, bg_color=_PAPER, fg_color=_INK).getvalue()


def _library() -> "ImageCaptcha":
    from captcha.image import ImageCaptcha  # noqa: PLC0415 - Pillow is not loaded before the first picture

    made = ImageCaptcha(_WIDTH, _HEIGHT, font_sizes=_SIZES)
    # Milder than the library's own: people read these on a phone, in the sun.
    made.character_rotate = (-20, 20)
    made.character_warp_dx = (0.1, 0.2)
    made.character_warp_dy = (0.1, 0.2)
    made.word_offset_dx = 0.15
    made.word_space_probability = 0.75
    return made


class Verification:
    """Links, pages, answers.

    Args:
        store: where they are kept.
        keyring: makes the digits.
        clock: time.
        base_url: of this service.
        wake: tells the chat.
        draw: makes the pictures.
    """

    def __init__(
        self, store: Store, keyring: Keyring, clock: Clock, base_url: str, wake: Wake, draw: Draw
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock
        self._base_url = base_url
        self._wake = wake
        self._draw = draw

    async def ticket(self, chat: Chat, language: str) -> Ticket:
        """A link for ``chat``, the same one while it is open.

        Raises:
            StoreAway: Redis does not answer.
        """
        now = self._clock.now()
        found = await self._store.begin(chat, language, now, now + OPEN_FOR)
        url = f"{self._base_url}/verify/{found.token}" if found.number <= TRIES else ""
        return Ticket(url, self._store.ref(found.token), found.until)

    async def page(self, token: str) -> Shown | None:
        """What the page shows; changes nothing. None where the link is not known.

        Raises:
            StoreAway: Redis does not answer.
        """
        found = await self._store.find(token)
        return None if found is None else self._shown(found)

    async def picture(self, token: str, number: int) -> bytes | None:
        """The picture ``number`` as PNG; None where it is not the one to be answered.

        Raises:
            StoreAway: Redis does not answer.
        """
        found = await self._store.find(token)
        if found is None or found.number != number or self._shown(found).standing is not Standing.OPEN:
            return None
        kept = await self._store.picture(found.chat, token, number)
        if kept is None or kept:
            return kept
        drawn = await self._draw(self.digits(token, number))
        return await self._store.picture(found.chat, token, number, drawn)

    async def answer(self, token: str, number: int, digits: str) -> Shown | None:
        """Take an answer to the picture ``number``; any other than its digits asks for the next picture.

        Raises:
            StoreAway: Redis does not answer; whether the answer was counted is not known.
        """
        found = await self._store.find(token)
        if found is None:
            return None
        if found.number != number:  # another tab was faster
            said = "stale"
        else:
            right = hmac.compare_digest(digits.encode(), self.digits(token, number).encode())
            now = self._clock.now()
            said = await self._store.answer(
                found.chat,
                token,
                number,
                right=right,
                now=now,
                tries=TRIES,
                excused=now + EXCUSED_FOR,
            )
        if said == "passed" or (said == "stale" and found.number == 0):
            await self._tell(found)
        shown = await self.page(token)
        return shown and msgspec.structs.replace(shown, wrong=said == "wrong")

    def digits(self, token: str, number: int) -> str:
        """What the picture shows."""
        drawn = int(self._keyring.blind(f"verification digits:{token}:{number}"), 16)
        out = ""
        for _ in range(DIGITS):
            drawn, rest = divmod(drawn, len(ALPHABET))
            out += ALPHABET[rest]
        return out

    def _shown(self, found: Open) -> Shown:
        if found.number == 0:
            standing = Standing.PASSED
        elif found.until <= self._clock.now():
            standing = Standing.OVER
        elif found.number > TRIES:
            standing = Standing.SPENT
        else:
            standing = Standing.OPEN
        left = max(0, TRIES + 1 - found.number)
        return Shown(standing, found.chat, found.language, found.number, left, found.until)

    async def _tell(self, found: Open) -> None:
        ref = self._store.ref(found.token)
        try:
            await self._wake(
                Woken(id=f"verified:{ref}", chat=found.chat, dialog="verify", kind="verified", ref=ref)
            )
        except StoreAway:
            # The page says how to go on in the chat by oneself.
            log.warning("verified, and the chat could not be told")
