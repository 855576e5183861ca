"""A counterpart of MyFatoorah, API v2, from docs.myfatoorah.com; never from our client.

An invoice takes several tries: pressing a button of a page that is settled, with the knob ``again``, adds one.
After its expiry the page still takes buttons, as of somebody who was at KNET's page at that moment. A refund
waits `REVIEW` seconds for the finance team, which then carries it out; ``POST …/refunds/<reference>`` with the
form field ``button`` (``approve`` or ``cancel``) decides at once and notifies.

Webhooks are set up in the portal, not with each invoice. This account's leads to ``/payments/myfatoorah/notify``
at the host of the invoice's callback address, unless `Portal.webhook` says otherwise. A webhook is tried once.

An answer names no merchant. So the knob ``merchant`` makes the enquiry speak of another invoice.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from decimal import Decimal
from html import escape
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.clock import local
from bot.ports import Clock
from bot.services.payments.myfatoorah import MyFatoorah, MyFatoorahTerms
from tests.payments.counterparts.bank import BUTTONS, KNOBS, Bank, Counterpart, Kept
from tests.payments.counterparts.myfatoorah_webhooks import (
    SECRET,
    Back,
    Bill,
    Try,
    bill,
    data_v1,
    data_v2,
    money,
    refund_data,
    webhook,
)

TOKEN: Final = "SK_KWT_token-of-the-counterpart"
KNET: Final = 20

REVIEW: Final = 3600
"""Seconds the finance team takes."""

_DENIED = {"Message": "Authorization has been denied for this request."}
_UNKNOWN = "No data match the provided values"
_STATES = {"captured": "Succss", "refused": "Failed", "cancelled": "Failed", "silent": "InProgress"}
_CODES = {"51": "MF004", "55": "MF010"}
_MESSAGES = {"MF004": "Insufficient funds", "MF010": "Wrong security code", "MF006": "Transaction canceled!"}
_WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Refused(Exception):
    """Answered 400 in the gateway's envelope."""

    def __init__(self, message: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.errors = errors


class Portal:
    """The account, its invoices and its API."""

    def __init__(self, clock: Clock, url: str, version: str) -> None:
        self.kept: dict[str, Kept] = {}
        self.invoices: dict[str, Kept] = {}
        self.methods = {KNET: ("kn", "KNET", "KWD"), 2: ("vm", "VISA/MASTER", "KWD")}
        self.version = version
        self.webhook = ""
        self.bank = Bank(clock)
        self._clock = clock
        self._url = url
        self._browserless = httpx.AsyncClient(timeout=10, trust_env=False)
        self._last = 6409988

    def _next(self) -> int:
        self._last += 1
        return self._last

    # --- API ---------------------------------------------------------------------------------------

    async def initiate(self, asked: dict[str, Any]) -> dict[str, Any]:
        amount = _number(asked, "InvoiceAmount")
        if asked.get("CurrencyIso") != "KWD":
            raise Refused("Invalid data", {"CurrencyIso": "The currency is not supported"})
        rows = [
            {
                "PaymentMethodId": number,
                "PaymentMethodAr": name,
                "PaymentMethodEn": name,
                "PaymentMethodCode": code,
                "IsDirectPayment": False,
                "ServiceCharge": Decimal("0.100"),
                "TotalAmount": amount,
                "CurrencyIso": "KWD",
                "ImageUrl": "https://demo.myfatoorah.com/imgs/payment-methods/kn.png",
                "IsEmbeddedSupported": False,
                "PaymentCurrencyIso": currency,
            }
            for number, (code, name, currency) in self.methods.items()
        ]
        return {"PaymentMethods": rows}

    async def execute(self, asked: dict[str, Any]) -> dict[str, Any]:
        amount = _number(asked, "InvoiceValue")
        self._check(asked)
        track = asked.get("CustomerReference") or ""
        until = int(_moment(asked["ExpiryDate"]))
        number = self._next()
        invoice = Bill(number, until, asked["CallBackUrl"], asked["ErrorUrl"], asked["UserDefinedField"])
        kept = Kept(track, int(amount * 1000), self._clock.now(), more={"bill": invoice})
        kept.more["asked"] = asked
        self.kept[track] = self.invoices[str(number)] = kept
        return {
            "InvoiceId": number,
            "IsDirectPayment": False,
            "PaymentURL": f"{self._url}/En/KWT/PayInvoice/Checkout/{number}",
            "CustomerReference": track,
            "UserDefinedField": asked["UserDefinedField"],
            "RecurringId": "",
        }

    def _check(self, asked: dict[str, Any]) -> None:
        wrong: dict[str, str] = {}
        if asked.get("PaymentMethodId") not in self.methods:
            wrong["PaymentMethodId"] = "Payment method is not available"
        for name in ("CallBackUrl", "ErrorUrl"):
            address = asked.get(name) or ""
            if len(address) > 254 or urlsplit(address).hostname in {None, "localhost"}:
                wrong[name] = "Invalid url"
        if asked.get("DisplayCurrencyIso") != "KWD":
            wrong["DisplayCurrencyIso"] = "Invalid currency"
        if asked.get("Language") not in {"ar", "en"}:
            wrong["Language"] = "Invalid language"
        when = asked.get("ExpiryDate") or ""
        if _WHEN.fullmatch(when) is None or _moment(when) <= self._clock.now():
            wrong["ExpiryDate"] = "Expiry date must be in the future"
        if wrong:
            raise Refused("Invalid data", wrong)

    async def status(self, asked: dict[str, Any]) -> dict[str, Any]:
        kept = self._find(asked, {"invoiceid", "paymentid", "customerreference"})
        invoice = bill(kept)
        knob = kept.knob
        fils = kept.fils + (1000 if knob == "amount" else 0)
        shown = f"{fils // 1000:,}.{fils % 1000:03d}"
        currency = "SR" if knob == "currency" else "KD"
        tries = [self._row(kept, one, shown, currency) for one in invoice.tries]
        until = local(invoice.until)
        return {
            "InvoiceId": invoice.number + (1 if knob == "merchant" else 0),
            "InvoiceStatus": "Paid" if any(t["TransactionStatus"] == "Succss" for t in tries) else "Pending",
            "InvoiceReference": f"2026{invoice.number % 1000000:06d}",
            "CustomerReference": "ANOTHERTRACK0000001" if knob == "track" else kept.track,
            "CreatedDate": local(kept.created).strftime("%Y-%m-%dT%H:%M:%S.017"),
            "ExpiryDate": f"{until:%B} {until.day}, {until.year}",
            "ExpiryTime": f"{until:%H:%M:%S}.017",
            "InvoiceValue": money(fils),
            "Comments": None,
            "CustomerName": "Anonymous",
            "CustomerMobile": "+965",
            "CustomerEmail": None,
            "UserDefinedField": invoice.note,
            "InvoiceDisplayValue": f"{shown} {currency}",
            "DueDeposit": Decimal("0.000"),
            "DepositStatus": "Not Deposited",
            "InvoiceItems": [],
            "InvoiceTransactions": tries,
            "Suppliers": [],
        }

    def _row(self, kept: Kept, one: Try, shown: str, currency: str) -> dict[str, Any]:
        state = self.bank.state(kept) if one is bill(kept).tries[-1] else one.state
        code = _CODES.get(one.code, "MF006" if state == "cancelled" else "")
        digits = one.payment[-12:]
        return {
            "TransactionDate": local(one.at).strftime("%Y-%m-%dT%H:%M:%S.0833333"),
            "PaymentGateway": "KNET",
            "ReferenceId": digits,
            "TrackId": f"25-08-2026_{digits[-7:]}",
            "TransactionId": f"{digits}726",
            "PaymentId": one.payment,
            "AuthorizationId": f"B{digits[-5:]}",
            "TransactionStatus": _STATES[state],
            "TransationValue": shown,
            "CustomerServiceCharge": "0.000",
            "TotalServiceCharge": "0.100",
            "DueValue": shown,
            "PaidCurrency": currency,
            "PaidCurrencyValue": shown,
            "VatAmount": "0.000",
            "IpAddress": "192.0.2.1",
            "Country": "Kuwait",
            "Currency": currency,
            "Error": _MESSAGES.get(code),
            "CardNumber": None,
            "ErrorCode": code,
            "ECI": None,
            "Card": {"NameOnCard": "", "Number": "", "Brand": "", "Issuer": ""},
        }

    async def refund(self, asked: dict[str, Any]) -> dict[str, Any]:
        kept = self._find(asked, {"invoiceid", "paymentid"})
        amount = _number(asked, "Amount")
        invoice, fils = bill(kept), int(amount * 1000)
        given = sum(one.fils for one in invoice.refunds if one.status != "Canceled")
        if self.bank.state(kept) != "captured" or given + fils > kept.fils:
            raise Refused("Invalid data", {"Amount": "The refund amount is more than the remaining amount"})
        external = asked.get("ExternalIdentifier") or ""
        back = Back(self._next(), fils, external, self._clock.now() + REVIEW)
        invoice.refunds.append(back)
        kept.refunded[back.reference] = fils
        return {
            "Key": asked["Key"],
            "RefundId": back.number,
            "RefundReference": back.reference,
            "RefundInvoiceId": self._next(),
            "ExternalIdentifier": external,
            "Amount": amount,
            "Comment": asked.get("Comment"),
        }

    async def refund_status(self, asked: dict[str, Any]) -> dict[str, Any]:
        key, kind = asked.get("Key"), str(asked.get("KeyType")).lower()
        rows = [
            (kept, back)
            for number, kept in self.invoices.items()
            for back in bill(kept).refunds
            if key
            == {"invoiceid": number, "refundreference": back.reference, "refundid": str(back.number)}[kind]
        ]
        if not rows:
            raise Refused(_UNKNOWN)
        return {"RefundStatusResult": [self._refund_row(kept, back) for kept, back in rows]}

    def _refund_row(self, kept: Kept, back: Back) -> dict[str, Any]:
        amount = money(back.fils)
        if back.status == "Pending" and self._clock.now() >= back.due:
            back.status = "Refunded"
        return {
            "RefundId": back.number,
            "RefundStatus": back.status,
            "InvoiceId": bill(kept).number,
            "Amount": amount,
            "RefundReference": back.reference,
            "ExternalIdentifier": back.external,
            "RefundAmount": amount,
            "RRN": "617614024566" if back.status == "Refunded" else None,
            "BaseCurrency": "KWD",
        }

    def _find(self, asked: dict[str, Any], kinds: set[str]) -> Kept:
        key, kind = asked.get("Key"), str(asked.get("KeyType")).lower()
        if not isinstance(key, str) or kind not in kinds:
            raise Refused("Invalid data", {"Key": "Invalid key"})
        by_payment = [k for k in self.invoices.values() if any(t.payment == key for t in bill(k).tries)]
        found = {
            "invoiceid": self.invoices.get(key),
            "customerreference": self.kept.get(key),
            "paymentid": by_payment[0] if by_payment else None,
        }[kind]
        if found is None:
            raise Refused(_UNKNOWN)
        return found

    # --- pages -------------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        """GET shows and changes nothing; POST presses a button."""
        kept = self.invoices.get(request.path_params["number"])
        if kept is None:
            return Response(status_code=404)
        if request.method != "POST":
            return HTMLResponse(_page(kept))
        form = dict(parse_qsl((await request.body()).decode()))
        button, knob = form.get("button", ""), form.get("knob", "")
        if button not in BUTTONS or knob not in KNOBS:
            return Response(status_code=400)
        invoice, before = bill(kept), self.bank.state(kept)
        if self.bank.press(kept, button, knob):
            if invoice.tries:
                invoice.tries[-1].state = before
            payment = f"100{self._next():015d}"
            invoice.tries.append(Try(payment, self._clock.now(), kept.state, kept.code))
            await self.bank.tell(kept, self._teller(kept, payment))
        failed = self.bank.state(kept) in {"refused", "cancelled"}
        payment = invoice.tries[-1].payment
        address = invoice.error if failed else invoice.callback
        return RedirectResponse(f"{address}?paymentId={payment}&Id={payment}", status_code=303)

    async def office(self, request: Request) -> Response:
        """The finance team decides on a refund."""
        reference = request.path_params["reference"]
        form = dict(parse_qsl((await request.body()).decode()))
        for kept in self.invoices.values():
            for back in bill(kept).refunds:
                if back.reference == reference:
                    back.status = "Refunded" if form.get("button") == "approve" else "Canceled"
                    await self._post(kept, *webhook(refund_data(kept, back, self.version), 2, self.version))
                    return Response("decided")
        return Response(status_code=404)

    def _teller(self, kept: Kept, payment: str) -> Callable[[str], Awaitable[None]]:
        async def send(state: str) -> None:
            if state != "silent":  # nothing changed its status
                await self._post(kept, *self.notice(kept, payment, state))

        return send

    def notice(self, kept: Kept, payment: str, state: str) -> tuple[bytes, dict[str, str]]:
        """The webhook about a try that ended as ``state``."""
        data = data_v1 if self.version == "v1" else data_v2
        return webhook(data(kept, payment, "SUCCESS" if state == "captured" else "FAILED"), 1, self.version)

    async def _post(self, kept: Kept, body: bytes, headers: dict[str, str]) -> None:
        home = urlsplit(bill(kept).callback)
        address = self.webhook or f"{home.scheme}://{home.netloc}/payments/myfatoorah/notify"
        try:
            await self._browserless.post(address, content=body, headers=headers)
        except httpx.HTTPError:
            return  # the real one would try again, and give up

    async def close(self) -> None:
        await self.bank.close()
        await self._browserless.aclose()


def _number(asked: dict[str, Any], name: str) -> Decimal:
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise Refused("Invalid data", {name: "A number is expected"})
    exact = Decimal(value)
    exponent = exact.as_tuple().exponent
    if exact <= 0 or not isinstance(exponent, int) or exponent < -3:
        raise Refused("Invalid data", {name: "Invalid amount"})
    return exact


def _moment(text: str) -> float:
    """Kuwait's wall clock, three hours ahead of UTC all year."""
    return datetime.strptime(f"{text}+0300", "%Y-%m-%dT%H:%M:%S%z").timestamp()


def _page(kept: Kept) -> str:
    buttons = "".join(f'<button name="button" value="{name}">{name}</button>' for name in BUTTONS)
    amount = f"{kept.fils // 1000}.{kept.fils % 1000:03d} KD"
    return f'<!doctype html><p>{escape(amount)}</p><form method="post">{buttons}</form>'


def _route(path: str, work: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]) -> Route:
    async def answer(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _json(_DENIED, HTTPStatus.UNAUTHORIZED)
        try:
            asked = json.loads(await request.body(), parse_float=Decimal)
            return _json(
                {"IsSuccess": True, "Message": "", "ValidationErrors": None, "Data": await work(asked)}
            )
        except Refused as refused:
            errors = [{"Name": name, "Error": text} for name, text in (refused.errors or {}).items()]
            said = {"IsSuccess": False, "Message": refused.message, "ValidationErrors": errors or None}
            return _json({**said, "Data": None}, HTTPStatus.BAD_REQUEST)

    return Route(f"/v2/{path}", answer, methods=["POST"])


def _json(content: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(_ENCODER.encode(content), status, media_type="application/json; charset=utf-8")


def make(clock: Clock, url: str, *, version: str = "v2") -> Counterpart:
    """MyFatoorah at ``url`` with our client toward it; ``version`` of its webhooks, ``v1`` or ``v2``."""
    portal = Portal(clock, url, version)
    payments = MyFatoorah(MyFatoorahTerms(TOKEN, SECRET, url), clock)
    app = Starlette(
        routes=[
            _route("InitiatePayment", portal.initiate),
            _route("ExecutePayment", portal.execute),
            _route("GetPaymentStatus", portal.status),
            _route("MakeRefund", portal.refund),
            _route("GetRefundStatus", portal.refund_status),
            Route("/En/KWT/PayInvoice/Checkout/{number}", portal.page, methods=["GET", "POST"]),
            Route("/refunds/{reference}", portal.office, methods=["POST"]),
        ]
    )
    app.state.portal = portal

    async def close() -> None:
        await payments.close()
        await portal.close()

    return Counterpart(app, payments, ("/v2/",), portal.kept, close)
