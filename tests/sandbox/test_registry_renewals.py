"""Recorded renewals: the last day moves once, all of a request or nothing, and each refusal has its word."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.residency import assess, lines
from bot.residency.calendar import add_years
from bot.residency.facts import Kin, Permit
from bot.sandbox.faults import Faults
from bot.sandbox.recorded import Recorded
from bot.sandbox.registry import SETTLING, registry_app
from bot.services.registry import CONFLICTS
from tests.sandbox.kit import JOURNEY_A, NOON, TOKEN, FakeClock
from tests.sandbox.people import (
    LATE,
    SELF_SPONSOR,
    TROUBLED,
    Desk,
    ask,
    family,
    move,
    permits,
    today,
)

ORDER = "IQ-7F3C-9A1D"


def renewal(permit: Permit, years: int = 1, fils: int | None = None) -> dict[str, Any]:
    return {"permit": permit.number, "years": years, "fils": 20_000 * years if fils is None else fils}


def fines(permit: Permit) -> list[dict[str, Any]]:
    return [{"fine": fine.id, "fils": fine.fils} for fine in permit.fines]


async def pay(
    desk: Desk, *items: dict[str, Any], order: str = ORDER, paid_at: int = NOON, key: str = ""
) -> httpx.Response:
    body = {"order": order, "paid_at": paid_at, "gateway_reference": "6001", "items": items}
    return await desk.post("/payments", json=body, headers={"Idempotency-Key": key or order})


async def refused(desk: Desk, *items: dict[str, Any], order: str = ORDER, paid_at: int = NOON) -> str:
    response = await pay(desk, *items, order=order, paid_at=paid_at)
    assert response.status_code == 409, response.text
    assert (await desk.get(f"/payments/{order}")).status_code == 404
    word = str(response.json()["code"])
    assert word in CONFLICTS
    return word


async def last_day(desk: Desk, permit: Permit) -> date:
    (found,) = await permits(desk, "permits/search", permits=[permit.number])
    return found.expires


async def late_one(desk: Desk) -> Permit:
    (permit,) = await family(desk, LATE)
    return permit


# --- what is recorded ----------------------------------------------------------------------------


async def test_a_recorded_renewal_moves_the_last_day_and_is_told(desk: Desk, clock: FakeClock) -> None:
    _, wife, son, *_ = await family(desk, JOURNEY_A)
    response = await pay(desk, renewal(wife, 2), order=f"{ORDER}-2")
    until = add_years(wife.expires, 2)
    assert (response.status_code, response.json()) == (
        201,
        {
            "order": f"{ORDER}-2",
            "recorded_at": clock.now(),
            "renewed": [{"permit": wife.number, "until": until.isoformat()}],
        },
    )
    assert (await desk.get(f"/payments/{ORDER}-2")).json() == response.json()
    again = {each.kin: each for each in await family(desk, JOURNEY_A)}
    assert (again[Kin.WIFE].expires, again[Kin.SON].expires) == (until, son.expires)
    clock.at += 200 * 24 * 3600
    assert await last_day(desk, wife) == until


async def test_the_same_request_again_renews_once(desk: Desk, clock: FakeClock) -> None:
    wife = (await family(desk, JOURNEY_A))[1]
    first = await pay(desk, renewal(wife))
    clock.at += 60
    for key in ("", "another-key"):
        again = await pay(desk, renewal(wife), key=key)
        assert (again.status_code, again.json()) == (200, first.json())
    assert await last_day(desk, wife) == add_years(wife.expires, 1)
    assert (await pay(desk, renewal(wife, 2))).json()["code"] == "key_reused"


async def test_renewals_survive_a_restart_of_what_keeps_them(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "recorded.sqlite"
    days: list[date] = []
    for _ in range(2):
        recorded = Recorded(path)
        transport = httpx.ASGITransport(registry_app(clock, TOKEN, Faults(), recorded))
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://registry/v1", headers=headers
        ) as desk:
            (before,) = await family(desk, SELF_SPONSOR)
            if not days:
                assert (await pay(desk, renewal(before, 1, 500_000))).status_code == 201
                days.append(add_years(before.expires, 1))
            days.append(await last_day(desk, before))
        recorded.close()
    assert days == [days[0]] * 3


async def test_fines_of_the_same_request_are_settled_with_it(desk: Desk, clock: FakeClock) -> None:
    late = await late_one(desk)
    items = [
        {"permit": item.number, "years": item.years, "fils": item.fils}
        if item.years
        else {"fine": item.number, "fils": item.fils}
        for item in lines(late, 1, today(clock))
    ]
    assert len(items) == 2
    assert (await pay(desk, *items)).status_code == 201
    (after,) = await family(desk, LATE)
    assert after.expires == add_years(late.expires, 1)
    assert after.fines == ()  # the residency is not over any more, and nothing is left of its fine


async def test_a_fine_paid_before_does_not_stand_in_the_way(desk: Desk, clock: FakeClock) -> None:
    late = await late_one(desk)
    assert (await pay(desk, *fines(late), order="IQ-0000-0001")).status_code == 201
    assert [fine.barrier for fine in (await late_one(desk)).fines] == ["settling"]
    assert (await pay(desk, renewal(late, 1, 50_000))).status_code == 201
    clock.at += SETTLING
    assert (await late_one(desk)).fines == ()


async def test_a_renewed_residency_becomes_due_again_a_year_later(desk: Desk, clock: FakeClock) -> None:
    move(clock, "2026-11-21")
    due = today(clock) + timedelta(days=59)
    drawn = await permits(desk, "workers/due", body="989862172", by=due, limit=50)
    ready = next(
        (each, found)
        for each in drawn
        if (found := assess(each, today(clock))).ready and not found.fines and found.days >= 0
    )
    permit, offer = ready[0], ready[1].offers[0]
    assert (await pay(desk, renewal(permit, 1, offer.fee))).status_code == 201
    assert permit.number not in [
        each.number for each in await permits(desk, "workers/due", body="989862172", by=due, limit=50)
    ]
    clock.at += 365 * 24 * 3600
    due = today(clock) + timedelta(days=59)
    again = await permits(desk, "workers/due", body="989862172", by=due, limit=50)
    assert offer.until in [each.expires.isoformat() for each in again if each.number == permit.number]


# --- what is refused -----------------------------------------------------------------------------


async def test_one_item_that_does_not_agree_refuses_all(desk: Desk) -> None:
    _, wife, son, mother, _ = await family(desk, JOURNEY_A)
    assert await refused(desk, renewal(wife), renewal(son, 1, 19_999)) == "amount_differs"
    assert await refused(desk, renewal(wife), renewal(mother, 1, 300_000)) == "not_renewable"
    late = await late_one(desk)
    wrong = {"fine": late.fines[0].id, "fils": late.fines[0].fils - 1_000}
    assert await refused(desk, wrong, renewal(late, 1, 50_000)) == "amount_differs"
    assert [await last_day(desk, each) for each in (wife, son, late)] == [
        wife.expires,
        son.expires,
        late.expires,
    ]
    assert [fine.barrier for fine in (await late_one(desk)).fines] == [""]
    assert (await pay(desk, renewal(wife), renewal(son))).status_code == 201


async def test_a_payable_fine_must_be_paid_along(desk: Desk) -> None:
    late = await late_one(desk)
    assert await refused(desk, renewal(late, 1, 50_000)) == "not_renewable"


async def test_every_refusal_of_a_renewal_has_its_word(desk: Desk) -> None:
    own, wife, _, _, daughter = await family(desk, JOURNEY_A)
    unknown = {"permit": "P-00000000000", "years": 1, "fils": 20_000}
    assert await refused(desk, unknown) == "unknown_permit"
    assert await refused(desk, {**unknown, "permit": "NOBODY"}) == "unknown_permit"
    assert await refused(desk, renewal(wife, 3)) == "years_not_offered"
    assert await refused(desk, renewal(wife, 20)) == "years_not_offered"
    assert await refused(desk, renewal(wife, 2, 20_000)) == "amount_differs"
    assert await refused(desk, renewal(daughter)) == "not_renewable"
    assert await refused(desk, renewal(own)) == "not_renewable"
    assert await refused(desk, renewal(wife), renewal(wife)) == "not_renewable"
    for blocked in (await family(desk, TROUBLED))[1:]:
        assert await refused(desk, renewal(blocked)) == "not_renewable"


async def test_a_residency_is_renewed_under_one_order_only(desk: Desk, clock: FakeClock) -> None:
    wife = (await family(desk, JOURNEY_A))[1]
    await pay(desk, renewal(wife))
    assert await refused(desk, renewal(wife), order="IQ-0000-0000") == "already_paid"
    clock.at += 30 * 24 * 3600
    assert await refused(desk, renewal(wife), order="IQ-0000-0000", paid_at=clock.now()) == "already_paid"
    assert await last_day(desk, wife) == add_years(wife.expires, 1)


@pytest.mark.parametrize(
    "item",
    [
        {"fils": 1_000},
        {"permit": "P-1", "fils": 1_000},
        {"years": 1, "fils": 1_000},
        {"fine": "T-1", "years": 1, "fils": 1_000},
        {"fine": "T-1", "permit": "P-1", "years": 1, "fils": 1_000},
        {"permit": "P-1", "years": 0, "fils": 1_000},
        {"permit": "P-1", "years": 1.5, "fils": 1_000},
        {"permit": "P-1", "years": 21, "fils": 1_000},
        {"permit": "P-1", "years": None, "fils": 1_000},
        {"permit": "P-1", "years": 1, "fils": 0},
    ],
)
async def test_an_item_is_either_a_fine_or_a_renewal(desk: Desk, item: dict[str, Any]) -> None:
    response = await pay(desk, item)
    assert (response.status_code, response.json()["code"]) == (422, "invalid")


# --- days ----------------------------------------------------------------------------------------


async def test_the_fee_is_that_of_the_day_the_money_was_taken(desk: Desk, clock: FakeClock) -> None:
    move(clock, "2025-12-23", hour=0)
    paid_at = clock.now() - 60  # the last minute of the old schedule
    move(clock, "2025-12-23", hour=1)
    _, wife, son, *_ = await family(desk, JOURNEY_A)
    assert await refused(desk, renewal(wife), paid_at=paid_at) == "amount_differs"
    assert await refused(desk, renewal(son, 1, 10_000), paid_at=clock.now()) == "amount_differs"
    assert (await pay(desk, renewal(wife, 1, 10_000), paid_at=paid_at)).status_code == 201
    assert (await pay(desk, renewal(son), order="IQ-0000-0000", paid_at=clock.now())).status_code == 201


async def test_money_of_long_ago_or_of_tomorrow_counts_by_todays_rules(desk: Desk, clock: FakeClock) -> None:
    _, wife, son, *_ = await family(desk, JOURNEY_A)
    a_year = 365 * 24 * 3600
    assert await refused(desk, renewal(wife, 1, 10_000), paid_at=clock.now() - a_year) == "amount_differs"
    assert (await pay(desk, renewal(son), paid_at=clock.now() + a_year)).status_code == 201


async def test_the_29th_of_february_ends_on_the_28th(desk: Desk, clock: FakeClock) -> None:
    move(clock, "2028-01-19")  # 41 days before
    wife = (await family(desk, JOURNEY_A))[1]
    assert wife.expires == date(2028, 2, 29)
    response = await pay(desk, renewal(wife), paid_at=clock.now())
    assert response.json()["renewed"][0]["until"] == "2029-02-28"
    assert await last_day(desk, wife) == date(2029, 2, 28)


async def test_recorded_fines_alone_are_told_as_before(desk: Desk) -> None:
    owed = (await ask(desk, "fines/search", by="civil_id", number=JOURNEY_A))["fines"]
    item = {"fine": owed[0]["id"], "fils": owed[0]["fils"]}
    assert set((await pay(desk, item)).json()) == {"order", "recorded_at"}
