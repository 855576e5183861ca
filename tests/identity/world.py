"""A service that signs residents in, and the provider it sends them to: real servers, real Redis, a clock that obeys."""

import re
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.crypto import Keyring
from bot.dialogs.identify import BeginSignIn, ConfirmSignIn, SignInLink
from bot.errors import StoreAway
from bot.handlers.signin import signin_routes
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer, bare
from bot.model import Chat, Woken
from bot.ports import Asked, Clock, Failed
from bot.sandbox.identity import Client, IdentityProvider
from bot.services.identity import BACK, Provider, ProviderTerms, SignIns
from bot.store.quotas import Quotas
from bot.store.signins import SignInStore
from tests.payments.world import FakeClock, serving

RENDERER = Renderer(Catalog())
CIVIL_ID = "285011500029"
OTHER_ID = "290063001017"
HERE = Chat("web", "chat-of-a-resident")
THERE = Chat("telegram", "812000999")
FORM = {"go": "1"}

_CODE = re.compile(r'class="digits"><bdi dir="ltr">(\d{3}) (\d{3})<')
_TAGS = re.compile(r"<[^>]+>")


class Weather:
    """Before the provider. ``answers`` replaces what a path says; ``asked`` lists what passed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.answers: dict[str, Response] = {}
        self.changes: dict[str, Any] = {}
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        name = path.rsplit("/", 1)[-1]
        self.asked.append(name)
        if name in self.answers:
            await self.answers[name](scope, receive, send)
            return
        if name == "openid-configuration" and self.changes:
            base = str(Request(scope).url).partition("/.well-known")[0]
            document = {
                "issuer": base,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/jwks",
                **self.changes,
            }
            await JSONResponse(document)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def times(self, name: str) -> int:
        return self.asked.count(name)


@dataclass
class World:
    """Everything, and what a resident does with it. ``clock`` is a `FakeClock` but for a foreign provider."""

    url: str
    issuer: str
    clock: Any
    keyring: Keyring
    redis: Any
    sign_ins: SignIns
    provider: Provider
    sandbox: IdentityProvider
    weather: Weather
    browser: httpx.AsyncClient
    woken: list[Woken] = field(default_factory=list)
    wakes_away: bool = False
    _keys: int = 0

    async def wake(self, event: Woken) -> None:
        if self.wakes_away:
            raise StoreAway("test")
        self.woken.append(event)

    def asked(self, chat: Chat = HERE, key: str = "", language: str = "en", actor: str = "") -> Asked:
        self._keys += 1
        return Asked(key or f"{chat.id}:{self._keys}", chat, language, actor)

    async def link(
        self, chat: Chat = HERE, *, key: str = "", language: str = "en", actor: str = ""
    ) -> SignInLink:
        """The chat asks."""
        found = await self.sign_ins.begin(BeginSignIn(), self.asked(chat, key, language, actor))
        assert isinstance(found, SignInLink), found
        return found

    def stranger(self) -> httpx.AsyncClient:
        """Another browser; to be closed."""
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=20)

    async def press(self, link: SignInLink, browser: httpx.AsyncClient | None = None) -> str:
        """Our page's button; the provider's address."""
        answer = await (browser or self.browser).post(link.url, data=FORM)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def vouch(self, page: str, civil_id: str = CIVIL_ID, knob: str = "") -> str:
        """The provider's page; the way back."""
        answer = await self.browser.post(page, data={"civil_id": civil_id, "knob": knob})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def way_back(self, link: SignInLink, civil_id: str = CIVIL_ID, knob: str = "") -> str:
        return await self.vouch(await self.press(link), civil_id, knob)

    async def come_back(self, way: str, browser: httpx.AsyncClient | None = None) -> httpx.Response:
        return await (browser or self.browser).get(way, follow_redirects=True)

    async def code(self, link: SignInLink, civil_id: str = CIVIL_ID) -> str:
        """All the way to the code on the page."""
        return code_on(await self.come_back(await self.way_back(link, civil_id)))

    async def confirm(self, link: SignInLink, code: str, chat: Chat = HERE, key: str = "") -> str:
        """Who is signed in after the chat gives ``code``, or the word of the refusal."""
        try:
            confirmed = await self.sign_ins.confirm(ConfirmSignIn(link.ref, code), self.asked(chat, key))
        except Failed as refusal:
            return refusal.word
        return confirmed.civil_id

    async def kept(self) -> dict[bytes, Any]:
        """All that Redis holds of sign-ins."""
        return {key: await self.redis.hgetall(key) for key in await self.redis.keys("i:*")}


@asynccontextmanager
async def build(
    redis: Any,
    *,
    patience: float = 5.0,
    issuer: str = "",
    claim: str = "civil_id",
    scope: str = "openid",
    clock: Clock | None = None,
) -> AsyncGenerator[World, None]:
    """The world; ``issuer`` puts another provider in the sandbox's place, which has the machine's ``clock``."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        clock, keyring = clock or FakeClock(), Keyring.parse(Keyring.generate())
        client = Client("iqamati-test", "a secret: with + signs & spaces", f"{url}{BACK}")
        sandbox = IdentityProvider(clock, client, f"{url}/identity")
        weather = Weather(Starlette(routes=sandbox.routes()))
        named = issuer or f"{url}/identity"
        terms = ProviderTerms(named, client.id, client.secret, claim, scope, client.back, patience)
        provider = Provider(terms, clock)
        world: World

        async def wake(event: Woken) -> None:
            await world.wake(event)

        windows = Quotas(redis, keyring)
        sign_ins = SignIns(SignInStore(redis, keyring), windows, provider, keyring, clock, wake, url)
        routes = signin_routes(
            sign_ins, render=RENDERER.render, back_url=lambda chat: f"/chat/{chat.channel}", secure=False
        )
        async with (
            serving(Starlette(routes=[*routes, Mount("/identity", weather)]), listening),
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as browser,
        ):
            world = World(url, named, clock, keyring, redis, sign_ins, provider, sandbox, weather, browser)
            yield world
        await provider.close()


def text_of(answer: httpx.Response) -> str:
    """A page as it is read."""
    return bare(unescape(_TAGS.sub(" ", answer.text)))


def code_on(answer: httpx.Response) -> str:
    """The code on the page."""
    found = _CODE.search(answer.text)
    assert found is not None, text_of(answer)
    return found[1] + found[2]


def has_code(answer: httpx.Response) -> bool:
    return _CODE.search(answer.text) is not None


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def changed(url: str, **values: str | None) -> str:
    """``url`` with other parameters; None takes one out."""
    query = {name: value for name, value in {**query_of(url), **values}.items() if value is not None}
    return urlsplit(url)._replace(query=urlencode(query)).geturl()
