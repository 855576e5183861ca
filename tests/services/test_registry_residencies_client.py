"""The registry's client and residencies: values, pages and portions, recording, answers that cannot be."""

import json
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

import bot.sandbox
from bot.domain import Item, ItemKind
from bot.errors import Declined, Malformed, OutsideError, Unavailable
from bot.i18n.text import Local
from bot.residency import lines
from bot.residency.calendar import add_years
from bot.residency.facts import Body, Creditor, Debt, Kin, Permit, Stop
from bot.sandbox.roster import roster
from bot.services.http import make_client
from bot.services.orders.parts import FINAL_REFUSALS
from bot.services.registry import CONFLICTS, Registry
from bot.services.seldom import Seldom
from tests.sandbox.kit import JOURNEY_A, NOON, FakeClock, Stage
from tests.sandbox.people import CITIZEN, LARGE, LATE, ONE_COMPANY, SELF_SPONSOR, SEVERAL, TROUBLED, WAHA

TODAY = date(2026, 11, 21)
BY = TODAY + timedelta(days=59)
ORDER = "IQ-7F3C-9A1D-2"
Call = Callable[[Registry], Awaitable[object]]


async def family(client: Registry) -> object:
    return await client.family(JOURNEY_A)


async def permits(client: Registry) -> object:
    return await client.permits(["P-1"])


async def bodies(client: Registry) -> object:
    return await client.bodies(ONE_COMPANY)


async def due(client: Registry) -> object:
    return await client.workers_due(WAHA, BY, 10)


async def workers(client: Registry) -> object:
    return await client.workers(WAHA, [JOURNEY_A])


CALLS: list[Call] = [family, permits, bodies, due, workers]


# --- what it returns -----------------------------------------------------------------------------


async def test_a_family_comes_as_values_the_sponsor_first(client: Registry) -> None:
    own, wife, son, mother, daughter = await client.family(JOURNEY_A)
    assert (own.kin, own.civil_id, own.article, len(own.fines)) == (Kin.SELF, JOURNEY_A, 18, 4)
    assert [each.kin for each in (wife, son, mother, daughter)] == ["wife", "son", "mother", "daughter"]
    assert (wife.expires, wife.insured_until) == (TODAY + timedelta(days=41), date(2029, 1, 1))
    assert (wife.sponsor_article, wife.kuwaiti_sponsor, wife.fines, wife.most_years) == (18, False, (), None)
    assert (mother.insured_until, mother.latin != mother.passport_latin) == (None, True)
    assert await client.family(CITIZEN) == ()


async def test_words_and_empty_places_come_as_the_facts_have_them(client: Registry) -> None:
    _, wife, son, daughter, _, father, brother, worker = await client.family(TROUBLED)
    assert wife.debts == (Debt(Creditor.ELECTRICITY, 41_350), Debt(Creditor.TELECOM))
    assert [fine.barrier for fine in wife.fines] == ["court"]
    assert (son.passport_moved, son.passport_expires) == (False, TODAY + timedelta(days=75))
    assert (daughter.biometric, daughter.abroad_since) == (False, TODAY - timedelta(days=230))
    assert [stop.code for stop in father.stops] == ["medical", "photo", "address"]
    assert brother.stops[1] == Stop(
        "file_review",
        Local("الإدارة العامة لشؤون الإقامة", "General Department of Residency Affairs"),
        "25582960",
    )
    assert (worker.kin, worker.article, worker.sponsor_article) == (Kin.DOMESTIC, 20, 19)


async def test_permits_come_in_the_order_they_were_asked_in(client: Registry, stage: Stage) -> None:
    _, wife, son, *_ = await client.family(JOURNEY_A)
    stage.asked.clear()
    wanted = [son.number, "P-00000000000", wife.number, son.number]
    assert await client.permits(wanted) == (son, wife)
    assert len(stage.asked) == 1
    assert await client.permits([]) == ()
    assert len(stage.asked) == 1


async def test_bodies_come_as_values(client: Registry) -> None:
    (one,) = await client.bodies(ONE_COMPANY)
    name = Local("شركة الواحة للتجارة العامة", "Al Waha General Trading Co.")
    assert one == Body(WAHA, name, government=False, due=12)
    assert [each.government for each in await client.bodies(SEVERAL)] == [False, False, True]
    assert await client.bodies(JOURNEY_A) == ()


