"""The verification page ``/verify/<token>``: a picture of six digits, and a field for them.

GET and HEAD change nothing: link previewers fetch every address they see. An answer is a POST from our own
page. There is no cookie; whoever holds the link may answer for the chat, which harms nobody.
"""

from collections.abc import Callable
from http import HTTPStatus
from importlib.resources import files
from string import Template
from typing import Final, Protocol
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import BotError, StoreAway
from bot.handlers.pay.page import BACK, TRY_AGAIN, Pages, Render
from bot.handlers.private_pages import body_of, language_of, own_form, secured, token_of
from bot.i18n.text import N_, NP_, Arg, Hour, Text, lines, say
from bot.model import Chat
from bot.parse import digits

LIMIT: Final = 4096
"""Bytes of an answer: two fields, in any script, with any spaces."""

STYLE: Final = (files("bot.web") / "verify.css").read_text("utf-8")

_FORM: Final = Template((files("bot.web") / "verify.html").read_text("utf-8"))
_STYLE_LINK: Final = '<link rel="stylesheet" href="/verify.css">\n'
_TITLE: Final = say(N_("Verification"))
_NUMBER: Final = 2
"""Characters of a picture's number in an address."""

_HEADERS: Final = secured(
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none';"
    " form-action 'self'"
)


class Shown(Protocol):
    """What the page shows; `bot.services.verification.Shown`, whose docstring holds."""

    @property
    def standing(self) -> str: ...
    @property
    def chat(self) -> Chat: ...
    @property
    def language(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def left(self) -> int: ...
    @property
    def until(self) -> int: ...
    @property
    def wrong(self) -> bool: ...


class Desk(Protocol):
    """What the page needs; `bot.services.verification.Verification`.

    Each raises `StoreAway` while Redis does not answer.
    """

    async def page(self, token: str) -> Shown | None:
        """What the page shows; None where the link is not known."""
        ...

    async def picture(self, token: str, number: int) -> bytes | None:
        """The picture as PNG; None where it is not the one to be answered."""
        ...

    async def answer(self, token: str, number: int, digits: str) -> Shown | None:
        """Take an answer to the picture ``number``."""
        ...


class _VerifyPages(Pages):
    """The page's form; its frame is that of the payment pages."""

    def form(self, shown: Shown, token: str, language: str, *, typed: bool) -> str:
        """The picture and the field. ``typed``: digits were sent, not the wish for another picture."""
        content = _FORM.substitute(
            token=token,  # known, hence of our own letters
            number=shown.number,
            lang=language,
            alternative=self._text(say(N_("A picture with six digits")), language),
            label=self._text(say(N_("Type the six digits in the picture.")), language),
            send=self._text(say(N_("Send")), language),
            another=self._text(say(N_("Another picture")), language),
        )
        told: list[Arg] = [say(N_("Those were not the digits."))] if shown.wrong and typed else []
        if shown.wrong:
            told.append(say(NP_("There is {n} picture left.", "There are {n} pictures left."), n=shown.left))
        before = self._p(lines(*told), language, "note") if told else ""
        after = self._p(
            say(N_("This page is open until {until}."), until=Hour(shown.until)), language, "quiet"
        ) + self._p(
            say(
                N_(
                    "If the picture cannot be read, go back to the chat and choose “Sign in”: "
                    "then no picture is needed."
                )
            ),
            language,
            "note",
        )
        return self.page(language, _TITLE, before + content + after, _STYLE_LINK)


class _Site:
    def __init__(self, desk: Desk, render: Render, back_url: Callable[[Chat], str], home: str) -> None:
        self._desk = desk
        self._pages = _VerifyPages(render, "")
        self._back_url = back_url
        self._home = home

    async def show(self, request: Request) -> Response:
        """GET and HEAD of ``/verify/<token>``."""
        try:
            shown = await self._desk.page(token_of(request))
        except StoreAway:
            return self._not_now(request)
        return self._answer(request, shown)

    async def picture(self, request: Request) -> Response:
        """GET of ``/verify/<token>/<number>.png``."""
        number = _count(request.path_params["number"])
        try:
            drawn = await self._desk.picture(token_of(request), number) if number else None
        except BotError:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_HEADERS)
        if drawn is None:
            return Response(status_code=HTTPStatus.NOT_FOUND, headers=_HEADERS)
        return Response(drawn, media_type="image/png", headers=_HEADERS)

    async def take(self, request: Request) -> Response:
        """POST of ``/verify/<token>``: an answer, or the wish for another picture, which uses one up too."""
        try:
            if not own_form(request):
                shown = await self._desk.page(token_of(request))
                return self._answer(request, shown, HTTPStatus.FORBIDDEN)
            form = await _form(request)
            said, number = digits(form.get("digits", "")), _count(form.get("number", ""))
            shown = await self._desk.answer(token_of(request), number, said)
        except (ClientDisconnect, ValueError):
            return Response(status_code=HTTPStatus.BAD_REQUEST, headers=_HEADERS)
        except StoreAway:
            return self._not_now(request)
        return self._answer(request, shown, typed=bool(said))

    async def style(self, _request: Request) -> Response:
        """The form's style sheet."""
        headers = {"x-content-type-options": "nosniff", "cache-control": "public, max-age=3600"}
        return Response(STYLE, media_type="text/css", headers=headers)

    def _answer(
        self, request: Request, shown: Shown | None, status: int = HTTPStatus.OK, *, typed: bool = False
    ) -> Response:
        language = language_of(request, shown.language if shown else "")
        if shown is None:
            return self._plain(HTTPStatus.NOT_FOUND, unknown(), language, self._home)
        if shown.standing == "open":
            return self._html(self._pages.form(shown, token_of(request), language, typed=typed), status)
        back = self._back_url(shown.chat)
        if shown.standing == "passed":
            return self._plain(HTTPStatus.OK, passed(), language, back)
        said = spent(shown.until) if shown.standing == "spent" else over()
        return self._plain(HTTPStatus.GONE, said, language, back)

    def _not_now(self, request: Request) -> Response:
        language = language_of(request)
        again = f"{request.url.path}?lang={language}"
        return self._plain(HTTPStatus.SERVICE_UNAVAILABLE, not_now(), language, self._home, again)

    def _plain(
        self, status: int, said: tuple[Text, tuple[Text, ...]], language: str, back: str, again: str = ""
    ) -> Response:
        title, texts = said
        ways = [(TRY_AGAIN, again)] if again else []
        return self._html(self._pages.plain(title, texts, language, [*ways, (BACK, back)]), status)

    def _html(self, page: str, status: int) -> Response:
        return Response(page, status_code=status, headers=_HEADERS, media_type="text/html")


