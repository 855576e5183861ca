"""The service as a contender: its engine, store, runtime, channel and webhook, with the bench's dialog and addresses.

What is the bench's own here: the dialog's table, its two look-ups, and the composition. Everything a turn goes through
is the service's: the guard, the webhook, Lua load and commit, sealed sessions, the outbox, the pacing of Telegram.
"""

import asyncio
import os
import secrets
import signal
import tempfile
from pathlib import Path

import uvloop
from starlette.applications import Starlette
from starlette.routing import Route

from bench.telegram.dialog import DIALOG, KEYRING, S, executors
from bot import logs, spelling
from bot.clock import SystemClock
from bot.config import Settings
from bot.engine.book import Book
from bot.handlers.guard import Guard, Limits
from bot.handlers.refusals import Refusals
from bot.handlers.telegram import Telegram, pace
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.i18n.speech import Keywords
from bot.i18n.text import EMPTY
from bot.runtime import Runtime
from bot.runtime.sweep import Sweeper
from bot.serve import bind, serving, spare_collector
from bot.services.http import Breaker, Http, make_wire
from bot.store.connect import connect
from bot.store.sessions import Sessions
from bot.tasks import Tasks


async def main() -> None:
    env = os.environ
    if "BENCH_COMPILED" in env and str(spelling.__file__).endswith(".py"):
        raise SystemExit("there is no build/compiled: run `make compiled` first")
    settings = Settings(
        _env_file=None,
        data_dir=Path(tempfile.mkdtemp(prefix="bench-")),
        public_url="https://bench.example",
        telegram_token="42:TEST-token-for-the-bench",
        telegram_api_base=env["BOT_API_BASE"],
        telegram_webhook_secret=env["SECRET"],
        telegram_per_second=1000,
        network_per_second=100_000,
    )
    # A closed loop answers faster than Telegram lets one chat be written to; the pacing itself stays in the way.
    pace.PER_CHAT = 0.0
    clock, tasks = SystemClock(), Tasks()
    catalog = Catalog()
    renderer = Renderer(catalog)
    redis = await connect(env["REDIS_URL"])
    store = Sessions(redis, KEYRING, secrets.token_hex(8))
    telegram = Telegram(settings, clock, tasks, catalog.text, per_second=1_000_000)
    client = make_wire(env["UPSTREAM_URL"])
    assert client is not None, "the bench goes through no proxy"
    http = Http("bench", client, Breaker(clock), timeout=10)
    book = Book((DIALOG,), "bench", S.LANGUAGE, Keywords(renderer), EMPTY)
    runtime = Runtime(book, store, renderer, (telegram.channel,), executors(http), clock, tasks)
    Sweeper(runtime, store, clock, tasks).start()
    (webhook,) = telegram.routes(runtime.handle)
    inner = Starlette(routes=[Route(env["WEBHOOK_PATH"], webhook.endpoint, methods=["POST"])])
    refusals = Refusals(renderer.render)
    app = Guard(
        inner,
        refusals,
        clock,
        base_url=settings.base_url,
        host="",
        trusted=(),
        limits=Limits(per_second=100_000),
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    lane = telegram.lane(runtime.handle)
    assert lane is not None
    lane.path = env["WEBHOOK_PATH"].encode()
    spare_collector()
    async with serving(app, bind("127.0.0.1", int(env["PORT"]), "PORT"), lane=lane):
        await stop.wait()
    await runtime.deliveries.finish(1.0)
    await tasks.close()
    await store.flush()
    await telegram.close()
    await client.close()
    await redis.aclose()


if __name__ == "__main__":
    logs.set_up("warning")
    uvloop.run(main())
