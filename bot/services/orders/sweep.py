"""The sweep: takes up what is due, whoever left it. Any number of processes may run it at once.

A due row is claimed before it is worked on: its time is moved on by a lease, in one statement that only one
process wins. A process that dies loses the lease, and the next pass takes the row up again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any

import structlog

from bot.errors import BotError
from bot.ports import Clock
from bot.services.ledger import Attempt, Ledger, Notice, Order, OrderStatus, RefundRow
from bot.services.orders.parts import KEEP_LINKS, LEASE, SETTLED_FOR
from bot.services.orders.refunds import Refunds
from bot.services.orders.settle import Settling

log = structlog.get_logger(__name__)

_BATCH = 50

Due = Attempt | Order | Notice | RefundRow
Job = tuple[Due, Callable[[Any], Awaitable[None]]]
"""A due row, and what takes it up."""


class Sweep:
    """One pass at a time over attempts, payments to record, refunds, notices and stale orders.

    Args:
        ledger: migrated.
        settling: asks gateways, records payments, tells chats.
        refunds: finds out how those under way stand.
        clock: the time.
        side_by_side: how many orders at once. What is due of one order is done one after the other, words first.
    """

    def __init__(
        self, ledger: Ledger, settling: Settling, refunds: Refunds, clock: Clock, side_by_side: int
    ) -> None:
        self._ledger = ledger
        self._settling = settling
        self._refunds = refunds
        self._clock = clock
        self._side_by_side = side_by_side

    async def run(self) -> int:
        """Take up what is due; returns how many rows this process worked on."""
        now = self._clock.now()
        async with self._ledger.read() as read:
            due: list[Job] = [
                *((notice, self._tell) for notice in await read.due_notices(now, _BATCH)),
                *((order, self._post) for order in await read.due_posts(now, _BATCH)),
                *((refund, self._refund) for refund in await read.due_refunds(now, _BATCH)),
                *((attempt, self._ask) for attempt in await read.due_attempts(now, _BATCH)),
            ]
            stale = await read.stale_orders(now, _BATCH)
        done = await self._all(due)
        async with self._ledger.read() as read:  # now: what was just done may owe one
            notices = await read.due_notices(self._clock.now(), _BATCH)
        done += await self._all([(notice, self._tell) for notice in notices])
        for order in stale:
            await self._close(order)
        async with self._ledger.write() as work:
            await work.release_posted(now - SETTLED_FOR)
            await work.drop_links(now - KEEP_LINKS)
        return done + len(stale)

    async def _all(self, jobs: Iterable[Job]) -> int:
        lines: dict[object, list[Job]] = defaultdict(list)
        for job in jobs:
            lines[_line(job[0])].append(job)
        left = iter(lines.values())
        if self._side_by_side == 1 or len(lines) == 1:
            return await self._take(left)
        hands = [self._take(left) for _ in range(min(self._side_by_side, len(lines)))]
        done = await asyncio.gather(*hands, return_exceptions=True)
        for each in done:
            if isinstance(each, BaseException):  # raised once all have put down what they held
                raise each
        return sum(each for each in done if isinstance(each, int))

    async def _take(self, left: Iterator[Sequence[Job]]) -> int:
        done = 0
        for line in left:
            for row, take_up in line:
                done += await self._one(row, take_up)
        return done

    async def _one(self, row: Due, take_up: Callable[[Any], Awaitable[None]]) -> bool:
        async with self._ledger.write() as work:
            mine = await work.claim(row, self._clock.now() + LEASE)
        if not mine:
            return False
        try:
            await take_up(row)
        except BotError as error:
            # One row's trouble is not the others'; its lease ends and it comes up again.
            log.warning("sweep left a row", row=type(row).__name__, error=type(error).__name__)
        return True

    async def _tell(self, notice: Notice) -> None:
        await self._settling.tell(notice.name)

    async def _post(self, order: Order) -> None:
        await self._settling.post(order.id)

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


def _line(row: Due) -> object:
    """Rows of one order are in one line. Of a refund only the attempt is known: no two of one move at a time."""
    match row:
        case Order():
            return row.id
        case RefundRow():
            return "refund", row.attempt_id
        case _:
            return row.order_id
