"""A server that begins and ends at once: uvicorn's own looks ten times a second whether it should."""

import asyncio
import socket

import uvicorn
from starlette.types import ASGIApp


class PromptServer(uvicorn.Server):
    """Tells when it listens, and ends when it is told; requests under way are finished first."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._told = asyncio.Event()

    def end(self) -> None:
        """Stop serving."""
        self.should_exit = True
        self._told.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for sock in sockets or []:
            sock.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.002)
        for server in self.servers:
            await server.wait_closed()


def prompt(app: ASGIApp) -> PromptServer:
    """A quiet server of ``app`` without life-span events."""
    return PromptServer(uvicorn.Config(app, log_level="warning", access_log=False, ws="none", lifespan="off"))
