"""Background tasks that are never lost: referenced, named, logged when they fail."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import structlog

log = structlog.get_logger(__name__)

Work = Coroutine[Any, Any, Any]

REST: Final = 1.0
"""Seconds in which a hand was never needed, after which it goes."""


class Tasks:
    """Owns the background tasks of one component."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._hands: dict[asyncio.Task[Any], _Hand] = {}
        self._resting: list[_Hand] = []
        """The last one to come is the first to be called."""
        self._spare = 0
        """How many rested all the while since `_dismiss` looked last."""
        self._under_way = 0
        """Pieces of work that hands have."""
        self._quiet: asyncio.Event | None = None
        self._looks = False

    def spawn(self, work: Work, name: str) -> asyncio.Task[Any]:
        """Run ``work`` in the background; a failure is logged under ``name``."""
        # Not by the loop's `create_task`, which writes a name of its own first.
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), name=name)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def do(self, work: Work, name: str) -> None:
        """The same for what every turn does, by a task that did such work before: to make one costs more than most of it.

        ``work`` that has its task cancelled on its own behalf, as its time is up, takes notice of it itself.
        """
        self._under_way += 1
        while self._resting:
            hand = self._resting.pop()
            if hand.called.done():  # it was cancelled meanwhile
                continue
            self._spare = min(self._spare, len(self._resting))
            hand.work, hand.name = work, name
            hand.called.set_result(None)
            return
        hand = _Hand(work, name)
        self._hands[self.spawn(self._one_after_another(hand), "hand")] = hand

    async def _one_after_another(self, hand: "_Hand") -> None:
        task: Any = asyncio.current_task()
        loop = asyncio.get_running_loop()  # asks the system each time which process this is
        while (work := hand.work) is not None:
            hand.work = None
            try:
                await work
            except asyncio.CancelledError:
                if task.cancelling():
                    raise
            except Exception as error:  # noqa: BLE001 - the next piece of work is somebody else's
                _failed(hand.name, error)
            finally:
                self._ended()
            while task.cancelling():  # told on the work's behalf, which is over
                task.uncancel()
            del work
            hand.called = loop.create_future()
            self._resting.append(hand)
            if not self._looks:
                self._look()
            await hand.called

    def _look(self) -> None:
        self._looks = True
        asyncio.get_running_loop().call_later(REST, self._dismiss)

    def _dismiss(self) -> None:
        """Send away the hands that were not needed lately."""
        self._looks = False
        for hand in self._resting[: self._spare]:
            hand.called.cancel()
        del self._resting[: self._spare]
        self._spare = len(self._resting)
        if self._resting:
            self._look()

    def _ended(self) -> None:
        self._under_way -= 1
        if self._quiet is not None and not self._under_way:
            self._quiet.set()
            self._quiet = None

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        hand = self._hands.pop(task, None)
        if hand is not None and hand.work is not None:  # cancelled before it began
            hand.work.close()
            hand.work = None
            self._ended()
        if not task.cancelled() and (error := task.exception()) is not None:
            _failed(task.get_name(), error)

    async def drain(self) -> None:
        """Wait until nothing runs (what running tasks spawn included)."""
        while self._under_way or len(self._running) > len(self._hands):
            if self._under_way:
                self._quiet = self._quiet or asyncio.Event()
                await self._quiet.wait()
            else:
                await asyncio.wait(self._running - self._hands.keys())

    async def close(self) -> None:
        """Cancel what runs and wait for it to stop."""
        # Again and again: on Python 3.11 `asyncio.wait_for`, which redis-py uses, can lose a cancellation.
        while self._running:
            for task in set(self._running):
                task.cancel()
            await asyncio.wait(set(self._running), timeout=1.0)


class _Hand:
    """A task that does one piece of work after another.

    Attributes:
        work: what it was given and has not begun.
        name: of what it was given last.
        called: done when there is work, while it rests.
    """

    def __init__(self, work: Work, name: str) -> None:
        self.work: Work | None = work
        self.name = name
        self.called: asyncio.Future[None] = asyncio.get_running_loop().create_future()


def _failed(name: str, error: BaseException) -> None:
    # The type only: an exception's text may quote what a resident wrote.
    log.error("task failed", task=name, error=type(error).__name__)
