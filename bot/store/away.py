"""When Redis does not answer: one error for everything redis-py raises then."""

from types import TracebackType
from typing import Final

from redis.exceptions import RedisClusterException, RedisError

from bot.errors import StoreAway

FAILURES: Final = (RedisError, RedisClusterException, OSError, LookupError, RuntimeError, AttributeError)
"""A cluster's client has errors that are no `RedisError` (no node answers, a slot that nobody holds), and
lets a LookupError out while a cluster fails over. uvloop has a RuntimeError for writing to a connection that
was reset a moment ago, where asyncio has an OSError; redis-py lets it out. An AttributeError comes from a
connection that a cluster's client took apart, failing over, while somebody read from it."""


class _Away:
    """Holds nothing, so that one serves every turn: a generator made anew each time costs more than what it guards."""

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and isinstance(error, FAILURES):
            # Without the cause: an error of redis-py may quote the command it failed on.
            raise StoreAway(type(error).__name__) from None


_AWAY: Final = _Away()


def away() -> _Away:
    """Turn every failure of Redis into `StoreAway`."""
    return _AWAY
