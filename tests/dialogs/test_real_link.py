"""Real link: whose a pasted link is. The names that are known, the tricks, and what is said."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogs.real_link import CheckLinks
from bot.dialogs.real_link.address import Address, find, host_name, read
from bot.dialogs.real_link.texts import Asked as Answers
from bot.dialogs.real_link.texts import verdict_text
from bot.dialogs.real_link.verdict import Trick, Verdict, Whose, judge, worst
from bot.dialogs.violations import FindFines
from bot.errors import Unavailable
from bot.i18n.text import Code, Ltr
from bot.model import Chat as ChatAddress
from bot.model import plain
from bot.ports import Asked
from bot.services.links import executors as link_executors
from bot.services.links import known_names
from bot.spec import Fault
from tests.dialogs.data import OWED
from tests.dialogs.harness import CIVIL_ID, RENDERER, Chat

KNOWN = known_names("https://pay.example.kw", ("www.kpay.com.kw", "127.0.0.1:8090"))

JUDGED: list[tuple[str, Whose, Trick]] = [
    # ours
    ("https://pay.example.kw/p/abc", Whose.PAYMENT, Trick.NONE),
    ("pay.example.kw/p/abc", Whose.PAYMENT, Trick.NONE),
    ("https://PAY.example.KW./p/abc?lang=ar#x", Whose.PAYMENT, Trick.NONE),
    ("https://pay.example.kw:443/p/abc", Whose.PAYMENT, Trick.NONE),
    ("https://pay.example.kw/x/../%70/abc", Whose.PAYMENT, Trick.NONE),
    ("https:\\\\pay.example.kw\\p\\abc", Whose.PAYMENT, Trick.NONE),
    ("https://pay.example.kw/r/IQ-1_00", Whose.RECEIPT, Trick.NONE),
    ("https://pay.example.kw/receipts/IQ-1.pdf", Whose.RECEIPT, Trick.NONE),
    ("https://pay.example.kw/signin/abc", Whose.SIGN_IN, Trick.NONE),
    ("https://pay.example.kw", Whose.OURS, Trick.NONE),
    ("http://pay.example.kw/p/abc", Whose.NEITHER, Trick.PLAIN),
    ("https://pay.example.kw:8443/p/abc", Whose.NEITHER, Trick.PORT),
    ("https://pay.example.kw.evil.example/p/abc", Whose.NEITHER, Trick.LIKE),
    ("https://pay-example-kw.example/p/abc", Whose.NEITHER, Trick.LIKE),
    ("https://x@pay.example.kw/p/abc", Whose.NEITHER, Trick.AT),
    # official
    ("https://www.moi.gov.kw/main/eservices/residence", Whose.OFFICIAL, Trick.NONE),
    ("www.moi.gov.kw", Whose.OFFICIAL, Trick.NONE),
    ("https://www。moi。gov。kw/", Whose.OFFICIAL, Trick.NONE),
    ("https://ｗｗｗ．ｍｏｉ．ｇｏｖ．ｋｗ/", Whose.OFFICIAL, Trick.NONE),
    ("\u2066https://www.moi.gov.kw\u2069", Whose.OFFICIAL, Trick.NONE),
    ("http://www.moi.gov.kw/", Whose.OFFICIAL, Trick.PLAIN),
    ("https://www.moi.gov.kw:8443/", Whose.NEITHER, Trick.PORT),
    ("https://moi.gov.kw@evil.example/", Whose.NEITHER, Trick.AT),
    ("https://www.moi.gov.kw:443@evil.example/", Whose.NEITHER, Trick.AT),
    ('https://www.moi.gov.kw"@evil.example', Whose.NEITHER, Trick.AT),
    ("https://www.moi.gov.kw\\@evil.example/", Whose.OFFICIAL, Trick.NONE),  # a browser goes to the former
    ("https://evil.example\\@www.moi.gov.kw/", Whose.NEITHER, Trick.NONE),
    ("https://www.moi.gov.kw.evil.example/", Whose.NEITHER, Trick.LIKE),
    ("https://www.moi.gov.kw%2eevil.example/", Whose.NEITHER, Trick.LIKE),
    ("https://moi-gov-kw.com/", Whose.NEITHER, Trick.LIKE),
    ("https://moi.g0v.kw/", Whose.NEITHER, Trick.LIKE),
    ("https://мoi.gov.kw/", Whose.NEITHER, Trick.LIKE),  # a Cyrillic letter under the real domain
    ("https://moı-gov.kw.example/", Whose.NEITHER, Trick.LIKE),
    ("https://xn--oi-7lc.gov.kw/", Whose.NEITHER, Trick.LIKE),
    ("https://another.gov.kw/x", Whose.STATE, Trick.NONE),
    ("https://moi.gov.kw", Whose.STATE, Trick.NONE),
    ("https://another.gov.kw:99/x", Whose.NEITHER, Trick.PORT),
    # the gateway
    ("https://www.kpay.com.kw/kpg/PaymentHTTP.htm", Whose.GATEWAY, Trick.NONE),
    ("https://www.kpay.com.kw.example/kpg", Whose.NEITHER, Trick.LIKE),
    # neither
    ("https://fines-kw.example/pay", Whose.NEITHER, Trick.NONE),
    ("https://bit.ly/3abc", Whose.NEITHER, Trick.SHORT),
    ("http://203.0.113.5/p/abc", Whose.NEITHER, Trick.NUMBER),
    ("http://0xCB007105/", Whose.NEITHER, Trick.NUMBER),
    ("http://3405803781/", Whose.NEITHER, Trick.NUMBER),
    ("http://[2001:db8::1]/", Whose.NEITHER, Trick.NUMBER),
    ("javascript:alert(1)", Whose.NEITHER, Trick.ODD),
    ("intent://www.moi.gov.kw#Intent;end", Whose.NEITHER, Trick.ODD),
    ("ftp://www.moi.gov.kw/", Whose.NEITHER, Trick.ODD),
    ("https://", Whose.NEITHER, Trick.ODD),
    ("https://www.moi.gov.kw:99999/", Whose.NEITHER, Trick.ODD),
    ("https://www.moi.gov.kw|evil.example/", Whose.NEITHER, Trick.ODD),
    ("https://" + "a" * 300 + ".example", Whose.NEITHER, Trick.ODD),
]


@pytest.mark.parametrize(("link", "whose", "trick"), JUDGED)
def test_whose_a_link_is(link: str, whose: Whose, trick: Trick) -> None:
    (address,) = find(link)
    verdict = judge(address, KNOWN)
    assert (verdict.whose, verdict.trick) == (whose, trick), address


@pytest.mark.parametrize(
    "text",
    [
        "285011500029", "12.03.2027", "IQ-7F3C-9A1D", "5.250 د.ك.", "me@example.com", "السلام.عليكم", "3.14/2",
        "2.85011500029E+11", "e.g. that", "وداعاً...", "1.", "://", "www.", "@someone", "/menu",
    ],
)  # fmt: skip
def test_what_is_no_link(text: str) -> None:
    assert find(text) == ()


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("ادفع هنا: https://a.example/x، وشكراً", ["a.example"]),
        ("الرابط:https://a.example", ["a.example"]),
        ("«www.moi.gov.kw»", ["www.moi.gov.kw"]),
        ('<a href="https://a.example/">moi.gov.kw</a>', ["a.example"]),
        ("see (https://a.example), or b.com.", ["a.example", "b.com"]),
        ("https://www.moi.gov.kw\thttps://b.example", ["www.moi.gov.kw", "b.example"]),
        ("hxxps://a.example", ["a.example"]),
        ("a.example/pay", ["a.example"]),
        ("www.a.example", ["www.a.example"]),
    ],
)
def test_links_are_found_in_a_message(text: str, hosts: list[str]) -> None:
    assert [address.host for address in find(text)] == hosts


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    for address in (*find(text), *find(text, asked=True), read(text), read(f"https://{text}")):
        verdict = judge(address, KNOWN)
        assert verdict.host.isascii()
        for language in ("ar", "en"):
            assert RENDERER.render(verdict_text(Answers(verdict=verdict)), language)


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=12))
def test_nothing_beside_the_name_itself_is_official(text: str) -> None:
    """Whatever is put into an official link before its path: it stays that host, or it is not official."""
    for link in (
        f"https://{text}www.moi.gov.kw/",
        f"https://www.moi.gov.kw{text}/",
        f"https://www.moi.gov{text}.kw/",
    ):
        address = read(link)
        if judge(address, KNOWN).whose is Whose.OFFICIAL:
            assert address.host == "www.moi.gov.kw"
            assert not address.disguised


def test_a_query_is_not_kept() -> None:
    assert find("https://a.example/x?civil=285011500029#y") == (Address("https", "a.example", 0, "/x"),)


def test_of_several_the_most_doubtful_counts() -> None:
    links = find("https://www.moi.gov.kw https://pay.example.kw/p/a https://evil.example")
    assert worst(links, KNOWN)[0].host == "evil.example"


def test_a_host_is_written_one_way() -> None:
    assert host_name("ＭＯＩ。Gov%2eKW.") == "moi.gov.kw"
    assert host_name("موقع.kw") == "xn--4gbrim.kw"
    assert host_name("a b") == ""


def test_official_hosts_say_whose_and_what_for() -> None:
    assert len(KNOWN.officials) >= 8
    for official in KNOWN.officials:
        assert host_name(official.host) == official.host
        assert official.host.endswith(f".{KNOWN.zone}")
        assert all((*(official.owner.ar, official.owner.en), official.purpose.ar, official.purpose.en))


# --- the executor --------------------------------------------------------------------------------

MINE = ChatAddress("web", "mine")


@dataclass(frozen=True)
class Bill:
    chat: ChatAddress


@dataclass
class Orders:
    bills: dict[str, Bill] = field(default_factory=dict[str, Bill])
    away: bool = False

    async def page(self, token: str) -> Bill | None:
        if self.away:
            raise Unavailable("ledger", "away")
        return self.bills.get(token)


async def check(text: str, orders: Orders, *chats: str) -> Verdict:
    execute = link_executors(orders, KNOWN, lambda: chats)[CheckLinks]
    verdict: Verdict = await execute(CheckLinks(find(text)), Asked("web:1:0", MINE, "ar"))
    return verdict


async def test_a_payment_page_is_this_chats_or_a_strangers() -> None:
    orders = Orders({"mine": Bill(MINE), "theirs": Bill(ChatAddress("web", "theirs"))})
    assert (await check("https://pay.example.kw/p/mine", orders)).whose is Whose.PAYMENT
    assert (await check("https://pay.example.kw/p/mine/return?n=1", orders)).whose is Whose.PAYMENT
    theirs = await check("https://pay.example.kw/p/theirs", orders)
    assert theirs.whose is Whose.STRANGER
    assert theirs == await check("https://pay.example.kw/p/unknown", orders), "it tells whose order exists"
    assert (await check("https://pay.example.kw/p/", orders)).whose is Whose.STRANGER


async def test_the_ledger_is_asked_only_where_the_name_is_not_enough() -> None:
    away = Orders(away=True)
    assert (await check("https://evil.example/p/mine", away)).whose is Whose.NEITHER
    with pytest.raises(Unavailable):
        await check("https://pay.example.kw/p/mine", away)


async def test_our_own_bot_is_ours_and_another_is_not() -> None:
    ours = "https://t.me/iqamati_bot"
    assert (await check("https://t.me/Iqamati_bot?start=x", Orders(), ours)).whose is Whose.OURS
    assert (await check("t.me/iqamati_bot", Orders(), ours)).whose is Whose.OURS
    assert (await check("https://t.me/iqamati_bot2", Orders(), ours)).whose is Whose.NEITHER
    assert (await check("https://t.me/", Orders(), ours)).whose is Whose.NEITHER


# --- the dialog ----------------------------------------------------------------------------------

EVIL = "https://moi.gov.kw.example/pay?id=285011500029"
NEITHER = Verdict(Whose.NEITHER, "moi.gov.kw.example", Trick.LIKE, "moi.gov.kw")


def test_a_pasted_link_is_answered_at_once(chat: Chat) -> None:
    chat.answers(CheckLinks, NEITHER).answers(FindFines, OWED)
    chat.says(f"ادفع {EVIL}").did(CheckLinks((Address("https", "moi.gov.kw.example", 0, "/pay"),)))
    chat.stands("real_link.verdict").hears(
        "✕ *Do not open it.* {host}", host=Code("moi[.]gov[.]kw[.]example")
    )
    chat.hears("It imitates {like}.", like=Code("moi[.]gov[.]kw")).hears("Enter nothing there.")
    chat.hears("The ministry sends no payment links. Report").offers("Another link", "Menu")
    assert all("moi.gov.kw.example" not in message.text for message in chat.said), "it can be tapped"
    assert len(chat.last.text.split()) <= 60
    assert chat.top.answers["links"] == [], "links are kept no longer than needed"


def test_from_the_menu_and_by_words(chat: Chat) -> None:
    chat.answers(CheckLinks, Verdict(Whose.OURS, "pay.example.kw"))
    chat.says("/menu").presses("More").presses("Is this link real?").stands("real_link.link")
    chat.hears("Paste the link").says("hm").hears("I see no link in that.").says("hm").hears(
        "A link begins with"
    )
    chat.says("some.where").did(CheckLinks((Address("", "some.where"),))).stands("real_link.verdict")
    chat.hears("✓ {host} is our own address.", host=Ltr("pay.example.kw"))
    chat.presses("Another link").stands("real_link.link")
    word = "هل هذا الرابط صحيح؟" if chat.language == "ar" else "is this link real?"
    chat.says("/menu").says(word).stands("real_link.link")


def test_after_a_verdict_anything_can_follow(chat: Chat) -> None:
    chat.answers(CheckLinks, NEITHER).answers(FindFines, OWED)
    chat.says(EVIL).says("https://b.example").stands("real_link.verdict")
    chat.says(CIVIL_ID).stands("violations.owed")


def test_several_links_are_said_to_be_several(chat: Chat) -> None:
    chat.answers(CheckLinks, NEITHER).says(f"{EVIL} www.moi.gov.kw").hears("{n} link", n=2)


def test_the_ledger_is_away_and_comes_back(chat: Chat) -> None:
    chat.answers(CheckLinks, Fault.UNAVAILABLE, Verdict(Whose.STRANGER, "pay.example.kw"))
    chat.says("https://pay.example.kw/p/abc").stands("real_link.down").hears("I cannot tell now")
    chat.presses("Try again").stands("real_link.verdict").hears("✕ {host} is our address")


@pytest.mark.parametrize("whose", list(Whose))
@pytest.mark.parametrize("trick", list(Trick))
def test_every_verdict_is_short_and_says_where(chat: Chat, whose: Whose, trick: Trick) -> None:
    official = KNOWN.officials[0]
    verdict = Verdict(whose, official.host, trick, "moi.gov.kw", official.owner, official.purpose)
    chat.answers(CheckLinks, verdict).says("https://x.example").stands("real_link.verdict")
    assert len(chat.last.text.split()) <= 60
    assert official.host.rpartition(".")[2] in chat.last.text
    clickable = whose in (Whose.OFFICIAL, Whose.OURS, Whose.PAYMENT, Whose.RECEIPT)
    shown = plain(RENDERER.render(verdict_text(Answers(verdict=verdict)), "en")).partition("\n")[0]
    assert (official.host in shown) == clickable
