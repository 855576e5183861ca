import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Home, Run


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """Processes can be interrupted: what a shell starts in the background ignores it, and so does all that is started there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A folder of one test."""
    made = Home(tmp_path)
    yield made
    assert not made.valkey(), "a server was left behind"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A service that runs while a module's tests talk with it."""
    with Home(tmp_path_factory.mktemp("run")).running() as run:
        yield run
        ended = run.interrupt()
        assert (ended.code, ended.errors) == (0, [])
