"""A list of 5,000 workers from the file to the verdicts and the price: seconds, memory, questions to the registry.

    python -m bench.batch [ROWS] [--json batch.json]

The registry is the sandbox, in a process of its own, over loopback; the ledger is SQLite on disk; files are kept in
the embedded Valkey. Memory is that of the service alone: the peak of Python's own allocations (tracemalloc, measured
in a second run because it slows the first) and the process's resident set.
"""

import argparse
import asyncio
import gc
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bench.table import Row, shown, written
from bot.clock import SystemClock, local
from bot.crypto import Keyring
from bot.dialogs.company.effects import Batch, QuoteBatch, ReadBatch, StartBatch
from bot.embedded import EmbeddedValkey
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.model import Chat, Woken
from bot.ports import Asked
from bot.residency.facts import Body, Permit
from bot.sandbox.cast_bodies import GRANTS, LARGE
from bot.sandbox.people import by_index
from bot.sandbox.relations import workers
from bot.services.batches import Batches, Checking, Papers
from bot.services.http import make_wire
from bot.services.ledger import Ledger, default_url, migrate, open_engine
from bot.services.registry import Registry
from bot.services.renewals import QuoteLimits
from bot.store.connect import connect
from bot.store.files import FileStore
from bot.tasks import Tasks

TOKEN: Final = "bench"  # noqa: S105 - of the sandbox on this machine
SERVE: Final = """
import asyncio, socket, sys
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from bot.clock import SystemClock
from bot.sandbox.faults import Faults
from bot.sandbox.recorded import Recorded
from bot.sandbox.registry import registry_app
app = Starlette(routes=[Mount("/registry", registry_app(SystemClock(), "bench", Faults(), Recorded()))])
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
asyncio.run(uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off")).serve([listener]))
"""


def actor() -> str:
    """Whoever may act for the large company."""
    index = next(index for index, bodies in GRANTS.items() if LARGE in bodies)
    person = by_index(index)
    if person is None:
        raise LookupError("the cast has nobody for the large company")
    return person.civil_id


class Counting:
    """The registry as batches ask it, and how often it was asked about workers."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.asked = 0

    async def bodies(self, actor: str) -> tuple[Body, ...]:
        """As the client's."""
        return await self._registry.bodies(actor)

    async def workers(self, body: str, civil_ids: Sequence[str]) -> tuple[Permit, ...]:
        """As the client's."""
        self.asked += 1
        return await self._registry.workers(body, civil_ids)


@asynccontextmanager
async def service(
    folder: Path, port: int
) -> AsyncIterator[tuple[Batches, Counting, FileStore, Tasks, list[Woken]]]:
    """What is measured, as `bot.bootstrap` joins it."""
    clock, tasks, told = SystemClock(), Tasks(), list[Woken]()
    keyring, renderer = Keyring.parse(Keyring.generate()), Renderer(Catalog())
    valkey = EmbeddedValkey(folder / "valkey")
    valkey.start()
    redis = await connect(valkey.url)
    engine = open_engine(default_url(folder))
    await migrate(engine)

    async def wake(event: Woken) -> None:
        told.append(event)

    wire = make_wire(f"http://127.0.0.1:{port}/registry", TOKEN)
    assert wire is not None
    try:
        ledger, registry = Ledger(engine), Counting(Registry(wire, clock, timeout=20.0))
        files = FileStore(redis, keyring)
        papers = Papers(
            ledger=ledger,
            keyring=keyring,
            clock=clock,
            plain=renderer.plain,
            base_url="https://i.example",
        )
        checking = Checking(
            ledger=ledger, staff=registry, keyring=keyring, clock=clock, wake=wake, link=papers.link
        )
        batches = Batches(
            ledger=ledger,
            files=files,
            checking=checking,
            papers=papers,
            keyring=keyring,
            clock=clock,
            tasks=tasks,
            prices=QuoteLimits(),
        )
        yield batches, registry, files, tasks, told
    finally:
        await tasks.close()
        await wire.close()
        await redis.aclose()
        await engine.dispose()
        valkey.stop()


def resident() -> int:
    """Kilobytes of this process in memory now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() // 1024


async def run(rows: int, folder: Path, port: int, *, traced: bool) -> Row:
    """One list from the file to the price: what it took."""
    chat, body = Chat("web", "bench"), LARGE.number
    asked = Asked("1:0", chat, "ar", actor())
    staff = [person.civil_id for person in workers(body, local(SystemClock().now()).date())]
    content = "\n".join(staff[:rows]).encode()
    async with service(folder, port) as (batches, registry, files, tasks, told):
        warm = await files.put(chat, "\n".join(staff[-100:]).encode(), "warm.csv")
        await batches.start(StartBatch(body, warm), asked)
        await tasks.drain()
        registry.asked = 0
        told.clear()
        gc.collect()
        before, peak = resident(), 0
        if traced:
            tracemalloc.start()
        ref = await files.put(chat, content, "list.csv")
        began = time.perf_counter()
        batch: Batch = await batches.start(StartBatch(body, ref), asked)
        taken = time.perf_counter() - began
        await tasks.drain()
        checked = time.perf_counter() - began
        if traced:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return {"peak_mb": round(peak / 2**20, 1)}
        after = resident()
        batch = await batches.read(ReadBatch(body, batch.ref), asked)
        began = time.perf_counter()
        quote = await batches.quote(QuoteBatch(body, batch.ref, batch.offers[0].years), asked)
        items = await batches.lines(quote.ref, asked)
        priced = time.perf_counter() - began
        began = time.perf_counter()
        paper = await batches.papers.open(batch.url.rpartition("/")[2].removesuffix(".xlsx"), "xlsx")
        printed = time.perf_counter() - began
        return {
            "rows": batch.total,
            "ready": batch.ready,
            "lines": len(items or ()),
            "told": len(told),
            "questions": registry.asked,
            "taken_s": round(taken, 2),
            "checked_s": round(checked, 2),
            "priced_s": round(priced, 2),
            "workbook_s": round(printed, 2),
            "workbook_kb": round(len(paper or b"") / 1024),
            "rss_mb": f"{before / 1024:.0f}-{after / 1024:.0f}",
        }


COLUMNS: Final = {
    "rows": "rows",
    "ready": "ready",
    "lines": "lines priced",
    "questions": "questions",
    "told": "told",
    "taken_s": "taken in s",
    "checked_s": "checked s",
    "priced_s": "priced s",
    "workbook_s": "workbook s",
    "workbook_kb": "kB",
    "rss_mb": "RSS MB",
    "peak_mb": "peak MB",
}


def main() -> None:
    """Run it twice: for time, then for memory."""
    parser = argparse.ArgumentParser(prog="python -m bench.batch", description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=5_000)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    row: Row = {}
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True) as sandbox:
        try:
            port = int(sandbox.stdout.readline()) if sandbox.stdout else 0
            for traced in (False, True):
                with tempfile.TemporaryDirectory() as folder:
                    row |= asyncio.run(run(args.rows, Path(folder), port, traced=traced))
        finally:
            sandbox.terminate()
    print(shown([row], COLUMNS))
    written(args.json, row)


if __name__ == "__main__":
    main()
