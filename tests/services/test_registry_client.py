"""The registry's client against the served sandbox: values, refusals, bad days, nothing leaked."""

import json
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from bot.dialogs.find_reference import FindReference, Reference
from bot.dialogs.violations import FindFines, Owed
from bot.domain import Fine, FineKind, Item, ItemKind, Subject
from bot.errors import BotError, Declined, Malformed, OutsideError, Unavailable
from bot.i18n.text import Local
from bot.model import Chat
from bot.ports import Asked, Failed
from bot.sandbox.cast import DEMO
from bot.sandbox.faults import Faults
from bot.sandbox.recorded import Recorded
from bot.services.http import MAX_ANSWER, make_client
from bot.services.registry import Registry, executors
from bot.services.seldom import Seldom
from tests.sandbox.kit import (
    BARRED,
    BUSY,
    CLEAN,
    DOWN,
    JOURNEY_A,
    MANY,
    NOON,
    SLOW,
    TOKEN,
    FakeClock,
    Stage,
    registry,
)

A = DEMO[0]
ORDER = "IQ-7F3C-9A1D"
Call = Callable[[Registry], Awaitable[object]]


def items(owed: Owed) -> tuple[Item, ...]:
    return tuple(
        Item(fine.id, ItemKind(fine.kind), fine.title, fine.fils) for fine in owed.fines if fine.payable
    )


async def find(client: Registry) -> Owed:
    return await client.find_fines(Subject.CIVIL_ID, JOURNEY_A)


async def find_reference(client: Registry) -> Reference:
    return await client.find_reference(A.civil_id, A.passport, A.expiry.isoformat())


async def record(client: Registry) -> None:
    title = Local("وقوف ممنوع", "Prohibited parking")
    await client.record_payment(
        ORDER, NOON, "600100000001", (Item(A.fines[0].id, ItemKind.TRAFFIC, title, 10_000),)
    )


async def recorded_yet(client: Registry) -> bool:
    return await client.payment_recorded(ORDER)


CALLS: list[Call] = [find, find_reference, record, recorded_yet]


# --- what it returns -----------------------------------------------------------------------------


async def test_fines_come_as_values_by_either_number(client: Registry) -> None:
    owed = await find(client)
    assert [fine.fils for fine in owed.fines if fine.payable] == [10_000, 20_000, 15_000]
    assert owed.fines[1] == Fine(
        "R-96808110756",
        FineKind.RESIDENCY,
        Local("انتهاء الإقامة دون تجديدها", "Residency expired and not renewed"),
        "2026-03-12",
        20_000,
    )
    assert await client.find_fines(Subject.REFERENCE, A.reference) == owed
    assert await client.find_fines(Subject.CIVIL_ID, CLEAN) == Owed(())
    assert len((await client.find_fines(Subject.CIVIL_ID, MANY)).fines) == 23


async def test_an_unknown_barrier_reads_as_other(client: Registry) -> None:
    owed = await client.find_fines(Subject.CIVIL_ID, BARRED)
    assert [fine.barrier for fine in owed.fines] == ["court", "impound", "office", "other"]


async def test_a_reference_is_found_or_does_not_match(client: Registry) -> None:
    assert await find_reference(client) == Reference(A.reference)
    with pytest.raises(Failed) as refusal:
        await client.find_reference(A.civil_id, A.passport, "2031-01-01")
    assert refusal.value.word == "no_match"


async def test_a_payment_is_recorded_once(client: Registry, clock: FakeClock) -> None:
    owed = await find(client)
    assert await client.payment_recorded(ORDER) is False
    for _ in range(2):
        await client.record_payment(ORDER, NOON, "600100000001", items(owed))
    assert await client.payment_recorded(ORDER) is True
    assert [fine.barrier for fine in (await find(client)).fines] == [
        "settling",
        "settling",
        "court",
        "settling",
    ]
    clock.at += 15 * 60
    assert [fine.barrier for fine in (await find(client)).fines] == ["court"]


async def test_a_payment_whose_answer_was_lost_is_recorded_once(client: Registry, stage: Stage) -> None:
    stage.app = losing_first_answer(stage.app)
    await record(client)
    assert [method for method, _ in stage.asked] == ["POST", "POST"]
    assert await client.payment_recorded(ORDER) is True


