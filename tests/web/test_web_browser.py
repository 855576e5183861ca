"""The page in a real browser: what residents see, press, read aloud and come back to."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, ViewportSize, async_playwright, expect

from bot.model import Attached, Button, Chat, Erase, Event, Pressed, Say, Span, Typed
from tests.web.script import Script
from tests.web.site import Site, typed

pytestmark = [pytest.mark.browser, pytest.mark.long]

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE: ViewportSize = {"width": 390, "height": 844}

OVERFLOW = "document.documentElement.scrollWidth > innerWidth || scroll.scrollWidth > scroll.clientWidth"

# WCAG 2.2, relative luminance and contrast ratio. Every colour here is opaque.
CONTRAST = """
([front, back]) => {
  const channels = (selector, property) => {
    const parts = getComputedStyle(document.querySelector(selector))[property].match(/[\\d.]+/g).map(Number);
    if (parts[3] === 0) throw new Error(selector + " has no " + property);
    return parts.slice(0, 3).map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  };
  const light = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const pair = [light(channels(front, "color")), light(channels(back, "backgroundColor"))].sort((a, b) => b - a);
  return (pair[0] + 0.05) / (pair[1] + 0.05);
}
"""


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium on the path")
        pytest.skip("no chromium on the path")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


class Visit:
    """One resident's browser. Anything the page complains about fails the test at the end."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context = context
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda said: self._note(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, kind: str, text: str) -> None:
        # A server that is down is part of some tests; the browser reports it by itself.
        if kind in {"error", "warning"} and not re.search("ERR_|400|401|413|503", text):
            self.complaints.append(text)


@pytest_asyncio.fixture
async def visit(browser: Browser, site: Site) -> AsyncIterator[Visit]:
    site.answer = Script(site)
    context = await browser.new_context(viewport=PHONE)
    visit = Visit(context, await context.new_page())
    yield visit
    await context.close()
    assert visit.complaints == []


async def opened(visit: Visit, site: Site, query: str = "") -> Page:
    await visit.page.goto(site.url + query)
    await expect(visit.page.get_by_role("button", name="المخالفات والغرامات")).to_be_visible()
    return visit.page


async def write(page: Page, text: str) -> None:
    await page.get_by_role("textbox").fill(text)
    await page.keyboard.press("Enter")


def chat(site: Site) -> Chat:
    return site.events[-1].chat


async def test_arabic_first_right_to_left(visit: Visit, site: Site) -> None:
    foreign: list[str] = []
    visit.page.on("request", lambda request: foreign.append(request.url))
    page = await opened(visit, site)
    assert [url for url in foreign if not url.startswith(site.url)] == []
    html = page.locator("html")
    await expect(html).to_have_attribute("lang", "ar")
    await expect(html).to_have_attribute("dir", "rtl")
    await expect(page).to_have_title("إقامتي")
    await expect(page.locator("#operator")).to_have_text("خدمة غير رسمية")
    await expect(page.locator(".day")).to_have_text("اليوم")
    await expect(page.locator(".msg .meta")).to_have_text("12:00")
    await expect(page.get_by_role("textbox")).to_have_attribute("placeholder", "اكتب رسالة")
    await expect(page.locator(".me")).to_have_count(0)
    bubble = await page.locator(".msg.bot").bounding_box()
    assert bubble is not None
    assert bubble["x"] + bubble["width"] > PHONE["width"] * 0.9
    for button in await page.get_by_role("button").all():
        if await button.is_visible():
            box = await button.bounding_box()
            assert box is not None
            assert box["height"] >= 44
            assert box["width"] >= 44
    assert not await page.evaluate(OVERFLOW)


