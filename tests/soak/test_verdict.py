"""The soak's verdict: flat is flat, and whatever grows is named."""

from typing import Any

import pytest

from bench.soak import leaks
from bench.soak.verdict import MIB, Record, derived, grown, line, verdict
from bot.handlers.web.chat import WebChat
from bot.store.sessions import Sessions

SAMPLES = 720
EVERY = 5.0
TURNS = 50.0  # a sample


def at_rest(**more: Any) -> dict[str, Any]:
    return {
        "objects": 40_000.0,
        "objects by kind": {"builtins.dict": 39_000, "bot.store.keys.Place": 1_000},
        "outbox": 0,
        "outbox held": 0,
        "redis blocked": 1.0,
        "tasks by kind": {"Sweeper._forever": 5},
        "fds by kind": {"file": 5, "outside": 4, "unix socket": 10},
        **more,
    }


def soaked(**each_turn: float) -> Record:
    """An hour in which nothing grows, but what is named: by so much with each turn."""
    record = Record(walks=100, ends={"paid": 60, "looked up": 40}, before=at_rest(), after=at_rest())
    base = {
        "rss": 300 * MIB,
        "private": 250 * MIB,
        "objects": 60_000.0,
        "fds": 60.0,
        "tasks": 50.0,
        "redis": 6 * MIB,
        "redis clients": 16.0,
        "redis blocked": 1.0,
        "keys": 8000.0,
        "keys sessions": 2000.0,
        "ledger connections": 5.0,
        "cpu": 0.0,
        "ledger": 10 * MIB,
    }
    growing = {"cpu": 1000.0, "ledger": 200.0, **each_turn}
    for number in range(SAMPLES):
        turns = number * TURNS
        sway = 0.01 if number % 2 else -0.01  # by chance
        values = {name: height * (1 + sway) + growing.get(name, 0.0) * turns for name, height in base.items()}
        record.samples.append({"at": number * EVERY, **values, "updates": turns})
    return record


def wrong(record: Record) -> list[str]:
    return [row.name for row in verdict(record, warm=600.0) if not row.good]


def test_an_hour_that_is_flat_is_called_flat() -> None:
    assert wrong(soaked()) == []


@pytest.mark.parametrize(
    ("name", "each_turn"),
    [
        ("rss", 1024.0),
        ("private", 1024.0),
        ("objects", 2.0),
        ("fds", 0.01),
        ("tasks", 0.01),
        ("redis", 20.0),
        ("keys", 1.0),
        ("redis clients", 0.002),
        ("redis blocked", 0.001),
    ],
)
def test_what_grows_with_each_turn_is_named(name: str, each_turn: float) -> None:
    assert f"{name}: rise" in wrong(soaked(**{name: each_turn}))


def test_a_turn_that_costs_more_and_more_is_named() -> None:
    record = soaked()
    for number, each in enumerate(record.samples):
        each["cpu"] = 1000.0 * each["updates"] * (1 + number / SAMPLES)

    assert wrong(record) == ["cpu per turn: rise"]


def test_a_ledger_that_grows_faster_and_faster_is_named() -> None:
    record = soaked()
    for each in record.samples:
        each["ledger"] = each["updates"] ** 2

    assert wrong(record) == ["ledger: bytes a turn, second half"]


@pytest.mark.parametrize(
    ("left", "name"),
    [
        ({"tasks by kind": {"Sweeper._forever": 5, "Event.wait": 1}}, "at rest: more tasks"),
        ({"fds by kind": {"file": 6}}, "at rest: more descriptors"),
        ({"fds by kind": {"inbound": 1}}, "at rest: more descriptors"),
        ({"fds by kind": {"unix socket": 41}}, "at rest: more kept connections"),
        ({"objects": 80_000.0}, "at rest: more objects"),
        (
            {"objects": 59_000.0, "objects by kind": {"bot.store.keys.Place": 20_000}},
            "at rest: bot.store.keys.Place",
        ),
        ({"outbox": 1}, "at rest: outbox entries"),
        ({"outbox held": 1}, "at rest: outbox entries"),
    ],
)
def test_what_is_left_when_nobody_is_there_is_named(left: dict[str, Any], name: str) -> None:
    record = soaked()
    record.after = at_rest(**left)

    assert wrong(record) == [name]


def test_kept_connections_are_no_leak_and_fewer_of_anything_is_none() -> None:
    record = soaked()
    record.after = at_rest(**{"fds by kind": {"outside": 9, "unix socket": 12}, "tasks by kind": {}})

    assert wrong(record) == []


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ({"ends": {"paid": 99, "lost": 1}}, "walks lost or late"),
        ({"ends": {"paid": 90, "refused: home": 10}}, "walks refused"),
        ({"counts": {"session lost": 1}}, "sessions lost on the way"),
        ({"counts": {"not taken": 1}}, "updates not taken at once"),
        ({"errors": {"error task failed": 1}}, "error lines"),
        ({"ended": -9}, "exit status"),
    ],
)
def test_residents_who_fared_ill_are_named(found: dict[str, Any], name: str) -> None:
    record = soaked()
    for what, value in found.items():
        setattr(record, what, value)

    assert wrong(record) == [name]


def test_a_straight_line_is_found() -> None:
    slope, first = line([(2.0, 5.0), (4.0, 9.0), (6.0, 13.0)])

    assert (slope, first) == (2.0, 5.0)


def test_what_there_is_more_of_comes_first() -> None:
    before = {"objects by kind": {"a": 1, "b": 5, "c": 3}}
    after = {"objects by kind": {"a": 2, "b": 1, "c": 3, "d": 2}}

    assert list(grown(before, after, "objects by kind").items()) == [("b", -4), ("d", 2), ("a", 1)]


def test_cpu_is_counted_over_a_minute_of_samples() -> None:
    samples = [{"at": n * EVERY, "cpu": n * 500.0, "updates": n * 10.0, "redis": 0.0} for n in range(14)]

    assert [each.get("cpu per turn") for each in derived(samples)] == [None] * 12 + [50.0, 50.0]


@pytest.mark.parametrize("kind", leaks.KINDS)
def test_a_leak_on_purpose_has_still_its_place(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = (Sessions.commit, WebChat._stream)
    monkeypatch.setattr(Sessions, "commit", right[0])
    monkeypatch.setattr(WebChat, "_stream", right[1])

    leaks.KINDS[kind]()

    assert (Sessions.commit, WebChat._stream) != right
