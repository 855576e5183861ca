"""Correctness of the same contenders: ``python -m bench.telegram.probe --peers ours,aiogram``. See README.md."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from bench.telegram import harness as h

if __name__ == "__main__":
    h.in_bench_env("bench.telegram.probe")

import aiohttp
import uvloop

from bench.telegram import fake_bot_api
from bench.telegram.loadgen import Load, Walk

PORTS: Final = h.Ports(8490, 6391)
CHATS: Final = 20
BAD, GOOD, PAY = 4, 5, 6
"""Steps of the dialog: a bad civil ID is typed, a good one, all is paid."""


class Probe:
    """One contender and its chats."""

    def __init__(self, command: str, env: dict[str, str], log: IO[bytes], api: fake_bot_api.BotApi) -> None:
        self._start = command, env, log
        self._api = api
        self._first, self._update_id = 1_000_000, 0
        self.replies: list[tuple[int, str]] = []
        self.http: Any = None
        self.bot: Any = None
        self.load = self._load()

    def _load(self) -> Load:
        return Load(self._api, PORTS.bot, h.WEBHOOK_PATH, h.SECRET, chats=0, inflight=0, conns=0)

    async def start_bot(self) -> None:
        """Start it and give it a moment."""
        self.bot = await asyncio.to_thread(h.start_bot, *self._start, PORTS)
        await asyncio.to_thread(h.wait_port, PORTS.bot, self.bot)
        await asyncio.sleep(1.0)

    async def kill_bot(self) -> None:
        """As the system does when memory runs out."""
        self.bot.kill()
        await asyncio.to_thread(self.bot.wait)

    def fresh(self) -> list[Walk]:
        """New chats; what is said to them goes to ``replies``."""
        update_id = self.load.update_id
        self.load = self._load()
        self.load.update_id = update_id
        self.load.walks = {c: Walk(c, 99) for c in range(self._first, self._first + CHATS)}
        self._first += CHATS
        self.replies.clear()
        self._api.on_reply = lambda chat_id, message: self.replies.append((chat_id, message["text"]))
        return list(self.load.walks.values())

    async def post(self, update: dict[str, Any], within: float = 5.0) -> int | str:
        """Bring an update; the status, or the name of what happened instead."""
        try:
            async with self.http.post(
                f"http://127.0.0.1:{PORTS.bot}{h.WEBHOOK_PATH}",
                json=update,
                headers={"X-Telegram-Bot-Api-Secret-Token": h.SECRET},
                timeout=aiohttp.ClientTimeout(total=within),
            ) as response:
                body = await response.read()
                if b"method" in body:
                    fields = fake_bot_api.parse_fields(str(response.headers).lower().encode(), body)
                    self._api.call(fields.pop("method"), fields)
                status: int = response.status
                return status
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__

    async def until(self, condition: Callable[[], bool], seconds: float = 5.0) -> bool:
        """Wait for ``condition``; whether it came."""
        for _ in range(int(seconds / 0.02)):
            if condition():
                return True
            await asyncio.sleep(0.02)
        return condition()

    def got(self, walk: Walk, step: int) -> int:
        """How often the reply of ``step`` came."""
        return sum(c == walk.chat_id and t.startswith(walk.expect[step]) for c, t in self.replies)

    async def turn(self, walk: Walk, step: int) -> bool:
        """One turn, as it should be."""
        walk.step = step
        before = self.got(walk, step)
        status = await self.post(self.load.update(walk))
        return await self.until(lambda: self.got(walk, step) > before) and status == 200

    async def walk_to(self, step: int) -> list[Walk]:
        """New chats that stand before ``step``."""
        walks = self.fresh()
        for walk in walks:
            for number in range(step):
                if not await self.turn(walk, number):
                    raise RuntimeError(f"chat {walk.chat_id} got no reply at step {number}")
        await asyncio.sleep(0.1)
        return walks


async def killed(p: Probe) -> dict[str, str]:
    """SIGKILL right after a reply, and 3 s after it: does the dialog go on in the new process?"""
    out = {}
    for name, wait in (("killed at once", 0.0), ("killed 3 s later", 3.0)):
        walks = await p.walk_to(PAY)
        await asyncio.sleep(wait)
        await p.kill_bot()
        await p.start_bot()
        for walk in walks:
            walk.step = PAY
            await p.post(p.load.update(walk))
        await _all_got(p, walks, PAY)
        out[name] = f"{sum(bool(p.got(walk, PAY)) for walk in walks)}/{CHATS} go on"
    return out


async def _all_got(p: Probe, walks: list[Walk], step: int) -> None:
    await p.until(lambda: all(p.got(walk, step) for walk in walks), 3)


async def redelivered(p: Probe) -> dict[str, str]:
    """The same update again after its reply: Telegram redelivers what it saw no 200 for."""
    walks = await p.walk_to(BAD)
    for walk in walks:
        walk.step = BAD
        update = p.load.update(walk)
        await p.post(update)
        await _all_got(p, [walk], BAD)
        await p.post(update)
    await asyncio.sleep(1.0)
    return {"redelivered update answered twice": f"{sum(p.got(w, BAD) > 1 for w in walks)}/{CHATS}"}


async def paid_twice(p: Probe, registry: fake_bot_api.Registry) -> dict[str, str]:
    """'Pay all' twice at once: the same update_id, then two of them (a double tap)."""
    out = {}
    for name, same in (
        ("payments for one update delivered twice at once", True),
        ("payments for a double tap", False),
    ):
        walks = await p.walk_to(PAY)
        before = registry.counts["payments"]
        for walk in walks:
            walk.step = PAY
            first = p.load.update(walk)
            await asyncio.gather(p.post(first), p.post(first if same else p.load.update(walk)))
        await asyncio.sleep(1.5)
        out[name] = f"{registry.counts['payments'] - before}/{CHATS}"
    return out


async def back_to_back(p: Probe) -> dict[str, str]:
    """A bad and a good civil ID 2 ms apart in one chat: both answered, in order?"""
    walks = await p.walk_to(BAD)
    p.load.n_conns = 2
    await p.load.connect()
    for walk in walks:
        for step in (BAD, GOOD):
            walk.step = step
            body = json.dumps(p.load.update(walk)).encode()
            await p.until(lambda: bool(p.load.free))
            p.load.free.pop(0).send(p.load.head + b"%d\r\n\r\n%b" % (len(body), body))
            await asyncio.sleep(0.002)
        await p.until(lambda: len(p.load.free) == p.load.n_conns)
        await asyncio.sleep(0.02)
    await asyncio.sleep(1.5)
    both = sum(p.got(walk, BAD) == 1 and p.got(walk, GOOD) == 1 for walk in walks)
    ordered = 0
    for walk in walks:
        last = [text for chat_id, text in p.replies if chat_id == walk.chat_id][-2:]
        starts = (walk.expect[BAD], walk.expect[GOOD])
        ordered += len(last) == len(starts) and all(map(str.startswith, last, starts))
    p.load.close()
    return {"back to back: both answered, in order": f"{both}/{CHATS}, {ordered}/{CHATS}"}


async def redis_away(p: Probe, server: Any) -> tuple[dict[str, Any], Any]:
    """Redis gone for some seconds: what does the webhook answer, is an update lost, does the bot recover?

    As Telegram does, what was not answered with 200 is brought again once Redis is back.
    """
    out: dict[str, Any] = {}
    walks = await p.walk_to(BAD)
    await asyncio.sleep(2)
    await asyncio.to_thread(h.stop, server)
    refused: list[tuple[Walk, dict[str, Any]]] = []
    statuses = []
    for walk in walks[:5]:
        walk.step = GOOD
        update = p.load.update(walk)
        statuses.append(await p.post(update, 3.0))
        if statuses[-1] != 200:
            refused.append((walk, update))
    await asyncio.sleep(1.5)
    out["Redis down: webhook status"] = ", ".join(sorted({str(status) for status in statuses}))
    out["Redis down: answered all the same"] = f"{sum(bool(p.got(w, GOOD)) for w in walks[:5])}/5"
    server = await asyncio.to_thread(h.start_redis, PORTS.redis, aof=True, keep=True)
    await asyncio.sleep(2)
    out["Redis back: process alive"] = p.bot.poll() is None
    out["Redis back: those updates answered late"] = f"{sum(bool(p.got(w, GOOD)) for w in walks[:5])}/5"
    for _, update in refused:
        await p.post(update)
    await _all_got(p, walks[:5], GOOD)
    out["Redis back: answered once brought again"] = f"{sum(bool(p.got(w, GOOD)) for w in walks[:5])}/5"
    out["Redis back: /start works"] = f"{sum([await p.turn(w, 0) for w in walks[5:10]])}/5"
    return out, server


async def probe(
    name: str, api: fake_bot_api.BotApi, registry: fake_bot_api.Registry, peers: Any
) -> dict[str, Any]:
    """Every probe of one contender."""
    server = await asyncio.to_thread(h.start_redis, PORTS.redis, aof=True)
    out: dict[str, Any] = {}
    with (h.BENCH_ENV / f"probe-{name}.log").open("ab") as log:
        command, env = peers[name]
        p = Probe(command, env, log, api)
        async with aiohttp.ClientSession() as p.http:
            try:
                await p.start_bot()
                out |= await killed(p)
                out |= await redelivered(p)
                out |= await paid_twice(p, registry)
                out |= await back_to_back(p)
                away, server = await redis_away(p, server)
                out |= away
            finally:
                await asyncio.to_thread(h.stop, p.bot)
                await asyncio.to_thread(h.stop, server)
    return out


async def main(argv: list[str]) -> None:
    """Probe one contender after the other."""
    parser = argparse.ArgumentParser(prog="python -m bench.telegram.probe", description=__doc__)
    parser.add_argument("--peers", default="ours,aiogram,aiogram-dialog,ptb,grammy-conv,grammy-session,floor")
    parser.add_argument("--add", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--out", type=Path, default=h.HERE / "probes.json")
    args = parser.parse_args(argv)
    added: dict[str, h.Contender] = {
        name: (command, {}) for name, _, command in (item.partition("=") for item in args.add)
    }
    api, registry = fake_bot_api.BotApi(), fake_bot_api.Registry()
    await fake_bot_api.serve(api, PORTS.api)
    await fake_bot_api.serve(registry, PORTS.upstream)
    results: dict[str, Any] = {}
    for name in [*args.peers.split(","), *added]:
        try:
            results[name] = await probe(name, api, registry, {**h.PEERS, **added})
        except Exception as error:  # noqa: BLE001 - the others are probed all the same
            results[name] = {"failed": repr(error)}
        print(name, json.dumps(results[name], indent=1), flush=True)
        args.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
