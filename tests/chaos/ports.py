"""Ports of loopback that nobody listens on, and that no connection is given as its own end.

Whatever is killed comes back on its old port: one that the machine gives away for outgoing connections may be taken then.
"""

import asyncio
import contextlib
import random
import socket
from typing import Final

FROM: Final = 11_000
BUS: Final = 10_000
"""What a server of a Redis Cluster adds to its port for the others."""
_LAST: Final = 32_000 - BUS
"""Linux gives outgoing connections 32768 and more; here, and with `BUS` added, is below."""


def free(count: int = 1) -> list[int]:
    """So many, all different, each with the port `BUS` higher."""
    found: list[int] = []
    chance = random.SystemRandom()  # runs with one seed stand beside one another, too
    while len(found) < count:
        port = chance.randrange(FROM, _LAST)
        if port not in found and _is_free(port) and _is_free(port + BUS):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


async def opens(port: int, seconds: float) -> bool:
    """Whether somebody listens on ``port`` within ``seconds``."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return True
                await asyncio.sleep(0.05)
    return False
