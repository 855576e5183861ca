"""Long polling: an update is confirmed once it is saved, and not before."""

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.errors import ConfigError, StoreAway
from bot.handlers.telegram import Telegram
from bot.model import Event, Typed
from bot.tasks import Tasks
from tests.telegram.bot_api import BotApi, Fault, message
from tests.telegram.conftest import hang_up
from tests.telegram.kit import FakeClock, Turns, settings, translate


def ids(events: list[Event]) -> list[str]:
    return [event.id for event in events]


async def test_an_update_is_confirmed_only_after_its_turn(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns
) -> None:
    go_on = asyncio.Event()
    turns.before = lambda _: _wait(go_on)
    update = await api.push(message=message(5, text="/start"))
    tasks.spawn(telegram.run(turns), "telegram")
    await turns.until_tried(1)
    assert api.pending == [update]
    assert len(api.called("getUpdates")) == 1
    go_on.set()
    await api.until_confirmed()
    assert int(api.called("getUpdates")[-1]["offset"]) == update + 1
    assert ids(turns.saved) == [f"tg:{update}"]


async def test_while_redis_is_away_the_update_comes_again_and_others_are_not_repeated(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns, clock: FakeClock
) -> None:
    first = await api.push(message=message(5, text="one"))
    other = await api.push(message=message(6, text="other chat"))
    second = await api.push(message=message(5, text="two"))
    turns.before = lambda event: _away(event, first, turns, times=2)
    tasks.spawn(telegram.run(turns), "telegram")
    await api.until_confirmed()
    assert ids(turns.tried).count(f"tg:{first}") == 3
    assert sorted(ids(turns.saved)) == [f"tg:{first}", f"tg:{other}", f"tg:{second}"]
    assert ids(turns.saved).index(f"tg:{first}") < ids(turns.saved).index(f"tg:{second}")
    offsets = {int(call["offset"]) for call in api.called("getUpdates")}
    assert offsets == {0, first, second + 1}
    assert clock.slept == [1, 2]


async def test_a_crash_before_the_commit_is_as_if_the_update_never_came(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns, clock: FakeClock
) -> None:
    update = await api.push(message=message(5, text="/start"))
    turns.before = lambda _: _wait(asyncio.Event())
    process = tasks.spawn(telegram.run(turns), "telegram")
    await turns.until_tried(1)
    process.cancel()
    await asyncio.wait([process])
    assert process.cancelled()
    assert turns.saved == []

    after = Telegram(settings(api.base), clock, tasks, translate)
    turns.before = None
    tasks.spawn(after.run(turns), "telegram again")
    await api.until_confirmed()
    assert ids(turns.saved) == [f"tg:{update}"]
    await tasks.close()
    await hang_up(after)


async def test_one_chat_in_order_and_chats_side_by_side(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns
) -> None:
    slow = asyncio.Event()

    async def before(event: Event) -> None:
        if isinstance(event, Typed) and event.text == "slow":
            await slow.wait()

    turns.before = before
    for chat, text in [(5, "slow"), (5, "after"), (6, "b1"), (6, "b2")]:
        await api.push(message=message(chat, text=text))
    tasks.spawn(telegram.run(turns), "telegram")
    await turns.until_saved(2)
    assert [event.text for event in turns.saved if isinstance(event, Typed)] == ["b1", "b2"]
    slow.set()
    await turns.until_saved(4)
    assert [event.text for event in turns.saved if isinstance(event, Typed)][2:] == ["slow", "after"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(502, raw="<html>Bad Gateway</html>"),
        Fault(500, "Internal Server Error"),
        Fault(drop=True),
        Fault(429, "Too Many Requests: retry after 17", retry_after=17),
    ],
    ids=["html", "500", "dropped", "429"],
)
async def test_it_waits_longer_after_each_failure_and_goes_on(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns, clock: FakeClock, fault: Fault
) -> None:
    api.fail("getUpdates", fault, fault, fault)
    await api.push(message=message(5, text="hello"))
    tasks.spawn(telegram.run(turns), "telegram")
    await api.until_confirmed()
    assert clock.slept == ([17, 17, 17] if fault.retry_after else [1, 2, 4])


