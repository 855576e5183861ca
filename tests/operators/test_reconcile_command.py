"""A gateway's file against the ledger: every kind of difference, and every shape a file comes in."""

import tracemalloc
from datetime import date
from pathlib import Path

import pytest

from bot.operators.reconcile import DIFFERENT
from bot.operators.settlement import SettledRow, Settlement, naming
from bot.services.ledger import Attempt, AttemptStatus, Order
from bot.services.orders.refunds import NotPossible
from tests.operators.commands import Output, command
from tests.operators.world import World

Capture = pytest.CaptureFixture[str]

DAY = "2026-11-21"
TODAY = date(2026, 11, 21)
HEADER = "Track ID,Payment ID,Amount,Currency,Type,Date"


async def attempt(world: World, order: Order) -> Attempt:
    async with world.ledger.read() as read:
        return (await read.attempts(order.id))[0]


async def row(world: World, order: Order, *, amount: str = "5.000", kind: str = "Payment") -> str:
    paid = await attempt(world, order)
    return f"{paid.track},{paid.payment},{amount},KWD,{kind},{DAY}"


async def reconcile(world: World, capsys: Capture, path: Path, *rows: str, header: str = HEADER) -> Output:
    file = path / "settled.csv"
    file.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return await command(world.desk(), capsys, "reconcile", str(file), "--json")


def kinds(output: Output) -> list[tuple[str, int | None, str]]:
    return [(each["kind"], each["row"], each["note"]) for each in output.json["differences"]]


# --- what differs --------------------------------------------------------------------------------


async def test_all_matched(world: World, capsys: Capture, tmp_path: Path) -> None:
    first, second = await world.paid(), await world.paid(20_000, 25_000)
    await world.refunds.refund(second.ref, fils=20_000, why="x", who="amina")
    await world.order()
    rows = [
        await row(world, first),
        await row(world, second, amount='"45.000"'),
        await row(world, second, amount="-20.000", kind="Refund"),
    ]
    done = await reconcile(world, capsys, tmp_path, *rows)
    assert (done.code, kinds(done)) == (0, [])
    sums = {
        "payments": {"count": 2, "fils": 50_000, "text": "50.000"},
        "refunds": {"count": 1, "fils": 20_000, "text": "20.000"},
    }
    assert done.json["totals"] == {"file": sums, "ledger": sums}
    assert done.json["matched"] == sums
    shown = await command(world.desk(), capsys, "reconcile", str(tmp_path / "settled.csv"))
    assert shown.lines[-1] == "All matched."


async def test_missing_here_and_missing_there(world: World, capsys: Capture, tmp_path: Path) -> None:
    known, absent = await world.paid(), await world.paid()
    refund = await world.refunds.refund(absent.ref, fils=1000, why="x", who="amina")
    rows = [await row(world, known), f"NEVERHEARDOF,,7.000,KWD,Payment,{DAY}"]
    done = await reconcile(world, capsys, tmp_path, *rows)
    assert done.code == DIFFERENT == 2
    assert [(each["kind"], each["refund"], each["number"]) for each in done.json["differences"]] == [
        ("missing_here", False, "NEVERHEARDOF"),
        ("missing_there", False, (await attempt(world, absent)).track),
        ("missing_there", True, refund.key),
    ]
    assert done.json["differences"][1]["ledger"] == {"fils": 5000, "text": "5.000"}
    assert done.json["totals"]["ledger"]["payments"]["fils"] == 10_000
    shown = await command(world.desk(), capsys, "reconcile", str(tmp_path / "settled.csv"))
    assert shown.code == 2
    assert "Differences: missing here 1, missing there 2" in shown.text


async def test_another_amount_currency_day_or_state(world: World, capsys: Capture, tmp_path: Path) -> None:
    orders = [await world.paid() for _ in range(4)]
    rows = [await row(world, order) for order in orders]
    rows[0] = rows[0].replace("5.000", "5.001")
    rows[1] = rows[1].replace("KWD", "USD")
    rows[2] = rows[2].replace(DAY, "2026-11-19")
    rows[3] = rows[3].replace(DAY, "2026-11-20")  # within the tolerance
    unpaid = await world.charge(await world.order())
    rows.append(f"{unpaid.track},,5.000,KWD,Payment,{DAY}")
    done = await reconcile(world, capsys, tmp_path, *rows)
    assert kinds(done) == [
        ("different", 2, "amount"),
        ("different", 3, "currency: USD there"),
        ("different", 4, "day: 2026-11-19 there, 2026-11-21 here"),
        ("different", 6, "captured there, LINKED here"),
    ]


