"""What the dialog ``batch`` asks for, and the lines of an order that come from a batch."""

import asyncio

import msgspec

from bot.clock import local
from bot.crypto import Keyring
from bot.dialogs.company.effects import (
    Batch,
    BatchQuote,
    BatchRefused,
    FindTemplate,
    QuoteBatch,
    ReadBatch,
    StartBatch,
    StartBatchRefused,
    StopBatch,
    Stopped,
    Template,
)
from bot.domain import Item, ItemKind
from bot.i18n.text import masked
from bot.ports import Asked, Clock, Effect, Executor, Failed, Files
from bot.residency import lines
from bot.services.batches.checking import Checking, stood
from bot.services.batches.numbers import Row, read
from bot.services.batches.papers import Papers
from bot.services.batches.parts import (
    LEASE,
    About,
    chunks,
    digest,
    new_reference,
    open_about,
    open_permits,
    seal_about,
    seal_rows,
    together,
)
from bot.services.ledger import Ledger, Taken
from bot.services.ledger.batches import BasketRow, BatchReads, BatchRow, BatchStatus, BatchWork, NewBatch
from bot.services.orders.parts import chat_blind
from bot.services.renewals import QuoteLimits
from bot.tasks import Tasks


class Batches:
    """Takes files in, says how they stand, prices them.

    Args:
        ledger: migrated.
        files: what residents sent.
        checking: asks the registry.
        papers: makes the addresses of verdicts and of the empty list.
        keyring: seals what is kept.
        clock: the time.
        tasks: owns the checking of this process.
        prices: how long they hold, from when a fresh sign-in is asked for.

    Every method raises `Unavailable` while the ledger does not answer.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        files: Files,
        checking: Checking,
        papers: Papers,
        keyring: Keyring,
        clock: Clock,
        tasks: Tasks,
        prices: QuoteLimits,
    ) -> None:
        self._ledger = ledger
        self._files = files
        self._checking = checking
        self.papers = papers
        self._keyring = keyring
        self._clock = clock
        self._tasks = tasks
        self._prices = prices
        self._limits = checking.limits

    async def template(self, _effect: FindTemplate, asked: Asked) -> Template:
        """Execute `FindTemplate`."""
        excel, text = self.papers.template(asked.language)
        return Template(excel, text, self._limits.rows)

    # --- checking --------------------------------------------------------------------------------

    async def start(self, effect: StartBatch, asked: Asked) -> Batch:
        """Execute `StartBatch`.

        Raises:
            Failed: a value of `StartBatchRefused`.
            StoreAway: the store does not answer.
        """
        content = await self._files.get(asked.chat, effect.file)
        if content is None:
            raise Failed(StartBatchRefused.GONE)
        about = About(asked.chat, asked.actor, effect.body, asked.language)
        today = local(self._clock.now()).date()
        name = digest(self._keyring, about, content, today)
        known = await self._known(name)
        if known is None:
            # A second or two of work that awaits nothing: other chats must not wait for it.
            rows = await asyncio.to_thread(read, content, today, self._limits)
            try:
                known = await self._add(about, name, [*chunks(rows, self._limits.chunk)])
            except Taken:
                known = await self._known(name)  # the same file, a moment ago
            else:
                self._tasks.spawn(self._checking.run(known.id), "batch")
        if known is None:
            raise Failed(StartBatchRefused.GONE)
        return await self._standing(known, about)

    async def read(self, effect: ReadBatch, asked: Asked) -> Batch:
        """Execute `ReadBatch`.

        Raises:
            Failed: ``gone``.
            OutsideError: it should be asked anew, and the registry does not answer.
        """
        batch, about = await self._own(effect.batch, effect.body, asked)
        if effect.anew and batch.status is BatchStatus.DONE:
            await self._checking.refresh(batch.id, about.body, self._clock.now(), ready=False)
        return await self._standing(batch, about)

    async def stop(self, effect: StopBatch, asked: Asked) -> Stopped:
        """Execute `StopBatch`; one that is gone is stopped."""
        try:
            batch, _ = await self._own(effect.batch, effect.body, asked)
        except Failed:
            return Stopped()
        async with self._ledger.write() as work:
            await BatchWork.of(work).drop_batches([batch.id])
        return Stopped()

    async def sweep(self) -> int:
        """Go on with what another process left; how many batches."""
        return await self._checking.sweep()

    async def _known(self, name: str) -> BatchRow | None:
        async with self._ledger.read() as reads:
            return await BatchReads.of(reads).batch_by_digest(name)

    async def _add(self, about: About, name: str, parts: list[tuple[Row, ...]]) -> BatchRow:
        now, ref = self._clock.now(), new_reference()
        new = NewBatch(
            ref=ref,
            digest=name,
            about=seal_about(self._keyring, ref, about),
            chat_blind=chat_blind(self._keyring, about.chat),
            created=now,
            due=now + LEASE,
        )
        async with self._ledger.write() as work:
            batches = BatchWork.of(work)
            batch_id = await batches.add_batch(new)
            sealed = (
                (seal_rows(self._keyring, batch_id, position, rows), len(rows))
                for position, rows in enumerate(parts)
            )
            await batches.add_parts(batch_id, sealed)
            added = await batches.batch(batch_id)
        if added is None:
            raise LookupError("a batch that was added is not there")
        return added

    async def _own(self, ref: str, body: str, asked: Asked) -> tuple[BatchRow, About]:
        """The chat's batch, for the same body and of whoever is signed in.

        Raises:
            Failed: ``gone``: there is none, or it is another's.
        """
        async with self._ledger.read() as reads:
            batch = await BatchReads.of(reads).batch_by_ref(ref)
        if batch is None or batch.chat_blind != chat_blind(self._keyring, asked.chat):
            raise Failed(BatchRefused.GONE)
        about = open_about(self._keyring, batch)
        if (about.body, about.actor) != (body, asked.actor):
            raise Failed(BatchRefused.GONE)
        return batch, msgspec.structs.replace(about, language=asked.language)

    async def _standing(self, batch: BatchRow, about: About) -> Batch:
        async with self._ledger.read() as reads:
            batches = BatchReads.of(reads)
            tally = await batches.tally(batch.id)
            offers = together(await batches.offers(batch.id))
        url, until = self.papers.link(batch.ref, about) if tally.done >= tally.total else ("", 0)
        waiting = batch.status is BatchStatus.CHECKING and batch.tries > 0
        standing = stood(batch.ref, tally)
        return msgspec.structs.replace(standing, offers=offers, url=url, until=until, waiting=waiting)

    # --- prices ----------------------------------------------------------------------------------

    async def quote(self, effect: QuoteBatch, asked: Asked) -> BatchQuote:
        """Execute `QuoteBatch`: what the registry said lately counts, the rest is asked anew.

        Raises:
            Failed: a value of `BatchRefused`.
            OutsideError: the registry does not answer.
        """
        batch, about = await self._own(effect.batch, effect.body, asked)
        await self._checking.refresh(batch.id, about.body, self._clock.now() - self._prices.holds_for)
        async with self._ledger.read() as reads:
            batches = BatchReads.of(reads)
            offers = {each.years: each for each in together(await batches.offers(batch.id))}
            asked_at = await batches.oldest_check(batch.id)
        offer = offers.get(effect.years)
        count, fils = (0, 0) if offer is None else (offer.clean, offer.clean_fils)
        if offer is not None and effect.fines:
            count, fils = offer.count, offer.fils
        if not count:
            raise Failed(BatchRefused.NONE_LEFT)
        now, ref = self._clock.now(), new_reference()
        until = asked_at + self._prices.holds_for
        async with self._ledger.write() as work:
            basket = BatchWork.of(work).add_basket
            await basket(batch.id, ref, effect.years, fils, now, until, fines=effect.fines)
        return BatchQuote(
            subject=masked(about.body).text,
            ref=ref,
            count=count,
            fils=fils,
            until=until,
            large=not self._prices.sign_in_above or fils > self._prices.sign_in_above,
        )

    async def lines(self, ref: str, asked: Asked) -> tuple[Item, ...] | None:
        """The lines of the price quoted under ``ref``, one part a worker; None when it is not this chat's or gone.

        Where the price has run out the registry is asked anew: the sum may then be another one.

        Raises:
            OutsideError: the registry or the ledger does not answer.
        """
        found = await self._basket(ref, asked)
        if found is None:
            return None
        basket, about = found
        await self._checking.refresh(basket.batch_id, about.body, self._clock.now() - self._prices.holds_for)
        async with self._ledger.read() as reads:
            parts = await BatchReads.of(reads).parts(basket.batch_id, ready=True)
        today = local(self._clock.now()).date()
        items: list[Item] = []
        count = 0
        for part_id in parts:
            async with self._ledger.read() as reads:
                part = await BatchReads.of(reads).part(part_id)
            for permit in () if part is None else open_permits(self._keyring, part):
                mine = () if permit is None else lines(permit, basket.years, today, count)
                if not basket.fines and any(item.kind is not ItemKind.RENEWAL for item in mine):
                    continue
                items += mine
                count += bool(mine)
        return tuple(items)

    async def _basket(self, ref: str, asked: Asked) -> tuple[BasketRow, About] | None:
        async with self._ledger.read() as reads:
            batches = BatchReads.of(reads)
            basket = await batches.basket(ref)
            batch = None if basket is None else await batches.batch(basket.batch_id)
        if basket is None or batch is None or batch.chat_blind != chat_blind(self._keyring, asked.chat):
            return None
        about = open_about(self._keyring, batch)
        return (basket, about) if about.actor == asked.actor else None


def executors(batches: Batches) -> dict[type[Effect], Executor]:
    """Who executes which effect of the dialog ``batch``."""
    return {
        FindTemplate: batches.template,
        StartBatch: batches.start,
        ReadBatch: batches.read,
        StopBatch: batches.stop,
        QuoteBatch: batches.quote,
    }
