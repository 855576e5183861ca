"""Bad days on demand: latency and failures, for all requests or for one.

One request asks for its own weather with headers, which a real registry does not have:
``X-Sandbox-Latency: seconds`` (0 to 60) and ``X-Sandbox-Fail: 503|500|429|timeout|malformed|drop``.
"""

import asyncio
import math
from collections.abc import Mapping
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.ports import Clock
from bot.tasks import Tasks

LATENCY = "X-Sandbox-Latency"
FAIL = "X-Sandbox-Fail"
MAX_LATENCY = 60.0
HANG = 180.0
"""Seconds a ``timeout`` lasts: longer than any client may wait (REGISTRY_TIMEOUT is at most 120)."""


class Fault(StrEnum):
    """Ways to fail."""

    UNAVAILABLE = "503"
    ERROR = "500"
    BUSY = "429"
    TIMEOUT = "timeout"  # no answer for as long as anybody waits
    MALFORMED = "malformed"  # 200 with a body that is not the contract's
    DROP = "drop"  # the connection breaks in the middle of the answer


class Faults:
    """The weather of a whole server.

    Args:
        latency: seconds before each answer.
        failure: share of requests that answer 503, spread evenly and without chance.
    """

    def __init__(self, latency: float = 0.0, failure: float = 0.0) -> None:
        self._latency = latency
        self._failure = failure
        self._debt = 0.0

    def next(self, headers: Mapping[str, str]) -> tuple[float, Fault | None]:
        """Seconds to wait and how to fail, for a request with ``headers``.

        Raises:
            ValueError: a header's value is not one of those above.
        """
        fault = Fault(headers[FAIL]) if FAIL in headers else None
        latency = float(headers[LATENCY]) if LATENCY in headers else self._latency
        if not (math.isfinite(latency) and 0 <= latency <= MAX_LATENCY):
            raise ValueError(LATENCY)
        self._debt += self._failure
        if self._debt >= 1:
            self._debt -= 1
            fault = fault or Fault.UNAVAILABLE
        return latency, fault


class Broken(Response):
    """An answer that promises more than it sends; the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"fines":[', "more_body": True})


async def wait(request: Request, clock: Clock, seconds: float) -> None:
    """Return after ``seconds``, or at once when the client has gone. The body must have been read."""
    if seconds <= 0:
        return
    tasks = Tasks()
    waiting = {
        tasks.spawn(clock.sleep(seconds), "sandbox latency"),
        tasks.spawn(_gone(request), "sandbox client"),
    }
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await tasks.close()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
