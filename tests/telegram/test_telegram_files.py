"""Files on Telegram: fetched where one is asked for, before the turn, and never at any price."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from bot.errors import StoreAway, TooLarge
from bot.handlers.files import Intake
from bot.handlers.telegram import Telegram
from bot.handlers.telegram.fetch import Fetcher
from bot.model import Attached, Chat
from bot.tasks import Tasks
from tests.telegram.bot_api import TOKEN, BotApi, Fault, message
from tests.telegram.kit import Turns

LIMIT = 200_000
CSV = b"285011500029,Fatima\r\n"
WHO = Chat("telegram", "5")


class Shelf:
    """`bot.ports.Files` in memory, and what chats ask for."""

    def __init__(self) -> None:
        self.kept: dict[tuple[Chat, str], bytes] = {}
        self.wanted: tuple[str, ...] = ("document",)
        self.away = False

    async def put(self, chat: Chat, content: bytes, name: str) -> str:
        if self.away:
            raise StoreAway("test")
        if len(content) > LIMIT:
            raise TooLarge("test")
        ref = f"ref-{len(self.kept)}-{name}"
        self.kept[chat, ref] = content
        return ref

    async def get(self, chat: Chat, ref: str) -> bytes | None:
        return self.kept.get((chat, ref))

    async def awaits(self, _chat: Chat) -> tuple[str, ...]:
        return self.wanted


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest_asyncio.fixture
async def running(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns, shelf: Shelf
) -> AsyncIterator[BotApi]:
    tasks.spawn(telegram.run(turns, Intake(shelf, shelf.awaits, LIMIT)), "telegram")
    yield api


def document(name: str = "a", size: int | None = None, **more: Any) -> dict[str, Any]:
    held: dict[str, Any] = {"file_id": name, "file_unique_id": name, "file_name": "workers.csv", **more}
    return held if size is None else held | {"file_size": size}


async def sent(api: BotApi, turns: Turns, **content: Any) -> Attached:
    """The event that a message becomes."""
    before = len(turns.saved)
    await api.push(message=message(5, 77, **content))
    await turns.until_saved(before + 1)
    event = turns.saved[-1]
    assert isinstance(event, Attached)
    return event


async def test_a_file_that_is_asked_for_is_fetched(running: BotApi, turns: Turns, shelf: Shelf) -> None:
    running.files["a"] = CSV
    event = await sent(running, turns, document=document(size=len(CSV)), caption="our workers")
    assert (event.kind, event.name, event.missing, event.source) == ("document", "workers.csv", "", "77")
    assert await shelf.get(WHO, event.file) == CSV
    assert running.fetched == ["a"]


async def test_its_name_is_shown_without_tricks(running: BotApi, turns: Turns) -> None:
    running.files["a"] = CSV
    event = await sent(running, turns, document=document(file_name="../x\u202efdp.csv"))
    assert event.name == "xfdp.csv"
    del running.fetched[:]
    nameless = document()
    del nameless["file_name"]
    assert (await sent(running, turns, document=nameless)).name == ""


@pytest.mark.parametrize(
    "content",
    [
        {"photo": [{"file_id": "a", "file_unique_id": "a", "width": 1, "height": 1}]},
        {"voice": document(), "caption": "x"},
        # An animation comes as the document it was sent as, too.
        {"animation": document(), "document": document()},
    ],
)
async def test_what_is_no_document_stays_with_telegram(
    running: BotApi, turns: Turns, content: dict[str, Any]
) -> None:
    running.files["a"] = CSV
    event = await sent(running, turns, **content)
    assert (event.file, event.missing) == ("", "")
    assert not running.called("getFile")


async def test_a_file_that_nobody_asked_for_stays_with_telegram(
    running: BotApi, turns: Turns, shelf: Shelf
) -> None:
    shelf.wanted = ()
    running.files["a"] = CSV
    event = await sent(running, turns, document=document())
    assert (event.kind, event.file, event.missing) == ("document", "", "")
    assert not running.called("getFile")


async def test_too_large_is_seen_before_it_is_fetched(running: BotApi, turns: Turns) -> None:
    running.files["a"] = CSV
    event = await sent(running, turns, document=document(size=LIMIT + 1))
    assert (event.file, event.missing) == ("", "large")
    assert not running.called("getFile")


async def test_too_large_is_seen_in_what_telegram_says_then(running: BotApi, turns: Turns) -> None:
    running.files["a"], running.sizes["a"] = CSV, LIMIT + 1
    event = await sent(running, turns, document=document())
    assert (event.file, event.missing) == ("", "large")
    assert running.fetched == []


async def test_too_large_is_seen_while_it_comes(running: BotApi, turns: Turns, shelf: Shelf) -> None:
    running.files["a"], running.sizes["a"] = b"1" * (LIMIT + 1), 0
    event = await sent(running, turns, document=document())
    assert (event.file, event.missing) == ("", "large")
    running.files["a"] = b"1" * LIMIT
    assert (await sent(running, turns, document=document())).file
    assert len(shelf.kept) == 1


async def test_a_file_without_an_end_is_given_up_at_the_limit(running: BotApi, turns: Turns) -> None:
    running.files["endless"], running.sizes["endless"] = b"1", 0
    event = await sent(running, turns, document=document("endless"))
    assert (event.file, event.missing) == ("", "large")


async def test_what_is_no_table_is_not_kept(running: BotApi, turns: Turns, shelf: Shelf) -> None:
    running.files["a"] = b"%PDF-1.7\n"
    event = await sent(running, turns, document=document())
    assert (event.file, event.missing) == ("", "kind")
    assert shelf.kept == {}


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("getFile", Fault(500, "Internal Server Error")),
        ("getFile", Fault(400, "Bad Request: file is too big")),
        ("getFile", Fault(429, "Too Many Requests: retry after 5", retry_after=5)),
        ("getFile", Fault(drop=True)),
        ("getFile", Fault(raw="<html>")),
        ("file", Fault(500, "Internal Server Error")),
        ("file", Fault(drop=True)),
    ],
)
async def test_a_file_that_does_not_come_is_asked_for_again(
    running: BotApi, turns: Turns, method: str, fault: Fault
) -> None:
    running.files["a"] = CSV
    # Over a kept connection a file is asked for twice: the first may have been closed while it rested.
    running.fail(method, *[fault] * (2 if method == "file" and fault.drop else 1))
    with capture_logs() as logs:
        event = await sent(running, turns, document=document())
    assert (event.kind, event.file, event.missing) == ("document", "", "lost")
    assert TOKEN not in str(logs)
    assert [line["event"] for line in logs] == ["a file was not fetched"]
    assert (await sent(running, turns, document=document())).file


async def test_an_expired_file_is_asked_for_again(running: BotApi, turns: Turns) -> None:
    event = await sent(running, turns, document=document("gone"))
    assert (event.file, event.missing) == ("", "lost")


async def test_a_file_that_comes_too_slowly_is_given_up(
    api: BotApi, telegram: Telegram, shelf: Shelf
) -> None:
    api.files["a"] = CSV
    gate = api.hold("file")
    fetcher = Fetcher(telegram._bot, Intake(shelf, shelf.awaits, LIMIT), seconds=0.2)
    assert await fetcher.fetch(WHO, "a", 0, "a.csv") == ("", "lost")
    gate.set()


async def test_a_store_that_is_away_has_the_update_come_again(
    running: BotApi, turns: Turns, shelf: Shelf
) -> None:
    running.files["a"] = CSV
    shelf.away = True
    await running.push(message=message(5, 77, document=document()))
    await running.until(lambda: len(running.called("getFile")) >= 2)
    assert turns.tried == []
    shelf.away = False
    await turns.until_saved(1)
    assert [event.id for event in turns.saved] == [f"tg:{running._next_update}"]


async def test_the_turn_waits_for_the_file_and_the_chat_keeps_its_order(
    running: BotApi, turns: Turns
) -> None:
    running.files["a"] = CSV
    gate = running.hold("file")
    await running.push(message=message(5, 77, document=document()))
    await running.push(message=message(5, 78, text="done"))
    await running.push(message=message(6, 79, text="hello"))
    await running.until(lambda: bool(running.fetched))
    gate.set()
    await turns.until_saved(3)
    assert [type(event).__name__ for event in turns.saved if event.chat == WHO] == ["Attached", "Typed"]


async def test_through_the_webhook(api: BotApi, hooked: Telegram, turns: Turns, shelf: Shelf) -> None:
    api.files["a"] = CSV
    inbox = hooked._inbox(turns, Intake(shelf, shelf.awaits, LIMIT))
    update = inbox.read({"update_id": 3, "message": message(5, 77, document=document())})
    assert update is not None
    await inbox.take(update)
    (event,) = turns.saved
    assert isinstance(event, Attached)
    assert await shelf.get(WHO, event.file) == CSV


async def test_without_a_place_for_files_none_is_fetched(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns
) -> None:
    api.files["a"] = CSV
    tasks.spawn(telegram.run(turns), "telegram")
    assert (await sent(api, turns, document=document())).file == ""
    assert not api.called("getFile")
