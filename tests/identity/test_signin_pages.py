"""The pages between the chat and the provider: what they say, whom they bind, and that nothing forged signs in."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from structlog.testing import capture_logs

from bot.dialogs.identify import SignInLink
from bot.services.identity import LIFE
from tests.identity.world import (
    CIVIL_ID,
    FORM,
    HERE,
    OTHER_ID,
    THERE,
    World,
    changed,
    code_on,
    has_code,
    query_of,
    text_of,
)
from tests.payments.test_pay_pages import Seen, is_guarded

NOBODY = ("Nobody was signed in", "nobody was signed in", "لم يُسجَّل دخول أحد")
"""A page that does not know the sign-in does not know its language either."""


async def nobody(world: World, link: SignInLink, answer: httpx.Response) -> None:
    """Nobody is signed in, the page says so, and shows no code."""
    assert any(said in text_of(answer) for said in NOBODY), text_of(answer)
    assert not has_code(answer)
    assert is_guarded(answer)
    assert world.woken == []
    assert await world.confirm(link, "000000") == "spent"


async def test_the_whole_way(world: World) -> None:
    link = await world.link()
    page = await world.browser.get(link.url)
    assert (page.status_code, is_guarded(page)) == (200, True)
    way = await world.way_back(link)
    assert world.woken == []
    back = await world.browser.get(way)
    assert back.status_code == 303
    assert (
        back.headers["location"] == f"/signin/code/{link.ref}"
    )  # the provider's answer leaves the address bar
    shown = await world.browser.get(back.headers["location"])
    code = code_on(shown)
    assert is_guarded(shown)
    assert [(each.chat, each.dialog, each.kind, each.ref) for each in world.woken] == [
        (HERE, "identify", "returned", link.ref)
    ]
    again = await world.browser.get(back.headers["location"])
    assert code_on(again) == code  # a phone reloads a page that was in the background
    assert await world.confirm(link, code) == CIVIL_ID
    gone = await world.browser.get(back.headers["location"])
    assert (gone.status_code, has_code(gone)) == (403, False)


async def test_the_page_says_who_asks_and_where_it_leads(world: World) -> None:
    link = await world.link(THERE)
    answer = await world.browser.get(link.url)
    told, seen = text_of(answer), Seen(answer.text)
    for said in ("Telegram", link.ref, link.host, "If you did not ask for this in your own chat", "password"):
        assert said in told
    assert (seen.language, seen.forms, seen.links) == ("en", ["?lang=en"], ["?lang=ar"])
    arabic = await world.browser.get(f"{link.url}?lang=ar")
    assert Seen(arabic.text).direction == "rtl"
    assert "تيليغرام" in text_of(arabic)
    assert (
        f"form-action 'self' https://{link.host} http://{link.host}"
        in answer.headers["content-security-policy"]
    )


async def test_the_code_page_says_whose_code_it_is(world: World) -> None:
    link = await world.link(THERE)
    shown = await world.come_back(await world.way_back(link))
    told = text_of(shown)
    for said in ("Telegram", link.ref, "Give it to nobody"):
        assert said in told
    assert Seen(shown.text).links == ["?lang=ar", "/chat/telegram"]
    assert CIVIL_ID not in shown.text


async def test_the_chats_language_is_the_pages_and_the_providers(world: World) -> None:
    link = await world.link(language="ar")
    assert Seen((await world.browser.get(link.url)).text).language == "ar"
    assert query_of(await world.press(link))["ui_locales"] == "ar"
    english = await world.browser.post(f"{link.url}?lang=en", data=FORM)
    assert query_of(english.headers["location"])["ui_locales"] == "en"


async def test_a_preview_robot_changes_nothing(world: World) -> None:
    link = await world.link()
    way = await world.way_back(link)
    before = await world.kept()
    for method in ("GET", "HEAD"):
        for url in (link.url, f"{link.url}?lang=en"):
            assert (await world.browser.request(method, url)).status_code == 200
    assert (await world.browser.head(way)).status_code == 200
    assert await world.kept() == before
    assert has_code(await world.come_back(way))


async def test_no_address_holds_more_than_the_protocol_wants(world: World) -> None:
    link = await world.link()
    way = await world.way_back(link)
    assert "?" not in link.url
    assert set(query_of(way)) == {"code", "state", "iss"}
    assert CIVIL_ID not in link.url + way


# --- forged, replayed, expired, crossed ----------------------------------------------------------

FORGERIES: dict[str, Callable[[str, SignInLink], str]] = {
    "no state": lambda way, _link: changed(way, state=None),
    "no code": lambda way, _link: changed(way, code=None),
    "nothing": lambda way, _link: way.partition("?")[0],
    "another secret": lambda way, link: changed(way, state=f"{link.ref}.{'A' * 43}"),
    "another sign-in": lambda way, _link: changed(way, state=f"ABCD-2345.{'A' * 43}"),
    "the link's own token": lambda way, link: changed(way, state=link.url.rpartition("/")[2]),
    "two states": lambda way, _link: f"{way}&state=x",
    "a long state": lambda way, _link: changed(way, state="A" * 8000),
    "letters": lambda way, _link: changed(way, state="ابجد"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_way_back_signs_nobody_in(world: World, forgery: str) -> None:
    link = await world.link()
    way = await world.way_back(link)
    await nobody(world, link, await world.come_back(FORGERIES[forgery](way, link)))
    if forgery != "no code":  # that one belongs to this way, and takes it
        assert has_code(await world.come_back(way))


async def test_a_replayed_way_back_shows_nothing(world: World) -> None:
    link = await world.link()
    way = await world.way_back(link)
    answers = await asyncio.gather(*(world.browser.get(way) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [303, 403, 403, 403, 403]
    assert len(world.woken) == 1
    late = await world.browser.get(way)
    assert NOBODY[-1] in text_of(late)


async def test_another_browser_sees_no_code_and_takes_nothing(world: World) -> None:
    """Whoever is sent somebody's way back (login CSRF) signs nobody in, and spoils nothing."""
    link = await world.link()
    way = await world.way_back(link)
    async with world.stranger() as stranger:
        await nobody(world, link, await world.come_back(way, stranger))
        other = await world.link(THERE)
        await world.press(other, stranger)  # a browser with a cookie, but not this one's
        await nobody(world, link, await world.come_back(way, stranger))
        assert (await stranger.get(f"/signin/code/{link.ref}")).status_code == 403
        stranger.cookies.set(f"iq_signin_{link.ref}", "x" * 43)
        await nobody(world, link, await world.come_back(way, stranger))
    shown = await world.come_back(way)
    async with world.stranger() as stranger:
        peek = await stranger.get(f"/signin/code/{link.ref}")
        assert (peek.status_code, has_code(peek)) == (403, False)
    assert await world.confirm(link, code_on(shown)) == CIVIL_ID


