"""Fake Telegram Bot API and fake fines registry: hand-parsed HTTP/1.1 on raw (uvloop) protocols.

Used in-process by the load; `python -m bench.telegram.fake_bot_api 8081` serves the Bot API alone (GET /stats for counts).
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import orjson

OK_TRUE = b'{"ok":true,"result":true}'
BOT_USER = {
    "id": 42,
    "is_bot": True,
    "first_name": "Bench",
    "username": "bench_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
}


Handler = Callable[[bytes, bytes, bytes], bytes]
"""From a request's first line, head and body to its answer."""

Fields = dict[str, Any]


def http_response(body: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer of JSON."""
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        len(body),
        body,
    )


def cut_message(buf: bytes) -> tuple[bytes, bytes, bytes, bytes] | None:
    """Cut one HTTP message off buf: (start line, lower-cased head, body, rest), or None while incomplete."""
    end = buf.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buf[:end].lower()
    body_at = end + 4
    i = head.find(b"\r\ncontent-length:")
    if i >= 0:
        j = head.find(b"\r\n", i + 2)
        size = int(head[i + 17 : j if j > 0 else end])
        if len(buf) < body_at + size:
            return None
        body, rest = buf[body_at : body_at + size], buf[body_at + size :]
    elif b"\r\ntransfer-encoding:" in head and b"chunked" in head:
        parts, pos = [], body_at
        while True:
            eol = buf.find(b"\r\n", pos)
            if eol < 0:
                return None
            size = int(buf[pos:eol].split(b";")[0], 16)
            if len(buf) < eol + 2 + size + 2:
                return None
            parts.append(buf[eol + 2 : eol + 2 + size])
            pos = eol + 2 + size + 2
            if size == 0:
                break
        body, rest = b"".join(parts), buf[pos:]
    else:
        body, rest = b"", buf[body_at:]
    return buf[: buf.find(b"\r\n")], head, body, rest


def parse_fields(head: bytes, body: bytes) -> Fields:
    """Arguments, however they were sent."""
    if not body:
        return {}
    if body.startswith(b"{"):
        found: Fields = orjson.loads(body)
        return found
    if b"multipart/form-data" in head:
        fields = {}
        boundary = body[: body.find(b"\r\n")]
        for part in body.split(boundary)[1:-1]:
            part_head, _, value = part.partition(b"\r\n\r\n")
            name = part_head.split(b'name="', 1)[1].split(b'"', 1)[0]
            fields[name.decode()] = value[:-2].decode()
        return fields
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


class HttpServer(asyncio.Protocol):
    """One connection."""

    def __init__(self, handle: Handler) -> None:
        self.handle = handle
        self.buf = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        buf = self.buf + data if self.buf else data
        out = []
        while buf:
            message = cut_message(buf)
            if message is None:
                break
            start, head, body, buf = message
            out.append(self.handle(start, head, body))
        self.buf = buf
        if out:
            self.transport.write(b"".join(out) if len(out) > 1 else out[0])


class BotApi:
    """Answers any method; keeps the last message of each chat and tells on_reply(chat_id, message) about it."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.last: dict[int, Fields] = {}
        self.next_id = 1000
        self.on_reply: Callable[[int, Fields], None] | None = None

    def __call__(self, start: bytes, head: bytes, body: bytes) -> bytes:
        path = start.split(b" ", 2)[1].partition(b"?")
        if path[0] == b"/stats":
            return http_response(orjson.dumps(self.counts))
        fields = parse_fields(head, body)
        if path[2]:
            fields.update((k, v[0]) for k, v in parse_qs(path[2].decode()).items())
        return http_response(self.call(path[0].rsplit(b"/", 1)[-1].decode(), fields))

    def call(self, method: str, fields: Fields) -> bytes:
        """The answer to ``method``."""
        self.counts[method] += 1
        if method in {"sendMessage", "editMessageText"}:
            chat_id = int(fields["chat_id"])
            message_id = fields.get("message_id")
            if message_id is None:
                self.next_id += 1
                message_id = self.next_id
            message: Fields = {
                "message_id": int(message_id),
                "date": 1760000000,
                "from": BOT_USER,
                "chat": {"id": chat_id, "type": "private", "first_name": "User"},
                "text": fields["text"],
            }
            markup = fields.get("reply_markup")
            if markup:
                markup = orjson.loads(markup) if isinstance(markup, str) else markup
                if "inline_keyboard" in markup:
                    message["reply_markup"] = markup
            self.last[chat_id] = message
            if self.on_reply:  # after the HTTP response was written
                asyncio.get_running_loop().call_soon(self.on_reply, chat_id, message)
            return b'{"ok":true,"result":%b}' % orjson.dumps(message)
        if method == "getMe":
            return b'{"ok":true,"result":%b}' % orjson.dumps(BOT_USER)
        if method == "editMessageReplyMarkup":
            message = dict(self.last.get(int(fields["chat_id"]), {}))
            message.pop("reply_markup", None)
            return b'{"ok":true,"result":%b}' % orjson.dumps(message)
        return OK_TRUE


class Registry:
    """GET /fines?civil_id=… gives 3 fines; POST /payments {civil_id, fines, amount} gives a payment link."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def __call__(self, start: bytes, head: bytes, body: bytes) -> bytes:
        del head
        verb, path, _ = start.decode().split(" ", 2)
        if verb == "GET" and path.startswith("/fines?civil_id="):
            self.counts["fines"] += 1
            civil_id = path.rsplit("=", 1)[1]
            return http_response(
                orjson.dumps(
                    {
                        "civil_id": civil_id,
                        "fines": [
                            {
                                "id": f"{civil_id}-{n}",
                                "date": f"2025-0{n}-14",
                                "place": "Gulf Road",
                                "amount": 10 * n,
                            }
                            for n in (1, 2, 3)
                        ],
                    }
                )
            )
        if verb == "POST" and path == "/payments":
            self.counts["payments"] += 1
            order = orjson.loads(body)
            if len(order["fines"]) != 3 or order["amount"] != 60:
                return http_response(b"{}", b"422 Unprocessable Content")
            return http_response(
                orjson.dumps(
                    {"id": self.counts["payments"], "url": f"https://pay.example/{order['civil_id']}/60"}
                )
            )
        return http_response(b"{}", b"404 Not Found")


async def serve(handle: Handler, port: int) -> asyncio.Server:
    """Listen on ``port``."""
    return await asyncio.get_running_loop().create_server(
        lambda: HttpServer(handle), "127.0.0.1", port, backlog=1024
    )


if __name__ == "__main__":
    import sys

    import uvloop

    async def main() -> None:
        await (await serve(BotApi(), int(sys.argv[1]))).serve_forever()

    uvloop.run(main())
