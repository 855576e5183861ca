"""The verification and its page: passes once, cannot be forged, replayed or guessed, and says what it is."""

import asyncio
from collections import Counter
from io import BytesIO
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.dialogs.verify import Held, Why
from bot.dialogs.violations import Owed
from bot.model import Chat
from bot.services.quotas import HOUR, LIMITS
from bot.services.verification import ALPHABET, DIGITS, OPEN_FOR, TRIES
from bot.store.connect import connect
from tests.quotas.desk import HERE, THERE, Desk, Seen, asked, civil_id, open_desk
from tests.sandbox.kit import NOON
from tests.store.servers import Deployment, one

FREE, MOST = LIMITS[Why.CHAT].free, LIMITS[Why.CHAT].most


def is_guarded(answer: httpx.Response) -> bool:
    policy = answer.headers["content-security-policy"]
    return (
        "default-src 'none'" in policy
        and "frame-ancestors 'none'" in policy
        and "unsafe" not in policy
        and answer.headers["x-content-type-options"] == "nosniff"
        and answer.headers["referrer-policy"] == "no-referrer"
        and answer.headers["cache-control"] == "no-store"
        and "noindex" in answer.headers["x-robots-tag"]
        and Seen(answer.text).inline == []
    )


def wrong(digits: str) -> str:
    return digits[:-1] + ALPHABET[(ALPHABET.index(digits[-1]) + 1) % len(ALPHABET)]


async def test_a_passed_picture_gives_a_fresh_allowance_once(desk: Desk) -> None:
    held = await desk.holds()
    answer = await desk.type(held.url, desk.digits(held.url))
    assert answer.status_code == 200
    assert is_guarded(answer)
    assert Seen(answer.text).links[-1] == "/chat/web"
    assert [(n.chat, n.dialog, n.kind, n.ref) for n in desk.news.heard] == [
        (HERE, "verify", "verified", held.ref)
    ]
    count, after = await desk.until_held(start=100)
    assert count == MOST - FREE
    assert (after.pause, after.why, after.limit, after.until) == (True, Why.CHAT, MOST, NOON + HOUR)
    assert isinstance(await desk.fines(civil_id(900), asked(THERE)), Owed)
    replayed = await desk.type(held.url, desk.digits(held.url))
    assert replayed.status_code == 200, "pressed twice, the page says the same"
    assert isinstance(await desk.fines(civil_id(901)), Held), "and nothing is given"
    assert {n.id for n in desk.news.heard} == {f"verified:{held.ref}"}, "the chat has heard it already"


async def test_a_passed_picture_does_not_last(desk: Desk) -> None:
    held = await desk.holds()
    await desk.type(held.url, desk.digits(held.url))
    desk.clock.at = NOON + HOUR
    count, after = await desk.until_held(start=200)
    assert (count, after.pause) == (FREE, False)
    assert after.url != held.url


async def test_it_is_excused_from_pictures_of_other_limits_too(desk: Desk) -> None:
    held = await desk.holds()
    await desk.type(held.url, desk.digits(held.url))
    for number in range(LIMITS[Why.NUMBER].free):
        await desk.fines(civil_id(900), asked(Chat("telegram", str(number))))
    assert isinstance(await desk.fines(civil_id(900), asked(THERE)), Held)
    assert isinstance(await desk.fines(civil_id(900)), Owed)


async def test_asking_again_gives_the_same_link(desk: Desk) -> None:
    first = await desk.holds()
    desk.clock.at = NOON + OPEN_FOR - 1
    second = await desk.holds()
    assert (second.url, second.closes) == (first.url, NOON + OPEN_FOR)
    desk.clock.at = NOON + OPEN_FOR
    assert (await desk.holds()).url != first.url


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_changes_nothing(desk: Desk, servers: Deployment, method: str) -> None:
    held = await desk.holds()
    await desk.browser.get(f"{held.url}/1.png")  # drawn once, and kept
    before = [(key, await node.dump(key)) for node, key in await servers.keys()]
    for suffix in ("", "?lang=en", "/1.png", "/2.png", "/1.png?x=1"):
        answer = await desk.browser.request(method, held.url + suffix)
        assert answer.status_code == (404 if suffix == "/2.png" else 200)
    assert [(key, await node.dump(key)) for node, key in await servers.keys()] == before
    assert desk.news.heard == []


