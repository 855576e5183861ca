"""Conversations through the command line and over HTTP, on the embedded servers and the sandbox."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from httpx_sse import ServerSentEvent, connect_sse

from tests.e2e.command import ARABIC_DIGITS, CIVIL_ID, SAFETY, Home, Run, links, steady

PAID = "< ✓ وصل المبلغ: 45.000 د.ك."
LINK = "  [1] 🔗 فتح صفحة الدفع <link>"
ONE_FINE = "299123190026"
"""Of the sandbox's cast: a single fine of 5.250 KWD."""


def test_a_script_finds_pays_and_is_given_the_receipt(home: Home) -> None:
    lines = steady(home.chat(ARABIC_DIGITS, "1", "!pay approved"))
    assert lines[0] == f"> {ARABIC_DIGITS}"
    assert "< الرقم المدني 2850****0029" in lines
    assert "< 2. الإقامة: انتهاء الإقامة دون تجديدها" in lines
    assert "  [1] دفع الكل 45.000 د.ك." in lines
    second, third = lines.index("> 1"), lines.index("> !pay approved")
    assert lines[second + 1] == "< المبلغ 45.000 د.ك. عن 3 مخالفات"
    assert LINK in lines[second:third]
    assert lines[third + 1 :] == [
        PAID,
        "< بتاريخ <day>، الساعة <time>",
        "< رقم الإيصال <order>",
        "< مرجع البنك <bank>",
        "< رقم عملية الدفع <payment>",
        "< رقم التتبع <track>",
        "< سُجّل لدى الوزارة، ويظهر في صفحاتها خلال 15 دقيقة، فلا حاجة إلى الدفع مرة أخرى.",
        "  [1] 🔗 الإيصال PDF <paper>",
        "  [2] ما الذي بقي عليّ؟",
        "  [3] القائمة",
    ]
    assert not [line for line in lines if line.startswith("!")]

    # The next run carries on with the chat: its receipt's buttons work, and the fines are gone.
    again = home.chat("2")
    assert again[0] == "> 2"
    assert CIVIL_ID[:4] in again[1] or any("2850****0029" in line for line in again)
    assert not any("دفع الكل" in line for line in again)


def test_a_chat_beside_the_service_is_the_services_chat(service: Run) -> None:
    home = service.home
    one = home.chat(ARABIC_DIGITS, arguments=("--channel-user", "one"))
    two = home.chat(CIVIL_ID, arguments=("--channel-user", "two"))
    assert one[1:] == two[1:]  # the same words, however the digits are written
    lines = home.chat("1", "!pay funds", arguments=("--channel-user", "one"))
    refusal = lines[lines.index("> !pay funds") + 1]
    assert refusal.startswith("< ✕")
    assert "45.000 د.ك." in refusal
    lines = home.chat("1", "!pay approved", arguments=("--channel-user", "one"))
    assert PAID in lines


def test_a_chat_in_english(service: Run) -> None:
    lines = service.home.chat("hello", arguments=("--channel-user", "english", "--lang", "en"))
    assert any("Iqamati" in line for line in lines)
    assert "  [1] Violations" in lines
    lines = service.home.chat("1", arguments=("--channel-user", "english"))  # remembered
    assert lines[1] == "< Which violations?"


def test_a_wait_in_which_nothing_comes_fails(service: Run) -> None:
    arguments = ("--channel-user", "waits", "--timeout", "0.2")
    lines = service.home.chat("السلام عليكم", "!wait", "1", arguments=arguments, code=1)
    assert "! nothing came in time" in lines
    assert lines[lines.index("> 1") + 1].startswith("< ")  # the rest of the script was done


def test_a_payment_without_a_link_fails(service: Run) -> None:
    arguments = ("--channel-user", "unlinked")
    lines = service.home.chat("السلام عليكم", "!pay approved", arguments=arguments, code=1)
    assert lines[-1] == "! no payment link yet"


def test_the_banner_fits_and_says_where_to_go(service: Run) -> None:
    assert len(service.banner) <= 12
    assert f"{service.home.url}/" in service.banner[0]
    assert any(CIVIL_ID in line for line in service.banner)
    assert all(len(line) <= 100 for line in service.banner)


def test_the_service_says_that_it_is_well(service: Run) -> None:
    health = httpx.get(f"{service.home.url}/health", timeout=SAFETY)
    assert health.status_code == 200
    assert health.json()["store"] == "here"


# --- over HTTP -------------------------------------------------------------------------------------------


class Page:
    """A browser's side of the web chat."""

    def __init__(self, client: httpx.Client, events: Iterator[ServerSentEvent]) -> None:
        self._client = client
        self._events = events
        self._sent = 0

    def send(self, **body: str) -> None:
        self._sent += 1
        answer = self._client.post(
            "/chat/send",
            json={"client": f"browser-{self._sent}", **body},
            headers={"X-Requested-With": "iqamati"},
        )
        assert answer.status_code == 202, answer.text

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next entry of the log that is ``wanted``."""
        for event in self._events:
            if event.event == "entry":
                entry: dict[str, Any] = json.loads(event.data)
                if wanted(entry):
                    return entry
        raise AssertionError("the stream ended")


def says(entry: dict[str, Any]) -> str:
    """Its text, when the service said it."""
    spans: list[list[str]] = entry.get("spans", []) if entry.get("from") == "bot" else []
    return "".join(span[0] for span in spans)


def buttons(entry: dict[str, Any]) -> list[list[str]]:
    """(label, token, link) of each."""
    return [[*button, "", ""][:3] for row in entry.get("rows", []) for button in row]


def test_the_same_over_http(service: Run) -> None:
    with httpx.Client(base_url=service.home.url, timeout=SAFETY) as browser:
        assert browser.get("/").status_code == 200
        with connect_sse(browser, "GET", "/chat/events") as source:
            page = Page(browser, source.iter_sse())
            page.send(text=ONE_FINE)
            owed = page.until(lambda entry: "2991" in says(entry) and bool(buttons(entry)))
            assert "5.250" in says(owed)
            page.send(press=buttons(owed)[0][1], source=str(owed["id"]))
            summary = page.until(lambda entry: any("/p/" in link for _, _, link in buttons(entry)))
            (link,) = links([link for _, _, link in buttons(summary)])
            assert link.startswith(service.home.url)
            assert browser.get(link).status_code == 200
            onward = browser.post(link, headers={"Content-Type": "application/x-www-form-urlencoded"})
            assert onward.is_redirect
            paid = browser.post(onward.headers["location"], data={"button": "approved"})
            assert not paid.is_error
            receipt = page.until(lambda entry: "✓" in says(entry) and "IQ-" in says(entry))
            assert "5.250" in says(receipt)
