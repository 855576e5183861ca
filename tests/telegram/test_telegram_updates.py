"""Updates as events: what counts, what is passed over, and what is answered beside the turn."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from bot.handlers.telegram import Telegram
from bot.handlers.telegram.types import Update
from bot.handlers.telegram.updates import (
    OPEN_PRIVATE,
    PRIVATE_ONLY,
    WANTED,
    chat_of,
    event_of,
    misplaced,
)
from bot.model import Attached, Chat, Event, Pressed, Typed
from bot.tasks import Tasks
from tests.telegram.bot_api import BotApi, Fault, message, press
from tests.telegram.kit import Turns, translate

PHOTO = [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]
FILE = {"file_id": "a", "file_unique_id": "b"}
PLACE = {"latitude": 29.3, "longitude": 47.9}


def update(**content: Any) -> Update:
    return msgspec.json.decode(msgspec.json.encode({"update_id": 9, **content}), type=Update)


def test_text() -> None:
    assert event_of(update(message=message(5, 77, text="مخالفات\n2"))) == Typed(
        id="tg:9", chat=Chat("telegram", "5"), language="ar", text="مخالفات\n2", source="77"
    )


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("/menu@iqamati_test_bot", "/menu"),
        ("/start@iqamati_test_bot pay", "/start pay"),
        ("/start pay", "/start pay"),
        ("write to /menu@x", "write to /menu@x"),
    ],
)
def test_a_command_may_name_the_bot(written: str, text: str) -> None:
    event = event_of(update(message=message(5, text=written)))
    assert isinstance(event, Typed)
    assert event.text == text


def test_a_person_without_a_language() -> None:
    raw = message(5, text="hi")
    del raw["from"]["language_code"]
    event = event_of(update(message=raw))
    assert event is not None
    assert event.language == ""


def test_a_press() -> None:
    assert event_of(update(callback_query=press(5, "v/2/pay", 81))) == Pressed(
        id="tg:9", chat=Chat("telegram", "5"), language="en", token="v/2/pay", source="81"
    )


def test_a_press_on_a_message_too_old_to_be_shown() -> None:
    raw = press(5, "old", 81)
    raw["message"] = {"chat": raw["message"]["chat"], "message_id": 81, "date": 0}
    event = event_of(update(callback_query=raw))
    assert isinstance(event, Pressed)
    assert event.source == "81"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("photo", {"photo": PHOTO}),
        ("photo", {"photo": PHOTO, "caption": "my passport"}),
        ("voice", {"voice": {**FILE, "duration": 1}}),
        ("audio", {"audio": {**FILE, "duration": 1}}),
        ("document", {"document": FILE}),
        ("location", {"location": PLACE}),
        ("venue", {"venue": {"location": PLACE, "title": "t", "address": "a"}, "location": PLACE}),
        ("contact", {"contact": {"phone_number": "1", "first_name": "x"}}),
        ("video", {"video": {**FILE, "width": 1, "height": 1, "duration": 1}}),
        ("video_note", {"video_note": {**FILE, "length": 1, "duration": 1}}),
        ("dice", {"dice": {"emoji": "🎲", "value": 1}}),
        (
            "sticker",
            {
                "sticker": {
                    **FILE,
                    "type": "regular",
                    "width": 1,
                    "height": 1,
                    "is_animated": False,
                    "is_video": False,
                }
            },
        ),
    ],
)
def test_attachments(kind: str, content: dict[str, Any]) -> None:
    event = event_of(update(message=message(5, 78, **content)))
    assert event == Attached(id="tg:9", chat=Chat("telegram", "5"), language="ar", kind=kind, source="78")
    assert type(event) is Attached
    assert type(event.kind) is str


BOT_MESSAGE = message(5, text="beep")
BOT_MESSAGE["from"] = {"id": 5, "is_bot": True, "first_name": "Another"}
INLINE = {**press(5, "x"), "inline_message_id": "z"}
del INLINE["message"]
GAME = press(5, "x")
del GAME["data"]
MEMBER = {"user": {"id": 1, "is_bot": True, "first_name": "Iqamati"}}
BLOCKED = {
    "chat": {"id": 5, "type": "private"},
    "from": {"id": 5, "is_bot": False, "first_name": "x"},
    "date": 1,
    "old_chat_member": {**MEMBER, "status": "member"},
    "new_chat_member": {**MEMBER, "status": "kicked", "until_date": 0},
}


@pytest.mark.parametrize(
    "content",
    [
        {"edited_message": message(5, text="edited", edit_date=1)},
        {"message": BOT_MESSAGE},
        {"message": message(5, pinned_message={**message(5, text="x"), "date": 0})},
        {"message": message(5)},
        {"callback_query": INLINE},
        {"callback_query": GAME},
        {"callback_query": press(-100, "x", kind="supergroup")},
        {"my_chat_member": BLOCKED},
        {"brand_new_kind": {"id": 1}},
    ],
    ids=["edited", "bot", "pinned", "empty", "inline", "game", "group press", "blocked", "unknown kind"],
)
def test_passed_over(content: dict[str, Any]) -> None:
    assert event_of(update(**content)) is None
    assert misplaced(update(**content)) is None


@pytest.mark.parametrize("kind", ["group", "supergroup"])
def test_a_group_is_no_place_for_this(kind: str) -> None:
    there = update(message=message(-100, kind=kind, text="/menu"))
    assert event_of(there) is None
    assert misplaced(there) == -100
    assert misplaced(update(message=message(-100, kind=kind, photo=PHOTO))) == -100
    assert misplaced(update(message=message(-100, kind=kind, new_chat_title="t"))) is None


def test_a_channel_is_no_place_either() -> None:
    post = message(-200, kind="channel", text="post")
    del post["from"]
    assert event_of(update(channel_post=post)) is None
    assert misplaced(update(channel_post=post)) == -200


def test_updates_are_kept_in_order_by_chat() -> None:
    assert chat_of(update(message=message(5, text="x"))) == 5
    assert chat_of(update(callback_query=press(6, "x"))) == 6
    assert chat_of(update(edited_message=message(7, text="x"))) is None
    assert set(WANTED) == {"message", "callback_query", "channel_post"}


async def test_a_press_is_answered_while_the_turn_still_runs(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns
) -> None:
    go_on = asyncio.Event()

    async def before(_: Event) -> None:
        await go_on.wait()

    turns.before = before
    await api.push(callback_query=press(5, "v/1/pay"))
    tasks.spawn(telegram.run(turns), "telegram")
    [answer] = await api.until_called("answerCallbackQuery")
    assert answer["callback_query_id"] == "press-5-v/1/pay"
    assert turns.saved == []
    go_on.set()
    await turns.until_saved(1)


async def test_a_turn_does_not_wait_for_the_answer_to_the_press(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns
) -> None:
    api.hold("answerCallbackQuery")
    await api.push(callback_query=press(5, "v/1/pay"))
    tasks.spawn(telegram.run(turns), "telegram")
    await turns.until_saved(1)
    await api.until_confirmed()


async def test_a_press_too_old_to_be_answered_is_taken_all_the_same(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns
) -> None:
    api.fail("answerCallbackQuery", Fault(400, "Bad Request: query is too old"))
    await api.push(callback_query=press(5, "v/1/pay"))
    tasks.spawn(telegram.run(turns), "telegram")
    await turns.until_saved(1)


async def test_a_group_is_told_in_both_languages_where_to_go(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns
) -> None:
    await api.push(message=message(-100, kind="supergroup", text="288888800028"))
    await api.push(callback_query=press(-100, "v/1/pay", kind="supergroup"))
    private = await api.push(message=message(5, text="hello"))
    tasks.spawn(telegram.run(turns), "telegram")
    await api.until_called("sendMessage")
    await api.until_confirmed()
    assert [event.id for event in turns.tried] == [f"tg:{private}"]
    [refusal] = api.called("sendMessage")
    assert refusal["chat_id"] == "-100"
    assert translate(PRIVATE_ONLY, "ar") in refusal["text"]
    assert translate(PRIVATE_ONLY, "en") in refusal["text"].split("\n\n")
    [[button]] = json.loads(refusal["reply_markup"])["inline_keyboard"]
    assert button == {
        "text": f"{translate(OPEN_PRIVATE, 'ar')} · {OPEN_PRIVATE}",
        "url": "https://t.me/iqamati_test_bot",
    }


async def test_a_group_that_does_not_let_us_write_is_left_alone(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns
) -> None:
    api.fail("sendMessage", Fault(403, "Forbidden: bot was kicked from the supergroup chat"))
    await api.push(message=message(-100, kind="supergroup", text="/menu"))
    tasks.spawn(telegram.run(turns), "telegram")
    await api.until_called("sendMessage")
    await api.until_confirmed()
