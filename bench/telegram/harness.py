"""Contenders, Redis and the fakes as processes, and what the system counts of them."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any, Final

HERE: Final = Path(__file__).resolve().parent
BENCH_ENV: Final = Path(os.environ.get("BENCH_ENV") or Path(tempfile.gettempdir()) / "iqamati-bench")
PYTHON: Final = BENCH_ENV / "venv/bin/python"
"""The interpreter of the peers and of the load; ours has its own."""

OURS: Final = sys.executable if sys.prefix != sys.base_prefix else "python3"

_COMPILED: Final = str(HERE.parents[1] / "build/compiled")

Contender = tuple[str, dict[str, str]]
"""The command, and its further environment."""

PEERS: Final[dict[str, Contender]] = {
    "ours": ("{ours} -m bench.telegram.contender", {}),
    "compiled": ("{ours} -m bench.telegram.contender", {"PYTHONPATH": _COMPILED, "BENCH_COMPILED": "1"}),
    "aiogram": ("{python} peers/aiogram_bot.py", {}),
    "aiogram-reply": ("{python} peers/aiogram_bot.py", {"AIOGRAM_REPLY": "1"}),
    "aiogram-noiso": ("{python} peers/aiogram_bot.py", {"AIOGRAM_ISOLATION": "0"}),
    "aiogram-dialog": ("{python} peers/aiogram_dialog_bot.py", {}),
    "aiogram-dialog-2": ("{python} peers/aiogram_dialog_bot.py", {"DIALOG_LOCKS": "2"}),
    "ptb": ("{python} peers/ptb_bot.py", {}),
    "ptb-seq": ("{python} peers/ptb_bot.py", {"PTB_SEQUENTIAL": "1"}),
    "grammy-conv": ("node peers/grammy_conv.cjs", {}),
    "grammy-session": ("node peers/grammy_session.cjs", {}),
    "grammy-story": ("node peers/grammy_session.cjs", {"GRAMMY_STORY": "1"}),
    "floor": ("{python} peers/floor.py", {"FLOOR_MODE": "call"}),
    "floor-full": ("{python} peers/floor.py", {"FLOOR_MODE": "full"}),
    "floor-story": ("{python} peers/floor.py", {"FLOOR_MODE": "story"}),
    "floor-reply": ("{python} peers/floor.py", {"FLOOR_MODE": "reply"}),
    "floor-libs": ("{python} peers/floor_libs.py", {"FLOOR_MODE": "call"}),
    "floor-libs-reply": ("{python} peers/floor_libs.py", {"FLOOR_MODE": "reply"}),
}
"""Name → the command, run in this folder, and its further environment."""

WEBHOOK_PATH: Final = "/webhook/bench"
SECRET: Final = "bench-secret"  # noqa: S105 - of a bot that does not exist
_TICK_US: Final = 1e6 / os.sysconf("SC_CLK_TCK")


def in_bench_env(module: str) -> None:
    """Run ``module`` under the bench's interpreter instead, if it is not that one yet."""
    if os.environ.get("BENCH_OURS"):
        return
    if not PYTHON.exists():
        raise SystemExit(f"{BENCH_ENV} is not set up: run bench/telegram/setup.sh first")
    env = {**os.environ, "BENCH_OURS": OURS, "PYTHONPATH": str(HERE.parents[1])}
    os.execve(PYTHON, [str(PYTHON), "-m", module, *sys.argv[1:]], env)  # noqa: S606 - there is nothing for a shell to do


class Ports:
    """Where everything listens on the loopback interface: three ports from ``first`` on, and Redis."""

    def __init__(self, first: int, redis: int) -> None:
        self.bot, self.api, self.upstream = first, first + 1, first + 2
        self.redis = redis


def several_cores() -> bool:
    """Whether the bot can have a core of its own."""
    return (os.cpu_count() or 1) > 1


def _pin(core: int) -> list[str]:
    return ["taskset", "-c", str(core)] if several_cores() else []


def wait_port(port: int, process: "subprocess.Popen[bytes]", seconds: float = 30) -> None:
    """Return once ``process`` listens on ``port``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r}: nothing listens on {port}")


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End ``process``, by force if it does not go."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(8)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def start_redis(port: int, *, aof: bool, keep: bool = False) -> "subprocess.Popen[bytes]":
    """A Redis of the bench's own; ``keep`` what the last one wrote."""
    folder = BENCH_ENV / f"redis-{port}"
    folder.mkdir(parents=True, exist_ok=True)
    for old in () if keep else folder.glob("appendonlydir/*"):
        old.unlink()
    listening = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    writing = ["--save", "", "--appendonly", "yes" if aof else "no", "--appendfsync", "everysec"]
    process = subprocess.Popen(
        [*_pin(1), *listening, *writing, "--loglevel", "warning"], stdout=subprocess.DEVNULL
    )
    wait_port(port, process)
    return process


def start_bot(command: str, env: dict[str, str], log: IO[bytes], ports: Ports) -> "subprocess.Popen[bytes]":
    """The contender of ``command``, on a core of its own."""
    ours = os.environ.get("BENCH_OURS", OURS)
    filled = command.replace("{python}", str(PYTHON)).replace("{ours}", ours)
    given = {
        "BOT_API_BASE": f"http://127.0.0.1:{ports.api}",
        "UPSTREAM_URL": f"http://127.0.0.1:{ports.upstream}",
        "REDIS_URL": f"redis://127.0.0.1:{ports.redis}/0",
        "PORT": str(ports.bot),
        "WEBHOOK_PATH": WEBHOOK_PATH,
        "SECRET": SECRET,
        "NODE_PATH": str(BENCH_ENV / "node/node_modules"),
        "NODE_ENV": "production",
    }
    return subprocess.Popen(
        [*_pin(0), *shlex.split(filled)], cwd=HERE, stdout=log, stderr=log, env={**os.environ, **given, **env}
    )


def _tree(pid: int) -> list[int]:
    pids = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            pids += _tree(int(child))
    return pids


def cpu_us(pid: int) -> float:
    """User and system time of the process tree, with what ended children of the root used."""
    total = 0
    for each in _tree(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
        if each == pid:
            total += int(fields[13]) + int(fields[14])
    return total * _TICK_US


def rss_mib(pid: int) -> float:
    """Resident memory of the process tree."""
    kib = 0
    for each in _tree(pid):
        lines = Path(f"/proc/{each}/status").read_text().splitlines()
        kib += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return kib / 1024


def redis_counts(client: Any) -> dict[str, Any]:
    """What the server has counted so far."""
    info, cpu = client.info("stats"), client.info("cpu")
    return {
        "reads": info["total_reads_processed"],
        "cpu": cpu["used_cpu_user"] + cpu["used_cpu_sys"],
        "by": {
            name.removeprefix("cmdstat_"): row["calls"] for name, row in client.info("commandstats").items()
        },
    }
