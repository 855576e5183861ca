"""``python -m tests.chaos.outside SETTINGS``: registry, gateway and identity provider, in a process of their own.

The sandbox's three, behind weather: a share of calls is refused, stalls, is done without an answer, or answered with
nonsense. What they did is told at ``/book``; ``POST /weather`` with a share changes the weather.
"""

import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.clock import SystemClock
from bot.sandbox.faults import Faults
from bot.sandbox.gateway import gateway_app
from bot.sandbox.identity import Client, identity_app
from bot.sandbox.recorded import Recorded
from bot.sandbox.registry import registry_app

CALLS: Final = ("/registry/v1/", "/gateway/v1/", "/identity/token")
"""Where the service calls; residents' browsers have fair weather."""

WAYS: Final = {"refused": 0.4, "stalled": 0.3, "unanswered": 0.2, "nonsense": 0.1}
"""Shares of the failing calls. An unanswered one is done, and the caller does not learn it."""

STALL: Final = (1.0, 6.0)
"""Seconds."""


class Weather:
    """What stands before the counterparts, and what it saw."""

    def __init__(self, app: ASGIApp, failing: float, seed: int) -> None:
        self.app = app
        self.failing = failing
        self.chance = random.Random(seed)
        self.calls: dict[str, int] = {}
        self.recordings: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(CALLS):
            await self.app(scope, receive, send)
            return
        way = self._draw()
        self.calls[way] = self.calls.get(way, 0) + 1
        if way == "refused":
            await JSONResponse({"error": "weather"}, 503)(scope, receive, send)
            return
        if way == "stalled":
            await asyncio.sleep(self.chance.uniform(*STALL))
        status, answer = await self._done(scope, receive)
        if way == "unanswered":
            await JSONResponse({"error": "weather"}, 502)(scope, receive, send)
        elif way == "nonsense":
            await Response(b'{"soon', 200, media_type="application/json")(scope, receive, send)
        else:
            await send(status)
            await send(answer)

    def _draw(self) -> str:
        if self.chance.random() >= self.failing:
            return "fair"
        return self.chance.choices(list(WAYS), list(WAYS.values()))[0]

    async def _done(self, scope: Scope, receive: Receive) -> tuple[Message, Message]:
        """Have it done; the answer's head and body, told to nobody yet."""
        asked, body = bytearray(), bytearray()
        head: dict[str, Any] = {}

        async def listen() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def take(message: Message) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            else:
                body.extend(message.get("body", b""))

        await self.app(scope, listen, take)
        if scope["path"] == "/registry/v1/payments":
            self.recordings.append({"asked": json.loads(bytes(asked) or b"{}"), "status": head["status"]})
        return head, {"type": "http.response.body", "body": bytes(body)}


class Onward(httpx.AsyncBaseTransport):
    """The way from the gateway to the service's public address: any of its processes."""

    def __init__(self, ports: list[int], chance: random.Random) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._ports = ports
        self._chance = chance

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        port = self._chance.choice(self._ports)
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=port)
        extensions = {"timeout": {"connect": 3.0, "read": 10.0, "write": 10.0, "pool": 10.0}}
        onward = httpx.Request(
            request.method, url, headers=request.headers, content=request.content, extensions=extensions
        )
        return await self._inner.handle_async_request(onward)


def application(settings: dict[str, Any], folder: Path) -> Weather:
    """The three, by the run's settings."""
    clock, base = SystemClock(), f"http://127.0.0.1:{settings['port']}"
    chance = random.Random(settings["seed"])
    recorded = Recorded(folder / "registry.sqlite3")
    gateway = gateway_app(clock, settings["secret"], None, base_url=f"{base}/gateway")
    desk = gateway.state.gateway
    desk._client = httpx.AsyncClient(transport=Onward(settings["ports"], chance), timeout=10.0)
    client = Client("iqamati", settings["secret"], f"{settings['public']}/signin/back")
    weather: Weather

    async def book(_request: Request) -> Response:
        charges = [
            {"track": each.track_id, "amount": each.amount, "status": desk._status(each)}
            for each in desk._charges.values()
        ]
        return JSONResponse({"charges": charges, "recordings": weather.recordings, "calls": weather.calls})

    async def change(request: Request) -> Response:
        weather.failing = float(await request.body())
        return Response()

    routes = [
        Route("/book", book),
        Route("/weather", change, methods=["POST"]),
        Mount("/registry", registry_app(clock, settings["secret"], Faults(), recorded)),
        Mount("/gateway", gateway),
        Mount("/identity", identity_app(clock, client, f"{base}/identity", folder / "identity.pem")),
    ]
    weather = Weather(Starlette(routes=routes), settings["failing"], settings["seed"])
    return weather


def main() -> None:
    """Serve until the end."""
    settings = json.loads(sys.argv[1])
    assert urlsplit(settings["public"]).scheme == "https"
    app = application(settings, Path(settings["folder"]))
    uvicorn.run(app, host="127.0.0.1", port=settings["port"], log_level="error", access_log=False)


if __name__ == "__main__":
    main()
