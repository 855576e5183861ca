"""The databases the ledger is tested on: SQLite always, PostgreSQL where a server can be started.

A developer without PostgreSQL sees a skip that says so; with ``CI`` set its absence is a failure.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.services.ledger import migrate, open_engine

_NUMBERS = count(1)
_SERVER = pytest.StashKey["Server"]()
_TEMPLATE = pytest.StashKey[bool]()


@dataclass(frozen=True)
class Server:
    port: int
    missing: str = ""

    def url(self, name: str) -> str:
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{name}"

    async def run(self, statement: str) -> None:
        engine = create_async_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(statement))
        await engine.dispose()


def _tool(name: str) -> str:
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which(name) or next((str(home / name) for home in homes if (home / name).exists()), None)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found


@contextmanager
def _running() -> Generator[Server, None, None]:
    initdb, pg_ctl = _tool("initdb"), _tool("pg_ctl")
    # PostgreSQL refuses to run as root.
    prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="iqamati-pg-"))
    if prefix:
        shutil.chown(folder, "postgres")
    data, log = str(folder / "data"), str(folder / "log")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        " -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"
    )

    def run(*command: str) -> None:
        subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL, cwd=folder, timeout=60)

    try:
        run(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        run(pg_ctl, "-D", data, "-l", log, "-o", options, "-w", "start")
        try:
            yield Server(port)
        finally:
            run(pg_ctl, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Server:
    """The one server of a run: each folder whose conftest names this fixture has one of its own by pytest's rules."""
    stash = request.config.stash
    if _SERVER not in stash:
        context = _running()
        try:
            stash[_SERVER] = context.__enter__()
        except (OSError, LookupError, subprocess.SubprocessError) as error:
            if os.environ.get("CI"):
                raise
            stash[_SERVER] = Server(0, f"PostgreSQL cannot be started here: {error}")
        else:
            stack = ExitStack()
            stack.push(context)
            request.config.add_cleanup(stack.close)
    return stash[_SERVER]


@pytest.fixture(scope="session")
async def template(postgres: Server, request: pytest.FixtureRequest) -> str:
    """A migrated PostgreSQL database that tests get copies of; one for the whole run, as the server."""
    if postgres.missing or request.config.stash.get(_TEMPLATE, False):
        return "template_ledger"
    request.config.stash[_TEMPLATE] = True
    await postgres.run("CREATE DATABASE template_ledger")
    engine = open_engine(postgres.url("template_ledger"))
    await migrate(engine)
    await engine.dispose()
    return "template_ledger"


@cache
def _migrated() -> bytes:
    """An empty, migrated SQLite ledger as it lies on the disk; migrating takes long, copying does not."""

    async def made(folder: str) -> bytes:
        engine = open_engine(f"sqlite+aiosqlite:///{folder}/ledger.sqlite3")
        await migrate(engine)
        await engine.dispose()
        return (Path(folder) / "ledger.sqlite3").read_bytes()

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, made(folder)).result()


def sqlite_ledger(folder: Path) -> str:
    """The address of an empty, migrated SQLite ledger in ``folder``."""
    path = folder / "ledger.sqlite3"
    path.write_bytes(_migrated())
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgres"])
async def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: Server, template: str
) -> str:
    """The address of an empty, migrated ledger."""
    if request.param == "sqlite":
        return sqlite_ledger(tmp_path)
    if postgres.missing:
        pytest.skip(postgres.missing)
    name = f"ledger_{next(_NUMBERS)}"
    await postgres.run(f"CREATE DATABASE {name} TEMPLATE {template}")
    return postgres.url(name)


@pytest.fixture
async def engine(database_url: str) -> AsyncGenerator[AsyncEngine, None]:
    engine = open_engine(database_url)
    yield engine
    await engine.dispose()
