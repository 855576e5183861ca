"""Receipts in a browser: the PDF, and the page to which the paper's code leads.

Both addresses carry a token and nothing else; whoever holds the paper may check it, so the page says no more
than what makes the paper trustworthy. GET and HEAD only, and neither changes anything.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.clock import local
from bot.dialogs.checkout import counted
from bot.errors import Unavailable
from bot.handlers.pay.page import BACK, TRY_AGAIN, Pages, Render, not_now
from bot.handlers.private_pages import language_of, secured, token_of
from bot.i18n.text import N_, NP_, Code, Day, Hour, Money, Text, say

COMMAND: Final = "/receipts"
"""What a resident sends for the list of receipts."""

_PAGE_POLICY: Final = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
# Browsers show a PDF inside a page of their own, to which our policy applies: Chromium's needs `object-src`,
# Safari's a style attribute (crbug.com/271452). A PDF of ours holds nothing that could run.
_FILE_POLICY: Final = (
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; base-uri 'none';"
    " frame-ancestors 'none'; form-action 'none'"
)

_STANDINGS: Final[Mapping[str, Text]] = {
    "recorded": say(N_("The payment is recorded in the ministry's registry.")),
    "recording": say(N_("The payment is being recorded in the ministry's registry.")),
    "review": say(N_("A person is reviewing this payment. Do not pay again.")),
    "refunded": say(N_("The whole amount was refunded.")),
}
_RECORDS: Final = ("recorded", "recording")
"""Standings that tell of the ministry's registry, which a trial does not reach."""

_TRIAL: Final = say(N_("A trial: no money was taken and nothing was recorded at the ministry."))


class Proof(Protocol):
    """What a paper must say; `bot.services.receipts.Proof`, whose docstring holds."""

    @property
    def order(self) -> str: ...
    @property
    def total(self) -> int: ...
    @property
    def paid_at(self) -> int: ...
    @property
    def bank(self) -> str: ...
    @property
    def standing(self) -> str: ...
    @property
    def refunded(self) -> int: ...
    @property
    def trial(self) -> bool: ...
    @property
    def fines(self) -> int: ...
    @property
    def renewals(self) -> int: ...
    @property
    def refused(self) -> int: ...


class Desk(Protocol):
    """What the pages need of the receipts; `bot.services.receipts.Receipts`.

    Each raises `Unavailable` while the ledger does not answer.
    """

    async def name(self, token: str) -> str | None:
        """File name of the PDF, without printing it; None when the token opens none."""
        ...

    async def open(self, token: str) -> tuple[str, bytes] | None:
        """File name and PDF; None when the token opens none."""
        ...

    async def verify(self, token: str) -> Proof | None:
        """What the paper must say; None when the token is not ours."""
        ...


class _Site:
    def __init__(self, receipts: Desk, pages: Pages, home: str, link_days: int) -> None:
        self._receipts = receipts
        self._pages = pages
        self._home = home
        self._link_days = link_days

    async def verify(self, request: Request) -> Response:
        """GET and HEAD of ``/r/<token>``."""
        try:
            proof = await self._receipts.verify(token_of(request))
        except Unavailable:
            return self._not_now(request)
        if proof is None:
            return self._page(request, HTTPStatus.NOT_FOUND, untrusted())
        return self._page(request, HTTPStatus.OK, genuine(proof))

    async def file(self, request: Request) -> Response:
        """GET and HEAD of ``/receipts/<token>.pdf``."""
        token = token_of(request)
        try:
            if request.method == "HEAD":
                name, pdf = await self._receipts.name(token), b""
            else:
                name, pdf = await self._receipts.open(token) or (None, b"")
        except Unavailable:
            return self._not_now(request)
        if name is None:
            return self._page(request, HTTPStatus.NOT_FOUND, stale(self._link_days))
        answer = Response(pdf, media_type="application/pdf", headers=secured(_FILE_POLICY))
        answer.headers["content-disposition"] = f'inline; filename="{name}"'
        if request.method == "HEAD":
            # The length of a file that was not made is not known; 0 would be a lie.
            del answer.headers["content-length"]
        return answer

    def _not_now(self, request: Request) -> Response:
        again = f"{request.url.path}?lang={language_of(request)}"
        return self._page(request, HTTPStatus.SERVICE_UNAVAILABLE, not_now(), again)

    def _page(
        self, request: Request, status: int, said: tuple[Text, tuple[Text, ...]], again: str = ""
    ) -> Response:
        title, texts = said
        ways = [(TRY_AGAIN, again)] if again else []
        page = self._pages.plain(title, texts, language_of(request), [*ways, (BACK, self._home)])
        return Response(page, status_code=status, headers=secured(_PAGE_POLICY), media_type="text/html")


def receipt_routes(receipts: Desk, *, render: Render, home: str = "/", link_days: int = 7) -> list[Route]:
    """The routes of the receipts; the pages' style sheet is that of `bot.handlers.pay.pay_routes`.

    Args:
        receipts: the receipts.
        render: a text in a language, as spans.
        home: where the chat is.
        link_days: how long the address of a PDF works, as residents are told.
    """
    site = _Site(receipts, Pages(render, ""), home, link_days)
    return [
        Route("/r/{token}", site.verify, methods=["GET"]),
        Route("/receipts/{token}.pdf", site.file, methods=["GET"]),
    ]


def genuine(proof: Proof) -> tuple[Text, tuple[Text, ...]]:
    """Title and text for a paper that is ours."""
    when = say(N_("{day}, {hour}"), day=Day(local(proof.paid_at).date()), hour=Hour(proof.paid_at))
    texts = [_TRIAL] if proof.trial else []
    texts += [
        say(N_("Receipt {order}"), order=Code(proof.order)),
        say(N_("Amount *{amount}*"), amount=Money(proof.total)),
        say(N_("Paid on {when}"), when=when),
    ]
    if proof.renewals:
        texts.append(say(N_("Paid for {what}"), what=counted(proof.fines, proof.renewals)))
    if proof.bank:
        texts.append(say(N_("Bank reference {bank}"), bank=Code(proof.bank)))
    if proof.refunded and proof.standing != "refunded":
        texts.append(say(N_("{amount} of it was refunded."), amount=Money(proof.refunded)))
    if not (proof.trial and proof.standing in _RECORDS):
        texts.append(_STANDINGS[proof.standing])
    if proof.refused and not proof.trial:
        texts.append(
            say(NP_("{n} line of it is not recorded.", "{n} lines of it are not recorded."), n=proof.refused)
        )
    texts.append(
        say(N_("The paper must show the same as this page. If anything differs, the paper was changed."))
    )
    return say(N_("This receipt is genuine")), tuple(texts)


def untrusted() -> tuple[Text, tuple[Text, ...]]:
    """Title and text for a paper that is not ours."""
    return say(N_("This receipt cannot be trusted")), (
        say(N_("No payment made through this service belongs to this code.")),
        say(
            N_("Whoever paid finds the genuine receipt in the chat: send {command} there."),
            command=Code(COMMAND),
        ),
    )


def stale(days: int) -> tuple[Text, tuple[Text, ...]]:
    """Title and text for an address that opens no PDF, or no more."""
    return say(N_("This receipt's link no longer works")), (
        say(N_("A receipt's link works for {days} days."), days=days),
        say(N_("For a new link, send {command} in the chat."), command=Code(COMMAND)),
    )
