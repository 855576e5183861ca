"""What stands before every route: limits of size, time and number, who may post, and headers on every answer.

One ASGI layer around the whole application, so that a route added tomorrow is behind it without knowing.
"""

import asyncio
import math
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.handlers.address import Network, client_address, client_scheme, household, is_local
from bot.handlers.buckets import Buckets
from bot.handlers.files import UPLOAD
from bot.handlers.refusals import Refusals
from bot.handlers.web.page import SECURITY_HEADERS
from bot.ports import Clock

log = structlog.get_logger(__name__)

TARGET_LIMIT: Final = 16 * 1024
"""Bytes of path and query: KNET's encrypted answer in a query is below 4 kB."""

HEAD_LIMIT: Final = 32 * 1024
"""Bytes of all headers. Browsers send one to two kB; the server itself stops reading at twice this."""

BODY_LIMIT: Final = 64 * 1024
"""Bytes of a body. Routes have limits of their own at or below it."""

UPDATE_LIMIT: Final = 1 << 20
"""Bytes of a Telegram update (`bot.handlers.telegram.webhook`)."""

BODY_TIME: Final = 15.0
"""Seconds for a body to arrive: 64 kB over a 2G phone's line."""

FILE_TIME: Final = 120.0
"""Seconds for a file to arrive: 5 MB over a 3G phone's line."""

FILES: Final = 8
"""Files of one network under way."""

FILES_AT_ONCE: Final = 24
"""Files under way in this process. Each is held in memory, for a moment three times over: 400 MB of the largest."""

REQUEST_TIME: Final = 90.0
"""Seconds for a request. A gateway is given at most 30 for one call, and one request makes at most two."""

BURST: Final = 10.0
"""Seconds' worth of requests that a network may send at once: a page is seven requests."""

MACHINES: Final = 40
"""How much more the gateways' and Telegram's servers may send than a network of residents. KNET takes a payment
back whose notification is not answered, so theirs must be far from any limit; yet a flood of forged ones is one."""

STREAMS: Final = 256
"""Open event streams of one network. Mobile carriers put many phones behind one address."""

HSTS: Final = "max-age=31536000"
"""A year, this host only: the operator's other hosts are not ours to bind (RFC 6797, 6.1)."""

_FROM_SERVERS: Final = ("/payments/", "/telegram/")
"""Where other servers post: each proves itself by a signature, a cipher or a secret."""

