"""Nonsense at every endpoint of the composed application: never a 500, a stack trace, or an exception in the log.

Routes are taken from the application, so that a new one is fuzzed without being named here. Bounded for continuous
integration; ``FUZZ_REQUESTS=20000 pytest -s tests/fuzz`` is a long run, searched anew, and prints its figures.
"""

import asyncio
import contextlib
import os
import re
import sys
from collections import Counter
from typing import Final

import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.requests import Wire, wires
from tests.fuzz.seeds import seeds
from tests.hardening.world import Site, addresses, listening

LONG: Final = "FUZZ_REQUESTS" in os.environ
REQUESTS: Final = int(os.environ.get("FUZZ_REQUESTS", "400"))
"""Requests to each composition."""
BATCH: Final = 20
SAFETY: Final = 60.0
"""Seconds after which a request that nobody answers is a finding."""

_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3})")
_INSIDE: Final = re.compile(rb"Traceback|File \"|site-packages|\.py\b|sqlalchemy|msgspec", re.IGNORECASE)
_AWAY: Final = frozenset({503})
"""The gateways of these tests are not there."""


async def exchange(url: httpx.URL, wire: Wire) -> bytes:
    """Send it; the answer, of a stream its head only; nothing where the client hung up first."""
    reader, writer = await asyncio.open_connection(url.host, url.port)
    answer = b""
    try:
        with contextlib.suppress(ConnectionError):
            data = wire.head + wire.body
            writer.write(data if wire.cut < 0 else data[: wire.cut])
            await writer.drain()
        if wire.cut < 0:
            with contextlib.suppress(ConnectionError):
                while piece := await reader.read(65536):
                    answer += piece
                    if b"text/event-stream" in answer:
                        break
        return answer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


class Fuzz:
    """Requests to one composition, and what came of them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.url = httpx.URL(site.url)
        self.statuses: Counter[int] = Counter()
        self.routes: Counter[str] = Counter()

    async def one(self, wire: Wire) -> None:
        async with asyncio.timeout(SAFETY):
            answer = await exchange(self.url, wire)
        self.routes[wire.route] += 1
        statuses = [int(status) for status in _STATUS.findall(answer)]
        status = next((status for status in statuses if status >= 200), 0)
        self.statuses[status] += 1
        assert status < 500 or status in _AWAY, answer[:500]
        assert not _INSIDE.search(answer), answer[:2000]

    async def run(self) -> None:
        parts = await seeds(self.site)
        doors = [
            (route.path, addresses(route), sorted(route.methods or {"GET"})) for route in self.site.routes
        ]
        doors.append(("", ["/nothing", "*", "", "//", "/%"], ["GET"]))
        host = self.site.service.settings.public_url.removeprefix("https://") or self.url.netloc.decode()
        loop = asyncio.get_running_loop()
        for door in doors:
            await asyncio.to_thread(self._nonsense, wires(parts, [door], host), len(doors), loop)

    def _nonsense(self, asked: SearchStrategy[Wire], doors: int, loop: asyncio.AbstractEventLoop) -> None:
        """An endpoint's share of the requests, so that none is left to chance."""

        @settings(
            max_examples=max(1, REQUESTS // BATCH // doors),
            deadline=None,
            derandomize=not LONG,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(asked, min_size=BATCH, max_size=BATCH))
        def batch(chosen: list[Wire]) -> None:
            for wire in chosen:
                asyncio.run_coroutine_threadsafe(self.one(wire), loop).result()

        batch()

    def figures(self) -> str:
        """What a long run tells."""
        return f"{self.routes.total()} requests, {len(self.routes)} endpoints, answers {sorted(self.statuses.items())}"


async def fuzzed(site: Site) -> Fuzz:
    fuzz = Fuzz(site)
    with listening() as logged:
        await fuzz.run()
        # The server may still be at the last one whose client hung up.
        async with site.client() as client:
            assert (await client.get("/health")).status_code == 200
    if LONG:
        sys.stderr.write(f"\n{fuzz.figures()}; findings: {len(logged.failures)}\n")
    assert logged.failures == []
    assert set(fuzz.routes) >= {route.path for route in site.routes}, "an endpoint was never asked"
    return fuzz


async def test_nonsense_here(site: Site) -> None:
    await fuzzed(site)


async def test_nonsense_at_a_public_address(public: Site) -> None:
    fuzz = await fuzzed(public)
    assert "/telegram/webhook" in fuzz.routes