async def test_those_who_are_due_are_fetched_page_by_page(client: Registry, stage: Stage) -> None:
    whole = await client.workers_due(LARGE, BY, 450)
    assert len(whole) == 450
    assert len({each.number for each in whole}) == 450
    assert [each.expires for each in whole] == sorted(each.expires for each in whole)
    assert len(stage.asked) == 3
    assert await client.workers_due(LARGE, BY, 7) == whole[:7]
    assert len(await client.workers_due(WAHA, BY, 450)) == 12
    assert await client.workers_due(WAHA, BY, 0) == ()
    assert await client.workers_due("999999", BY, 5) == ()


async def test_workers_are_fetched_a_hundred_at_a_time(client: Registry, stage: Stage) -> None:
    some = [line.strip() for line in roster(LARGE, TODAY)][1:251]
    asked = [*some[:100], JOURNEY_A, *some[100:], some[0]]
    found = await client.workers(LARGE, asked)
    assert [each.civil_id for each in found] == some
    assert len(stage.asked) == 3
    assert await client.workers(WAHA, some[:3]) == ()


# --- recording -----------------------------------------------------------------------------------


async def test_fines_and_a_renewal_are_recorded_once(client: Registry) -> None:
    (late,) = await client.family(LATE)
    items = lines(late, 2, TODAY)
    assert [item.kind for item in items] == [ItemKind.RESIDENCY, ItemKind.RENEWAL]
    with capture_logs() as logs:
        for _ in range(2):
            await client.record_payment(ORDER, NOON, "6001", items)
    assert logs == []
    assert await client.payment_recorded(ORDER) is True
    (after,) = await client.family(LATE)
    assert after.expires == add_years(late.expires, 2) == date.fromisoformat(items[1].until)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"fils": 1}, "amount_differs"),
        ({"years": 4, "fils": 2_000_000}, "years_not_offered"),
        ({"number": "P-00000000000"}, "unknown_permit"),
    ],
)
async def test_a_renewal_that_does_not_agree_is_declined(
    client: Registry, change: dict[str, Any], word: str
) -> None:
    (own,) = await client.family(SELF_SPONSOR)
    (item,) = lines(own, 1, TODAY)
    with pytest.raises(Declined) as refusal:
        await client.record_payment(ORDER, NOON, "6001", (msgspec.structs.replace(item, **change),))
    assert refusal.value.reason == word
    assert word in CONFLICTS
    assert await client.payment_recorded(ORDER) is False


async def test_a_blocked_renewal_and_one_of_another_order_are_declined(client: Registry) -> None:
    own, wife, *_ = await client.family(JOURNEY_A)
    items = lines(wife, 1, TODAY)
    await client.record_payment(ORDER, NOON, "6001", items)
    with pytest.raises(Declined, match="already_paid"):
        await client.record_payment("IQ-0000-0000", NOON, "6002", items)
    blocked = msgspec.structs.replace(items[0], number=own.number)
    with pytest.raises(Declined, match="not_renewable"):
        await client.record_payment("IQ-0000-0000", NOON, "6002", (blocked,))


def test_orders_know_every_word_of_the_contract() -> None:
    assert FINAL_REFUSALS == CONFLICTS
    document = (Path(bot.sandbox.__file__).parent / "openapi" / "registry.yaml").read_text()
    assert [word for word in CONFLICTS if f"`{word}`" not in document] == []


@pytest.mark.parametrize("word", sorted(CONFLICTS))
async def test_every_word_of_the_contract_is_final(client: Registry, stage: Stage, word: str) -> None:
    stage.app = Response(json.dumps({"code": word}), 409, media_type="application/problem+json")
    with pytest.raises(Declined, match=word):
        await client.record_payment(ORDER, NOON, "6001", ())


async def test_the_registrys_last_day_holds_and_the_difference_is_noted(
    client: Registry, stage: Stage
) -> None:
    item = Item("P-1", ItemKind.RENEWAL, Local("", ""), 20_000, 1, "2027-12-31")
    stage.app = recording({"permit": "P-1", "until": "2028-01-01"})
    with capture_logs() as logs:
        await client.record_payment(ORDER, NOON, "6001", (item,))
    assert [(log["event"], log["permits"]) for log in logs] == [("registry.until_differs", ["P-1"])]


