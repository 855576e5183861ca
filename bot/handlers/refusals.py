"""Pages for requests that are not served: our own words, in the resident's language, and nothing of the inside."""

from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from bot.handlers.pay.page import BACK, Pages, Render
from bot.handlers.private_pages import language_of
from bot.i18n.text import N_, Text, say

_NOTHING_HERE: Final = (
    say(N_("This page does not exist")),
    (say(N_("There is nothing at this address. Open the link from your chat once more.")),),
)
_TOO_MANY: Final = (
    say(N_("Too many requests")),
    (say(N_("Too many requests came from your network. Wait a minute, then try again.")),),
)
_FAILED: Final = (
    say(N_("This page cannot be shown now")),
    (
        say(N_("If you have already paid, do not pay again.")),
        say(N_("Something failed on our side. Try again in a few minutes.")),
    ),
)
_NOT_TAKEN: Final = (
    say(N_("This request was not taken")),
    (say(N_("Open the page from your chat and use the buttons there.")),),
)
_SAID: Final[dict[int, tuple[Text, tuple[Text, ...]]]] = {
    HTTPStatus.NOT_FOUND: _NOTHING_HERE,
    HTTPStatus.TOO_MANY_REQUESTS: _TOO_MANY,
    HTTPStatus.INTERNAL_SERVER_ERROR: _FAILED,
    HTTPStatus.SERVICE_UNAVAILABLE: _FAILED,
}


class Refusals:
    """Answers by status: a page for a browser, the status's own name for anything else.

    Args:
        render: a text in a language, as spans.
    """

    def __init__(self, render: Render) -> None:
        self._pages = Pages(render, "")
        self.handlers: Final = dict.fromkeys((HTTPException, ClientDisconnect, Exception), self.refuse)
        """Starlette's exception handlers."""

    def answer(self, request: Request, status: int) -> Response:
        """The answer with ``status``."""
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(HTTPStatus(status).phrase.lower(), status)
        language = language_of(request)
        title, texts = _SAID.get(status, _NOT_TAKEN)
        page = self._pages.plain(title, texts, language, [(BACK, "/")])
        return Response(page, status, media_type="text/html")

    async def refuse(self, request: Request, error: Exception) -> Response:
        """What Starlette's router refuses: an unknown address, a method an address does not know, half a body."""
        if isinstance(error, ClientDisconnect):  # nobody is there to read it
            return self.answer(request, HTTPStatus.BAD_REQUEST)
        if not isinstance(error, HTTPException):
            return self.answer(request, HTTPStatus.INTERNAL_SERVER_ERROR)
        answer = self.answer(request, error.status_code)
        answer.headers.update(error.headers or {})
        return answer
