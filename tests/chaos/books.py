"""The shared ledger's database: PostgreSQL, which can be restarted; SQLite where there is none.

Read by plain SQL: nothing here knows the product's tables but their names.
"""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.chaos.ports import free

_TRIES: Final = 5


class Books(Protocol):
    """The database behind the ledger."""

    name: str

    @property
    def url(self) -> str: ...
    async def restart(self) -> bool:
        """End it as a crash does and start it again; False where there is nothing to restart."""
        ...

    async def rows(self, query: str) -> list[dict[str, Any]]: ...
    def stop(self) -> None: ...


class PostgreSQL:
    """A server of its own. Nothing is synced to disk: the machine does not crash, only the server does."""

    name = "PostgreSQL"

    def __init__(self) -> None:
        self._initdb, self._ctl = _tool("initdb"), _tool("pg_ctl")
        # PostgreSQL refuses to run as root.
        self._prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        self._folder = Path(tempfile.mkdtemp(prefix="iqamati-chaos-pg-"))
        if self._prefix:
            shutil.chown(self._folder, "postgres")
        self._data = str(self._folder / "data")
        try:
            self._run(
                self._initdb, "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"
            )
            self._first_start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/postgres"

    async def restart(self) -> bool:
        await asyncio.to_thread(self._run, self._ctl, "-D", self._data, "-m", "immediate", "stop")
        await asyncio.sleep(1.0)
        await asyncio.to_thread(self._start)
        return True

    async def rows(self, query: str) -> list[dict[str, Any]]:
        engine = create_async_engine(self.url)
        try:
            async with engine.connect() as connection:
                return [dict(row) for row in (await connection.execute(text(query))).mappings()]
        finally:
            await engine.dispose()

    def stop(self) -> None:
        self._run(self._ctl, "-D", self._data, "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _first_start(self) -> None:
        """On a port that nobody takes between choosing it and listening there."""
        for left in reversed(range(_TRIES)):
            (self.port,) = free()
            try:
                self._start()
            except subprocess.CalledProcessError as error:
                if not left:
                    log = (self._folder / "log").read_text("utf-8", "replace")
                    raise RuntimeError(f"PostgreSQL does not start: {log[-2000:]}") from error
            else:
                return

    def _start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
            " -c max_connections=200"
        )
        log = str(self._folder / "log")
        self._run(self._ctl, "-D", self._data, "-l", log, "-o", options, "-w", "start")

    def _run(self, *command: str) -> None:
        subprocess.run(
            [*self._prefix, *command], check=True, stdout=subprocess.DEVNULL, cwd=self._folder, timeout=120
        )


class SQLite:
    """One file that all processes share."""

    name = "SQLite (no PostgreSQL here)"

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ledger.sqlite3"

    @property
    def url(self) -> str:
        return f"sqlite+aiosqlite:///{self._path}"

    async def restart(self) -> bool:
        return False

    async def rows(self, query: str) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self._rows, query)

    def _rows(self, query: str) -> list[dict[str, Any]]:
        connection = sqlite3.connect(self._path)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query)]
        finally:
            connection.close()

    def stop(self) -> None:
        """Nothing runs."""


def open_books(folder: Path) -> Books:
    """PostgreSQL where it is installed."""
    try:
        return PostgreSQL()
    except FileNotFoundError:
        return SQLite(folder)


def _tool(name: str) -> str:
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which(name) or next((str(home / name) for home in homes if (home / name).exists()), None)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found
