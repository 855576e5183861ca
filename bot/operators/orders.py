"""``iqamati orders``: find orders by any of their numbers, or list them."""

import argparse
from datetime import date, datetime, time
from typing import Any, Final

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from bot.clock import KUWAIT
from bot.domain import Item
from bot.errors import BotError
from bot.operators.desk import Desk
from bot.operators.out import amount, iso, kwd, say, show_json, signed, table, to_the_second, when
from bot.services.ledger import Attempt, Order, OrderStatus, Posting, Reads, RefundRow
from bot.services.orders.refunds import NotPossible

_MOST_FOUND: Final = 20
"""Orders shown in full for one number; a bank reference could repeat over the years."""

_MOST_LINES: Final = 60
"""Lines of an order shown to people."""

ABOUT: Final = """\
Find orders by order reference, track id, payment id, bank or gateway reference, or a refund's key; without a
number, list the newest ones. Nothing shown names a person: the number an order is for is masked, its chat is
a channel and a blind name. Each part of an order is recorded at the registry apart. --reveal shows the chat's id and writes down who looked.

Exit code: 0 found, 1 not found or an error.
"""


class Found(msgspec.Struct, frozen=True):
    """An order with all that hangs on it.

    ``postings`` goes by part; ``chat_id`` is empty unless its reveal was audited.
    """

    order: Order
    channel: str
    chat_id: str
    items: tuple[Item, ...]
    postings: dict[int, Posting]
    attempts: list[Attempt]
    refunds: list[RefundRow]
    history: list[dict[str, Any]]


