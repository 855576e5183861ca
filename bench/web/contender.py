"""The service's web chat as a contender: guard, pages' routes, engine, store, outbox, log and streams, on its own server.

The bench's own are the dialog's table and its two look-ups, which `bench.telegram` shares.
"""

import asyncio
import os
import secrets
import signal

import uvloop
from starlette.applications import Starlette

from bench.telegram.dialog import DIALOG, KEYRING, S, executors
from bot import logs
from bot.clock import SystemClock
from bot.engine.book import Book
from bot.handlers.chat_log import LogChannel
from bot.handlers.files import Intake
from bot.handlers.guard import Guard, Limits
from bot.handlers.refusals import Refusals
from bot.handlers.web import Page, web_routes
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.i18n.speech import Keywords
from bot.i18n.text import EMPTY
from bot.runtime import Runtime
from bot.runtime.sweep import Sweeper
from bot.serve import bind, serving, spare_collector
from bot.services.http import Breaker, Http, make_wire
from bot.store.connect import connect
from bot.store.files import MEGABYTE, FileStore
from bot.store.sessions import Sessions
from bot.store.weblog import WebLog
from bot.tasks import Tasks

MANY = 1_000_000
"""Streams and requests of one network: all residents of the bench come from this machine."""


async def main() -> None:
    env = os.environ
    clock, tasks = SystemClock(), Tasks()
    catalog = Catalog()
    renderer = Renderer(catalog)
    redis = await connect(env["REDIS_URL"])
    store = Sessions(redis, KEYRING, secrets.token_hex(8))
    log = WebLog(redis, KEYRING, store.place, tasks, clock)
    client = make_wire(env["UPSTREAM_URL"])
    assert client is not None
    http = Http("bench", client, Breaker(clock), timeout=10)
    book = Book((DIALOG,), "bench", S.LANGUAGE, Keywords(renderer), EMPTY)
    channel = LogChannel(log, clock)
    runtime = Runtime(book, store, renderer, (channel,), executors(http), clock, tasks)
    Sweeper(runtime, store, clock, tasks).start()
    intake = Intake(FileStore(redis, KEYRING, limit=MEGABYTE), runtime.awaits, MEGABYTE)
    page = Page(catalog.text, "", "", MEGABYTE)
    base = f"http://127.0.0.1:{env['PORT']}"
    inner = Starlette(routes=web_routes(log, runtime.handle, intake, KEYRING, clock, page, base))
    app = Guard(
        inner,
        Refusals(renderer.render),
        clock,
        base_url=base,
        host="",
        trusted=(),
        limits=Limits(per_second=MANY, streams=MANY),
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    spare_collector()
    async with serving(app, bind("127.0.0.1", int(env["PORT"]), "PORT")):
        await stop.wait()
        log.hang_up()
    await runtime.deliveries.finish(1.0)
    await log.close()
    await tasks.close()
    await store.flush()
    await client.close()
    await redis.aclose()


if __name__ == "__main__":
    logs.set_up("warning")
    uvloop.run(main())