async def test_the_page_in_both_languages(desk: Desk) -> None:
    held = await desk.holds()
    for language, direction, said in (
        ("ar", "rtl", "تسجيل الدخول"),
        ("en", "ltr", "choose “Sign in”: then no picture is needed"),
    ):
        answer = await desk.browser.get(f"{held.url}?lang={language}")
        seen = Seen(answer.text)
        assert is_guarded(answer)
        assert f'lang="{language}" dir="{direction}"' in answer.text
        assert said in answer.text
        assert seen.pictures == [f"/verify/{held.url.rsplit('/', 1)[1]}/1.png"]
        assert seen.forms == [f"?lang={language}"] * 2
        assert seen.numbers == ["1", "1"]
        assert desk.digits(held.url) not in answer.text
        assert "set-cookie" not in answer.headers
    style = await desk.browser.get(held.url.rsplit("/", 2)[0] + "/verify.css")
    assert style.headers["content-type"].startswith("text/css")


async def test_the_picture_is_one_picture_and_fits_a_phone(desk: Desk) -> None:
    held = await desk.holds()
    drawn = await asyncio.gather(*(desk.browser.get(f"{held.url}/1.png") for _ in range(8)))
    assert len({each.content for each in drawn}) == 1, "many drawings of the same digits are easier to read"
    assert drawn[0].headers["content-type"] == "image/png"
    assert drawn[0].headers["cache-control"] == "no-store"
    image = Image.open(BytesIO(drawn[0].content))
    assert image.size == (280, 96)
    ink = image.convert("L").getextrema()
    assert isinstance(ink[0], int | float)
    assert isinstance(ink[1], int | float)
    assert ink[1] - ink[0] > 150, "light on dark"


async def test_digits_in_any_script_with_spaces(desk: Desk) -> None:
    held = await desk.holds()
    arabic = desk.digits(held.url).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    await desk.type(held.url, f" {arabic[:3]} {arabic[3:]} ")
    assert len(desk.news.heard) == 1


async def test_a_wrong_answer_brings_another_picture(desk: Desk) -> None:
    held = await desk.holds()
    first = await desk.browser.get(f"{held.url}/1.png")
    answer = await desk.type(f"{held.url}?lang=en", wrong(desk.digits(held.url)))
    assert "Those were not the digits." in answer.text
    assert "There are 4 pictures left." in answer.text
    assert Seen(answer.text).numbers == ["2", "2"]
    assert desk.digits(held.url, 2) != desk.digits(held.url)
    assert (await desk.browser.get(f"{held.url}/1.png")).status_code == 404
    assert (await desk.browser.get(f"{held.url}/2.png")).content != first.content
    late = await desk.type(held.url, desk.digits(held.url), 1)
    assert Seen(late.text).numbers == ["2", "2"], "the old picture's digits answer nothing"
    assert desk.news.heard == []
    await desk.type(held.url, desk.digits(held.url, 2), 2)
    assert len(desk.news.heard) == 1


async def test_another_picture_uses_one_up(desk: Desk) -> None:
    held = await desk.holds()
    answer = await desk.browser.post(f"{held.url}?lang=en", data={"number": "1"})
    assert "Those were not the digits." not in answer.text
    assert "There are 4 pictures left." in answer.text


async def test_pictures_are_used_up_and_the_link_is_not_renewed_at_once(desk: Desk) -> None:
    held = await desk.holds()
    for number in range(1, TRIES + 1):
        answer = await desk.type(held.url, wrong(desk.digits(held.url, number)), number)
    assert answer.status_code == 410
    assert is_guarded(answer)
    spent = await desk.type(held.url, desk.digits(held.url, TRIES + 1), TRIES + 1)
    assert spent.status_code == 410
    assert (await desk.browser.get(f"{held.url}/{TRIES + 1}.png")).status_code == 404
    assert desk.news.heard == []
    again = await desk.fines(civil_id(99))
    assert again == Held(pause=True, why=Why.PICTURES, limit=TRIES, until=NOON + OPEN_FOR)
    desk.clock.at = NOON + OPEN_FOR
    fresh = await desk.fines(civil_id(99))
    assert isinstance(fresh, Held)
    assert fresh.url not in {"", held.url}
    assert (await desk.browser.get(held.url)).status_code == 404, "the old link is followed by another"


async def test_of_many_answers_at_once_one_is_looked_at(desk: Desk) -> None:
    held = await desk.holds()
    right = desk.digits(held.url)
    guesses = [wrong(right)] * 19 + [right]
    await asyncio.gather(*(desk.type(held.url, guess) for guess in guesses))
    shown = await desk.verification.page(held.url.rsplit("/", 1)[1])
    assert shown is not None
    assert shown.number in {0, 2}, "one picture was used, rightly or wrongly"


