"""A start: from the command to the first answer, in seconds and in CPU.

    python -m bench.startup [--runs 5] [--json startup.json]

``iqamati run`` until ``/health`` answers, on an empty data folder (the ledger is made, keys are drawn) and on one that
has been used; with the embedded Valkey and SQLite, with a Redis of its own, and with Redis and PostgreSQL where that is
installed; ``iqamati chat`` until it shows its first question. The CPU is that of the process and what it started,
except a Valkey that another process owns.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bench.table import Row, free_port, shown, written
from bench.telegram import harness as h

PATIENCE: Final = 60.0
COLUMNS: Final = {
    "what": "what",
    "wall_s": "seconds",
    "cpu_s": "CPU s",
    "spread": "CPU lowest-highest",
    "modules": "modules",
}


@contextmanager
def postgres() -> Generator[str | None]:
    """A PostgreSQL for the run; None where there is none on this machine."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders or (os.geteuid() == 0 and shutil.which("runuser") is None):
        yield None
        return
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="iqamati-bench-pg-") as name:
        data = Path(name) / "data"
        as_them: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            shutil.chown(name, "postgres", "postgres")
            as_them = ["runuser", "-u", "postgres", "--"]
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={name}"
        control = [*as_them, str(folders[-1] / "pg_ctl"), "-D", str(data)]
        made = [*as_them, str(folders[-1] / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=name)
        log = ["-l", str(Path(name) / "log"), "-o", options]
        subprocess.run([*control, *log, "-w", "start"], check=True, stdout=subprocess.DEVNULL, cwd=name)
        try:
            yield f"postgresql+asyncpg://postgres@127.0.0.1:{port}/postgres"
        finally:
            stop = [*control, "-m", "immediate", "stop"]
            subprocess.run(stop, check=True, stdout=subprocess.DEVNULL, cwd=name)


@contextmanager
def own_redis() -> Generator[str]:
    """A Redis of the run's own."""
    port = free_port()
    h.BENCH_ENV.mkdir(parents=True, exist_ok=True)
    server = h.start_redis(port, aof=False)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        h.stop(server)
        shutil.rmtree(h.BENCH_ENV / f"redis-{port}", ignore_errors=True)


def _env(folder: Path, given: dict[str, str]) -> dict[str, str]:
    ports = {"PORT": str(free_port()), "SANDBOX_PORT": str(free_port())}
    return {**os.environ, "DATA_DIR": str(folder), "HOST": "127.0.0.1", **ports, **given}


def run_start(folder: Path, given: dict[str, str]) -> Row:
    """``iqamati run`` until it answers."""
    env = _env(folder, given)
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "bot", "run"], env=env, stdout=subprocess.DEVNULL)
    try:
        _wait(lambda: _healthy(env["PORT"]), process)
        wall = time.perf_counter() - began
        return {"wall_s": wall, "cpu_s": h.cpu_us(process.pid) / 1e6}
    finally:
        h.stop(process)


def chat_start(folder: Path, given: dict[str, str]) -> Row:
    """``iqamati chat`` until it asks."""
    env = _env(folder, given)
    began = time.perf_counter()
    command = [sys.executable, "-m", "bot", "chat", "--lang", "en"]
    process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"/start\n")
        process.stdin.flush()
        if not process.stdout.readline():
            raise RuntimeError("it ended without a word")
        wall = time.perf_counter() - began
        cpu = h.cpu_us(process.pid) / 1e6
        process.stdin.close()
        process.wait(PATIENCE)
        return {"wall_s": wall, "cpu_s": cpu}
    finally:
        h.stop(process)


def _healthy(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _wait(holds: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError("it does not start")
        time.sleep(0.01)


def _modules(statement: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{statement}\nprint(len(sys.modules))"],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout)


def measured(what: str, start: Callable[[], Row], runs: int) -> Row:
    """The medians of some starts."""
    found = [start() for _ in range(runs)]
    cpus = [row["cpu_s"] for row in found]
    return {
        "what": what,
        "wall_s": round(statistics.median(row["wall_s"] for row in found), 2),
        "cpu_s": round(statistics.median(cpus), 2),
        "spread": f"{min(cpus):.2f}-{max(cpus):.2f}",
    }


def main(argv: list[str]) -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.startup", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args(argv)
    rows: list[Row] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="iqamati-bench-")))

        def add(what: str, start: Callable[[Path, dict[str, str]], Row], data: str, **given: str) -> None:
            name = f"{data}-{len(rows)}" if data == "new" else data
            fresh = iter(range(args.runs))

            def once() -> Row:
                return start(folder / (f"{name}-{next(fresh)}" if data == "new" else name), given)

            rows.append(measured(what, once, args.runs))
            print(f"{what}: {rows[-1]['cpu_s']} CPU s", file=sys.stderr, flush=True)

        add("run, embedded, new folder", run_start, "new")
        run_start(folder / "used", {})
        add("run, embedded", run_start, "used")
        url = stack.enter_context(own_redis())
        add("run, given Redis", run_start, "used", REDIS_URL=url)
        database = stack.enter_context(postgres())
        if database is not None:
            run_start(folder / "used", {"REDIS_URL": url, "DATABASE_URL": database})
            add("run, given Redis and PostgreSQL", run_start, "used", REDIS_URL=url, DATABASE_URL=database)
        add("chat, first question", chat_start, "used")
    rows.append({"what": "import bot.__main__", "modules": _modules("import bot.__main__")})
    print(shown(rows, COLUMNS))
    written(args.json, rows)


if __name__ == "__main__":
    main(sys.argv[1:])
