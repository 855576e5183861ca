"""The store of verifications by itself: what the service never asks for, but a race might."""

import asyncio

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from bot.crypto import Keyring
from bot.store.quotas import Quotas
from bot.store.verifications import Open, Verifications
from tests.quotas.desk import HERE, THERE
from tests.sandbox.kit import NOON

TERMS = (3600, 1, 2)


class Kept:
    """A store with one open verification."""

    def __init__(self, redis: Redis | RedisCluster) -> None:
        self.keyring = Keyring.parse(Keyring.generate())
        self.store = Verifications(redis, self.keyring)
        self.quotas = Quotas(redis, self.keyring)

    async def begin(self, now: int = NOON) -> Open:
        return await self.store.begin(HERE, "ar", now, now + 900)

    async def answer(self, found: Open, number: int, *, right: bool = True, now: int = NOON) -> str:
        return await self.store.answer(
            found.chat, found.token, number, right=right, now=now, tries=2, excused=now + 3600
        )

    async def excused(self, now: int) -> bool:
        return (await self.quotas.chat(HERE, "what", TERMS, now, "")).passed


async def test_one_answer_a_picture(redis: Redis | RedisCluster) -> None:
    kept = Kept(redis)
    found = await kept.begin()
    said = await asyncio.gather(*(kept.answer(found, 1, right=False) for _ in range(20)))
    assert sorted(said) == ["stale"] * 19 + ["wrong"]
    assert await kept.answer(found, 1) == "stale", "the right digits of the old picture, too late"
    assert await kept.answer(found, 2, right=False) == "wrong"
    assert await kept.answer(found, 3) == "spent"
    assert not await kept.excused(NOON)


async def test_it_passes_once_and_is_not_prolonged(redis: Redis | RedisCluster) -> None:
    kept = Kept(redis)
    found = await kept.begin()
    assert await asyncio.gather(*(kept.answer(found, 1) for _ in range(20))) == ["passed"] * 20
    assert await kept.answer(found, 0, now=NOON + 600) == "passed"
    assert await kept.excused(NOON + 3599)
    assert not await kept.excused(NOON + 3600)


async def test_too_late(redis: Redis | RedisCluster) -> None:
    kept = Kept(redis)
    found = await kept.begin()
    assert await kept.answer(found, 1, now=NOON + 900) == "over"
    newer = await kept.begin(NOON + 900)
    assert newer.token != found.token
    assert await kept.answer(found, 1, now=NOON + 900) == "over", "its successor is open"
    assert await kept.store.find(found.token) is None
    assert await kept.store.picture(HERE, found.token, 1, b"late") is None
    assert await kept.store.picture(HERE, newer.token, 1) == b""


async def test_a_picture_is_drawn_once(redis: Redis | RedisCluster) -> None:
    kept = Kept(redis)
    found = await kept.begin()
    assert await kept.store.picture(HERE, found.token, 1, b"first") == b"first"
    assert await kept.store.picture(HERE, found.token, 1, b"second") == b"first"
    await kept.answer(found, 1, right=False)
    assert await kept.store.picture(HERE, found.token, 1) is None
    assert await kept.store.picture(HERE, found.token, 2) == b""


async def test_a_chat_is_not_another(redis: Redis | RedisCluster) -> None:
    kept = Kept(redis)
    found = await kept.begin()
    assert (await kept.store.find(found.token)) == found
    assert (
        await kept.store.answer(THERE, found.token, 1, right=True, now=NOON, tries=2, excused=NOON + 3600)
        == "over"
    )


async def test_another_ring_reads_nothing(redis: Redis | RedisCluster) -> None:
    kept = Kept(redis)
    found = await kept.begin()
    await kept.store.picture(HERE, found.token, 1, b"first")
    index = Keyring.generate().partition(":")
    stranger = Verifications(redis, Keyring.parse("".join(index)))
    assert await stranger.find(found.token) is None


async def test_until_when_more_is_in_the_window_than_is_free(redis: Redis | RedisCluster) -> None:
    kept = Kept(redis)
    terms = (3600, 1, 3)
    for number, at in enumerate((0, 600, 1200)):
        said = await kept.quotas.other("who", f"{number}", terms, NOON + at, passed=True)
        assert said.verdict == 0
    said = await kept.quotas.other("who", "more", terms, NOON + 3600, passed=False)
    assert (said.verdict, said.until) == (1, NOON + 1200 + 3600), "two of the two left must go"
