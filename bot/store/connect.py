"""Clients for one Redis and for a Redis Cluster, from one URL."""

import asyncio
from functools import cached_property
from typing import Any, Final, cast
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.errors import ConfigError
from bot.store.away import FAILURES

TIMEOUT = 5.0
"""Seconds for one answer: a store that is slower than that is away."""

CONNECTIONS: Final = 32
"""Commands under way at a time, of which each has a connection; the next ones wait their turn. 300 look-ups at once
take 50 ms over 8, 32 and 100 alike: the server does one thing after the other anyhow."""

_SPARE: Final = 32
"""Connections to each server of a cluster beside these: batches and subscriptions take some of their own."""

# The reason is not quoted: an unescaped password ends up where the port is expected.
_MALFORMED: Final = (
    "REDIS_URL: malformed; expected redis://, rediss:// or unix://, the password's special characters "
    "written as %XX, and only options that redis-py knows"
)


async def connect(url: str) -> Redis | RedisCluster:
    """A client for ``redis://``, ``rediss://`` or ``unix://``; ``?cluster=1`` makes it a cluster's.

    Raises:
        ConfigError: the URL is malformed or nobody answers there.
    """
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        cluster = query.pop("cluster", "") in {"1", "true", "yes"}
        parts = parts._replace(query=urlencode(query))
        client = _client(parts, cluster=cluster)
    except (ValueError, TypeError):
        raise ConfigError(_MALFORMED) from None
    try:
        await (client.initialize() if cluster else client.ping())
    except FAILURES as error:
        await client.aclose()
        raise ConfigError(f"REDIS_URL: {_why(error, parts, cluster=cluster)}") from None
    except TypeError:  # an option that no connection takes
        raise ConfigError(_MALFORMED) from None
    return cast("Redis | RedisCluster", client)


class _Cluster(RedisCluster):
    """A cluster's client that waits for a connection where redis-py's own refuses the command."""

    @cached_property
    def _room(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(CONNECTIONS)

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """As redis-py's, in turn."""
        async with self._room:
            return await super().execute_command(*args, **kwargs)


def _client(parts: SplitResult, *, cluster: bool) -> Any:
    url = urlunsplit(parts)
    # One retry on a fresh connection: an idle one may have been closed. A turn that was saved and not
    # confirmed is safe to send again: its revision has moved on.
    terms: dict[str, Any] = {
        "socket_timeout": TIMEOUT,
        "socket_connect_timeout": TIMEOUT,
        "retry": Retry(NoBackoff(), 1),
    }
    if cluster:
        made: Any = _Cluster  # redis-py leaves its keyword arguments untyped
        return made.from_url(url, max_connections=CONNECTIONS + _SPARE, **terms)
    pool: Any = BlockingConnectionPool
    return Redis.from_pool(pool.from_url(url, max_connections=CONNECTIONS, timeout=TIMEOUT, **terms))


def _why(error: BaseException, parts: SplitResult, *, cluster: bool) -> str:
    """What is wrong at the address, which is shown without its password."""
    where = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))
    kind = "no Redis Cluster" if cluster else "nobody"
    return f"{kind} answers at {where} ({type(error).__name__})"