async def test_many_right_answers_pass_once(desk: Desk) -> None:
    held = await desk.holds()
    answers = await asyncio.gather(*(desk.type(held.url, desk.digits(held.url)) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await desk.until_held(start=100))[0] == MOST - FREE


async def test_an_expired_link_passes_nothing(desk: Desk) -> None:
    held = await desk.holds()
    desk.clock.at = held.closes
    assert (await desk.browser.get(held.url)).status_code == 410
    assert (await desk.browser.get(f"{held.url}/1.png")).status_code == 404
    assert (await desk.type(held.url, desk.digits(held.url))).status_code == 410
    assert desk.news.heard == []


@pytest.mark.parametrize("change", ["cut", "partition", "letter", "longer", "other"])
async def test_a_forged_token_is_not_known(desk: Desk, change: str) -> None:
    held = await desk.holds()
    base, token = held.url.rsplit("/", 1)
    forged = {
        "cut": token[:-1],
        "partition": f"{(int(token[:3]) + 1) % 256:03d}{token[3:]}",
        "letter": token[:-1] + ("A" if token[-1] != "A" else "B"),
        "longer": token + "A",
        "other": "000" + "A" * 24,
    }[change]
    for answer in (
        await desk.browser.get(f"{base}/{forged}"),
        await desk.type(f"{base}/{forged}", desk.digits(held.url)),
    ):
        assert answer.status_code == 404
        assert is_guarded(answer)
    assert (await desk.browser.get(f"{base}/{forged}/1.png")).status_code == 404
    assert desk.news.heard == []


async def test_another_chats_link_helps_this_chat_nothing(desk: Desk) -> None:
    await desk.holds()
    theirs = await desk.holds(asked(THERE))
    await desk.type(theirs.url, desk.digits(theirs.url))
    assert isinstance(await desk.fines(civil_id(99)), Held)


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"content-type": "text/plain"}],
)
async def test_only_our_own_form_answers(desk: Desk, headers: dict[str, str]) -> None:
    held = await desk.holds()
    answer = await desk.type(held.url, desk.digits(held.url), headers=headers)
    assert answer.status_code == 403
    assert desk.news.heard == []


async def test_a_chat_that_cannot_be_told_is_excused_all_the_same(desk: Desk) -> None:
    held = await desk.holds()
    desk.news.away = True
    assert (await desk.type(held.url, desk.digits(held.url))).status_code == 200
    assert isinstance(await desk.fines(civil_id(99)), Owed)


async def test_digits_are_evenly_drawn(desk: Desk) -> None:
    drawn = [desk.verification.digits(f"token {number}", 1) for number in range(4000)]
    assert {len(each) for each in drawn} == {DIGITS}
    for place in range(DIGITS):
        counts = Counter(each[place] for each in drawn)
        assert set(counts) == set(ALPHABET)
        assert all(350 < count < 650 for count in counts.values())
    assert len(set(drawn)) > 3900


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(
        ["", "/1.png", "/x.png", "/99999999999.png", "/%00", "/-1.png", "/²/.png", "/²2.png"]
    ),
    token=st.one_of(st.just("own"), st.text(max_size=40)),
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE"]),
    body=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=100).map(lambda text: f"number=1&digits={text}".encode("utf-8", "replace")),
        st.sampled_from([b"&" * 100, b"number=1&" * 50, b"digits=" + b"9" * 4090, b"9" * 5000, b"%FF=%FF"]),
    ),
)
async def test_nonsense_is_answered_and_passes_nothing(
    desk: Desk, path: str, token: str, method: str, body: bytes
) -> None:
    held = await desk.holds()
    base, own = held.url.rsplit("/", 1)
    url = f"{base}/{own if token == 'own' else quote(token, safe='')}{path}"
    answer = await desk.browser.request(
        method, url, content=body, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code in {200, 303, 307, 400, 403, 404, 405, 410}
    assert desk.news.heard == []


async def test_without_redis_the_page_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with one(tmp_path_factory.mktemp("r")) as alone:
        redis = await connect(alone.url)
        async with open_desk(redis) as desk:
            held = await desk.holds()
            alone.servers[0].stop()
            for answer in (await desk.browser.get(held.url), await desk.type(held.url, "234567")):
                assert answer.status_code == 503
                assert is_guarded(answer)
            assert (await desk.browser.get(f"{held.url}/1.png")).status_code == 503
        await redis.aclose()
