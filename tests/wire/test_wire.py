"""The lean HTTP client against a server that answers byte by byte what a test says."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
import pytest_asyncio

from bot.wire import IDLE, LIMIT, Answer, Late, Lost, NotSent, Unfit, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Type: Application/JSON; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}"

END = b"<end>"


class Server:
    """Answers each request with the next of ``answers``; one with `END` closes the connection there."""

    def __init__(self) -> None:
        self.base = ""
        self.answers: deque[bytes] = deque()
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.hold: asyncio.Event | None = None
        self._changed = asyncio.Condition()
        self._writers: set[asyncio.StreamWriter] = set()

    def leaves(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()

    async def asked(self, times: int) -> None:
        """Return once ``times`` requests have arrived."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.bodies) >= times)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(length))
                async with self._changed:
                    self._changed.notify_all()
                if self.hold is not None:
                    await self.hold.wait()
                answer = self.answers.popleft() if self.answers else OK
                part, end, _ = answer.partition(END)
                writer.write(part)
                await writer.drain()
                if end:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest_asyncio.fixture
async def server() -> AsyncGenerator[Server, None]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.base = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening:
        yield made


Opened = Callable[..., Wire]


@pytest_asyncio.fixture
async def opened(server: Server) -> AsyncGenerator[Opened, None]:
    wires: list[Wire] = []

    def make(path: str = "", **given: object) -> Wire:
        wires.append(Wire(server.base + path, **given))  # type: ignore[arg-type]  # what a test gives
        return wires[-1]

    yield make
    for wire in wires:
        await wire.close()


async def test_a_request_says_what_it_was_given_and_no_more(server: Server, opened: Opened) -> None:
    wire = opened("/registry/", headers={"Authorization": "Bearer t0ken"})
    answer = await wire.ask("POST", "v1/fines/search", b'{"by":1}', {"Idempotency-Key": "IQ-1"})
    assert answer == Answer(200, b"{}", "application/json")
    assert server.heads[0].decode().split("\r\n")[:-2] == [
        "POST /registry/v1/fines/search HTTP/1.1",
        f"Host: {server.base.removeprefix('http://')}",
        "Authorization: Bearer t0ken",
        "Idempotency-Key: IQ-1",
        "Content-Type: application/json",
        "Content-Length: 8",
    ]
    assert server.bodies == [b'{"by":1}']


async def test_a_connection_is_kept_for_the_next_request(server: Server, opened: Opened) -> None:
    wire = opened()
    for _ in range(3):
        await wire.ask("GET", "/")
    assert server.connections == 1


async def test_a_server_that_closes_gets_a_new_connection(server: Server, opened: Opened) -> None:
    wire = opened()
    server.answers.append(OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length"))
    await wire.ask("GET", "/")
    await wire.ask("GET", "/")
    assert server.connections == 2


async def test_a_connection_that_the_server_closes_while_it_rests_is_not_used(
    server: Server, opened: Opened
) -> None:
    wire = opened()
    await wire.ask("GET", "/")
    server.leaves()
    while wire._free[0].usable:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)
    assert (await wire.ask("GET", "/")).status == 200
    assert server.connections == 2


async def test_a_connection_that_rested_too_long_is_not_used(server: Server, opened: Opened) -> None:
    wire = opened()
    await wire.ask("GET", "/")
    rested = wire._free[0]
    rested._rests_since -= IDLE - 1
    await wire.ask("GET", "/")
    assert server.connections == 1
    rested._rests_since -= IDLE
    await wire.ask("GET", "/")
    assert server.connections == 2
    assert not rested.usable


async def test_an_answer_in_chunks(server: Server, opened: Opened) -> None:
    server.answers.append(
        b"HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'3\r\n{"c\r\n7\r\node":1}\r\n0\r\n\r\n'
    )
    assert await opened().ask("GET", "/") == Answer(409, b'{"code":1}', "application/problem+json")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"SMTP ready\r\n\r\n", "malformed"),
        (
            OK.replace(b"Content-Length", b"Content-Encoding: gzip\r\nContent-Length"),
            "wrong content encoding",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (LIMIT + 1, b"x" * (LIMIT + 1)), "too large"),
    ],
    ids=["malformed", "encoded", "too large"],
)
async def test_what_is_no_answer_we_take(server: Server, opened: Opened, answer: bytes, why: str) -> None:
    wire = opened()
    server.answers.append(answer)
    with pytest.raises(Unfit, match=why):
        await wire.ask("GET", "/")
    assert (await wire.ask("GET", "/")).status == 200, "the next request is none the worse"


