"""Sign-ins under way, on one server and on a cluster: each step happens whole, once, and only in its order."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.crypto import Keyring
from bot.errors import StoreAway
from bot.model import Chat
from bot.store.signins import TRIES, SignInStore
from tests.store.servers import Deployment

HERE = Chat("whatsapp", "96550001234")
THERE = Chat("telegram", "812000999")
REF = "7F3C-9A1D"
TOKEN, STATE, BROWSER, CODE = "token-of-the-link", "state-of-the-way", "cookie-of-the-browser", "402917"
RECORD, SECRETS, RESULT = b"the record", b"nonce and verifier", b"285011500029"
LIFE = 300


@pytest.fixture
def store(redis: Any) -> SignInStore:
    return SignInStore(redis, Keyring.parse(Keyring.generate()))


async def begun(store: SignInStore, ref: str = REF, key: str = "1:0", record: bytes = RECORD) -> bytes | None:
    return await store.begin(ref, key=key, chat=HERE, token=TOKEN, record=record, life=LIFE)


async def started(store: SignInStore, state: str = STATE, browser: str = BROWSER) -> bool:
    return await store.start(REF, TOKEN, state=state, browser=browser, secrets=SECRETS)


async def settled(store: SignInStore, state: str = STATE, code: str = CODE) -> bool:
    return await store.settle(REF, state=state, code=code, result=RESULT)


async def returned(store: SignInStore) -> None:
    """All the way to the code on the page."""
    await begun(store)
    assert await started(store)
    assert await store.take(REF, state=STATE, browser=BROWSER) == (RECORD, SECRETS)
    assert await settled(store)


async def confirm(store: SignInStore, code: str = CODE, *, key: str, chat: Chat = HERE) -> tuple[str, bytes]:
    return await store.confirm(REF, chat=chat, key=key, code=code)


async def test_a_sign_in_from_the_link_to_the_code(store: SignInStore) -> None:
    assert await begun(store) == RECORD
    assert await store.open(REF, TOKEN) == (RECORD, False)
    assert await started(store)
    assert await store.take(REF, state=STATE, browser=BROWSER) == (RECORD, SECRETS)
    assert await settled(store)
    assert await store.open(REF, TOKEN) == (RECORD, True)
    assert await store.result(REF, BROWSER) == (RECORD, RESULT)
    assert await confirm(store, key="2:0") == ("right", RESULT)


async def test_what_was_asked_for_twice_is_begun_once(store: SignInStore) -> None:
    assert await begun(store, record=b"first") == b"first"
    assert await begun(store, record=b"second") == b"first"
    assert await begun(store, key="another effect", record=b"third") is None


async def test_nothing_lies_open_and_nothing_is_kept_longer(store: SignInStore, servers: Deployment) -> None:
    await returned(store)
    await confirm(store, "000000", key="2:0")
    secrets = [TOKEN, STATE, BROWSER, CODE, "000000", HERE.id, REF]
    secrets += [each.decode() for each in (RECORD, SECRETS, RESULT)]
    (found,) = await servers.keys()
    node, key = found
    fields = await node.hgetall(key)
    for name, value in [(key, b""), *fields.items()]:
        assert not any(secret.encode() in name + value for secret in secrets)
    assert 0 < await node.ttl(key) <= LIFE
    await node.delete(key)
    assert not await started(store)
    assert not await settled(store)
    assert (await confirm(store, key="3:0"))[0] == "spent"
    assert await servers.keys() == []


async def test_only_the_token_opens_and_starts(store: SignInStore) -> None:
    await begun(store)
    assert await store.open(REF, "another token") is None
    assert not await store.start(REF, "another token", state=STATE, browser=BROWSER, secrets=SECRETS)
    assert await store.open("0000-0000", TOKEN) is None
    assert await store.take(REF, state=STATE, browser=BROWSER) is None


async def test_a_state_is_taken_once_and_by_its_browser_alone(store: SignInStore) -> None:
    await begun(store)
    await started(store)
    assert await store.take(REF, state="another", browser=BROWSER) is None
    assert await store.take(REF, state=STATE, browser="another") is None
    took = await asyncio.gather(*(store.take(REF, state=STATE, browser=BROWSER) for _ in range(10)))
    assert sorted(took, key=lambda each: each is None)[:2] == [(RECORD, SECRETS), None]
    assert not await settled(store, state="another")


async def test_a_new_start_forgets_the_earlier_one(store: SignInStore) -> None:
    await begun(store)
    await started(store)
    assert await store.take(REF, state=STATE, browser=BROWSER) is not None
    assert await started(store, state="second", browser="second browser")
    assert not await settled(store)  # the first one's answer comes too late
    assert await store.take(REF, state=STATE, browser=BROWSER) is None
    assert await store.take(REF, state="second", browser="second browser") is not None
    assert await settled(store, state="second")


async def test_after_the_code_nothing_is_started_or_settled_again(store: SignInStore) -> None:
    await returned(store)
    assert not await started(store, state="second")
    assert not await settled(store, code="111111")
    assert (await confirm(store, "111111", key="2:0"))[0] == "wrong"
    assert await store.result(REF, "another browser") is None


async def test_two_right_codes_at_once_are_one(store: SignInStore) -> None:
    await returned(store)
    said = await asyncio.gather(*(confirm(store, key=f"{number}:0") for number in range(10)))
    assert sorted(word for word, _ in said) == ["right"] + ["spent"] * 9
    assert await store.result(REF, BROWSER) is None
    assert await store.open(REF, TOKEN) is None


async def test_an_effect_that_runs_again_hears_the_same(store: SignInStore) -> None:
    await returned(store)
    for _ in range(TRIES + 1):
        assert await confirm(store, "000000", key="2:0") == ("wrong", b"")
    for _ in range(2):
        assert await confirm(store, key="3:0") == ("right", RESULT)
    assert await confirm(store, key="4:0") == ("spent", b"")


async def test_three_wrong_codes_end_it(store: SignInStore) -> None:
    await returned(store)
    said = [(await confirm(store, "000000", key=f"{number}:0"))[0] for number in range(TRIES)]
    assert said == ["wrong", "wrong", "spent"]
    assert await confirm(store, key="9:0") == ("spent", b"")
    assert await store.result(REF, BROWSER) is None
    assert not await started(store)


async def test_many_guesses_at_once_are_counted(store: SignInStore) -> None:
    await returned(store)
    said = await asyncio.gather(*(confirm(store, f"{number:06d}", key=f"{number}:0") for number in range(20)))
    assert sorted(word for word, _ in said) == ["spent"] * (20 - TRIES + 1) + ["wrong"] * (TRIES - 1)


async def test_another_chat_neither_confirms_nor_counts(store: SignInStore) -> None:
    await returned(store)
    for number in range(TRIES + 2):
        assert await confirm(store, key=f"{number}:0", chat=THERE) == ("spent", b"")
    assert (await confirm(store, key="2:0"))[0] == "right"


async def test_before_anybody_signed_in_no_code_is_right(store: SignInStore) -> None:
    await begun(store)
    assert (await confirm(store, key="2:0"))[0] == "spent"
    await started(store)
    assert (await confirm(store, key="3:0"))[0] == "spent"
    assert await store.take(REF, state=STATE, browser=BROWSER) is not None


async def test_what_no_key_opens_any_more_is_over(redis: Any) -> None:
    text = Keyring.generate()
    index = text.partition(":")[0]
    await begun(SignInStore(redis, Keyring.parse(text)))
    rotated = Keyring.parse(f"{index}:{Keyring.generate().partition(':')[2]}")
    assert await SignInStore(redis, rotated).open(REF, TOKEN) is None


async def test_a_store_that_is_away_says_so() -> None:
    redis = Redis(unix_socket_path="/nonexistent/v.sock", retry=Retry(NoBackoff(), 0))
    store = SignInStore(redis, Keyring.parse(Keyring.generate()))
    for step in (begun(store), store.open(REF, TOKEN), started(store), settled(store)):
        with pytest.raises(StoreAway):
            await step
    with pytest.raises(StoreAway):
        await confirm(store, key="2:0")
    await redis.aclose()
