"""The web chat: a page, a stream of the chat's log to it, and what the resident sends from it.

The cookie is the chat: a random token, signed so that nobody can name a chat we did not open.
"""

import hmac
import re
import secrets
from collections.abc import AsyncIterator
from typing import Annotated, Final
from urllib.parse import unquote, urlsplit

import msgspec
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot.crypto import Keyring
from bot.errors import UNDECODABLE, StoreAway
from bot.handlers.address import household
from bot.handlers.chat_log import ENTRY_ID, NAME, ChatLog, Shown
from bot.handlers.files import UPLOAD, Intake, Kept, shown_name
from bot.handlers.web.page import Page, SecureHeaders
from bot.handlers.web.stream import EventStream, OpenPage
from bot.i18n.catalog import LANGUAGES
from bot.model import Attached, Chat, Event, Pressed, Span, Typed
from bot.ports import Clock, Handle
from bot.tasks import Tasks

COOKIE: Final = "iq_chat"
COOKIE_LIFE: Final = 180 * 86400
"""Seconds; renewed by every visit."""

BODY_LIMIT: Final = 64 * 1024
"""Bytes of a request. `TEXT_LIMIT` characters of four bytes fit, JSON escapes of them too."""

TEXT_LIMIT: Final = 10_000
"""Characters of a message that go on; the page's field takes no more either."""

BEAT: Final = 15.0
"""Seconds of silence after which a stream reads the log by itself and shows that it lives."""


_CLIENT: Final = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)

_NAME_LIMIT: Final = 2048
"""Characters of a file's name in its header, where each letter of Arabic is six."""


class Sent(msgspec.Struct, frozen=True):
    """The body of a post: exactly one of ``text``, ``press`` and ``sent``.

    Attributes:
        client: the page's name for it; a repeated one changes nothing. Names that begin with ``start-``
            and ``lang-`` are the page's own commands, which nobody typed: they are not shown.
        text: what was written.
        press: token of the pressed button.
        source: id of the entry the button stands under.
        sent: kind of something that is not text; its content stays with the resident.
        missing: ``large`` for a file that the page did not send because it is too large.
        name: of that file.
    """

    client: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{8,64}\Z")]
    text: str | None = None
    press: Annotated[str, msgspec.Meta(min_length=1, max_length=256)] | None = None
    source: Annotated[str, msgspec.Meta(pattern=r"\A([0-9]{1,18}-[0-9]{1,18})?\Z")] = ""
    sent: Annotated[str, msgspec.Meta(pattern=r"\A(photo|voice|video|document)\Z")] | None = None
    missing: Annotated[str, msgspec.Meta(pattern=r"\A(large)?\Z")] = ""
    name: str = ""


class Refusal(Exception):
    """A request that is not taken.

    Args:
        status: of the answer.
        word: why, for whoever reads the network log.
    """

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status = status
        self.word = word