@pytest.mark.parametrize(
    ("number", "fils", "word"),
    [
        (A.fines[0].id, 9_999, "amount_differs"),
        (A.fines[2].id, 150_000, "not_payable"),
        ("T-1", 1, "unknown_fine"),
    ],
)
async def test_a_payment_that_does_not_agree_is_declined(
    client: Registry, number: str, fils: int, word: str
) -> None:
    item = Item(number, ItemKind.TRAFFIC, Local("", ""), fils)
    with pytest.raises(Declined) as refusal:
        await client.record_payment(ORDER, NOON, "6001", (item,))
    assert (refusal.value.service, refusal.value.reason) == ("registry", word)
    assert await client.payment_recorded(ORDER) is False


async def test_a_fine_of_another_order_and_a_changed_order_are_declined(client: Registry) -> None:
    paid = items(await find(client))
    await client.record_payment(ORDER, NOON, "6001", paid)
    with pytest.raises(Declined, match="already_paid"):
        await client.record_payment("IQ-0000-0000", NOON, "6002", paid)
    with pytest.raises(Declined, match="key_reused"):
        await client.record_payment(ORDER, NOON, "6001", paid[:1])


async def test_the_executors_do_what_the_dialogs_ask(client: Registry) -> None:
    asked = Asked("k", Chat("terminal", "1"), "ar")
    do = executors(client)
    assert await do[FindFines](FindFines(Subject.CIVIL_ID, JOURNEY_A), asked) == await find(client)
    known = FindReference(A.civil_id, A.passport, A.expiry.isoformat())
    assert await do[FindReference](known, asked) == Reference(A.reference)


# --- what goes wrong -----------------------------------------------------------------------------


async def test_busy_is_the_dialogs_word_for_fines_and_a_try_later_for_the_rest(
    client: Registry, wire: Seldom, stage: Stage
) -> None:
    with pytest.raises(Failed) as refusal:
        await client.find_fines(Subject.CIVIL_ID, BUSY)
    assert refusal.value.word == "busy"
    assert len(stage.asked) == 1
    wire.opened().headers["X-Sandbox-Fail"] = "429"
    for call in (find_reference, record, recorded_yet):
        with pytest.raises(Unavailable, match="busy"):
            await call(client)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("fail", "error", "reason", "sent"),
    [
        ("503", Unavailable, "answered 503", 3),
        ("500", Unavailable, "answered 500", 3),
        ("drop", Unavailable, "connection lost", 3),
        ("malformed", Malformed, "not the agreed shape", 1),
    ],
)
async def test_each_failure_has_its_error(
    client: Registry,
    wire: Seldom,
    stage: Stage,
    call: Call,
    fail: str,
    error: type[OutsideError],
    reason: str,
    sent: int,
) -> None:
    wire.opened().headers["X-Sandbox-Fail"] = fail
    with pytest.raises(error) as raised:
        await call(client)
    assert (raised.value.reason, len(stage.asked)) == (reason, sent)
    assert await client.healthy() is (fail == "malformed")


@pytest.mark.parametrize("call", CALLS)
async def test_no_answer_in_time_is_unavailable(wire: Seldom, clock: FakeClock, call: Call) -> None:
    clock.held = True
    wire.opened().headers["X-Sandbox-Fail"] = "timeout"
    with pytest.raises(Unavailable, match="timeout"):
        await call(Registry(wire, clock, timeout=0.1))


async def test_the_slow_one_answers_within_its_time_and_not_without(
    client: Registry, wire: Seldom, clock: FakeClock
) -> None:
    assert len((await client.find_fines(Subject.CIVIL_ID, SLOW)).fines) == 2
    assert clock.slept == [7.0]
    clock.held = True
    with pytest.raises(Unavailable, match="timeout"):
        await Registry(wire, clock, timeout=0.1).find_fines(Subject.CIVIL_ID, SLOW)


async def test_a_failing_share_is_overcome(
    client: Registry, stage: Stage, clock: FakeClock, recorded: Recorded
) -> None:
    stage.app = registry(clock, recorded, Faults(failure=0.5))
    for _ in range(10):
        assert len((await find(client)).fines) == 4


@pytest.mark.parametrize("call", CALLS)
async def test_a_wrong_token_is_declined(stage: Stage, clock: FakeClock, call: Call) -> None:
    async with make_client(f"{stage.origin}/registry/", "wrong") as wire:
        with pytest.raises(Declined, match="unauthorised"):
            await call(Registry(wire, clock, timeout=20.0))


async def test_health(client: Registry, stage: Stage) -> None:
    assert await client.healthy() is True
    stage.app = answering(b"", status=404)
    assert await client.healthy() is False


@pytest.mark.parametrize("call", CALLS)
async def test_a_404_of_somebody_else_is_not_an_answer(stage: Stage, clock: FakeClock, call: Call) -> None:
    async with make_client(f"{stage.origin}/elsewhere", TOKEN) as wire:
        with pytest.raises(Malformed):
            await call(Registry(wire, clock, timeout=20.0))


