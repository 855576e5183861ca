"""A transport that a target holds the other end of."""

import asyncio
from typing import Any


class Plug(asyncio.Transport):
    """Keeps what is written; delivers nothing while reading is paused, as a socket's does."""

    def __init__(self) -> None:
        super().__init__()
        self.out = bytearray()
        self.closed = False
        self.paused = False
        self._protocol: Any = None
        self._queue: list[bytes] = []

    def connect(self, protocol: Any) -> None:
        """Bring the connection about."""
        self._protocol = protocol
        protocol.connection_made(self)

    def deliver(self, data: bytes) -> None:
        """The peer sent ``data``."""
        self._queue.append(data)
        self.flush()

    def flush(self) -> bool:
        """Hand over what may be read by now; False where nothing is left or may be."""
        handed = False
        while self._queue and not self.paused and not self.closed:
            self._protocol.data_received(self._queue.pop(0))
            handed = True
        return handed

    def end(self) -> None:
        """The connection is over."""
        self.closed = True
        self._protocol.connection_lost(None)

    @property
    def left(self) -> bool:
        """Whether something was sent that nobody has read."""
        return bool(self._queue)

    # --- asyncio's ------------------------------------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 40000), "sockname": ("127.0.0.1", 80)}.get(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.closed:
            self.out += data

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False
        asyncio.get_running_loop().call_soon(self.flush)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        del high, low

    def get_write_buffer_size(self) -> int:
        return 0
