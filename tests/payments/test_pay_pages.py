"""The pages: what they say, that looking changes nothing, and that they lead nowhere else."""

import asyncio
import hashlib
import hmac
from html.parser import HTMLParser

import httpx
import pytest

from bot.dialogs.checkout import OpenOrder, Standing, Status
from bot.handlers.pay import LIMIT, allowed
from bot.handlers.pay.page import Pages
from bot.i18n.catalog import Catalog
from bot.i18n.render import LRI, PDI, RLI, Renderer
from bot.services.orders import Bill
from tests.payments.test_pay_settling import notice, signed
from tests.payments.world import HERE, NOON, SUBJECT, World, asked, item

MINUTE = 60
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what no database can change."""
NOTIFY = "/payments/sandbox/notify"
FORM = {"go": "1"}


class Seen(HTMLParser):
    """What a page holds that could run, load or lead away."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[str] = []
        self.inline: list[str] = []
        self.refresh = ""
        self.language = self.direction = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language, self.direction = values["lang"], values["dir"]
        if tag in {"script", "style", "iframe", "img"} or "style" in values:
            self.inline.append(tag)
        self.inline += [name for name in values if name.startswith("on")]
        if tag == "a":
            self.links.append(values["href"])
        if tag == "form":
            self.forms.append(values.get("action", ""))
        if values.get("http-equiv") == "refresh":
            self.refresh = values["content"]


def is_guarded(answer: httpx.Response) -> bool:
    policy = answer.headers["content-security-policy"]
    return (
        "default-src 'self'" in policy
        and "frame-ancestors 'none'" in policy
        and "unsafe" not in policy
        and answer.headers["x-content-type-options"] == "nosniff"
        and answer.headers["referrer-policy"] == "no-referrer"
        and answer.headers["cache-control"] == "no-store"
        and "noindex" in answer.headers["x-robots-tag"]
        and Seen(answer.text).inline == []
    )


@on_sqlite
async def test_the_page_says_what_will_be_paid(world: World) -> None:
    link = await world.open(item("F1", 20_000), item("F2", 25_000))
    answer = await world.browser.get(link.url)
    page, seen = answer.text, Seen(answer.text)
    assert answer.status_code == 200
    assert is_guarded(answer)
    assert (seen.language, seen.direction) == ("ar", "rtl")
    for said in (
        SUBJECT,
        link.order,
        "20.000",
        "25.000",
        "45.000",
        "مخالفة F1",
        str(link.until),
        "127.0.0.1",
    ):
        assert said in page
    assert "not the ministry&#x27;s page" in page
    assert "card number" in page
    assert seen.forms == ["?lang=ar"]
    assert seen.links == ["?lang=en"]


@on_sqlite
async def test_the_page_speaks_english_and_escapes_what_it_is_given(world: World) -> None:
    link = await world.orders.open(OpenOrder(SUBJECT, (item("F1"),)), asked("1:0", language="en"))
    english = await world.browser.get(link.url)
    assert (Seen(english.text).language, Seen(english.text).direction) == ("en", "ltr")
    assert "Fine F1 &lt;b&gt;" in english.text
    arabic = await world.browser.get(f"{link.url}?lang=ar")
    assert Seen(arabic.text).direction == "rtl"


async def test_a_preview_robot_changes_nothing(world: World) -> None:
    link = await world.open()
    before = [await world.rows(table) for table in ("orders", "attempts", "links", "order_history")]
    for method in ("GET", "HEAD"):
        for suffix in ("", "?lang=en"):
            assert (await world.browser.request(method, link.url + suffix)).status_code == 200
    assert (await world.browser.head(f"{link.url}/return")).status_code == 200
    assert [await world.rows(table) for table in ("orders", "attempts", "links", "order_history")] == before
    assert world.wire.passed == []


async def test_twenty_tabs_at_once_begin_one_attempt(world: World) -> None:
    link = await world.open()
    other = await world.open(key="2:0")
    pages = await asyncio.gather(*(world.press_pay(each) for each in [link, other] * 10))
    assert len(set(pages)) == 1
    assert len(await world.rows("attempts")) == 1
    assert await world.press_pay(link) == pages[0]


