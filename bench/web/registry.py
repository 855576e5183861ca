"""The fake registry of the bench's look-ups: three fines for whoever is asked about, and a payment link."""

import asyncio
import re
from typing import Any, Final

import msgspec

_LENGTH: Final = re.compile(rb"(?i)content-length: *(\d+)")


class Registry(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._left = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._left += data
        while True:
            head, end, rest = self._left.partition(b"\r\n\r\n")
            length = _LENGTH.search(head)
            size = int(length[1]) if length else 0
            if not end or len(rest) < size:
                return
            body, self._left = rest[:size], rest[size:]
            answer = msgspec.json.encode(_answer(head.split(b" ", 2)[1].decode(), body))
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(answer), answer)
            )


def _answer(path: str, body: bytes) -> dict[str, Any]:
    if path.startswith("/fines"):
        civil_id = path.rpartition("=")[2]
        fines = [
            {"id": f"{civil_id}-{n}", "date": f"2025-0{n}-14", "place": "Gulf Road", "amount": 10 * n}
            for n in (1, 2, 3)
        ]
        return {"civil_id": civil_id, "fines": fines}
    order = msgspec.json.decode(body)
    return {"id": 1, "url": f"https://pay.example/{order['civil_id']}/{order['amount']}"}


async def serve(port: int) -> asyncio.Server:
    """Listen on ``port``."""
    return await asyncio.get_running_loop().create_server(Registry, "127.0.0.1", port, backlog=1024)
