"""The payment pages ``/p/<token>`` and the gateway's notifications.

GET and HEAD change nothing: link previewers fetch every address they see. Only the button goes on, by POST,
and pressing it twice leads to the same place. There is no cookie to protect it by; it needs none, because
all it does is begin an attempt of an order whose token the presser knows.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol
from urllib.parse import urlsplit

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.dialogs.checkout import CheckoutRefused, Status
from bot.errors import Unavailable
from bot.handlers.pay.page import (
    BACK,
    PAYABLE,
    STYLE,
    TRY_AGAIN,
    Bill,
    Pages,
    Render,
    changed,
    elsewhere,
    expired,
    gateway_down,
    not_now,
    unknown,
)
from bot.handlers.private_pages import body_of, language_of, own_form, secured, token_of
from bot.i18n.text import Text
from bot.model import Chat
from bot.ports import Failed

log = structlog.get_logger(__name__)

LIMIT: Final = 64 * 1024
"""Bytes of a notification; KNET's is below 1 kB, an aggregator's charge a few."""

REFRESH: Final = 5
"""Seconds between a waiting page's own questions."""

REFRESHES: Final = 24
"""How often it asks by itself: two minutes, after which the chat is the place to wait."""

# Printable ASCII without space, quotes, backslash: what browsers read differently from us is refused.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?(/[!#-&(-\[\]-~]*)?", re.ASCII)
_LOOPBACK: Final = ("127.0.0.1", "localhost")
_WAITING: Final = (Status.NONE, Status.PENDING, Status.UNKNOWN)


class Heard(Protocol):
    """How a notification is answered; `bot.services.orders.Heard`."""

    @property
    def answer(self) -> str: ...
    @property
    def back(self) -> str: ...


class Desk(Protocol):
    """What the pages need of the orders; `bot.services.orders.Orders`."""

    async def page(self, token: str) -> Bill | None:
        """What the link shows; changes nothing. None when the token is not ours."""
        ...

    async def pay(self, token: str) -> str:
        """The gateway's page, or empty when there is nothing to pay now.

        Raises:
            Unavailable: the gateway does not answer.
            Failed: a value of `CheckoutRefused`; nothing was begun.
        """
        ...

    async def returned(self, token: str) -> Bill | None:
        """Ask the gateway, then show how the order stands."""
        ...

    async def notified(self, provider: str, body: bytes, headers: Mapping[str, str]) -> Heard | None:
        """A gateway's notification; None when it is not one about an attempt of ours.

        Raises:
            Unavailable: the ledger does not answer.
        """
        ...


