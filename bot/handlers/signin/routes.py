"""The sign-in pages: ``/signin/<token>`` from the chat, ``/signin/back`` from the provider, then the code's page.

GET and HEAD of the link change nothing: link previewers fetch every address they see. The button's POST gives this
browser a cookie, without which the way back shows no code: an address that somebody else brought here from the
provider signs nobody in. The code has an address of its own, so that it can be read again and the provider's answer
does not stay in the address bar.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Final, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.errors import OutsideError, Unavailable
from bot.handlers.pay import allowed
from bot.handlers.pay.page import BACK, TRY_AGAIN, Render
from bot.handlers.private_pages import language_of, own_form, secured, token_of
from bot.handlers.signin.page import (
    DOWN,
    ELSEWHERE,
    LEFT,
    LOST,
    NOBODY,
    NOT_NOW,
    REFUSED,
    UNKNOWN,
    USED,
    Link,
    Said,
    SignInPages,
)
from bot.model import Chat

log = structlog.get_logger(__name__)

COOKIE: Final = "iq_signin_"
"""Begins the cookie's name; the sign-in's reference ends it, so that two tabs do not disturb one another."""

_PATH: Final = "/signin"
_LIMIT: Final = 2048
"""Characters of one parameter of the provider's answer that are looked at."""


