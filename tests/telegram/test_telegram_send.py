"""What we say as calls: text, buttons, edits, and what Telegram's refusals become."""

import json
import logging
import traceback

import pytest
from structlog.testing import capture_logs

from bot.errors import BotError, Rejected, RetryLater, Unavailable, Unreachable
from bot.handlers.telegram import Telegram
from bot.handlers.telegram.text import html, links_in_text, pieces
from bot.model import Button, Chat, Disarm, Erase, Outgoing, Say, Settle, Span, plain
from bot.tasks import Tasks
from bot.wire import Lost
from tests.conftest import COMPILED
from tests.telegram.bot_api import TOKEN, BotApi, Fault, Message, message
from tests.telegram.conftest import hang_up
from tests.telegram.kit import FakeClock, Turns, settings, translate

CHAT = Chat("telegram", "5")
ROWS = ((Button("ادفع", token="v/1/pay"), Button("رجوع", token="v/1/back")),)


def say(*spans: Span, rows: tuple[tuple[Button, ...], ...] = (), edits: str = "", key: str = "1:0") -> Say:
    return Say(key=key, language="ar", spans=spans, rows=rows, edits=edits)


HELLO = say(Span("hello"))
SECRET = say(Span("secret words"))


async def test_text_with_styles_is_escaped_and_buttons_carry_tokens(api: BotApi, telegram: Telegram) -> None:
    link = (Button("🔗 صفحة الدفع", url="https://pay.example/p/abc"),)
    spans = (Span("<i>&amp; "), Span("45.000 د.ك.", "b"), Span("\n"), Span("IQ-<1>", "code"))
    await telegram.channel.deliver(CHAT, say(*spans, rows=(*ROWS, link)))
    [sent] = api.called("sendMessage")
    assert sent["chat_id"] == "5"
    assert sent["text"] == "&lt;i&gt;&amp;amp; <b>45.000 د.ك.</b>\n<code>IQ-&lt;1&gt;</code>"
    assert json.loads(sent["reply_markup"])["inline_keyboard"] == [
        [{"text": "ادفع", "callback_data": "v/1/pay"}, {"text": "رجوع", "callback_data": "v/1/back"}],
        [{"text": "🔗 صفحة الدفع", "url": "https://pay.example/p/abc"}],
    ]
    assert json.loads(sent["link_preview_options"])["is_disabled"] is True
    assert telegram.channel.name == "telegram"


async def test_a_message_without_buttons_has_no_keyboard(api: BotApi, telegram: Telegram) -> None:
    await telegram.channel.deliver(CHAT, HELLO)
    assert "reply_markup" not in api.called("sendMessage")[0]


@pytest.mark.parametrize(
    "button", [Button("x", token="ع" * 33), Button("x"), Button("x", token="t", url="https://x.example")]
)
async def test_a_button_telegram_would_refuse(api: BotApi, telegram: Telegram, button: Button) -> None:
    with pytest.raises(Rejected) as refused:
        await telegram.channel.deliver(CHAT, say(Span("?"), rows=((button,),)))
    assert "ع" not in str(refused.value)
    assert api.calls == []


def test_long_texts_are_cut_at_line_ends_and_keep_their_styles() -> None:
    spans = (Span("one\n"), Span("two\nthree", "b"), Span(" four\nfive"))
    cut = pieces(spans, limit=10)
    assert [plain(piece) for piece in cut] == ["one\ntwo\n", "three ", "four\nfive"]
    assert html(cut[0]) == "one\n<b>two\n</b>"
    assert html(cut[1]) == "<b>three</b> "
    assert pieces(spans, limit=100) == [spans]


def test_a_line_that_is_too_long_is_cut_between_characters() -> None:
    assert [plain(piece) for piece in pieces((Span("😀" * 5),), limit=5)] == ["😀😀", "😀😀", "😀"]
    for limit in range(2, 12):
        cut = pieces((Span("ab🇰🇼cd\n\n\n\nef" * 3),), limit)
        assert all(len(plain(piece).encode("utf-16-le")) <= 2 * limit for piece in cut)
        assert "".join(plain(piece) for piece in cut).replace("\n", "") == "ab🇰🇼cdef" * 3


async def test_a_long_text_goes_as_several_messages_with_the_buttons_on_the_last(
    api: BotApi, telegram: Telegram
) -> None:
    lines = "\n".join(f"{number}. مخالفة" * 8 for number in range(100))
    await telegram.channel.deliver(CHAT, say(Span(lines), rows=ROWS))
    sent = api.called("sendMessage")
    assert len(sent) > 1
    assert "".join(call["text"] for call in sent).replace("\n", "") == lines.replace("\n", "")
    assert ["reply_markup" in call for call in sent] == [False] * (len(sent) - 1) + [True]


