"""What a resident sees: messages with buttons, in the order in which they came."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Button:
    """A choice, or a link."""

    label: str
    token: str = ""
    url: str = ""


@dataclass(frozen=True)
class Message:
    """Something the service said. ``ref`` is the channel's; ``key`` the delivery key, where the channel has one."""

    ref: str
    text: str
    buttons: tuple[Button, ...] = ()
    key: str = ""

    @property
    def place(self) -> str:
        """``dialog/state`` of the question; empty for what asks nothing."""
        for button in self.choices:
            return "/".join(button.token.split("/")[:2])
        return ""

    @property
    def choices(self) -> tuple[Button, ...]:
        """Buttons of the question itself, without commands, links and the way back."""
        return tuple(
            each
            for each in self.buttons
            if each.token and not each.token.startswith("/") and each.token.split("/")[2] != "<"
        )

    @property
    def link(self) -> str:
        """The first link, empty for none."""
        return next((each.url for each in self.buttons if each.url), "")

    @property
    def asked(self) -> int:
        """Number of the question, which grows with each turn of a chat; 0 for what asks nothing."""
        return int(self.choices[0].token.rpartition("/")[2], 36) if self.choices else 0


class Inbox:
    """The messages of one chat that were not read yet."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Message] = asyncio.Queue()

    def put(self, message: Message) -> None:
        self._queue.put_nowait(message)

    async def next(self, seconds: float) -> Message | None:
        """The next message; None when none comes in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._queue.get()
        except TimeoutError:
            return None

    @property
    def empty(self) -> bool:
        return self._queue.empty()

    def rest(self) -> list[Message]:
        """All that are there already."""
        found: list[Message] = []
        while not self._queue.empty():
            found.append(self._queue.get_nowait())
        return found
