"""One process of the service without its HTTP: engine, dialogs, store, runtime and rounds, and a channel that counts."""

from dataclasses import dataclass
from typing import Any, Final

from bot.clock import SystemClock
from bot.crypto import Keyring
from bot.dialogs import book
from bot.dialogs.home import Operator
from bot.dialogs.violations import FindFines, Owed
from bot.domain import Fine, FineKind
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.i18n.speech import Keywords
from bot.i18n.text import Local
from bot.model import Chat, Outgoing
from bot.ports import Asked, Channel
from bot.runtime import Runtime
from bot.runtime.sweep import Sweeper
from bot.store.connect import connect
from bot.store.privacy import ChatMemory
from bot.store.sessions import Sessions
from bot.store.weblog import WebLog
from bot.tasks import Tasks

KEYRING: Final = Keyring([bytes(range(32))], bytes(range(32, 64)))
"""The same in every process, as the service's are."""
CHANNEL: Final = "bench"
CIVIL_ID: Final = "285011500029"
OWED: Final = Owed(
    (
        Fine(
            "T-00000000001", FineKind.TRAFFIC, Local("وقوف ممنوع", "Prohibited parking"), "2026-08-30", 15_000
        ),
        Fine("R-00000000002", FineKind.RESIDENCY, Local("انتهاء الإقامة", "Expired"), "2026-03-12", 20_000),
    )
)


def chat(number: int) -> Chat:
    """Whoever is number ``number``: an identifier as long as a telephone number's."""
    return Chat(CHANNEL, f"965{50_000_000 + number}")


class Ear:
    """Implements `bot.ports.Channel`: hears everything at once, keeps nothing but the count."""

    name = CHANNEL

    def __init__(self) -> None:
        self.heard = 0

    async def deliver(self, chat: Chat, outgoing: Outgoing) -> None:
        del chat, outgoing
        self.heard += 1

    async def typing(self, chat: Chat) -> None:
        del chat


async def _fines(_effect: FindFines, _asked: Asked) -> Owed:
    return OWED


@dataclass(frozen=True)
class Process:
    """What is measured."""

    redis: Any  # redis-py's own annotations are incomplete under strict checking
    store: Sessions
    runtime: Runtime
    sweeper: Sweeper
    memory: ChatMemory
    ear: Ear
    tasks: Tasks

    async def close(self) -> None:
        await self.runtime.deliveries.finish(5.0)
        await self.tasks.close()
        await self.store.flush()
        await self.redis.aclose()


async def started(url: str, name: str, channel: Channel | None = None) -> Process:
    """A process called ``name`` on the Redis at ``url``; its rounds have not begun.

    Args:
        url: as an operator writes it into REDIS_URL.
        name: its consumer's name.
        channel: in place of the ear.
    """
    clock, tasks, ear = SystemClock(), Tasks(), Ear()
    renderer = Renderer(Catalog())
    redis = await connect(url)
    store = Sessions(redis, KEYRING, name)
    dialogs = book(Operator(), Keywords(renderer))
    runtime = Runtime(dialogs, store, renderer, (channel or ear,), {FindFines: _fines}, clock, tasks)
    log = WebLog(redis, KEYRING, store.place, tasks, clock)
    memory = ChatMemory(redis, store, log, clock, KEYRING)
    return Process(redis, store, runtime, Sweeper(runtime, store, clock, tasks), memory, ear, tasks)
