"""Sessions in bulk, as the service itself writes them: sealed, committed by its script, with what is kept of the chat."""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Final

import msgspec

from bench.size.process import CIVIL_ID, Process, chat
from bot.errors import Conflict
from bot.model import Session, Typed

AT_ONCE: Final = 200
"""Commits under way at a time; they share writes."""
WITH_TIMER: Final = 10
"""One session in so many waits for a timer that is an hour away."""
TEMPLATE: Final = chat(-1)
"""Whose conversation every stored session is a copy of."""


async def conversation(process: Process) -> Session:
    """A session in the middle of a service: two fines are shown and may be paid."""
    for number, text in enumerate(("السلام عليكم", "المخالفات", "1", "1", CIVIL_ID)):
        await process.runtime.handle(Typed(id=f"template{number}", chat=TEMPLATE, text=text))
        await process.runtime.deliveries.settled(TEMPLATE)
    return (await process.store.load(TEMPLATE)).session


async def store(process: Process, session: Session, numbers: Iterable[int]) -> None:
    """Write a copy of ``session`` for each of the chats ``numbers``."""
    waiting = iter(numbers)
    timed = msgspec.structs.replace(session, due=session.touched + 3600)

    async def writer() -> None:
        for number in waiting:
            one = timed if number % WITH_TIMER == 0 else session
            with contextlib.suppress(Conflict):  # somebody whom residents' visits made
                await process.store.commit(chat(number), 0, one, [])

    await asyncio.gather(*(writer() for _ in range(AT_ONCE)))
