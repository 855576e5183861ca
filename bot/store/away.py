"""When Redis does not answer: one error for everything redis-py raises then."""

import contextlib
from collections.abc import Generator
from typing import Final

from redis.exceptions import RedisClusterException, RedisError

from bot.errors import StoreAway

FAILURES: Final = (RedisError, RedisClusterException, OSError, LookupError)
"""A cluster's client has errors that are no `RedisError` (no node answers, a slot that nobody holds), and
lets a LookupError out while a cluster fails over."""


@contextlib.contextmanager
def away() -> Generator[None, None, None]:
    """Turn every failure of Redis into `StoreAway`."""
    try:
        yield
    except FAILURES as error:
        # Without the cause: an error of redis-py may quote the command it failed on.
        raise StoreAway(type(error).__name__) from None
