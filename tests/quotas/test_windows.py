"""The windows: every one alone, all at once, over time, on one server and a cluster."""

import asyncio
from collections import Counter

import pytest
from redis.asyncio import Redis

from bot.crypto import Keyring
from bot.dialogs.verify import Held, Why
from bot.dialogs.violations import FindFines, Owed
from bot.domain import Subject
from bot.errors import StoreAway
from bot.model import Chat
from bot.ports import Failed
from bot.services.quotas import HOUR, LIMITS
from bot.store.connect import connect
from bot.store.quotas import Quotas
from tests.quotas.desk import ACTOR, HERE, HOME, THERE, Desk, News, Records, asked, civil_id, joined
from tests.sandbox.kit import NOON, FakeClock
from tests.store.servers import Deployment

FREE = LIMITS[Why.CHAT].free
MOST = LIMITS[Why.CHAT].most
TERMS = (HOUR, 10, 20)


async def test_of_hundreds_at_once_no_more_get_through_than_the_limit_says(
    desk: Desk, servers: Deployment
) -> None:
    others = [await connect(servers.url) for _ in range(3)]
    stores = [desk.quotas, *(Quotas(other, desk.keyring) for other in others)]
    try:
        for passed, through in ((False, 10), (True, 20)):
            said = await asyncio.gather(
                *(
                    stores[number % 4].other(
                        f"crowd {passed}", f"look-up {number}", TERMS, NOON, passed=passed
                    )
                    for number in range(400)
                )
            )
            assert Counter(each.verdict == 0 for each in said) == {True: through, False: 400 - through}
        said = await asyncio.gather(
            *(stores[number % 4].chat(HERE, f"look-up {number}", TERMS, NOON, "") for number in range(400))
        )
        assert sum(each.verdict == 0 for each in said) == 10
    finally:
        for other in others:
            await other.aclose()


async def test_whole_look_ups_at_once_do_not_exceed_either(desk: Desk, servers: Deployment) -> None:
    others = [await connect(servers.url) for _ in range(4)]
    records, news = Records(), News()
    processes = [joined(other, desk.keyring, desk.clock, "http://x", news, records)[2] for other in others]
    try:
        found = await asyncio.gather(
            *(
                processes[number % 4][FindFines](FindFines(Subject.CIVIL_ID, civil_id(number)), asked())
                for number in range(300)
            )
        )
    finally:
        for other in others:
            await other.aclose()
    assert sum(isinstance(each, Owed) for each in found) == len(records.fines) == FREE
    held = [each for each in found if isinstance(each, Held)]
    assert len({each.url for each in held}) == 1, "one verification for all of them"


async def test_a_chats_window(desk: Desk) -> None:
    count, held = await desk.until_held()
    assert count == FREE
    assert (held.pause, held.why, held.limit, held.until) == (False, Why.CHAT, FREE, NOON + HOUR)
    assert isinstance(await desk.fines(civil_id(0)), Owed), "the same number again learns nothing"
    assert isinstance(await desk.fines(civil_id(999), asked(THERE)), Owed), "another chat has its own"


async def test_the_window_slides(desk: Desk) -> None:
    for number in range(FREE):
        desk.clock.at = NOON + number * 60
        assert isinstance(await desk.fines(civil_id(number)), Owed)
    held = await desk.fines(civil_id(99))
    assert isinstance(held, Held)
    assert held.until == NOON + HOUR, "when the oldest leaves"
    desk.clock.at = held.until - 1
    assert isinstance(await desk.fines(civil_id(99)), Held)
    desk.clock.at = held.until
    assert isinstance(await desk.fines(civil_id(99)), Owed)
    again = await desk.fines(civil_id(100))
    assert isinstance(again, Held)
    assert again.until == NOON + HOUR + 60, "one left, one came: the next is the second oldest"


