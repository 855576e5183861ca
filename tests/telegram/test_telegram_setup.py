"""What Telegram shows of us: commands and descriptions, in both languages."""

import json
import re

import pytest
from structlog.testing import capture_logs

from bot.errors import ConfigError
from bot.handlers.telegram import Telegram
from bot.handlers.telegram.setup import (
    ABOUT,
    COMMANDS,
    INDEPENDENT,
    SHORT,
    SHORT_INDEPENDENT,
    introduce,
)
from bot.spec import Call
from bot.tasks import Tasks
from tests.dialogs.harness import BOOK, Chat
from tests.telegram.bot_api import TOKEN, BotApi, Fault, message
from tests.telegram.kit import FakeClock, Turns, settings, translate

LANGUAGES = {"": "ar", "ar": "ar", "en": "en"}


@pytest.mark.parametrize("official", [True, False])
async def test_commands_and_descriptions_in_both_languages(
    api: BotApi, telegram: Telegram, *, official: bool
) -> None:
    await introduce(telegram._bot, translate, official=official)
    for code, language in LANGUAGES.items():
        commands = {
            item["command"]: item["description"] for item in json.loads(api.profile["Commands", code])
        }
        assert commands == {name: translate(text, language) for name, text in COMMANDS.items()}
        about = translate(ABOUT, language)
        assert api.profile["Description", code].startswith(about)
        assert (translate(INDEPENDENT, language) in api.profile["Description", code]) is not official
        short = SHORT if official else SHORT_INDEPENDENT
        assert api.profile["ShortDescription", code] == translate(short, language)
    assert {json.loads(call["scope"])["type"] for call in api.called("setMyCommands")} == {
        "all_private_chats"
    }


def test_every_service_has_its_command_and_every_command_works() -> None:
    states = BOOK.home.states.values()
    doors = [state.dialog for state in states if isinstance(state, Call)]
    assert sorted(COMMANDS) == sorted([*doors, "menu", "back", "cancel", "signout", "language", "help"])
    for name in COMMANDS:
        assert re.fullmatch("[a-z0-9_]{1,32}", name), "Bot API, BotCommand"
        Chat("en").says(f"/{name}").hears_not("I do not know that command.")


async def test_what_is_already_so_is_not_written_again(api: BotApi, telegram: Telegram) -> None:
    await introduce(telegram._bot, translate, official=False)
    written = api.counts
    await introduce(telegram._bot, translate, official=False)
    again = api.counts - written
    assert not [method for method in again if method.startswith("set")]


async def test_a_failure_is_logged_and_stops_neither_the_rest_nor_the_service(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns
) -> None:
    api.fail("setMyCommands", *[Fault(429, "Too Many Requests", retry_after=3000)] * 3)
    api.fail("getMyDescription", Fault(drop=True), Fault(500, "Internal Server Error"))
    await api.push(message=message(5, text="hello"))
    with capture_logs() as logs:
        tasks.spawn(telegram.run(turns), "telegram")
        await api.until_confirmed()
        await api.until_called("setMyShortDescription", 3)
    failed = [entry for entry in logs if entry["event"] == "telegram profile not set"]
    assert len(failed) == 5
    assert len(turns.saved) == 1


@pytest.mark.parametrize("token", ["", "no colon", "x:y", "12 34:abc"])
def test_a_token_that_is_none(clock: FakeClock, tasks: Tasks, token: str) -> None:
    with pytest.raises(ConfigError, match="TELEGRAM_TOKEN") as refused:
        Telegram(settings("http://127.0.0.1:1", token=token), clock, tasks, translate)
    assert refused.value.__context__ is None
    assert TOKEN not in str(refused.value)
