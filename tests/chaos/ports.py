"""Ports of loopback that nobody listens on."""

import asyncio
import contextlib
import socket


def free(count: int = 1) -> list[int]:
    """So many, all different."""
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in made]


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
