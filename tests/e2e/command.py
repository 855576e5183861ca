"""The command line as a person starts it: processes, their output, what they leave behind."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from bot.embedded import EmbeddedValkey

ROOT = Path(__file__).resolve().parents[2]
SAFETY = 60
"""Seconds after which a process that does not end is given up."""
CIVIL_ID = "285011500029"
ARABIC_DIGITS = "٢٨٥٠١١٥٠٠٠٢٩"

_LINK = re.compile(r"http://\S+/p/\S+")
_CHANGING = (
    (_LINK, "<link>"),
    (re.compile(r"IQ-[0-9A-Z]{4}-[0-9A-Z]{4}"), "<order>"),
    (re.compile(r"(?<=مرجع البنك )\d{12}\b"), "<bank>"),
    (re.compile(r"\b\d\d:\d\d\b"), "<time>"),
    (re.compile(r"(?<=بتاريخ )\d\d? \S+ \d{4}(?=، الساعة)"), "<day>"),
    (re.compile(r"(?<=رقم عملية الدفع )[0-9]{18}\b"), "<payment>"),
    (re.compile(r"(?<=رقم التتبع )[0-9A-Z]{19}\b"), "<track>"),
    (re.compile(r"http://127\.0\.0\.1:\d+/receipts/\S+\.pdf"), "<paper>"),
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def steady(lines: list[str]) -> list[str]:
    """``lines`` with what differs from run to run replaced by names."""
    out: list[str] = []
    for line in lines:
        told = line
        for pattern, name in _CHANGING:
            told = pattern.sub(name, told)
        out.append(told)
    return out


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    code: int
    lines: list[str]
    errors: list[str]


@dataclass
class Home:
    """A folder in which the service is started, with settings of its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    sandbox_port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, **settings: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            "PYTHONUTF8": "1",
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108 - where a long DATA_DIR has its socket
            "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
            "DATA_DIR": "data",
            **self.settings,
            **settings,
        }

    def start(self, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
        """In a process group of its own, as a shell does it."""
        return subprocess.Popen(
            [sys.executable, "-m", "bot", *arguments],
            cwd=self.folder,
            env=self.environment(**settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def command(self, *arguments: str, text: str = "", **settings: str) -> Ended:
        """Run a command to its end."""
        with self.start(*arguments, **settings) as process:
            try:
                out, errors = process.communicate(text, timeout=SAFETY)
            except subprocess.TimeoutExpired:
                process.kill()
                self.clear()
                raise
        return Ended(process.returncode, out.splitlines(), errors.splitlines())

    def chat(self, *lines: str, arguments: tuple[str, ...] = (), code: int = 0) -> list[str]:
        """A scripted chat; what it prints."""
        ended = self.command("chat", *arguments, text="".join(f"{line}\n" for line in lines))
        assert ended.errors == []
        assert ended.code == code, ended.lines
        return ended.lines

    @contextlib.contextmanager
    def running(self) -> Generator["Run", None, None]:
        """``iqamati run``, once it says that it runs."""
        process = self.start("run")
        try:
            run = Run(self, process)
            run.read_banner()
            yield run
        finally:
            with process:
                if process.poll() is None:
                    process.kill()
            self.clear()

    def valkey(self) -> int:
        """Process id of the embedded server, 0 where none answers."""
        path = EmbeddedValkey(self.folder / "data" / "valkey").url.removeprefix("unix://")
        try:
            with Redis(unix_socket_path=path, decode_responses=True, retry=Retry(NoBackoff(), 0)) as client:
                found: int = client.info("server")["process_id"]
                return found
        except (RedisError, OSError):
            return 0

    def clear(self) -> None:
        """Stop a server that was left behind."""
        if pid := self.valkey():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@dataclass
class Run:
    """A service in the foreground of its own terminal."""

    home: Home
    process: "subprocess.Popen[str]"
    banner: list[str] = field(default_factory=list)

    def read_banner(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.banner.append(line.rstrip("\n"))
            if "Ctrl-C" in line:
                return
        assert self.process.stderr is not None
        raise AssertionError(self.process.stderr.read())

    def interrupt(self) -> Ended:
        """Ctrl-C: the terminal tells every process of the group."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.ended()

    def ended(self) -> Ended:
        out, errors = self.process.communicate(timeout=SAFETY)
        return Ended(self.process.returncode, out.splitlines(), errors.splitlines())


def links(lines: list[str]) -> Iterator[str]:
    """Payment links among ``lines``."""
    for line in lines:
        yield from _LINK.findall(line)
