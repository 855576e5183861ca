"""The guard before an application that misbehaves: limits, failures, what is logged of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.clock import SystemClock
from bot.handlers.address import networks
from bot.handlers.files import UPLOAD
from bot.handlers.guard import BODY_LIMIT, BURST, HEAD_LIMIT, TARGET_LIMIT, Guard, Limits
from bot.handlers.refusals import Refusals
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from tests.hardening.world import BROWSER, listening, served, status

SECRET = "285011500029"
REFUSALS = Refusals(Renderer(Catalog()).render)


class Clock:
    """Stands still for the buckets; all other time goes on. Implements `bot.ports.Clock`."""

    def __init__(self) -> None:
        self.at = 100.0
        self._machine = SystemClock()

    def now(self) -> int:
        return self._machine.now()

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await self._machine.sleep(seconds)


class Back:
    """An application with every fault."""

    def __init__(self) -> None:
        self.read = 0
        self.open = asyncio.Event()
        self.clients: list[str] = []

    async def ok(self, request: Request) -> Response:
        assert request.client
        self.clients.append(f"{request.url.scheme}://{request.client.host}")
        return PlainTextResponse("ok")

    async def body(self, request: Request) -> Response:
        async for chunk in request.stream():
            self.read += len(chunk)
        return PlainTextResponse("ok")

    async def swallow(self, request: Request) -> Response:
        with contextlib.suppress(Exception):
            await request.body()
        return PlainTextResponse("ok")

    async def fail(self, _request: Request) -> Response:
        raise ValueError(SECRET)

    async def fail_late(self, _request: Request) -> Response:
        async def some() -> AsyncIterator[bytes]:
            yield b"begun"
            raise ValueError(SECRET)

        return StreamingResponse(some(), media_type="text/plain")

    async def hang(self, _request: Request) -> Response:
        await asyncio.Event().wait()
        return PlainTextResponse("never")

    async def stream(self, _request: Request) -> Response:
        async def beats() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            await self.open.wait()
            yield b"data: 2\n\n"

        return StreamingResponse(beats(), media_type="text/event-stream")

    def guard(self, clock: Clock, **limits: Any) -> Guard:
        routes = [
            Route("/", self.ok, methods=["GET", "POST"]),
            Route("/body", self.body, methods=["POST"]),
            Route("/swallow", self.swallow, methods=["POST"]),
            Route("/fail", self.fail),
            Route("/late", self.fail_late),
            Route("/hang", self.hang),
            Route("/stream", self.stream),
            Route("/payments/knet/notify", self.body, methods=["POST"]),
            Route(UPLOAD, self.body, methods=["POST"]),
        ]
        handlers = {HTTPException: REFUSALS.refuse, Exception: REFUSALS.refuse}
        return Guard(
            Starlette(routes=routes, exception_handlers=handlers),
            REFUSALS,
            clock,
            base_url="http://127.0.0.1",
            trusted=networks(("127.0.0.1",)),
            limits=Limits(**limits),
        )


@contextlib.asynccontextmanager
async def behind(back: Back, clock: Clock | None = None, **limits: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        served(back.guard(clock or Clock(), **limits)) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as client,
    ):
        yield client


def from_network(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


async def test_a_failure_is_told_without_its_reason() -> None:
    with listening() as logged:
        async with behind(Back()) as client:
            page = await client.get("/fail", headers=BROWSER)
            plain = await client.get("/fail")
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/late")
    assert page.status_code == plain.status_code == 500
    assert "لا يمكن عرض هذه الصفحة الآن" in page.text
    assert plain.text == "internal server error"
    assert SECRET not in page.text
    (one, two, late) = (line for line in logged.own if line["log_level"] == "error")
    assert one == two
    assert one["error"] == late["error"] == "ValueError"
    assert one["at"].startswith("test_guard.py:")
    assert one["endpoint"] == "Back.fail"
    assert SECRET not in str(logged.own) + str([record.getMessage() for record in logged.exceptions])


async def test_refusals_speak_the_residents_language() -> None:
    async with behind(Back()) as client:
        arabic = await client.get("/nothing", headers=BROWSER)
        english = await client.get("/nothing?lang=en", headers=BROWSER)
        wrong = await client.put("/body", headers=BROWSER)
        script = await client.get("/nothing?lang=<script>")
    assert arabic.status_code == english.status_code == 404
    assert 'lang="ar" dir="rtl"' in arabic.text
    assert "هذه الصفحة غير موجودة" in arabic.text
    assert "This page does not exist" in english.text
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert script.text == "not found"


async def test_a_body_too_long_is_not_read_to_its_end() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"a" * 64 * 1024

    back = Back()
    async with behind(back) as client:
        assert (await client.post("/body", content=b"a" * BODY_LIMIT)).status_code == 200
        back.read = 0
        assert (await client.post("/body", content=b"a" * (BODY_LIMIT + 1))).status_code == 413
        assert back.read == 0, "its length was said"
        assert await status(client, "/body", endless()) in {413, 0}
        assert back.read <= BODY_LIMIT
        # An application that swallows the refusal does not have the last word.
        assert await status(client, "/swallow", endless()) in {413, 0}


async def test_a_target_or_head_too_long_is_refused() -> None:
    async with behind(Back()) as client:
        assert (await client.get("/?" + "a" * TARGET_LIMIT)).status_code == 414
        assert (await client.get("/", headers={"X-Long": "a" * HEAD_LIMIT})).status_code == 431


async def talk(url: str, *parts: bytes, end: bool = True) -> bytes:
    """Write ``parts`` to the server; all that it answers until it hangs up."""
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                writer.write(part)
                await writer.drain()
            if end:
                return await reader.read()
        with contextlib.suppress(ConnectionError):
            return await reader.read()
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_an_endless_head_ends() -> None:
    """The HTTP parser knows no limit of its own: 20 MB of one header were once taken."""
    # It must not be the time that ends it.
    async with asyncio.timeout(20), served(Back().guard(Clock()), head_time=3600) as url:
        begin = b"GET / HTTP/1.1\r\nHost: a\r\nX: "
        answer = await talk(url, begin, *([b"a" * 100_000] * 100))
        assert answer.startswith(b"HTTP/1.1 431 ") or answer == b""
        target = await talk(url, b"GET /" + b"a" * 200_000, *([b"a" * 100_000] * 100))
        assert target.startswith(b"HTTP/1.1 431 ") or target == b""


async def test_a_slow_head_is_hung_up_on() -> None:
    async with served(Back().guard(Clock()), head_time=0.05) as url:
        assert await talk(url) == b""
        assert await talk(url, b"GET / HTTP/1.1\r\nHost: a\r\nX: ") == b""
        # A second request on one connection has as long, and no longer.
        both = await talk(url, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\n")
        assert both.count(b"HTTP/1.1 200") == 1


async def test_a_slow_body_is_refused() -> None:
    async with served(Back().guard(Clock(), body_time=0.05)) as url:
        head = b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\na"
        assert (await talk(url, head)).startswith(b"HTTP/1.1 408 ")


async def test_a_request_has_its_time_and_a_stream_does_not() -> None:
    back = Back()
    with listening() as logged:
        async with behind(back, request_time=0.05) as client:
            assert (await client.get("/hang")).status_code == 503
            async with client.stream("GET", "/stream") as answer:
                chunks = answer.aiter_bytes()
                assert await anext(chunks) == b"data: 1\n\n"
                assert (await client.get("/hang")).status_code == 503, "more time went by than a request has"
                back.open.set()
                assert await anext(chunks) == b"data: 2\n\n"
    assert [line["event"] for line in logged.own] == ["a request took too long"] * 2


async def test_a_network_has_its_share() -> None:
    clock, back = Clock(), Back()
    async with behind(back, clock, per_second=1) as client:
        flood = [(await client.get("/", headers=from_network("203.0.113.5"))).status_code for _ in range(12)]
        assert flood == [200] * int(BURST) + [429] * 2
        refused = await client.get("/", headers=from_network("203.0.113.5") | BROWSER)
        assert refused.headers["retry-after"] == "1"
        assert "وصلت من شبكتك طلبات كثيرة" in refused.text
        # Entries a stranger writes in front do not make another network of it.
        spoofed = await client.get("/", headers=from_network("198.51.100.1, 203.0.113.5"))
        assert spoofed.status_code == 429
        assert (await client.get("/", headers=from_network("203.0.113.6"))).status_code == 200
        assert (await client.get("/")).status_code == 200, "this machine itself is not counted"
        clock.at += 1
        assert (await client.get("/", headers=from_network("203.0.113.5"))).status_code == 200


async def test_a_flood_does_not_drown_notifications() -> None:
    """KNET takes a payment back whose notification is not answered."""
    gateway = from_network("203.0.113.5")
    async with behind(Back(), per_second=1) as client:
        for _ in range(20):
            await client.get("/", headers=gateway)
        assert (await client.get("/", headers=gateway)).status_code == 429
        told = [(await client.post("/payments/knet/notify", headers=gateway)).status_code for _ in range(60)]
        assert told == [200] * 60


async def test_a_network_has_only_so_many_streams() -> None:
    back = Back()
    near, far = from_network("203.0.113.5"), from_network("203.0.113.6")
    async with behind(back, streams=1) as client:
        async with client.stream("GET", "/stream", headers=near) as first:
            assert first.status_code == 200
            assert (await client.get("/stream", headers=near)).status_code == 429
            back.open.set()
            assert (await client.get("/stream", headers=far)).status_code == 200
            await first.aread()
        assert (await client.get("/stream", headers=near)).status_code == 200


FILE = {"Content-Type": "application/octet-stream"}


async def test_a_file_has_a_limit_of_its_own() -> None:
    async with behind(Back(), file=100_000) as client:
        assert (await client.post(UPLOAD, content=b"a" * 100_000, headers=FILE)).status_code == 200
        assert (await client.post("/body", content=b"a", headers=FILE)).status_code == 415
        assert await status(client, UPLOAD, b"a" * 100_001) in {413, 0}
        assert (await client.post("/body", content=b"a" * (BODY_LIMIT + 1))).status_code == 413
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        assert (await client.post(UPLOAD, content=b"a", headers=FILE | elsewhere)).status_code == 403


@pytest.mark.parametrize("others", [{"body_time": 0.05}, {"request_time": 0.05}])
async def test_a_file_has_a_time_of_its_own(others: dict[str, float]) -> None:
    come = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"a"
        await come.wait()

    head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\na"
    async with (
        served(Back().guard(Clock(), **others)) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as client,
        asyncio.TaskGroup() as group,
    ):
        file = group.create_task(client.post(UPLOAD, content=slow(), headers=FILE))
        # More time goes by than any other body, or request, has.
        if "body_time" in others:
            assert (await talk(url, head % b"/body")).startswith(b"HTTP/1.1 408 ")
        else:
            assert (await client.get("/hang")).status_code == 503
        come.set()
        assert (await file).status_code == 200
    async with served(Back().guard(Clock(), file_time=0.05)) as url:
        assert (await talk(url, head % UPLOAD.encode())).startswith(b"HTTP/1.1 408 ")


async def test_only_so_many_files_at_a_time() -> None:
    near, far, third = (from_network(f"203.0.113.{number}") | FILE for number in (5, 6, 7))
    come = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"a"
        await come.wait()

    async with behind(Back(), files=1, files_at_once=2) as client, asyncio.TaskGroup() as group:
        first = group.create_task(client.post(UPLOAD, content=slow(), headers=near))
        while (refused := await client.post(UPLOAD, content=b"a", headers=near)).status_code != 429:  # noqa: ASYNC110 - it arrives when it arrives
            await asyncio.sleep(0)
        assert refused.headers["retry-after"] == "5"
        second = group.create_task(client.post(UPLOAD, content=slow(), headers=far))
        while (await client.post(UPLOAD, content=b"a", headers=third)).status_code != 429:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0)
        assert (await client.post("/body", content=b"a")).status_code == 200
        come.set()
        assert {(await first).status_code, (await second).status_code} == {200}
        for network in (near, far, third):
            assert (await client.post(UPLOAD, content=b"a", headers=network)).status_code == 200


async def test_the_application_sees_the_resident_not_the_proxy() -> None:
    back = Back()
    async with behind(back) as client:
        await client.get("/", headers=from_network("2001:db8::5") | {"X-Forwarded-Proto": "https"})
        await client.get("/", headers=from_network("garbage"))
    assert back.clients == ["https://2001:db8::5", "http://127.0.0.1"]


async def test_an_upgrade_is_not_made() -> None:
    upgrade = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    async with served(Back().guard(Clock())) as url:
        answer = await talk(url, upgrade.replace(b"Upgrade\r\n\r\n", b"Upgrade, close\r\n\r\n"))
    assert b"101" not in answer.partition(b"\r\n")[0]
