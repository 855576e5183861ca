"""The measurement: ``python -m bench.telegram --peers ours,aiogram,floor --users 50,500``."""

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from bench.telegram import harness as h

if __name__ == "__main__":
    h.in_bench_env("bench.telegram")

import redis
import uvloop

from bench.telegram import fake_bot_api
from bench.telegram.loadgen import Load

PORTS: Final = h.Ports(8480, 6390)
WARM_UP_SECONDS: Final = 25
MOST_PARKED: Final = 100
"""Users with which the sessions' bytes are counted: beyond, the count takes longer than the run."""

Row = dict[str, Any]

COLUMNS: Final = [
    ("peer", "peer", 17),
    ("users", "users", 6),
    ("cpu_us", "CPU us/turn", 12),
    ("turns_s", "turns/s", 9),
    ("p50_ms", "p50 ms", 8),
    ("p99_ms", "p99 ms", 8),
    ("rss_mib", "RSS MiB", 8),
    ("redis_cmds", "redis cmd", 10),
    ("redis_reads", "rd/turn", 8),
    ("redis_cpu_us", "redis us", 9),
    ("bytes_session", "B/session", 10),
    ("keys_session", "keys", 6),
    ("api_calls", "API calls", 10),
    ("spread", "cpu spread", 11),
    ("errors", "errors", 7),
]


class Counts:
    """What the world around the bot has counted at one moment."""

    def __init__(self, pid: int, client: Any, api: fake_bot_api.BotApi) -> None:
        self.cpu = h.cpu_us(pid)
        self.redis = h.redis_counts(client)
        self.calls = dict(api.counts)

    def per_turn(self, after: "Counts", turns: int) -> Row:
        """From here to ``after``."""
        calls = _grown(self.calls, after.calls, turns)
        commands = _grown(self.redis["by"], after.redis["by"], turns)
        commands.pop("info", None)
        return {
            "cpu_us": round((after.cpu - self.cpu) / turns, 1),
            "redis_cmds": round(sum(commands.values()), 2),
            "redis_reads": round((after.redis["reads"] - self.redis["reads"]) / turns, 2),
            "redis_cpu_us": round((after.redis["cpu"] - self.redis["cpu"]) / turns * 1e6, 1),
            "api_calls": round(sum(v for k, v in calls.items() if k[0] != "("), 2),
            "commands": commands,
            "calls": calls,
        }


def _grown(before: dict[str, int], after: dict[str, int], turns: int) -> dict[str, float]:
    return {
        name: round((count - before.get(name, 0)) / turns, 2)
        for name, count in after.items()
        if count > before.get(name, 0)
    }