async def test_a_gateway_that_is_down_takes_nothing_and_shows_a_way_on(world: World) -> None:
    link = await world.open()
    world.wire.cut = True
    answer = await world.browser.post(link.url, data=FORM)
    assert answer.status_code == 503
    assert is_guarded(answer)
    assert "no payment was begun" in answer.text
    assert Seen(answer.text).links[1:] == [f"/p/{link.url.rsplit('/', 1)[1]}?lang=ar", "/chat/whatsapp"]
    world.wire.cut = False
    await world.pay(link)
    assert await world.statuses("attempts") == ["PAID"]


async def test_an_attempt_whose_page_was_never_made_is_given_up(world: World) -> None:
    link = await world.open()
    world.wire.cut = True
    await world.browser.post(link.url, data=FORM)
    world.wire.cut = False
    world.clock.advance(31 * MINUTE)
    await world.orders.sweep()
    await world.orders.sweep()
    assert (await world.statuses("attempts"), await world.statuses("orders")) == (["EXPIRED"], ["cancelled"])
    assert world.chats.news == []


@on_sqlite
async def test_an_expired_link_says_so_and_leads_back(world: World) -> None:
    link = await world.open()
    world.clock.advance(30 * MINUTE)
    answer = await world.browser.get(link.url)
    assert answer.status_code == 410
    assert "nothing was taken" in answer.text
    assert "/chat/whatsapp" in Seen(answer.text).links
    pressed = await world.browser.post(link.url, data=FORM)
    assert pressed.headers["location"].startswith("/p/")
    assert await world.rows("attempts") == []


@on_sqlite
@pytest.mark.parametrize("path", ["", "/return"])
@pytest.mark.parametrize("token", ["x", "A" * 32, "A" * 5000, "%00", "مخالفة"])
async def test_an_unknown_token_says_so(world: World, token: str, path: str) -> None:
    for method in ("GET", "POST"):
        answer = await world.browser.request(method, f"/p/{token}{path}?lang=en")
        assert answer.status_code == 404
        assert "nothing was taken" in answer.text
        assert is_guarded(answer)


@on_sqlite
async def test_a_button_on_another_sites_page_does_nothing(world: World) -> None:
    link = await world.open()
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"content-type": "text/plain"},
    ):
        answer = await world.browser.post(link.url, data=FORM, headers=headers)
        assert answer.status_code == 403
    assert await world.rows("attempts") == []
    own = await world.browser.post(link.url, data=FORM, headers={"sec-fetch-site": "same-origin"})
    assert own.status_code == 303


@on_sqlite
async def test_a_gateway_page_outside_the_allow_list_is_not_opened(world: World) -> None:
    link = await world.open()
    world.gateway._base = "http://127.0.0.1.evil.example/gateway"
    answer = await world.browser.post(link.url, data=FORM)
    assert answer.status_code == 503
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://pay.example.kw/p?a=1&b=2", True),
        ("https://PAY.example.kw/p", True),
        ("https://pay.example.kw:8443/p", True),
        ("http://127.0.0.1:8081/pay/1", True),
        ("http://pay.example.kw/p", False),
        ("https://pay.example.kw.evil.example/p", False),
        ("https://evil.example/pay.example.kw", False),
        ("https://pay.example.kw@evil.example/", False),
        ("https://evil.example\\@pay.example.kw/", False),
        ("https://pay.example.kw\\.evil.example/", False),
        ("//pay.example.kw/p", False),
        ("javascript:alert(1)//pay.example.kw", False),
        ("https://pay.example.kw/p\r\nx: y", False),
        (" https://pay.example.kw/p", False),
        ("https://pay.example.kw/\n", False),
        ("", False),
    ],
)
def test_where_a_resident_may_be_sent(url: str, fine: bool) -> None:  # noqa: FBT001 - a table's column
    assert allowed(url, ("pay.example.kw", "127.0.0.1")) is fine


async def test_the_way_back_shows_what_became_of_it(world: World) -> None:
    link = await world.open()
    refused = await world.browser.get(await world.pay(link, "funds"))
    assert "Payment refused" in refused.text
    assert "does not hold enough" in refused.text
    back = await world.pay(link)
    paid = await world.browser.get(back)
    assert is_guarded(paid)
    assert "Payment received" in paid.text
    assert link.order in paid.text
    assert Seen(paid.text).refresh == ""
    assert "/chat/whatsapp" in Seen(paid.text).links
    # The link itself shows the same from now on, expired or not.
    world.clock.advance(60 * MINUTE)
    assert "Payment received" in (await world.browser.get(link.url)).text