async def test_the_rest_of_a_long_text_is_sent_on_the_next_try(api: BotApi, telegram: Telegram) -> None:
    long = say(Span("a" * 4096 + "b" * 10))
    api.fail("sendMessage", Fault(none=True), Fault(503, "Service Unavailable"))
    with pytest.raises(Unavailable):
        await telegram.channel.deliver(CHAT, long)
    await telegram.channel.deliver(CHAT, long)
    assert [call["text"][0] for call in api.called("sendMessage")] == ["a", "b", "b"]


async def test_a_link_telegram_does_not_take_as_a_button_is_written_out(
    api: BotApi, telegram: Telegram
) -> None:
    rows = ((Button("صفحة الدفع", url="http://127.0.0.1:8080/p/abc"),), *ROWS)
    await telegram.channel.deliver(CHAT, say(Span("45.000"), rows=rows))
    sent = api.called("sendMessage")[-1]
    assert sent["text"] == "45.000\n\nصفحة الدفع\n<code>http://127.0.0.1:8080/p/abc</code>"
    [row] = json.loads(sent["reply_markup"])["inline_keyboard"]
    assert [button["callback_data"] for button in row] == ["v/1/pay", "v/1/back"]
    assert links_in_text((), ROWS) == ((), ROWS)


# --- edits ---------------------------------------------------------------------------------------


async def test_an_edit_rewrites_the_message(api: BotApi, telegram: Telegram) -> None:
    api.messages[5, 40] = Message("old", [])
    await telegram.channel.deliver(CHAT, say(Span("new"), rows=ROWS, edits="40"))
    assert api.messages[5, 40].text == "new"
    assert api.called("sendMessage") == []
    await telegram.channel.deliver(CHAT, say(Span("new"), rows=ROWS, edits="40", key="2:0"))
    assert api.called("sendMessage") == []


@pytest.mark.parametrize("theirs", [True, False], ids=["not ours", "deleted"])
async def test_what_cannot_be_edited_is_sent_anew(api: BotApi, telegram: Telegram, *, theirs: bool) -> None:
    if theirs:
        api.messages[5, 40] = Message("old", [], ours=False)
    await telegram.channel.deliver(CHAT, say(Span("new"), rows=ROWS, edits="40"))
    assert [call["text"] for call in api.called("sendMessage")] == ["new"]


async def test_a_question_is_settled_and_disarmed(api: BotApi, telegram: Telegram) -> None:
    await telegram.channel.deliver(CHAT, say(Span("?"), rows=ROWS))
    [(_, number)] = api.messages
    await telegram.channel.deliver(CHAT, Disarm("1:1", str(number)))
    assert api.messages[5, number] == Message("?", [])
    settle = Settle("1:2", "ar", str(number), (Span("ادفع "), Span("✓", "b")))
    await telegram.channel.deliver(CHAT, settle)
    assert api.messages[5, number].text == "ادفع <b>✓</b>"


@pytest.mark.parametrize("left", ["same", "deleted", "not ours"])
@pytest.mark.parametrize(
    "outgoing", [Settle("1:0", "ar", "40", (Span("x"),)), Disarm("1:0", "40")], ids=["settle", "disarm"]
)
async def test_what_needs_no_change_or_allows_none_is_done(
    api: BotApi, telegram: Telegram, outgoing: Outgoing, left: str
) -> None:
    if left != "deleted":
        api.messages[5, 40] = Message("x", [], ours=left == "same")
    await telegram.channel.deliver(CHAT, outgoing)
    assert len(api.calls) == 1


async def test_erase_deletes_what_is_there(api: BotApi, telegram: Telegram) -> None:
    api.messages[5, 40] = Message("A1234567", [], ours=False)
    await telegram.channel.deliver(CHAT, Erase("1:0", "40"))
    assert api.messages == {}
    await telegram.channel.deliver(CHAT, Erase("1:1", "40"))


async def test_a_source_that_is_not_telegrams(telegram: Telegram) -> None:
    with pytest.raises(Rejected):
        await telegram.channel.deliver(CHAT, Disarm("1:0", "web-7"))


# --- refusals ------------------------------------------------------------------------------------

