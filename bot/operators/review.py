"""``iqamati review``: what needs a person, why, and what to do next."""

import argparse
from typing import Any, Final

import msgspec

from bot.operators.desk import Desk
from bot.operators.out import amount, iso, kwd, say, show_json, table, when
from bot.services.ledger import Capture, Claim, Notice, Order, PaidBack, Reads, RefundStatus
from bot.services.orders.parts import DAY, FINAL_REFUSALS, PARTLY
from bot.services.orders.refunds import NotPossible
from bot.services.payments import amount_text
from bot.services.payments.gateways import Gateways

LATE: Final = 3600
"""Seconds after which what happens by itself within minutes is late."""

LOOK_BACK: Final = 7 * DAY
"""Seconds for which a notification that claimed something untrue is worth a look."""

FOUND: Final = 2
"""Exit code when something needs a person."""

ABOUT: Final = """\
List what needs a person: payments and orders in review, refunds nobody knows the end of, payments the registry
has not recorded and chats not told for over an hour, notifications that claimed what is not true.
--close ends the review of an order nothing was taken for (its gateway is asked first; what it contradicts itself about
is closed with --despite-suspect only, which is written down). --retry has the running
service record again what the registry had refused of a payment; what it has recorded stays as it is.

Exit code: 0 nothing to do (or it is done); 2 something needs a person; 1 an error.
"""

_WHY: Final = {
    "second": "a second payment of an order that was paid already",
    "amount": "the gateway took another amount than asked for",
    "currency": "the gateway took another currency than asked for",
    "track": "the gateway answered about another payment",
    "silent": "the gateway did not say for a day how the payment ended",
    "suspect": "the gateway contradicts itself",
    "refunded": "the gateway reports it refunded, and not by us",
    "forgotten": "it arrived after everything of its order was deleted: give it back",
}


class Matter(msgspec.Struct, frozen=True):
    """Something that needs a person.

    Attributes:
        kind: a stable word for programs.
        order: the order's reference, may be empty.
        about: a track id, a refund's key or a notice's name.
        fils: the money it is about, 0 for none.
        since: epoch seconds, 0 when unknown.
    """

    kind: str
    order: str
    about: str
    fils: int
    since: int
    why: str
    next: str