FINE: dict[str, Any] = {
    "id": "T-1",
    "kind": "traffic",
    "title": {"ar": "وقوف ممنوع", "en": "Prohibited parking"},
    "on": "2026-03-12",
    "fils": 15_000,
    "barrier": None,
}


async def test_a_field_we_do_not_know_is_ignored(client: Registry, stage: Stage) -> None:
    stage.app = answering(json.dumps({"fines": [FINE | {"points": 2}], "more": 1}).encode())
    assert len((await find(client)).fines) == 1


async def test_an_empty_barrier_does_not_make_a_fine_payable(client: Registry, stage: Stage) -> None:
    stage.app = answering(json.dumps({"fines": [FINE | {"barrier": ""}]}).encode())
    assert [fine.payable for fine in (await find(client)).fines] == [False]


@pytest.mark.parametrize(
    "fines",
    [
        [FINE, FINE],
        [FINE | {"fils": 15.5}],
        [FINE | {"fils": "15000"}],
        [FINE | {"fils": 0}],
        [FINE | {"kind": "parking"}],
        [FINE | {"on": "12/03/2026"}],
        [FINE | {"id": "T 1"}],
        [FINE | {"title": "Parking"}],
        [{key: value for key, value in FINE.items() if key != "barrier"}],
        None,
    ],
)
async def test_fines_that_are_not_the_contracts_are_malformed(
    client: Registry, stage: Stage, fines: object
) -> None:
    stage.app = answering(json.dumps({"fines": fines}).encode())
    with pytest.raises(Malformed):
        await find(client)


@pytest.mark.parametrize(
    ("app", "reason"),
    [
        (lambda: answering(b"<html>", media_type="text/html"), "not JSON"),
        (lambda: answering(b'{"fines":["\xff"]}'), "not the agreed shape"),
        (lambda: answering(b" " * (MAX_ANSWER + 1)), "too large"),
        (
            lambda: answering(b"not gzip at all", headers={"Content-Encoding": "gzip"}),
            "wrong content encoding",
        ),
        (lambda: RedirectResponse("http://127.0.0.1:9/"), "answered 307"),
        (lambda: answering(b"", status=418), "answered 418"),
        (lambda: answering(b'{"code":"whatever"}', status=409), "answered 409"),
    ],
)
async def test_answers_outside_the_contract_are_malformed(
    client: Registry, stage: Stage, app: Callable[[], ASGIApp], reason: str
) -> None:
    stage.app = app()
    with pytest.raises(Malformed) as raised:
        await find(client)
    assert raised.value.reason == reason
    assert len(stage.asked) == 1


async def test_an_answer_about_another_order_is_malformed(client: Registry, stage: Stage) -> None:
    stage.app = answering(b'{"order":"IQ-0000-0000","recorded_at":1}')
    for call in (record, recorded_yet):
        with pytest.raises(Malformed, match="another order"):
            await call(client)


# --- nothing leaks -------------------------------------------------------------------------------


async def test_no_log_no_error_and_no_address_holds_a_number(
    client: Registry, wire: Seldom, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    with capture_logs() as logs:
        for fail in ("", "503", "429", "drop", "malformed"):
            wire.opened().headers["X-Sandbox-Fail"] = fail or "503"
            if not fail:
                del wire.opened().headers["X-Sandbox-Fail"]
            for call in CALLS:
                try:
                    await call(client)
                except (BotError, Failed) as error:
                    told += [repr(error), *traceback.format_exception(error)]
        for number in (DOWN, BUSY):
            with pytest.raises((BotError, Failed)) as raised:
                await client.find_fines(Subject.CIVIL_ID, number)
            told += [repr(raised.value), *traceback.format_exception(raised.value)]
    told += [repr(record.__dict__) + record.getMessage() for record in caplog.records]
    told += [repr(log) for log in logs]
    told += [path for _, path in stage.asked]
    assert len(caplog.records) > 10
    for number in (A.civil_id, A.reference, A.passport, DOWN, BUSY, TOKEN):
        assert not [text for text in told if number in text]


# --- applications that are not the registry --------------------------------------------------------


def answering(
    body: bytes,
    status: int = 200,
    media_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> ASGIApp:
    return Response(body, status, headers, media_type)


def losing_first_answer(app: ASGIApp) -> ASGIApp:
    """``app`` does its work each time, and its first answer never arrives."""
    lost: list[bool] = []

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def swallow(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)

        if not lost:
            lost.append(True)
            await app(scope, receive, swallow)
        else:
            await app(scope, receive, send)

    return serve