class _Site:
    def __init__(
        self,
        desk: Desk,
        pages: Pages,
        back_url: Callable[[Chat], str],
        hosts: Sequence[str],
        home: str,
    ) -> None:
        self._desk = desk
        self._pages = pages
        self._back_url = back_url
        self._hosts = tuple(hosts)
        self._home = home
        self._headers = _security(self._hosts)

    async def show(self, request: Request) -> Response:
        """GET and HEAD of ``/p/<token>``."""
        try:
            bill = await self._desk.page(token_of(request))
        except Unavailable:
            return self._not_now(request)
        if bill is None:
            return self._unknown(request)
        language, how = language_of(request, bill.language), bill.standing.status
        # A page of the gateway may have been used: then nobody can say yet that nothing was taken.
        begun = how is Status.NONE and bool(bill.standing.track)
        if how not in PAYABLE or (begun and not bill.live):
            return self._standing(request, bill, language)
        if not bill.live:
            return self._plain(410, expired(), language, self._back_url(bill.chat))
        return self._html(self._pages.bill(bill, language))

    async def press(self, request: Request) -> Response:
        """POST of ``/p/<token>``: off to the gateway."""
        try:
            bill = await self._desk.page(token_of(request))
        except Unavailable:
            return self._not_now(request)
        if bill is None:
            return self._unknown(request)
        language, back = language_of(request, bill.language), self._back_url(bill.chat)
        if not own_form(request):
            return self._plain(403, elsewhere(), language, back)
        again = f"/p/{token_of(request)}?lang={language}"
        try:
            url = await self._desk.pay(token_of(request))
        except Failed as refusal:
            if refusal.word == CheckoutRefused.CHANGED:
                return self._plain(409, changed(), language, back)
            return self._plain(503, gateway_down(), language, back, again)
        except Unavailable:
            return self._plain(503, gateway_down(), language, back, again)
        if not url:
            return RedirectResponse(again, status_code=303, headers=self._headers)
        if not allowed(url, self._hosts):
            log.error("gateway's page is outside PAY_HOSTS", order=bill.order)
            return self._plain(503, gateway_down(), language, back, again)
        return RedirectResponse(url, status_code=303, headers=self._headers)

    async def back(self, request: Request) -> Response:
        """``/p/<token>/return``: the gateway sent the browser back, by GET or by POST."""
        look = self._desk.page if request.method == "HEAD" else self._desk.returned
        try:
            bill = await look(token_of(request))
        except Unavailable:
            return self._not_now(request)
        if bill is None:
            return self._unknown(request)
        return self._standing(request, bill, language_of(request, bill.language))

    async def notify(self, request: Request) -> Response:
        """A notification. All that is wrong with one is answered alike.

        KNET's older terminals bring theirs through the resident's browser: that one is sent on.
        """
        try:
            body = request.url.query.encode() if request.method == "GET" else await body_of(request, LIMIT)
        except (ClientDisconnect, ValueError):
            return _refused()
        try:
            heard = await self._desk.notified(request.path_params["provider"], body, request.headers)
        except Unavailable:
            return PlainTextResponse("try again", status_code=503)
        if heard is None:
            return _refused()
        if request.method == "GET" or request.headers.get("sec-fetch-mode") == "navigate":
            return RedirectResponse(heard.back, status_code=303, headers=self._headers)
        return PlainTextResponse(heard.answer)

    async def style(self, _request: Request) -> Response:
        """The pages' style sheet."""
        headers = {"x-content-type-options": "nosniff", "cache-control": "public, max-age=3600"}
        return Response(STYLE, media_type="text/css", headers=headers)

    def _standing(self, request: Request, bill: Bill, language: str) -> Response:
        waiting = bill.standing.status in _WAITING
        asked = request.query_params.get("n", "")
        number = int(asked) if asked.isdecimal() and len(asked) <= len(str(REFRESHES)) else 0
        again = f"/p/{token_of(request)}/return?lang={language}&n={number + 1}" if waiting else ""
        refresh = REFRESH if number < REFRESHES else 0
        back = self._back_url(bill.chat)
        return self._html(self._pages.standing(bill, language, back, again, refresh=refresh))

    def _unknown(self, request: Request) -> Response:
        return self._plain(404, unknown(), language_of(request), self._home)

    def _not_now(self, request: Request) -> Response:
        language = language_of(request)
        again = f"/p/{token_of(request)}?lang={language}"
        return self._plain(503, not_now(), language, self._home, again)

    def _plain(
        self, status: int, said: tuple[Text, tuple[Text, ...]], language: str, back: str, again: str = ""
    ) -> Response:
        title, texts = said
        ways = [(TRY_AGAIN, again)] if again else []
        return self._html(self._pages.plain(title, texts, language, [*ways, (BACK, back)]), status)

    def _html(self, page: str, status: int = 200) -> Response:
        return Response(page, status_code=status, headers=self._headers, media_type="text/html")


def pay_routes(
    desk: Desk,
    *,
    render: Render,
    back_url: Callable[[Chat], str],
    hosts: Sequence[str],
    host: str,
    home: str = "/",
    payee: str = "",
    trial: bool = False,
) -> list[Route]:
    """The routes of the payment pages.

    Args:
        desk: the orders.
        render: a text in a language, as spans.
        back_url: address of a chat.
        hosts: where the button may lead; ``host`` or ``host:port``.
        host: where it leads, as residents read it.
        home: where someone goes whose link is not known.
        payee: who is paid, as residents read it; the operator when empty.
        trial: no money moves.
    """
    site = _Site(desk, Pages(render, host, payee, trial=trial), back_url, hosts, home)
    return [
        Route("/pay.css", site.style, methods=["GET"]),
        Route("/p/{token}", site.show, methods=["GET"]),
        Route("/p/{token}", site.press, methods=["POST"]),
        Route("/p/{token}/return", site.back, methods=["GET", "POST"]),
        Route("/payments/{provider}/notify", site.notify, methods=["GET", "POST"]),
    ]


def allowed(url: str, hosts: Sequence[str]) -> bool:
    """Whether a resident may be sent to ``url``: https (http on loopback only), a host of ``hosts``."""
    if _ADDRESS.fullmatch(url) is None:
        return False
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme != "https" and host not in _LOOPBACK:
        return False
    return host in hosts or parts.netloc.lower() in hosts


def _security(hosts: Sequence[str]) -> dict[str, str]:
    # Browsers hold the redirect after a form to form-action too.
    onward = " ".join(
        f"https://{host}" + (f" http://{host}:*" if host in _LOOPBACK else "") for host in hosts
    )
    return secured(
        f"default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' {onward}"
    )


def _refused() -> Response:
    return PlainTextResponse("refused", status_code=400)
