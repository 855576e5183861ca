"""Checking: part by part, the registry is asked about the people of a batch, whichever process has it.

A process holds a batch by a lease that every saved part begins anew. One that dies loses it, and the next sweep of
any process goes on with the parts that are missing. A part saved twice says the same, and nothing is added up but
what stands in the parts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import msgspec
import structlog

from bot.clock import local
from bot.crypto import Keyring
from bot.dialogs.company.effects import Batch
from bot.errors import BotError, Malformed, OutsideError, Unreadable
from bot.model import Woken
from bot.ports import Clock, Wake
from bot.residency.facts import Permit
from bot.services.batches.limits import LIMITS, Limits
from bot.services.batches.parts import (
    AGAIN,
    LEASE,
    About,
    Part,
    Staff,
    counted,
    open_about,
    open_rows,
    seal_permits,
    together,
)
from bot.services.ledger import Ledger
from bot.services.ledger.batches import (
    BatchReads,
    BatchRow,
    BatchStatus,
    BatchWork,
    PartCount,
    PartRow,
    Tally,
)

log = structlog.get_logger(__name__)

_DUE: Final = 10
"""Batches one sweep takes up."""

Link = Callable[[str, About], tuple[str, int]]


class Checking:
    """Takes batches up and brings them to their end.

    Args:
        ledger: migrated.
        staff: whose workers they are.
        keyring: opens what is kept.
        clock: the time.
        wake: brings news into the chat.
        link: address of a batch's verdicts, and until when it works (epoch seconds).
        limits: how it is worked.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        staff: Staff,
        keyring: Keyring,
        clock: Clock,
        wake: Wake,
        link: Link,
        limits: Limits = LIMITS,
    ) -> None:
        self._ledger = ledger
        self._staff = staff
        self._keyring = keyring
        self._clock = clock
        self._wake = wake
        self._link = link
        self.limits = limits

    async def sweep(self) -> int:
        """Take up what is due; returns how many batches this process worked on."""
        now = self._clock.now()
        async with self._ledger.read() as read:
            due = await BatchReads.of(read).due_batches(now, _DUE)
        done = 0
        for batch in due:
            async with self._ledger.write() as work:
                mine = await BatchWork.of(work).claim_batch(batch, self._clock.now() + LEASE)
            if mine:
                done += 1
                await self.run(batch.id)
        return done

    async def run(self, batch_id: int) -> None:
        """Check what is missing of a batch that this process holds; what fails is due again."""
        async with self._ledger.read() as read:
            batch = await BatchReads.of(read).batch(batch_id)
        if batch is None or batch.status is not BatchStatus.CHECKING:
            return
        try:
            await self._check(batch)
        except Unreadable:
            # Its key is gone: nobody will ever read it.
            log.error("batch unreadable", batch=batch.ref)  # noqa: TRY400 - its text says no more
            await self._drop(batch)
        except OutsideError as error:
            log.warning("batch waits", batch=batch.ref, reason=error.reason)
            await self._put_off(batch)
        except BotError as error:  # the chat could not be told: the lease ends, and it comes up again
            log.warning("batch left", batch=batch.ref, error=type(error).__name__)

    async def _check(self, batch: BatchRow) -> None:
        about = open_about(self._keyring, batch)
        if about.body not in {body.number for body in await self._staff.bodies(about.actor)}:
            # Whoever sent it may not act for the body any more.
            await self._tell(batch, about, "stopped")
            await self._drop(batch)
            return
        async with self._ledger.read() as read:
            missing = await BatchReads.of(read).parts(batch.id, checked_before=1)
        await self._each(iter(missing), batch, about)
        async with self._ledger.read() as read:
            standing = await BatchReads.of(read).batch(batch.id)
        if standing is not None and standing.status is BatchStatus.CHECKING:
            await self._tell(batch, about, "done")
            async with self._ledger.write() as work:
                await BatchWork.of(work).finish(batch.id)

    async def _each(self, parts: Iterator[int], batch: BatchRow, about: About) -> None:
        """Check ``parts``, some at a time; only those in hand are in memory."""

        async def hand() -> None:
            for part_id in parts:
                if not await self._part(part_id, batch, about):
                    return

        await self._hands(hand)

    async def _part(self, part_id: int, batch: BatchRow, about: About) -> bool:
        """Check one part; False when the batch is not being checked any more."""
        async with self._ledger.read() as read:
            row = await BatchReads.of(read).part(part_id)
        if row is None:
            return False
        sealed, count, now = await self._asked(row, about.body)
        async with self._ledger.write() as work:
            batches = BatchWork.of(work)
            if not await batches.going_on(batch.id, now, self._clock.now() + LEASE):
                return False
            before = await batches.tally(batch.id)
            await batches.save_part(part_id, sealed, count, now)
            after = await batches.tally(batch.id)
        step = self.limits.progress_rows
        if before.done // step < after.done // step and after.done < after.total:
            await self._tell(batch, about, "progress")
        return True

    async def refresh(self, batch_id: int, body: str, before: int, *, ready: bool = True) -> None:
        """Ask anew about those who were last asked about before ``before``.

        Args:
            batch_id: of a batch that is checked.
            body: whose workers they are.
            before: epoch seconds.
            ready: leave those alone of whom nobody could be renewed.

        Raises:
            OutsideError: the registry does not answer.
        """
        async with self._ledger.read() as read:
            stale = iter(await BatchReads.of(read).parts(batch_id, checked_before=before, ready=ready))

        async def hand() -> None:
            for part_id in stale:
                async with self._ledger.read() as read:
                    row = await BatchReads.of(read).part(part_id)
                if row is None:
                    return
                sealed, count, now = await self._asked(row, body)
                async with self._ledger.write() as work:
                    await BatchWork.of(work).save_part(part_id, sealed, count, now)

        await self._hands(hand)

    async def _hands(self, hand: Callable[[], Awaitable[None]]) -> None:
        """Some at a time; a failure is raised once nobody works any more."""
        hands = (hand() for _ in range(self.limits.at_once))
        failures = [each for each in await asyncio.gather(*hands, return_exceptions=True) if each is not None]
        if failures:
            raise failures[0]

    async def _asked(self, row: PartRow, body: str) -> tuple[bytes, PartCount, int]:
        """What the registry says of a part now: sealed, counted, and when."""
        rows = open_rows(self._keyring, row)
        wanted = [each.civil_id for each in rows if each.asked]
        now = self._clock.now()
        known: dict[str, Permit] = {}
        if wanted:
            known = {permit.civil_id: permit for permit in await self._staff.workers(body, wanted)}
            if known.keys() - set(wanted):
                raise Malformed("registry", "answered about somebody else")
        permits = tuple(known.get(each.civil_id) if each.asked else None for each in rows)
        part = Part(rows, permits, local(now).date())
        return seal_permits(self._keyring, row, permits), counted(part), now

    # --- the end, and what is told ---------------------------------------------------------------

    async def _drop(self, batch: BatchRow) -> None:
        async with self._ledger.write() as work:
            await BatchWork.of(work).drop_batches([batch.id])

    async def _put_off(self, batch: BatchRow) -> None:
        """Try again later; after hours without a word from the registry, no more."""
        now = self._clock.now()
        async with self._ledger.write() as work:
            batches = BatchWork.of(work)
            fresh = await batches.batch(batch.id)
            if fresh is None or fresh.status is not BatchStatus.CHECKING:
                return
            over = now - fresh.updated > self.limits.give_up_seconds
            wait = AGAIN[min(fresh.tries, len(AGAIN) - 1)]
            await batches.put_off(fresh, now + wait, fresh.tries + 1)
        try:
            about = open_about(self._keyring, fresh)
            if over:
                await self._tell(fresh, about, "stopped")
                await self._drop(fresh)
            elif not fresh.tries:  # said once, not with every try
                await self._tell(fresh, about, "progress", waiting=True)
        except BotError as error:
            log.warning("batch not told", batch=batch.ref, error=type(error).__name__)

    async def _tell(self, batch: BatchRow, about: About, kind: str, *, waiting: bool = False) -> None:
        """Wake the chat; the same news is the same event, so that it is told once."""
        async with self._ledger.read() as read:
            reads = BatchReads.of(read)
            tally, offers = await reads.tally(batch.id), await reads.offers(batch.id)
        standing = msgspec.structs.replace(stood(batch.ref, tally), offers=together(offers), waiting=waiting)
        if kind == "done":
            url, until = self._link(batch.ref, about)
            standing = msgspec.structs.replace(standing, url=url, until=until)
        await self._wake(
            Woken(
                id=f"{batch.ref}:{kind}:{tally.done}:{waiting:d}",
                chat=about.chat,
                dialog="batch",
                kind=kind,
                ref=batch.ref,
                data=msgspec.to_builtins(standing),
            )
        )


def stood(ref: str, tally: Tally) -> Batch:
    """How a batch stands, without what it costs."""
    return Batch(ref, tally.total, tally.done, tally.ready, tally.blocked, tally.unknown, tally.repeated)