async def test_a_clock_that_runs_backwards_gives_nothing_away(desk: Desk) -> None:
    await desk.holds()
    desk.clock.at = NOON - 3 * HOUR
    assert isinstance(await desk.fines(civil_id(99)), Held)


async def test_a_numbers_window(desk: Desk) -> None:
    limit = LIMITS[Why.NUMBER]
    for number in range(limit.free):
        assert isinstance(await desk.fines(civil_id(0), asked(Chat("telegram", str(number)))), Owed)
    held = await desk.fines(civil_id(0), asked(THERE))
    assert isinstance(held, Held)
    assert (held.pause, held.why, held.limit) == (False, Why.NUMBER, limit.free)
    assert isinstance(await desk.fines(civil_id(0), asked(Chat("telegram", "0"))), Owed), "has asked before"
    assert isinstance(await desk.fines(civil_id(1), asked(THERE)), Owed), "another number has its own"


async def test_a_number_ends_in_a_pause_even_for_those_who_passed(desk: Desk) -> None:
    limit = LIMITS[Why.NUMBER]
    for number in range(limit.most):
        by = asked(Chat("telegram", str(number)))
        held = await desk.fines(civil_id(0), by)
        if isinstance(held, Held):
            assert not held.pause
            await desk.type(held.url, desk.digits(held.url))
            assert isinstance(await desk.fines(civil_id(0), by), Owed)
    held = await desk.fines(civil_id(0), asked(THERE))
    assert isinstance(held, Held)
    assert (held.pause, held.why, held.limit, held.until) == (True, Why.NUMBER, limit.most, NOON + HOUR)


async def test_passports_tried_for_one_civil_id(desk: Desk) -> None:
    limit = LIMITS[Why.TRIES]
    for number in range(limit.free):
        await desk.reference(ACTOR, f"A{number}", asked(Chat("telegram", str(number))))
    held = await desk.reference(ACTOR, "A99", asked(THERE))
    assert isinstance(held, Held)
    assert (held.pause, held.why, held.limit) == (False, Why.TRIES, limit.free)
    await desk.type(held.url, desk.digits(held.url))
    for number in range(limit.most - limit.free):
        assert not isinstance(await desk.reference(ACTOR, f"B{number}", asked(THERE)), Held)
    held = await desk.reference(ACTOR, "A99", asked(THERE))
    assert isinstance(held, Held)
    assert (held.pause, held.why, held.limit) == (True, Why.TRIES, limit.most)
    assert isinstance(await desk.reference(ACTOR, "A99", asked(THERE, actor=civil_id(7))), Held), (
        "signed in neither"
    )
    assert len(desk.records.references) == limit.most


