"""What the payment pages say, and how it becomes HTML. No script; every value is escaped."""

from collections.abc import Callable, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Final, Protocol

from bot.dialogs.checkout import Standing, Status, counts, describe, receipt, refused, review, terms
from bot.domain import Item
from bot.i18n.text import N_, NP_, Arg, Code, Hour, Ltr, Money, Text, say
from bot.model import Chat, Span

Render = Callable[[Arg, str], tuple[Span, ...]]
"""`bot.i18n.render.Renderer.render`."""

PAYABLE: Final = (Status.NONE, Status.REFUSED)
"""Standings in which the page shows the button."""

_WEB = files("bot.web")
_PAGE: Final = Template((_WEB / "pay.html").read_text("utf-8"))
STYLE: Final = (_WEB / "pay.css").read_text("utf-8")

_TAGS: Final = {"": ("", ""), "b": ("<strong>", "</strong>"), "code": ('<code dir="ltr">', "</code>")}
_OWN_NAMES: Final = {"ar": "العربية", "en": "English"}

LINES: Final = 20
"""Lines of an order the page lists; of the rest it says how many there are."""

_FINES: Final = N_("Payment of fines")
_RENEWALS: Final = N_("Residency renewal")
_BOTH: Final = N_("Residency renewal and fines")
_TRIAL: Final = N_("A trial: no money is taken here and nothing is recorded at the ministry.")
_BACK: Final = N_("Back to the chat")


