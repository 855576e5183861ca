"""The floor: the same contract as a team would write it on Starlette, redis-py and httpx, and nothing more.

The session is JSON under one key, the log a capped stream, a stream of server-sent events waits on a subscription of its
own. No encryption, no outbox, no lock, no deduplication, no check of where a request comes from.
"""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import redis.asyncio as aioredis
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bench.telegram.dialog import TEXTS

TTL = 86_400
KEPT = 200
Session = dict[str, Any]


class Floor:
    def __init__(self, redis_url: str, upstream_url: str) -> None:
        # Any: redis-py's annotations do not know whether a command is awaited.
        self.redis: Any = aioredis.from_url(redis_url, max_connections=10_000)
        self.upstream = httpx.AsyncClient(base_url=upstream_url)

    async def page(self, request: Request) -> Response:
        response = HTMLResponse("<!doctype html><title>Chat</title>")
        response.set_cookie("chat", request.cookies.get("chat") or secrets.token_urlsafe(24), httponly=True)
        return response

    async def events(self, request: Request) -> Response:
        return StreamingResponse(self.stream(request.cookies["chat"]), media_type="text/event-stream")

    async def stream(self, chat: str) -> AsyncIterator[bytes]:
        async with self.redis.pubsub() as heard:
            await heard.subscribe(f"n:{chat}")
            after = "-"
            while True:
                for entry_id, fields in await self.redis.xrange(f"l:{chat}", min=after):
                    after = f"({entry_id.decode()}"
                    yield b"id: %b\nevent: entry\ndata: %b\n\n" % (entry_id, fields[b"e"])
                await heard.get_message(ignore_subscribe_messages=True, timeout=15.0)

    async def send(self, request: Request) -> Response:
        sent = await request.json()
        chat = request.cookies["chat"]
        raw = await self.redis.get(f"s:{chat}")
        session: Session = msgspec.json.decode(raw) if raw else {"state": "", "lang": "en"}
        if "text" in sent:
            await self.show(chat, {"from": "me", "spans": [[sent["text"]]], "rows": []})
        said = sent.get("press") or sent["text"]
        text, values, keys, url = await self.turn(session, said)
        await self.redis.set(f"s:{chat}", msgspec.json.encode(session), ex=TTL)
        lang = session["lang"]
        rows = [[[TEXTS[key][lang], key]] for key in keys]
        if url:
            rows.insert(0, [[TEXTS["pay_now"][lang], "", url]])
        await self.show(chat, {"from": "bot", "spans": [[TEXTS[text][lang].format(**values)]], "rows": rows})
        return JSONResponse({}, 202)

    async def show(self, chat: str, entry: dict[str, Any]) -> None:
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.xadd(
                f"l:{chat}",
                {"e": msgspec.json.encode({"type": "message", **entry})},
                maxlen=KEPT,
                approximate=False,
            )
            pipe.expire(f"l:{chat}", TTL)
            pipe.publish(f"n:{chat}", b"")
            await pipe.execute()

    async def turn(self, session: Session, said: str) -> tuple[str, dict[str, Any], tuple[str, ...], str]:
        match session["state"], said:
            case _, "/start":
                session.update(state="language", lang="en")
                return "choose_language", {}, ("lang_en", "lang_ar"), ""
            case "language", _:
                session.update(state="service", lang=said.removeprefix("lang_"))
                return "choose_service", {}, ("violations", "renewals"), ""
            case "service", _:
                session["state"] = "method"
                return "choose_method", {}, ("by_civil_id", "by_plate"), ""
            case "method", _:
                session["state"] = "ask_civil_id"
                return "ask_civil_id", {}, (), ""
            case "ask_civil_id", _ if len(said) != 12 or not said.isdigit():
                return "bad_civil_id", {}, (), ""
            case "ask_civil_id", _:
                return await self.owed(session, said)
            case "fines", _:
                order = {
                    "civil_id": session["civil_id"],
                    "fines": session["fines"],
                    "amount": session["total"],
                }
                payment = (await self.upstream.post("/payments", json=order)).json()
                session["state"] = "payment"
                return "pay_link", {"total": session["total"]}, ("done",), payment["url"]
            case _:
                session["state"] = "goodbye"
                return "goodbye", {}, (), ""

    async def owed(self, session: Session, civil_id: str) -> tuple[str, dict[str, Any], tuple[str, ...], str]:
        found = (await self.upstream.get("/fines", params={"civil_id": civil_id})).json()["fines"]
        total = sum(fine["amount"] for fine in found)
        session.update(state="fines", civil_id=civil_id, fines=[fine["id"] for fine in found], total=total)
        lines = "\n".join(f"- {fine['date']} {fine['place']}: {fine['amount']} KWD" for fine in found)
        return "fines", {"count": len(found), "total": total, "lines": lines}, ("pay_all", "cancel"), ""


async def main() -> None:
    floor = Floor(os.environ["REDIS_URL"], os.environ["UPSTREAM_URL"])
    app = Starlette(
        routes=[
            Route("/", floor.page),
            Route("/chat/events", floor.events),
            Route("/chat/send", floor.send, methods=["POST"]),
        ]
    )
    port = int(os.environ["PORT"])
    config = uvicorn.Config(
        app, port=port, log_level="critical", access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, setattr, server, "should_exit", True)
    await server.serve()


if __name__ == "__main__":
    uvloop.run(main())
