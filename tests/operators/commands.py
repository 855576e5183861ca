"""Operators' commands, run as the command line runs them."""

import argparse
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.operators import cli, orders, reconcile, refund, review
from bot.operators.desk import Desk

_RUNS: dict[str, Callable[[Desk, argparse.Namespace], Awaitable[int]]] = {
    "orders": orders.run,
    "refund": refund.run,
    "review": review.run,
    "reconcile": reconcile.run,
}


class Output:
    """An exit code and what was printed."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


async def command(desk: Desk, capsys: pytest.CaptureFixture[str], *words: str) -> Output:
    parser = argparse.ArgumentParser()
    cli.add(parser.add_subparsers())
    arguments = parser.parse_args(words)
    capsys.readouterr()
    code = await _RUNS[words[0]](desk, arguments)
    return Output(code, capsys.readouterr().out)