@pytest.mark.parametrize("renewed", [[], [{"permit": "P-2", "until": "2027-12-31"}], [{"permit": "P-1"}]])
async def test_a_renewal_that_is_not_confirmed_is_not_recorded(
    client: Registry, stage: Stage, renewed: list[dict[str, str]]
) -> None:
    item = Item("P-1", ItemKind.RENEWAL, Local("", ""), 20_000, 1, "2027-12-31")
    stage.app = recording(*renewed)
    with pytest.raises(Malformed):
        await client.record_payment(ORDER, NOON, "6001", (item,))


# --- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("fail", "error", "sent"),
    [("503", Unavailable, 3), ("drop", Unavailable, 3), ("429", Unavailable, 1), ("malformed", Malformed, 1)],
)
async def test_each_failure_has_its_error(
    client: Registry,
    wire: Seldom,
    stage: Stage,
    call: Call,
    fail: str,
    error: type[OutsideError],
    sent: int,
) -> None:
    wire.opened().headers["X-Sandbox-Fail"] = fail
    with pytest.raises(error):
        await call(client)
    assert len(stage.asked) == sent
    assert all(JOURNEY_A not in path for _, path in stage.asked)


@pytest.mark.parametrize("call", CALLS)
async def test_a_wrong_token_is_declined(stage: Stage, clock: FakeClock, call: Call) -> None:
    async with make_client(f"{stage.origin}/registry", "wrong") as wire:
        with pytest.raises(Declined, match="unauthorised"):
            await call(Registry(wire, clock, timeout=20.0))


@pytest.mark.parametrize("call", CALLS)
async def test_no_answer_in_time_is_unavailable(wire: Seldom, clock: FakeClock, call: Call) -> None:
    clock.held = True
    wire.opened().headers["X-Sandbox-Fail"] = "timeout"
    with pytest.raises(Unavailable, match="timeout"):
        await call(Registry(wire, clock, timeout=0.1))


FINE = {
    "id": "T-1",
    "kind": "traffic",
    "title": {"ar": "وقوف ممنوع", "en": "Prohibited parking"},
    "on": "2026-03-12",
    "fils": 15_000,
    "barrier": None,
}
PERMIT: dict[str, Any] = {
    "number": "P-1",
    "civil_id": JOURNEY_A,
    "kin": "wife",
    "sponsor_kin": None,
    "name": {"ar": "سلمى", "en": "Salma"},
    "latin": "SALMA",
    "passport_latin": None,
    "article": 22,
    "sponsor_article": None,
    "kuwaiti_sponsor": False,
    "kuwaiti_mother": False,
    "kuwaiti_widow": False,
    "farm_work": False,
    "born": "1988-07-09",
    "expires": "2027-01-01",
    "insured_until": None,
    "insurance_exempt": False,
    "passport_expires": "2030-01-01",
    "passport_moved": True,
    "work_permit_until": None,
    "abroad_since": None,
    "absence_permit_until": None,
    "biometric": True,
    "travel_ban": False,
    "exit_permit_until": None,
    "debts": [],
    "fines": [FINE],
    "stops": [],
    "most_years": None,
}


async def only(client: Registry, stage: Stage, **changes: Any) -> Permit:
    stage.app = saying({"permits": [PERMIT | changes], "more": False})
    (found,) = await client.family(JOURNEY_A)
    return found


