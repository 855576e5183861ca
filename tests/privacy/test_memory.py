"""Forgetting on one server and on a cluster: by name, and one walk through all keys an hour for what has none."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.crypto import Keyring
from bot.model import Chat, Frame, Session
from bot.store.files import FileStore
from bot.store.privacy import GOODBYE, HOUR, ChatMemory
from bot.store.sessions import Sessions
from bot.store.weblog import WebLog
from bot.tasks import Tasks
from tests.payments.world import FakeClock
from tests.store.servers import Deployment, put_session

HERE, THERE = Chat("web", "1"), Chat("web", "2")


@dataclass
class Redised:
    """Two processes on the same servers."""

    redis: Any
    servers: Deployment
    clock: FakeClock
    store: Sessions
    log: WebLog
    files: FileStore
    memory: ChatMemory
    other: ChatMemory

    async def talks(self, chat: Chat) -> None:
        """A chat with a key of every kind that is a list, or stands beside another one."""
        rev = self.clock.now()
        await self.store.commit(chat, 0, Session(rev=rev, frames=(Frame("home", 1, "menu"),)), [])
        tag, name = self.store.place(chat)
        await put_session(self.redis, f"s:{tag}:{name}", b"not ours")
        await self.store.load(chat)  # puts it aside
        await self.store.commit(chat, 0, Session(rev=rev + 1, frames=(Frame("home", 1, "menu"),)), [])
        await self.log.append(chat, b"{}", key="1:0")
        await self.files.put(chat, b"a list of workers", "workers.csv")

    async def kinds(self, chat: Chat) -> list[str]:
        """Of the keys that carry the chat's name, by part: ``s``, ``w:k``."""
        name = self.store.place(chat).name.encode()
        found = [key.decode().split(":") for _, key in await self.servers.keys() if name in key]
        return sorted(
            ":".join([parts[0], *parts[3:]][:2]) if parts[0] == "w" else parts[0] for parts in found
        )

    async def walks(self) -> int:
        """How often a server was asked to walk through its keys since the last `quiet`."""
        counts = [await node.info("commandstats") for node in self.servers.nodes]
        return sum(each["cmdstat_scan"]["calls"] for each in counts if "cmdstat_scan" in each)

    async def quiet(self) -> None:
        for node in self.servers.nodes:
            await node.config_resetstat()


@pytest.fixture
async def world(redis: Redis, servers: Deployment) -> AsyncIterator[Redised]:
    ring, clock, tasks = Keyring.parse(Keyring.generate()), FakeClock(), Tasks()
    store = Sessions(redis, ring, "one")
    log = WebLog(redis, ring, store.place, tasks, clock)
    memory, other = (ChatMemory(redis, store, log, clock, ring) for _ in range(2))
    try:
        yield Redised(redis, servers, clock, store, log, FileStore(redis, ring), memory, other)
    finally:
        await log.close()
        await tasks.close()


async def test_all_that_has_a_name_goes_at_once(world: Redised) -> None:
    for chat in (HERE, THERE):
        await world.talks(chat)
    everything = await world.kinds(HERE)
    assert everything == ["d", "d", "k", "q", "q", "s", "w", "w:k"]
    await world.memory.forget(HERE)
    assert await world.kinds(HERE) == ["s"], "which has the last words to say"
    world.clock.advance(GOODBYE)
    assert await world.memory.round() == 1
    assert await world.kinds(HERE) == []
    assert await world.kinds(THERE) == everything


async def test_forgetting_costs_the_same_however_many_chats_there_are(world: Redised) -> None:
    await world.quiet()
    for chat in (HERE, THERE):
        await world.talks(chat)
        await world.memory.forget(chat)
        await world.memory.keys(chat)
    world.clock.advance(GOODBYE)
    assert await world.memory.round() + await world.other.round() == 2
    assert await world.walks() == 0
    world.clock.advance(HOUR)
    await asyncio.gather(world.memory.round(), world.other.round())
    assert await world.walks() == len(world.servers.nodes), "one walk, a thousand keys a call"
    assert await world.servers.find("f:") == []


async def test_a_process_that_dies_on_the_walk_is_followed_by_another(
    world: Redised, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.talks(HERE)
    await world.memory.forget(HERE)
    world.clock.advance(GOODBYE)
    await world.memory.round()
    world.clock.advance(HOUR)
    tag, name = world.store.place(HERE)
    await world.redis.set(f"z:{tag}:{name}", b"that nobody listed")
    with monkeypatch.context() as patched:
        patched.setattr(world.redis, "scan_iter", _dies)
        with pytest.raises(KeyboardInterrupt):
            await world.memory.round()
    await world.other.round()
    assert await world.kinds(HERE) == ["z"], "it may still be at it"
    world.clock.advance(HOUR)
    await world.other.round()
    assert await world.kinds(HERE) == []
    assert await world.servers.find("f:") == []


def _dies(**_how: object) -> None:
    raise KeyboardInterrupt
