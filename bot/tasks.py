"""Background tasks that are never lost: referenced, named, logged when they fail."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Tasks:
    """Owns the background tasks of one component."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run ``work`` in the background; a failure is logged under ``name``."""
        # Not by the loop's `create_task`, which writes a name of its own first.
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), name=name)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            # The type only: an exception's text may quote what a resident wrote.
            log.error("task failed", task=task.get_name(), error=type(error).__name__)

    async def drain(self) -> None:
        """Wait until nothing runs (what running tasks spawn included)."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def close(self) -> None:
        """Cancel what runs and wait for it to stop."""
        # Again and again: on Python 3.11 `asyncio.wait_for`, which redis-py uses, can lose a cancellation.
        while self._running:
            for task in set(self._running):
                task.cancel()
            await asyncio.wait(set(self._running), timeout=1.0)