async def test_an_expired_link_is_over_at_every_step(world: World) -> None:
    pressed = await world.link()
    back = await world.link()
    shown = await world.link()
    way = await world.way_back(back)
    code = code_on(await world.come_back(await world.way_back(shown)))
    world.woken.clear()
    world.clock.advance(LIFE)
    answer = await world.browser.get(pressed.url)
    assert answer.status_code == 404
    await nobody(world, pressed, answer)
    await nobody(world, pressed, await world.browser.post(pressed.url, data=FORM))
    late = await world.come_back(way)
    assert late.status_code == 403  # the provider is not even asked
    await nobody(world, back, late)
    assert (await world.browser.get(f"/signin/code/{shown.ref}")).status_code == 403
    assert await world.confirm(shown, code) == "spent"


async def test_a_code_is_for_the_chat_that_asked(world: World) -> None:
    """A stranger's chat cannot use what the resident's page shows, nor the other way round."""
    mine, theirs = await world.link(HERE), await world.link(THERE)
    my_code, their_code = await world.code(mine), await world.code(theirs, OTHER_ID)
    assert await world.confirm(mine, my_code, THERE) == "spent"
    assert await world.confirm(theirs, their_code, HERE) == "spent"
    if my_code != their_code:
        assert await world.confirm(theirs, my_code, THERE) == "wrong"
    assert await world.confirm(mine, my_code, HERE) == CIVIL_ID
    assert await world.confirm(theirs, their_code, THERE) == OTHER_ID


async def test_a_forwarded_link_needs_the_code_in_the_chat_that_asked(world: World) -> None:
    """The stranger asks, the resident is tricked into signing in: the stranger's chat still lacks the code."""
    theirs = await world.link(THERE)
    await world.code(theirs)
    guesses = {await world.confirm(theirs, f"{number:06d}", THERE) for number in range(3)}
    assert CIVIL_ID not in guesses


async def test_three_wrong_codes_end_the_sign_in(world: World) -> None:
    link = await world.link()
    code = await world.code(link)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert [await world.confirm(link, wrong) for _ in range(3)] == ["wrong", "wrong", "spent"]
    assert await world.confirm(link, code) == "spent"
    assert (await world.browser.get(link.url)).status_code == 404


async def test_a_code_is_confirmed_once(world: World) -> None:
    link = await world.link()
    code = await world.code(link)
    said = await asyncio.gather(*(world.confirm(link, code) for _ in range(5)))
    assert sorted(said) == [CIVIL_ID, "spent", "spent", "spent", "spent"]


