"""``python -P nursery.py``: has imported a release, and forks a process of it for each line that asks for one.

To import it takes seconds, to fork it does not. The fork has its own environment, folder, log and session, and runs the
command line as ``iqamati`` does. Lines in: ``{"name", "args", "env", "folder"}`` and ``{"name", "signal"}``. Lines out:
``{"ready"}``, then ``{"name", "ended"}`` with the exit status. Whatever still runs when its input ends is killed.
"""

import importlib
import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Serve the lines."""
    service = importlib.import_module("bot.__main__")  # what takes long
    importlib.import_module("bot.handlers.telegram")  # likewise
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    os.set_blocking(told, False)
    signal.set_wakeup_fd(tell)
    signal.signal(signal.SIGCHLD, _heard)
    running: dict[int, str] = {}
    _say(ready=service.__file__)
    rest = b""
    while True:
        ready, _, _ = select.select([0, told], [], [])
        if told in ready:
            os.read(told, 4096)
            _reap(running)
        if 0 in ready:
            read = os.read(0, 65536)
            if not read:
                break
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                _obey(json.loads(line), running)
    for number in running:
        os.kill(number, signal.SIGKILL)


def _heard(_number: int, _frame: object) -> None:
    """A handler, so that the pipe is told."""


def _obey(order: dict[str, Any], running: dict[int, str]) -> None:
    if "signal" in order:
        for number, name in running.items():
            if name == order["name"]:
                os.kill(number, order["signal"])
        return
    sys.stdout.flush()
    number = os.fork()
    if number:
        running[number] = order["name"]
    else:
        _be(order)


def _be(order: dict[str, Any]) -> None:
    """Be the process that was asked for; never returns."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update(order["env"])
        log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for number, place in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
            os.dup2(number, place)
        sys.argv = ["iqamati", *order["args"]]
        importlib.import_module("bot.__main__").main()
        status = 0
    except SystemExit as ended:
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException as error:  # noqa: BLE001 - what Python does with one, in a process that must not return
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _reap(running: dict[int, str]) -> None:
    while running:
        number, status = os.waitpid(-1, os.WNOHANG)
        if not number:
            return
        _say(name=running.pop(number), ended=os.waitstatus_to_exitcode(status))


def _say(**told: Any) -> None:
    os.write(1, json.dumps(told).encode() + b"\n")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(os.environ["PYTHONPATH"])))
    main()
