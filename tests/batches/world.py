"""A desk for batches: everything behind the dialog ``batch``, as `bot.bootstrap` joins it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Receive, Scope, Send

from bot.clock import local
from bot.crypto import Keyring
from bot.dialogs.company.effects import Batch, ReadBatch, StartBatch
from bot.errors import StoreAway
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.model import Chat, Woken
from bot.ports import Asked
from bot.sandbox.cast_bodies import GARDENS, LARGE, WAHA
from bot.sandbox.relations import workers
from bot.services.batches import Batches, Checking, Papers
from bot.services.batches.limits import LIMITS
from bot.services.http import make_client
from bot.services.ledger import Ledger
from bot.services.ledger.tables import metadata
from bot.services.registry import Registry
from bot.services.renewals import QuoteLimits
from bot.store.connect import connect
from bot.store.files import FileStore
from bot.tasks import Tasks
from tests.sandbox.kit import NOON, TOKEN, FakeClock, Stage
from tests.store.servers import Deployment

ONE, SEVERAL = "274090908407", "281072203302"
"""Of the cast: an authorised user of one company, and of three bodies."""
HERE, ELSEWHERE = Chat("web", "here"), Chat("web", "elsewhere")
COMPANY, GREAT, GOVERNMENT = WAHA.number, LARGE.number, GARDENS.number
QUOTE: Final = 1800
LIMITED: Final = msgspec.structs.replace(LIMITS, progress_rows=10)
RENDERER: Final = Renderer(Catalog())


def staff(body: str) -> tuple[str, ...]:
    """Civil IDs of a body's workers."""
    return tuple(person.civil_id for person in workers(body, local(NOON).date()))


def listed(civil_ids: Sequence[str]) -> bytes:
    """A list as somebody sends it."""
    return "\r\n".join(("الرقم المدني", *civil_ids)).encode("utf-8-sig")


@dataclass
class World:
    """The desk, with what the chat was woken with."""

    engine: AsyncEngine
    ledger: Ledger
    files: FileStore
    registry: Registry
    stage: Stage
    keyring: Keyring
    clock: FakeClock
    tasks: Tasks
    papers: Papers
    batches: Batches
    told: list[Woken] = field(default_factory=list[Woken])
    deaf: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, engine: AsyncEngine, valkey: Deployment, stage: Stage, clock: FakeClock
    ) -> "AsyncIterator[World]":
        keyring, tasks = Keyring.parse(Keyring.generate()), Tasks()
        redis = await connect(valkey.url)
        async with make_client(f"{stage.origin}/registry", TOKEN) as wire:
            ledger = Ledger(engine)
            registry = Registry(wire, clock, timeout=20.0)
            papers = Papers(
                ledger=ledger,
                keyring=keyring,
                clock=clock,
                plain=RENDERER.plain,
                base_url="https://i.example",
            )
            made = cls(
                engine,
                ledger,
                FileStore(redis, keyring, limit=LIMITS.file_bytes),
                registry,
                stage,
                keyring,
                clock,
                tasks,
                papers,
                batches=None,  # type: ignore[arg-type]
            )
            made.batches = made.another()
            try:
                yield made
            finally:
                await tasks.close()
                await redis.aclose()

    def heard(self) -> None:
        """Something happened."""
        self._news.set()

    def another(self) -> Batches:
        """Another process beside this one."""
        checking = Checking(
            ledger=self.ledger,
            staff=self.registry,
            keyring=self.keyring,
            clock=self.clock,
            wake=self._wake,
            link=self.papers.link,
            limits=LIMITED,
        )
        return Batches(
            ledger=self.ledger,
            files=self.files,
            checking=checking,
            papers=self.papers,
            keyring=self.keyring,
            clock=self.clock,
            tasks=self.tasks,
            prices=QuoteLimits(QUOTE, 100_000),
        )

    async def _wake(self, event: Woken) -> None:
        if self.deaf:
            raise StoreAway("made up")
        if event.id not in {each.id for each in self.told}:  # as a chat does
            self.told.append(event)
        self._news.set()

    # --- what residents do -----------------------------------------------------------------------

    def asked(self, actor: str = ONE, chat: Chat = HERE, language: str = "en") -> Asked:
        return Asked("1:0", chat, language, actor)

    async def sends(self, content: bytes, body: str = COMPANY, asked: Asked | None = None) -> Batch:
        """A file is sent and begun."""
        asked = asked or self.asked()
        ref = await self.files.put(asked.chat, content, "list.csv")
        return await self.batches.start(StartBatch(body, ref), asked)

    async def checked(self, content: bytes, body: str = COMPANY, asked: Asked | None = None) -> Batch:
        """A file is sent, and everything is checked."""
        begun = await self.sends(content, body, asked)
        await self.tasks.drain()
        return await self.stands(begun, body, asked)

    async def stands(self, batch: Batch, body: str = COMPANY, asked: Asked | None = None) -> Batch:
        return await self.batches.read(ReadBatch(body, batch.ref), asked or self.asked())

    # --- what is looked at -----------------------------------------------------------------------

    def calls(self, path: str = "workers/search") -> int:
        """How often the registry was asked."""
        return sum(path in each for _, each in self.stage.asked)

    async def rows(self, table: str) -> list[dict[str, Any]]:
        async with self.engine.connect() as connection:
            found = await connection.execute(metadata.tables[table].select())
            return [dict(row) for row in found.mappings()]

    def holds(self, after: int) -> asyncio.Event:
        """The registry answers ``after`` questions about workers; the others wait for the event."""
        app, left, go_on = self.stage.app, [after], asyncio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            self.heard()
            if "workers" in scope["path"]:
                left[0] -= 1
                if left[0] < 0:
                    await go_on.wait()
            await app(scope, receive, send)

        self.stage.app = slow
        return go_on

    async def until(self, so: Callable[[], bool]) -> None:
        """Let others work until it is so: looked at whenever the registry is asked or the chat is told."""
        async with asyncio.timeout(30):
            while not so():
                self._news.clear()
                await self._news.wait()

    @contextmanager
    def away(self, after: int = 0) -> Iterator[None]:
        """The registry answers ``after`` more questions about workers and then breaks."""
        app, left = self.stage.app, [after]

        async def broken(scope: Scope, receive: Receive, send: Send) -> None:
            if "workers" in scope["path"]:
                left[0] -= 1
            await (_broken if left[0] < 0 else app)(scope, receive, send)

        self.stage.app = broken
        try:
            yield
        finally:
            self.stage.app = app


async def _broken(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 503, "headers": []})
    await send({"type": "http.response.body", "body": b""})
