"""Signing in as a resident does: the whole service in its own process, a real browser, the sandbox provider."""

import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.e2e.command import Home, Run
from tests.identity.world import CIVIL_ID

pytestmark = pytest.mark.browser

expect.set_options(timeout=30_000)  # milliseconds; a busy machine is slow, not wrong

CODE = re.compile(r"\d{3} \d{3}")
STRANGE = "284100200017"
"""Somebody who is not of the cast."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with Home(tmp_path_factory.mktemp("sign-in")).running() as run:
        yield run
        ended = run.interrupt()
        assert (ended.code, ended.errors) == (0, [])


@pytest_asyncio.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """One resident's browser. Anything a page complains about fails the test at the end."""
    made = await browser.new_context(viewport={"width": 390, "height": 844})
    complaints: list[str] = []

    def note(said: ConsoleMessage) -> None:
        # Pages without an icon are asked for one; that a code is shown no more is part of a test.
        known = said.location["url"].endswith("/favicon.ico") or "403" in said.text
        if said.type == "error" and not known:
            complaints.append(said.text)

    def watch(page: Page) -> None:
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))

    made.on("page", watch)
    yield made
    await made.close()
    assert complaints == []


async def chat(context: BrowserContext, service: Run) -> Page:
    """The chat, in English, at the question for the sign-in's link."""
    page = await context.new_page()
    await page.goto(f"{service.home.url}/?lang=en")
    for label in ("More", "Sign in"):
        await page.locator("button.choice:not([aria-disabled])", has_text=label).last.click()
    await expect(page.get_by_role("link", name="Open sign-in page")).to_be_visible()
    return page


async def write(page: Page, text: str) -> None:
    await page.get_by_role("textbox").fill(text)
    await page.keyboard.press("Enter")


async def our_page(context: BrowserContext, chat_page: Page) -> Page:
    """The page that the chat's link opens."""
    link = chat_page.get_by_role("link", name="Open sign-in page").last
    page = await context.new_page()
    await page.goto(await link.get_attribute("href") or "")
    return page


async def signed(page: Page, civil_id: str = CIVIL_ID) -> str:
    """From our page over the provider's to the code."""
    await page.get_by_role("button", name="Go on to sign in").click()
    await expect(page.get_by_role("heading", name="SANDBOX sign-in")).to_be_visible()
    await page.get_by_role("button", name=civil_id).click()
    await expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    return await page.locator(".digits").inner_text()


async def test_a_resident_signs_in_and_out(context: BrowserContext, service: Run) -> None:
    page = await chat(context, service)
    other = await our_page(context, page)
    await expect(other.get_by_text("If you did not ask for this in your own chat")).to_be_visible()
    code = await signed(other)
    assert CODE.fullmatch(code)
    assert re.search(r"/signin/code/[0-9A-Z-]{9}$", other.url)
    assert not await other.evaluate("document.documentElement.scrollWidth > innerWidth")
    await other.reload()
    assert await other.locator(".digits").inner_text() == code
    await expect(page.get_by_text("Enter the six digits")).to_be_visible()  # the chat was woken
    await write(page, code)
    await expect(page.get_by_text("You are signed in")).to_be_visible()
    await expect(page.get_by_text(code.replace(" ", ""))).to_have_count(0)
    await other.reload()
    await expect(other.locator(".digits")).to_have_count(0)
    await write(page, "/signout")
    await expect(page.get_by_text("You are signed out")).to_be_visible()


async def test_the_digits_of_an_arabic_keyboard(context: BrowserContext, service: Run) -> None:
    page = await chat(context, service)
    code = await signed(await our_page(context, page), "290063001017")
    await write(page, code.translate({ord(str(n)): chr(0x0660 + n) for n in range(10)}))
    await expect(page.get_by_text("You are signed in")).to_be_visible()


async def test_a_way_back_in_somebody_elses_browser_shows_no_code(
    browser: Browser, context: BrowserContext, service: Run
) -> None:
    page = await chat(context, service)
    mine = await our_page(context, page)
    ways: list[str] = []
    mine.on("request", lambda request: ways.append(request.url) if "/signin/back" in request.url else None)
    await signed(mine)
    stranger = await browser.new_context()
    theirs = await stranger.new_page()
    for address in (*ways, mine.url):
        await theirs.goto(address)
        await expect(theirs.locator(".digits")).to_have_count(0)
        await expect(theirs.locator("h1")).to_have_text("لم يُسجَّل دخول أحد")
    await stranger.close()


async def test_wrong_codes_sign_nobody_in(context: BrowserContext, service: Run) -> None:
    page = await chat(context, service)
    code = await signed(await our_page(context, page))
    wrong = f"{(int(code.replace(' ', '')) + 1) % 1_000_000:06d}"
    await write(page, wrong)
    await expect(page.get_by_text("That is not the code on the page")).to_have_count(1)
    await write(page, wrong)
    await expect(page.get_by_text("That is not the code on the page")).to_have_count(2)
    await write(page, wrong)
    await expect(page.get_by_text("This sign-in is over and nobody was signed in.")).to_be_visible()
    await expect(page.get_by_text("You are signed in")).to_have_count(0)


async def test_whoever_refuses_is_not_signed_in(context: BrowserContext, service: Run) -> None:
    page = await chat(context, service)
    other = await our_page(context, page)
    await other.get_by_role("button", name="Go on to sign in").click()
    await other.get_by_role("button", name="Refuse").click()
    await expect(other.get_by_role("heading", name="Nobody was signed in")).to_be_visible()
    await expect(page.get_by_text("Enter the six digits")).to_have_count(0)
