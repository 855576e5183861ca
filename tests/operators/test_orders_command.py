"""Finding orders; who is behind one is shown to nobody who is not written down."""

import pytest
from sqlalchemy import text

from bot.operators.out import table, width
from bot.services.ledger import OrderStatus
from bot.services.orders.refunds import NotPossible
from tests.operators.commands import command
from tests.operators.world import PHONE, World

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    "number", ["ref", "lower", "track", "payment", "bank", "provider_ref", "transaction", "refund"]
)
async def test_an_order_is_found_by_any_of_its_numbers(world: World, capsys: Capture, number: str) -> None:
    await world.paid()
    order = await world.paid(20_000, 25_000)
    async with world.ledger.write() as work:
        (attempt,) = await work.attempts(order.id)
        attempt = await work.set_attempt(
            attempt, world.clock.now(), "gateway", "numbers", bank_transaction="600100000002"
        )
    refund = await world.refunds.refund(order.ref, fils=20_000, why="wrong car", who="amina")
    numbers = {
        "ref": order.ref,
        "lower": order.ref.lower(),
        "track": attempt.track,
        "payment": attempt.payment,
        "bank": attempt.bank,
        "provider_ref": attempt.provider_ref,
        "transaction": attempt.bank_transaction,
        "refund": refund.key,
    }
    found = await command(world.desk(), capsys, "orders", numbers[number], "--json")
    (shown,) = found.json["orders"]
    assert found.code == 0
    assert (shown["order"], shown["amount"]) == (order.ref, {"fils": 45_000, "text": "45.000"})
    assert shown["made"] == "2026-11-21T12:00:00+03:00"
    assert shown["refunds"][0]["because"] == "wrong car"


async def test_a_card_shows_all_but_who(world: World, capsys: Capture) -> None:
    order = await world.paid(20_000, 25_000)
    await world.refunds.refund(order.ref, fils=20_000, why="wrong car", who="amina")
    shown = await command(world.desk(), capsys, "orders", order.ref, "--history")
    for part in (order.ref, "posted", "45.000 KWD", "2850****0029", "whatsapp", "(blind)", order.bank):
        assert part in shown.text
    for part in ("wrong car", "amina", "gave it back", "enquiry agrees: paid", "answered: recorded"):
        assert part in shown.text
    assert PHONE not in shown.text
    assert await world.rows("audit") == [
        row for row in await world.rows("audit") if row["what"] != "chat revealed"
    ]


async def test_a_card_shows_how_each_part_stands_at_the_registry(world: World, capsys: Capture) -> None:
    order = await world.partly()
    shown = await command(world.desk(), capsys, "orders", order.ref)
    rows = [line.split() for line in shown.lines]
    assert ["PART", "NUMBER", "KIND", "YEARS", "UNTIL", "KWD", "REGISTRY"] in rows
    assert ["1", "R-0", "renewal", "2", "2028-12-31", "20.000", "posted"] in rows
    assert ["2", "R-1", "renewal", "2", "2028-12-31", "20.000", "refused", "(not_renewable)"] in rows
    assert ["2", "F-9", "traffic", "5.250", "refused", "(not_renewable)"] in rows
    told = await command(world.desk(), capsys, "orders", order.ref, "--json")
    line = told.json["orders"][0]["lines"][1]
    assert (line["number"], line["years"], line["until"], line["part"]) == ("R-1", 2, "2028-12-31", 2)
    assert (line["registry"], line["reason"], line["since"]) == (
        "refused",
        "not_renewable",
        "2026-11-21T12:00:00+03:00",
    )


async def test_an_unpaid_order_is_nowhere_at_the_registry(world: World, capsys: Capture) -> None:
    order = await world.order()
    told = await command(world.desk(), capsys, "orders", order.ref, "--json")
    assert [line["registry"] for line in told.json["orders"][0]["lines"]] == [None]


