"""How many sign-in links a chat gets: counted at once, for each chat, whatever becomes of them."""

import asyncio

import pytest
from starlette.responses import Response

from bot.dialogs.identify import BeginSignIn, SignInLink, SignInPause
from bot.errors import StoreAway, Unavailable
from bot.model import Chat
from bot.services.identity.service import LINKS, WINDOW
from tests.identity.world import HERE, THERE, World


async def ask(world: World, chat: Chat = HERE, key: str = "") -> SignInLink | SignInPause:
    return await world.sign_ins.begin(BeginSignIn(), world.asked(chat, key))


async def test_five_links_and_then_a_pause(world: World) -> None:
    begun = world.clock.now()
    for _ in range(LINKS):
        assert isinstance(await ask(world), SignInLink)
        world.clock.advance(10)
    assert await ask(world) == SignInPause(LINKS, begun + WINDOW)
    assert await ask(world) == SignInPause(LINKS, begun + WINDOW), "asking costs nothing more"
    assert isinstance(await ask(world, THERE), SignInLink), "another chat has its own"
    world.clock.advance(begun + WINDOW - 1 - world.clock.now())
    assert isinstance(await ask(world), SignInPause)
    world.clock.advance(1)
    assert isinstance(await ask(world), SignInLink)
    assert isinstance(await ask(world), SignInPause), "the window slides: only the oldest has left it"


async def test_of_many_at_once_no_more_get_through(world: World) -> None:
    asked = await asyncio.gather(*(ask(world) for _ in range(40)))
    assert sum(isinstance(each, SignInLink) for each in asked) == LINKS


async def test_an_effect_that_is_run_again_costs_nothing(world: World) -> None:
    links = {(await world.link(key="7:0")).url for _ in range(3 * LINKS)}
    assert len(links) == 1
    for _ in range(LINKS - 1):
        assert isinstance(await ask(world), SignInLink)
    assert isinstance(await ask(world), SignInPause)
    assert isinstance(await ask(world, key="7:0"), SignInLink), "its link is there already"


async def test_the_last_link_works_during_the_pause(world: World) -> None:
    links = [await world.link() for _ in range(LINKS)]
    assert isinstance(await ask(world), SignInPause)
    assert await world.confirm(links[-1], await world.code(links[-1])) == "285011500029"


async def test_a_provider_that_is_away_costs_nothing(world: World) -> None:
    world.weather.answers["openid-configuration"] = Response(status_code=503)
    for _ in range(LINKS + 1):
        with pytest.raises(Unavailable):
            await ask(world)
    del world.weather.answers["openid-configuration"]
    world.clock.advance(60)
    assert isinstance(await ask(world), SignInLink)


async def test_nothing_is_given_that_cannot_be_counted(world: World) -> None:
    await world.link()
    await world.redis.flushall()

    async def away(*_args: object, **_more: object) -> None:
        raise StoreAway("test")

    world.sign_ins._windows.other = away  # type: ignore[method-assign, assignment]  # a store that fails
    with pytest.raises(Unavailable):
        await ask(world)
    assert await world.kept() == {}


async def test_redis_learns_no_chat(world: World) -> None:
    await ask(world, Chat("whatsapp", "96550001234"))
    for key in await world.redis.keys("*"):
        assert b"96550001234" not in key
        assert b"96550001234" not in await world.redis.dump(key)
