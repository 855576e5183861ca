"""The pictures of the documents: the real pages, in a headless Chromium at the width of a phone.

    python tools/screenshots.py docs/images

Starts the service in a throwaway data folder on free ports, walks through a payment in Arabic and one in
English, and writes a picture of each step. Needs Chromium on the path; its driver is a
development dependency. With Debian's ``fonts-noto-core`` and ``fonts-noto-color-emoji`` installed Arabic and
the flags look as on a phone.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
SCALE: Final = 1.5
"""Device pixels for each CSS pixel: sharp enough to read, small enough to keep in the repository."""

STARTED: Final = "Iqamati is running"
LISTED: Final = "٢٨٥٠١١٥٠٠٠٢٩"
"""Three payable fines and one that is not; typed as an Arabic keyboard types it."""

SPONSOR: Final = "285011500029"
"""Two who can be renewed, one with two blocks, one for whom it is too early."""

LISTED_EN: Final = "324110503339"
"""Exactly two fines: the first one's are paid by then."""


class Album:
    """Writes the pictures.

    Args:
        folder: where to; made if missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, page: Page, name: str, *, whole: bool = False) -> None:
        """A picture of what is on the screen, or of the ``whole`` page."""
        path = self._folder / f"{name}.png"
        page.mouse.move(0, 0)  # a phone has no pointer that lies on a button
        page.screenshot(path=path, full_page=whole, animations="disabled", caret="hide")
        print(f"{path}  {path.stat().st_size // 1024} KiB")


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def service() -> Generator[str, None, None]:
    """The service while the block runs; its address. Nothing of the caller's settings reaches it."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        env = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": f"{folder}/data",
            "PORT": str(port),
            "SANDBOX_PORT": str(free_port()),
        }
        run = subprocess.Popen(
            [sys.executable, "-m", "bot", "run"], cwd=folder, env=env, stdout=subprocess.PIPE, text=True
        )
        try:
            line = run.stdout.readline() if run.stdout else ""
            if not line.startswith(STARTED):
                sys.exit("the service did not start")
            yield f"http://127.0.0.1:{port}/"
        finally:
            run.terminate()
            run.communicate(timeout=30)


def write(page: Page, text: str) -> None:
    """Send ``text`` as a resident does."""
    page.get_by_role("textbox").fill(text)
    page.get_by_role("textbox").press("Enter")


def settled(page: Page) -> None:
    """Wait for the page to stop scrolling."""
    page.wait_for_function(
        """() => new Promise((done) => {
          const log = document.getElementById("scroll"), at = log.scrollTop;
          setTimeout(() => done(log.scrollTop === at), 400);
        })"""
    )


def arabic(context: BrowserContext, url: str, album: Album) -> None:
    """From the greeting to the receipt, by way of both payment pages."""
    page = context.new_page()
    page.goto(url)
    expect(page.get_by_role("button", name="المخالفات")).to_be_visible()
    settled(page)
    album.take(page, "chat-ar-1-greeting")
    write(page, LISTED)
    expect(page.get_by_role("button", name="دفع الكل")).to_be_visible()
    settled(page)
    album.take(page, "chat-ar-2-list")
    page.get_by_role("button", name="دفع الكل").click()
    link = page.get_by_role("link", name="فتح صفحة الدفع")
    expect(link).to_be_visible()
    settled(page)
    album.take(page, "chat-ar-3-payment")
    with context.expect_page() as opened:
        link.click()
    payment = opened.value
    expect(payment.get_by_role("heading")).to_be_visible()
    album.take(payment, "pay-ar-1-ours", whole=True)
    payment.get_by_role("button").click()
    approve = payment.get_by_role("button", name="موافقة")
    expect(approve).to_be_visible()
    album.take(payment, "pay-ar-2-sandbox", whole=True)
    approve.click()
    expect(payment.get_by_text("IQ-")).to_be_visible()
    album.take(payment, "pay-ar-3-paid", whole=True)
    page.bring_to_front()
    expect(page.get_by_role("button", name="ما الذي بقي")).to_be_visible()
    settled(page)
    album.take(page, "chat-ar-4-receipt")


