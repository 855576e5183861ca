"""Many at once: how many connections they share, and what everybody is told when the registry stalls."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator

import msgspec
import pytest
import pytest_asyncio

from bot.domain import Subject
from bot.errors import Unavailable
from bot.services.http import make_wire
from bot.services.registry import Registry
from bot.wire import Wire
from tests.sandbox.kit import TOKEN, FakeClock

ASKERS = 500
MOST = 100
"""Connections of a client."""


class Peer:
    """Answers that nothing is owed, or nothing at all."""

    def __init__(self) -> None:
        self.stalls = False
        self.asked = self.connections = self.most = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.most = max(self.most, self.connections)
        body = msgspec.json.encode({"fines": []})
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0]))
                self.asked += 1
                if not self.stalls:
                    writer.write(
                        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                        % (len(body), body)
                    )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.connections -= 1
            writer.close()


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest_asyncio.fixture
async def wire(peer: Peer) -> AsyncGenerator[Wire, None]:
    async with await asyncio.start_server(peer.serve, "127.0.0.1", 0) as server:
        made = make_wire(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", TOKEN)
        assert made is not None
        yield made
        await made.close()


async def told(registry: Registry) -> Counter[str]:
    """What everybody is told."""

    async def one() -> str:
        try:
            await registry.find_fines(Subject.CIVIL_ID, "285011500029")
        except Unavailable as error:
            return error.reason
        return "answered"

    return Counter(await asyncio.gather(*(one() for _ in range(ASKERS))))


async def test_many_askers_share_the_connections(wire: Wire, peer: Peer, clock: FakeClock) -> None:
    registry = Registry(wire, clock, timeout=30.0)
    assert await told(registry) == {"answered": ASKERS}
    assert await told(registry) == {"answered": ASKERS}
    assert peer.asked == 2 * ASKERS
    assert peer.most <= MOST


async def test_when_it_stalls_everybody_is_told_and_nobody_asks_until_it_has_rested(
    wire: Wire, peer: Peer, clock: FakeClock
) -> None:
    registry = Registry(wire, clock, timeout=0.5)
    peer.stalls = True
    assert await told(registry) == {"timeout": ASKERS}
    asked = peer.asked
    assert asked <= ASKERS  # nobody's question was sent twice
    assert await told(registry) == {"resting after failures": ASKERS}
    assert peer.asked == asked
    peer.stalls = False
    clock.at += 11
    patient = Registry(wire, clock, timeout=30.0)
    assert (await told(registry))["answered"] == 1  # one tries
    assert await told(patient) == {"answered": ASKERS}