@pytest.mark.parametrize("part", [b"", OK[:20], OK[:-1]], ids=["nothing", "half a head", "half a body"])
async def test_a_connection_that_ends_before_the_answer(server: Server, opened: Opened, part: bytes) -> None:
    wire = opened()
    server.answers.append(part + END)
    with pytest.raises(Lost):
        await wire.ask("GET", "/")
    assert (await wire.ask("GET", "/")).status == 200


async def test_nobody_there() -> None:
    wire = Wire("http://127.0.0.1:1")
    with pytest.raises(NotSent):
        await wire.ask("GET", "/")


@pytest.mark.parametrize("base", ["ftp://x", "http://", "x", "http://[broken"])
def test_no_address(base: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - urlsplit's own has other words
        Wire(base)


async def test_an_answer_given_up_is_not_taken_for_the_next_one(server: Server, opened: Opened) -> None:
    wire, server.hold = opened(), asyncio.Event()
    server.answers.append(OK.replace(b"200 OK", b"201 Created"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await wire.ask("GET", "/first")
    server.hold.set()
    assert (await wire.ask("GET", "/second")).status == 200
    assert server.connections == 2


async def test_what_nobody_asked_for_ends_the_connection(server: Server, opened: Opened) -> None:
    wire = opened()
    server.answers.append(OK + OK.replace(b"200 OK", b"201 Created"))
    assert (await wire.ask("GET", "/")).status == 200
    assert (await wire.ask("GET", "/")).status == 200
    assert server.connections == 2


async def test_beyond_the_limit_requests_wait(server: Server, opened: Opened) -> None:
    wire, server.hold = opened(limit=2), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(wire.ask("GET", f"/{number}")) for number in range(5)]
        async with asyncio.timeout(10):
            await server.asked(2)
        assert server.connections == 2
        server.hold.set()
    assert [each.result().status for each in asking] == [200] * 5
    assert server.connections == 2


async def test_an_answer_that_comes_too_late_is_given_up_with_its_connection(
    server: Server, opened: Opened
) -> None:
    wire = opened()
    server.hold = asyncio.Event()
    with pytest.raises(Late):
        await wire.ask("GET", "a", within=0.01)
    server.hold.set()
    assert (await wire.ask("GET", "b", within=5)).status == 200
    assert server.connections == 2


async def test_requests_one_after_the_other_share_one_timer(
    server: Server, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = opened()
    loop, timers = asyncio.get_running_loop(), 0
    await wire.ask("GET", "first", within=30)

    def counting(*args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        nonlocal timers
        timers += 1
        return call_later(*args, **kwargs)

    call_later = loop.call_later
    monkeypatch.setattr(loop, "call_later", counting)
    for number in range(20):
        await wire.ask("GET", str(number), within=30)
    assert timers == 0
    assert server.connections == 1


async def test_who_waits_for_room_and_gives_up_leaves_it_to_the_next(server: Server, opened: Opened) -> None:
    wire = opened(limit=1)
    server.hold = asyncio.Event()
    loop = asyncio.get_running_loop()
    calls = [loop.create_task(wire.ask("GET", str(number))) for number in range(4)]
    await server.asked(1)
    calls[1].cancel()
    server.hold.set()
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(done[1], asyncio.CancelledError)
    assert [answer.status for answer in done if isinstance(answer, Answer)] == [200, 200, 200]
    assert server.connections == 1


async def test_whoever_asks_again_at_once_comes_after_those_who_wait(server: Server, opened: Opened) -> None:
    wire = opened(limit=1)
    order: list[str] = []

    async def greedy() -> None:
        for number in range(4):
            await wire.ask("GET", "/greedy")
            order.append(f"greedy {number}")

    async def patient(name: str) -> None:
        await wire.ask("GET", "/patient")
        order.append(name)

    async with asyncio.TaskGroup() as group:
        group.create_task(greedy())
        for name in ("second", "third"):
            group.create_task(patient(name))
    assert order[:4] == ["greedy 0", "second", "third", "greedy 1"]
    assert (server.connections, wire._busy) == (1, 0)
