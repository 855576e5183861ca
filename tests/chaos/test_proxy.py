"""The proxy between service and Redis breaks connections, never what goes through them."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tests.chaos.ports import free
from tests.chaos.proxy import Proxy

PIECES = 200


@pytest.fixture
async def proxy() -> AsyncGenerator[Proxy, None]:
    """In front of a server that says whatever it hears."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
        writer.close()

    port, front = free(2)
    server = await asyncio.start_server(echo, "127.0.0.1", port)
    made = Proxy(front, port)
    await made.start()
    yield made
    await made.close()
    server.close()


async def test_what_is_late_stays_in_order(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    sent = b""
    for number in range(PIECES):
        proxy.delay = (0.0, 0.02, 0.0, 0.005)[number // 10 % 4]
        piece = f"{number};".encode()
        sent += piece
        writer.write(piece)
        await asyncio.sleep(0.001)
    proxy.delay = 0.0
    assert await reader.readexactly(len(sent)) == sent
    writer.close()


async def test_a_reset_breaks_every_connection_and_takes_new_ones(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"?")
    assert await reader.readexactly(1) == b"?"
    assert proxy.reset() == 2
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"!")
    assert await reader.readexactly(1) == b"!"
    writer.close()


async def test_shut_it_takes_none(proxy: Proxy) -> None:
    proxy.shut = True
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