_DIGITS: Final = 9
"""More in a ``Content-Length`` is too long, whatever it says."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_FILES: Final = ("multipart/", "image/", "audio/", "video/", "font/", "model/")
_FILE_KINDS: Final = frozenset({"application/octet-stream", "application/pdf", "application/zip"})


@dataclass(frozen=True)
class Limits:
    """How much is enough.

    Attributes:
        per_second: requests a second of one network of residents.
        body_time: seconds for a body.
        request_time: seconds for a request, event streams excepted.
        streams: open event streams of one network.
        file: bytes of a file that a resident sends.
        file_time: seconds for one.
        files: of one network under way.
        files_at_once: under way in this process.
    """

    per_second: float = 50.0
    body_time: float = BODY_TIME
    request_time: float = REQUEST_TIME
    streams: int = STREAMS
    file: int = 5_000_000
    file_time: float = FILE_TIME
    files: int = FILES
    files_at_once: int = FILES_AT_ONCE


@dataclass
class _Exchange:
    """One request under way. ``fault`` is the status to answer with instead of what the application says."""

    scope: Scope
    network: str
    body_limit: int
    fault: int = 0
    started: bool = False
    streaming: bool = False
    uploading: bool = False
    taken: int = 0
    extra: dict[str, str] = field(default_factory=dict[str, str])


class _Refused(Exception):
    """Raised through the application, which has nothing to say to it."""


class Guard:
    """The layer.

    Args:
        app: the application.
        refusals: makes the answers to what is refused.
        clock: for the buckets.
        base_url: where residents find us; with ``https`` browsers are told to stay with it.
        host: the only host name that is answered, besides this machine's own; empty for any.
        trusted: proxies whose word on the client's address is taken.
        limits: how much is enough.
    """

    def __init__(
        self,
        app: ASGIApp,
        refusals: Refusals,
        clock: Clock,
        *,
        base_url: str,
        host: str = "",
        trusted: Iterable[Network] = (),
        limits: Limits | None = None,
    ) -> None:
        self.app = app
        self._refusals = refusals
        self._host = host.lower()
        self._own = urlsplit(base_url).netloc.lower()
        self._trusted = tuple(trusted)
        self._limits = limits or Limits()
        rate = self._limits.per_second
        self._people = Buckets(clock, rate, rate * BURST)
        self._machines = Buckets(clock, rate * MACHINES, rate * MACHINES * BURST)
        self._streams: Counter[str] = Counter()
        self._files: Counter[str] = Counter()
        self._headers = dict(SECURITY_HEADERS)
        if urlsplit(base_url).scheme == "https":
            self._headers["Strict-Transport-Security"] = HSTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        address = client_address(scope, self._trusted)
        # For everything behind: the resident's address and scheme, not the proxy's.
        scope = {**scope, "client": (address, 0), "scheme": client_scheme(scope, self._trusted)}
        limit = UPDATE_LIMIT if scope["path"].startswith("/telegram/") else BODY_LIMIT
        if scope["path"] == UPLOAD:
            limit = self._limits.file
        exchange = _Exchange(scope, household(address), limit)
        try:
            self._admit(exchange, Headers(scope=scope), address)
            await self._served(exchange, receive, send)
        except _Refused:
            pass
        finally:
            if exchange.streaming:
                _leave(self._streams, exchange.network)
            if exchange.uploading:
                _leave(self._files, exchange.network)
        if exchange.fault and not exchange.started:
            await self._refuse(exchange, receive, send)

    # --- before ----------------------------------------------------------------------------------

    def _admit(self, exchange: _Exchange, headers: Headers, address: str) -> None:
        """Refuse by what the head of the request says."""
        scope = exchange.scope
        self._count(exchange, address)
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > TARGET_LIMIT:
            self._stop(exchange, HTTPStatus.REQUEST_URI_TOO_LONG)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD_LIMIT:
            self._stop(exchange, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if not self._our_host(scope["path"], headers):
            self._stop(exchange, HTTPStatus.MISDIRECTED_REQUEST)
        length = headers.get("content-length", "")
        if length.isdecimal() and (len(length) > _DIGITS or int(length) > exchange.body_limit):
            self._stop(exchange, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if scope["path"].startswith(_FROM_SERVERS):
            return
        if _is_file(headers) and scope["path"] != UPLOAD:
            self._stop(exchange, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if scope["method"] not in _SAFE and not _sent_back(scope["path"]) and not self._from_us(headers):
            self._stop(exchange, HTTPStatus.FORBIDDEN)
        if scope["path"] == UPLOAD and scope["method"] == "POST":
            self._upload(exchange, address)

    def _upload(self, exchange: _Exchange, address: str) -> None:
        # This machine's own network is every resident's behind a proxy that does not say for whom it asks.
        most = self._limits.files_at_once if is_local(address) else self._limits.files
        if self._files[exchange.network] >= most or self._files.total() >= self._limits.files_at_once:
            exchange.extra["Retry-After"] = "5"
            self._stop(exchange, HTTPStatus.TOO_MANY_REQUESTS)
        self._files[exchange.network] += 1
        exchange.uploading = True

    def _count(self, exchange: _Exchange, address: str) -> None:
        # This machine's own: the terminal, and a proxy that does not say for whom it asks. Counting the
        # latter would count all residents as one.
        if is_local(address):
            return
        from_servers = exchange.scope["path"].startswith(_FROM_SERVERS)
        wait = (self._machines if from_servers else self._people).take(exchange.network)
        if wait:
            exchange.extra["Retry-After"] = str(math.ceil(wait))
            self._stop(exchange, HTTPStatus.TOO_MANY_REQUESTS)

    def _our_host(self, path: str, headers: Headers) -> bool:
        """Whether the request is meant for us. A load balancer asks for our health by address."""
        host = headers.get("host", "").lower()
        own = {self._host, self._host.removesuffix(":443")}
        return not self._host or host in own or path == "/health" or is_local(_name(host))

    def _from_us(self, headers: Headers) -> bool:
        """Whether a page of ours sent this, as the browser itself says (Fetch Metadata; RFC 6454).

        Forms on a page with ``Referrer-Policy: no-referrer`` have the origin ``null``: nothing can be said by
        it. What is no browser says neither, and has no cookies either.
        """
        site = headers.get("sec-fetch-site", "")
        if site:
            return site in {"same-origin", "none"}
        origin = headers.get("origin", "null").lower()
        hosts = {headers.get("host", "").lower(), self._own} - {""}
        return origin == "null" or origin.partition("://")[2] in hosts

    def _stop(self, exchange: _Exchange, fault: int) -> None:
        exchange.fault = fault
        raise _Refused

    # --- meanwhile -------------------------------------------------------------------------------

    async def _served(self, exchange: _Exchange, receive: Receive, send: Send) -> None:
        try:
            longer = self._limits.file_time if exchange.uploading else 0
            async with asyncio.timeout(self._limits.request_time + longer) as whole:
                await self.app(
                    exchange.scope, self._bounded(exchange, receive), self._dressed(exchange, send, whole)
                )
        except TimeoutError:
            log.warning("a request took too long", endpoint=_endpoint(exchange.scope))
            exchange.fault = exchange.fault or HTTPStatus.SERVICE_UNAVAILABLE
        except Exception as error:  # noqa: BLE001 - whatever went wrong, its text may quote a resident
            if not exchange.fault:
                _note(error, exchange.scope)
                exchange.fault = HTTPStatus.INTERNAL_SERVER_ERROR

    def _bounded(self, exchange: _Exchange, receive: Receive) -> Receive:
        """``receive`` that refuses a body too long or too slow."""
        seconds = self._limits.file_time if exchange.uploading else self._limits.body_time
        deadline = asyncio.get_running_loop().time() + seconds

        async def bounded() -> Message:
            try:
                # Only while the body comes: afterwards waiting means waiting for the resident to go away.
                async with asyncio.timeout_at(None if exchange.taken < 0 else deadline):
                    message = await receive()
            except TimeoutError:
                self._stop(exchange, HTTPStatus.REQUEST_TIMEOUT)
                raise
            if message["type"] == "http.request":
                exchange.taken += len(message.get("body", b""))
                if exchange.taken > exchange.body_limit:
                    self._stop(exchange, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                if not message.get("more_body", False):
                    exchange.taken = -1
            return message

        return bounded

    def _dressed(self, exchange: _Exchange, send: Send, whole: asyncio.Timeout) -> Send:
        """``send`` that adds the headers, and lets streams go on."""

        async def dressed(message: Message) -> None:
            if exchange.fault and not exchange.started:
                return  # the application answers to what was refused
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/event-stream"):
                    self._stream(exchange)
                    whole.reschedule(None)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                exchange.started = True
            await send(message)

        return dressed

    def _stream(self, exchange: _Exchange) -> None:
        if self._streams[exchange.network] >= self._limits.streams:
            exchange.extra["Retry-After"] = "30"
            self._stop(exchange, HTTPStatus.TOO_MANY_REQUESTS)
        self._streams[exchange.network] += 1
        exchange.streaming = True

    async def _refuse(self, exchange: _Exchange, receive: Receive, send: Send) -> None:
        answer: Response = self._refusals.answer(Request(exchange.scope), exchange.fault)
        # What the client still sends is not read.
        answer.headers.update({**self._headers, **exchange.extra, "Connection": "close"})
        await answer(exchange.scope, receive, send)


def _leave(counted: "Counter[str]", network: str) -> None:
    counted[network] -= 1
    if not counted[network]:
        del counted[network]


def _is_file(headers: Headers) -> bool:
    """Whether the body is a file: one address takes them, and at any other none is read."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in _FILE_KINDS or kind.startswith(_FILES)


def _sent_back(path: str) -> bool:
    """Whether a gateway's page may send the browser here by a form; it changes nothing (`bot.handlers.pay`)."""
    return path.startswith("/p/") and path.endswith("/return")


def _name(host: str) -> str:
    """A ``Host`` header without its port; ``localhost`` as an address."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return "127.0.0.1" if name == "localhost" else name


def _endpoint(scope: Scope) -> str:
    """Which function answers, never at which address: addresses hold tokens."""
    return getattr(scope.get("endpoint"), "__qualname__", "")


def _note(error: Exception, scope: Scope) -> None:
    """Log where a request failed, without what the error says."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    log.error("a request failed", error=type(error).__name__, at=where, endpoint=_endpoint(scope))
