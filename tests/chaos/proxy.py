"""A TCP proxy that can make a connection slow, cut it, reset it, and take no new ones."""

import asyncio
import contextlib
import socket
import struct

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER without waiting: the connection ends with RST
_CHUNK = 1 << 16


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
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def reset(self) -> int:
        """Break every connection; how many."""
        for writer in tuple(self._open):
            made: socket.socket | None = writer.get_extra_info("socket")
            with contextlib.suppress(OSError, AttributeError):
                if made is not None:
                    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        return len(self._open)

    async def close(self) -> None:
        self.reset()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.shut:
            writer.transport.abort()
            return
        try:
            server_reader, server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, server}
        self._open |= pair
        try:
            await asyncio.gather(self._pump(reader, server, pair), self._pump(server_reader, writer, pair))
        except asyncio.CancelledError:  # the run is over
            writer.transport.abort()
        finally:
            self._open -= pair

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: set[asyncio.StreamWriter]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        for each in pair:
            each.close()
