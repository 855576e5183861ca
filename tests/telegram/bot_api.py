"""A Bot API server on loopback that behaves like Telegram's where it matters to us.

It keeps updates until they are confirmed by a higher ``offset``, remembers the messages it was given so
that edits can fail as they really do, checks lengths, tags, buttons and the webhook's arguments, and can
be told to fail, to answer late or to drop the connection.
"""

import asyncio
import json
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

TOKEN = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"
BOT = {"id": 123456789, "is_bot": True, "first_name": "Iqamati", "username": "iqamati_test_bot"}
PATIENCE = 10  # real seconds after which a test that waits for nothing is stopped

FILE_LIMIT = 20_000_000
"""Bytes of a file that getFile gives at most (Bot API, getFile)."""

Fields = dict[str, Any]


@dataclass
class Fault:
    """An answer in place of the real one. ``raw`` is sent as it is; ``drop`` closes the connection;
    ``none`` lets the real one through, so that a later call can fail."""

    status: int = 200
    description: str = ""
    retry_after: int = 0
    raw: str = ""
    drop: bool = False
    none: bool = False


class Refused(Exception):
    def __init__(self, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.fault = Fault(status, description)


@dataclass
class Message:
    text: str
    markup: Any
    ours: bool = True


@dataclass
class BotApi:
    base: str = ""
    calls: list[tuple[str, Fields]] = field(default_factory=list)
    updates: list[Fields] = field(default_factory=list)
    messages: dict[tuple[int, int], Message] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    missing: set[int] = field(default_factory=set)
    webhook: Fields = field(default_factory=dict)
    profile: dict[tuple[str, str], Any] = field(default_factory=dict)
    faults: defaultdict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    """What residents sent, by file id."""
    sizes: dict[str, int] = field(default_factory=dict)
    """What getFile says of a file's size instead of the truth; 0 for nothing."""
    fetched: list[str] = field(default_factory=list)
    token: str = TOKEN
    closed: bool = False
    _polls: int = 0
    _next_update: int = 1000
    _next_message: int = 500
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    # --- what tests say -----------------------------------------------------------------------------

    async def push(self, **update: Any) -> int:
        """Something happens on Telegram; returns its update id."""
        async with self._changed:
            self._next_update += 1
            self.updates.append({"update_id": self._next_update, **update})
            self._changed.notify_all()
            return self._next_update

    def fail(self, method: str, *faults: Fault) -> None:
        self.faults[method].extend(faults)

    def hold(self, method: str) -> asyncio.Event:
        """``method`` answers only once the returned event is set."""
        return self.gates.setdefault(method, asyncio.Event())

    def called(self, method: str) -> list[Fields]:
        return [fields for name, fields in self.calls if name == method]

    async def until(self, reached: Callable[[], bool]) -> None:
        """Return when ``reached`` holds after some call."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(reached)

    async def until_called(self, method: str, times: int = 1) -> list[Fields]:
        await self.until(lambda: len(self.called(method)) >= times)
        return self.called(method)

    async def until_confirmed(self) -> None:
        """Every update was confirmed."""
        await self.until(lambda: not self.updates)

    @property
    def pending(self) -> list[int]:
        return [update["update_id"] for update in self.updates]

    @property
    def counts(self) -> Counter[str]:
        return Counter(name for name, _ in self.calls)

    # --- the server ---------------------------------------------------------------------------------

    async def answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        fields: Fields = dict(await request.post()) or _as_form(await request.read())
        if request.match_info["token"] != self.token:
            return _refusal(Fault(401, "Unauthorized"))
        async with self._changed:
            self.calls.append((method, fields))
            self._changed.notify_all()
        if (gate := self.gates.get(method)) is not None:
            await gate.wait()
        if self.faults[method] and not (fault := self.faults[method].popleft()).none:
            return self._fault(request, fault)
        try:
            result = await self._result(method, fields)
        except Refused as refused:
            return _refusal(refused.fault)
        return web.json_response({"ok": True, "result": result})

    async def close(self) -> None:
        for gate in self.gates.values():
            gate.set()
        async with self._changed:
            self.closed = True
            self._changed.notify_all()

    @staticmethod
    def _fault(request: web.Request, fault: Fault) -> web.Response:
        if fault.drop:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault.raw:
            return web.Response(status=fault.status, text=fault.raw)
        return _refusal(fault)

    async def _result(self, method: str, fields: Fields) -> Any:
        if method == "getMe":
            return BOT
        if method == "getUpdates":
            return await self._get_updates(fields)
        if method.startswith(("getMy", "setMy")):
            return self._profile(method, fields)
        if method in {"setWebhook", "deleteWebhook"}:
            return self._set_webhook(method, fields)
        if method == "answerCallbackQuery":
            return True
        if method == "getFile":
            return self._get_file(fields)
        return self._in_chat(method, fields)

    async def _get_updates(self, fields: Fields) -> list[Fields]:
        if self.webhook:
            raise Refused(
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook", 409
            )
        offset = int(fields.get("offset", 0))
        async with self._changed:
            self.updates = [update for update in self.updates if update["update_id"] >= offset]
            self._polls += 1
            mine = self._polls
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self.closed or self.updates or self._polls != mine)
            if self._polls != mine:
                raise Refused("Conflict: terminated by other getUpdates request", 409)
            return self.updates[: int(fields.get("limit", 100))]

    def _get_file(self, fields: Fields) -> Fields:
        name = fields["file_id"]
        if name not in self.files:
            raise Refused("Bad Request: wrong file_id or the file is temporarily unavailable")
        size = self.sizes.get(name, len(self.files[name]))
        if size > FILE_LIMIT:
            raise Refused("Bad Request: file is too big")
        found = {"file_id": name, "file_unique_id": name, "file_path": f"documents/{name}"}
        return {**found, "file_size": size} if size else found

    async def file(self, request: web.Request) -> web.StreamResponse:
        """``GET /file/bot<token>/<file_path>``."""
        name = request.match_info["name"]
        if request.match_info["token"] != self.token or name not in self.files:
            return web.Response(status=404, text='{"ok":false,"error_code":404,"description":"Not Found"}')
        async with self._changed:
            self.fetched.append(name)
            self._changed.notify_all()
        if (gate := self.gates.get("file")) is not None:
            await gate.wait()
        if self.faults["file"] and not (fault := self.faults["file"].popleft()).none:
            return self._fault(request, fault)
        if name == "endless":
            return await self._endless(request)
        return web.Response(body=self.files[name], content_type="application/octet-stream")

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        """A file that goes on until the other end hangs up."""
        answer = web.StreamResponse()
        await answer.prepare(request)
        with suppress(ConnectionError):
            while not self.closed:
                await answer.write(b"1" * 65_536)
        return answer

    def _set_webhook(self, method: str, fields: Fields) -> bool:
        if method == "deleteWebhook":
            self.webhook = {}
            return True
        if urlsplit(fields["url"]).scheme != "https":
            raise Refused("Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.webhook = fields
        return True

    def _profile(self, method: str, fields: Fields) -> Any:
        what, language = method[5:], fields.get("language_code", "")
        if method.startswith("set"):
            value = fields.get("commands") or fields.get("description") or fields.get("short_description")
            assert isinstance(value, str)
            longest = {"Description": 512, "ShortDescription": 120}.get(what, 10_000)
            assert len(value) <= longest
            self.profile[what, language] = value
            return True
        value = self.profile.get((what, language), "")
        if what == "Commands":
            return json.loads(value or "[]")
        return {"description" if what == "Description" else "short_description": value}

    def _in_chat(self, method: str, fields: Fields) -> Any:
        chat = int(fields["chat_id"])
        if chat in self.blocked:
            raise Refused("Forbidden: bot was blocked by the user", 403)
        if chat in self.missing:
            raise Refused("Bad Request: chat not found")
        if method == "sendChatAction":
            return True
        if method == "sendMessage":
            self._next_message += 1
            number = self._next_message
            self.messages[chat, number] = Message(_text(fields), _markup(fields))
            return _message(chat, number, self.messages[chat, number])
        number = int(fields["message_id"])
        if method == "deleteMessage":
            if self.messages.pop((chat, number), None) is None:
                raise Refused("Bad Request: message to delete not found")
            return True
        return self._edit(method, fields, chat, number)

    def _edit(self, method: str, fields: Fields, chat: int, number: int) -> Any:
        message = self.messages.get((chat, number))
        if message is None:
            raise Refused("Bad Request: message to edit not found")
        if not message.ours:
            raise Refused("Bad Request: message can't be edited")
        text = _text(fields) if method == "editMessageText" else message.text
        edited = Message(text, _markup(fields))
        if edited == message:
            raise Refused(
                "Bad Request: message is not modified: specified new message content and reply markup are"
                " exactly the same as a current content and reply markup of the message"
            )
        self.messages[chat, number] = edited
        return _message(chat, number, edited)


@asynccontextmanager
async def serve() -> AsyncIterator[BotApi]:
    """A fresh server on a free port of loopback."""
    api = BotApi()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", api.answer)
    app.router.add_get("/file/bot{token}/documents/{name}", api.file)
    runner = web.AppRunner(app, shutdown_timeout=1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield api
    finally:
        await api.close()
        await runner.cleanup()


def _as_form(body: bytes) -> Fields:
    """A JSON body as the form that says the same: whole structures as JSON, the rest as text."""
    given: Fields = json.loads(body or b"{}")
    return {
        name: json.dumps(value) if isinstance(value, dict | list) else str(value)
        for name, value in given.items()
    }


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"b", "code"} or attrs:
            raise Refused(f'Bad Request: can\'t parse entities: Unsupported start tag "{tag}"')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise Refused("Bad Request: can't parse entities: Unmatched end tag")

    def handle_data(self, data: str) -> None:
        self.text += data


def _text(fields: Fields) -> str:
    html = str(fields.get("text", ""))
    assert fields["parse_mode"] == "HTML"
    assert json.loads(fields["link_preview_options"])["is_disabled"] is True
    parser = _Html()
    parser.feed(html)
    parser.close()
    if parser.open:
        raise Refused("Bad Request: can't parse entities: Can't find end tag")
    if not parser.text.strip():
        raise Refused("Bad Request: message text is empty")
    if len(parser.text) > 4096:
        raise Refused("Bad Request: message is too long")
    return html


def _markup(fields: Fields) -> Any:
    rows = json.loads(fields.get("reply_markup", "{}")).get("inline_keyboard", [])
    for button in (button for row in rows for button in row):
        if len(button.get("callback_data", "").encode()) > 64:
            raise Refused("Bad Request: BUTTON_DATA_INVALID")
        host = urlsplit(button.get("url", "")).hostname
        if host is not None and "." not in host.replace("127.0.0.1", ""):
            raise Refused(
                f"Bad Request: inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL"
            )
    return rows


def _message(chat: int, number: int, message: Message) -> Fields:
    return {
        "message_id": number,
        "date": 1_760_000_000,
        "from": BOT,
        "chat": {"id": chat, "type": "private", "first_name": "Someone"},
        "text": message.text,
    }


def _refusal(fault: Fault) -> web.Response:
    body: Fields = {"ok": False, "error_code": fault.status, "description": fault.description}
    if fault.retry_after:
        body["parameters"] = {"retry_after": fault.retry_after}
    return web.json_response(body, status=fault.status)


# --- updates as Telegram sends them -------------------------------------------------------------------


def person(number: int, language: str = "ar") -> Fields:
    return {"id": number, "is_bot": False, "first_name": "Someone", "language_code": language}


def message(chat: int, number: int = 7, kind: str = "private", **content: Any) -> Fields:
    """A message of somebody's; ``content`` is ``text=…``, ``photo=[…]`` and so on."""
    place = {"id": chat, "type": kind, "first_name": "Someone"}
    return {"message_id": number, "date": 1_760_000_000, "chat": place, "from": person(abs(chat)), **content}


def press(chat: int, data: str, number: int = 7, kind: str = "private") -> Fields:
    """A press on a button of our message ``number``."""
    shown = {**message(chat, number, kind, text="?"), "from": BOT}
    return {
        "id": f"press-{chat}-{data}",
        "from": person(abs(chat), "en"),
        "chat_instance": "1",
        "message": shown,
        "data": data,
    }
