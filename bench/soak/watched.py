"""``python -m bench.soak.watched FD SETTINGS run``: the service, and a task beside it that says what the process holds.

It answers questions that come on the socket FD, a line of JSON each: ``{"what": "sample"}`` what is cheap to know,
``{"what": "census"}`` what it is made of, after a full collection; ``{"what": "garbage"}`` what that collection frees; ``{"what": "lines"}`` who allocated it. The product knows nothing of it.
"""

import asyncio
import gc
import json
import socket
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from bench.soak.hurried import hurry, let_go_sooner

_FDS: Final = Path("/proc/self/fd")
_KB: Final = 1024
_HEX: Final = 16
_LINES: Final = 5000


def sample() -> dict[str, Any]:
    """Memory, descriptors, tasks, objects, CPU."""
    rss, private = _memory()
    return {
        "rss": rss,
        "private": private,
        "fds": sum(1 for _ in _FDS.iterdir()),
        "tasks": len(asyncio.all_tasks()),
        "objects": len(gc.get_objects()),
        "collections": [each["collections"] for each in gc.get_stats()],
        "collected": sum(each["collected"] for each in gc.get_stats()),
    }


def census() -> dict[str, Any]:
    """What the process holds, by kinds, once everything that can be freed is."""
    gc.collect()
    return {
        **sample(),
        "fds by kind": dict(Counter(_descriptors())),
        "tasks by kind": dict(Counter(_name(task) for task in asyncio.all_tasks())),
        "objects by kind": dict(Counter(_kind(each) for each in gc.get_objects())),
    }


def garbage() -> dict[str, Any]:
    """What only the collector can free, by kinds: what turns left behind in cycles since it last ran."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    found = dict(Counter(_kind(each) for each in gc.garbage))
    gc.garbage.clear()
    gc.collect()
    return {**sample(), "garbage by kind": found}


def lines() -> dict[str, Any]:
    """Bytes that each line of Python allocated and that are still there; nothing unless it is traced."""
    if not tracemalloc.is_tracing():
        return {"bytes by line": {}}
    gc.collect()
    held = tracemalloc.take_snapshot().statistics("lineno")
    return {"bytes by line": {str(each.traceback[0]): each.size for each in held[:_LINES]}}


ANSWERS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "sample": sample,
    "census": census,
    "garbage": garbage,
    "lines": lines,
}


def _memory() -> tuple[int, int]:
    """Bytes resident, and those that were written to: what is only read is shared with whoever else runs Python."""
    private = resident = 0
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "Rss":
            resident = int(rest.split()[0]) * _KB
        elif name == "Private_Dirty":
            private = int(rest.split()[0]) * _KB
    return resident, private


def _name(task: "asyncio.Task[Any]") -> str:
    """A task by what it runs: names are counted up."""
    work: Any = task.get_coro()
    return str(getattr(work, "__qualname__", type(work).__qualname__))


def _kind(each: object) -> str:
    return f"{type(each).__module__}.{type(each).__qualname__}"


def _descriptors() -> list[str]:
    """Each open descriptor by what is at its other end."""
    peers = {
        **_sockets("/proc/self/net/tcp"),
        **_sockets("/proc/self/net/tcp6"),
    }
    found: list[str] = []
    for descriptor in _FDS.iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:  # the one that listed them
            continue
        kind, _, rest = target.partition(":[")
        if kind == "socket":
            found.append(peers.get(rest.rstrip("]"), "unix socket"))
        else:
            other = "ledger" if ".sqlite3" in target else "file"  # of which each connection has some
            found.append(kind if kind in {"pipe", "anon_inode"} else other)
    return found


def _sockets(table: str) -> dict[str, str]:
    """Inode of each TCP socket → the ports of its ends, or that it listens."""
    found: dict[str, str] = {}
    path = Path(table)
    for line in path.read_text().splitlines()[1:] if path.exists() else ():
        fields = line.split()
        here, there = (int(each.rpartition(":")[2], _HEX) for each in fields[1:3])
        found[fields[9]] = f"{here}-{there}" if there else f"listens {here}"
    return found


async def answer(channel: socket.socket) -> None:
    """Answer each question that comes on ``channel``; what it costs is told, so that it can be taken off."""
    reader, writer = await asyncio.open_connection(sock=channel)
    spent = 0.0
    while line := await reader.readline():
        begun = time.process_time()
        found = ANSWERS[json.loads(line)["what"]]()
        writer.write(json.dumps({**found, "cpu": begun, "spent": spent}).encode() + b"\n")
        await writer.drain()
        spent += time.process_time() - begun


def main() -> None:
    """Be the service, watched."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    settings = json.loads(sys.argv[2])
    sys.argv[1:3] = []
    hurry(settings["base"], settings["faster"])
    let_go_sooner()
    import uvloop  # noqa: PLC0415 - the clock comes first

    from bench.soak import leaks  # noqa: PLC0415
    from bot.__main__ import main as service  # noqa: PLC0415

    if settings["trace"]:
        tracemalloc.start()
    if settings["leak"]:
        leaks.KINDS[settings["leak"]]()
    run = uvloop.run

    async def beside(work: Coroutine[Any, Any, Any]) -> Any:
        watching = asyncio.get_running_loop().create_task(answer(channel))
        try:
            return await work
        finally:
            watching.cancel()

    uvloop.run = lambda work, **options: run(beside(work), **options)
    service()


if __name__ == "__main__":
    main()
