"""The operators' commands as processes: exit codes, one line for an error, two operators at once."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.operators.desk import operator
from bot.services.ledger import OrderStatus
from tests.operators.world import PHONE, SECRET, World

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


def environment(world: World, folder: Path, **settings: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
        "PYTHONUTF8": "1",
        "LOGNAME": "amina",
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": world.engine.url.render_as_string(hide_password=False),
        "SECRET_KEYS": world.keys,
        "GATEWAY_URL": f"{world.url}/gateway",
        "GATEWAY_SECRET": SECRET,
        **settings,
    }


async def iqamati(world: World, folder: Path, *words: str, **settings: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *words,
        cwd=folder,
        env=environment(world, folder, **settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def test_an_order_is_found_and_refunded(world: World, tmp_path: Path) -> None:
    order = await world.paid(20_000, 25_000)
    found = await iqamati(world, tmp_path, "orders", order.bank)
    assert (found.code, found.err) == (0, "")
    assert order.ref in found.out
    assert PHONE not in found.out
    refused = await iqamati(world, tmp_path, "refund", order.ref, "--because", "x")
    assert (refused.code, refused.out, refused.err) == (1, "", "iqamati: nobody to ask: add --yes\n")
    done = await iqamati(world, tmp_path, "refund", order.ref, "--because", "x", "--yes", "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["order_status"] == "refunded"
    assert await world.status(order) is OrderStatus.REFUNDED
    assert (await world.rows("refunds"))[0]["who"] == "amina"
    quiet = await iqamati(world, tmp_path, "review")
    assert (quiet.code, quiet.err) == (0, "")


async def test_two_operators_at_once(world: World, tmp_path: Path) -> None:
    order = await world.paid()
    words = ("refund", order.ref, "--because", "x", "--yes")
    both = await asyncio.gather(
        iqamati(world, tmp_path, *words, "--operator", "amina"),
        iqamati(world, tmp_path, *words, "--operator", "badr"),
    )
    assert sorted(each.code for each in both) == [0, 1]
    assert await world.statuses("refunds") == ["done"]
    (loser,) = [each for each in both if each.code]
    assert loser.err.startswith("iqamati: ")
    assert loser.err.count("\n") == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_gateway_that_does_not_answer_is_one_line(world: World, tmp_path: Path) -> None:
    order = await world.paid()
    words = ("refund", order.ref, "--because", "x", "--yes")
    down = await iqamati(world, tmp_path, *words, GATEWAY_URL="http://127.0.0.1:1/gateway")
    assert (down.code, down.out) == (1, "")
    assert down.err.startswith("iqamati: payments: no word on what was captured")
    assert down.err.count("\n") == 1
    assert await world.rows("refunds") == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_files_and_what_needs_a_person_have_exit_code_two(world: World, tmp_path: Path) -> None:
    order = await world.paid()
    await world.reviewed(order, "second")
    assert (await iqamati(world, tmp_path, "review")).code == 2
    file = tmp_path / "settled.csv"
    file.write_text("Track ID,Amount,Date\nNEVER,5.000,2026-11-21\n", "utf-8")
    assert (await iqamati(world, tmp_path, "reconcile", str(file))).code == 2
    file.write_text("Track ID,Amount,Date\nNEVER,5.00001,2026-11-21\n", "utf-8")
    wrong = await iqamati(world, tmp_path, "reconcile", str(file))
    assert (wrong.code, wrong.out) == (1, "")
    assert wrong.err == "iqamati: row 2, column amount: more than three decimals\n"
    usage = await iqamati(world, tmp_path, "refund")
    assert usage.code == 1
    assert "usage: iqamati refund" in usage.err


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_wrong_folder_is_not_filled_with_an_empty_ledger(world: World, tmp_path: Path) -> None:
    wrong = await iqamati(world, tmp_path, "orders", DATABASE_URL="", SECRET_KEYS="")
    assert (wrong.code, wrong.out) == (1, "")
    assert wrong.err.startswith("iqamati: DATA_DIR: no ledger")
    assert not (tmp_path / "data").exists()


def test_who_is_at_the_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "badr")
    assert operator("") == "badr"
    assert operator(" أمينة ") == "أمينة"
    for name in ("x" * 33, "a\nb"):
        with pytest.raises(ConfigError, match="--operator"):
            operator(name)
