"""The databases the ledger is tested on: SQLite always, PostgreSQL where a server can be started.

A developer without PostgreSQL sees a skip that says so; with ``CI`` set its absence is a failure.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.services.ledger import migrate, open_engine

_NUMBERS = count(1)


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
def postgres() -> Generator[Server, None, None]:
    try:
        context = _running()
        server = context.__enter__()
    except (OSError, LookupError, subprocess.SubprocessError) as error:
        if os.environ.get("CI"):
            raise
        yield Server(0, f"PostgreSQL cannot be started here: {error}")
        return
    try:
        yield server
    finally:
        context.__exit__(None, None, None)


@pytest.fixture(scope="session")
async def template(postgres: Server) -> str:
    """A migrated PostgreSQL database that tests get copies of."""
    if postgres.missing:
        return ""
    await postgres.run("CREATE DATABASE template_ledger")
    engine = open_engine(postgres.url("template_ledger"))
    await migrate(engine)
    await engine.dispose()
    return "template_ledger"


@pytest.fixture(params=["sqlite", "postgres"])
async def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: Server, template: str
) -> str:
    """The address of an empty, migrated ledger."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"
        engine = open_engine(url)
        await migrate(engine)
        await engine.dispose()
        return url
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
