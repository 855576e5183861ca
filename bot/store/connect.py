"""Clients for one Redis and for a Redis Cluster, from one URL."""

from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bot.errors import ConfigError

TIMEOUT = 5.0
"""Seconds for one answer: a store that is slower than that is away."""


async def connect(url: str) -> Redis | RedisCluster:
    """A client for ``redis://``, ``rediss://`` or ``unix://``; ``?cluster=1`` makes it a cluster's.

    Raises:
        ConfigError: the URL is malformed or nobody answers there.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    cluster = query.pop("cluster", "") in {"1", "true", "yes"}
    address = urlunsplit(parts._replace(query=urlencode(query)))
    kind: Any = RedisCluster if cluster else Redis  # redis-py leaves its keyword arguments untyped
    try:
        # One retry on a fresh connection: an idle one may have been closed. A turn that was saved and not
        # confirmed is safe to send again: its revision has moved on.
        client = kind.from_url(
            address, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 1)
        )
        await (client.initialize() if cluster else client.ping())
    except ValueError as error:
        raise ConfigError(f"REDIS_URL: {error}") from None
    except (RedisError, OSError) as error:
        raise ConfigError(
            f"REDIS_URL: nobody answers at {_shown(address)} ({type(error).__name__})"
        ) from None
    return cast("Redis | RedisCluster", client)


def _shown(address: str) -> str:
    """The address without its password."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, query=""))
