"""What is compiled: only what stays the same by it; and `make test-compiled` tests that, not its source."""

import importlib
import os
from pathlib import Path

import pytest

from tools.compiled import ROOT, modules, unfit


@pytest.mark.parametrize("module", modules())
def test_a_listed_module_stays_the_same(module: str) -> None:
    assert (ROOT / module).is_file()
    assert unfit(module) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("class A(msgspec.Struct): ...", ["A"]),
        ("class A(Struct): ...", ["A"]),
        ("class A(frozen=True): ...", ["A"]),
        ("class A(asyncio.Protocol): ...", ["A"]),
        ("def f():\n    class A(Thing): ...", ["A"]),
        ("async def f():\n try:\n  await g()\n except E:\n  await h()", ["line 5"]),
        ("async def f():\n try:\n  await g()\n finally:\n  async with h(): ...", ["line 5"]),
        ("async def f():\n try:\n  await g()\n except E:\n  pass\n await h()", []),
        ("from bot.store.outbox import Outboxes\nclass A(Outboxes): ...", []),
        ("from bot.handlers.batches import Outboxes\nclass A(Outboxes): ...", ["A"]),
        ("class A: ...\nclass B(A): ...\nclass C(Protocol): ...\nclass D(Exception): ...", []),
    ],
)
def test_what_would_not_is_refused(tmp_path: Path, source: str, found: list[str]) -> None:
    module = tmp_path / "module.py"
    module.write_text(source, "utf-8")
    assert unfit(str(module)) == found


@pytest.mark.skipif("TEST_COMPILED" not in os.environ, reason="the service is tested as it is written")
@pytest.mark.parametrize("module", modules())
def test_what_is_tested_is_compiled(module: str) -> None:
    path = importlib.import_module(module.removesuffix(".py").replace("/", ".")).__file__
    assert path is not None
    assert not path.endswith(".py")
