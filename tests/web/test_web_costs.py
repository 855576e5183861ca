"""What the web chat costs in round trips, connections and tasks: counted, not timed."""

import asyncio
from contextlib import AsyncExitStack

from bot.model import Chat
from tests.web.site import Site

CHATS = [Chat("web", f"chat-{number}") for number in range(100)]


async def _reads(site: Site) -> int:
    return int((await site.redis.info("stats"))["total_reads_processed"])


async def _connections(site: Site) -> int:
    return int((await site.redis.info("clients"))["connected_clients"])


async def test_what_many_chats_write_and_read_at_once_are_a_few_round_trips_on_one_connection(
    site: Site,
) -> None:
    await site.log.append(CHATS[0], b"{}", key="first")
    connections, before = await _connections(site), await _reads(site)
    await asyncio.gather(*(site.log.append(chat, b"{}", key="second") for chat in CHATS))
    await asyncio.gather(*(site.log.typing(chat) for chat in CHATS))
    found = await asyncio.gather(*(site.log.read(chat) for chat in CHATS))
    # A write may be read in pieces of 16 kB; one a chat would be three hundred.
    assert await _reads(site) - before <= 12
    assert await _connections(site) == connections
    assert [len(entries) for entries in found] == [2] + [1] * (len(CHATS) - 1)


async def test_an_open_page_is_three_tasks_and_no_connection_of_its_own(site: Site) -> None:
    async with AsyncExitStack() as stack:
        for number in range(4):
            resident = await stack.enter_async_context(site.resident())
            events = await stack.enter_async_context(resident.stream())
            while (await anext(events)).event != "synced":
                pass
            if number == 0:
                tasks, connections = len(asyncio.all_tasks()), await _connections(site)
        # The request, its stream and whoever waits for the page to go.
        assert len(asyncio.all_tasks()) - tasks <= 3 * 3
        assert await _connections(site) == connections
