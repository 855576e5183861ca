"""What comes as an update: decoded, turned into events, taken through the dialogs, answered in the body."""

import json
from collections.abc import AsyncIterator
from functools import cache
from types import SimpleNamespace
from typing import Any, Final, cast

from aiogram.types import File
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bot.handlers.files import Intake
from bot.handlers.telegram.calls import Calls
from bot.handlers.telegram.fetch import Fetcher
from bot.handlers.telegram.lane import WebhookLane
from bot.handlers.telegram.updates import Inbox, chat_of, event_of, misplaced
from bot.model import Chat, Outgoing
from bot.tasks import Tasks
from tests.fuzz.targets.base import LOOP, NAME, NESTED, Target, ended, garbled, hold, texts, values
from tests.fuzz.targets.residents import Residents, sent, translate

MOST: Final = 5
"""Updates of one input."""


class Kept:
    """Implements `bot.ports.Files` in memory."""

    async def put(self, chat: Chat, content: bytes, name: str) -> str:
        del chat, content, name
        return "0" * 24

    async def get(self, chat: Chat, ref: str) -> bytes | None:
        del chat, ref
        return None


class _Bot:
    """As much of a bot as a file is fetched by."""

    token = "1:x"

    def __init__(self) -> None:
        self.session: Any = self
        self.api = SimpleNamespace(file_url=lambda token, path: f"{token}/{path}")

    async def get_file(self, file_id: str) -> File:
        return File(file_id=file_id, file_unique_id="u", file_path="documents/file_1")

    async def stream_content(self, _address: str, chunk_size: int) -> AsyncIterator[bytes]:
        yield b"285011500029\n"[:chunk_size]


class _Refusing:
    """The channel by which groups are refused."""

    name = "telegram"

    async def deliver(self, _chat: Chat, outgoing: Outgoing) -> None:
        sent(outgoing)


@cache
def people() -> SearchStrategy[Any]:
    """``User``, give or take."""
    return st.fixed_dictionaries(
        {"id": st.integers(1, 2**52), "is_bot": st.sampled_from([False, False, False, True]), "first_name": st.just(NAME)},
        optional={"language_code": st.one_of(st.sampled_from(["ar", "en", "EN-us", "", "x" * 99]), texts(8)), "more": values(4)},
    )  # fmt: skip


@cache
def chats() -> SearchStrategy[Any]:
    """``Chat``, give or take."""
    kinds = st.sampled_from(["private"] * 6 + ["group", "channel", "supergroup", ""])
    numbers = st.one_of(st.just(5), st.integers(-(2**52), 2**52), st.integers(-(10**40), 10**40))
    return st.fixed_dictionaries({"id": numbers, "type": kinds}, optional={"title": texts(8)})


@cache
def contents() -> SearchStrategy[dict[str, Any]]:
    """What a message may hold besides text."""
    document = st.fixed_dictionaries(
        {},
        optional={
            "file_id": texts(20),
            "file_name": texts(40),
            "file_size": st.integers(-1, 2**70),
            "x": values(3),
        },
    )
    return st.one_of(
        st.just({}),
        st.fixed_dictionaries({"document": st.one_of(document, values(3))}),
        st.dictionaries(
            st.sampled_from(
                ["photo", "voice", "sticker", "venue", "location", "pinned_message", "animation"]
            ),
            values(3),
            max_size=2,
        ),
    )


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """``Message``, give or take."""
    made: dict[str, Any] = {"message_id": draw(st.integers(0, 2**40)), "date": 1, "chat": draw(chats())}
    made |= draw(contents())
    if draw(st.integers(0, 3)):
        made["text"] = draw(texts(200))
    if draw(st.integers(0, 5)):
        made["from"] = draw(people())
    if draw(st.integers(0, 19)) == 0:
        made[draw(st.sampled_from(sorted(made)))] = draw(values(4))
    return made


TOKENS: Final = (
    "home/menu/violations/1",
    "violations/scope//2",
    "/menu",
    "/language en",
    "a/b/c/d/e",
    "///",
    "/",
    "home/menu/",
)


@st.composite
def updates(draw: st.DrawFn) -> dict[str, Any]:
    """``Update``, give or take."""
    made: dict[str, Any] = {
        "update_id": draw(st.one_of(st.integers(0, 2**40), st.integers(-(10**30), 10**30)))
    }
    match draw(st.integers(0, 9)):
        case 0 | 1 | 2 | 3 | 4:
            made["message"] = draw(messages())
        case 5 | 6 | 7:
            data = st.one_of(st.sampled_from(TOKENS), texts(64))
            made["callback_query"] = {"id": draw(texts(20)), "from": draw(people()), "data": draw(data)}
            if draw(st.integers(0, 4)):
                made["callback_query"]["message"] = draw(messages())
        case 8:
            made["channel_post"] = draw(messages())
        case _:
            made[draw(st.sampled_from(["message", "edited_message", "my_chat_member", "callback_query"]))] = (
                draw(values(6))
            )
    return made


class Telegram(Target[tuple[bytes, ...]]):
    """Updates through the webhook's lane."""

    name = "telegram"
    about = "bodies of updates: 200 or 400, an event or none, every event answered in words both channels can send"
    modules = (
        "bot.handlers.telegram.updates",
        "bot.handlers.telegram.lane",
        "bot.handlers.telegram.text",
        "bot.handlers.telegram.fetch",
        "bot.handlers.files",
    )
    examples = 40

    def __init__(self) -> None:
        self._residents = Residents()
        self._tasks = Tasks()
        intake = Intake(Kept(), self._residents.awaits, 1000)
        self._inbox = Inbox(
            Calls("http://127.0.0.1:1", "1:x", 1.0),  # of no use: answers of presses go in the body
            lambda: "https://t.me/iqamati_bot",
            self._residents.handle,
            cast("Any", _Refusing()),
            self._tasks,
            translate,
            Fetcher(cast("Any", _Bot()), intake),
        )
        self._lane = WebhookLane(self._inbox, "secret")

    def inputs(self) -> SearchStrategy[tuple[bytes, ...]]:
        whole = updates().map(
            lambda update: json.dumps(update, ensure_ascii=False).encode("utf-8", "replace")
        )
        deep = st.sampled_from(NESTED).map(lambda rest: b'{"update_id":1,"message":{"photo":' + rest)
        body = st.one_of(garbled(whole), garbled(whole), whole, whole, deep)
        return st.lists(body, min_size=1, max_size=MOST).map(tuple)

    def raw(self, data: bytes) -> tuple[bytes, ...]:
        return tuple(data.split(b"\n", MOST - 1))

    def feed(self, given: tuple[bytes, ...]) -> None:
        self._residents.forget()
        for body in given:
            LOOP.run(self._one(body))

    async def _one(self, body: bytes) -> None:
        seen = len(self._residents.events)
        status, answer = await ended(self._lane.serve(body))
        hold(status in {200, 400}, f"answered {status}")
        update = self._inbox.read(body)
        if update is None:
            hold(not answer and seen == len(self._residents.events), "acted upon what is no update")
            return
        hold(status == 200, "an update was refused")
        event = event_of(update)
        hold((event is not None) == (len(self._residents.events) == seen + 1), "an event was passed over")
        hold(event is None or misplaced(update) is None, "answered in the group and outside")
        hold(event is None or chat_of(update) is not None, "an event of no chat")
        if update.callback_query is None:
            hold(not answer, "an answer to no press")
        else:
            hold(
                json.loads(answer)["callback_query_id"] == update.callback_query.id, "another press answered"
            )
