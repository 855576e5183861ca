"""What a start does without is not imported by it: each of these takes a noticeable part of a start."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.command import free_port

SELDOM = {
    "aiogram",  # a service without a bot
    "aiohttp",
    "alembic",  # a ledger that is up to date
    "asyncpg",  # a ledger in SQLite
    "authlib",  # nobody signs in
    "captcha",  # nobody is shown a picture
    "httpx",  # nobody pays
    "joserfc",
    "mako",
    "numpy",
    "openpyxl",  # nobody sends a workbook
    "PIL",
    "segno",  # nobody asks for a receipt
    "stamina",  # no call failed
    "tenacity",
}

STARTED = """
import asyncio, json, sys
from bot import logs
from bot.__main__ import running
from bot.config import load

async def start():
    settings = load()
    logs.set_up(settings.log_level)
    async with running(settings):
        print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))

asyncio.run(start())
"""

USED = """
import asyncio, json, sys
from bot.ports import Failed
from bot.services.batches.sheets import sheets
from bot.services.receipts.paper import qr
from bot.services.seldom import Seldom
from bot.services.verification import Pictures

before = set(sys.modules)
qr("https://iqamati.example/r/1")
asyncio.run(Pictures().draw("234567"))
try:
    sheets(b"PK\\x03\\x04")
except Failed:
    pass
Seldom("http://127.0.0.1").opened()
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def _modules(script: str, folder: Path) -> set[str]:
    env = {
        **os.environ,
        "DATA_DIR": str(folder),
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "SANDBOX_PORT": str(free_port()),
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return set(found)


def test_a_start_imports_what_it_uses(tmp_path: Path) -> None:
    first = _modules(STARTED, tmp_path)
    assert {"alembic", "mako"} <= first  # the ledger is made
    assert not first & (SELDOM - {"alembic", "mako"})
    assert not _modules(STARTED, tmp_path) & SELDOM


def test_what_is_needed_is_imported_then(tmp_path: Path) -> None:
    assert {"segno", "captcha.image", "PIL.Image", "openpyxl", "httpx"} <= _modules(USED, tmp_path)