class WebChat:
    """The endpoints. See `web_routes`."""

    def __init__(
        self,
        log: ChatLog,
        handle: Handle,
        intake: Intake,
        keyring: Keyring,
        clock: Clock,
        page: Page,
        base_url: str,
    ) -> None:
        self._log = log
        self._handle = handle
        self._intake = intake
        self._keyring = keyring
        self._clock = clock
        self._page = page
        self._base = urlsplit(base_url)
        self._tasks = Tasks()

    async def page(self, request: Request) -> Response:
        """``GET /``: the page; opens a chat for whoever has none."""
        response = HTMLResponse(self._page.render(_language(request)))
        token = self._token(request) or secrets.token_urlsafe(24)
        response.set_cookie(
            COOKIE,
            f"{token}.{self._signature(token)}",
            max_age=COOKIE_LIFE,
            path="/",
            httponly=True,
            samesite="lax",
            secure="https" in (request.url.scheme, self._base.scheme),
        )
        return response

    async def static(self, request: Request) -> Response:
        """``GET /static/{name}``: for good under its versioned address, not at all under another."""
        asset = self._page.assets.get(request.path_params["name"])
        if asset is None:
            return Response(status_code=404)
        current = request.query_params.get("v") == asset.version
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if current else "no-cache",
            "Vary": "Accept-Encoding",
        }
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                asset.packed, media_type=asset.media_type, headers=headers | {"Content-Encoding": "gzip"}
            )
        return Response(asset.body, media_type=asset.media_type, headers=headers)

    async def events(self, request: Request) -> Response:
        """``GET /chat/events``: the log from ``Last-Event-ID`` (or ``after``) on, then live."""
        asked = request.headers.get("last-event-id") or request.query_params.get("after", "")
        after = asked if ENTRY_ID.fullmatch(asked) else ""
        token, language = self._token(request), _language(request)
        return EventStream(
            lambda page: self._stream(page, token, language, after),
            self._tasks,
            headers={"X-Accel-Buffering": "no"},
        )

    async def send(self, request: Request) -> Response:
        """``POST /chat/send``: one message or press. 202 once the turn is committed."""
        try:
            self._same_origin(request)
            sent = await _body(request)
            await self._take(self._chat(request), sent, _language(request), self._origin(request))
        except Refusal as refusal:
            return _json({"error": refusal.word}, refusal.status)
        except StoreAway:
            return _json({"error": "not saved: try again"}, 503, {"Retry-After": "3"})
        return _json({}, 202)

    async def upload(self, request: Request) -> Response:
        """``POST /chat/upload``: a file as the body, its name and the page's name for it in headers.

        202 once the turn is committed, whatever the dialog says to it; 413 for one that is too large.
        """
        try:
            self._same_origin(request)
            client = _client(request)
            name = shown_name(unquote(request.headers.get("x-file-name", "")[:_NAME_LIMIT]))
            chat = self._chat(request)
            wanted = "document" in await self._intake.awaits(chat)
            content = await _content(request, self._intake.limit, keep=wanted)
            # What nobody asked for is not kept: the dialog says that it was not read.
            kept = await self._intake.keep(chat, content, name) if wanted else Kept()
            sent = Sent(client, sent="document", name=name)
            await self._attach(chat, sent, kept, _language(request), self._origin(request))
        except Refusal as refusal:
            return _json({"error": refusal.word}, refusal.status)
        except StoreAway:
            return _json({"error": "not saved: try again"}, 503, {"Retry-After": "3"})
        return _json({}, 202)

    async def _attach(self, chat: Chat, sent: Sent, kept: Kept, language: str, origin: str) -> None:
        source = await self._echo(chat, sent, "")
        await self._handle(
            Attached(
                id=f"web:{sent.client}",
                chat=chat,
                language=language,
                origin=origin,
                kind=sent.sent or "document",
                file=kept.file,
                missing=kept.missing,
                name=sent.name,
                source=source,
            )
        )

    async def _take(self, chat: Chat, sent: Sent, language: str, origin: str) -> None:
        name = f"web:{sent.client}"
        event: Event
        if sent.press is not None:
            event = Pressed(
                id=name, chat=chat, language=language, origin=origin, token=sent.press, source=sent.source
            )
        elif sent.sent is not None:
            plain_name = msgspec.structs.replace(sent, name=shown_name(sent.name))
            await self._attach(chat, plain_name, Kept(missing=sent.missing), language, origin)
            return
        else:
            text = (sent.text or "")[:TEXT_LIMIT]
            # Before the turn: a dialog may want this very message erased, so it needs its id.
            source = "" if sent.client.startswith(("start-", "lang-")) else await self._echo(chat, sent, text)
            event = Typed(id=name, chat=chat, language=language, origin=origin, text=text, source=source)
        await self._handle(event)

    async def _echo(self, chat: Chat, sent: Sent, text: str) -> str:
        key = f"me:{sent.client}"
        shown = Shown(
            sender="me",
            key=key,
            client=sent.client,
            at=self._clock.now(),
            spans=(Span(text),) if text else (),
            kind=sent.sent or "",
            name=sent.name if sent.sent else "",
        )
        return await self._log.append(chat, msgspec.json.encode(shown), key=key)

    async def _stream(self, page: OpenPage, token: str, language: str, after: str) -> AsyncIterator[bytes]:
        if not token:
            # Not an HTTP error: a browser does not tell a page which one it was.
            yield b"event: stale\ndata: {}\n\n"
            return
        chat = Chat(NAME, token)
        yield _event("hello", self._page.hello(language, self._clock.now()))
        try:
            with self._log.listen(chat) as ear:
                page.hears(ear)
                news, synced = "entry", False
                while news != "closed":
                    if news == "typing":
                        yield _event("typing", b"{}")
                    else:
                        for entry_id, entry in await self._log.read(chat, after):
                            after = entry_id
                            # The id goes into the entry's own object, which begins with a brace.
                            yield _event("entry", b'{"id":"%s",%s' % (entry_id.encode(), entry[1:]), entry_id)
                    if not synced:
                        synced = True
                        yield _event("synced", b"{}")
                    elif news == "idle":
                        yield b": ping\nevent: beat\ndata: {}\n\n"
                    news = await ear.next(BEAT)
        except StoreAway:
            # The stream ends; the page comes back by itself and asks for what it missed.
            yield _event("away", b"{}")

    def _token(self, request: Request) -> str:
        """The chat the cookie names, or nothing."""
        token, _, signature = request.cookies.get(COOKIE, "").rpartition(".")
        good = bool(token) and hmac.compare_digest(signature.encode(), self._signature(token).encode())
        return token if good else ""

    def _chat(self, request: Request) -> Chat:
        token = self._token(request)
        if not token:
            raise Refusal(401, "no chat: open the page first")
        return Chat(NAME, token)

    def _origin(self, request: Request) -> str:
        """The blind name of the resident's network; `bot.handlers.guard` has looked behind the proxies."""
        address = household(request.client.host) if request.client else ""
        return self._keyring.blind(f"origin:{address}") if address else ""

    def _signature(self, token: str) -> str:
        return self._keyring.blind(f"web-cookie:{token}")

    def _same_origin(self, request: Request) -> None:
        """Refuse what another site's page could have sent.

        The header cannot be set across origins without a preflight, which nothing here answers; the two
        others are the browser's own word (Fetch Metadata; RFC 6454).
        """
        if request.headers.get("x-requested-with") != "iqamati":
            raise Refusal(403, "X-Requested-With is missing")
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise Refusal(403, "sent by another site")
        origin = request.headers.get("origin")
        hosts = {request.headers.get("host", "").lower(), self._base.netloc.lower()} - {""}
        if origin is not None and origin.lower().partition("://")[2] not in hosts:
            raise Refusal(403, "sent from another origin")


