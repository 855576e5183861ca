"""Attaching a file in a real browser, at a phone's width."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from bot.model import Attached, Button, Chat, Event, Pressed, Say, Settle, Span, Typed
from tests.web.site import LIMIT, Site
from tests.web.test_web_browser import Visit, browser, visit

pytestmark = pytest.mark.browser

__all__ = ["browser", "visit"]

SHOTS = os.environ.get("ATTACH_SHOTS", "")
"""Folder for pictures of the page, where somebody wants to look at it."""


class Lists:
    """Asks for a list of workers, in the language last chosen."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.language = "ar"
        self.turn = 0

    async def __call__(self, event: Event) -> None:
        self.turn += 1
        match event:
            case Attached(file=file, missing=missing) if file or missing:
                self.site.awaited = ()
                said = {"": "✓", "large": "كبير", "kind": "جدول"}[missing]
                await self.say(event.chat, said, ())
            case Attached():
                await self.say(event.chat, "أقرأ النصوص هنا.", ())
            case Pressed(source=source):
                settle = Settle(f"{self.turn}:s", self.language, source, (Span("✓"),))
                await self.site.channel.deliver(event.chat, settle)
            case Typed(text=text):
                if text.startswith("/language"):
                    self.language = text.removeprefix("/language ")
                await self.ask(event.chat)
            case _:
                raise AssertionError(event)

    async def ask(self, chat: Chat) -> None:
        self.site.awaited = ("document",)
        text = (
            "أرفق قائمة العمال، ملف Excel أو CSV، رقم مدني واحد في كل سطر."
            if self.language == "ar"
            else "Attach the list of workers, an Excel or CSV file with one civil ID a line."
        )
        await self.say(chat, text, self.site.awaited)

    async def say(self, chat: Chat, text: str, awaits: tuple[str, ...]) -> None:
        arabic = self.language == "ar"
        rows = (
            (Button("نموذج" if arabic else "Template", "t"),),
            (Button("القائمة" if arabic else "Menu", "m"),),
        )
        said = Say(f"{self.turn}:0", self.language, (Span(text),), rows, awaits=awaits)
        await self.site.channel.deliver(chat, said)


@pytest_asyncio.fixture
async def page(visit: Visit, site: Site) -> AsyncIterator[Page]:
    """The chat, at a question that waits for a file."""
    site.answer = Lists(site)
    await visit.page.goto(site.url)
    await expect(visit.page.locator("#attach")).to_be_visible()
    yield visit.page


