"""The runtime: takes an event through one turn. Only after the commit is anything said or done."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from bot.engine import Book, Turn, awaited, step
from bot.errors import Conflict, FromNewer, LeftToNewer, StoreAway
from bot.i18n.render import Renderer
from bot.model import Attached, Chat, Elapsed, Event, Outgoing, Pressed, Session, Typed
from bot.ports import Channel, Clock, Effect, Executor, Loaded, Outbox
from bot.runtime.deliver import Deliveries
from bot.runtime.entries import Codec, Entry, Job
from bot.runtime.wording import bundles, word
from bot.tasks import Tasks

log = structlog.get_logger(__name__)

CONFLICTS: Final = 50
"""Reruns of one turn before the event is handed back to its channel."""


class Runtime:
    """Turns of all chats of this process.

    Args:
        book: the dialogs.
        store: sessions and outbox.
        renderer: words.
        channels: those this process can deliver to.
        executors: who runs which effect.
        clock: time.
        tasks: owns what runs in the background.
    """

    def __init__(
        self,
        book: Book,
        store: Outbox,
        renderer: Renderer,
        channels: tuple[Channel, ...],
        executors: Mapping[type[Effect], Executor],
        clock: Clock,
        tasks: Tasks,
    ) -> None:
        self._book = book
        self._store = store
        self._renderer = renderer
        self._clock = clock
        self._codec = Codec(executors)
        self._chats: dict[Chat, deque[asyncio.Future[None]]] = {}
        """Who waits, for each chat that has a turn under way."""
        self.deliveries = Deliveries(store, self._codec, channels, executors, self.handle, clock, tasks)

    async def handle(self, event: Event) -> None:
        """Take ``event`` through one turn; events of one chat one after the other.

        Raises:
            StoreAway: nothing was saved; the channel must have the event redelivered.
        """
        await self._in_order(event.chat, lambda _session: event)

    async def awaits(self, chat: Chat) -> tuple[str, ...]:
        """Kinds of files that the chat's question asks for now (`bot.model.Attached.kind`).

        Raises:
            StoreAway: the store does not answer.
        """
        return awaited(self._book, (await self._load(chat)).session, self._clock.now())

    async def elapse(self, chat: Chat) -> None:
        """The chat's timer has run out: take the edge it stands for, if it still stands."""

        def timer(session: Session) -> Event | None:
            if not session.due or session.due > self._clock.now() or not session.frames:
                return None
            asked = session.frames[-1].asked
            return Elapsed(id=f"timer:{session.due}:{asked}", chat=chat, asked=asked)

        await self._in_order(chat, timer)

    async def _in_order(self, chat: Chat, event_of: Callable[[Session], Event | None]) -> None:
        # The store alone keeps turns apart; waiting here spares this process reruns.
        waiting = self._chats.get(chat)
        if waiting is None:
            waiting = self._chats[chat] = deque()
        else:
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._let_in(chat, waiting)
                raise
        try:
            await self._turn(chat, event_of)
        finally:
            self._let_in(chat, waiting)

    def _let_in(self, chat: Chat, waiting: "deque[asyncio.Future[None]]") -> None:
        """The chat's next event, first come first served."""
        while waiting:
            place = waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        del self._chats[chat]

    async def _turn(self, chat: Chat, event_of: Callable[[Session], Event | None]) -> None:
        for _ in range(CONFLICTS):
            loaded = await self._load(chat)
            earlier = self.deliveries.elsewhere(chat, loaded.waiting)
            event = event_of(loaded.session)
            if event is None:
                return
            turn = self._step(loaded.session, event)
            if not turn.changed:
                return
            muted = False
            if loaded.unreachable:
                muted = not isinstance(event, Typed | Pressed | Attached)
                if not muted:  # the resident is back
                    await self._store.mark(chat, unreachable=False)
            replies = [] if muted else [Entry(chat, said) for said in bundles(self._replies(turn))]
            jobs = [Entry(chat, job) for job in self._jobs(turn, event.origin)]
            encode = self._codec.encode
            try:
                ids = await self._store.commit(
                    chat,
                    loaded.session.rev,
                    turn.session,
                    [encode(entry) for entry in replies],
                    [encode(entry) for entry in jobs],
                )
            except Conflict:
                continue
            self.deliveries.take(chat, tuple(zip(ids, replies + jobs, strict=True)), earlier)
            return
        raise StoreAway(f"{CONFLICTS} conflicts in a row")

    async def _load(self, chat: Chat) -> Loaded:
        try:
            return await self._store.load(chat)
        except FromNewer as error:
            raise _requeued(error) from None

    def _step(self, session: Session, event: Event) -> Turn:
        try:
            return step(self._book, session, event, self._clock.now())
        except FromNewer as error:
            raise _requeued(error) from None

    def _replies(self, turn: Turn) -> list[Outgoing]:
        language, rev = turn.session.language, turn.session.rev
        return [
            word(reply, f"{rev}:{number}", language, self._renderer)
            for number, reply in enumerate(turn.replies)
        ]

    def _jobs(self, turn: Turn, origin: str) -> list[Job]:
        session = turn.session
        actor = session.signed.civil_id if session.signed else ""
        return [self._codec.job(work, session.language, actor, origin) for work in turn.works]


def _requeued(error: FromNewer) -> LeftToNewer:
    """A newer release's session is left as it is; its event goes back to the channel."""
    log.warning("session of a newer release left alone", what=str(error))
    return LeftToNewer("the session belongs to a newer release")