FAULTS: list[tuple[Fault, type[BotError]]] = [
    (Fault(403, "Forbidden: bot was blocked by the user"), Unreachable),
    (Fault(403, "Forbidden: user is deactivated"), Unreachable),
    (Fault(400, "Bad Request: chat not found"), Unreachable),
    (Fault(429, "Too Many Requests: retry after 8", retry_after=8), RetryLater),
    (Fault(400, "Bad Request: can't parse entities: 288888800028"), Rejected),
    (Fault(400, "Bad Request: something of the year 2030, 288888800028"), Rejected),
    (Fault(413, "Request Entity Too Large"), Rejected),
    (Fault(500, "Internal Server Error"), Unavailable),
    (Fault(502, raw="<html>Bad Gateway 288888800028</html>"), Unavailable),
    (Fault(drop=True), Unavailable),
    (Fault(401, "Unauthorized"), Unavailable),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=[str(number) for number in range(len(FAULTS))])
async def test_refusals_become_our_errors_and_say_nothing_of_the_message(
    api: BotApi, telegram: Telegram, caplog: pytest.LogCaptureFixture, fault: Fault, expected: type[BotError]
) -> None:
    api.fail("sendMessage", fault)
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs, pytest.raises(expected) as raised:
        await telegram.channel.deliver(CHAT, SECRET)
    everything = "".join(traceback.format_exception(raised.value)) + caplog.text + str(logs)
    for private in (TOKEN, "secret words", "288888800028"):
        assert private not in everything
    # Compiled, what was thrown into a turn stays the context of what that turn raises at once: the wire's own, which
    # hold nothing.
    context = raised.value.__context__
    assert context is None or (COMPILED and isinstance(context, Lost) and str(context) == "closed")


@pytest.mark.parametrize("base", ["http://127.0.0.1:1", "http://[broken", "http://"])
async def test_an_address_where_nobody_is_does_not_show_the_token(
    clock: FakeClock, tasks: Tasks, caplog: pytest.LogCaptureFixture, base: str
) -> None:
    caplog.set_level(logging.DEBUG)
    lost = Telegram(settings(base), clock, tasks, translate)
    with capture_logs() as logs, pytest.raises(Unavailable) as raised:
        await lost.channel.deliver(CHAT, HELLO)
    everything = "".join(traceback.format_exception(raised.value)) + caplog.text + str(logs)
    assert TOKEN not in everything
    assert TOKEN.split(":")[1] not in everything
    await hang_up(lost)


async def test_the_token_is_in_no_log_of_a_working_day(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for method in ("getMe", "getUpdates", "setMyCommands", "deleteWebhook"):
        api.fail(method, Fault(drop=True), Fault(500, f"token {TOKEN}"))
    await api.push(message=message(5, text="288888800028"))
    with capture_logs() as logs:
        tasks.spawn(telegram.run(turns), "telegram")
        await api.until_confirmed()
    assert logs
    for private in (TOKEN, TOKEN.split(":")[1], "288888800028"):
        assert private not in str(logs) + caplog.text


async def test_a_message_that_went_out_is_not_repeated_for_an_answer_we_cannot_read(
    api: BotApi, telegram: Telegram
) -> None:
    api.fail("sendMessage", Fault(200, raw='{"ok":true,"result":{"message_id":"of 2030"}}'))
    await telegram.channel.deliver(CHAT, HELLO)


async def test_after_429_the_chat_is_left_alone_for_as_long_as_asked(
    api: BotApi, telegram: Telegram, clock: FakeClock
) -> None:
    api.fail("sendMessage", Fault(429, "Too Many Requests: retry after 8", retry_after=8))
    with pytest.raises(RetryLater) as first:
        await telegram.channel.deliver(CHAT, HELLO)
    assert first.value.after == 8
    clock.time += 3
    for outgoing in (HELLO, Disarm("1:1", "40"), Erase("1:2", "40")):
        with pytest.raises(RetryLater) as second:
            await telegram.channel.deliver(CHAT, outgoing)
        assert second.value.after == 5
    await telegram.channel.typing(CHAT)
    assert api.counts == {"sendMessage": 1}
    clock.time += 5
    await telegram.channel.deliver(CHAT, HELLO)
    assert api.counts == {"sendMessage": 2}


async def test_typing_is_shown_and_never_raises(api: BotApi, telegram: Telegram) -> None:
    await telegram.channel.typing(CHAT)
    assert [call["action"] for call in api.called("sendChatAction")] == ["typing"]
    faults = [fault for fault, _ in FAULTS]
    api.fail("sendChatAction", *faults)
    for _ in faults:
        await telegram.channel.typing(CHAT)
