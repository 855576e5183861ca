"""Recording a paid order at the registry, each of its parts once and apart from the others.

What the registry said is written down batch by batch; a process that dies in between asks again for one batch
at most, and under the same references, which the registry answers as before. A part that it refuses stops
no other part.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice

import structlog

from bot.domain import Item
from bot.errors import Declined, OutsideError
from bot.ports import Clock
from bot.services.ledger import Ledger, Order, OrderStatus, PostingStatus
from bot.services.ledger import Posting as Row
from bot.services.ledger.privacy import Letting
from bot.services.orders.parts import (
    FINAL_REFUSALS,
    LEASE,
    PARTLY,
    POST_AGAIN,
    POST_AT_ONCE,
    POST_SIDE_BY_SIDE,
    POST_TOGETHER,
    POST_TURN,
    Registry,
    by_part,
    part_reference,
)

log = structlog.get_logger(__name__)

_TIMEOUT = "timeout"


class _Batch:
    """Some parts of an order on their way to the registry.

    Attributes:
        said: by part: empty for recorded, else why it was refused for good.
        trouble: why the rest must wait, empty while all is well.
    """

    def __init__(self, registry: Registry, order: Order, lines: dict[int, tuple[Item, ...]]) -> None:
        self._registry = registry
        self._order = order
        self._lines = lines
        self.said: dict[int, str] = {}
        self.trouble = ""

    async def send(self, parts: Sequence[int], until: float | None) -> None:
        """Send them, a few at a time; after ``until`` (the event loop's time) the rest must wait."""
        left = iter(parts)
        callers = min(POST_SIDE_BY_SIDE, len(parts))
        try:
            async with asyncio.timeout_at(until):
                if callers == 1:
                    await self._take(left)
                else:
                    await asyncio.gather(*(self._take(left) for _ in range(callers)))
        except TimeoutError:
            self.trouble = _TIMEOUT

    def renewed(self) -> dict[str, date]:
        """New last days of the residencies whose renewal was recorded, by their permits."""
        recorded = (part for part, why in self.said.items() if not why)
        lines = (line for part in recorded for line in self._lines[part] if line.until)
        return {line.number: date.fromisoformat(line.until) for line in lines}

    async def _take(self, left: Iterator[int]) -> None:
        for part in left:
            await self._record(part)
            if self.trouble:
                return

    async def _record(self, part: int) -> None:
        order = self._order
        name = part_reference(order.ref, part, len(self._lines))
        try:
            await self._registry.record_payment(name, order.paid_at, order.bank, self._lines[part])
        except OutsideError as error:
            log.error("payment not recorded", order=name, reason=error.reason)  # noqa: TRY400 - no trace: it may quote
            if isinstance(error, Declined) and error.reason in FINAL_REFUSALS:
                self.said[part] = error.reason
            else:
                self.trouble = error.reason
        else:
            self.said[part] = ""


class Posting:
    """Records paid orders.

    Args:
        ledger: migrated.
        registry: told of what was paid.
        clock: the time.
    """

    def __init__(self, ledger: Ledger, registry: Registry, clock: Clock) -> None:
        self._ledger = ledger
        self._registry = registry
        self._clock = clock

    async def post(self, order_id: int, *, at_once: bool) -> list[str]:
        """Record what is left of the order; what could not be stays due.

        Args:
            order_id: which; does nothing unless it is paid and waits for that.
            at_once: money just came, and somebody waits to hear of it: `POST_AT_ONCE` seconds at most.

        Returns:
            Names of the notices to be told now.
        """
        async with self._ledger.read() as read:
            order = await read.order_by_id(order_id)
            if order is None or order.status is not OrderStatus.PAID:
                return []
            lines = by_part(await read.items(order_id))
            left = iter(await read.waiting_parts(order_id))
        until = asyncio.get_running_loop().time() + POST_AT_ONCE if at_once else None
        began, batch, progress = self._clock.monotonic(), _Batch(self._registry, order, lines), False
        while parts := list(islice(left, POST_TOGETHER)):
            await batch.send(parts, until)
            progress = progress or bool(batch.said)
            owed = await self._write_down(order, batch, at_once=at_once)
            if owed is not None:
                return owed
            if batch.trouble or self._clock.monotonic() - began > POST_TURN:
                break
        await self._later(order, batch.trouble, progress=progress)
        return []

    async def _write_down(self, order: Order, batch: _Batch, *, at_once: bool) -> list[str] | None:
        """Commit what was said; the notices to tell once it was the last of it, None before."""
        async with self._ledger.write() as work:
            order = await work.lock(order.id)
            now = self._clock.now()
            await work.set_postings(order.id, batch.said, now)
            await Letting.of(work).renewed(batch.renewed(), now)
            recorded, batch.said = any(not why for why in batch.said.values()), {}
            if order.status is not OrderStatus.PAID:  # given back meanwhile
                if recorded:
                    await work.set_order(order, now, "registry", "answered: recorded, after it went back")
                return []
            if await work.waiting_parts(order.id):
                await work.defer_post(order, now + LEASE)
                return None
            reason = _verdict(await work.postings(order.id))
            status = OrderStatus.REVIEW if reason else OrderStatus.POSTED
            changes = {"status": status, "reason": reason[:40], "post_due": None}
            await work.set_order(order, now, "registry", f"answered: {reason or 'recorded'}"[:60], **changes)
            if at_once and not reason:  # the news of the payment says so
                return []
            kind = "review" if reason else "posted"
            # Each refusal is news of its own: a person may have had it tried again.
            name = f"order:{order.ref}:{kind}" + (f":registry:{now}" if reason else "")
            await work.add_notice(name, order.id, kind, reason[:40], now + LEASE)
        return [f"order:{order.ref}:paid", name]  # never after what follows from it

    async def _later(self, order: Order, trouble: str, *, progress: bool) -> None:
        async with self._ledger.write() as work:
            order = await work.lock(order.id)
            now = self._clock.now()
            if order.status is not OrderStatus.PAID:
                return
            if progress and trouble in {"", _TIMEOUT}:  # it answers: only our time was over
                await work.defer_post(order, now)
                return
            tries = 0 if progress else order.post_tries
            wait = POST_AGAIN[min(tries, len(POST_AGAIN) - 1)]
            changes = {"post_due": now + wait, "post_tries": tries + 1}
            await work.set_order(order, now, "registry", "did not answer", **changes)


def _verdict(rows: Sequence[Row]) -> str:
    """Why a person must look at an order without pending parts; empty when all of it is recorded."""
    refused = [row for row in rows if row.status is PostingStatus.REFUSED]
    if refused and len(refused) < len(rows):
        return PARTLY
    return refused[0].reason if refused else ""