class Onward(Protocol):
    """Where the button leads; `bot.services.identity.Onward`."""

    @property
    def ref(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def browser(self) -> str: ...
    @property
    def life(self) -> int: ...


class Code(Protocol):
    """The code for the chat; `bot.services.identity.Code`."""

    @property
    def link(self) -> Link: ...
    @property
    def code(self) -> str: ...


class Desk(Protocol):
    """What the pages need of the sign-ins; `bot.services.identity.SignIns`, whose docstrings hold.

    Each raises `Unavailable` while the store does not answer.
    """

    def ref(self, text: str) -> str: ...
    async def page(self, token: str) -> tuple[Link, bool] | None: ...
    async def start(self, token: str, language: str) -> Onward | None: ...
    async def returned(
        self, state: str, code: str, error: str, *, issuer: str, browser: str
    ) -> tuple[StrEnum, Link | None]: ...
    async def shown(self, ref: str, browser: str) -> Code | None: ...


_ENDED: Final[dict[str, tuple[HTTPStatus, Said]]] = {
    "left": (HTTPStatus.OK, LEFT),
    "unknown": (HTTPStatus.FORBIDDEN, LOST),
    "down": (HTTPStatus.SERVICE_UNAVAILABLE, DOWN),
    "refused": (HTTPStatus.BAD_GATEWAY, REFUSED),
    "nobody": (HTTPStatus.BAD_GATEWAY, NOBODY),
}


class _Site:
    def __init__(
        self,
        desk: Desk,
        pages: SignInPages,
        back_url: Callable[[Chat], str],
        home: str,
        hosts: Sequence[str],
        *,
        secure: bool,
    ) -> None:
        self._desk = desk
        self._pages = pages
        self._back_url = back_url
        self._home = home
        self._hosts = tuple(hosts)
        self._secure = secure

    async def show(self, request: Request) -> Response:
        """GET and HEAD of ``/signin/<token>``."""
        try:
            found = await self._desk.page(request.path_params["token"])
        except Unavailable:
            return self._said(request, HTTPStatus.SERVICE_UNAVAILABLE, NOT_NOW, again=request.url.path)
        if found is None:
            return self._said(request, HTTPStatus.NOT_FOUND, UNKNOWN)
        link, used = found
        if used:
            return self._said(request, HTTPStatus.GONE, USED, link)
        return _html(
            self._pages.ask(link, language_of(request, link.language)), onward=(link.host, *self._hosts)
        )

    async def press(self, request: Request) -> Response:
        """POST of ``/signin/<token>``: off to the provider."""
        token, language = token_of(request), language_of(request)
        if not own_form(request):
            return self._said(request, HTTPStatus.FORBIDDEN, ELSEWHERE)
        try:
            onward = await self._desk.start(token, language)
        except OutsideError:
            return self._said(request, HTTPStatus.SERVICE_UNAVAILABLE, DOWN, again=request.url.path)
        if onward is None:
            return await self.show(request)
        if not allowed(onward.url, (onward.host,)):
            log.error("the provider's page is not where the resident was told it is")
            return self._said(request, HTTPStatus.SERVICE_UNAVAILABLE, DOWN)
        answer = RedirectResponse(onward.url, HTTPStatus.SEE_OTHER, _security((onward.host, *self._hosts)))
        self._give(answer, onward.ref, onward.browser, onward.life)
        return answer

    async def back(self, request: Request) -> Response:
        """GET of ``/signin/back``: the provider sent the browser back."""
        if request.method == "HEAD":  # nobody signs in by HEAD
            return self._said(request, HTTPStatus.OK, LOST)
        state, code, error, issuer = (_parameter(request, name) for name in ("state", "code", "error", "iss"))
        ref = self._desk.ref(state)
        browser = request.cookies.get(COOKIE + ref, "") if ref else ""
        try:
            way, link = await self._desk.returned(state, code, error, issuer=issuer, browser=browser)
        except Unavailable:
            return self._said(request, HTTPStatus.SERVICE_UNAVAILABLE, NOT_NOW)
        if way.value == "done":
            return RedirectResponse(f"{_PATH}/code/{ref}", HTTPStatus.SEE_OTHER, _security())
        status, said = _ENDED[way.value]
        return self._said(request, status, said, link)

    async def code(self, request: Request) -> Response:
        """GET and HEAD of ``/signin/code/<ref>``: the code, for the browser that signed in."""
        ref: str = request.path_params["ref"]
        try:
            shown = await self._desk.shown(ref, request.cookies.get(COOKIE + ref, ""))
        except Unavailable:
            return self._said(request, HTTPStatus.SERVICE_UNAVAILABLE, NOT_NOW, again=request.url.path)
        if shown is None:
            return self._said(request, HTTPStatus.FORBIDDEN, LOST)
        link = shown.link
        return _html(
            self._pages.code(link, shown.code, language_of(request, link.language), self._back_url(link.chat))
        )

    def _give(self, answer: Response, ref: str, browser: str, life: int) -> None:
        # Lax: the way back comes from the provider's site, as a navigation.
        answer.set_cookie(
            COOKIE + ref,
            browser,
            max_age=life,
            path=_PATH,
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )

    def _said(
        self, request: Request, status: int, said: Said, link: Link | None = None, *, again: str = ""
    ) -> Response:
        language = language_of(request, link.language if link else "")
        title, texts = said
        ways = [(TRY_AGAIN, f"{again}?lang={language}")] if again else []
        back = self._home if link is None else self._back_url(link.chat)
        return _html(self._pages.plain(title, texts, language, [*ways, (BACK, back)]), status)


def signin_routes(
    desk: Desk,
    *,
    render: Render,
    back_url: Callable[[Chat], str],
    secure: bool,
    hosts: Sequence[str] = (),
    home: str = "/",
) -> list[Route]:
    """The routes of the sign-in pages, which look as the payment pages do and use their style sheet.

    Args:
        desk: the sign-ins.
        render: a text in a language, as spans.
        back_url: address of a chat.
        secure: residents reach us by https, so the cookie needs it too.
        hosts: over which the provider's page redirects, besides its own.
        home: where someone goes whose link is not known.
    """
    site = _Site(desk, SignInPages(render), back_url, home, hosts, secure=secure)
    return [
        Route(f"{_PATH}/back", site.back, methods=["GET"]),
        Route(f"{_PATH}/code/{{ref}}", site.code, methods=["GET"]),
        Route(f"{_PATH}/{{token}}", site.show, methods=["GET"]),
        Route(f"{_PATH}/{{token}}", site.press, methods=["POST"]),
    ]


def _html(page: str, status: int = HTTPStatus.OK, *, onward: Sequence[str] = ()) -> Response:
    return Response(page, status_code=status, headers=_security(onward), media_type="text/html")


def _security(onward: Sequence[str] = ()) -> dict[str, str]:
    # Browsers hold the redirect after a form to form-action too, and the redirects after that one.
    hosts = "".join(f" https://{host}" + (f" http://{host}" if _is_here(host) else "") for host in onward)
    return secured(f"default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'{hosts}")


def _is_here(host: str) -> bool:
    return host.partition(":")[0] in {"127.0.0.1", "localhost"}


def _parameter(request: Request, name: str) -> str:
    """The parameter, empty where it is missing, given twice or absurdly long."""
    given = request.query_params.getlist(name)
    return given[0] if len(given) == 1 and len(given[0]) <= _LIMIT else ""
