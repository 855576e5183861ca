"""What the tests of the registry and its client share: a clock, a served application, requests."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.sandbox.faults import Faults
from bot.sandbox.recorded import Recorded
from bot.sandbox.registry import registry_app
from bot.tasks import Tasks
from tests.prompt import PromptServer

TOKEN = "made-up-token"
NOON = 1_795_251_600  # 2026-11-21 12:00 in Kuwait

JOURNEY_A, CLEAN, BARRED, MANY, SINGLE = (
    "285011500029",
    "290063001017",
    "272120100478",
    "300022900127",
    "299123190026",
)
SLOW, DOWN, TWO, BUSY = "268032105138", "315090908042", "324110503339", "286101901541"


class FakeClock:
    """Time that moves when something sleeps; once ``held``, sleepers stay asleep."""

    def __init__(self, at: int = NOON) -> None:
        self.at = float(at)
        self.slept: list[float] = []
        self.held = False

    def now(self) -> int:
        return int(self.at)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.held:
            await asyncio.Event().wait()
        self.at += seconds


class Stage:
    """A served application that a test replaces; ``asked`` holds the requests that reached it."""

    def __init__(self) -> None:
        self.app: ASGIApp = Starlette()
        self.asked: list[tuple[str, str]] = []
        self.origin = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.asked.append((scope["method"], scope["path"] + "?" + scope["query_string"].decode()))
        await self.app(scope, receive, send)


@contextlib.asynccontextmanager
async def serving(stage: Stage) -> AsyncIterator[Stage]:
    """Serve ``stage`` on a free loopback port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    stage.origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(stage, lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=2)
    server = PromptServer(config)
    tasks = Tasks()
    running = tasks.spawn(server.serve([listener]), "server")
    await server.listening.wait()
    try:
        yield stage
    finally:
        server.end()
        await running
        listener.close()


def registry(clock: FakeClock, recorded: Recorded, faults: Faults | None = None) -> Starlette:
    """The sandbox registry under ``/registry``."""
    app = registry_app(clock, TOKEN, faults or Faults(), recorded)
    return Starlette(routes=[Mount("/registry", app)])