async def test_a_row_twice_is_told_once_for_each(world: World, capsys: Capture, tmp_path: Path) -> None:
    order = await world.paid()
    await world.refunds.refund(order.ref, fils=1000, why="x", who="amina")
    back = await row(world, order, amount="1.000", kind="Refund")
    once = await row(world, order)
    done = await reconcile(world, capsys, tmp_path, once, once, back, back)
    assert [(kind, number) for kind, number, _ in kinds(done)] == [("duplicate", 3), ("duplicate", 5)]


async def test_two_refunds_of_one_payment_are_two(world: World, capsys: Capture, tmp_path: Path) -> None:
    order = await world.paid()
    for _ in range(2):
        await world.refunds.refund(order.ref, fils=1000, why="x", who="amina")
    back = await row(world, order, amount="1.000", kind="REFUND")
    done = await reconcile(world, capsys, tmp_path, await row(world, order), back, back)
    assert (done.code, kinds(done)) == (0, [])


async def test_refunds_that_differ(world: World, capsys: Capture, tmp_path: Path) -> None:
    order, other = await world.paid(), await world.paid(knob="refund_refused")
    await world.refunds.refund(order.ref, fils=1000, why="x", who="amina")
    await world.refunds.refund(other.ref, why="x", who="amina")
    rows = [
        await row(world, order),
        await row(world, other),
        await row(world, order, amount="2.000", kind="refunded"),
        await row(world, other, amount="-5.000"),
        f"NEVERHEARDOF,,-7.000,KWD,,{DAY}",
    ]
    done = await reconcile(world, capsys, tmp_path, *rows)
    assert kinds(done) == [
        ("different", 4, "amount"),
        ("different", 5, "given back there, refused here"),
        ("missing_here", 6, "the ledger knows no such refund"),
    ]


async def test_a_second_capture_that_waits_counts_as_money(
    world: World, capsys: Capture, tmp_path: Path
) -> None:
    order = await world.paid()
    second = await world.reviewed(order, "second")
    rows = [await row(world, order), f"{second.track},,5.000,KWD,Payment,{DAY}"]
    done = await reconcile(world, capsys, tmp_path, *rows)
    assert (done.code, done.json["matched"]["payments"]["count"]) == (0, 2)


@pytest.mark.parametrize("number", ["payment", "provider_ref", "bank"])
async def test_without_a_track_id_the_gateways_numbers_find_it(
    world: World, capsys: Capture, tmp_path: Path, number: str
) -> None:
    await world.paid()
    order = await world.paid()
    paid = await attempt(world, order)
    refund = await world.refunds.refund(order.ref, fils=1000, why="x", who="amina")
    header = "Payment ID,Reference,Refund ID,Amount,Date"
    named = f",{paid.bank}" if number == "bank" else f'="{getattr(paid, number)}",'
    rows = [f"{named},,5.000,{DAY}", f",,{refund.reference},-1.000,{DAY}"]
    done = await reconcile(world, capsys, tmp_path, *rows, header=header)
    assert [(kind, note) for kind, _, note in kinds(done)] == [
        ("missing_there", "the file does not have it; the next one may")
    ]
    assert done.json["matched"]["refunds"]["count"] == 1


async def test_the_period_bounds_what_can_be_missing(world: World, capsys: Capture, tmp_path: Path) -> None:
    await world.paid()
    world.clock.advance(3 * 24 * 3600)
    order = await world.paid()
    file = tmp_path / "one.csv"
    paid = await attempt(world, order)
    file.write_text(f"Track ID,Amount\n{paid.track},5.000\n", "utf-8")
    with pytest.raises(NotPossible, match="--from and --to"):
        await command(world.desk(), capsys, "reconcile", str(file))
    words = ("reconcile", str(file), "--from", "2026-11-22", "--to", "2026-11-24")
    assert (await command(world.desk(), capsys, *words)).code == 0
    longer = ("reconcile", str(file), "--from", "2026-11-21", "--to", "2026-11-24", "--json")
    (missing,) = (await command(world.desk(), capsys, *longer)).json["differences"]
    assert (missing["kind"], missing["edge"]) == ("missing_there", False)
    with pytest.raises(NotPossible, match="is after"):
        await command(
            world.desk(), capsys, "reconcile", str(file), "--from", "2026-11-25", "--to", "2026-11-24"
        )


async def test_another_gateways_payments_are_not_compared(
    world: World, capsys: Capture, tmp_path: Path
) -> None:
    order = await world.paid()
    file = tmp_path / "knet.csv"
    file.write_text(f"trackid,amt,postdate\n{(await attempt(world, order)).track},5.000,1121\n", "utf-8")
    done = await command(world.desk(), capsys, "reconcile", str(file), "--provider", "knet", "--json")
    assert kinds(done) == [("missing_here", 2, "the ledger knows no such payment")]