async def test_of_thousands_of_lines_people_see_the_first(world: World, capsys: Capture) -> None:
    order = await world.order(*([1_000] * 75))
    shown = await command(world.desk(), capsys, "orders", order.ref)
    assert "and 15 more lines" in shown.text
    assert (
        len((await command(world.desk(), capsys, "orders", order.ref, "--json")).json["orders"][0]["lines"])
        == 75
    )


async def test_a_list_can_be_narrowed(world: World, capsys: Capture) -> None:
    paid = await world.paid()
    open_ = await world.order()
    both = await command(world.desk(), capsys, "orders")
    assert [line.split()[0] for line in both.lines] == ["ORDER", open_.ref, paid.ref]
    one = await command(world.desk(), capsys, "orders", "--status", "posted")
    assert [line.split()[0] for line in one.lines] == ["ORDER", paid.ref]
    assert (await command(world.desk(), capsys, "orders", "--since", "2026-11-22")).lines == ["No orders."]
    since = await command(world.desk(), capsys, "orders", "--since", "2026-11-21", "--limit", "1")
    assert [line.split()[0] for line in since.lines] == ["ORDER", open_.ref]
    assert PHONE not in both.text


async def test_what_is_not_there_is_exit_code_one(world: World, capsys: Capture) -> None:
    none = await command(world.desk(), capsys, "orders", "IQ-0000-0000")
    assert (none.code, none.lines) == (1, ["No order has that number."])
    none = await command(world.desk(), capsys, "orders", "IQ-0000-0000", "--json")
    assert (none.code, none.json) == (1, {"orders": []})


async def test_a_reveal_is_written_down(world: World, capsys: Capture) -> None:
    order = await world.paid()
    shown = await command(world.desk(), capsys, "orders", order.ref, "--reveal")
    assert PHONE in shown.text
    (row,) = await world.rows("audit")
    assert (row["who"], row["what"], row["about"]) == ("amina", "chat revealed", order.ref)
    told = await command(world.desk(), capsys, "orders", order.ref, "--reveal", "--json")
    assert told.json["orders"][0]["chat"]["id"] == PHONE


async def test_no_reveal_without_its_line_in_the_audit_trail(world: World, capsys: Capture) -> None:
    order = await world.paid()
    async with world.engine.begin() as connection:
        if world.engine.dialect.name == "sqlite":
            await connection.execute(
                text(
                    "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
                )
            )
        else:
            await connection.execute(text("ALTER TABLE audit ADD CONSTRAINT gone CHECK (id < 0) NOT VALID"))
    with pytest.raises(NotPossible, match="nothing is revealed"):
        await command(world.desk(), capsys, "orders", order.ref, "--reveal")
    assert PHONE not in capsys.readouterr().out


async def test_nobody_is_revealed_in_bulk(world: World, capsys: Capture) -> None:
    await world.paid()
    with pytest.raises(NotPossible, match="needs the number"):
        await command(world.desk(), capsys, "orders", "--reveal")
    assert await world.rows("audit") == []


async def test_a_chat_whose_key_is_gone_is_still_listed(world: World, capsys: Capture) -> None:
    order = await world.paid()
    async with world.engine.begin() as connection:
        await connection.execute(
            text("UPDATE orders SET chat = x'00'" if _sqlite(world) else "UPDATE orders SET chat = '\\x00'")
        )
    shown = await command(world.desk(), capsys, "orders", "--status", OrderStatus.POSTED)
    assert order.ref in shown.text


def _sqlite(world: World) -> bool:
    return world.engine.dialect.name == "sqlite"


def test_a_table_is_aligned_whatever_the_script() -> None:
    lines = table(
        ["A", "KWD"], [["نصّ", "1.000"], ["\u2066x\u2069", "10.000"], ["漢字", "0.500"]], right=("KWD",)
    )
    assert {width(line) for line in lines} == {12}
    assert width("\u2066ab\u2069") == 2


def test_no_escape_sequence_reaches_the_terminal() -> None:
    assert table(["A"], [["a\x1b[31mred\n"]]) == ["A", "a [31mred"]