def dark(context: BrowserContext, url: str, album: Album) -> None:
    """The list, at night."""
    page = context.new_page()
    page.goto(url)
    expect(page.get_by_role("button", name="المخالفات")).to_be_visible()
    write(page, LISTED)
    expect(page.get_by_role("button", name="دفع الكل")).to_be_visible()
    settled(page)
    album.take(page, "chat-ar-dark")


def family(context: BrowserContext, url: str, album: Album) -> None:
    """A family's renewal: the file, a person's blocks, the durations, the price."""
    page = context.new_page()
    page.goto(url)
    page.get_by_role("button", name="تجديد الإقامة").click()
    link = page.get_by_role("link", name="صفحة تسجيل الدخول")
    expect(link).to_be_visible()
    with context.expect_page() as opened:
        link.click()
    door = opened.value
    door.get_by_role("button").first.click()
    door.get_by_role("button", name=SPONSOR).click()
    code = door.locator(".digits").inner_text()
    page.bring_to_front()
    expect(page.get_by_text("اكتب الأرقام الستة")).to_be_visible()
    write(page, code)
    blocks = page.get_by_role("button", name="ما المانعان")
    expect(blocks).to_be_visible()
    settled(page)
    album.take(page, "renewal-ar-1-file")
    blocks.click()
    expect(page.get_by_text("الاسم اللاتيني يختلف")).to_be_visible()
    settled(page)
    album.take(page, "renewal-ar-2-blocks")
    page.locator("button.choice:not([aria-disabled])", has_text="رجوع").last.click()
    page.locator("button.choice:not([aria-disabled])", has_text="تجديد الجاهزين").last.click()
    two = page.locator("button.choice:not([aria-disabled])", has_text="سنتان")
    expect(two).to_be_visible()
    settled(page)
    album.take(page, "renewal-ar-3-duration")
    two.click()
    page.locator("button.choice:not([aria-disabled])", has_text="الأسماء صحيحة").click()
    page.locator("button.choice:not([aria-disabled])", has_text="أوافق").click()
    expect(page.get_by_text("هذا السعر سارٍ")).to_be_visible()
    settled(page)
    album.take(page, "renewal-ar-4-price")


def english(context: BrowserContext, url: str, album: Album) -> None:
    """The list, our page before the gateway, and the receipt; the earlier receipts, and the proof of one."""
    page = context.new_page()
    page.goto(f"{url}?lang=en")
    expect(page.get_by_role("button", name="Violations")).to_be_visible()
    write(page, LISTED_EN)
    pay = page.get_by_role("button", name="Pay all")
    expect(pay).to_be_visible()
    settled(page)
    album.take(page, "chat-en-1-list")
    pay.click()
    expect(page.get_by_role("link", name="Open payment page")).to_be_visible()
    settled(page)
    with context.expect_page() as opened:
        page.get_by_role("link", name="Open payment page").click()
    payment = opened.value
    expect(payment.get_by_role("heading")).to_be_visible()
    album.take(payment, "pay-en-1-ours", whole=True)
    payment.get_by_role("button").click()
    payment.get_by_role("button", name="approved").click()
    expect(payment.get_by_text("IQ-")).to_be_visible()
    page.bring_to_front()
    expect(page.get_by_role("button", name="What else")).to_be_visible()
    settled(page)
    album.take(page, "chat-en-2-receipt")
    write(page, "/receipts")
    expect(page.get_by_role("button", name="KWD")).to_be_visible()
    settled(page)
    album.take(page, "chat-en-3-receipts")


def phone(browser: Browser, *, night: bool = False) -> BrowserContext:
    """A phone of its own: no cookie, so a new chat."""
    return browser.new_context(
        viewport=PHONE, device_scale_factor=SCALE, color_scheme="dark" if night else "light"
    )


def main() -> None:
    """Write all pictures into the folder named on the command line."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the folder
        sys.exit("usage: python tools/screenshots.py FOLDER")
    path = shutil.which("chromium")
    if path is None:
        sys.exit("no chromium on the path")
    album = Album(Path(sys.argv[1]))
    with service() as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        dark(phone(browser, night=True), url, album)
        arabic(phone(browser), url, album)
        english(phone(browser), url, album)
        family(phone(browser), url, album)
        browser.close()


if __name__ == "__main__":
    main()
