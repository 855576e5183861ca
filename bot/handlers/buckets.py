"""How much one network may ask for: token buckets, in this process's memory.

Not in Redis: this limit is there so that a flood costs next to nothing, and a round trip a request would be the
first thing a flood uses up. With n processes a network may ask n times as much. What is counted for people, not
for machines (look-ups of strangers' numbers), is counted in Redis.
"""

from collections import OrderedDict
from typing import Final

from bot.ports import Clock

KEPT: Final = 50_000
"""Networks remembered at most; the one not heard of for longest is forgotten first, which forgives it."""


class Buckets:
    """A bucket for each name: it holds ``burst`` and refills by ``rate`` a second.

    Args:
        clock: for the seconds.
        rate: tokens a second.
        burst: tokens of a full bucket.
        kept: buckets remembered at most.
    """

    def __init__(self, clock: Clock, rate: float, burst: float, kept: int = KEPT) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._kept = kept
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> float:
        """Take a token of ``name``'s bucket: 0, or the seconds until there is one."""
        now = self._clock.monotonic()
        tokens, at = self._buckets.pop(name, (self._burst, now))
        tokens = min(self._burst, tokens + (now - at) * self._rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._rate
        self._buckets[name] = (tokens if wait else tokens - 1, now)
        if len(self._buckets) > self._kept:
            self._buckets.popitem(last=False)
        return wait
