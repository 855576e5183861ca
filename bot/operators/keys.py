"""``iqamati keys``: make, rotate and drop encryption keys, and see what is still sealed with which."""

import argparse
import sys
from contextlib import AsyncExitStack

import msgspec
import uvloop

from bot import logs
from bot.bootstrap import embedded_redis_url, redis_url
from bot.clock import SystemClock
from bot.config import Settings, load
from bot.crypto import Keyring
from bot.embedded import only_one
from bot.errors import ConfigError, StoreAway, Unavailable
from bot.outside import open_ledger
from bot.secret_keys import Rotation, drop_older, load_keyring, rotate
from bot.services.ledger.resealing import SEALED, Sealing, reseal
from bot.store.connect import connect
from bot.store.privacy import ChatMemory
from bot.store.sessions import Sessions
from bot.store.weblog import WebLog
from bot.tasks import Tasks

ABOUT = """\
new     print a fresh value for SECRET_KEYS.
rotate  put a fresh key before the others. Keys of the data folder: at once, and running services follow within
        seconds; they seal the ledger anew by themselves, and Redis as it is touched. Keys of SECRET_KEYS: prints
        two values, to be deployed one after the other, each to all processes.
status  how many values of Redis and of the ledger are sealed with which key (also: rotate --status).
drop    forget the older keys; refused while anything is sealed with one of them.

Redis is under the newest key 30 hours after a rotation, but for sessions that could not be read, which are put
aside for 30 days."""


class Used(msgspec.Struct, frozen=True):
    """How much is sealed with one key.

    Attributes:
        key: its id in hex; no secret.
        newest: whether it seals now.
        redis: values in Redis.
        ledger: rows by column.
    """

    key: str
    newest: bool
    redis: int
    ledger: dict[str, int]

    @property
    def total(self) -> int:
        """All of it."""
        return self.redis + sum(self.ledger.values())


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", choices=("new", "rotate", "status", "drop"))
    parser.add_argument("--status", action="store_true", help="with rotate: change nothing, show the status")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the command.

    Raises:
        ConfigError: it cannot be done; one line for the operator.
    """
    if arguments.action == "new":
        sys.stdout.write(f"{Keyring.generate()}\n")
        return
    settings = load()
    logs.set_up("critical")
    if arguments.action == "status" or arguments.status:
        _show(_used(settings))
    elif arguments.action == "rotate":
        _tell(rotate(settings), settings)
    else:
        _drop(settings)


def _drop(settings: Settings) -> None:
    used = _used(settings)
    if left := sum(each.total for each in used if not each.newest):
        _show(used)
        raise ConfigError(f"keys drop: {left} values are still sealed with older keys")
    done = drop_older(settings, SystemClock().now())
    for step in done.steps:
        sys.stdout.write(f"SECRET_KEYS={step}\n")
    sys.stdout.write(f"older keys {'to drop' if done.steps else 'dropped'}: {len(used) - 1}\n")


def _tell(done: Rotation, settings: Settings) -> None:
    if not done.steps:
        newest = load_keyring(settings).newest.hex()
        sys.stdout.write(
            f"new key {newest}; running services follow within seconds (`iqamati keys status`)\n"
        )
        return
    first, second = done.steps
    sys.stdout.write(
        "1. Deploy to all processes; they can then read what the new key seals:\n"
        f"SECRET_KEYS={first}\n"
        "2. When all of them run with it, deploy to all processes; they then seal with the new key:\n"
        f"SECRET_KEYS={second}\n"
    )


def _show(used: list[Used]) -> None:
    for each in used:
        rows = "  ".join(f"{column} {rows}" for column, rows in each.ledger.items())
        state = "newest" if each.newest else "older "
        sys.stdout.write(f"{each.key}  {state}  redis {each.redis}  {rows}\n")


def _used(settings: Settings) -> list[Used]:
    with only_one(settings.data_dir) as alone:
        return uvloop.run(_count(settings, alone=alone))


async def _count(settings: Settings, *, alone: bool) -> list[Used]:
    """By key, the newest first. Where no service runs on the data folder, its Valkey is started meanwhile."""
    keyring, clock, tasks = load_keyring(settings), SystemClock(), Tasks()
    async with AsyncExitStack() as stack:
        address = stack.enter_context(redis_url(settings)) if alone else embedded_redis_url(settings)
        redis = await connect(address)
        stack.push_async_callback(redis.aclose)
        store = Sessions(redis, keyring, "keys")
        log = WebLog(redis, keyring, store.place, tasks, clock)
        stack.push_async_callback(log.close)
        ledger = await open_ledger(settings, stack)
        try:
            if alone:  # nobody else would
                await reseal(ledger, keyring)
            values = await ChatMemory(redis, store, log, clock, keyring).sealed()
            async with ledger.read() as read:
                rows = {sealed.name: await Sealing.of(read).count(sealed) for sealed in SEALED}
        except (StoreAway, Unavailable) as error:
            raise ConfigError(f"keys: not everything could be counted ({type(error).__name__})") from None
    return _by_key(keyring, values, rows)


def _by_key(keyring: Keyring, values: dict[bytes, int], rows: dict[str, dict[bytes, int]]) -> list[Used]:
    unknown = {key for found in rows.values() for key in found}.difference(keyring.ids)
    return [
        Used(
            key.hex(),
            key == keyring.newest,
            values.get(key, 0),
            {column: found.get(key, 0) for column, found in rows.items()},
        )
        for key in (*keyring.ids, *sorted(unknown))
    ]
