"""Files over HTTP: who may send one, what is kept, what is said to the rest."""

import io
import zipfile
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest

from bot.handlers.chat_log import NAME
from bot.handlers.files import is_table, shown_name
from bot.model import Attached, Chat, Say, Span
from tests.web.site import LIMIT, Resident, Site, typed

CSV = "civil id,name\r\n285011500029,فاطمة\r\n".encode()
CLIENT = "f-0123456789abcdef"


def xlsx() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.xml", "<workbook/>")
    return made.getvalue()


def a_zip() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr("workers.csv", CSV)
    return made.getvalue()


async def upload(
    resident: Resident, content: bytes, name: str = "workers.csv", client: str = CLIENT, **headers: str
) -> httpx.Response:
    named = {"X-Client": client, "X-File-Name": quote(name), "Content-Type": "application/octet-stream"}
    return await resident.http.post("/chat/upload", content=content, headers=named | headers)


def attached(site: Site) -> list[Attached]:
    return [event for event in site.events if isinstance(event, Attached)]


async def shown(site: Site, chat: Chat) -> list[dict[str, Any]]:
    return [msgspec.json.decode(entry) for _, entry in await site.log.read(chat)]


@pytest.fixture(autouse=True)
def asked(site: Site) -> None:
    site.awaited = ("document",)


@pytest.mark.parametrize("content", [CSV, xlsx()])
async def test_a_file_reaches_the_chat(site: Site, content: bytes) -> None:
    async with site.resident() as resident:
        answer = await upload(resident, content, "عمال الشركة.xlsx")
        assert (answer.status_code, answer.json()) == (202, {})
        (event,) = attached(site)
        assert (event.kind, event.name, event.missing) == ("document", "عمال الشركة.xlsx", "")
        assert event.id == f"web:{CLIENT}"
        assert event.origin
        assert await site.files.get(resident.chat, event.file) == content
        (own,) = await shown(site, resident.chat)
        assert (own["from"], own["kind"], own["name"]) == ("me", "document", "عمال الشركة.xlsx")
        assert own["client"] == CLIENT
        assert event.source == (await site.log.read(resident.chat))[0][0]


async def test_another_chat_cannot_use_the_reference(site: Site) -> None:
    async with site.resident() as resident, site.resident() as other:
        await upload(resident, CSV)
        await upload(other, b"1,2\n", client="f-another-chat")
        (first, second) = attached(site)
        assert first.chat != second.chat
        assert await site.files.get(other.chat, first.file) is None
        assert await site.files.get(resident.chat, second.file) is None


async def test_a_repeated_file_is_one(site: Site) -> None:
    async with site.resident() as resident:
        for _ in range(3):
            assert (await upload(resident, CSV)).status_code == 202
        assert site.repeats == 2
        assert len(attached(site)) == 1
        assert len(await site.log.read(resident.chat)) == 1
        assert len(await site.redis.keys("d:*")) == 2  # the file and the list of files


async def test_a_file_that_nobody_asked_for_is_not_kept(site: Site) -> None:
    site.awaited = ()
    async with site.resident() as resident:
        assert (await upload(resident, CSV)).status_code == 202
        (event,) = attached(site)
        assert (event.kind, event.file, event.missing) == ("document", "", "")
        assert await site.redis.keys("d:*") == []


async def test_where_photos_are_asked_for_a_document_is_not_kept(site: Site) -> None:
    site.awaited = ("photo",)
    async with site.resident() as resident:
        assert (await upload(resident, CSV)).status_code == 202
        assert await site.redis.keys("d:*") == []


