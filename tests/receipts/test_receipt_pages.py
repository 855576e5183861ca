"""The addresses over HTTP: what a browser, a previewer and a forger get."""

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from starlette.applications import Starlette

from bot.domain import Item, ItemKind
from bot.handlers.pay.receipt import receipt_routes
from bot.i18n.render import Renderer
from bot.i18n.text import Local
from bot.services.ledger import Ledger, OrderStatus
from bot.services.receipts import Receipts, Standing
from bot.tasks import Tasks
from tests.prompt import prompt
from tests.receipts.desk import HERE, SUBJECT, Office, fines, token_of

DAY = 24 * 3600
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@asynccontextmanager
async def serving(receipts: Receipts, renderer: Renderer) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A browser in front of the pages."""
    app = Starlette(routes=receipt_routes(receipts, render=renderer.render, home="/chat"))
    listening = socket.create_server(("127.0.0.1", 0))
    server, tasks = prompt(app), Tasks()
    tasks.spawn(server.serve(sockets=[listening]), "test server")
    try:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=base, trust_env=False) as browser:
            yield browser
    finally:
        server.end()
        await tasks.drain()


@pytest.fixture
async def browser(office: Office, renderer: Renderer) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with serving(office.receipts, renderer) as opened:
        yield opened


def path(url: str) -> str:
    return httpx.URL(url).path


def is_guarded(answer: httpx.Response) -> bool:
    policy = answer.headers["content-security-policy"]
    return (
        "frame-ancestors 'none'" in policy
        and "script" not in policy
        and answer.headers["x-content-type-options"] == "nosniff"
        and answer.headers["x-frame-options"] == "DENY"
        and answer.headers["referrer-policy"] == "no-referrer"
        and answer.headers["cache-control"] == "no-store"
        and "noindex" in answer.headers["x-robots-tag"]
    )


async def test_a_receipt_opens_in_the_browser(office: Office, browser: httpx.AsyncClient) -> None:
    order = await office.paid()
    answer = await browser.get(path(office.receipts.link(order.ref)))
    assert answer.status_code == 200
    assert is_guarded(answer)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == f'inline; filename="iqamati-{order.ref}.pdf"'
    assert answer.content.startswith(b"%PDF-")
    assert int(answer.headers["content-length"]) == len(answer.content)


async def test_head_of_a_receipt_prints_nothing(
    office: Office, engine: AsyncEngine, renderer: Renderer
) -> None:
    class Unprinted(Receipts):
        async def open(self, token: str) -> tuple[str, bytes] | None:
            raise AssertionError(token)

    order = await office.paid()
    receipts = Unprinted(
        Ledger(engine), office.keyring, office.clock, office.printer, "https://pay.example.com"
    )
    async with serving(receipts, renderer) as browser:
        answer = await browser.head(path(receipts.link(order.ref)))
        assert answer.status_code == 200
        assert is_guarded(answer)
        assert answer.headers["content-type"] == "application/pdf"
        assert order.ref in answer.headers["content-disposition"]
        assert answer.content == b""
        assert "content-length" not in answer.headers
        assert (await browser.head("/receipts/none.pdf")).status_code == 404


@pytest.mark.parametrize(("language", "said"), [("ar", "للحصول على رابط جديد"), ("en", "For a new link")])
async def test_a_dead_link_says_where_to_ask(
    office: Office, browser: httpx.AsyncClient, language: str, said: str
) -> None:
    order = await office.paid()
    link = path(office.receipts.link(order.ref))
    unpaid = path(office.receipts.link((await office.unpaid()).ref))
    office.clock.at += 7 * DAY
    for dead in (link, unpaid, "/receipts/x.pdf", link.replace(".pdf", "0.pdf")):
        answer = await browser.get(f"{dead}?lang={language}")
        assert answer.status_code == 404
        assert is_guarded(answer)
        assert answer.headers["content-type"].startswith("text/html")
        assert said in answer.text
        assert "/receipts" in answer.text
        assert 'href="/chat"' in answer.text
        assert order.ref not in answer.text


@pytest.mark.parametrize(
    ("language", "direction", "title", "other"),
    [("ar", "rtl", "هذا الإيصال صحيح", "en"), ("en", "ltr", "This receipt is genuine", "ar")],
)
async def test_the_paper_s_code_leads_to_what_the_paper_must_say(
    office: Office, browser: httpx.AsyncClient, language: str, direction: str, title: str, other: str
) -> None:
    order = await office.paid()
    answer = await browser.get(f"{path(office.receipts.proof(order.ref))}?lang={language}")
    page = answer.text
    assert answer.status_code == 200
    assert is_guarded(answer)
    assert f'lang="{language}" dir="{direction}"' in page
    assert all(said in page for said in (title, order.ref, "45.000", order.bank, "09:00", "2026"))
    assert f'href="?lang={other}"' in page
    hidden = (SUBJECT, "Speeding", "تجاوز", HERE.id, order.chat_blind)
    assert all(secret not in page for secret in hidden)


async def test_arabic_comes_first(office: Office, browser: httpx.AsyncClient) -> None:
    order = await office.paid()
    for asked in ("", "?lang=", "?lang=fr", "?lang=<b>"):
        page = (await browser.get(f"{path(office.receipts.proof(order.ref))}{asked}")).text
        assert 'lang="ar" dir="rtl"' in page


STANDINGS = {
    OrderStatus.PAID: "is being recorded",
    OrderStatus.POSTED: "is recorded in",
    OrderStatus.REVIEW: "A person is reviewing",
    OrderStatus.REFUNDED: "The whole amount was refunded",
}


@pytest.mark.parametrize("status", STANDINGS)
async def test_the_page_says_how_the_payment_stands(
    office: Office, browser: httpx.AsyncClient, status: OrderStatus
) -> None:
    assert len(STANDINGS) == len(Standing)
    order = await office.paid(status=status)
    page = (await browser.get(f"{path(office.receipts.proof(order.ref))}?lang=en")).text
    assert [said for said in STANDINGS.values() if said in page] == [STANDINGS[status]]


async def test_the_page_says_what_was_given_back(office: Office, browser: httpx.AsyncClient) -> None:
    order = await office.paid()
    proof = f"{path(office.receipts.proof(order.ref))}?lang=en"
    assert "refunded" not in (await browser.get(proof)).text
    await office.refund(order, 12_345)
    page = (await browser.get(proof)).text
    assert "12.345" in page
    assert "of it was refunded" in page
    await office.refund(order, 45_000 - 12_345)
    page = (await browser.get(proof)).text
    assert "The whole amount was refunded" in page
    assert "of it was refunded" not in page


async def test_a_trial_is_told_as_one(office: Office, browser: httpx.AsyncClient) -> None:
    order = await office.paid(provider="sandbox")
    page = (await browser.get(f"{path(office.receipts.proof(order.ref))}?lang=en")).text
    assert "A trial" in page
    assert "recorded in the ministry" not in page


@pytest.mark.parametrize(("language", "said"), [("ar", "لا يمكن الوثوق"), ("en", "cannot be trusted")])
async def test_a_forged_paper_is_called_one(
    office: Office, browser: httpx.AsyncClient, language: str, said: str
) -> None:
    order, other = await office.paid(), await office.paid()
    proof = path(office.receipts.proof(order.ref))
    unpaid = path(office.receipts.proof((await office.unpaid()).ref))
    for forged in (
        proof[:-1],
        proof.replace(order.ref, other.ref),
        unpaid,
        "/r/x",
        "/r/%3Cscript%3E",
        f"/r/{token_of(office.receipts.link(order.ref))}",
    ):
        answer = await browser.get(f"{forged}?lang={language}")
        assert answer.status_code == 404
        assert is_guarded(answer)
        assert said in answer.text
        assert "/receipts" in answer.text
        assert "script" not in answer.text
        assert order.bank not in answer.text


async def test_a_ledger_that_is_down_is_no_verdict(office: Office, renderer: Renderer) -> None:
    order = await office.paid()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        gone = create_async_engine(f"postgresql+asyncpg://x@127.0.0.1:{unused.getsockname()[1]}/none")
    down = office.over(Ledger(gone))
    async with serving(down, renderer) as browser:
        for url in (office.receipts.proof(order.ref), office.receipts.link(order.ref)):
            for method in ("GET", "HEAD"):
                answer = await browser.request(method, f"{path(url)}?lang=en")
                assert answer.status_code == 503
                assert is_guarded(answer)
        assert "Try again" in (await browser.get(f"{path(url)}?lang=en")).text
        # What no key of ours signed needs no ledger to be refused.
        assert (await browser.get("/r/x")).status_code == 404
    await gone.dispose()


async def test_nothing_but_looking_is_allowed(office: Office, browser: httpx.AsyncClient) -> None:
    order = await office.paid()
    for url in (office.receipts.proof(order.ref), office.receipts.link(order.ref)):
        for method in ("POST", "PUT", "DELETE"):
            assert (await browser.request(method, path(url))).status_code == 405


async def test_the_page_says_what_was_renewed_and_what_is_not_recorded(
    office: Office, browser: httpx.AsyncClient
) -> None:
    two = tuple(
        Item(f"R-{part}", ItemKind.RENEWAL, Local("معال", "Dependant"), 20_000, 1, "2027-12-31", part)
        for part in range(2)
    )
    order = await office.unpaid((*two, *fines(5_000)))
    async with office.ledger.write() as work:
        await work.add_postings(order.id, 1)
        await work.set_postings(order.id, {0: "", 1: "not_renewable"}, 2)
    await office.pay(order, status=OrderStatus.REVIEW)
    page = (await browser.get(f"{path(office.receipts.proof(order.ref))}?lang=en")).text
    assert "Paid for the renewal of 2 residencies and 1 violation" in page
    assert "1 line of it is not recorded." in page
    assert "Dependant" not in page
    assert "R-1" not in page
    for fines_only in (await office.paid(), await office.paid(provider="sandbox")):
        page = (await browser.get(f"{path(office.receipts.proof(fines_only.ref))}?lang=en")).text
        assert "Paid for" not in page
        assert "not recorded" not in page
