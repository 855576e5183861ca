"""Rotation while the service works: two processes, real servers, a crash in the middle."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import LargeBinary, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.config import Settings
from bot.crypto import Keyring, key_of
from bot.errors import Conflict
from bot.model import Chat, Frame, Session
from bot.secret_keys import load_keyring, rotate
from bot.services.ledger import Ledger
from bot.services.ledger import tables as t
from bot.services.ledger.resealing import BATCH, SEALED, Sealing, reseal
from bot.store.privacy import ChatMemory
from bot.store.sessions import Sessions
from bot.store.weblog import WebLog
from bot.tasks import Tasks
from tests.ledger.test_ledger_schema import ORDER
from tests.payments.world import FakeClock
from tests.store.servers import Deployment

CIVIL_ID = "285011500029"
ROOT = Path(__file__).parents[2]


def at(folder: Path) -> Settings:
    return Settings(_env_file=None, data_dir=folder, secret_keys=SecretStr(""))


async def turn(store: Sessions, chat: Chat) -> bool:
    """One turn; false where another process was first."""
    loaded = (await store.load(chat)).session
    assert not loaded.frames or loaded.frames[0].dialog == "home", "no session was lost"
    answers = {"number": CIVIL_ID}
    session = Session(rev=loaded.rev + 1, frames=(Frame("home", 1, "menu", answers=answers),))
    try:
        await store.commit(chat, loaded.rev, session, [b"said"], [b"job"])
    except Conflict:
        return False
    return True


async def test_two_processes_keep_talking_while_keys_rotate(
    redis: Redis, servers: Deployment, tmp_path: Path
) -> None:
    rings = [load_keyring(at(tmp_path)) for _ in range(2)]
    stores = [Sessions(redis, ring, f"process-{n}") for n, ring in enumerate(rings)]
    chats = [Chat("test", str(n)) for n in range(8)]
    for _ in range(4):
        await asyncio.gather(*(turn(store, chat) for store in stores for chat in chats))
        rotate(at(tmp_path))
        rings[0].refresh()  # one notices by itself, the other when it meets what that one sealed
        done = await asyncio.gather(*(turn(store, chat) for store in stores for chat in chats))
        assert any(done)
    assert await servers.find("q:") == [], "nothing had to be put aside"
    for chat in chats:
        assert (await stores[1].load(chat)).session.frames[0].answers == {"number": CIVIL_ID}
    assert len(await stores[0].abandoned(0)) == len(await stores[1].abandoned(0)) > 0


async def test_redis_comes_under_the_newest_key_as_it_is_touched(redis: Redis, tmp_path: Path) -> None:
    ring, clock, tasks = load_keyring(at(tmp_path)), FakeClock(), Tasks()
    store = Sessions(redis, ring, "one")
    log = WebLog(redis, ring, store.place, tasks, clock)
    memory = ChatMemory(redis, store, log, clock, ring)
    here, there = Chat("web", "1"), Chat("web", "2")
    for chat in (here, there):
        session = Session(rev=1, frames=(Frame("home", 1, "menu"),))
        await store.commit(chat, 0, session, [])
        await log.append(chat, b"{}", key="1:0")
    old = ring.newest
    assert await memory.sealed() == {old: 4}, "the session of two chats, an entry each"
    rotate(at(tmp_path))
    assert ring.refresh()
    assert await memory.sealed() == {ring.newest: 0, old: 4}
    assert await turn(store, here)
    assert await memory.sealed() == {ring.newest: 3, old: 3}, "with what it said and does"
    await log.close()
    await tasks.close()


# --- the ledger ----------------------------------------------------------------------------------


async def fill(engine: AsyncEngine, ring: Keyring, many: int) -> None:
    """Rows of every sealed column."""
    async with engine.begin() as connection:
        for number in range(many):
            ref = f"IQ-{number:04d}-0000"
            sealed = ring.seal(b"chat", f"order:{ref}".encode())
            values = ORDER | {"ref": ref, "key": f"k{number}", "chat": sealed}
            await connection.execute(insert(t.orders).values(values))
        event: dict[str, Any] = {"provider": "tap", "event": "e1", "result": "CAPTURED", "track": "A1"}
        event |= {"fils": 1, "at": 1, "repeats": 0, "altered": False}
        payload = ring.seal(b"body", b"event:tap:e1")
        await connection.execute(insert(t.gateway_events).values(event | {"payload": payload}))
        await connection.execute(insert(t.gateway_events).values(event | {"event": "e2", "payload": b""}))
        consent = {"id": 1, "chat_blind": "x", "what": "remember_number", "version": 1, "at": 1}
        await connection.execute(insert(t.consents).values(consent | {"withdrawn": False}))
        row = {"chat_blind": "x", "consent_id": 1, "at": 1, "expires": 2}
        value = ring.seal(b"number", b"remembered:x")
        await connection.execute(insert(t.remembered).values(row | {"value": value}))
        await connection.execute(insert(t.reminders).values(_reminder(ring)))


def _reminder(ring: Keyring) -> dict[str, Any]:
    row: dict[str, Any] = {"chat_blind": "x", "owner_blind": "y", "consent_id": 1, "permit": "P-1", "at": 1}
    row |= {"subject": "2850****0029", "kin": "wife", "kind": "passport", "last_day": "2027-01-08"}
    return row | {"chat": ring.seal(b"chat", b"reminder:x:P-1:passport"), "due": None}


async def counted(ledger: Ledger) -> dict[str, dict[bytes, int]]:
    async with ledger.read() as read:
        return {sealed.name: await Sealing.of(read).count(sealed) for sealed in SEALED}


async def test_the_ledger_is_sealed_anew_by_two_processes_at_once(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    ring, other, ledger = load_keyring(at(tmp_path)), load_keyring(at(tmp_path)), Ledger(engine)
    many = 2 * BATCH + 7
    await fill(engine, ring, many)
    old = ring.newest
    assert await reseal(ledger, ring) == 0, "nothing to do yet"
    rotate(at(tmp_path))
    assert ring.refresh()
    assert other.refresh()
    done = await asyncio.gather(reseal(ledger, ring), reseal(ledger, other))
    assert sum(done) == many + 3, "each row once"
    newest = {ring.newest: many}
    found = await counted(ledger)
    assert found["orders.chat"] == newest
    for column in ("remembered.value", "gateway_events.payload", "reminders.chat"):
        assert found[column] == {ring.newest: 1}
    assert old not in found["orders.chat"]
    async with ledger.read() as read:
        order = await read.order("IQ-0000-0000")
        assert order is not None
        assert ring.open(order.chat, b"order:IQ-0000-0000") == b"chat"
        assert key_of(order.chat) == ring.newest


async def test_a_row_whose_key_is_gone_is_left_and_shown(engine: AsyncEngine, tmp_path: Path) -> None:
    lost, ring, ledger = Keyring.parse(Keyring.generate()), load_keyring(at(tmp_path)), Ledger(engine)
    await fill(engine, lost, 3)
    assert await reseal(ledger, ring) == 0
    assert (await counted(ledger))["orders.chat"] == {lost.newest: 3}


async def test_a_row_that_changed_meanwhile_is_left_alone(engine: AsyncEngine, tmp_path: Path) -> None:
    ring, ledger = load_keyring(at(tmp_path)), Ledger(engine)
    await fill(engine, ring, 1)
    rotate(at(tmp_path))
    ring.refresh()
    async with ledger.read() as read:
        [row] = await Sealing.of(read).older(SEALED[0], ring.newest, None)
    async with engine.begin() as connection:
        await connection.execute(t.orders.update().values(chat=b""))  # forgotten meanwhile
    async with ledger.write() as work:
        assert not await Sealing.of(work).replace(SEALED[0], row, b"sealed anew")
    async with ledger.read() as read:
        order = await read.order("IQ-0000-0000")
    assert order is not None
    assert order.chat == b""


DIES = """
import asyncio, os, sys
from pathlib import Path
from pydantic import SecretStr
from bot.config import Settings
from bot.crypto import Keyring
from bot.secret_keys import load_keyring
from bot.services.ledger import Ledger, open_engine
from bot.services.ledger.resealing import reseal
sealed = 0
seal = Keyring.seal
def until_killed(self, data, bound):
    global sealed
    sealed += 1
    if sealed > 150:
        os.kill(os.getpid(), 9)
    return seal(self, data, bound)
Keyring.seal = until_killed
ring = load_keyring(Settings(_env_file=None, data_dir=Path(sys.argv[1]), secret_keys=SecretStr("")))
asyncio.run(reseal(Ledger(open_engine(sys.argv[2])), ring))
"""


async def test_a_process_that_dies_leaves_whole_rows(
    engine: AsyncEngine, database_url: str, tmp_path: Path
) -> None:
    ring, ledger = load_keyring(at(tmp_path)), Ledger(engine)
    await fill(engine, ring, 2 * BATCH)
    old = ring.newest
    rotate(at(tmp_path))
    died = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", DIES, str(tmp_path), database_url],
        check=False,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )
    assert died.returncode == -9
    ring.refresh()
    halfway = (await counted(ledger))["orders.chat"]
    assert halfway == {ring.newest: BATCH, old: BATCH}, "one batch is done, of the other nothing"
    assert await reseal(ledger, ring) == BATCH + 3
    assert (await counted(ledger))["orders.chat"] == {ring.newest: 2 * BATCH}


def test_every_binary_column_is_sealed_anew() -> None:
    binary = {
        f"{table.name}.{column.name}"
        for table in t.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert binary == {each.name for each in SEALED}