async def test_more_rows_than_are_looked_up_at_once(world: World, capsys: Capture, tmp_path: Path) -> None:
    order = await world.paid()
    now = world.clock.now()
    tracks: list[str] = []
    async with world.ledger.write() as work:
        for number in range(1100):
            each = await work.add_attempt(order, "sandbox", f"MANY{number}", now, now)
            changes = {"status": AttemptStatus.REVIEW, "captured": 5000, "due": None}
            await work.set_attempt(each, now, "gateway", "second", **changes)
            tracks.append(each.track)
    rows = [await row(world, order), *(f"{track},,5.000,KWD,,{DAY}" for track in tracks[:-1])]
    done = await reconcile(world, capsys, tmp_path, *rows)
    assert [each["number"] for each in done.json["differences"]] == ["MANY1099"]
    assert done.json["matched"]["payments"]["count"] == 1100


# --- how a file comes ----------------------------------------------------------------------------


def read(path: Path, content: bytes, provider: str = "knet", **columns: str) -> list[SettledRow]:
    file = path / "in.csv"
    file.write_bytes(content)
    return list(Settlement(file, naming(provider, columns), TODAY).rows())


ARABIC = "رقم التتبع;المبلغ;العملة;النوع;التاريخ\nABC1;٥٫٢٥٠;د.ك;استرداد;٢١/١١/٢٠٢٦\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_are_found_out(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = ARABIC.replace(";", delimiter)
    (found,) = read(tmp_path, text.encode(encoding))
    assert (found.track, found.fils, found.currency, found.refund) == ("ABC1", 5250, "KWD", True)
    assert (found.on, found.number) == (TODAY, 2)


def test_windows_arabic_is_read(tmp_path: Path) -> None:
    text = ARABIC.replace("٥٫٢٥٠", "5.250").replace("٢١/١١/٢٠٢٦", "21/11/2026")
    (found,) = read(tmp_path, text.encode("cp1256"))
    assert (found.fils, found.refund) == (5250, True)


def test_lines_above_the_header_sums_and_declined_rows_are_skipped(tmp_path: Path) -> None:
    text = (
        "Some Bank K.S.C.,,\nPeriod,2026-11-20,2026-11-21\n\n"
        'TrackId,Result,"Amt"\nA1,CAPTURED,5.000\nA2,NOT CAPTURED,5.000\n\nTotal,,5.000\n'
    )
    file = tmp_path / "in.csv"
    file.write_text(text, "utf-8")
    settlement = Settlement(file, naming("knet", {}), TODAY)
    assert [(each.track, each.number) for each in settlement.rows()] == [("A1", 5)]
    assert settlement.skipped == 2


def test_columns_can_be_named(tmp_path: Path) -> None:
    text = b"Our No,Value,Track ID,When\nA1,5.000,X,whenever\n"
    (found,) = read(tmp_path, text, track="Our No", amount="Value", date="")
    assert (found.track, found.fils, found.on) == ("A1", 5000, None)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the file is empty"),
        (b"Name,Colour\nA,red\n", "columns seen: Name, Colour"),
        (b"Track ID,Colour\nA,red\n", "no header"),
        (b"Track ID,Amount\nA1,5.000\nA2,5.2501\n", "row 3, column amount: more than three decimals"),
        (b"Track ID,Amount\nA1,\n", "row 2, column amount: not an amount"),
        (b"Track ID,Amount,Date\nA1,5.000,soon\n", "row 2, column date: not a day"),
        (b"PK\x03\x04rest", "a workbook"),
        (b'Track ID,Amount\n"A1' + b"x" * 200_000, "not a row of a CSV file"),
        (bytes(range(256)) * 20, "no header|not text|empty"),
        (b"\xff\xfe\x00", "not text|empty"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(NotPossible, match=why):
        read(tmp_path, content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotPossible, match="No such file"):
        list(Settlement(tmp_path / "none.csv", naming("tap", {}), TODAY).rows())
    with pytest.raises(NotPossible, match="directory"):
        list(Settlement(tmp_path, naming("tap", {}), TODAY).rows())


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(NotPossible, match="colour is none of"):
        naming("tap", {"colour": "x"})


def test_a_long_file_takes_no_memory(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write(HEADER + "\n")
        out.writelines(f"T{number},P{number},5.000,KWD,Payment,{DAY}\n" for number in range(20_000))
    rows = Settlement(file, naming("knet", {}), TODAY).rows()
    next(rows)
    tracemalloc.start()
    try:
        assert sum(1 for _ in rows) == 19_999
        assert tracemalloc.get_traced_memory()[1] < file.stat().st_size
    finally:
        tracemalloc.stop()