async def test_english_on_request(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    await page.get_by_role("button", name="Switch to English").click()
    await expect(page.get_by_role("button", name="Violations and fines")).to_be_visible()
    html = page.locator("html")
    await expect(html).to_have_attribute("lang", "en")
    await expect(html).to_have_attribute("dir", "ltr")
    await expect(page.locator("#operator")).to_have_text("Unofficial service")
    await expect(page.locator(".day").first).to_have_text("Today")
    await expect(page.get_by_role("button", name="التبديل إلى العربية")).to_be_visible()
    bodies = page.locator(".bot .body")
    await expect(bodies.first).to_have_attribute("dir", "rtl")
    await expect(bodies.first).to_have_attribute("lang", "ar")
    await expect(bodies.last).to_have_attribute("dir", "ltr")
    await write(page, "hello\nمرحبا")
    await expect(page.locator(".me .body")).to_have_attribute("dir", "ltr")
    await write(page, "مرحبا")
    await expect(page.locator(".me .body").last).to_have_attribute("dir", "rtl")
    assert [event.text for event in typed(site)][:2] == ["/start", "/language en"]


async def test_older_days_are_named(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    await page.close()
    site.clock.at += 86_400
    page = await visit.context.new_page()
    await page.goto(site.url)
    await expect(page.locator(".day")).to_have_text("أمس")
    site.clock.at += 86_400
    await page.reload()
    await expect(page.locator(".day")).to_have_text("21 نوفمبر 2026")


async def test_a_press_settles_its_question(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    await write(page, "٢٨٥٠١١٥٠٠٠٢٩")
    await page.get_by_role("button", name="دفع الكل").click()
    link = page.get_by_role("link", name="فتح صفحة الدفع")
    await expect(link).to_have_attribute("href", "https://pay.example.kw/p/abc")
    await expect(link).to_have_attribute("target", "_blank")
    await expect(link).to_have_attribute("rel", re.compile("noopener"))
    await expect(page.locator(".settled")).to_contain_text("دفع الكل ✓")
    await expect(page.locator(".settled").get_by_role("button")).to_have_count(0)
    pressed = site.events[-1]
    assert isinstance(pressed, Pressed)
    assert pressed.token == "all"
    entries = await site.log.read(pressed.chat)
    assert pressed.source == entries[2][0]  # greeting, own message, question


async def test_an_edit_rewrites_its_bubble_and_is_pressed_under_its_name(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    ((first, _),) = await site.log.read(chat(site))
    for turn in (1, 2):
        await site.channel.deliver(
            chat(site),
            Say(
                key=f"9:{turn}",
                language="ar",
                spans=(Span(f"صفحة {turn}"),),
                rows=((Button(f"التالي {turn}", "next"),),),
                edits=first,
            ),
        )
    await expect(page.locator(".msg")).to_have_count(1)
    await page.get_by_role("button", name="التالي 2").click()
    await expect(page.locator(".msg")).to_have_count(2)
    pressed = site.events[-1]
    assert isinstance(pressed, Pressed)
    assert pressed.source == first


async def test_old_buttons_look_and_are_dead_while_links_live(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    await write(page, "285011500029")
    await page.get_by_role("button", name="دفع الكل").click()
    await expect(page.get_by_role("button", name="دفعت بالفعل")).to_be_enabled()
    old = page.get_by_role("button", name="رقم مرجع الداخلية")
    await expect(old).to_have_attribute("aria-disabled", "true")
    seen = len(site.events)
    await old.dispatch_event("click")
    await write(page, "285011500029")
    await expect(page.get_by_role("button", name="دفع الكل")).to_be_visible()
    await expect(page.get_by_role("button", name="دفعت بالفعل")).to_have_attribute("aria-disabled", "true")
    assert await page.get_by_role("link", name="فتح صفحة الدفع").get_attribute("aria-disabled") is None
    assert len(site.events) == seen + 1


async def test_a_restart_loses_and_doubles_nothing(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    where = chat(site)
    await site.stop()
    await write(page, "هل أنت هنا؟")
    await expect(page.locator(".unsent")).to_contain_text("لم تُرسل")
    await expect(page.locator("#bar")).to_contain_text("انقطع الاتصال")
    await site.channel.deliver(where, Say(key="8:1", language="ar", spans=(Span("وصل المبلغ"),)))
    await site.start()
    await expect(page.locator("#bar")).to_be_hidden()
    await expect(page.get_by_text("وصل المبلغ")).to_be_visible()
    await expect(page.get_by_role("button", name="دفع الكل")).to_be_visible()
    await expect(page.locator(".unsent, .sending, .waiting")).to_have_count(0)
    await expect(page.get_by_text("هل أنت هنا؟")).to_have_count(1)
    order = await page.locator(".msg .text").all_inner_texts()
    assert [text.strip() for text in order][1:3] == ["وصل المبلغ", "هل أنت هنا؟"]
    assert [event.text for event in typed(site)] == ["/start", "هل أنت هنا؟"]


async def test_an_unsent_message_outlives_a_reload_and_goes_at_a_tap(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    site.away = True
    await write(page, "285011500029")
    await expect(page.locator(".unsent")).to_be_visible()
    await page.reload()
    # It had reached the log before the store went: shown as written, still to be answered.
    await expect(page.locator(".unsent")).to_contain_text("285011500029")
    site.away = False
    await page.get_by_role("button", name="لم تُرسل").click()
    await expect(page.get_by_role("button", name="دفع الكل")).to_be_visible()
    await expect(page.locator(".unsent")).to_have_count(0)
    await expect(page.locator(".me")).to_have_count(1)


async def test_a_press_that_fails_can_be_pressed_again(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    await write(page, "285011500029")
    button = page.get_by_role("button", name="دفع الكل")
    await expect(button).to_be_visible()
    site.away = True
    await button.click()
    await expect(page.locator("#toast")).to_contain_text("لم يصل اختيارك")
    await expect(button).to_be_enabled()
    site.away = False
    await button.click()
    await expect(page.locator(".settled")).to_be_visible()


async def test_a_press_that_one_process_refuses_is_taken_by_the_next(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    await write(page, "285011500029")
    button = page.get_by_role("button", name="دفع الكل")
    await expect(button).to_be_visible()
    names: list[str] = []

    async def refuse(route: Route) -> None:
        names.append((route.request.post_data_json or {})["client"])
        if len(names) < 4:
            await route.fulfill(status=503, headers={"Retry-After": "3"}, body="{}")
        else:
            await route.continue_()

    await page.route("**/chat/send*", refuse)
    await button.click()
    await expect(page.locator(".settled")).to_be_visible()
    assert len(names) == 4
    assert len(set(names)) == 1


async def test_a_reload_shows_the_same_chat(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    await write(page, "285011500029")
    await page.get_by_role("button", name="دفع الكل").click()
    await expect(page.get_by_role("link", name="فتح صفحة الدفع")).to_be_visible()
    before = await page.locator("#log").inner_text()
    await page.reload()
    await expect(page.get_by_role("link", name="فتح صفحة الدفع")).to_be_visible()
    assert await page.locator("#log").inner_text() == before
    assert [event.text for event in typed(site)] == ["/start", "285011500029"]


async def test_two_tabs_are_one_chat(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    other = await visit.context.new_page()
    await other.goto(site.url)
    await expect(other.get_by_role("button", name="المخالفات والغرامات")).to_be_visible()
    await write(other, "285011500029")
    await expect(page.get_by_role("button", name="دفع الكل")).to_be_visible()
    await expect(page.locator(".me")).to_have_count(1)
    await expect(other.locator(".me")).to_have_count(1)
    assert [event.text for event in typed(site)] == ["/start", "285011500029"]


async def test_everything_by_keyboard(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    await expect(page.get_by_role("textbox")).to_be_focused()
    await page.keyboard.type("285011500029")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("شكراً")
    await page.keyboard.press("Enter")
    pay = page.get_by_role("button", name="دفع الكل")
    await expect(pay).to_be_visible()
    assert typed(site)[-1].text == "285011500029\nشكراً"
    for _ in range(4):  # four live choices; the dead ones of the greeting are stepped over
        await page.keyboard.press("Shift+Tab")
    await expect(pay).to_be_focused()
    assert await pay.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"
    await page.keyboard.press("Enter")
    link = page.get_by_role("link", name="فتح صفحة الدفع")
    await expect(link).to_be_visible()
    await expect(page.locator(".settled")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.locator("code[data-copy]")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(link).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("textbox")).to_be_focused()
    for _ in range(5):
        await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("main")).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    await expect(page.locator("#language")).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("link", name="الانتقال إلى حقل الكتابة")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox")).to_be_focused()


async def test_what_a_screen_reader_is_told(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    log = page.get_by_role("log", name="الرسائل")
    await expect(log).to_have_attribute("aria-live", "polite")
    await expect(log).to_have_attribute("aria-busy", "false")
    await expect(page.locator(".msg.bot .vh")).to_have_text("إقامتي:")
    await expect(page.get_by_role("group", name="الخيارات")).to_be_visible()
    await expect(page.get_by_role("button", name="إرسال")).to_be_visible()
    await expect(page.get_by_role("textbox", name="اكتب رسالة")).to_be_visible()


async def test_nothing_overflows_a_small_phone(visit: Visit, site: Site) -> None:
    await visit.page.set_viewport_size({"width": 320, "height": 568})
    page = await opened(visit, site)
    await write(page, "https://example.com/" + "a" * 200)
    await page.get_by_role("button", name="دفع الكل").click()
    await expect(page.get_by_role("link", name="فتح صفحة الدفع")).to_be_visible()
    assert not await page.evaluate(OVERFLOW)
    await page.get_by_role("textbox").fill("\n".join("abcdefgh"))
    box = await page.get_by_role("textbox").bounding_box()
    assert box is not None
    assert 100 < box["height"] <= 140
    await expect(page.get_by_role("button", name="دفعت بالفعل")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_colours_can_be_read(visit: Visit, site: Site, scheme: Any) -> None:
    await visit.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page = await opened(visit, site)
    await write(page, "285011500029")
    await page.get_by_role("button", name="دفع الكل").click()
    await expect(page.get_by_role("link", name="فتح صفحة الدفع")).to_be_visible()
    pairs = [
        (".bot .text", ".bot .bubble"),
        (".me .text", ".me .bubble"),
        (".bot .meta", ".bot .bubble"),
        (".me .meta", ".me .bubble"),
        (".settled .text", ".settled .bubble"),
        ("button.choice[aria-disabled=false]", "button.choice[aria-disabled=false]"),
        ("a.choice", "a.choice"),
        (".top h1", ".top"),
        ("#operator", ".top"),
        ("#input", "#input"),
        (".send", ".send"),
    ]
    for pair in pairs:
        selector = [part.replace("[aria-disabled=false]", ":not([aria-disabled=true])") for part in pair]
        assert await page.evaluate(CONTRAST, selector) >= 4.5, pair
    dark = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(dark[4:].split(",")[0]) < 60) == (scheme == "dark")


async def test_a_reference_is_copied_bare(visit: Visit, site: Site) -> None:
    await visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = await opened(visit, site)
    await write(page, "285011500029")
    await page.get_by_role("button", name="دفع الكل").click()
    await page.locator("code", has_text="IQ-7F3C-9A1D").click()
    await expect(page.locator("#toast")).to_have_text("تم النسخ")
    assert await page.evaluate("navigator.clipboard.readText()") == "IQ-7F3C-9A1D"
    # A masked number is of no use on a clipboard.
    await expect(page.locator("code", has_text="2850****0029").first).not_to_have_attribute("role", "button")


async def test_a_dropped_photo_stays_on_the_phone(visit: Visit, site: Site) -> None:
    bodies: list[str] = []
    visit.page.on("request", lambda request: bodies.append(request.post_data or ""))
    page = await opened(visit, site)
    await page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["secret pixels"], "passport.jpg", { type: "image/jpeg" }));
          input.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )
    await expect(page.get_by_text("أقرأ النصوص هنا.")).to_be_visible()
    await expect(page.locator(".me .text")).to_contain_text("صورة")
    attached = site.events[-1]
    assert isinstance(attached, Attached)
    assert attached.kind == "photo"
    assert not any("secret" in body or "passport" in body for body in bodies)


async def test_an_erased_message_goes(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    await write(page, "A1234567")
    await expect(page.get_by_role("button", name="دفع الكل")).to_be_visible()
    await site.channel.deliver(chat(site), Erase(key="9:9", source=typed(site)[-1].source))
    await expect(page.locator(".me")).to_have_count(0)
    await expect(page.locator("#toast")).to_contain_text("حُذفت رسالتك")
    await page.reload()
    await expect(page.get_by_role("button", name="دفع الكل")).to_be_visible()
    await expect(page.locator(".me")).to_have_count(0)


async def test_typing_shows_until_the_answer(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    await site.channel.typing(chat(site))
    await expect(page.locator("#typing")).to_be_visible()
    await site.channel.deliver(chat(site), Say(key="9:1", language="ar", spans=(Span("تم"),)))
    await expect(page.locator("#typing")).to_be_hidden()


async def test_whoever_reads_above_is_not_pulled_down(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    for number in range(30):
        await site.channel.deliver(
            chat(site), Say(key=f"9:{number}", language="ar", spans=(Span(f"سطر {number}"),))
        )
    await expect(page.get_by_text("سطر 29")).to_be_in_viewport()
    await page.locator("#scroll").hover()
    await page.mouse.wheel(0, -1500)
    await expect(page.get_by_text("سطر 29")).not_to_be_in_viewport()
    await site.channel.deliver(chat(site), Say(key="10:1", language="ar", spans=(Span("جديد"),)))
    down = page.get_by_role("button", name="الانتقال إلى أحدث رسالة")
    await expect(down).to_be_visible()
    await expect(page.get_by_text("جديد")).not_to_be_in_viewport()
    await down.click()
    await expect(page.get_by_text("جديد")).to_be_in_viewport()
    await expect(down).to_be_hidden()


async def test_texts_are_never_markup(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    await write(page, "<img src=x onerror=alert(1)>")
    await expect(page.locator(".me .text")).to_have_text("<img src=x onerror=alert(1)>")
    await expect(page.locator(".msg.bot").last).to_contain_text("3 مخالفات")  # the answer is there
    await site.channel.deliver(
        chat(site),
        Say(
            key="9:1",
            language="ar",
            spans=(Span("<b>x</b>"), Span("<i>y</i>", "b"), Span("</code>", "code")),
            rows=((Button("🔗 رابط", url="javascript:alert(1)"),),),
        ),
    )
    last = page.locator(".msg.bot").last
    await expect(last.locator(".text")).to_contain_text("<b>x</b><i>y</i></code>")
    assert await last.locator("a").get_attribute("href") is None


async def test_without_cookies_the_page_says_so_and_stops(visit: Visit, site: Site) -> None:
    async def forget(route: Route) -> None:
        answer = await route.fetch()
        headers = {name: value for name, value in answer.headers.items() if name != "set-cookie"}
        await visit.context.clear_cookies()
        await route.fulfill(response=answer, headers=headers)

    await visit.page.route(re.compile(r"/$"), forget)
    await visit.page.goto(site.url)
    await expect(visit.page.locator("#bar")).to_contain_text("ملفات تعريف الارتباط")
    assert site.events == []


async def test_a_greeting_that_failed_is_asked_for_again(visit: Visit, site: Site) -> None:
    site.away = True
    async with visit.page.expect_response(lambda answer: answer.status == 503):
        await visit.page.goto(site.url)
    site.away = False
    await expect(visit.page.get_by_role("button", name="المخالفات والغرامات")).to_be_visible()


async def test_a_lost_cookie_brings_a_new_chat(visit: Visit, site: Site) -> None:
    page = await opened(visit, site)
    first = chat(site)
    await visit.context.clear_cookies()
    async with page.expect_navigation():
        await write(page, "285011500029")
    await expect(page.get_by_role("button", name="دفع الكل")).to_be_visible()
    assert chat(site) != first
    assert [event.chat == first for event in typed(site)] == [True, False, False]


async def test_what_is_pressed_before_the_stream_opens_begins_the_chat(visit: Visit, site: Site) -> None:
    """A greeting behind it would take the place of the question it led to, and disable that one's buttons."""
    opens = asyncio.Event()
    script, late = Script(site), list[Event]()

    async def hold(route: Route) -> None:
        await opens.wait()
        await route.continue_()

    async def answer(event: Event) -> None:
        # What is said comes a moment after its turn: here, after the page has found the chat empty.
        if isinstance(event, Typed) and event.text.startswith("/language"):
            late.append(event)
        else:
            await script(event)

    site.answer = answer
    await visit.page.route("**/chat/events*", hold)
    await visit.page.goto(site.url)
    async with visit.page.expect_response("**/chat/send*"):
        await visit.page.get_by_role("button", name="Switch to English").click()
    opens.set()
    await expect(visit.page.get_by_role("log")).to_have_attribute("aria-busy", "false")
    await script(late[0])
    question = visit.page.get_by_role("button", name="Violations and fines")
    await expect(question).to_have_count(1)
    await visit.page.wait_for_timeout(200)
    await expect(question).to_be_enabled()
    assert [event.text for event in typed(site)] == ["/language en"]


async def test_what_is_pressed_while_the_greeting_is_under_way_waits_for_it(visit: Visit, site: Site) -> None:
    goes, sent = asyncio.Event(), list[str]()

    async def hold(route: Route) -> None:
        body = route.request.post_data or ""
        sent.append(body)
        if "/start" in body:
            await goes.wait()
        await route.continue_()

    await visit.page.route("**/chat/send*", hold)
    await visit.page.goto(site.url)
    while not sent:
        await visit.page.wait_for_timeout(20)
    await visit.page.get_by_role("button", name="Switch to English").click()
    await write(visit.page, "hello")
    await visit.page.wait_for_timeout(200)
    assert len(sent) == 1, "nothing overtakes the greeting"
    goes.set()
    await expect(visit.page.get_by_role("button", name="Pay all")).to_be_enabled()
    assert [event.text for event in typed(site)] == ["/start", "/language en", "hello"]


async def test_a_press_that_failed_leaves_the_greeting_to_come(visit: Visit, site: Site) -> None:
    opens = asyncio.Event()

    async def hold(route: Route) -> None:
        await opens.wait()
        await route.continue_()

    await visit.page.route("**/chat/events*", hold)
    await visit.page.goto(site.url)
    site.away = True
    await visit.page.get_by_role("button", name="Switch to English").click()
    await expect(visit.page.locator("#toast")).to_contain_text("لم يصل اختيارك")
    site.away = False
    opens.set()
    await expect(visit.page.get_by_role("button", name="المخالفات والغرامات")).to_be_enabled()
    assert [event.text for event in typed(site)] == ["/start"]
