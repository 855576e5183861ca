"""Where operators' commands work: the ledger and the gateways, without Redis and without any server.

The service may run meanwhile: what a command writes (a refund that is done, an order to be recorded again)
the running service finds and acts on.
"""

import contextlib
import getpass
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.clock import SystemClock
from bot.config import Settings
from bot.crypto import Keyring
from bot.errors import ConfigError, Unreadable
from bot.model import Chat
from bot.outside import open_gateways, open_ledger
from bot.ports import Clock
from bot.secret_keys import load_keyring
from bot.services.ledger import Ledger, Order, default_url
from bot.services.orders.closing import Closing
from bot.services.orders.refunds import Refunds
from bot.services.payments.gateways import Gateways

_LONGEST_NAME: Final = 32
"""Characters of an operator's name the ledger keeps."""


@dataclass(frozen=True)
class Desk:
    """What a command works with. ``who`` is the operator's name, ``provider`` the current gateway's."""

    ledger: Ledger
    gateways: Gateways
    keyring: Keyring
    clock: Clock
    who: str
    provider: str

    @property
    def refunds(self) -> Refunds:
        """Giving money back."""
        return Refunds(self.ledger, self.gateways, self.clock)

    @property
    def closing(self) -> Closing:
        """Ending reviews."""
        return Closing(self.ledger, self.gateways, self.clock)

    def chat(self, order: Order) -> Chat | None:
        """The order's chat, to be shown only as `Chat.channel` unless its reveal was audited.

        None when no key opens it.
        """
        try:
            opened = self.keyring.open(order.chat, f"order:{order.ref}".encode())
        except Unreadable:
            return None
        return msgspec.json.decode(opened, type=Chat)


@contextlib.asynccontextmanager
async def opened(settings: Settings, who: str) -> AsyncGenerator[Desk, None]:
    """Open what the settings name, and close it again.

    Args:
        settings: as the service has them.
        who: the operator.

    Raises:
        ConfigError: something cannot be opened; one line for the operator.
    """
    clock = SystemClock()
    _must_exist(settings)
    keyring = load_keyring(settings)
    async with AsyncExitStack() as stack:
        ledger = await open_ledger(settings, stack)
        gateways = open_gateways(settings, keyring, clock)
        stack.push_async_callback(gateways.close)
        yield Desk(ledger, gateways, keyring, clock, who, settings.payments)


def operator(given: str) -> str:
    """Who is at the desk: ``given``, or else the user of the operating system.

    Raises:
        ConfigError: neither is known.
    """
    name = given.strip()
    if not name:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):  # a container without users
            raise ConfigError("--operator: say who you are") from None
    if not name.isprintable() or len(name) > _LONGEST_NAME:
        raise ConfigError(f"--operator: at most {_LONGEST_NAME} printable characters")
    return name


def _must_exist(settings: Settings) -> None:
    """A wrong DATA_DIR must not answer with a fresh, empty ledger and new keys."""
    try:
        url = make_url(settings.database_url or default_url(settings.data_dir))
    except ArgumentError:
        raise ConfigError("DATABASE_URL: not an address of a database") from None
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise ConfigError("DATA_DIR: no ledger is kept there; has the service run with these settings?")