class Bill(Protocol):
    """An order as its page shows it; `bot.services.orders.Bill`."""

    @property
    def order(self) -> str: ...
    @property
    def chat(self) -> Chat: ...
    @property
    def language(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def items(self) -> tuple[Item, ...]: ...
    @property
    def fils(self) -> int: ...
    @property
    def until(self) -> int: ...
    @property
    def live(self) -> bool: ...
    @property
    def standing(self) -> Standing: ...


class Pages:
    """Builds the pages.

    Args:
        render: a text in a language, as spans.
        host: where the button leads, as residents read it.
        payee: who is paid; the operator of the service when empty.
        trial: the gateway is the sandbox's, so no money moves.
    """

    def __init__(self, render: Render, host: str, payee: str = "", *, trial: bool = False) -> None:
        self._render = render
        self._host = host
        self._payee: Arg = payee or say(N_("the operator of this service"))
        self._trial = trial

    def bill(self, bill: Bill, language: str) -> str:
        """What will be paid, with the button."""
        fines, renewals = counts(bill.items)
        parts = [
            *([self._p(say(_TRIAL), language, "note")] if self._trial else []),
            self._lines(bill, language),
            self._p(say(N_("Paid to {payee}"), payee=self._payee), language),
            self._p(say(N_("Total *{total}*"), total=Money(bill.fils)), language, "total"),
            *(self._p(each, language) for each in (terms(fines, renewals) if renewals else ())),
        ]
        if bill.standing.status is Status.REFUSED:
            parts.append(self._p(refused(bill.standing), language, "note"))
        pay = self._text(say(N_("Pay {amount}"), amount=Money(bill.fils)), language)
        parts += [
            f'<form method="post" action="?lang={language}"><button>{pay}</button></form>',
            self._p(say(N_("The button opens the payment page on {host}."), host=Ltr(self._host)), language),
            self._p(say(N_("The link works until {until}."), until=Hour(bill.until)), language),
            self._p(say(N_("We never ask for your card number or PIN here.")), language),
            self._p(say(N_("In doubt about this page? Paste its address into your chat first.")), language),
            self._p(
                say(N_("The payment is recorded in the ministry's registry through this service.")), language
            ),
            self._p(
                say(
                    N_(
                        "This is not the ministry's page; you can also pay in Sahel or on the ministry's site."
                    )
                ),
                language,
                "note",
            ),
        ]
        title = (_BOTH if fines else _RENEWALS) if renewals else _FINES
        return self.page(language, say(title), "".join(parts))

    def standing(self, bill: Bill, language: str, back: str, again: str, *, refresh: int) -> str:
        """How the order stands.

        Args:
            bill: the order.
            language: of the page.
            back: address of the chat.
            again: address at which this page asks once more, empty when there is no point.
            refresh: seconds after which the browser goes to ``again`` by itself, 0 for never.
        """
        title, texts = _standing(bill)
        content = "".join(self._p(text, language) for text in texts)
        if self._trial:
            content = self._p(say(_TRIAL), language, "note") + content
        if bill.standing.paper:
            content += self._way(say(N_("🔗 Receipt (PDF)")), bill.standing.paper, language)
        if again:
            content += self._way(say(N_("Ask again")), again, language)
        content += self._way(say(_BACK), back, language)
        head = (
            f'<meta http-equiv="refresh" content="{refresh};url={escape(again)}">'
            if again and refresh
            else ""
        )
        return self.page(language, title, content, head)

    def plain(
        self, title: Text, texts: Sequence[Text], language: str, ways: Sequence[tuple[Text, str]]
    ) -> str:
        """A page of a few sentences and ways on (label, address)."""
        content = "".join(self._p(text, language) for text in texts)
        content += "".join(self._way(label, url, language) for label, url in ways)
        return self.page(language, title, content)

    def page(self, language: str, title: Text, content: str, head: str = "") -> str:
        """The frame around ``content``, which is HTML; so is ``head``."""
        other = "en" if language == "ar" else "ar"
        return _PAGE.substitute(
            lang=language,
            dir="rtl" if language == "ar" else "ltr",
            other=other,
            other_name=_OWN_NAMES[other],
            refresh=head,
            title=self._text(title, language),
            content=content,
        )

    def _lines(self, bill: Bill, language: str) -> str:
        rows = "".join(
            f"<li><span>{self._text(describe(item), language)}</span>"
            f'<bdi class="sum">{self._text(Money(item.fils), language)}</bdi></li>'
            for item in bill.items[:LINES]
        )
        if rest := bill.items[LINES:]:
            more = self._text(say(NP_("and {n} more line", "and {n} more lines"), n=len(rest)), language)
            sum_ = self._text(Money(sum(item.fils for item in rest)), language)
            rows += f'<li><span>{more}</span><bdi class="sum">{sum_}</bdi></li>'
        whose = self._p(say(N_("Number {subject}"), subject=Code(bill.subject)), language)
        order = self._p(say(N_("Order {order}"), order=Code(bill.order)), language, "quiet")
        return f'{whose}{order}<ul class="lines">{rows}</ul>'

    def _way(self, label: Text, url: str, language: str) -> str:
        return f'<p><a class="button plain" href="{escape(url)}">{self._text(label, language)}</a></p>'

    def _p(self, text: Arg, language: str, look: str = "") -> str:
        inner = self._text(text, language).replace("\n", "<br>")
        return f'<p class="{look}">{inner}</p>' if look else f"<p>{inner}</p>"

    def _text(self, arg: Arg, language: str) -> str:
        spans = self._render(arg, language)
        return "".join(_TAGS[span.style][0] + escape(span.text) + _TAGS[span.style][1] for span in spans)


def _standing(bill: Bill) -> tuple[Text, tuple[Arg, ...]]:
    """Title and text for an order that has no button now."""
    how = bill.standing
    match how.status:
        case Status.PAID | Status.POSTED:
            return say(N_("Payment received")), (receipt(how),)
        case Status.REFUSED:
            return say(N_("Payment refused")), (refused(how),)
        case Status.CANCELLED:
            return say(N_("Order closed")), (say(N_("This order was closed and nothing was taken.")),)
        case Status.REVIEW:
            return say(N_("Payment under review")), (review(bill.order, how.reason, how.shares),)
        case _:
            return say(N_("Not confirmed yet")), (
                say(
                    N_("The bank has not confirmed the payment of order {order} yet."), order=Code(bill.order)
                ),
                say(N_("Do not pay again. We ask the bank every few minutes and write to you in the chat.")),
            )


def expired() -> tuple[Text, tuple[Text, ...]]:
    """Title and text for a link whose time is over."""
    return say(N_("The link has expired")), (
        say(N_("The link has expired and nothing was taken through this page.")),
        say(N_("Ask for a new link in the chat.")),
    )


def unknown() -> tuple[Text, tuple[Text, ...]]:
    """Title and text for a token that is not ours."""
    return say(N_("This link is not known")), (
        say(N_("No payment belongs to this link and nothing was taken through this page.")),
        say(N_("Open the link from your chat, or ask there for a new one.")),
    )


def gateway_down() -> tuple[Text, tuple[Text, ...]]:
    """Title and text for a gateway that does not answer."""
    return say(N_("The payment page does not answer")), (
        say(N_("The payment page does not answer now, so no payment was begun.")),
        say(N_("If you have already paid, do not pay again.")),
        say(N_("Try again in a few minutes, or pay in Sahel or on the ministry's site.")),
    )


def changed() -> tuple[Text, tuple[Text, ...]]:
    """Title and text for a renewal that cannot be had for its price any more."""
    return say(N_("The price changed")), (
        say(N_("The price or the conditions of a renewal changed meanwhile. Nothing was taken.")),
        say(N_("Look at today's price in your chat and ask there for a new link.")),
    )


def not_now() -> tuple[Text, tuple[Text, ...]]:
    """Title and text for a ledger that does not answer."""
    return say(N_("This page cannot be shown now")), (
        say(N_("If you have already paid, do not pay again.")),
        say(N_("Try again in a few minutes; news of your payment also come to your chat.")),
    )


def elsewhere() -> tuple[Text, tuple[Text, ...]]:
    """Title and text for a button pressed on another site's page."""
    return say(N_("Nothing was paid")), (
        say(N_("Open the link from your chat and press the button on our page.")),
    )


BACK: Final = say(_BACK)
TRY_AGAIN: Final = say(N_("Try again"))