async def test_an_effect_that_runs_again_does_the_same(world: World) -> None:
    links = await asyncio.gather(*(world.link(key="7:0") for _ in range(3)))
    assert len({link.url for link in links}) == 1
    code = await world.code(links[0])
    assert [await world.confirm(links[0], code, key="8:0") for _ in range(2)] == [CIVIL_ID, CIVIL_ID]
    assert await world.confirm(links[0], code, key="9:0") == "spent"


async def test_a_used_link_leads_nowhere(world: World) -> None:
    link = await world.link()
    code = await world.code(link)
    for answer in (await world.browser.get(link.url), await world.browser.post(link.url, data=FORM)):
        assert answer.status_code == 410
        assert "works once" in text_of(answer)
    assert await world.confirm(link, code) == CIVIL_ID


async def test_a_second_press_replaces_the_first(world: World) -> None:
    link = await world.link()
    first = await world.way_back(link)
    second = await world.way_back(link, OTHER_ID)
    await nobody(world, link, await world.come_back(first))
    assert await world.confirm(link, code_on(await world.come_back(second))) == OTHER_ID


async def test_two_sign_ins_in_one_browser_do_not_disturb_one_another(world: World) -> None:
    links = [await world.link(HERE), await world.link(THERE)]
    ways = [await world.way_back(link, who) for link, who in zip(links, (CIVIL_ID, OTHER_ID), strict=True)]
    codes = [code_on(await world.come_back(way)) for way in ways]
    assert await world.confirm(links[0], codes[0], HERE) == CIVIL_ID
    assert await world.confirm(links[1], codes[1], THERE) == OTHER_ID


async def test_the_button_works_on_our_page_alone(world: World) -> None:
    link = await world.link()
    before = await world.kept()
    for kind, headers in (
        ("application/x-www-form-urlencoded", {"sec-fetch-site": "cross-site"}),
        ("application/x-www-form-urlencoded", {"sec-fetch-site": "same-site"}),
        ("text/plain", {}),
    ):
        answer = await world.browser.post(link.url, content="go=1", headers={"content-type": kind, **headers})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        await nobody(world, link, answer)
    assert await world.kept() == before


async def test_the_cookie_is_for_the_way_back_alone(world: World) -> None:
    link = await world.link()
    answer = await world.browser.post(link.url, data=FORM)
    said = answer.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=lax", "path=/signin", f"max-age={LIFE}"):
        assert part in said
    assert "secure" not in said  # this world is plain http; `bot.bootstrap` asks for it with https


@pytest.mark.parametrize("token", ["x", "ABCD-2345", f"ABCD-2345.{'A' * 43}", "%00", "a" * 4000, "٣٣٣"])
async def test_a_token_that_is_none(world: World, token: str) -> None:
    for method in ("GET", "POST"):
        answer = await world.browser.request(
            method, f"/signin/{token}", data=FORM if method == "POST" else None
        )
        assert answer.status_code == 404
        assert NOBODY[0] in text_of(await world.browser.get(f"/signin/{token}?lang=en"))


async def test_a_chat_that_cannot_be_woken_still_takes_the_code(world: World) -> None:
    world.wakes_away = True
    link = await world.link()
    assert await world.confirm(link, await world.code(link)) == CIVIL_ID


async def test_nobody_who_refuses_is_signed_in(world: World) -> None:
    link = await world.link()
    answer = await world.browser.post(await world.press(link), data={"refuse": "1"})
    assert query_of(answer.headers["location"])["error"] == "access_denied"
    refused = await world.come_back(answer.headers["location"])
    await nobody(world, link, refused)
    assert "access_denied" not in refused.text
    assert (
        await world.confirm(link, await world.code(link)) == CIVIL_ID
    )  # the link works once, and did not yet


async def test_an_error_beside_a_code_is_an_error(world: World) -> None:
    link = await world.link()
    way = changed(await world.way_back(link), error="server_error", error_description="<script>")
    answer = await world.come_back(way)
    await nobody(world, link, answer)
    assert "server_error" not in answer.text
    assert "script" not in answer.text


async def test_nothing_personal_is_kept_or_logged_in_clear(world: World) -> None:
    with capture_logs() as logs:
        link = await world.link()
        way = await world.way_back(link)
        code = code_on(await world.come_back(way))
        await world.come_back(await world.way_back(await world.link(), knob="nonce"))
    secrets = [
        link.url.rpartition(".")[2],
        query_of(way)["state"].rpartition(".")[2],
        code,
        CIVIL_ID,
        HERE.id,
    ]
    kept = repr(await world.kept())
    assert not any(secret in kept for secret in secrets)
    assert [entry["event"] for entry in logs] == ["sign-in not completed"]
    assert not any(secret in repr(logs) for secret in secrets)
