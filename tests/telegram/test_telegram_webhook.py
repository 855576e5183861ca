"""The webhook: secret first, then the body, then the turn; what is not saved comes again."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.types import Message, Scope
from structlog.testing import capture_logs

from bot.errors import ConfigError, StoreAway
from bot.handlers.telegram import Telegram, telegram_secret
from bot.handlers.telegram.lane import HEADER, PATH
from bot.handlers.telegram.webhook import LARGEST
from bot.model import Typed
from bot.serve import bind, serving
from bot.tasks import Tasks
from tests.telegram.bot_api import TOKEN, BotApi, Fault, message, press
from tests.telegram.kit import FakeClock, Turns, settings

SECRET = telegram_secret(settings("http://127.0.0.1:1"))
GOOD = {HEADER: SECRET}
UPDATE = {"update_id": 9, "message": message(5, text="hello")}


@pytest_asyncio.fixture(params=["application", "lane"])
async def post(
    request: pytest.FixtureRequest, hooked: Telegram, turns: Turns, tasks: Tasks
) -> AsyncIterator[httpx.AsyncClient]:
    """Telegram's end of the webhook, over real HTTP: through the application, and past it."""
    listener = bind("127.0.0.1", 0, "PORT")
    lane = hooked.lane(turns) if request.param == "lane" else None
    app = Starlette(routes=hooked.routes(turns))
    async with (
        serving(app, listener, lane=lane),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client,
    ):
        yield client
        await tasks.drain()


async def test_an_update_is_answered_with_200_once_it_is_saved(post: httpx.AsyncClient, turns: Turns) -> None:
    answer = await post.post(PATH, headers=GOOD, json=UPDATE)
    assert (answer.status_code, answer.content) == (200, b"")
    assert [event.text for event in turns.saved if isinstance(event, Typed)] == ["hello"]


async def test_while_redis_is_away_telegram_brings_it_again(post: httpx.AsyncClient, turns: Turns) -> None:
    turns.faults.append(StoreAway())
    assert (await post.post(PATH, headers=GOOD, json=UPDATE)).status_code == 503
    assert turns.saved == []
    assert (await post.post(PATH, headers=GOOD, json=UPDATE)).status_code == 200
    assert len(turns.saved) == 1


async def test_a_turn_that_fails_is_brought_again_and_quotes_nobody(
    post: httpx.AsyncClient, turns: Turns
) -> None:
    turns.faults.append(ValueError("288888800028"))
    with capture_logs() as logs:
        answer = await post.post(PATH, headers=GOOD, json=UPDATE)
    assert (answer.status_code, answer.content) == (500, b"")
    assert "ValueError" in str(logs)
    assert "288888800028" not in str(logs)


@pytest.mark.parametrize(
    "headers",
    [{}, {HEADER: ""}, {HEADER: SECRET[:-1]}, {HEADER: SECRET + "x"}, {HEADER: TOKEN}],
    ids=["none", "empty", "short", "long", "token"],
)
async def test_a_wrong_secret(post: httpx.AsyncClient, turns: Turns, headers: dict[str, str]) -> None:
    answer = await post.post(PATH, headers=headers, json=UPDATE)
    assert (answer.status_code, answer.content) == (401, b"")
    assert turns.tried == []


async def test_a_secret_that_is_not_ascii(post: httpx.AsyncClient, turns: Turns) -> None:
    answer = await post.post(PATH, headers={HEADER.encode(): "ü".encode("latin-1")}, json=UPDATE)
    assert answer.status_code == 401
    assert turns.tried == []


