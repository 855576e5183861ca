"""Leaks made on purpose, so that it is seen that the verdict sees them."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

_KEPT: list[Any] = []
_EVERY: Final = 10
"""Turns from one descriptor to the next."""


def a_list_a_turn() -> None:
    """A small list is kept of every turn."""
    _after_each_turn(lambda _store: _KEPT.append([object()]))


def a_kilobyte_a_turn() -> None:
    """Bytes are kept of every turn, which the garbage collector does not know."""
    _after_each_turn(lambda _store: _KEPT.append(bytearray(1024)))


def a_descriptor_in_ten_turns() -> None:
    """A file stays open."""
    turns = 0

    def open_one(_store: Any) -> None:
        nonlocal turns
        turns += 1
        if turns % _EVERY == 0:
            _KEPT.append(Path("/dev/null").open("rb"))  # noqa: SIM115 - the leak

    _after_each_turn(open_one)


def a_task_a_stream() -> None:
    """A task waits for ever for each page that was open."""
    from bot.handlers.web.chat import WebChat  # noqa: PLC0415 - only once the clock is set

    right = WebChat._stream  # noqa: SLF001 - where streams begin

    def stream(*given: Any) -> AsyncIterator[bytes]:
        _KEPT.append(asyncio.get_running_loop().create_task(asyncio.Event().wait()))
        return right(*given)

    WebChat._stream = stream  # type: ignore[method-assign,assignment]  # noqa: SLF001


def a_key_a_turn() -> None:
    """Redis keeps a key of every turn, for good."""
    _after_each_turn(lambda store: store._redis.set(f"leak:{len(_KEPT)}:{id(object())}", b"x" * 100))  # noqa: SLF001


def _after_each_turn(leak: Callable[[Any], Any]) -> None:
    from bot.store.sessions import Sessions  # noqa: PLC0415 - only once the clock is set

    right = Sessions.commit

    async def commit(self: Sessions, *arguments: Any, **named: Any) -> tuple[str, ...]:
        done = await right(self, *arguments, **named)
        waiting = leak(self)
        if asyncio.iscoroutine(waiting):
            await waiting
            _KEPT.append(None)
        return done

    Sessions.commit = commit  # type: ignore[method-assign]


KINDS: Final[dict[str, Callable[[], None]]] = {
    "list": a_list_a_turn,
    "bytes": a_kilobyte_a_turn,
    "descriptor": a_descriptor_in_ten_turns,
    "task": a_task_a_stream,
    "key": a_key_a_turn,
}