async def test_an_addresss_window(desk: Desk) -> None:
    limit = LIMITS[Why.ADDRESS]
    for number in range(limit.free):
        by = asked(Chat("web", str(number // 5)), origin=HOME)
        assert isinstance(await desk.fines(civil_id(number), by), Owed)
    held = await desk.fines(civil_id(500), asked(origin=HOME))
    assert isinstance(held, Held)
    assert (held.pause, held.why, held.limit) == (False, Why.ADDRESS, limit.free)
    assert isinstance(await desk.fines(civil_id(500), asked(THERE, origin="elsewhere")), Owed)


async def test_where_a_chat_was_last_counts_when_an_event_does_not_say(desk: Desk) -> None:
    limit = LIMITS[Why.ADDRESS]
    for number in range(limit.free):
        by = asked(Chat("web", str(number // 5)), origin=HOME)
        assert isinstance(await desk.fines(civil_id(number), by), Owed)
    by = asked(Chat("web", "0"))  # a timer, a page's news
    held = await desk.fines(civil_id(500), by)
    assert isinstance(held, Held)
    assert held.why == Why.ADDRESS


async def test_who_is_refused_uses_up_nobody_elses_allowance(desk: Desk) -> None:
    await desk.holds()
    for number in range(100):
        assert isinstance(await desk.fines(civil_id(1000 + number % 3)), Held)
    for number in range(LIMITS[Why.NUMBER].free):
        assert isinstance(await desk.fines(civil_id(1000), asked(Chat("telegram", str(number)))), Owed)


# --- signed in -----------------------------------------------------------------------------------


async def test_ones_own_number_costs_nothing(desk: Desk, servers: Deployment) -> None:
    mine = asked(actor=ACTOR, origin=HOME)
    for _ in range(MOST * 3):
        assert await desk.fines(ACTOR, mine) == Owed(())
        assert await desk.fines("", mine) == Owed((), "2900****1017")
        assert not isinstance(await desk.reference(ACTOR, "A1", mine), Held)
    assert set(desk.records.fines) == {ACTOR}
    assert await servers.keys() == [], "not even counted"


async def test_others_cost_half_and_follow_the_person(desk: Desk) -> None:
    count, held = await desk.until_held(asked(actor=ACTOR, origin=HOME))
    assert count == 2 * MOST == LIMITS[Why.PERSON].most
    assert (held.pause, held.why, held.limit) == (True, Why.PERSON, 2 * MOST)
    elsewhere = await desk.fines(civil_id(999), asked(THERE, actor=ACTOR))
    assert isinstance(elsewhere, Held), "in another chat, too"
    assert (await desk.until_held())[0] == FREE, "the chat's own allowance is untouched"
    assert isinstance(await desk.fines("", asked(actor=ACTOR)), Owed), "one's own, always"


async def test_signing_in_lifts_a_pause(desk: Desk) -> None:
    await desk.holds()
    assert isinstance(await desk.fines(civil_id(999), asked(actor=ACTOR)), Owed)


async def test_nobody_is_nobody(desk: Desk) -> None:
    with pytest.raises(Failed, match="nobody"):
        await desk.fines("")
    assert desk.records.fines == []


# --- what is kept --------------------------------------------------------------------------------


async def test_nothing_personal_is_kept_in_clear_and_all_of_it_ends(desk: Desk, servers: Deployment) -> None:
    held = await desk.holds(asked(origin=HOME))
    await desk.browser.get(held.url)
    await desk.browser.get(f"{held.url}/1.png")
    await desk.reference(ACTOR, "A1234567", asked(THERE))
    secrets = [
        HERE.id,
        THERE.id,
        ACTOR,
        "A1234567",
        civil_id(3),
        held.url.rsplit("/", 1)[1],
        desk.digits(held.url),
    ]
    found = await servers.keys()
    assert {bytes(key)[:2] for _, key in found} == {b"u:", b"v:", b"c:"}
    for node, key in found:
        assert 0 < await node.ttl(key) <= HOUR
        dump = key + await node.dump(key)
        kind = await node.type(key)
        if kind == b"hash":
            dump += b" ".join(part for pair in (await node.hgetall(key)).items() for part in pair)
        elif kind == b"zset":
            dump += b" ".join(await node.zrange(key, 0, -1))
        for secret in secrets:
            assert secret.encode() not in dump


async def test_a_window_holds_no_more_than_its_limit(desk: Desk, servers: Deployment) -> None:
    for number in range(2 * MOST):
        await desk.fines(civil_id(number))
    for node, key in await servers.keys():
        if await node.type(key) == b"zset":
            assert await node.zcard(key) <= FREE


async def test_without_redis_nothing_is_looked_up(servers: Deployment) -> None:
    del servers
    gone = Redis(unix_socket_path="/nowhere/at-all.sock")
    records = Records()
    keyring = Keyring.parse(Keyring.generate())
    _, _, executors = joined(gone, keyring, FakeClock(), "http://x", News(), records)
    for actor in ("", civil_id(1)):
        with pytest.raises(StoreAway):
            await executors[FindFines](FindFines(Subject.CIVIL_ID, ACTOR), asked(actor=actor))
    assert records.fines == []
    await gone.aclose()
