"""What every route owes, those of tomorrow included: each test goes through all routes of the composed application."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest

from bot.handlers.files import UPLOAD
from bot.handlers.telegram.lane import PATH
from bot.model import Chat
from tests.hardening.world import BROWSER, EVIL, Site, listening, status

DEFENDED = {
    "content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy", "permissions-policy",
    "cross-origin-opener-policy", "cross-origin-resource-policy", "cache-control",
}  # fmt: skip
PROVING = re.compile(r"/payments/\w+/notify|/telegram/webhook")
"""Routes where other servers post: a signature, a cipher or a secret in the request proves who sent it."""
RETURNING = re.compile(r"/p/\w+/return")
"""Where a gateway's page sends the browser back by a form. It asks the gateway and changes nothing by itself."""

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json", "X-Requested-With": "iqamati"}
FROM_ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site", "Origin": EVIL},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://pay.iqamati.example"},
    {"Origin": EVIL},
]
FILES = [
    "multipart/form-data; boundary=x",
    "image/png",
    "IMAGE/JPEG",
    "video/mp4",
    "audio/ogg",
    "application/pdf",
    "application/octet-stream",
    "application/zip",
]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


async def everything(site: Site) -> AsyncIterator[tuple[str, httpx.Response]]:
    """An answer of every endpoint, for a browser and for a machine, and of addresses and methods there are not."""
    async with site.client() as client:
        for method, path in [
            *site.endpoints(),
            ("GET", "/nothing"),
            ("PUT", "/p/x"),
            ("POST", "/"),
            ("TRACE", "/"),
        ]:
            for headers in (BROWSER, {}):
                async with client.stream(method, path, headers=headers) as answer:
                    yield f"{method} {path}", answer


@pytest.mark.parametrize("address", ["here", "public"])
async def test_every_answer_is_dressed(site: Site, public: Site, address: str) -> None:
    under_test = public if address == "public" else site
    seen = 0
    with listening() as logged:
        async for name, answer in everything(under_test):
            seen += 1
            assert answer.status_code < 500, name
            missing = DEFENDED - set(answer.headers)
            assert not missing, f"{name} lacks {missing}"
            policy = answer.headers["content-security-policy"]
            assert "default-src" in policy, name
            assert "frame-ancestors 'none'" in policy, name
            assert not re.search(r"script-src[^;]*unsafe|default-src[^;]*unsafe", policy), name
            told = answer.headers.get("strict-transport-security", "")
            assert (told == "max-age=31536000") == (address == "public"), name
            assert "server" not in answer.headers, name
    assert seen > 40
    assert logged.failures == []


async def test_cookies_are_for_the_server_and_for_this_site_only(site: Site, public: Site) -> None:
    for under_test in (site, public):
        found = 0
        async for name, answer in everything(under_test):
            for cookie in answer.headers.get_list("set-cookie"):
                found += 1
                words = {word.strip().lower() for word in cookie.split(";")[1:]}
                assert "httponly" in words, name
                assert words & {"samesite=lax", "samesite=strict"}, name
                assert ("secure" in words) == (under_test is public), name
        assert found


async def test_no_page_has_script_or_style_of_its_own(site: Site) -> None:
    async with site.client() as client:
        for method, path in [*site.endpoints(), ("GET", "/nothing")]:
            if method != "GET" or path == "/chat/events":
                continue
            page = (await client.get(path, headers=BROWSER)).text
            assert not re.search(r"<script(?![^>]*(src=|application/json))", page), path
            assert not re.search(r"<[^>]+\son\w+=|<[^>]+\sstyle=|javascript:", page), path


async def test_every_post_is_refused_from_elsewhere(public: Site) -> None:
    """A page of another site makes the resident's browser post, cookie and all."""
    posts = set(public.posts())
    assert {"/chat/send", "/p/" + "t" * 32, "/telegram/webhook"} <= posts
    async with public.client() as client:
        await client.get("/")
        for path in posts:
            for elsewhere in FROM_ELSEWHERE:
                for kind, body in ((FORM, "a=b"), (JSON, '{"client":"client-0001","text":"x"}'), ({}, "")):
                    answer = await client.post(path, content=body, headers={**elsewhere, **kind})
                    if RETURNING.fullmatch(path):
                        assert answer.status_code == 404, "no such payment, and nothing more happens"
                    elif PROVING.fullmatch(path):
                        assert answer.status_code in {400, 401}, (path, elsewhere)
                    else:
                        assert answer.status_code == 403, (path, elsewhere)