def add(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("query", nargs="?", default="", metavar="NUMBER", help="any number of an order")
    parser.add_argument("--status", choices=[str(each) for each in OrderStatus], default="")
    parser.add_argument("--since", type=day, metavar="DATE", help="made on or after this day (2026-11-21)")
    parser.add_argument("--limit", type=int, default=20, help="at most so many in a list (default: 20)")
    parser.add_argument("--history", action="store_true", help="who did what, when")
    parser.add_argument("--reveal", action="store_true", help="show the chat's id; is written down")


def day(text: str) -> date:
    """A day as it is written on the command line.

    Raises:
        argparse.ArgumentTypeError: not ISO 8601.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("expected a day such as 2026-11-21") from None


def midnight(of: date) -> int:
    """Epoch seconds of the day's beginning in Kuwait."""
    return int(datetime.combine(of, time(), KUWAIT).timestamp())


async def run(desk: Desk, arguments: argparse.Namespace) -> int:
    """Do it; the exit code.

    Raises:
        NotPossible: the arguments contradict one another, or a reveal cannot be written down.
    """
    query = arguments.query.strip()
    if arguments.reveal and not query:
        raise NotPossible("--reveal needs the number of an order")
    async with desk.ledger.read() as read:
        if query:
            orders = await read.find_orders(query, _MOST_FOUND)
        else:
            since = midnight(arguments.since) if arguments.since else 0
            orders = await read.recent_orders(arguments.status, since, max(1, arguments.limit))
        whole = query or arguments.history or arguments.json
        found = [await _found(desk, read, order) for order in orders] if whole else []
    if query and not orders:
        say('{"orders": []}') if arguments.json else say("No order has that number.")
        return 1
    if arguments.reveal:
        found = await _reveal(desk, found)
    if arguments.json:
        show_json({"orders": [_json(each, history=arguments.history) for each in found]})
    elif found:
        for position, each in enumerate(found):
            say(*([""] if position else []), *_card(each, history=arguments.history))
    else:
        say(*_list(desk, orders))
    return 0


async def _found(desk: Desk, read: Reads, order: Order) -> Found:
    events = await read.history(order.id) + await read.refund_history(order.id)
    chat = desk.chat(order)
    return Found(
        order=order,
        channel="?" if chat is None else chat.channel,
        chat_id="",
        items=await read.items(order.id),
        postings={each.part: each for each in await read.postings(order.id)},
        attempts=await read.attempts(order.id),
        refunds=await read.order_refunds(order.id),
        history=sorted(events, key=lambda row: int(row["at"])),
    )


async def _reveal(desk: Desk, found: list[Found]) -> list[Found]:
    """Chats in clear, once it is written down who looks. No line about it, no look."""
    try:
        async with desk.ledger.write() as work:
            for each in found:
                await work.audit(desk.who, "chat revealed", each.order.ref, desk.clock.now())
    except (BotError, SQLAlchemyError):
        raise NotPossible("the audit trail cannot be written, so nothing is revealed") from None
    chats = [desk.chat(each.order) for each in found]
    return [
        msgspec.structs.replace(each, chat_id="?" if chat is None else chat.id)
        for each, chat in zip(found, chats, strict=True)
    ]


# --- for people ----------------------------------------------------------------------------------


def _list(desk: Desk, orders: list[Order]) -> list[str]:
    if not orders:
        return ["No orders."]
    rows: list[list[str]] = []
    for order in orders:
        chat = desk.chat(order)
        channel = "?" if chat is None else chat.channel
        row = [order.ref, order.status, signed(order.total_fils), order.subject, channel]
        rows.append([*row, when(order.created), when(order.paid_at), order.bank])
    headers = ["ORDER", "STATUS", "KWD", "FOR", "CHANNEL", "MADE", "PAID", "BANK REFERENCE"]
    return table(headers, rows, right=("KWD",))


def _card(found: Found, *, history: bool) -> list[str]:
    order = found.order
    state = f"{order.status} ({order.reason})" if order.reason else str(order.status)
    chat = f"{found.channel} {found.chat_id or order.chat_blind}"
    facts = [
        ("Order", order.ref),
        ("Status", state),
        ("Amount", kwd(order.total_fils)),
        ("For", order.subject),
        ("Chat", chat if found.chat_id else f"{chat} (blind)"),
        ("Made", when(order.created)),
        ("Paid", when(order.paid_at) or "-"),
        ("Bank", order.bank or "-"),
    ]
    lines = [f"{name:<8}{value}" for name, value in facts]
    lines += ["", *_items(found)]
    if found.attempts:
        rows = [_attempt_row(each) for each in found.attempts]
        headers = ["TRACK ID", "GATEWAY", "STATUS", "CAPTURED", "PAYMENT ID", "BANK REFERENCE", "BEGUN"]
        lines += ["", *table(headers, rows, right=("CAPTURED",))]
    if found.refunds:
        refunds = [
            [each.key, each.status, signed(each.fils), each.reference, each.who, each.why, when(each.updated)]
            for each in found.refunds
        ]
        headers = ["REFUND", "STATUS", "KWD", "REFERENCE", "BY", "BECAUSE", "SINCE"]
        lines += ["", *table(headers, refunds, right=("KWD",))]
    if history:
        events = [[to_the_second(row["at"]), row["who"], row["what"], row["status"]] for row in found.history]
        lines += ["", *table(["WHEN", "WHO", "WHAT", "STATUS"], events)]
    return lines


def _items(found: Found) -> list[str]:
    """What was paid, and how each part of it stands at the registry."""
    rows: list[list[str]] = []
    for item in found.items[:_MOST_LINES]:
        posting = found.postings.get(item.part)
        stands = "-" if posting is None else str(posting.status)
        if posting is not None and posting.reason:
            stands = f"{stands} ({posting.reason})"
        years = str(item.years) if item.years else ""
        rows.append(
            [str(item.part + 1), item.number, item.kind, years, item.until, signed(item.fils), stands]
        )
    headers = ["PART", "NUMBER", "KIND", "YEARS", "UNTIL", "KWD", "REGISTRY"]
    lines = table(headers, rows, right=("PART", "YEARS", "KWD"))
    more = len(found.items) - _MOST_LINES
    return [*lines, f"and {more} more lines (--json shows all)"] if more > 0 else lines


def _item_json(item: Item, posting: Posting | None) -> dict[str, Any]:
    return {
        "number": item.number,
        "kind": item.kind,
        "amount": amount(item.fils),
        "years": item.years,
        "until": item.until,
        "part": item.part + 1,
        "registry": None if posting is None else posting.status,
        "reason": "" if posting is None else posting.reason,
        "since": None if posting is None else iso(posting.at),
    }


def _attempt_row(each: Attempt) -> list[str]:
    state = f"{each.status} ({each.reason})" if each.reason else str(each.status)
    captured = signed(each.captured) if each.captured else "-"
    return [each.track, each.provider, state, captured, each.payment, each.bank, when(each.created)]


# --- for programs --------------------------------------------------------------------------------


def _json(found: Found, *, history: bool) -> dict[str, Any]:
    order = found.order
    chat = {"channel": found.channel, "blind": order.chat_blind}
    value: dict[str, Any] = {
        "order": order.ref,
        "status": order.status,
        "reason": order.reason,
        "amount": amount(order.total_fils),
        "subject": order.subject,
        "chat": {**chat, "id": found.chat_id} if found.chat_id else chat,
        "made": iso(order.created),
        "paid": iso(order.paid_at),
        "bank_reference": order.bank,
        "lines": [_item_json(item, found.postings.get(item.part)) for item in found.items],
        "payments": [_attempt_json(each) for each in found.attempts],
        "refunds": [refund_json(each) for each in found.refunds],
    }
    if history:
        value["history"] = [
            {"at": iso(row["at"]), "who": row["who"], "what": row["what"], "status": row["status"]}
            for row in found.history
        ]
    return value


def _attempt_json(each: Attempt) -> dict[str, Any]:
    return {
        "track_id": each.track,
        "gateway": each.provider,
        "gateway_reference": each.provider_ref,
        "status": each.status,
        "reason": each.reason,
        "asked": amount(each.fils),
        "captured": amount(each.captured),
        "payment_id": each.payment,
        "bank_reference": each.bank,
        "transaction_id": each.bank_transaction,
        "authorisation": each.auth,
        "begun": iso(each.created),
    }


def refund_json(each: RefundRow) -> dict[str, Any]:
    """A refund in JSON."""
    return {
        "key": each.key,
        "status": each.status,
        "amount": amount(each.fils),
        "reference": each.reference,
        "because": each.why,
        "by": each.who,
        "asked": iso(each.created),
        "since": iso(each.updated),
    }