async def test_words_nobody_knows_read_as_other(client: Registry, stage: Stage) -> None:
    found = await only(
        client,
        stage,
        kin="uncle",
        sponsor_kin="ward",
        debts=[{"creditor": "customs", "fils": None}],
        fines=[FINE | {"barrier": "audit"}],
        stops=[{"code": "quarantine", "department": None, "phone": None}],
        blood_group="0",
    )
    assert (found.kin, found.sponsor_kin) == (Kin.OTHER, Kin.OTHER)
    assert found.debts == (Debt(Creditor.OTHER, 0),)
    assert [fine.barrier for fine in found.fines] == ["other"]
    assert found.stops == (Stop("quarantine"),)
    assert (found.passport_latin, found.sponsor_article) == ("", 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "p 1"},
        {"number": "P" * 41},
        {"civil_id": "28501150002"},
        {"civil_id": 285011500029},
        {"kin": "Wife!"},
        {"kin": None},
        {"name": "Salma"},
        {"latin": "A" * 201},
        {"article": "22"},
        {"article": 0},
        {"expires": "2027-02-29"},
        {"expires": None},
        {"insured_until": "soon"},
        {"passport_moved": "yes"},
        {"biometric": None},
        {"debts": [{"creditor": "health", "fils": 0}]},
        {"debts": [{"creditor": "health"}]},
        {"fines": [FINE, FINE]},
        {"fines": [FINE | {"fils": -1}]},
        {"stops": [{"code": "photo", "department": "PACI", "phone": None}]},
        {"stops": [{"code": "photo", "department": None, "phone": "<b>"}]},
        {"stops": [{"code": "photo", "department": None, "phone": None}] * 101},
        {"most_years": 0},
        {"most_years": 1.5},
    ],
)
async def test_a_permit_that_is_not_the_contracts_is_malformed(
    client: Registry, stage: Stage, changes: dict[str, Any]
) -> None:
    with pytest.raises(Malformed) as raised:
        await only(client, stage, **changes)
    assert JOURNEY_A not in repr(raised.value)


@pytest.mark.parametrize("field", sorted(PERMIT))
async def test_a_permit_without_a_field_is_malformed(client: Registry, stage: Stage, field: str) -> None:
    stage.app = saying({"permits": [{key: value for key, value in PERMIT.items() if key != field}]})
    with pytest.raises(Malformed):
        await client.family(JOURNEY_A)


async def test_answers_about_somebody_else_are_malformed(client: Registry, stage: Stage) -> None:
    stage.app = saying({"permits": [PERMIT, PERMIT], "more": False})
    for call in (client.family(JOURNEY_A), client.permits(["P-1"]), client.workers(WAHA, [JOURNEY_A])):
        with pytest.raises(Malformed, match="twice"):
            await call
    stage.app = saying({"permits": [PERMIT], "more": False})
    with pytest.raises(Malformed, match="nobody asked for"):
        await client.permits(["P-2"])
    with pytest.raises(Malformed, match="nobody asked for"):
        await client.workers(WAHA, ["290063001017"])
    with pytest.raises(Malformed, match="nobody asked for"):
        await client.workers_due(WAHA, date(2026, 12, 31), 5)
    stage.app = saying({"permits": [PERMIT, PERMIT | {"number": "P-2", "civil_id": LATE}], "more": False})
    with pytest.raises(Malformed, match="nobody asked for"):
        await client.workers_due(WAHA, BY, 1)


async def test_a_page_that_brings_nobody_new_is_the_last(client: Registry, stage: Stage) -> None:
    stage.app = saying({"permits": [PERMIT], "more": True})
    assert len(await client.workers_due(WAHA, BY, 5)) == 1
    assert len(stage.asked) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"number": "31"},
        {"name": {"ar": "شركة"}},
        {"government": "no"},
        {"due": -1},
        {"due": None},
    ],
)
async def test_a_body_that_is_not_the_contracts_is_malformed(
    client: Registry, stage: Stage, body: dict[str, Any]
) -> None:
    good = {"number": WAHA, "name": {"ar": "شركة", "en": "Company"}, "government": False, "due": 1}
    stage.app = saying({"bodies": [good]})
    assert [each.due for each in await client.bodies(ONE_COMPANY)] == [1]
    for said in ([good | body], [good, good]):
        stage.app = saying({"bodies": said})
        with pytest.raises(Malformed):
            await client.bodies(ONE_COMPANY)


# --- applications that are not the registry --------------------------------------------------------


def saying(value: object) -> Response:
    return Response(json.dumps(value), media_type="application/json")


def recording(*renewed: dict[str, str]) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Confirms whatever order it is told about."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        order = (await Request(scope, receive).json())["order"]
        await saying({"order": order, "recorded_at": 1, "renewed": renewed})(scope, receive, send)

    return serve
