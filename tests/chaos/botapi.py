"""Telegram's Bot API as the run needs it: takes calls, refuses a few, and puts what was said before the residents.

Each process of the service has an address of its own here, so that it is known who said what.
"""

import json
import random
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from tests.chaos.journal import Journal
from tests.chaos.mail import Button, Inbox, Message

TOKEN: Final = "987654321:AAchaosCHAOSchaosCHAOSchaosCHAOSchao"
_BOT: Final = {"id": 987654321, "is_bot": True, "first_name": "Iqamati", "username": "iqamati_chaos_bot"}


class BotApi:
    """The server.

    Args:
        journal: where calls are noted.
        chance: which calls fail.
        failing: share of calls in chats that are refused, undone, with 500 or 429.
    """

    def __init__(self, journal: Journal, chance: random.Random, failing: float) -> None:
        self.port = 0
        self.failing = failing
        self.inboxes: dict[int, Inbox] = {}
        self._journal = journal
        self._chance = chance
        self._next = 1000
        self._runner: web.AppRunner | None = None
        self._in_chat: dict[str, Callable[[str, dict[str, Any]], Any]] = {
            "sendMessage": self._send,
            "editMessageText": self._edit,
        }

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/{who}/bot{token}/{method}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    def base(self, who: str) -> str:
        return f"http://127.0.0.1:{self.port}/{who}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        who, method = request.match_info["who"], request.match_info["method"]
        if request.match_info["token"] != TOKEN:
            return _no(401, "Unauthorized")
        raw = await request.read()
        fields = json.loads(raw) if raw[:1] == b"{" else dict(await request.post())
        if "chat_id" in fields and self._chance.random() < self.failing:
            self._journal.note("bot api refused", str(fields["chat_id"]), who=who, method=method)
            if self._chance.random() < 0.5:
                return _no(500, "Internal Server Error")
            return _no(429, "Too Many Requests: retry after 1", retry_after=1)
        do = self._in_chat.get(method)
        return web.json_response({"ok": True, "result": do(who, fields) if do else _result(method)})

    def _send(self, who: str, fields: dict[str, Any]) -> dict[str, Any]:
        self._next += 1
        return self._said(who, fields, self._next)

    def _edit(self, who: str, fields: dict[str, Any]) -> dict[str, Any]:
        return self._said(who, fields, int(fields["message_id"]), edit=True)

    def _said(self, who: str, fields: dict[str, Any], number: int, *, edit: bool = False) -> dict[str, Any]:
        chat, text = int(fields["chat_id"]), str(fields["text"])
        markup = fields.get("reply_markup") or {}
        rows = (json.loads(markup) if isinstance(markup, str) else markup).get("inline_keyboard", [])
        buttons = tuple(
            Button(each["text"], each.get("callback_data", ""), each.get("url", ""))
            for row in rows
            for each in row
        )
        message = Message(str(number), text, buttons)
        self._journal.note("edit" if edit else "say", str(chat), who=who, message=message)
        if chat in self.inboxes:
            self.inboxes[chat].put(message)
        return {"message_id": number, "date": 0, "chat": {"id": chat, "type": "private"}, "text": text}


def _result(method: str) -> Any:
    if method == "getMe":
        return _BOT
    if method == "getMyCommands":
        return []
    if method.startswith("getMy"):
        return {"short_description" if "Short" in method else "description": ""}
    return True


def _no(status: int, why: str, **parameters: int) -> web.Response:
    body = {"ok": False, "error_code": status, "description": why, "parameters": parameters}
    return web.json_response(body, status=status)
