"""``python -m tests.chaos.nursery``: where the service's processes come from.

A start of the command spends seconds of a processor on imports, and a run kills hundreds of processes. So one process
imports what ``iqamati run`` imports and forks one that goes on as that command, with an environment, a folder and a log
of its own, for each line ``{"name", "folder", "environment", "wrong"}`` on standard input. ``{"kill": name}`` ends one with
SIGKILL. It says ``{"name", "status"}`` of whoever ended, and takes all of them along when its input closes.
"""

import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from typing import Any, Final

COMMAND: Final = "bot.__main__"
LATER: Final = (
    "alembic.command",
    "aiosqlite",
    "asyncpg",
    "authlib.oauth2.client",
    "authlib.oauth2.rfc7636",
    "bot.handlers.telegram",
    "bot.services.identity.claims",
    "bot.services.identity.keys",
    "bot.services.identity.requests",
    "httpx",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "stamina",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto",
)
"""What the command imports only once it runs."""


class Nursery:
    """The parent of them all."""

    def __init__(self) -> None:
        self._alive: dict[int, str] = {}
        self._asked = b""

    def serve(self) -> dict[str, Any] | None:
        """Fork and bury until the input closes; in each new process, what it was born for."""
        ended, wake = socket.socketpair()
        for each in (ended, wake):
            each.setblocking(False)
        signal.signal(signal.SIGCHLD, _woken)
        signal.set_wakeup_fd(wake.fileno())
        with selectors.DefaultSelector() as ready:
            ready.register(sys.stdin.fileno(), selectors.EVENT_READ)
            ready.register(ended, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj is ended:
                        ended.recv(4096)
                        self._bury()
                        continue
                    data = os.read(sys.stdin.fileno(), 1 << 16)
                    if not data:
                        self._end()
                        return None
                    for line in self._lines(data):
                        if (born := self._do(json.loads(line))) is not None:
                            signal.set_wakeup_fd(-1)
                            ended.close()
                            wake.close()
                            return born

    def _lines(self, data: bytes) -> list[bytes]:
        *lines, self._asked = (self._asked + data).split(b"\n")
        return lines

    def _do(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        if "kill" in asked:
            for process in [each for each, name in self._alive.items() if name == asked["kill"]]:
                os.kill(process, signal.SIGKILL)
            return None
        process = os.fork()
        if not process:
            return asked
        self._alive[process] = asked["name"]
        return None

    def _bury(self) -> None:
        while self._alive:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            told = {"name": self._alive.pop(process), "status": os.waitstatus_to_exitcode(status)}
            os.write(sys.stdout.fileno(), json.dumps(told).encode() + b"\n")

    def _end(self) -> None:
        for process in self._alive:
            os.kill(process, signal.SIGKILL)
        for process in self._alive:
            os.waitpid(process, 0)


def _woken(_number: int, _frame: object) -> None:
    """The descriptor tells it; without a handler of Python's it would not."""


def live(born: dict[str, Any]) -> None:
    """Be ``iqamati run`` in a process of its own, with a clock that is ``wrong`` by so many seconds."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(born["folder"])
    os.environ.clear()
    os.environ.update(born["environment"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for made, place in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(made, place)
    for made in (nothing, log):
        os.close(made)
    if wrong := born["wrong"]:
        right = time.time  # noqa: TID251 - the very clock
        time.time = lambda: right() + wrong  # noqa: TID251 - before anything of the service runs
    sys.argv = ["iqamati", "run"]
    importlib.import_module(COMMAND).main()


def main() -> None:
    """Import, then serve."""
    for name in (COMMAND, *LATER):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is shared with the parent stays shared
    os.write(sys.stdout.fileno(), b"{}\n")
    born = Nursery().serve()
    if born is not None:
        sys.stdout.flush()
        live(born)


if __name__ == "__main__":
    main()
