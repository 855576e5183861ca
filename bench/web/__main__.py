"""The measurement: ``python -m bench.web --users 50 --walks 300``."""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import redis
import uvloop

from bench.table import Row, free_port, shown, written
from bench.telegram import harness as h
from bench.web import registry
from bench.web.loadgen import Load

PEERS: Final = {"ours": "bench.web.contender", "floor": "bench.web.floor"}

COLUMNS: Final = {
    "peer": "peer",
    "users": "users",
    "streams": "streams",
    "cpu_us": "CPU us/turn",
    "spread": "lowest-highest",
    "turns_s": "turns/s",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "redis_reads": "redis rd/turn",
    "redis_cmds": "redis cmd/turn",
    "redis_us": "redis us/turn",
    "connections": "redis conns",
    "rss_mib": "RSS MiB",
    "errors": "errors",
}


@contextmanager
def contender(module: str, port: int, redis_port: int, upstream: int) -> Generator["subprocess.Popen[bytes]"]:
    """The contender on a core of its own."""
    env = {
        **os.environ,
        "PYTHONPATH": str(h.HERE.parents[1]),
        "PORT": str(port),
        "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
        "UPSTREAM_URL": f"http://127.0.0.1:{upstream}",
    }
    pinned = ["taskset", "-c", "0"] if h.several_cores() else []
    process = subprocess.Popen([*pinned, sys.executable, "-m", module], env=env)
    try:
        h.wait_port(port, process)
        yield process
    finally:
        h.stop(process)


@contextmanager
def world() -> Generator[int]:
    """A Redis of the run's own; its port."""
    port = free_port()
    h.BENCH_ENV.mkdir(parents=True, exist_ok=True)
    server = h.start_redis(port, aof=False)
    try:
        yield port
    finally:
        h.stop(server)
        shutil.rmtree(h.BENCH_ENV / f"redis-{port}", ignore_errors=True)


async def measure(peer: str, users: int, redis_port: int, args: argparse.Namespace) -> Row:
    """One run of one contender."""
    client, upstream, port = redis.Redis(port=redis_port), free_port(), free_port()
    client.flushall()
    fines = await registry.serve(upstream)
    load = Load(port, chats=users * args.chats, inflight=users)
    try:
        with contender(PEERS[peer], port, redis_port, upstream) as process:
            await load.open()
            await load.run(turns=max(users * args.chats * 5, args.warmup * 8))
            if not load.turns:
                raise RuntimeError(f"{peer}: no turn came through: {dict(load.errors)}")
            load.errors.clear()
            before, cpu = h.redis_counts(client), h.cpu_us(process.pid)
            seconds = await load.run(turns=args.walks * 8, seconds=args.min_seconds)
            cpu, after = h.cpu_us(process.pid) - cpu, h.redis_counts(client)
            turns, latencies = load.turns, sorted(load.latencies)
            row: Row = {
                "peer": peer,
                "users": users,
                "streams": load.streams,
                "turns": turns,
                "cpu_us": round(cpu / turns, 1),
                "turns_s": round(turns / seconds, 1),
                "p50_ms": round(latencies[turns // 2] * 1e3, 2),
                "p99_ms": round(latencies[int(turns * 0.99)] * 1e3, 2),
                "redis_reads": round((after["reads"] - before["reads"]) / turns, 2),
                "redis_us": round((after["cpu"] - before["cpu"]) / turns * 1e6, 1),
                "connections": client.info("clients")["connected_clients"],
                "rss_mib": round(h.rss_mib(process.pid), 1),
                **_commands(before["by"], after["by"], turns),
            }
            await load.drain()
            load.close()
            row["errors"] = sum(load.errors.values())
            row["faults"] = dict(load.errors)
            return row
    finally:
        load.close()
        fines.close()
        client.close()


def _commands(before: dict[str, int], after: dict[str, int], turns: int) -> Row:
    grown = {name: round((count - before.get(name, 0)) / turns, 2) for name, count in after.items()}
    by = {name: count for name, count in grown.items() if count and name != "info"}
    return {"redis_cmds": round(sum(by.values()), 2), "commands": by}


def medians(runs: list[Row]) -> list[Row]:
    """One row a contender and number of users."""
    table: list[Row] = []
    for peer, users in dict.fromkeys((run["peer"], run["users"]) for run in runs):
        group = [run for run in runs if (run["peer"], run["users"]) == (peer, users)]
        row = {
            name: round(statistics.median(run[name] for run in group), 2)
            if isinstance(value, int | float)
            else value
            for name, value in group[-1].items()
        }
        cpus = [run["cpu_us"] for run in group]
        table.append(
            {
                **row,
                "errors": sum(run["errors"] for run in group),
                "spread": f"{min(cpus):.0f}-{max(cpus):.0f}",
            }
        )
    return table


def options(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.web", description=__doc__)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--users", default="50", help="turns in flight, comma-separated")
    parser.add_argument("--chats", type=int, default=2, help="open streams for each turn in flight")
    parser.add_argument("--walks", type=int, default=200, help="measured walks of 8 turns, at least")
    parser.add_argument("--warmup", type=int, default=50, help="walks before")
    parser.add_argument("--min-seconds", type=float, default=4.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    return parser.parse_args(argv)


async def main(argv: list[str]) -> None:
    """Measure, a round of all contenders after the other."""
    args = options(argv)
    if h.several_cores():
        os.sched_setaffinity(0, {1})
    runs: list[Row] = []
    with world() as redis_port:
        for number in range(args.runs):
            for users in map(int, args.users.split(",")):
                for peer in args.peers.split(","):
                    run = await measure(peer, users, redis_port, args)
                    runs.append(run)
                    told = (
                        f"{run['cpu_us']} us/turn, {run['turns_s']} turns/s, {run['faults'] or 'no errors'}"
                    )
                    print(f"run {number + 1} {peer} K={users}: {told}", file=sys.stderr, flush=True)
    table = medians(runs)
    print(shown(table, COLUMNS))
    written(args.json, {"medians": table, "runs": runs})


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
