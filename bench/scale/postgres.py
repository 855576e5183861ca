"""A PostgreSQL of the bench's own, on loopback, gone afterwards."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Final

_LIMIT: Final = 120
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "''",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "jit": "off",
    "synchronous_commit": "off",  # the disk of a shared machine is not what is measured
}


class Missing(Exception):
    """PostgreSQL is not installed."""


def _tool(name: str) -> str:
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which(name) or next((str(home / name) for home in homes if (home / name).exists()), None)
    if found is None:
        raise Missing(f"{name} is not installed")
    return found


@contextlib.contextmanager
def running() -> Generator[str, None, None]:
    """Its address, as `bot.config` takes it.

    Raises:
        Missing: PostgreSQL is not installed.
    """
    initdb, pg_ctl = _tool("initdb"), _tool("pg_ctl")
    # PostgreSQL refuses to run as root.
    prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="scale-pg-"))
    if prefix:
        shutil.chown(folder, "postgres")
    data = str(folder / "data")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = " ".join([f"-p {port}", *(f"-c {name}={value}" for name, value in _SETTINGS.items())])

    def run(*command: str) -> None:
        subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL, cwd=folder, timeout=_LIMIT)

    try:
        run(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        run(pg_ctl, "-D", data, "-l", str(folder / "log"), "-o", options, "-w", "start")
        try:
            yield f"postgresql+asyncpg://postgres@127.0.0.1:{port}/postgres"
        finally:
            run(pg_ctl, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
