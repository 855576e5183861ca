"""A TCP proxy that can make a connection slow, cut it, reset it, and take no new ones."""

import asyncio
import contextlib
import socket
import struct
from collections import deque
from typing import Any

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER without waiting: the connection ends with RST


class Proxy:
    """Between whoever connects to ``port`` and the server at ``target``.

    Attributes:
        delay: seconds that every piece of data waits.
        shut: takes no new connections.
    """

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.target = target
        self.delay = 0.0
        self.shut = False
        self.open: set[_End] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Near(self), "127.0.0.1", self.port)

    def reset(self) -> int:
        """Break every connection; how many ends."""
        for end in (ends := tuple(self.open)):
            end.reset()
        return len(ends)

    async def close(self) -> None:
        self.reset()
        if self._server is not None:
            self._server.close()


class _End(asyncio.Protocol):
    """One end of a connection through the proxy: what comes here goes out at the other."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.other: _End | None = None
        self.transport: Any = None
        self._loop = asyncio.get_running_loop()
        # What is late, in the order in which it came, each with the time when it may go on.
        self._late: deque[tuple[float, bytes]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.proxy.open.add(self)

    def data_received(self, data: bytes) -> None:
        if not self.proxy.delay and not self._late:
            self._pass(data)
            return
        self._late.append((self._loop.time() + self.proxy.delay, data))
        if len(self._late) == 1:
            self._loop.call_at(self._late[0][0], self._on)

    def _on(self) -> None:
        """Pass on what is due."""
        now = self._loop.time()
        while self._late and self._late[0][0] <= now:
            self._pass(self._late.popleft()[1])
        if self._late:
            self._loop.call_later(max(self._late[0][0] - now, 0.001), self._on)

    def _pass(self, data: bytes) -> None:
        """On to the other side; nothing closes it."""
        if self.other is not None and not self.other.transport.is_closing():
            if data:
                self.other.transport.write(data)
            else:
                self.other.transport.close()

    def eof_received(self) -> None:
        return None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        self.proxy.open.discard(self)
        self.data_received(b"")

    def pause_writing(self) -> None:
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def reset(self) -> None:
        made: socket.socket | None = self.transport.get_extra_info("socket")
        with contextlib.suppress(OSError, AttributeError):
            if made is not None:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


class _Near(_End):
    """The end of whoever connected; connects on to the server."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(proxy)
        self._joining: asyncio.Task[None] | None = None
        self._early = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.proxy.shut:
            self.transport.abort()
            return
        self._joining = self._loop.create_task(self._join())

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early += data
        else:
            super().data_received(data)

    async def _join(self) -> None:
        far = _End(self.proxy)
        far.other = self
        try:
            await self._loop.create_connection(lambda: far, "127.0.0.1", self.proxy.target)
        except OSError:
            self.transport.abort()
            return
        if self.transport.is_closing():
            far.transport.abort()
            return
        self.other = far
        if self._early:
            super().data_received(bytes(self._early))
            self._early.clear()
