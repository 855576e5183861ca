"""What the web chat costs in round trips, connections and tasks: counted, not timed."""

import asyncio
import gc
from contextlib import AsyncExitStack
from types import TracebackType

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


async def test_an_open_page_is_two_tasks_and_no_connection_of_its_own(site: Site) -> None:
    async with AsyncExitStack() as stack:
        for number in range(4):
            resident = await stack.enter_async_context(site.resident())
            events = await stack.enter_async_context(resident.stream())
            while (await anext(events)).event != "synced":
                pass
            if number == 0:
                tasks, connections = len(asyncio.all_tasks()), await _connections(site)
        # The request with its stream, and who waits for the page to go.
        assert len(asyncio.all_tasks()) - tasks <= 2 * 3
        assert await _connections(site) == connections


async def test_a_page_that_was_left_leaves_no_cycles_for_the_collector(site: Site) -> None:
    async def leave(pages: int) -> None:
        for _ in range(pages):
            async with site.resident() as resident:
                async with resident.stream() as events:
                    while (await anext(events)).event != "synced":
                        pass
                while site.log._ears._ears:  # noqa: ASYNC110 - no event tells that a stream has ended
                    await asyncio.sleep(0)

    await leave(2)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await leave(10)
        gc.collect()
        ends = [each for each in gc.garbage if isinstance(each, TracebackType | asyncio.Task)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    # Open for minutes, they are in the oldest generation by then, which is looked through once in half a million turns.
    assert ends == []
