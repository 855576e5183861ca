"""For all tests: property tests search anew on a desk and repeat themselves in continuous integration."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Final

import certifi
import pytest
from hypothesis import settings

from bot import tasks

COMPILED: Final = not str(tasks.__file__).endswith(".py")
"""Whether it is the compiled service that is tested: `make test-compiled`."""

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


def pytest_xdist_auto_num_workers() -> int:
    """Three workers for two cores: servers, browsers and processes are waited for a third of the time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return (3 * cores + 1) // 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is long comes first, among several workers.

    What replaces parts of the service cannot be tried on the compiled one, whose classes do not let it (ADR 0026).
    """
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    if COMPILED:
        skip = pytest.mark.skip(reason="replaces parts of compiled classes")
        for item in items:
            if item.get_closest_marker("interpreted"):
                item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Generator[None, None, None]:
    """One of certifi's 140 authorities: every client loads them all, 40 ms long, and the tests speak http on loopback."""
    end = "-----END CERTIFICATE-----\n"
    first = Path(certifi.where()).read_text("utf-8").partition(end)[0] + end
    bundle = tmp_path_factory.mktemp("authorities") / "one.pem"
    bundle.write_text(first, "utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(certifi, "where", lambda: str(bundle))
        yield
