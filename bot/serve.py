"""HTTP servers inside one process: bound before anything starts, stopped without a traceback."""

import contextlib
import errno
import socket
from collections.abc import AsyncGenerator, Generator

import uvicorn
from starlette.types import ASGIApp

from bot.errors import ConfigError
from bot.tasks import Tasks

_GRACE = 3
"""Seconds open requests have at the end."""


class _Server(uvicorn.Server):
    """Signals are the process's business: it may run several servers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def bind(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket.

    Raises:
        ConfigError: the port is taken or not ours to use; names ``setting``, or HOST where that is no
            address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        if error.errno in {errno.EADDRNOTAVAIL, socket.EAI_NONAME, socket.EAI_AGAIN}:
            raise ConfigError(f"HOST: {host} is no address of this machine") from None
        # Its text names the address once more after the reason.
        why = (error.strerror or "").partition(" (")[0]
        raise ConfigError(f"{setting}: cannot listen on {host}:{port} ({why})") from None


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket) -> AsyncGenerator[None, None]:
    """Serve ``app`` on ``listener`` while the block runs."""
    tasks = Tasks()
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # addresses hold payment tokens
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = _Server(config)
    running = tasks.spawn(server.serve(sockets=[listener]), "http server")
    try:
        yield
    finally:
        server.should_exit = True
        await running
