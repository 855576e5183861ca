"""The simulation loses nothing, keeps every chat's order, and drains what an outage left."""

from itertools import pairwise

import pytest

from bench.scale.model import HOUR, Habits, Outage, Plant, drained_after, simulate
from bench.scale.order import Line, Message, disordered, run
from bench.scale.ordering import AWAY, messages

HABITS = Habits(residents=4_000_000)
PLANT = Plant(turns_a_second=400.0, limits={"Telegram": 100.0, "WhatsApp": 80.0}, posts_a_second=20.0)


def test_everything_that_waits_goes_once_it_can() -> None:
    outages = (
        Outage("redis", 9 * HOUR, 5),
        Outage("Telegram", 9 * HOUR, 600),
        Outage("registry", 9 * HOUR, 600),
        Outage("ledger", 9 * HOUR + 900, 60),
    )
    course = list(simulate(HABITS, PLANT, outages, 9 * HOUR, 3 * HOUR))
    assert course[4].refused == pytest.approx(sum(second.arrived for second in course[:5]))
    assert max(second.outbox["Telegram"] for second in course) > 30_000
    assert max(second.unposted for second in course) > 300
    last = course[-1]
    assert (last.refused, last.unposted, sum(last.outbox.values())) == (0, 0, 0)
    assert drained_after(course, "Telegram", 9 * HOUR + 600, 100) is not None


def test_a_channel_that_takes_less_than_is_said_owes_ever_more() -> None:
    slow = Plant(turns_a_second=400.0, limits={"Telegram": 30.0}, posts_a_second=20.0)
    course = list(simulate(HABITS, slow, (), 8 * HOUR, HOUR))
    owed = [second.outbox["Telegram"] for second in course]
    assert owed == sorted(owed)
    assert drained_after(course, "Telegram", 8 * HOUR + 60, 30) is None


def test_an_announcement_brings_as_many_as_it_says() -> None:
    told = Habits(residents=4_000_000, announced=0.05, announced_at=10 * HOUR)
    more = sum(told.visits(at) - HABITS.visits(at) for at in range(24 * HOUR))
    assert more == pytest.approx(200_000, rel=0.001)


def test_messages_of_a_chat_keep_their_order_through_an_outage() -> None:
    said = messages(2_000, 4, 1200)
    outcome = run(said, Line(50.0, AWAY))
    assert sorted((each.message.chat, each.message.number) for each in outcome.sent) == sorted(
        (message.chat, message.number) for message in said
    )
    assert disordered(outcome.sent) == 0
    assert outcome.failed > 0
    assert not [each for each in outcome.sent if AWAY[0] <= each.at < AWAY[1]]


def test_limits_of_channel_and_chat_are_kept() -> None:
    burst = [Message(0.0, chat, number) for number in range(1, 7) for chat in range(10)]
    sent = run(burst, Line(20.0)).sent
    apart = [after.at - before.at for before, after in pairwise(sent)]
    assert min(apart) == pytest.approx(1 / 20)
    times = [each.at for each in sent if each.message.chat == 0]
    assert times[3] - times[0] >= 1.0
    assert times[5] - times[0] >= 3.0
