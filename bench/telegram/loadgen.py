"""Closed-loop load: K turns in flight over keep-alive connections, each chat walking the dialog of README.md."""

import asyncio
import contextlib
from collections import Counter, deque
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson

from bench.telegram.fake_bot_api import BotApi, cut_message, parse_fields

TEXTS = orjson.loads((Path(__file__).parent / "texts.json").read_bytes())
# (kind, what the user sends, what the reply's text must start with)
STEPS = [
    ("text", "/start", "choose_language"),
    ("button", "lang", "choose_service"),
    ("button", "violations", "choose_method"),
    ("button", "by_civil_id", "ask_civil_id"),
    ("text", "bad", "bad_civil_id"),
    ("text", "good", "fines"),
    ("button", "pay_all", "pay_link"),
    ("button", "done", "goodbye"),
]
PARK_AT = 6
"""Fines are shown, 'pay all' is not pressed yet."""

PAY_LINK = 6


class Walk:
    """One chat on its way through the dialog, again and again."""

    def __init__(self, chat_id: int, first_len: int) -> None:
        self.chat_id = chat_id
        self.first_len = first_len  # the first walk is cut short, so that chats are not all at one step
        self.civil_id = f"{200000000000 + chat_id}"
        self.lang = "ar" if chat_id % 2 else "en"
        self.user = {
            "id": chat_id,
            "is_bot": False,
            "first_name": "User",
            "username": f"user{chat_id}",
            "language_code": "en",
        }
        self.chat = {"id": chat_id, "type": "private", "first_name": "User", "username": f"user{chat_id}"}
        self.expect = [TEXTS[key][self.lang].split("{")[0] for _, _, key in STEPS]
        self.step = 0
        self.t0 = 0.0
        self.inflight = False