async def measure(name: str, users: int, api: fake_bot_api.BotApi, args: argparse.Namespace) -> Row:
    """One run of one contender."""
    client = redis.Redis(port=PORTS.redis)
    client.flushall()
    log_path = h.BENCH_ENV / f"{name}.log"
    with log_path.open("ab") as log:
        command, env = args.contenders[name]
        bot = await asyncio.to_thread(h.start_bot, command, env, log, PORTS)
        try:
            await asyncio.to_thread(h.wait_port, PORTS.bot, bot)
            await asyncio.sleep(0.5)
            conns = min(users, args.conns)
            load = Load(
                api, PORTS.bot, h.WEBHOOK_PATH, h.SECRET, chats=users * 2, inflight=users, conns=conns
            )
            await load.connect()
            await load.run(turns=max(users * 2 * 5, args.warmup * 8), max_seconds=WARM_UP_SECONDS)
            if not load.turns:
                raise RuntimeError(f"no turn came through: {dict(load.errors)}; see {log_path}")
            load.errors.clear()
            load.pause = 1 / args.per_second if args.per_second else 0.0
            before = Counts(bot.pid, client, api)
            seconds = await load.run(turns=args.walks * 8, min_seconds=args.min_seconds)
            after, turns, latencies = Counts(bot.pid, client, api), load.turns, sorted(load.latencies)
            rss = h.rss_mib(bot.pid)
            await load.drain()
            row = {
                "peer": name,
                "users": users,
                "turns": turns,
                "seconds": round(seconds, 2),
                "turns_s": round(turns / seconds, 1),
                "p50_ms": round(latencies[len(latencies) // 2] * 1e3, 2),
                "p99_ms": round(latencies[int(len(latencies) * 0.99)] * 1e3, 2),
                "rss_mib": round(rss, 1),
                **before.per_turn(after, turns),
                **(await _sessions(load, client, args.settle) if users <= MOST_PARKED else {}),
                "errors": dict(load.errors),
            }
            load.close()
            return row
        finally:
            await asyncio.to_thread(h.stop, bot)
            client.close()


async def _sessions(load: Load, client: Any, settle: float) -> Row:
    """What a chat in the middle of its dialog occupies."""
    parked = await load.park()
    await asyncio.sleep(settle)
    keys = list(client.scan_iter(count=1000))
    kinds: Counter[str] = Counter()
    for key in keys:
        kinds[key.partition(b":")[0].decode()] += client.memory_usage(key, samples=0) or 0
    memory = sum(kinds.values())
    return {
        "bytes_session": round(memory / parked) if parked else None,
        "keys_session": round(len(keys) / parked, 2) if parked else None,
        "bytes_by_kind": {kind: round(size / parked) for kind, size in kinds.most_common(8)}
        if parked
        else None,
        "parked": parked,
    }


def medians(runs: list[Row]) -> list[Row]:
    """One row a contender and number of users."""
    table = []
    for key in dict.fromkeys((run["peer"], run["users"]) for run in runs):
        group = [run for run in runs if (run["peer"], run["users"]) == key]
        row: Row = {}
        for name in group[0]:
            if name not in {"peer", "users", "commands", "calls", "errors", "bytes_by_kind"}:
                known = [run[name] for run in group if run.get(name) is not None]
                row[name] = round(statistics.median(known), 2) if known else None
        cpus = [run["cpu_us"] for run in group]
        row |= {
            "peer": key[0],
            "users": key[1],
            "runs": len(group),
            "commands": group[-1]["commands"],
            "calls": group[-1]["calls"],
            "bytes_by_kind": group[-1].get("bytes_by_kind"),
            "errors": sum(sum(run["errors"].values()) for run in group),
            "spread": f"{min(cpus):.0f}-{max(cpus):.0f}",
        }
        table.append(row)
    return table


def show(table: list[Row]) -> str:
    """The table in columns."""

    def line(cells: list[str]) -> str:
        widths = [width for _, _, width in COLUMNS]
        first, *rest = zip(cells, widths, strict=True)
        return first[0].ljust(first[1]) + "".join(cell.rjust(width) for cell, width in rest)

    heading = line([title for _, title, _ in COLUMNS])
    return "\n".join([heading, *(line([str(row.get(key, "")) for key, _, _ in COLUMNS]) for row in table)])


def options(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.telegram", description=__doc__)
    parser.add_argument("--peers", default=",".join(h.PEERS), help=f"of {', '.join(h.PEERS)}; default: all")
    parser.add_argument(
        "--add", action="append", default=[], metavar="NAME=COMMAND", help="a further contender"
    )
    parser.add_argument("--users", default="50", help="turns in flight, comma-separated (50,500)")
    parser.add_argument("--walks", type=int, default=600, help="measured walks of 8 turns, at least")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--warmup", type=int, default=300, help="walks before measuring, at least")
    parser.add_argument("--min-seconds", type=float, default=5.0)
    parser.add_argument(
        "--per-second", type=float, default=0.0, help="turns a second, evenly; default: as many as come back"
    )
    parser.add_argument("--conns", type=int, default=100, help="webhook connections (Telegram: at most 100)")
    parser.add_argument(
        "--settle", type=float, default=1.5, help="seconds before the sessions' bytes are counted"
    )
    parser.add_argument("--aof", action="store_true", help="Redis with appendonly everysec")
    parser.add_argument("--out", type=Path, default=h.HERE / "results.json")
    args = parser.parse_args(argv)
    added: dict[str, h.Contender] = {
        name: (command, {}) for name, _, command in (item.partition("=") for item in args.add)
    }
    args.contenders = {**h.PEERS, **added}
    args.names = list(dict.fromkeys([*args.peers.split(","), *added]))
    return args


async def main(argv: list[str]) -> None:
    """Measure, a round of all contenders after the other."""
    args = options(argv)
    if h.several_cores():
        os.sched_setaffinity(0, {1})
    server = h.start_redis(PORTS.redis, aof=args.aof)
    this: Any = asyncio.current_task()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)  # runs what is under `finally`
    runs: list[Row] = []
    try:
        api = fake_bot_api.BotApi()
        await fake_bot_api.serve(api, PORTS.api)
        await fake_bot_api.serve(fake_bot_api.Registry(), PORTS.upstream)
        todo = [
            (number, users, name)
            for number in range(1, args.runs + 1)
            for users in map(int, args.users.split(","))
            for name in args.names
        ]
        for number, users, name in todo:
            what = f"run {number} {name} K={users}:"
            try:
                run = await measure(name, users, api, args)
            except Exception as error:  # noqa: BLE001 - the others are measured all the same
                print(f"{what} failed: {error!r}", file=sys.stderr, flush=True)
                continue
            runs.append(run)
            told = f"{run['cpu_us']} us/turn, {run['turns_s']} turns/s, {run['errors'] or 'no errors'}"
            print(what, told, file=sys.stderr, flush=True)
            result = {"aof": args.aof, "medians": medians(runs), "runs": runs}
            args.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    finally:
        h.stop(server)
    print(show(medians(runs)))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