WRONG = {
    "pdf": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "old excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
    "zip": a_zip(),
    "program": b"MZ\x90\x00\x03\x00\x00\x00\x04",
    "rtf": b"{\\rtf1 285011500029}",
    "zeros": bytes(100),
    "nothing": b"",
    "blank": b" \r\n ",
}
RIGHT = {
    "csv": CSV,
    "xlsx": xlsx(),
    "utf-8 with its mark": b"\xef\xbb\xbf" + CSV,
    "utf-16": CSV.decode().encode("utf-16"),
    "utf-16 without its mark": b"285011500029,1\r\n".decode().encode("utf-16-le"),
    "utf-16 the other way": b"285011500029,1\r\n".decode().encode("utf-16-be"),
    "windows-1256": CSV.decode().encode("cp1256"),
    "tabs": b"285011500029\tx\r\n",
    "arabic digits": "٢٨٥٠١١٥٠٠٠٢٩\n".encode(),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_no_table_is_told_so_and_not_kept(site: Site, name: str) -> None:
    assert not is_table(WRONG[name])
    async with site.resident() as resident:
        # Whatever it calls itself.
        assert (await upload(resident, WRONG[name], "workers.xlsx")).status_code == 202
        (event,) = attached(site)
        assert (event.file, event.missing) == ("", "kind")
        assert await site.redis.keys("d:*") == []


@pytest.mark.parametrize("name", RIGHT)
def test_what_may_be_a_table(name: str) -> None:
    assert is_table(RIGHT[name])


async def test_the_largest_and_one_byte_more(site: Site) -> None:
    async with site.resident() as resident:
        assert (await upload(resident, b"1" * LIMIT)).status_code == 202
        too_large = await upload(resident, b"1" * (LIMIT + 1), client="f-too-large-1")
        assert (too_large.status_code, too_large.json()) == (413, {"error": "too large"})
        assert [event.missing for event in attached(site)] == [""]


async def test_the_page_tells_of_a_file_it_did_not_send(site: Site) -> None:
    async with site.resident() as resident:
        answer = await resident.post(client=CLIENT, sent="document", missing="large", name="../ملف.csv")
        assert answer.status_code == 202
        (event,) = attached(site)
        assert (event.kind, event.file, event.missing, event.name) == ("document", "", "large", "ملف.csv")
        for wrong in ("kind", "x", "large\n"):
            bad = await resident.post(client=CLIENT, sent="document", missing=wrong)
            assert bad.status_code == 400


@pytest.mark.parametrize(
    "client", ["", "short", "a" * 65, "f-01234567/8", "f-0123456789\u0661", "f 0123456789"]
)
async def test_a_forged_client_is_refused(site: Site, client: str) -> None:
    async with site.resident() as resident:
        answer = await resident.http.post(
            "/chat/upload", content=CSV, headers={b"X-Client": client.encode("utf-8")}
        )
        assert answer.status_code == 400
        assert site.events == []
        assert await site.redis.keys("d:*") == []


async def test_another_site_cannot_send_files(site: Site) -> None:
    async with site.resident() as resident:
        for headers in (
            {"X-Requested-With": ""},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
        ):
            assert (await upload(resident, CSV, **headers)).status_code == 403
    assert site.events == []


async def test_without_a_chat_nothing_is_taken(site: Site) -> None:
    async with site.client() as client:
        assert (await upload(Resident(client), CSV)).status_code == 401
        client.cookies.set("iq_chat", "made-up.signature")
        assert (await upload(Resident(client), CSV)).status_code == 401
        assert (await client.get("/chat/upload")).status_code == 405
    assert site.events == []


async def test_a_store_that_is_away_is_worth_another_try(site: Site) -> None:
    async with site.resident() as resident:
        site.away = True
        answer = await upload(resident, CSV)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
        site.away = False
        assert (await upload(resident, CSV)).status_code == 202
        assert len(attached(site)) == 1
        assert typed(site) == []


async def test_nothing_of_a_file_is_readable_in_redis(site: Site) -> None:
    async with site.resident() as resident:
        await upload(resident, CSV, "fatima-285011500029.csv")
        for key in await site.redis.keys("*"):
            assert b"285011500029" not in key
            dumped = await site.redis.dump(key)
            assert b"285011500029" not in dumped
            assert b"fatima" not in dumped


async def test_the_page_knows_what_a_question_awaits(site: Site) -> None:
    async with site.resident() as resident:
        chat = Chat(NAME, resident.chat.id)
        await site.channel.deliver(
            chat, Say(key="1:0", language="ar", spans=(Span("x"),), awaits=("document",))
        )
        await site.channel.deliver(chat, Say(key="2:0", language="ar", spans=(Span("y"),)))
        assert [entry["awaits"] for entry in await shown(site, chat)] == [["document"], []]


NAMES = {
    "workers.csv": "workers.csv",
    "C:\\Users\\f\\workers.csv": "workers.csv",
    "../../etc/passwd": "passwd",
    "a\x00b\nc.csv": "abc.csv",
    "invoice\u202excod.exe": "invoicexcod.exe",
    " عمال.xlsx ": "عمال.xlsx",
    "x" * 500: "x" * 120,
    "": "",
    "/": "",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_as_it_may_be_shown(name: str) -> None:
    assert shown_name(name) == NAMES[name]