class WebhookConn(asyncio.Protocol):
    """One of Telegram's connections to the bot."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.buf = b""
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.load.conn_lost(self)

    def send(self, payload: bytes) -> None:
        """One update."""
        self.busy = True
        self.transport.write(payload)

    def data_received(self, data: bytes) -> None:
        self.buf = self.buf + data if self.buf else data
        message = cut_message(self.buf)
        if message is None:
            return
        start, head, body, self.buf = message
        self.busy = False
        if b" 200" not in start:
            self.load.errors[f"webhook {start.decode()}"] += 1
        elif body and b"method" in body:
            fields = parse_fields(head, body)
            self.load.api.call(fields.pop("method"), fields)
            self.load.api.counts["(in webhook reply)"] += 1
        self.load.conn_free(self)


class Load:
    """All chats, and what has been seen of their turns.

    Args:
        api: sees the bot's replies.
        port: the bot's.
        path: of its webhook.
        secret: of its webhook.
        chats: how many there are.
        inflight: turns at once.
        conns: connections at once.
    """

    def __init__(
        self, api: BotApi, port: int, path: str, secret: str, *, chats: int, inflight: int, conns: int
    ) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.api = api
        api.on_reply = self.on_reply
        self.port, self.limit, self.n_conns = port, inflight, conns
        self.head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {secret}\r\nContent-Length: "
        ).encode()
        self.walks = {c: Walk(c, 1 + c % len(STEPS)) for c in range(1_000_000, 1_000_000 + chats)}
        self.ready = deque(self.walks.values())
        self.free: list[WebhookConn] = []
        self.sendq: deque[bytes] = deque()
        self.conns: set[WebhookConn] = set()
        self.inflight = self.turns = self.update_id = 0
        self.latencies: list[float] = []
        self.errors: Counter[str] = Counter()
        self.running = self.parking = False
        self.target, self.reached = 0, asyncio.Event()
        self.timeout = 30.0
        self.pause = 0.0
        """Seconds between turns, 0 for as many as come back."""
        self._next = 0.0
        self._later: asyncio.TimerHandle | None = None

    async def connect(self) -> None:
        """Open the connections."""
        loop = asyncio.get_running_loop()
        for _ in range(self.n_conns):
            _, conn = await loop.create_connection(lambda: WebhookConn(self), "127.0.0.1", self.port)
            self.conns.add(conn)
            self.free.append(conn)

    def close(self) -> None:
        """Close every connection."""
        self.running = False
        for conn in list(self.conns):
            conn.transport.close()

    def conn_lost(self, conn: WebhookConn) -> None:
        """Telegram opens another one."""
        self.conns.discard(conn)
        if conn in self.free:
            self.free.remove(conn)
        if conn.busy:
            self.errors["webhook connection lost"] += 1
        if self.running:
            task = asyncio.get_running_loop().create_task(self._reconnect())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _reconnect(self) -> None:
        loop = asyncio.get_running_loop()
        while self.running:
            try:
                _, conn = await loop.create_connection(lambda: WebhookConn(self), "127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.2)
            else:
                self.conns.add(conn)
                self.conn_free(conn)
                return

    def conn_free(self, conn: WebhookConn) -> None:
        """Its request was answered."""
        if self.sendq:
            conn.send(self.sendq.popleft())
        else:
            self.free.append(conn)

    def update(self, walk: Walk) -> dict[str, Any]:
        """What Telegram would bring of the chat's next step."""
        self.update_id += 1
        kind, what, _ = STEPS[walk.step]
        last = self.api.last.get(walk.chat_id, {})
        if kind == "text":
            text = {"bad": "12345", "good": walk.civil_id}.get(what, what)
            message: dict[str, Any] = {
                "message_id": self.update_id,
                "from": walk.user,
                "chat": walk.chat,
                "date": 1760000000,
                "text": text,
            }
            if text[0] == "/":
                message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text)}]
            return {"update_id": self.update_id, "message": message}
        label = TEXTS[f"lang_{walk.lang}" if what == "lang" else what][walk.lang]
        for row in last["reply_markup"]["inline_keyboard"]:
            for button in row:
                if button["text"] == label:
                    return {
                        "update_id": self.update_id,
                        "callback_query": {
                            "id": str(self.update_id),
                            "from": walk.user,
                            "chat_instance": "1",
                            "message": last,
                            "data": button["callback_data"],
                        },
                    }
        raise LookupError(f"no button {label!r} in {last}")

    def dispatch(self, walk: Walk, at: float) -> None:
        """Send the chat's next update, which was due ``at``."""
        try:
            body = orjson.dumps(self.update(walk))
        except (LookupError, TypeError) as exc:
            self.errors[f"step {walk.step}: {exc!r:.200}"] += 1
            walk.step = 0
            body = orjson.dumps(self.update(walk))
        walk.inflight = True
        self.inflight += 1
        walk.t0 = at
        payload = b"%b%d\r\n\r\n%b" % (self.head, len(body), body)
        if self.free:
            self.free.pop().send(payload)
        else:
            self.sendq.append(payload)

    def pump(self) -> None:
        """Send until as many turns are under way as there may be."""
        while self.running and self.ready and self.inflight < self.limit:
            now = perf_counter()
            if self.pause:
                if now < self._next:
                    self._wake(self._next - now)
                    return
                due = self._next or now
                self._next = due + self.pause
            else:
                due = now
            self.dispatch(self.ready.popleft(), due)

    def _wake(self, seconds: float) -> None:
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(seconds, self._woken)

    def _woken(self) -> None:
        self._later = None
        self.pump()

    def on_reply(self, chat_id: int, message: dict[str, Any]) -> None:
        """The bot has said something."""
        walk = self.walks.get(chat_id)
        if (
            walk is not None
            and walk.step
            and not message["text"].startswith(walk.expect[walk.step])
            and message["text"].startswith(walk.expect[walk.step - 1])
        ):
            return  # the answered question, which a contender may keep readable beside its new one: a call more for it
        if walk is None or not walk.inflight or not message["text"].startswith(walk.expect[walk.step]):
            self.errors["unexpected reply"] += 1
            return
        if walk.step == PAY_LINK:
            urls = [b["url"] for row in message["reply_markup"]["inline_keyboard"] for b in row if "url" in b]
            if len(urls) != 1 or walk.civil_id not in urls[0]:
                self.errors["wrong payment link"] += 1
        self.latencies.append(perf_counter() - walk.t0)
        walk.inflight = False
        self.inflight -= 1
        self.turns += 1
        walk.step += 1
        if walk.step >= walk.first_len:
            walk.step, walk.first_len = 0, len(STEPS)
        if not (self.parking and walk.step == PARK_AT):
            self.ready.append(walk)
        if self.turns >= self.target and not self.reached.is_set():
            self.reached.set()
        self.pump()

    def sweep(self) -> None:
        """Give up turns without an answer."""
        limit = perf_counter() - self.timeout
        for walk in self.walks.values():
            if walk.inflight and walk.t0 < limit:
                self.errors[f"timeout at step {walk.step}"] += 1
                walk.inflight, walk.step = False, 0
                self.inflight -= 1
                self.ready.append(walk)
        self.pump()

    async def run(self, turns: int, min_seconds: float = 0.0, max_seconds: float = 120.0) -> float:
        """Run at least that many turns and that long; turns still in flight at the end are not waited for."""
        self.latencies.clear()
        self.reached.clear()
        self.turns, self.target, self.running = 0, turns, True
        start = perf_counter()
        self.pump()
        while (elapsed := perf_counter() - start) < max_seconds:
            if self.reached.is_set():
                if elapsed >= min_seconds:
                    break
                await asyncio.sleep(min(1.0, min_seconds - elapsed))
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.reached.wait(), 1.0)
            self.sweep()
        return perf_counter() - start

    async def drain(self, seconds: float = 20.0) -> None:
        """Wait for the turns under way."""
        self.running = False
        end = perf_counter() + seconds
        while self.inflight and perf_counter() < end:
            await asyncio.sleep(0.02)

    async def park(self) -> int:
        """Walk every chat to PARK_AT and leave it there: the sessions as they are in mid-dialog."""
        self.parking = self.running = True
        self.ready = deque(w for w in self.ready if w.step != PARK_AT)
        end = perf_counter() + 60
        self.pump()
        while perf_counter() < end and any(w.step != PARK_AT for w in self.walks.values()):
            await asyncio.sleep(0.05)
            self.sweep()
        self.running = self.parking = False
        return sum(w.step == PARK_AT for w in self.walks.values())
