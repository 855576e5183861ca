"""The operators' commands on the command line: their arguments, and what comes before and after them."""

import argparse
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

import uvloop

from bot import logs
from bot.config import load
from bot.errors import BotError, ConfigError
from bot.operators import orders, reconcile, refund, review
from bot.operators.desk import Desk, opened, operator
from bot.services.orders.refunds import NotPossible

Command = Callable[[Desk, argparse.Namespace], Awaitable[int]]


class Commands(Protocol):
    """What ``ArgumentParser.add_subparsers`` gives."""

    def add_parser(self, name: str, **settings: Any) -> argparse.ArgumentParser:
        """A parser for one more command."""
        ...


def add(commands: Commands) -> None:
    """Add ``orders``, ``refund``, ``review`` and ``reconcile`` to the command line."""
    _add(commands, "orders", "find orders and payments", orders.ABOUT, orders.add, orders.run)
    _add(commands, "refund", "give money back", refund.ABOUT, refund.add, refund.run)
    _add(commands, "review", "what needs a person", review.ABOUT, review.add, review.run)
    _add(
        commands,
        "reconcile",
        "compare a gateway's settlement file with the ledger",
        reconcile.ABOUT,
        reconcile.add,
        reconcile.run,
    )


def _add(
    commands: Commands,
    name: str,
    summary: str,
    about: str,
    arguments: Callable[[argparse.ArgumentParser], None],
    command: Command,
) -> None:
    look = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(name, help=summary, description=about, formatter_class=look)
    arguments(parser)
    parser.add_argument("--json", action="store_true", help="for programs; the keys stay as they are")
    parser.add_argument("--operator", default="", metavar="NAME", help="who you are (default: the OS user)")
    parser.set_defaults(run=partial(_end, command))


def _end(command: Command, arguments: argparse.Namespace) -> None:
    sys.exit(_run(command, arguments))


def _run(command: Command, arguments: argparse.Namespace) -> int:
    """Run one command; errors are one line on standard error and exit code 1."""
    settings = load()
    logs.set_up("critical")  # the command itself says what happened
    who = operator(arguments.operator)

    async def work() -> int:
        async with opened(settings, who) as desk:
            return await command(desk, arguments)

    try:
        return uvloop.run(work())
    except ConfigError:
        raise
    except NotPossible as error:
        sys.stderr.write(f"iqamati: {error}\n")
    except BotError as error:
        # Nothing personal in it: `OutsideError` holds a service's name and a reason.
        sys.stderr.write(f"iqamati: {error}; nothing was changed that is not shown\n")
    return 1
