"""``iqamati refund``: give money of an order back, or record what the gateway's portal says of a refund."""

import argparse
import sys
from typing import Any, Final

from bot.operators.desk import Desk
from bot.operators.orders import refund_json
from bot.operators.out import kwd, say, show_json, when
from bot.services.ledger import OrderStatus, RefundRow, RefundStatus
from bot.services.orders.refunds import NotPossible, Offer
from bot.services.payments import fils_of

ABOUT: Final = """\
Give money of an order back to the card it came from: all that is left of the payment, or --amount of it. The
gateway is asked first what it captured. A second capture is named by its --track id. Where the gateway cannot
say how a refund ended, look into its portal and record it with --resolve. A refund that was made in the
portal to begin with (KNET calls refunds by its API not certified) is recorded with --in-portal.

Exit code: 0 the money went back (or the refusal is recorded); 3 not known yet; 1 refused, or an error.
"""

UNSAID: Final = 3
"""Exit code while the gateway has not said the last word."""

_WORDS: Final = {"done": True, "refused": False}


def add(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("order", metavar="ORDER", help="order reference, such as IQ-7F3C-9A1D")
    parser.add_argument("--track", default="", help="which of the order's payments, by its track id")
    parser.add_argument("--amount", type=_fils, metavar="5.250", help="KWD, three decimals")
    parser.add_argument("--because", default="", metavar="TEXT", help="the reason, without personal data")
    parser.add_argument("--yes", action="store_true", help="do not ask for a confirmation")
    parser.add_argument(
        "--resolve",
        nargs=2,
        metavar=("KEY", "done|refused"),
        help="record what the gateway's portal says of the refund KEY",
    )
    parser.add_argument(
        "--in-portal",
        default="",
        metavar="REFERENCE",
        help="the money went back in the gateway's portal, under this number: only record it",
    )
    parser.add_argument("--reference", default="", help="with --resolve: the portal's number of the refund")


def _fils(text: str) -> int:
    try:
        return fils_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write three decimals, such as 5.250") from None


async def run(desk: Desk, arguments: argparse.Namespace) -> int:
    """Do it; the exit code.

    Raises:
        NotPossible: refused before the gateway was asked to give anything back.
        Unavailable: the gateway does not say what it captured; nothing was begun.
    """
    order = arguments.order.strip().upper()
    if arguments.resolve:
        refund = await _resolve(desk, order, arguments)
    else:
        if not arguments.because.strip():
            raise NotPossible("--because is missing: say why the money goes back")
        refund = await _give_back(desk, order, arguments)
    return await _tell(desk, order, refund, as_json=arguments.json, resolved=bool(arguments.resolve))


async def _give_back(desk: Desk, order: str, arguments: argparse.Namespace) -> RefundRow:
    portal = arguments.in_portal.strip()
    track = arguments.track.strip().upper()
    offer = await desk.refunds.offer(order, track=track, may_be_back=bool(portal))
    fils = offer.left if arguments.amount is None else arguments.amount
    if not 0 < fils <= offer.left:
        raise NotPossible(f"at most {kwd(max(offer.left, 0))} can go back")
    _confirm(offer, fils, portal=portal, yes=arguments.yes)
    track, why = offer.attempt.track, arguments.because
    if portal:
        return await desk.refunds.made_elsewhere(
            order, track=track, fils=fils, reference=portal, why=why, who=desk.who
        )
    return await desk.refunds.refund(order, track=track, fils=fils, why=why, who=desk.who)


async def _resolve(desk: Desk, order: str, arguments: argparse.Namespace) -> RefundRow:
    key, word = arguments.resolve
    if word not in _WORDS:
        raise NotPossible("--resolve: the portal says `done` or `refused`")
    return await desk.refunds.resolve(
        order, key.strip().upper(), done=_WORDS[word], reference=arguments.reference, who=desk.who
    )


def _confirm(offer: Offer, fils: int, *, portal: str, yes: bool) -> None:
    """Ask once more, naming amount and order; a script must have said ``--yes``."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise NotPossible("nobody to ask: add --yes")
    order, attempt = offer.order, offer.attempt
    paid = f"paid {when(order.paid_at)}, " if order.paid_at else ""
    sys.stderr.write(
        f"{'Record that the portal gave' if portal else 'Give'} back {kwd(fils)} of order {order.ref}? "
        f"({paid}{kwd(offer.captured)} captured by {attempt.provider}, track id {attempt.track})\n"
        "Type the order's reference to go on: "
    )
    sys.stderr.flush()
    if sys.stdin.readline().strip().upper() != order.ref:
        raise NotPossible("not confirmed; nothing was given back")


async def _tell(desk: Desk, ref: str, refund: RefundRow, *, as_json: bool, resolved: bool) -> int:
    async with desk.ledger.read() as read:
        order = await read.order(ref)
        recorded = order is not None and await read.was_posted(order.id)
    status = "" if order is None else str(order.status)
    keeps = recorded and refund.status is RefundStatus.DONE
    if as_json:
        value: dict[str, Any] = {"order": ref, "order_status": status, "registry_keeps_record": keeps}
        show_json({**value, "refund": refund_json(refund)})
    else:
        say(*_lines(ref, refund, status, keeps=keeps))
    if refund.status.is_open:
        return UNSAID
    return 0 if refund.status is RefundStatus.DONE or resolved else 1


def _lines(ref: str, refund: RefundRow, order_status: str, *, keeps: bool) -> list[str]:
    head = f"Refund {refund.key}: {kwd(refund.fils)} of order {ref}: {refund.status}"
    match refund.status:
        case RefundStatus.DONE:
            reference = f" (its number there: {refund.reference})" if refund.reference else ""
            lines = [f"{head}{reference}.", "The running service tells the resident."]
            if order_status == OrderStatus.REFUNDED:
                lines.append("Nothing of the payment is left: the order is refunded and its fines are free.")
            if keeps:
                lines.append(
                    "NOTE: the registry still has this payment recorded, and its contract has no way to take"
                    " it back. Tell the department."
                )
            return lines
        case RefundStatus.REFUSED:
            return [f"{head}. Nothing went back."]
        case RefundStatus.PENDING:
            return [f"{head}. The gateway took it on; the running service asks until it is done."]
        case _:
            return [
                f"{head}. The gateway did not say whether it went. Do not ask again elsewhere.",
                "The running service finds out where the gateway can be asked. Otherwise look into its portal, then:",
                f"  iqamati refund {ref} --resolve {refund.key} done|refused",
            ]