@on_sqlite
async def test_the_way_back_asks_again_by_itself_for_a_while(world: World) -> None:
    link = await world.open()
    back = await world.pay(link, "timeout")
    first = await world.browser.get(back)
    assert "Not confirmed yet" in first.text
    assert "Do not pay again" in first.text
    assert Seen(first.text).refresh.startswith("5;url=/p/")
    assert Seen(first.text).refresh.endswith("n=1")
    assert Seen((await world.browser.get(f"{back}?n=24")).text).refresh == ""
    assert Seen((await world.browser.get(f"{back}?n=999999999")).text).refresh != ""
    world.clock.advance(60)
    assert "Payment received" in (await world.browser.get(back)).text


async def test_the_address_the_gateway_gets_cannot_pay(world: World) -> None:
    link = await world.open()
    back = await world.pay(link, "funds")
    assert link.url.rsplit("/", 1)[1] not in back
    assert (await world.browser.get(back.removesuffix("/return"))).status_code == 410
    await world.browser.post(back.removesuffix("/return"), data=FORM)
    assert await world.statuses("attempts") == ["FAILED"]


@on_sqlite
async def test_one_command_pays_a_link(world: World) -> None:
    """What the gateway's docstring promises: a POST that stays a POST through the redirects."""
    link = await world.open()
    url, answer = link.url, None
    for _ in range(3):
        answer = await world.browser.post(url, data={"button": "approved"})
        url = answer.headers.get("location", "")
    assert answer is not None
    assert "Payment received" in answer.text


@on_sqlite
async def test_every_bad_notification_is_answered_alike(world: World) -> None:
    link = await world.open()
    await world.press_pay(link)
    good = await notice(world)
    stranger = await notice(world, track_id="NOBODY", id="nobody")
    tries: list[tuple[bytes, dict[str, str]]] = [
        (good, {}),
        (good, {"x-sandbox-signature": "0" * 64}),
        (good, signed(good, "another secret")),
        (good + b" ", signed(good)),
        (b"", signed(b"")),
        (b"{}", signed(b"{}")),
        (b"\xff\xfe", signed(b"\xff\xfe")),
        (b"[1]", signed(b"[1]")),
        (stranger, signed(stranger)),
        (await notice(world, amount="5"), signed(await notice(world, amount="5"))),
        (b"x" * (LIMIT + 1), signed(b"x" * (LIMIT + 1))),
    ]
    answers = [await world.browser.post(NOTIFY, content=body, headers=head) for body, head in tries]
    shown = {(answer.status_code, answer.content, answer.headers["content-type"]) for answer in answers}
    assert shown == {(400, b"refused", "text/plain; charset=utf-8")}
    assert (await world.browser.post(NOTIFY, content=good, headers=signed(good))).status_code == 200


def test_the_signature_is_hmac_sha256_in_hex() -> None:
    wanted = hmac.new(b"k", b"{}", hashlib.sha256).hexdigest()
    assert signed(b"{}", "k") == {"x-sandbox-signature": wanted}


@on_sqlite
async def test_the_style_sheet_is_served(world: World) -> None:
    for path in ("/pay.css", "/gateway/pay.css"):
        answer = await world.browser.get(path)
        assert answer.headers["content-type"].startswith("text/css")


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("status", list(Status))
async def test_every_page_with_the_real_renderer(language: str, status: Status) -> None:
    bill = Bill(
        order="IQ-7F3C-9A1D",
        chat=HERE,
        language=language,
        subject=SUBJECT,
        items=(item("F1", 45_000),),
        fils=45_000,
        until=NOON,
        live=True,
        standing=Standing(status, "IQ-7F3C-9A1D", "600100000001", 45_000, NOON, "funds"),
    )
    pages = Pages(Renderer(Catalog()).render, "pay.example.kw")
    shown = (pages.bill(bill, language), pages.standing(bill, language, "/", "/p/x/return?n=1", refresh=5))
    for page in shown:
        assert Seen(page).language == language
        assert Seen(page).inline == []
        assert "{" not in page
        assert "$" not in page
    assert f"{LRI if language == 'en' else RLI}45.000" in shown[0]
    assert f'{LRI}<code dir="ltr">{SUBJECT}</code>{PDI}' in shown[0]
