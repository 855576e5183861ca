"""docs/operators.md: every command on it is one the command line takes."""

import argparse
import re
import shlex
from pathlib import Path

from bot import __main__
from bot.operators import cli

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operators.md"


def test_the_pages_commands_parse() -> None:
    parser = __main__._parser()
    commands = re.findall(r"^\$ iqamati (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(commands) > 10
    for command in commands:
        assert parser.parse_args(shlex.split(command, comments=True)).run


def test_the_page_names_every_option() -> None:
    page = PAGE.read_text("utf-8")
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    cli.add(commands)
    for name, command in commands.choices.items():
        assert f"`{name}`" in page
        for option in command._option_string_actions:
            assert option in page or option in {"-h", "--help", "--track"}, option