def add(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--close", metavar="ORDER", default="", help="end the review; nothing was taken")
    what.add_argument("--retry", metavar="ORDER", default="", help="record the payment at the registry again")
    parser.add_argument(
        "--despite-suspect",
        action="store_true",
        help="with --close: the gateway contradicts itself, and you know from elsewhere that nothing was taken",
    )
    parser.add_argument("--because", default="", metavar="TEXT", help="with --close: the reason")


async def run(desk: Desk, arguments: argparse.Namespace) -> int:
    """Do it; the exit code.

    Raises:
        NotPossible: what was asked for cannot be done; nothing was changed.
        Unavailable: the gateway or the ledger does not answer.
    """
    if arguments.despite_suspect and not arguments.close:
        raise NotPossible("--despite-suspect goes with --close")
    if arguments.close or arguments.retry:
        return await _decide(desk, arguments)
    now = desk.clock.now()
    async with desk.ledger.read() as read:
        matters = await collect(read, desk.gateways, now)
        refused = await read.audit_count("notification refused", now - DAY)
    if arguments.json:
        show_json({"matters": [_json(each) for each in matters], "notifications_refused_last_day": refused})
    else:
        say(*_lines(matters), f"Notifications refused in the last day: {refused}")
    return FOUND if matters else 0


async def _decide(desk: Desk, arguments: argparse.Namespace) -> int:
    if arguments.close:
        if not arguments.because.strip():
            raise NotPossible("--because is missing: say why nothing more is needed")
        order = await desk.closing.close(
            arguments.close.strip().upper(),
            why=arguments.because,
            who=desk.who,
            despite_suspect=arguments.despite_suspect,
        )
        done = f"Order {order.ref}: review ended; it is {order.status}."
    else:
        order = await desk.closing.retry_posting(arguments.retry.strip().upper(), who=desk.who)
        done = f"Order {order.ref}: the running service records it again now."
    if arguments.json:
        show_json({"order": order.ref, "order_status": order.status})
    else:
        say(done)
    return 0


async def collect(read: Reads, gateways: Gateways, now: int) -> list[Matter]:
    """All that needs a person at ``now``, the most urgent kinds first."""
    attempts = await read.attempts_in_review()
    named = {each.order for each in attempts}
    orders = [each for each in await read.orders_in_review() if each.ref not in named]
    matters = [_attempt(each) for each in attempts]
    matters += [_order(each, await read.refused_fils(each.id)) for each in orders]
    matters += [_refund(each, now) for each in await read.open_refunds() if _stuck(each, gateways, now)]
    matters += [_unposted(each) for each in await read.unposted(now - LATE)]
    matters += [_untold(notice, ref) for notice, ref in await read.untold(now - LATE)]
    matters += [_claim(each, "false_claim") for each in await read.false_claims(now - LOOK_BACK, now - LATE)]
    matters += [_claim(each, "altered_claim") for each in await read.altered_claims(now - LOOK_BACK)]
    return matters


# --- what it is, why, and what to do -------------------------------------------------------------


def _attempt(found: Capture) -> Matter:
    attempt = found.attempt
    if attempt.captured:
        step = f"iqamati refund {found.order} --track {attempt.track} --because …"
    else:
        step = f"look into the gateway's portal; if nothing was taken: iqamati review --close {found.order}"
    why = _WHY.get(attempt.reason, attempt.reason)
    return Matter("payment", found.order, attempt.track, attempt.captured, found.at, why, step)


def _order(order: Order, refused: int) -> Matter:
    if order.reason == PARTLY:
        why = f"paid, and the registry refuses to record parts of it, worth {kwd(refused)}"
        step = (
            f"iqamati orders {order.ref} shows which and why; ask the department; then"
            f" iqamati review --retry {order.ref}, or iqamati refund {order.ref} --amount {amount_text(refused)}"
        )
    elif order.reason in FINAL_REFUSALS:
        why = f"paid, and the registry refuses to record it: {order.reason}"
        step = f"ask the department; then iqamati review --retry {order.ref}, or iqamati refund {order.ref}"
    else:
        why = _WHY.get(order.reason, order.reason)
        step = f"iqamati orders {order.ref} --history; then refund, or iqamati review --close {order.ref}"
    fils = order.total_fils if order.paid_at else 0
    return Matter("order", order.ref, order.bank, fils, order.updated, why, step)


def _stuck(found: PaidBack, gateways: Gateways, now: int) -> bool:
    """Whether an open refund is a person's business: not while the sweep still finds out by itself."""
    refund, gateway = found.refund, gateways.all.get(found.attempt.provider)
    if refund.due is None or gateway is None:
        return True
    if refund.status is RefundStatus.UNKNOWN and not gateway.keyed_refunds:
        return True  # the service may only ask, and KNET has no answer to that
    return now - refund.created > (DAY if refund.status is RefundStatus.PENDING else LATE)


def _refund(found: PaidBack, now: int) -> Matter:
    refund = found.refund
    hours = (now - refund.created) // 3600
    why = f"refund {refund.status} for {hours} h: the gateway has not said how it ended"
    step = f"look into its portal; then iqamati refund {found.order} --resolve {refund.key} done|refused"
    if refund.status is not RefundStatus.UNKNOWN and refund.due is not None:
        step = "look into its portal; the running service asks on"
    return Matter("refund", found.order, refund.key, refund.fils, refund.created, why, step)


def _unposted(order: Order) -> Matter:
    why = f"paid, and not recorded at the registry after {order.post_tries} more tries"
    step = "see that the service runs and REGISTRY_URL answers; it is tried again by itself"
    return Matter("unposted", order.ref, order.bank, order.total_fils, order.paid_at, why, step)


def _untold(notice: Notice, ref: str) -> Matter:
    why = f"the chat does not know yet: {notice.kind}"
    step = "see that the service runs and its Redis answers; it is told by itself"
    return Matter("untold", ref, notice.name, 0, 0, why, step)


def _claim(claim: Claim, kind: str) -> Matter:
    if kind == "altered_claim":
        why = f"a notification of {claim.provider} was repeated with another amount"
    else:
        why = f"a notification of {claim.provider} claims {claim.result}, the payment is {claim.status}"
    step = f"iqamati orders {claim.track} --history; believe the gateway's portal, not the notification"
    return Matter(kind, claim.order, claim.track, claim.fils, claim.at, why, step)


def _lines(matters: list[Matter]) -> list[str]:
    if not matters:
        return ["Nothing needs a person."]
    rows = [
        [each.kind, each.order, kwd(each.fils) if each.fils else "", when(each.since), each.why]
        for each in matters
    ]
    lines = table(["WHAT", "ORDER", "MONEY", "SINCE", "WHY"], rows, right=("MONEY",))
    told = [lines[0]]
    for line, matter in zip(lines[1:], matters, strict=True):
        told += [line, f"    next: {matter.next}"]
    return told


def _json(matter: Matter) -> dict[str, Any]:
    return {
        "kind": matter.kind,
        "order": matter.order,
        "about": matter.about,
        "amount": amount(matter.fils),
        "since": iso(matter.since),
        "why": matter.why,
        "next": matter.next,
    }
