"""Calls by httpx, for services that are asked seldom, or behind a proxy. Anything asked at every turn: `bot.wire`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from bot.wire import CONNECT, LIMIT, Answer, Lost, NotSent, Unfit

if TYPE_CHECKING:
    import httpx


class Seldom:
    """An httpx client that is made when it is first used: a start does without httpx and the authorities' certificates.

    Args:
        base_url: ``http(s)://host[:port][/prefix]``.
        headers: sent with every request.
        trust_env: whether proxies of the environment are used.
        transport: instead of the network.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        *,
        trust_env: bool = True,
        transport: "httpx.AsyncBaseTransport | None" = None,
    ) -> None:
        self._base_url = base_url
        self._headers = headers
        self._trust_env = trust_env
        self._transport = transport
        self._opened: httpx.AsyncClient | None = None

    def opened(self) -> "httpx.AsyncClient":
        """The client itself."""
        if self._opened is None:
            import httpx  # noqa: PLC0415

            self._opened = httpx.AsyncClient(
                base_url=self._base_url,
                headers=self._headers,
                trust_env=self._trust_env,
                transport=self._transport,
                timeout=httpx.Timeout(None, connect=CONNECT),
            )
        return self._opened

    async def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request; the caller bounds the time. Arguments and errors as those of `bot.wire.Wire.ask`.

        ``path`` may be a whole address, and ``headers`` name another type than JSON.
        """
        import httpx  # noqa: PLC0415

        sent = {**({"Content-Type": "application/json"} if content else {}), **(headers or {})}
        # `from None`: an httpx error holds the request, hence its body.
        try:
            async with self.opened().stream(
                method, path, content=content or None, headers=sent, follow_redirects=False
            ) as response:
                body = await _read(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise NotSent from None
        except httpx.DecodingError:
            raise Unfit("wrong content encoding") from None
        except httpx.TransportError:
            raise Lost from None
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Answer(response.status_code, body, media_type)

    async def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _read(response: "httpx.Response") -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LIMIT:
            raise Unfit("too large")
    return bytes(body)
