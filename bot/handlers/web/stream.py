"""A page's stream of events, which ends by itself once the page is gone."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.handlers.chat_log import Ear
from bot.tasks import Tasks


class OpenPage:
    """A page that reads its stream, until `leave`."""

    def __init__(self) -> None:
        self._gone = False
        self._ear: Ear | None = None

    def hears(self, ear: Ear) -> None:
        """Have ``ear`` closed when the page goes, or now if it has gone."""
        self._ear = ear
        if self._gone:
            ear.close()

    def leave(self) -> None:
        """Whoever waits for news for this page hears that it is over."""
        self._gone = True
        if self._ear is not None:
            self._ear.close()


class EventStream(Response):
    """Sends what ``parts`` yields for a page until it ends.

    Starlette's own cancels the stream of a page that goes. The traces of that are cycles of some hundred objects, which
    are old by then and wait for a full collection, of which there is one in half a million turns: 13 kB a page.

    Args:
        parts: the stream's bytes; it ends soon after `OpenPage.leave`.
        tasks: owns who waits for the page to go.
        headers: of the response.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        parts: Callable[[OpenPage], AsyncIterator[bytes]],
        tasks: Tasks,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers(headers)
        self._parts = parts
        self._tasks = tasks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI calls it
        """Serve one request."""
        page = OpenPage()
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        waiting = self._tasks.spawn(_until_gone(receive, page), "page")
        try:
            async for part in self._parts(page):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            waiting.cancel()


async def _until_gone(receive: Receive, page: OpenPage) -> None:
    # Whoever stands before us may refuse the request meanwhile, and knows that it did: the stream is over all the same.
    with contextlib.suppress(Exception):
        while (await receive())["type"] != "http.disconnect":
            pass
    page.leave()
