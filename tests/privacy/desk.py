"""Where personal data is kept in tests: a ledger with orders, a Valkey with sessions, a clock that obeys."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.dialogs.reminders import Remind, Wanted
from bot.dialogs.reminders.consent import CURRENT as REMIND_TERMS
from bot.model import Chat, Frame, Session, Signed
from bot.ports import Asked
from bot.residency.reminding import Kind
from bot.services.ledger import Order
from bot.services.ledger.privacy import Held
from bot.services.orders.parts import chat_blind
from bot.services.privacy import Exports, Privacy, Retention
from bot.services.reminders import Reminders
from bot.store.connect import connect
from bot.store.privacy import ChatMemory
from bot.store.sessions import Sessions
from bot.store.weblog import WebLog
from bot.tasks import Tasks
from tests.payments.world import HERE, World, item
from tests.reminders.keeper import FATHER, WIFE, FakeFiles, wife
from tests.store.servers import Deployment

CIVIL_ID = "285011500029"
OTHER_ID = "290063001017"
DAY = 24 * 3600


@dataclass
class Desk:
    world: World
    valkey: Deployment
    redis: Any
    tasks: Tasks
    store: Sessions
    log: WebLog
    memory: ChatMemory
    exports: Exports
    privacy: Privacy
    retention: Retention

    @classmethod
    async def open(cls, world: World, valkey: Deployment) -> "Desk":
        redis, tasks = await connect(valkey.url), Tasks()
        store = Sessions(redis, world.keyring, "test")
        log = WebLog(redis, world.keyring, store.place, tasks, world.clock)
        memory = ChatMemory(redis, store, log, world.clock, world.keyring)
        exports = Exports(
            ledger=world.ledger,
            memory=memory,
            keyring=world.keyring,
            clock=world.clock,
            base_url=world.url,
        )
        privacy = Privacy(
            ledger=world.ledger,
            memory=memory,
            exports=exports,
            keyring=world.keyring,
            clock=world.clock,
        )
        retention = Retention(world.ledger, world.clock)
        return cls(world, valkey, redis, tasks, store, log, memory, exports, privacy, retention)

    async def close(self) -> None:
        await self.log.close()
        await self.tasks.close()
        await self.redis.aclose()

    def asked(self, chat: Chat = HERE, language: str = "ar") -> Asked:
        return Asked("name:1:0", chat, language)

    def blind(self, chat: Chat = HERE) -> str:
        return chat_blind(self.world.keyring, chat)

    async def sits(self, chat: Chat = HERE) -> Session:
        """The chat is in the middle of something, signed in."""
        now = self.world.clock.now()
        loaded = (await self.store.load(chat)).session
        answers = {"number": CIVIL_ID, "fines": []}
        session = msgspec.structs.replace(
            loaded,
            rev=loaded.rev + 1 if loaded.rev else now,
            chosen=True,
            frames=(Frame("home", 5, "violations"), Frame("violations", 1, "owed", answers=answers)),
            touched=now,
            due=now + 60,
            signed=Signed(CIVIL_ID, now, now + 1800),
        )
        await self.store.commit(chat, loaded.rev, session, [])
        await self.log.append(
            chat,
            json.dumps(
                {"type": "message", "from": "me", "key": "1", "at": now, "spans": [["hi", ""]]}
            ).encode(),
            key="1",
        )
        return session

    async def turn(self, chat: Chat = HERE) -> Session:
        """One more turn of the chat."""
        loaded = (await self.store.load(chat)).session
        session = msgspec.structs.replace(
            loaded, rev=loaded.rev + 1 if loaded.rev else self.world.clock.now()
        )
        await self.store.commit(chat, loaded.rev, session, [])
        return session

    async def paid(self, *fines: str, key: str = "1:0", chat: Chat = HERE) -> str:
        """A paid and recorded order; its reference."""
        link = await self.world.open(*(item(fine) for fine in fines or ("F1",)), key=key, chat=chat)
        await self.world.pay(link)
        await self.sweep()
        assert (await self.order(link.order)).status == "posted"
        return link.order

    async def cancelled(self, fine: str = "F9", key: str = "9:0") -> str:
        """A cancelled order nobody tried to pay; its reference."""
        link = await self.world.open(item(fine), key=key)
        await self.world.cancel(link.order)
        return link.order

    async def reminded(self, *kinds: Kind, chat: Chat = HERE) -> None:
        """The chat is reminded of a wife's dates."""
        world = self.world
        reminders = Reminders(
            ledger=world.ledger,
            files=FakeFiles(files={FATHER: (wife(),)}),
            keyring=world.keyring,
            clock=world.clock,
        )
        asked = Asked("name:1:0", chat, "ar", FATHER)
        await reminders.remember(Remind((Wanted(WIFE, kinds),), REMIND_TERMS.version), asked)

    async def sweep(self) -> None:
        """Everything that is due is done and told."""
        while await self.world.orders.sweep():
            pass

    async def order(self, ref: str) -> Order:
        async with self.world.ledger.read() as read:
            found = await read.order(ref)
        assert found is not None
        return found

    async def reads(self, ref: str) -> tuple[Order, dict[str, list[dict[str, Any]]]]:
        async with self.world.ledger.read() as read:
            order = await read.order(ref)
            assert order is not None
            return order, await Held.of(read).rows_about(order)

    async def file(self, chat: Chat = HERE, language: str = "ar") -> dict[str, Any]:
        """The chat's copy."""
        url, _ = self.exports.link(chat, language)
        found = await self.exports.open(token(url))
        assert found is not None
        read: dict[str, Any] = json.loads(found)
        return read


def token(url: str) -> str:
    """What stands in the address."""
    return url.rpartition("/")[2].removesuffix(".json")


def section(file: dict[str, Any], kind: str) -> list[Any]:
    """The entries of one kind, as plain dictionaries."""
    found = [each["entries"] for each in file["kept"] if each["kind"] == kind]
    return [{field["field"]: field["value"] for field in row} for row in (found[0] if found else [])]
