"""Delivering what was committed: replies in order per chat, effects beside them.

An entry leaves the outbox only when it is done. What this process cannot finish stays, and whoever finds
it idle takes it over.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Final

import structlog

from bot.errors import (
    UNDECODABLE,
    FromNewer,
    LeftToNewer,
    OutsideError,
    Rejected,
    RetryLater,
    StoreAway,
    Unreachable,
)
from bot.model import Chat, Outcome, Outgoing, Slow
from bot.ports import Asked, Channel, Clock, Effect, Executor, Handle, Outbox
from bot.runtime.company import Companies, Company
from bot.runtime.effects import called, outcome
from bot.runtime.entries import Codec, Entry, Job
from bot.spec import Fault
from bot.tasks import Tasks

log = structlog.get_logger(__name__)

IDLE: Final = 8.0
"""Seconds without a sign of life after which an entry counts as abandoned."""
UNHEARD: Final = 30.0
"""Likewise, for a process that has just begun: the store may have been away until then, and no one could speak. A failover
takes less."""
HOLD: Final = 2.0
"""Seconds between signs of life."""
TRIES: Final = 4
"""Tries of one delivery before it is left to the recoverer."""
LONGEST_WAIT: Final = 120.0
"""Seconds a channel may ask to wait before the entry is left to the recoverer."""
LOOK_EVERY: Final = 0.2
"""Seconds between looks at earlier replies that another process has in hand."""

Numbered = tuple[str, Entry]
"""An entry with its id in the outbox."""


class Deliveries:
    """What this process is delivering and running."""

    def __init__(
        self,
        store: Outbox,
        codec: Codec,
        channels: tuple[Channel, ...],
        executors: Mapping[type[Effect], Executor],
        handle: Handle,
        clock: Clock,
        tasks: Tasks,
    ) -> None:
        self._store = store
        self._codec = codec
        self._channels = {channel.name: channel for channel in channels}
        self._executors = executors
        self._handle = handle
        self._clock = clock
        self._tasks = tasks
        # Entries of each chat's replies by id, first ones first; None stands for an earlier one that another process has in hand.
        self._queues: dict[Chat, dict[str, Entry | None]] = {}
        self._held: set[tuple[str, str]] = set()
        """(tag, id) of every entry in hand: an id is unique in its partition only."""
        self._claimed: set[tuple[str, str]] = set()
        """Likewise of those taken over whose place among the chat's replies is still being looked up."""
        self._running: dict[Chat, int] = {}
        self._changed: asyncio.Event | None = None
        """Set once something was delivered or has run, where somebody waits for it."""
        self._new_until = -IDLE
        self._companies = Companies(clock, tasks, self._show)

    async def settled(self, chat: Chat) -> None:
        """Return once nothing of ``chat`` is being delivered or run here."""
        while chat in self._queues or chat in self._running:
            self._changed = self._changed or asyncio.Event()
            await self._changed.wait()

    async def finish(self, seconds: float) -> None:
        """Give what is under way ``seconds`` to end: a message cut off in the middle may come twice."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for chat in [*self._queues, *self._running]:
                    await self.settled(chat)

    def serves(self, chat: Chat) -> bool:
        """Whether this process has the chat's channel."""
        return chat.channel in self._channels

    def elsewhere(self, chat: Chat, waiting: tuple[str, ...]) -> tuple[str, ...]:
        """Those of ``waiting`` that are not in hand here. To be asked as soon as ``chat`` was loaded."""
        if not waiting:
            return ()
        tag = self._store.place(chat)[0]
        return tuple(entry_id for entry_id in waiting if (tag, entry_id) not in self._held)

    def take(self, chat: Chat, entries: tuple[Numbered, ...], after: tuple[str, ...] = ()) -> None:
        """Deliver ``entries`` of ``chat``, once those of ``after`` that others have in hand are out."""
        tag = self._store.place(chat)[0]
        replies: dict[str, Entry | None] = {}
        for entry_id, entry in entries:
            if isinstance(entry.body, Job):
                self._running[chat] = self._running.get(chat, 0) + 1
                self._tasks.do(self._run(entry_id, chat, entry.body), "effect")
            else:
                replies[entry_id] = entry
        earlier = self.elsewhere(chat, after)  # asked again: the recoverer may have taken one over
        self._held |= {(tag, entry_id) for entry_id, _ in entries}
        if not replies:
            return
        if chat not in self._queues:
            self._queues[chat] = {}
            self._tasks.do(self._deliver(chat, tag), "deliver")
        queue = self._queues[chat]
        for entry_id in earlier:
            queue.setdefault(entry_id, None)
        queue |= replies
        if len(queue) > 1:
            ordered = sorted(queue.items(), key=_by_place)
            queue.clear()
            queue.update(ordered)

    async def hold(self) -> None:
        """Give a sign of life for everything in hand."""
        await self._store.hold((*self._held, *self._claimed))

    def begun(self) -> None:
        """Call others silent after `UNHEARD` only, until all who live have had time for a sign of life."""
        self._new_until = self._clock.monotonic() + 2 * HOLD

    @property
    def _idle(self) -> float:
        return UNHEARD if self._clock.monotonic() < self._new_until else IDLE

    async def recover(self) -> int:
        """Take over what other processes left behind. Returns how many entries."""
        found = [row for row in await self._store.abandoned(self._idle) if row[:2] not in self._held]
        chats: dict[Chat, list[Numbered]] = {}
        claimed: set[tuple[str, str]] = set()
        strange: list[tuple[str, str]] = []
        for tag, entry_id, data in found:
            entry = self._read(tag, data)
            if entry is not None and (isinstance(entry.body, Job) or self.serves(entry.chat)):
                chats.setdefault(entry.chat, []).append((entry_id, entry))
                claimed.add((tag, entry_id))
            else:
                strange.append((tag, entry_id))
        self._claimed |= claimed  # alive from now on: to look takes long while Redis is poorly
        try:
            befores = await asyncio.gather(*(self._before(*each) for each in chats.items()))
            for (chat, entries), before in zip(chats.items(), befores, strict=True):
                self.take(chat, tuple(entries), before)
        finally:
            self._claimed -= claimed
        await self._store.let_go(
            strange, IDLE
        )  # to look made them ours: their own process need not wait again
        return len(claimed)

    async def _before(self, chat: Chat, entries: list[Numbered]) -> tuple[str, ...]:
        """Replies of ``chat`` earlier than the last of ``entries``: who has them in hand may have died later."""
        places = [_place(entry_id) for entry_id, entry in entries if not isinstance(entry.body, Job)]
        if not places:
            return ()
        try:
            waiting = (await self._store.load(chat)).waiting
        except (StoreAway, FromNewer):
            return ()
        return tuple(entry_id for entry_id in waiting if _place(entry_id) < max(places))

    def _read(self, tag: str, data: bytes) -> Entry | None:
        """The entry of ``data``; None for another release's, which is left alone."""
        try:
            entry = self._codec.decode(data)
            if isinstance(entry.body, Job):
                self._codec.effect(entry.body)
        except UNDECODABLE:
            log.warning("outbox entry of another release left alone", stream=f"o:{tag}")
            return None
        return entry

    # --- replies --------------------------------------------------------------------------------

    async def _deliver(self, chat: Chat, tag: str) -> None:
        queue = self._queues[chat]
        try:
            while queue:
                first = next(iter(queue))
                entry = queue[first]
                if entry is None:
                    await self._overtake(chat, tag, queue)
                elif await self._send(chat, entry):
                    del queue[first]
                    self._done(tag, first)
                else:
                    break  # the rest of the chat waits with it, in order, for the recoverer
        except StoreAway:
            log.warning("earlier replies cannot be looked at", channel=chat.channel)
        finally:
            del self._queues[chat]
            self._tell()
            for entry_id, entry in queue.items():
                if entry is not None:
                    self._held.discard((tag, entry_id))

    async def _overtake(self, chat: Chat, tag: str, queue: dict[str, Entry | None]) -> None:
        """See what became of earlier replies in another process's hands; send them if nobody does."""
        ids = [entry_id for entry_id, entry in queue.items() if entry is None]
        gone, taken = await self._store.claim(tag, ids, self._idle)
        for entry_id in gone:
            del queue[entry_id]
            self._held.discard((tag, entry_id))  # taken here meanwhile, and delivered there after all
        for entry_id, data in taken:
            entry = self._read(tag, data)
            if entry is None or isinstance(entry.body, Job):
                del queue[entry_id]
            if entry is not None:
                self.take(chat, ((entry_id, entry),))
        if not gone and not taken:
            await self._clock.sleep(LOOK_EVERY)

    async def _send(self, chat: Chat, entry: Entry) -> bool:
        """Deliver one entry; False where it must be left to the recoverer."""
        channel, body = self._channels.get(chat.channel), entry.body
        if channel is None or isinstance(body, Job):
            return False
        for outgoing in body:
            if not await self._put(channel, chat, outgoing):
                return False
        return True

    async def _put(self, channel: Channel, chat: Chat, outgoing: Outgoing) -> bool:
        pause = 0.0
        for attempt in range(TRIES):
            if pause:
                await self._clock.sleep(pause)
            try:
                await channel.deliver(chat, outgoing)
            except Unreachable:
                break
            except Rejected as error:
                what = type(outgoing).__name__
                log.warning("message rejected", channel=chat.channel, what=what, why=str(error))
                return True
            except RetryLater as error:
                if error.after > LONGEST_WAIT:
                    return False
                pause = error.after
            except (OutsideError, StoreAway) as error:
                log.warning("channel does not answer", channel=chat.channel, error=type(error).__name__)
                pause = 2.0**attempt
            except Exception as error:  # noqa: BLE001 - sent again it would break again, and hold up the chat
                log.error("delivery broke", channel=chat.channel, error=type(error).__name__)  # noqa: TRY400
                return True
            else:
                return True
        else:
            return False
        await self._unreachable(chat)
        return True

    async def _unreachable(self, chat: Chat) -> None:
        log.info("resident unreachable", channel=chat.channel)
        try:
            await self._store.mark(chat, unreachable=True)
        except StoreAway:
            log.warning("could not note an unreachable resident", channel=chat.channel)

    def _tell(self) -> None:
        """Have those who wait in `settled` look again."""
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    def _done(self, tag: str, entry_id: str) -> None:
        self._held.discard((tag, entry_id))
        self._store.delivered(tag, entry_id)

    # --- effects --------------------------------------------------------------------------------

    async def _run(self, entry_id: str, chat: Chat, job: Job) -> None:
        tag, name = self._store.place(chat)
        asked = Asked(f"{name}:{job.key}", chat, job.language, job.actor, job.origin)
        company = self._companies.join(chat, job)
        try:
            if await self._ended(company, asked, tag, entry_id):
                self._done(tag, entry_id)
        finally:
            self._companies.leave(company)
            if company.shown is not None:
                company.shown.cancel()
            self._held.discard((tag, entry_id))
            self._running[chat] -= 1
            if not self._running[chat]:
                del self._running[chat]
            self._tell()

    async def _ended(self, company: Company, asked: Asked, tag: str, entry_id: str) -> bool:
        """See the effect through; False where it will be run again."""
        key, left = company.job.key, False
        work = self._work(company.job, asked)
        try:
            await self._hand_in(await outcome(company, work, lambda: self._companies.leave(company)))
        except LeftToNewer:
            left = True
        except StoreAway:
            log.warning("outcome not saved; the effect will be run again", effect_key=key)
            return False
        if left:
            log.warning("outcome left to a newer release; it will run the effect again", effect_key=key)
            with contextlib.suppress(StoreAway):
                await self._store.let_go([(tag, entry_id)], IDLE)
        return not left

    async def _work(self, job: Job, asked: Asked) -> tuple[object, str]:
        effect = self._codec.effect(job)
        return await called(self._executors[type(effect)], effect, asked)

    async def _hand_in(self, outcome: Outcome) -> None:
        """Take the outcome through its turn; one that the dialog breaks on becomes a failure it has an answer to."""
        broken: Outcome | None = None
        try:
            await self._handle(outcome)
        except StoreAway:
            raise
        except Exception as error:  # noqa: BLE001 - run again it would break again, and for ever
            log.error("outcome broke", error=type(error).__name__)  # noqa: TRY400 - its text may quote a resident
            broken = Outcome(
                id=f"{outcome.id}:broken", chat=outcome.chat, key=outcome.key, failure=Fault.BROKEN.value
            )
        if broken is not None:
            await self._handle(broken)

    async def _show(self, company: Company, slow: bool) -> None:  # noqa: FBT001 - `bot.runtime.company.Show`
        channel = self._channels.get(company.chat.channel)
        if channel is not None:
            await channel.typing(company.chat)
        if slow:
            await self._tell_slow(company.chat, company.job)

    async def _tell_slow(self, chat: Chat, job: Job) -> None:
        try:
            await self._handle(Slow(id=f"slow:{job.key}", chat=chat, key=job.key))
        except StoreAway:
            log.warning("could not say that it takes long", channel=chat.channel)


def _by_place(item: tuple[str, Entry | None]) -> tuple[int, int]:
    return _place(item[0])


def _place(entry_id: str) -> tuple[int, int]:
    """Where an entry stands in its stream."""
    at, _, number = entry_id.partition("-")
    return int(at), int(number)