async def test_with_a_wrong_secret_the_body_is_never_read(hooked: Telegram, turns: Turns) -> None:
    [route] = hooked.routes(turns)
    sent: list[Message] = []
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "query_string": b"",
        "headers": [(HEADER.lower().encode(), b"wrong")],
    }

    async def receive() -> Message:
        pytest.fail("the body was read")

    async def send(part: Message) -> None:
        sent.append(part)

    await route.handle({**scope, **route.matches(scope)[1]}, receive, send)
    assert sent[0]["status"] == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[]", b"7", b"{}", b'{"update_id": "9"}', b'{"update_id": 9', b"null"],
)
async def test_what_is_no_update_is_refused_without_an_echo(
    post: httpx.AsyncClient, turns: Turns, body: bytes
) -> None:
    answer = await post.post(PATH, headers=GOOD, content=body)
    assert (answer.status_code, answer.content) == (400, b"")
    assert turns.tried == []


async def test_an_update_of_an_unknown_shape_is_not_brought_again(
    post: httpx.AsyncClient, turns: Turns
) -> None:
    strange = {"update_id": 9, "message": {"message_id": "not a number"}}
    assert (await post.post(PATH, headers=GOOD, json=strange)).status_code == 200
    assert turns.tried == []


async def test_a_body_over_the_limit(post: httpx.AsyncClient, turns: Turns) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(LARGEST // 65536 + 1):
            yield b" " * 65536

    assert (await post.post(PATH, headers=GOOD, content=endless())).status_code == 413
    assert turns.tried == []


async def test_only_post(post: httpx.AsyncClient) -> None:
    assert (await post.get(PATH, headers=GOOD)).status_code == 405


async def test_a_press_is_answered(post: httpx.AsyncClient, api: BotApi, turns: Turns) -> None:
    pressed = {"update_id": 9, "callback_query": press(5, "v/1/pay")}
    answer = await post.post(PATH, headers=GOOD, json=pressed)
    assert answer.status_code == 200
    assert answer.json() == {"method": "answerCallbackQuery", "callback_query_id": "press-5-v/1/pay"}
    assert len(turns.saved) == 1
    assert api.counts == {}, "not by a call as well"


async def test_the_webhook_is_registered(
    api: BotApi, hooked: Telegram, turns: Turns, clock: FakeClock
) -> None:
    api.fail("setWebhook", Fault(429, "Too Many Requests: retry after 3", retry_after=3))
    await hooked.run(turns)
    assert clock.slept == [3]
    assert api.webhook["url"] == "https://bot.example/telegram/webhook"
    assert api.webhook["secret_token"] == SECRET
    assert api.webhook["max_connections"] == "100"
    assert api.webhook["drop_pending_updates"] == "false"
    assert set(httpx.Response(200, text=api.webhook["allowed_updates"]).json()) >= {
        "message",
        "callback_query",
    }
    assert api.called("getUpdates") == []


async def test_an_address_that_telegram_refuses_stops_with_one_line(
    api: BotApi, hooked: Telegram, turns: Turns
) -> None:
    api.fail("setWebhook", Fault(400, f"Bad Request: bad webhook: {SECRET} {TOKEN} failed to resolve host"))
    with pytest.raises(ConfigError, match=r"PUBLIC_URL: .*failed to resolve host") as refused:
        await hooked.run(turns)
    assert SECRET not in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_without_a_public_address_there_is_no_webhook(telegram: Telegram, turns: Turns) -> None:
    assert telegram.routes(turns) == []


def test_the_secret_is_the_given_one_or_made_from_the_token() -> None:
    base = "http://127.0.0.1:1"
    assert telegram_secret(settings(base, secret="A-z_0")) == "A-z_0"
    assert telegram_secret(settings("http://127.0.0.1:2")) == SECRET
    assert telegram_secret(settings(base, token=TOKEN + "x")) != SECRET
    assert SECRET.isalnum()
    assert SECRET.isascii()


@pytest.mark.parametrize("secret", ["has space", "x" * 257, "سر", "a\n"])
def test_a_secret_telegram_would_not_take(secret: str) -> None:
    with pytest.raises(ConfigError, match="TELEGRAM_WEBHOOK_SECRET") as refused:
        telegram_secret(settings("http://127.0.0.1:1", secret=secret))
    assert secret not in str(refused.value)
