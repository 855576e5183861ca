"""The command line: ``iqamati run``, ``chat``, ``graph``, ``keys``, and the operators' commands."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NoReturn

import uvloop

from bot import logs
from bot.banner import banner
from bot.bootstrap import embedded_redis_url, opened, redis_url
from bot.config import Settings, load
from bot.dialogs import dialogs
from bot.dialogs.home import Operator
from bot.embedded import only_one
from bot.errors import ConfigError, StoreAway
from bot.graph import faults, mermaid
from bot.handlers.terminal import Terminal, interactive
from bot.operators import cli as operators
from bot.operators import keys
from bot.outside import needs_sandbox, sandbox
from bot.process import Service
from bot.serve import bind, few_hands, serving, spare_collector
from bot.tasks import Tasks


def main() -> None:
    """Run the command line. Exits 0, or 1 after one line on standard error."""
    arguments = _parser().parse_args()
    try:
        arguments.run(arguments)
    except ConfigError as error:
        sys.exit(f"iqamati: {error}")
    except StoreAway:
        sys.exit("iqamati: Redis does not answer any more; what was saved is kept")
    except KeyboardInterrupt:
        sys.exit(130)


class _Parser(argparse.ArgumentParser):
    """A wrong command line ends with 1: operators' commands end with 2 when they found something."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="iqamati", description="Iqamati: a chat service for residents.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="start the service in the foreground")
    run.set_defaults(run=_run)
    chat = commands.add_parser(
        "chat",
        help="chat in the terminal, or from a script",
        description=Terminal.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    chat.add_argument("--channel-user", default="me", help="whose chat to carry on (default: me)")
    chat.add_argument("--lang", default="", choices=("ar", "en"), help="language the channel names")
    chat.add_argument(
        "--timeout",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="script only: longest wait for the replies to a line, and for !wait (default: 10)",
    )
    chat.set_defaults(run=_chat)
    graph = commands.add_parser("graph", help="write the dialogs' diagrams")
    graph.add_argument("folder", type=Path, nargs="?", default=Path("docs/dialogs"))
    graph.add_argument("--check", action="store_true", help="write nothing; fail when a diagram is stale")
    graph.set_defaults(run=_graph)
    keys.add(
        commands.add_parser(
            "keys",
            help="encryption keys: make, rotate, count, drop",
            description=keys.ABOUT,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    operators.add(commands)
    return parser


def _run(_arguments: argparse.Namespace) -> None:
    settings = load()
    logs.set_up(settings.log_level)
    with only_one(settings.data_dir) as alone:
        if not alone:
            raise ConfigError(f"DATA_DIR: the service runs already on {settings.data_dir}")
        uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = _stop_signal()
    async with running(settings) as service:
        if service.telegram is not None:
            service.tasks.spawn(_telegram(service, stop), "telegram")
        spare_collector()
        print(banner(settings, sandbox=needs_sandbox(settings)), flush=True)
        await stop.wait()
        print("Stopping.", flush=True)


async def _telegram(service: Service, stop: asyncio.Event) -> None:
    """Telegram's inbound side; a token it does not know stops the service with one line."""
    try:
        if service.telegram is not None:
            await service.telegram.run(service.runtime.handle, service.intake)
    except ConfigError as error:
        print(f"iqamati: {error}", file=sys.stderr, flush=True)
        stop.set()


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[Service, None]:
    """The whole service while the block runs: store, servers, sandbox, rounds."""
    few_hands()
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(bind(settings.host, settings.port, "PORT"))
        tasks = Tasks()
        if needs_sandbox(settings):
            outside = stack.enter_context(bind("127.0.0.1", settings.sandbox_port, "SANDBOX_PORT"))
            app = await stack.enter_async_context(sandbox(settings))
            await stack.enter_async_context(serving(app, outside))
        redis_at = stack.enter_context(redis_url(settings))
        service = await stack.enter_async_context(opened(settings, redis_at, tasks))
        await stack.enter_async_context(serving(service.app(), listener, lane=service.lane()))
        stack.callback(service.log.hang_up)
        service.sweep()
        yield service


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _chat(arguments: argparse.Namespace) -> None:
    settings = load()
    logs.set_up("error")
    with only_one(settings.data_dir) as alone:
        code = uvloop.run(_converse(settings, arguments, alone=alone))
    sys.exit(code)


async def _converse(settings: Settings, arguments: argparse.Namespace, *, alone: bool) -> int:
    """Chat through the service that runs on the data folder, or start one for as long as the chat lasts."""
    async with AsyncExitStack() as stack:
        if alone:
            service = await stack.enter_async_context(running(settings))
        else:
            service = await stack.enter_async_context(opened(settings, embedded_redis_url(settings), Tasks()))
            service.attend()
        terminal = Terminal(
            log=service.log,
            handle=service.runtime.handle,
            intake=service.intake,
            settled=service.runtime.deliveries.settled,
            user=arguments.channel_user,
            language=arguments.lang,
            timeout=arguments.timeout,
        )
        if interactive():
            return await terminal.talk()
        return await terminal.script(sys.stdin)


def _graph(arguments: argparse.Namespace) -> None:
    table = dialogs(Operator())
    if wrong := faults(table):
        raise ConfigError("dialogs: " + "; ".join(wrong))
    stale: list[str] = []
    for dialog in table:
        path = arguments.folder / f"{dialog.id}.mmd"
        drawn = mermaid(dialog)
        if arguments.check:
            if not path.is_file() or path.read_text("utf-8") != drawn:
                stale.append(str(path))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(drawn, "utf-8")
    if stale:
        raise ConfigError("stale diagrams, run `iqamati graph`: " + ", ".join(stale))


if __name__ == "__main__":
    main()
