"""The sweep: takes up what is due, whoever left it. Any number of processes may run it at once.

A due row is claimed before it is worked on: its time is moved on by a lease, in one statement that only one
process wins. A process that dies loses the lease, and the next pass takes the row up again.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from bot.errors import BotError
from bot.ports import Clock
from bot.services.ledger import Attempt, Ledger, Notice, Order, OrderStatus, RefundRow
from bot.services.orders.parts import KEEP_LINKS, LEASE, SETTLED_FOR
from bot.services.orders.refunds import Refunds
from bot.services.orders.settle import Settling

log = structlog.get_logger(__name__)

_BATCH = 50

Due = TypeVar("Due", Attempt, Order, Notice, RefundRow)


class Sweep:
    """One pass at a time over attempts, payments to record, refunds, notices and stale orders."""

    def __init__(self, ledger: Ledger, settling: Settling, refunds: Refunds, clock: Clock) -> None:
        self._ledger = ledger
        self._settling = settling
        self._refunds = refunds
        self._clock = clock

    async def run(self) -> int:
        """Take up what is due; returns how many rows this process worked on."""
        now = self._clock.now()
        async with self._ledger.read() as read:
            attempts = await read.due_attempts(now, _BATCH)
            posts = await read.due_posts(now, _BATCH)
            refunds = await read.due_refunds(now, _BATCH)
            stale = await read.stale_orders(now, _BATCH)
        done = await self._each(attempts, self._ask)
        done += await self._each(posts, lambda order: self._settling.post(order.id))
        done += await self._each(refunds, self._refund)
        async with self._ledger.read() as read:  # now: what was just done may owe one
            notices = await read.due_notices(now, _BATCH)
        done += await self._each(notices, lambda notice: self._settling.tell(notice.name))
        for order in stale:
            await self._close(order)
        async with self._ledger.write() as work:
            await work.release_posted(now - SETTLED_FOR)
            await work.drop_links(now - KEEP_LINKS)
        return done + len(stale)

    async def _each(self, rows: Sequence[Due], take_up: Callable[[Due], Awaitable[None]]) -> int:
        done = 0
        for row in rows:
            async with self._ledger.write() as work:
                mine = await work.claim(row, self._clock.now() + LEASE)
            if not mine:
                continue
            done += 1
            try:
                await take_up(row)
            except BotError as error:
                # One row's trouble is not the others'; its lease ends and it comes up again.
                log.warning("sweep left a row", row=type(row).__name__, error=type(error).__name__)
        return done

    async def _ask(self, attempt: Attempt) -> None:
        await self._settling.ask(attempt, "sweep")

    async def _refund(self, refund: RefundRow) -> None:
        await self._refunds.take_up(refund)

    async def _close(self, order: Order) -> None:
        """Let go of an order whose links all expired and that nobody is paying."""
        async with self._ledger.write() as work:
            fresh = await work.lock(order.id)
            now = self._clock.now()
            trying = any(attempt.status.is_open for attempt in await work.attempts(order.id))
            linked = await work.link_until(order.id) > now
            if fresh.status is OrderStatus.OPEN and not trying and not linked:
                await work.release(order.id)
                await work.set_order(fresh, now, "sweep", "links expired", status=OrderStatus.CANCELLED)