async def test_a_webhook_left_behind_is_taken_off_first_and_its_updates_are_kept(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns
) -> None:
    api.webhook = {"url": "https://old.example"}
    await api.push(message=message(5, text="waited"))
    tasks.spawn(telegram.run(turns), "telegram")
    await turns.until_saved(1)
    assert [call.get("drop_pending_updates") for call in api.called("deleteWebhook")] == ["false"]


async def test_a_second_process_with_the_token_is_told_once(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns
) -> None:
    conflict = Fault(409, "Conflict: terminated by other getUpdates request")
    api.fail("getUpdates", conflict, conflict, conflict)
    await api.push(message=message(5, text="hello"))
    with capture_logs() as logs:
        tasks.spawn(telegram.run(turns), "telegram")
        await api.until_confirmed()
    told = [entry for entry in logs if "another process polls" in entry["event"]]
    assert len(told) == 1
    assert "PUBLIC_URL" in told[0]["event"]


async def test_an_unknown_token_stops_with_one_line(api: BotApi, telegram: Telegram, turns: Turns) -> None:
    api.token = "another"
    with pytest.raises(ConfigError, match=r"^TELEGRAM_TOKEN: .*does not know this token$"):
        await telegram.run(turns)


async def test_a_token_revoked_while_running_stops_too(api: BotApi, telegram: Telegram, turns: Turns) -> None:
    api.fail("getUpdates", Fault(401, "Unauthorized"))
    with pytest.raises(ConfigError, match="TELEGRAM_TOKEN"):
        await telegram.run(turns)


async def test_start_waits_for_telegram(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns, clock: FakeClock
) -> None:
    api.fail("getMe", Fault(drop=True), Fault(503, "Service Unavailable"))
    await api.push(message=message(5, text="hello"))
    tasks.spawn(telegram.run(turns), "telegram")
    await turns.until_saved(1)
    assert clock.slept == [1, 2]


async def test_an_update_that_always_fails_is_dropped_and_stops_nobody(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns
) -> None:
    poisoned = await api.push(message=message(5, text="288888800028"))

    async def before(event: Event) -> None:
        if event.id == f"tg:{poisoned}":
            raise ValueError("288888800028 is what the resident wrote")

    turns.before = before
    later = await api.push(message=message(5, text="later"))
    with capture_logs() as logs:
        tasks.spawn(telegram.run(turns), "telegram")
        await api.until_confirmed()
    assert ids(turns.tried).count(f"tg:{poisoned}") == 3
    assert ids(turns.saved) == [f"tg:{later}"]
    failed = [entry for entry in logs if entry["event"] == "an update failed"]
    assert [entry["dropped"] for entry in failed] == [False, False, True]
    assert "288888800028" not in str(logs)


async def test_an_update_of_an_unknown_shape_is_passed_over(
    api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns
) -> None:
    await api.push(message={"message_id": "not a number"})
    await api.push(something_new={"of": "next year"})
    known = await api.push(message=message(5, text="hello"))
    tasks.spawn(telegram.run(turns), "telegram")
    await api.until_confirmed()
    assert ids(turns.saved) == [f"tg:{known}"]


async def test_closing_hangs_up(api: BotApi, telegram: Telegram, tasks: Tasks, turns: Turns) -> None:
    polling = tasks.spawn(telegram.run(turns), "telegram")
    await api.until_called("getUpdates")
    polling.cancel()
    await asyncio.wait([polling])
    assert polling.cancelled()
    await telegram.close()


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def _away(event: Event, update: int, turns: Turns, times: int) -> None:
    if event.id == f"tg:{update}" and ids(turns.tried).count(event.id) <= times:
        raise StoreAway