def verify_routes(
    desk: Desk, *, render: Render, back_url: Callable[[Chat], str], home: str = "/"
) -> list[Route]:
    """The routes of the verification; the frame's style sheet is that of `bot.handlers.pay.pay_routes`.

    Args:
        desk: the verifications.
        render: a text in a language, as spans.
        back_url: address of a chat.
        home: where someone goes whose link is not known.
    """
    site = _Site(desk, render, back_url, home)
    return [
        Route("/verify.css", site.style, methods=["GET"]),
        Route("/verify/{token}", site.show, methods=["GET"]),
        Route("/verify/{token}", site.take, methods=["POST"]),
        Route("/verify/{token}/{number}.png", site.picture, methods=["GET"]),
    ]


def passed() -> tuple[Text, tuple[Text, ...]]:
    """Title and text once the digits were right."""
    return say(N_("The digits were right")), (
        say(N_("Go back to the chat: the look-up goes on there by itself.")),
    )


def spent(until: int) -> tuple[Text, tuple[Text, ...]]:
    """Title and text once every picture was answered wrongly."""
    return say(N_("No picture is left")), (
        say(N_("A new link is given in the chat from {until} on."), until=Hour(until)),
        say(N_("Signing in needs no picture: choose it in the chat.")),
    )


def over() -> tuple[Text, tuple[Text, ...]]:
    """Title and text for a page whose time is over."""
    return say(N_("This page has closed")), (say(N_("Ask for a new link in the chat.")),)


def unknown() -> tuple[Text, tuple[Text, ...]]:
    """Title and text for a token that is not ours, or was followed by another."""
    return say(N_("This link is not known")), (
        say(N_("Open the link from your chat, or ask there for a new one.")),
    )


def not_now() -> tuple[Text, tuple[Text, ...]]:
    """Title and text while Redis does not answer."""
    return say(N_("This page cannot be shown now")), (say(N_("Try again in a moment; nothing is lost.")),)


def _count(text: str) -> int:
    """A picture's number; 0, which no picture has, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _NUMBER else 0


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, the first of each name.

    Raises:
        ValueError: too long, or no form.
    """
    fields = parse_qs((await body_of(request, LIMIT)).decode("utf-8"), max_num_fields=8)
    return {name: values[0] for name, values in fields.items()}
