"""What every HTTP client of ours shares: bounded time, careful retries, a circuit breaker, our errors.

No text of an error or a log line made here holds a body, a header or a query.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from functools import partial
from ipaddress import ip_address
from typing import Final, Protocol, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from bot.errors import UNDECODABLE, ConfigError, Malformed, Unavailable
from bot.ports import Clock
from bot.services.seldom import Seldom
from bot.wire import LIMIT, Answer, Lost, NotSent, Unfit, Wire

MAX_ANSWER: Final = LIMIT
"""Bytes of an answer we read; the largest honest one (100 permits) is about 100 kB."""

_JSON: Final = "application/json"
_NOT_SENT: Final = "no connection"
_SERVER_ERROR: Final = 500
_REDIRECT: Final = 300
_CLIENT_ERROR: Final = 400

T = TypeVar("T")


class Client(Protocol):
    """What sends a request: `bot.wire.Wire.ask` says what is asked of it."""

    async def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request."""
        ...


class Breaker:
    """Stops asking a service that does not answer, and tries again after a rest.

    Args:
        clock: measures the rest.
        failures: calls in a row that must fail before it opens.
        rest: seconds until one call is let through as a trial.
    """

    def __init__(self, clock: Clock, failures: int = 5, rest: float = 10.0) -> None:
        self._clock = clock
        self._limit = failures
        self._rest = rest
        self._failures = 0
        self._opened = 0.0
        self._trying = False

    def guard(self, service: str) -> "_Guarded":
        """Let the call in the block through and note how it went.

        Raises:
            Unavailable: at once, while ``service`` is left to rest.
        """
        trial = self._failures >= self._limit
        if trial:
            if self._trying or self._clock.monotonic() - self._opened < self._rest:
                raise Unavailable(service, "resting after failures")
            self._trying = True
        return _Guarded(self, trial)

    def ended(self, error: BaseException | None, trial: bool) -> None:  # noqa: FBT001 - `_Guarded`'s
        """A call that was let through has ended, with ``error`` where it failed."""
        if isinstance(error, Unavailable):
            self._failures += 1
            self._opened = self._clock.monotonic()
        elif error is None or isinstance(error, Malformed):
            self._failures = 0  # it is there, if not sane
        if trial:  # a cancelled call has learnt nothing, but another one may try
            self._trying = False


class _Guarded:
    """A call that the breaker let through."""

    def __init__(self, breaker: Breaker, trial: bool) -> None:  # noqa: FBT001 - `Breaker`'s
        self._breaker = breaker
        self._trial = trial

    def __enter__(self) -> None:
        """It begins."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._breaker.ended(error, self._trial)


class Http:
    """Calls to one service.

    Args:
        service: its short name in errors.
        client: a `Wire`, which carries JSON only, or a `Seldom`; closed by whoever made it.
        breaker: shared by all calls that should fail together; None for one that never opens.
        timeout: seconds for one call, retries included.
        attempts: how often at most a repeatable call is sent.
    """

    def __init__(
        self,
        service: str,
        client: Client,
        breaker: Breaker | None,
        *,
        timeout: float,
        attempts: int = 3,
    ) -> None:
        self.service = service
        self._client = client
        self._breaker = breaker
        self._budget = timeout
        self._attempts = attempts

    async def ask(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool,
        content: bytes | None = None,
        media_type: str = _JSON,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and return its answer.

        Args:
            method: HTTP method.
            path: under the client's base URL; holds no personal data.
            repeatable: whether sending it twice does no harm. One that never left is sent again anyway.
            content: an encoded body of the type ``media_type``.
            media_type: of ``content``.
            headers: besides the client's.

        Raises:
            Unavailable: no answer in time, a 5xx one, or the breaker is open.
            Malformed: a redirect, an answer too large or wrongly encoded.
        """
        kind = {} if content is None or media_type == _JSON else {"Content-Type": media_type}
        once = partial(self._once, method, path, content or b"", {**(headers or {}), **kind})
        with self._breaker.guard(self.service) if self._breaker else nullcontext():
            try:
                async with asyncio.timeout(self._budget):
                    return await self._retried(once, repeatable=repeatable)
            except TimeoutError:
                raise Unavailable(self.service, "timeout") from None

    async def _retried(self, once: Callable[[], Awaitable[Answer]], *, repeatable: bool) -> Answer:
        def again(error: Exception) -> bool:
            return isinstance(error, Unavailable) and (repeatable or error.reason == _NOT_SENT)

        try:  # nearly always enough, and not worth what the retries cost to set up
            return self._taken(await once())
        except Unavailable as error:
            if self._attempts == 1 or not again(error):
                raise
            failed = [error]
        import stamina  # noqa: PLC0415 - a start does without, and most calls

        async for attempt in stamina.retry_context(
            again,
            attempts=self._attempts,
            timeout=self._budget,
            wait_initial=0.1,
            wait_max=1.0,
            wait_jitter=0.2,
        ):
            with attempt:
                if failed:
                    raise failed.pop()
                return self._taken(await once())
        raise AssertionError("stamina returns or raises")

    def _taken(self, answer: Answer) -> Answer:
        if answer.status >= _SERVER_ERROR:
            raise Unavailable(self.service, f"answered {answer.status}")
        if _REDIRECT <= answer.status < _CLIENT_ERROR:
            raise Malformed(self.service, f"answered {answer.status}")
        return answer

    async def _once(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            return await self._client.ask(method, path, content, headers)
        except NotSent:
            raise Unavailable(self.service, _NOT_SENT) from None
        except Lost:
            raise Unavailable(self.service, "connection lost") from None
        except Unfit as error:
            raise Malformed(self.service, str(error)) from None


def decoded(service: str, answer: Answer, decoder: msgspec.json.Decoder[T]) -> T:
    """The body of ``answer``.

    Raises:
        Malformed: not JSON, or not of the decoder's type. The text does not say what was there.
    """
    if answer.media_type not in {"application/json", "application/problem+json"}:
        raise Malformed(service, "not JSON")
    try:
        return decoder.decode(answer.body)
    except UNDECODABLE:
        # A ValidationError is a DecodeError; either can quote the answer.
        raise Malformed(service, "not the agreed shape") from None


def make_client(base_url: str, token: str = "") -> Seldom:
    """A client for the service at ``base_url`` (a path prefix is kept); the caller closes it.

    Proxies of the environment are not used toward this machine.

    Raises:
        ConfigError: not an ``http(s)`` address.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError("expected an address that begins with https:// or http://")
    return Seldom(
        base_url,
        headers={"Authorization": f"Bearer {token}"} if token else None,
        trust_env=not is_loopback(parts.hostname),
    )


def make_wire(base_url: str, token: str = "") -> Wire | None:
    """The lean client for the service at ``base_url``; None where a proxy of the environment stands between.

    Raises:
        ConfigError: not an ``http(s)`` address.
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    proxied = parts.scheme in getproxies() and not is_loopback(host) and not proxy_bypass(host)
    try:
        wire = Wire(base_url, {"Authorization": f"Bearer {token}"} if token else None)
    except ValueError:
        raise ConfigError("expected an address that begins with https:// or http://") from None
    return None if proxied else wire


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
