"""docs/rules.md says what the files say, all of it."""

import re
from pathlib import Path

import pytest

from bot.residency.verdict import Block
from tests.residency.permits import RULES_FOLDER
from tools import rules

TEXT = rules.PAGE.read_text("utf-8")


def test_the_page_is_fresh() -> None:
    assert rules.page(TEXT) == TEXT, "run `python -m tools.rules`"


@pytest.mark.parametrize("file", sorted(RULES_FOLDER.glob("*.toml")), ids=lambda file: file.name)
def test_every_source_is_on_the_page(file: Path) -> None:
    for source in re.findall(r'^mark = .*\nsource = "(.*)"$', file.read_text("utf-8"), re.MULTILINE):
        assert source in TEXT


def test_every_block_is_explained() -> None:
    for block in Block:
        assert f"`{block}`" in TEXT


def test_the_worked_examples_are_there() -> None:
    expired = next(line for line in TEXT.splitlines() if line.startswith("| expired | 2 |"))
    assert expired == "| expired | 2 | 20 | 60 | 64 | 120 | 180 | 300 | 740 | 1140 | 1196 | 1200 | 1200 |"
