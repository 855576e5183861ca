"""``iqamati reconcile``: a gateway's settlement file against the ledger."""

import argparse
from collections import Counter
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bot.clock import local
from bot.operators.desk import Desk
from bot.operators.matching import BATCH, Difference, Matching, Sums
from bot.operators.orders import day
from bot.operators.out import amount, say, show_json, signed, table
from bot.operators.settlement import FIELDS, Settlement, naming
from bot.services.orders.refunds import NotPossible

_SHOWN: Final = 200
"""Differences listed for a person; --json has them all."""

_TOTALS: Final = ("", "PAYMENTS", "PAID KWD", "REFUNDS", "BACK KWD")

DIFFERENT: Final = 2
"""Exit code when the two sides differ."""

ABOUT: Final = f"""\
Compare a gateway's settlement file (CSV; delimiter, encoding and header are found out) with the ledger. A row
is matched by our track id first, by payment id or reference second. Missing here: the file has it, the ledger
not. Missing there: the ledger captured it in the period, the file has no row.

The period is --from to --to, or else the days the file names. Amounts are read exactly: 5.25 is 5.250, more
than three decimals are refused. Fields for --columns: {", ".join(FIELDS)};
an empty name leaves a column unread (--columns date=).

Exit code: 0 all matched; 2 differences; 1 the file cannot be read, or another error.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="settlement file (CSV)")
    parser.add_argument("--provider", default="", help="gateway (default: PAYMENTS)")
    parser.add_argument("--from", dest="first", type=day, metavar="DATE", help="first day of the period")
    parser.add_argument("--to", dest="last", type=day, metavar="DATE", help="last day of the period")
    parser.add_argument(
        "--tolerance-days",
        type=int,
        default=1,
        metavar="DAYS",
        help="how far the file's day of a payment may be from ours (default: 1)",
    )
    parser.add_argument(
        "--columns", default="", metavar="track=…,amount=…", help="names of columns that are not recognised"
    )


async def run(desk: Desk, arguments: argparse.Namespace) -> int:
    """Do it; the exit code.

    Raises:
        NotPossible: the file cannot be read; names the row and the column.
        Unavailable: the ledger does not answer.
    """
    provider = arguments.provider or desk.provider
    today = local(desk.clock.now()).date()
    file = Settlement(arguments.file, naming(provider, _overrides(arguments.columns)), today)
    matching = Matching(desk.ledger, provider, max(0, arguments.tolerance_days))
    rows = file.rows()
    while batch := list(islice(rows, BATCH)):
        await matching.take(batch)
    first, last = _period(arguments, matching)
    await matching.rest(first, last)
    if arguments.json:
        show_json(_json(arguments.file, provider, first, last, file.skipped, matching))
    else:
        say(*_lines(arguments.file, provider, first, last, file.skipped, matching))
    return DIFFERENT if matching.differences else 0


def _overrides(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if any(not equals for _, equals, _ in pairs):
        raise NotPossible("--columns: expected track=Name,amount=Name")
    return {field.strip(): name.strip() for field, _, name in pairs}


def _period(arguments: argparse.Namespace, matching: Matching) -> tuple[date, date]:
    first = arguments.first or matching.first
    last = arguments.last or matching.last
    if first is None or last is None:
        raise NotPossible("the file names no days: say --from and --to")
    if first > last:
        raise NotPossible(f"--from {first} is after --to {last}")
    return first, last


def _lines(path: Path, provider: str, first: date, last: date, skipped: int, found: Matching) -> list[str]:
    rows = found.theirs.payments.count + found.theirs.refunds.count
    skips = f", {skipped} more without money" if skipped else ""
    lines = [f"{path.name}: {provider}, {first} to {last}, {rows} rows of money{skips}", ""]
    sums = [("File", found.theirs), ("Ledger", found.ours), ("Matched", found.matched)]
    totals = [[name, *_sums(each)] for name, each in sums]
    lines += table(_TOTALS, totals, right=_TOTALS[1:])
    if not found.differences:
        return [*lines, "", "All matched."]
    kinds = Counter(each.kind for each in found.differences)
    counts = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in kinds.items())
    headers = ["WHAT", "ROW", "ORDER", "NUMBER", "FILE", "LEDGER", "NOTE"]
    lines += ["", f"Differences: {counts}", ""]
    lines += table(
        headers, (_row(each) for each in found.differences[:_SHOWN]), right=("ROW", "FILE", "LEDGER")
    )
    more = len(found.differences) - _SHOWN
    return [*lines, f"… and {more} more; --json lists all"] if more > 0 else lines


def _sums(sums: Sums) -> list[str]:
    payments, refunds = sums.payments, sums.refunds
    return [str(payments.count), signed(payments.fils), str(refunds.count), signed(refunds.fils)]


def _row(each: Difference) -> list[str]:
    what = each.kind.replace("_", " ") + (" (refund)" if each.refund else "")
    theirs = "-" if each.theirs is None else signed(each.theirs)
    ours = "-" if each.ours is None else signed(each.ours)
    return [what, str(each.row or "-"), each.order or "-", each.number, theirs, ours, each.note]


def _json(
    path: Path, provider: str, first: date, last: date, skipped: int, found: Matching
) -> dict[str, Any]:
    return {
        "file": path.name,
        "gateway": provider,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "rows": found.theirs.payments.count + found.theirs.refunds.count,
        "skipped": skipped,
        "totals": {"file": _sums_json(found.theirs), "ledger": _sums_json(found.ours)},
        "matched": _sums_json(found.matched),
        "differences": [
            {
                "kind": each.kind,
                "refund": each.refund,
                "row": each.row or None,
                "order": each.order,
                "number": each.number,
                "file": None if each.theirs is None else amount(each.theirs),
                "ledger": None if each.ours is None else amount(each.ours),
                "note": each.note,
                "edge": each.edge,
            }
            for each in found.differences
        ],
    }


def _sums_json(sums: Sums) -> dict[str, Any]:
    return {
        "payments": {"count": sums.payments.count, **amount(sums.payments.fils)},
        "refunds": {"count": sums.refunds.count, **amount(sums.refunds.fils)},
    }
