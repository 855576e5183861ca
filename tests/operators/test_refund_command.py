"""The refund command: says what it does, asks before, and its exit code tells how it ended."""

import io

import pytest

from bot.operators.refund import UNSAID
from bot.services.ledger import OrderStatus
from bot.services.orders.refunds import NotPossible
from tests.operators.commands import command
from tests.operators.world import Different, World

Capture = pytest.CaptureFixture[str]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_all_of_it_goes_back(world: World, capsys: Capture) -> None:
    order = await world.paid(20_000, 25_000)
    ended = await command(world.desk(), capsys, "refund", order.ref, "--because", "paid twice", "--yes")
    assert ended.code == 0
    assert f"45.000 KWD of order {order.ref}: done" in ended.lines[0]
    assert "its fines are free" in ended.text
    assert "registry still has this payment recorded" in ended.text
    (row,) = await world.rows("refunds")
    assert (row["who"], row["why"], row["fils"]) == ("amina", "paid twice", 45_000)


async def test_a_part_of_it(world: World, capsys: Capture) -> None:
    order = await world.paid(posted=False)
    words = ("refund", order.ref.lower(), "--amount", "1.250", "--because", "x", "--yes", "--json")
    ended = await command(world.desk(), capsys, *words)
    value = ended.json
    assert (value["order"], value["order_status"], value["registry_keeps_record"]) == (
        order.ref,
        "paid",
        False,
    )
    assert value["refund"]["amount"] == {"fils": 1250, "text": "1.250"}
    assert (value["refund"]["status"], value["refund"]["by"]) == ("done", "amina")


@pytest.mark.parametrize("amount", ["5", "5.25", "5,250", "-5.250", "5.2500", "1e3", "٥"])
async def test_an_amount_has_three_decimals(world: World, capsys: Capture, amount: str) -> None:
    with pytest.raises(SystemExit):
        await command(world.desk(), capsys, "refund", "IQ-0", f"--amount={amount}", "--because", "x")


async def test_a_refusal_is_exit_code_one(world: World, capsys: Capture) -> None:
    order = await world.paid(knob="refund_refused")
    ended = await command(world.desk(), capsys, "refund", order.ref, "--because", "x", "--yes")
    assert ended.code == 1
    assert "refused. Nothing went back." in ended.text


async def test_no_answer_is_exit_code_three_and_the_portal_ends_it(world: World, capsys: Capture) -> None:
    order = await world.paid()
    desk = world.desk(Different(world.payments, keyed=False))
    world.wire.mood = "lost"
    ended = await command(desk, capsys, "refund", order.ref, "--because", "x", "--yes")
    assert ended.code == UNSAID == 3
    key = (await world.rows("refunds"))[0]["key"]
    assert f"iqamati refund {order.ref} --resolve {key} done|refused" in ended.text
    with pytest.raises(NotPossible, match="`done` or `refused`"):
        await command(desk, capsys, "refund", order.ref, "--resolve", key, "perhaps")
    ended = await command(desk, capsys, "refund", order.ref, "--resolve", key, "done", "--reference", "6001")
    assert (ended.code, await world.status(order)) == (0, OrderStatus.REFUNDED)
    assert "its number there: 6001" in ended.text


async def test_pending_is_exit_code_three(world: World, capsys: Capture) -> None:
    order = await world.paid()
    desk = world.desk(Different(world.payments, keyed=True, patient=True))
    ended = await command(desk, capsys, "refund", order.ref, "--because", "x", "--yes")
    assert ended.code == UNSAID
    assert "took it on" in ended.text


async def test_a_second_capture_is_named(world: World, capsys: Capture) -> None:
    order = await world.paid()
    second = await world.reviewed(order, "second")
    words = ("refund", order.ref, "--track", second.track.lower(), "--because", "x", "--yes")
    assert (await command(world.desk(), capsys, *words)).code == 0
    assert await world.status(order) is OrderStatus.POSTED


async def test_a_refund_made_in_the_portal_is_only_recorded(world: World, capsys: Capture) -> None:
    order = await world.paid()
    gateway = Different(world.payments, keyed=False)
    words = ("refund", order.ref, "--in-portal", "6001", "--because", "x", "--yes")
    ended = await command(world.desk(gateway), capsys, *words)
    assert (ended.code, gateway.asked) == (0, 0)
    assert "done (its number there: 6001)" in ended.text
    assert await world.status(order) is OrderStatus.REFUNDED


async def test_a_reason_is_due(world: World, capsys: Capture) -> None:
    order = await world.paid()
    with pytest.raises(NotPossible, match="--because"):
        await command(world.desk(), capsys, "refund", order.ref, "--yes")


async def test_more_than_is_left_is_refused_before_anybody_confirms(world: World, capsys: Capture) -> None:
    order = await world.paid()
    words = ("refund", order.ref, "--amount", "5.001", "--because", "x")
    with pytest.raises(NotPossible, match=r"at most 5\.000 KWD"):
        await command(world.desk(), capsys, *words)


@pytest.mark.parametrize(("typed", "goes"), [("", False), ("y", False), ("no", False), ("ref", True)])
async def test_a_person_types_the_order_to_confirm(
    world: World, capsys: Capture, monkeypatch: pytest.MonkeyPatch, typed: str, *, goes: bool
) -> None:
    order = await world.paid()
    monkeypatch.setattr("sys.stdin", Terminal((order.ref.lower() if typed == "ref" else typed) + "\n"))
    words = ("refund", order.ref, "--because", "x")
    if goes:
        assert (await command(world.desk(), capsys, *words)).code == 0
        return
    with pytest.raises(NotPossible, match="not confirmed"):
        await command(world.desk(), capsys, *words)
    asked = capsys.readouterr().err
    assert "Give back 5.000 KWD" in asked
    assert order.ref in asked
    assert await world.rows("refunds") == []


async def test_a_script_must_say_yes(world: World, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    order = await world.paid()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{order.ref}\n"))
    with pytest.raises(NotPossible, match="--yes"):
        await command(world.desk(), capsys, "refund", order.ref, "--because", "x")
    assert await world.rows("refunds") == []
