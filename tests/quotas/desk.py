"""Look-ups metered as in the service: a registry that counts, real windows, real verifications, their page."""

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from starlette.applications import Starlette

from bot.crypto import Keyring
from bot.dialogs.find_reference import FindReference, Reference
from bot.dialogs.verify import Held
from bot.dialogs.violations import FindFines, Owed
from bot.domain import Subject
from bot.errors import StoreAway
from bot.handlers.verify import verify_routes
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.model import Chat, Woken
from bot.ports import Asked, Effect, Executor
from bot.services.quotas import Meter, metered
from bot.services.verification import Pictures, Verification
from bot.store.quotas import Quotas
from bot.store.verifications import Verifications
from tests.payments.world import serving
from tests.sandbox.kit import NOON, FakeClock

HERE = Chat("web", "a-secret-cookie-token")
THERE = Chat("telegram", "812000999")
ACTOR = "290063001017"
HOME = "origin-of-home"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def civil_id(number: int) -> str:
    """Any twelve digits: what is a civil ID was decided before."""
    return f"2850115{number:05d}"


def asked(chat: Chat = HERE, *, actor: str = "", origin: str = "", key: str = "k:1:0") -> Asked:
    return Asked(key, chat, "ar", actor, origin)


@dataclass
class Records:
    """Stands for the registry; keeps what it was asked."""

    fines: list[str] = field(default_factory=list[str])
    references: list[str] = field(default_factory=list[str])

    async def find_fines(self, effect: FindFines, _asked: Asked) -> Owed:
        self.fines.append(effect.number)
        return Owed(())

    async def find_reference(self, effect: FindReference, _asked: Asked) -> Reference:
        self.references.append(effect.passport)
        return Reference("12345678")


@dataclass
class News:
    """Where chats are told."""

    away: bool = False
    heard: list[Woken] = field(default_factory=list[Woken])

    async def wake(self, woken: Woken) -> None:
        if self.away:
            raise StoreAway("no answer")
        self.heard.append(woken)


@dataclass
class Desk:
    """Everything joined."""

    records: Records
    news: News
    clock: FakeClock
    keyring: Keyring
    quotas: Quotas
    verification: Verification
    executors: dict[type[Effect], Executor]
    browser: httpx.AsyncClient

    async def fines(self, number: str, by: Asked | None = None) -> Owed | Held:
        found: Owed | Held = await self.executors[FindFines](
            FindFines(Subject.CIVIL_ID, number), by or asked()
        )
        return found

    async def reference(self, number: str, passport: str, by: Asked | None = None) -> Reference | Held:
        effect = FindReference(number, passport, "2027-03-12")
        found: Reference | Held = await self.executors[FindReference](effect, by or asked())
        return found

    async def until_held(self, by: Asked | None = None, start: int = 0) -> tuple[int, Held]:
        """Look numbers up until one is held; how many went through."""
        for number in range(500):
            found = await self.fines(civil_id(start + number), by)
            if isinstance(found, Held):
                return number, found
        raise AssertionError("no limit")

    async def holds(self, by: Asked | None = None) -> Held:
        return (await self.until_held(by))[1]

    async def type(
        self, url: str, digits: str, number: int = 1, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send the page's form."""
        return await self.browser.post(
            url, data={"number": str(number), "digits": digits}, headers={**FORM, **(headers or {})}
        )

    def digits(self, url: str, number: int = 1) -> str:
        """What the picture shows."""
        return self.verification.digits(url.rsplit("/", 1)[1], number)


class Seen(HTMLParser):
    """What a page holds that could run, load or lead away."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.pictures: list[str] = []
        self.links: list[str] = []
        self.forms: list[str] = []
        self.inline: list[str] = []
        self.numbers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in {"script", "style", "iframe"} or "style" in values:
            self.inline.append(tag)
        self.inline += [name for name in values if name.startswith("on")]
        match tag:
            case "img":
                assert values["alt"]
                self.pictures.append(values["src"])
            case "a":
                self.links.append(values["href"])
            case "form":
                self.forms.append(values["action"])
            case "input" if values.get("name") == "number":
                self.numbers.append(values["value"])
            case _:
                pass


def joined(
    redis: Redis | RedisCluster,
    keyring: Keyring,
    clock: FakeClock,
    base_url: str,
    news: News,
    records: Records,
) -> tuple[Quotas, Verification, dict[type[Effect], Executor]]:
    """The parts of one process."""
    verification = Verification(
        Verifications(redis, keyring), keyring, clock, base_url, news.wake, Pictures().draw
    )
    quotas = Quotas(redis, keyring)
    meter = Meter(quotas, verification, keyring, clock)
    inner: dict[type[Effect], Any] = {
        FindFines: records.find_fines,
        FindReference: records.find_reference,
    }
    return quotas, verification, metered(inner, meter)


@asynccontextmanager
async def open_desk(redis: Redis | RedisCluster) -> AsyncGenerator[Desk, None]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        clock, news, records = FakeClock(NOON), News(), Records()
        keyring = Keyring.parse(Keyring.generate())
        quotas, verification, executors = joined(redis, keyring, clock, url, news, records)
        renderer = Renderer(Catalog())
        routes = verify_routes(
            verification, render=renderer.render, back_url=lambda chat: f"/chat/{chat.channel}"
        )
        async with serving(Starlette(routes=routes), listening), httpx.AsyncClient(timeout=30) as browser:
            yield Desk(records, news, clock, keyring, quotas, verification, executors, browser)