async def test_our_own_pages_may_post(site: Site) -> None:
    async with site.client() as client:
        await client.get("/")
        body = {"client": "client-0001", "text": "مرحبا"}
        for own in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": site.url}, {}):
            answer = await client.post(
                "/chat/send", json=body, headers={"X-Requested-With": "iqamati", **own}
            )
            assert answer.status_code == 202, own
        # A form on a page with `Referrer-Policy: no-referrer` has no origin.
        form = {**FORM, "Origin": "null", "Sec-Fetch-Site": "same-origin"}
        assert (await client.post("/p/unknown", content="", headers=form)).status_code == 404


async def test_no_address_sends_a_browser_elsewhere(site: Site) -> None:
    """An open redirect would lend our name to somebody's page."""
    places = ("//evil.example", EVIL, f"{EVIL}/%2e%2e", "/\\evil.example")
    async with site.client() as client:
        for method, path in site.endpoints():
            if path == "/chat/events":
                continue
            for place in places:
                query = dict.fromkeys(
                    ("next", "url", "to", "return", "redirect", "lang", "n", "state", "code"), place
                )
                headers = {"X-Forwarded-Host": "evil.example", "Host": "evil.example", "Referer": EVIL}
                answer = await client.request(method, path, params=query, headers=headers)
                where = answer.headers.get("location", "")
                assert urlsplit(where).netloc in {"", urlsplit(site.url).netloc}, (path, where)
        for path in ("//evil.example", "/%2f%2fevil.example", "/p/x/", "/static/", "//evil.example/%2e%2e"):
            answer = await client.get(path, headers={"Host": "evil.example"})
            assert answer.status_code in {200, 404}, path
            assert "location" not in answer.headers, path


async def test_only_our_own_host_is_answered(public: Site) -> None:
    async with public.client() as client:
        for host, status in (
            ("iqamati.example", 200),
            ("IQAMATI.example:443", 421),
            ("evil.example", 421),
            ("iqamati.example.evil.example", 421),
            ("iqamati.example@evil.example", 421),
            ("127.0.0.1:8080", 200),
            ("localhost", 200),
            ("[::1]:8080", 200),
        ):
            assert (await client.get("/", headers={"Host": host})).status_code == status, host
        assert (await client.get("/health", headers={"Host": "10.1.2.3"})).status_code == 200
        page = await client.get("/", headers={"Host": "evil.example", **BROWSER})
        assert "لم يُقبل هذا الطلب" in page.text


async def test_one_endpoint_takes_files_and_keeps_none_that_is_not_asked_for(site: Site) -> None:
    async with site.client({"X-Requested-With": "iqamati"}) as client:
        chat = Chat("web", (await client.get("/")).cookies["iq_chat"].rpartition(".")[0])
        for number, kind in enumerate([*FILES, "text/csv", "application/json", ""]):
            headers = {"Content-Type": kind, "X-Client": f"f-client-{number:04d}"}
            answer = await client.post(UPLOAD, content=b"285011500029\n", headers=headers)
            assert answer.status_code == 202, kind
        files = [key.kind for key in await site.service.personal.upkeep._memory.keys(chat)]
        assert "d" not in files
        assert "w" in files, "the chat has heard of them"


async def test_no_other_endpoint_takes_a_file(public: Site) -> None:
    """Nothing is uploaded anywhere else: the web chat sends the kind of a file, and keeps its content."""
    async with public.client(JSON) as client:
        await client.get("/")
        for path in set(public.posts()) - {UPLOAD}:
            for kind in FILES:
                answer = await client.post(path, content=PNG, headers={"Content-Type": kind})
                expected = {400, 401} if PROVING.fullmatch(path) else {415}
                assert answer.status_code in expected, (path, kind)
            # Called something else, it is not what the endpoint reads.
            for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
                answer = await client.post(path, content=PNG, headers={"Content-Type": kind})
                assert 400 <= answer.status_code < 500, (path, kind)


async def test_every_body_has_an_end(public: Site) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"a" * 128 * 1024

    async with public.client(JSON) as client:
        await client.get("/")
        for path in public.posts():
            size = {PATH: 2 << 20, UPLOAD: 5_000_001}.get(path, 65 * 1024)
            # The secret, and the name of what is sent, are asked for first.
            before = {PATH: {401}, UPLOAD: {400}}.get(path, set[int]())
            assert await status(client, path, b"a" * size) in {413, 0} | before, path
            # Who does not read the body does not care how long it is.
            assert await status(client, path, endless()) in {413, 404, 403, 0} | before, path