def web_routes(
    log: ChatLog,
    handle: Handle,
    intake: Intake,
    keyring: Keyring,
    clock: Clock,
    page: Page,
    base_url: str = "",
) -> list[Route]:
    """The web chat's routes: ``/``, ``/static/{name}``, ``/chat/events``, ``/chat/send``, ``/chat/upload``.

    Args:
        log: the chats' logs, the same that `LogChannel` writes.
        handle: takes an event through its turn.
        intake: takes files in.
        keyring: signs the cookies.
        clock: dates the resident's own messages.
        page: what the chat is shown in.
        base_url: where residents find us; with ``https`` the cookie is sent over it only.
    """
    chat = WebChat(log, handle, intake, keyring, clock, page, base_url)
    middleware = [Middleware(SecureHeaders)]
    return [
        Route("/", chat.page, name="page", middleware=middleware),
        Route("/static/{name}", chat.static, name="static", middleware=middleware),
        Route("/chat/events", chat.events, name="events", middleware=middleware),
        Route("/chat/send", chat.send, name="send", methods=["POST"], middleware=middleware),
        Route(UPLOAD, chat.upload, name="upload", methods=["POST"], middleware=middleware),
    ]


def _language(request: Request) -> str:
    asked = request.query_params.get("lang", "")
    return asked if asked in LANGUAGES else ""


async def _body(request: Request) -> Sent:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "application/json is expected")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise Refusal(413, "too long")
    try:
        sent = msgspec.json.decode(body, type=Sent)
    except UNDECODABLE:
        # Without the library's text: it may quote what was sent.
        raise Refusal(400, "not what is expected") from None
    if [sent.text, sent.press, sent.sent].count(None) != 2:  # noqa: PLR2004 - one of the three is there
        raise Refusal(400, "one of text, press and sent is expected")
    if sent.text is not None and not sent.text.strip():
        raise Refusal(400, "the text is empty")
    return sent


def _client(request: Request) -> str:
    client = request.headers.get("x-client", "")
    if _CLIENT.fullmatch(client) is None:
        raise Refusal(400, "X-Client is expected")
    return client


async def _content(request: Request, limit: int, *, keep: bool) -> bytes:
    """The body; empty unless it is to be kept. It is read to its end even so: an answer before it would be lost."""
    content = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise Refusal(413, "too large")
        if keep:
            content += chunk
    return bytes(content)


def _event(name: str, data: bytes, entry_id: str = "") -> bytes:
    head = f"id: {entry_id}\n" if entry_id else ""
    return f"{head}event: {name}\n".encode() + b"data: " + data + b"\n\n"


def _json(value: dict[str, str], status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")