async def picture(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png")


async def choose(page: Page, content: bytes, name: str = "workers.csv") -> None:
    await page.locator("#file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})


def attached(site: Site) -> list[Attached]:
    return [event for event in site.events if isinstance(event, Attached)]


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_file_is_attached_where_one_is_asked_for(page: Page, site: Site, language: str) -> None:
    if language == "en":
        await page.get_by_role("button", name="Switch to English").click()
        await expect(page.get_by_text("Attach the list")).to_be_visible()
    control = page.get_by_label("Attach a file" if language == "en" else "إرفاق ملف")
    await expect(control).to_have_count(1)
    box = await page.locator("#attach").bounding_box()
    field = await page.get_by_role("textbox").bounding_box()
    assert box is not None
    assert field is not None
    assert min(box["width"], box["height"]) >= 44
    assert (box["x"] > field["x"]) == (language == "ar"), "where a line begins"
    await picture(page, f"asked-{language}")
    async with page.expect_file_chooser() as chooser:
        await control.click()
    name = "عمال فرع الفروانية 2026.csv" if language == "ar" else "workers 2026.csv"
    await (await chooser.value).set_files({"name": name, "mimeType": "text/csv", "buffer": b"285011500029\n"})
    own = page.locator(".me")
    await expect(own).to_have_count(1)
    await expect(own.locator("bdi")).to_have_text(name)
    await expect(page.locator("#attach")).to_be_hidden()
    await expect(page.locator(".sending, .unsent, .waiting, progress")).to_have_count(0)
    await picture(page, f"sent-{language}")
    (event,) = attached(site)
    assert event.name == name
    assert await site.files.get(event.chat, event.file) == b"285011500029\n"
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    await page.reload()
    await expect(own.locator("bdi")).to_have_text(name)
    await expect(page.locator("#attach")).to_be_hidden()


async def test_by_keyboard(page: Page, site: Site) -> None:
    await page.get_by_role("textbox").focus()
    await page.keyboard.press("Shift+Tab")
    await expect(page.locator("#file")).to_be_focused()
    assert await page.locator("#attach").evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"
    async with page.expect_file_chooser() as chooser:
        await page.evaluate("1")  # the driver begins to listen beside us; a key is faster than a click
        await page.keyboard.press("Enter")
    await (await chooser.value).set_files({"name": "a.csv", "mimeType": "text/csv", "buffer": b"1\n"})
    await expect(page.locator("#attach")).to_be_hidden()
    await expect(page.get_by_role("textbox")).to_be_focused()
    assert len(attached(site)) == 1


async def test_news_in_between_leave_the_button_and_an_answer_takes_it(page: Page, site: Site) -> None:
    where = site.events[-1].chat
    await site.channel.deliver(where, Say("8:0", "ar", (Span("وصل المبلغ"),)))
    await expect(page.get_by_text("وصل المبلغ")).to_be_visible()
    await expect(page.locator("#attach")).to_be_visible()
    await page.get_by_role("button", name="نموذج").click()
    await expect(page.locator(".settled")).to_be_visible()
    await expect(page.locator("#attach")).to_be_hidden()
    await page.get_by_role("textbox").fill("قائمة")
    await page.keyboard.press("Enter")
    await expect(page.locator("#attach")).to_be_visible()
    await page.reload()
    await expect(page.locator("#attach")).to_be_visible()
    await site.channel.deliver(where, Say("9:0", "ar", (Span("التالي"),), ((Button("نعم", "y"),),)))
    await expect(page.get_by_text("التالي")).to_be_visible()
    await expect(page.locator("#attach")).to_be_hidden()


async def test_too_large_is_told_without_sending_it(page: Page, site: Site) -> None:
    uploads: list[str] = []
    page.on("request", lambda request: uploads.append(request.url) if "/upload" in request.url else None)
    await choose(page, b"1" * (LIMIT + 1), "كبير.csv")
    await expect(page.get_by_text("كبير", exact=True)).to_be_visible()
    await expect(page.locator(".me bdi")).to_have_text("كبير.csv")
    assert uploads == []
    assert [event.missing for event in attached(site)] == ["large"]


async def test_too_large_for_the_server_is_told_by_the_dialog(page: Page, site: Site) -> None:
    await page.evaluate("window.iqamati.page.limit = 1e9")
    await choose(page, b"1" * (LIMIT + 1))
    await expect(page.get_by_text("كبير", exact=True)).to_be_visible()
    await expect(page.locator(".me")).to_have_count(1)
    await expect(page.locator(".sending, .unsent, .waiting")).to_have_count(0)
    assert [event.missing for event in attached(site)] == ["large"]


async def test_what_is_no_table_is_told(page: Page, site: Site) -> None:
    await choose(page, b"%PDF-1.7\n", "workers.csv")
    await expect(page.get_by_text("جدول", exact=True)).to_be_visible()
    assert [event.missing for event in attached(site)] == ["kind"]


async def test_a_file_that_did_not_arrive_is_sent_again_at_a_tap(page: Page, site: Site) -> None:
    site.away = True
    await choose(page, b"285011500029\n")
    await expect(page.locator(".unsent")).to_contain_text("لم تُرسل")
    await expect(page.locator("#attach")).to_be_visible()
    await picture(page, "unsent")
    site.away = False
    await page.get_by_role("button", name="لم تُرسل").click()
    await expect(page.locator("#attach")).to_be_hidden()
    await expect(page.locator(".sending, .unsent, .waiting")).to_have_count(0)
    await expect(page.locator(".me")).to_have_count(1)
    assert len(attached(site)) == 1


async def test_a_file_that_is_refused_is_told(page: Page, site: Site) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=400, body="{}")

    await page.route("**/chat/upload*", refuse)
    await choose(page, b"285011500029\n")
    await expect(page.locator("#toast")).to_contain_text("لم يصل ملفك")
    await expect(page.locator(".unsent")).to_have_count(1)
    assert attached(site) == []


async def test_progress_is_shown(page: Page, site: Site) -> None:
    async def hold(route: Route) -> None:
        await expect(page.locator("progress")).to_have_count(1)
        await expect(page.get_by_label("جارٍ الإرسال…")).to_be_visible()
        await picture(page, "progress")
        await route.continue_()

    await page.route("**/chat/upload*", hold)
    await choose(page, b"1" * LIMIT)
    await expect(page.locator("#attach")).to_be_hidden()
    await expect(page.locator("progress")).to_have_count(0)
    assert len(attached(site)) == 1


async def test_a_dropped_file_is_sent_where_one_is_asked_for_and_a_photo_stays(
    page: Page, site: Site
) -> None:
    bodies: list[str] = []
    page.on("request", lambda request: bodies.append(request.post_data or ""))
    drop = """([name, type, text]) => {
      const data = new DataTransfer();
      data.items.add(new File([text], name, { type }));
      dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    await page.evaluate(drop, ["p.jpg", "image/jpeg", "secret pixels"])
    await expect(page.get_by_text("أقرأ النصوص هنا.")).to_be_visible()
    assert not any("secret" in body for body in bodies)
    await page.get_by_role("textbox").fill("قائمة")
    await page.keyboard.press("Enter")
    await expect(page.locator("#attach")).to_be_visible()
    await page.evaluate(drop, ["a.csv", "text/csv", "285011500029"])
    await expect(page.locator("#attach")).to_be_hidden()
    (photo, table) = attached(site)
    assert (photo.kind, photo.file) == ("photo", "")
    assert table.file


async def test_nothing_overflows_a_small_phone(page: Page) -> None:
    await page.set_viewport_size({"width": 320, "height": 568})
    await choose(page, b"1\n", "w" * 110 + ".csv")
    await expect(page.locator("#attach")).to_be_hidden()
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")
