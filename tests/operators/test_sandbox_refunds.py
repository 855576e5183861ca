"""The sandbox gateway gives back as the real ones do: in parts, once for each key, or not at all."""

from pathlib import Path

import pytest

from bot.errors import Declined, Unavailable
from bot.sandbox.gateway import Gateway
from bot.services.ledger import Attempt
from bot.services.payments import Refund, RefundResult, Result
from tests.operators.world import SECRET, FakeClock, World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def of(attempt: Attempt, fils: int, key: str) -> Refund:
    return Refund(
        key=key, track_id=attempt.track, provider_ref=attempt.provider_ref, payment_id="", fils=fils, why="x"
    )


async def test_parts_add_up_to_what_was_captured(world: World) -> None:
    attempt = await world.charge(await world.order())
    part, rest = of(attempt, 2000, "K1"), of(attempt, 3000, "K2")
    first = await world.payments.refund(part)
    assert first.status is RefundResult.DONE
    assert await world.payments.refund(part) == first  # once for each key
    assert await world.payments.refund_status(part, "") == first
    assert (await world.payments.enquire(attempt.track, "", 5000)).status is Result.PAID
    assert (await world.payments.refund(of(attempt, 3001, "K3"))).status is RefundResult.REFUSED
    assert (await world.payments.refund(rest)).status is RefundResult.DONE
    assert (await world.payments.enquire(attempt.track, "", 5000)).status is Result.REFUNDED
    assert (await world.payments.refund(of(attempt, 1, "K4"))).status is RefundResult.REFUSED


async def test_a_key_stands_for_one_amount(world: World) -> None:
    attempt = await world.charge(await world.order())
    await world.payments.refund(of(attempt, 2000, "K1"))
    with pytest.raises(Declined):
        await world.payments.refund(of(attempt, 1000, "K1"))


async def test_what_was_not_captured_or_is_not_known(world: World) -> None:
    attempt = await world.charge(await world.order(), "funds")
    assert (await world.payments.refund(of(attempt, 5000, "K1"))).status is RefundResult.REFUSED
    assert (await world.payments.refund_status(of(attempt, 5000, "K1"), "")).status is RefundResult.REFUSED
    stranger = Refund(key="K", track_id="NONE", provider_ref="", payment_id="", fils=1, why="x")
    with pytest.raises(Declined):
        await world.payments.refund(stranger)


async def test_a_silent_refund_is_heard_of_after_a_minute(world: World) -> None:
    attempt = await world.charge(await world.order(), knob="refund_silent")
    wanted = of(attempt, 5000, "K1")
    with pytest.raises(Unavailable):
        await world.payments.refund(wanted)
    with pytest.raises(Unavailable):
        await world.payments.refund_status(wanted, "")
    world.clock.advance(60)
    assert (await world.payments.refund_status(wanted, "")).status is RefundResult.DONE


async def test_refunds_survive_a_restart(world: World, tmp_path: Path) -> None:
    store = tmp_path / "gateway.json"
    store.write_text(
        '{"T1":{"id":"a","track_id":"T1","amount":"5.000","currency":"KWD","language":"ar","return_url":"",'
        '"notify_url":"","description":"","created":1795251600,"status":"CAPTURED",'
        '"returned":{"K1":{"amount":"2.000","reference":"6001","speaks":0}}}}'
    )
    gateway = Gateway(FakeClock(), SECRET, store, world.url)
    assert gateway._charges["T1"].returned["K1"].amount == "2.000"
    await gateway.close()
