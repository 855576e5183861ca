"""Client of MyFatoorah's API v2."""

from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final, TypeVar

import msgspec

from bot.clock import local
from bot.errors import Declined, Malformed, Unavailable
from bot.ports import Clock
from bot.services.http import Breaker, Http, decoded, make_client
from bot.services.payments import (
    Callback,
    Charge,
    Created,
    Enquiry,
    Refund,
    Refunded,
    RefundResult,
    Result,
    amount_text,
)
from bot.services.payments.myfatoorah import webhooks
from bot.services.payments.myfatoorah.answers import (
    SERVICE,
    Executed,
    Head,
    Invoice,
    Methods,
    RefundMade,
    RefundRow,
    RefundRows,
    enquiry,
    fils_in,
)
from bot.services.payments.myfatoorah.terms import MyFatoorahTerms
from bot.wire import Answer

_TIMEOUT: Final = 40.0
"""Seconds. The documentation asks for at least 30 (update-payment-status-guidelines, "Resilience")."""

_LONGEST_URL: Final = 254  # execute-payment: CallBackUrl, ErrorUrl
_KNET: Final = "kn"
_CURRENCY: Final = "KWD"
_NOT_THERE: Final = "no data match the provided values"
"""``Message`` of the 400 that answers a question about an invoice nobody knows (seen in public reports)."""

_REFUNDS: Final[Mapping[str, RefundResult]] = {
    "Refunded": RefundResult.DONE,
    "Pending": RefundResult.PENDING,
    "Canceled": RefundResult.REFUSED,  # by MyFatoorah's finance team
}

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_HEAD: Final = msgspec.json.Decoder(Head)
_METHODS: Final = msgspec.json.Decoder(Methods)
_EXECUTED: Final = msgspec.json.Decoder(Executed)
_INVOICE: Final = msgspec.json.Decoder(Invoice)
_REFUND: Final = msgspec.json.Decoder(RefundMade)
_REFUND_ROWS: Final = msgspec.json.Decoder(RefundRows)

T = TypeVar("T")


class MyFatoorah:
    """Implements `bot.services.payments.Payments`.

    Args:
        terms: the operator's account.
        clock: when an invoice expires; rests after failures.
    """

    name = "myfatoorah"
    reopens = True
    # A refund carries an Idempotency-Key, but that is documented by a sample of v3 only, and for 250 minutes.
    keyed_refunds = False

    def __init__(self, terms: MyFatoorahTerms, clock: Clock) -> None:
        self.hosts: Final = terms.pages
        self._secret = terms.secret
        self._clock = clock
        self._knet = 0  # number of the payment method; 0 for not asked yet
        self._client = make_client(f"{terms.url}/", terms.token)
        self._http = Http(SERVICE, self._client, Breaker(clock), timeout=_TIMEOUT)

    async def create(self, charge: Charge) -> Created:
        """See `Payments.create`."""
        if len(charge.return_url) > _LONGEST_URL:
            raise Declined(SERVICE, f"return address longer than {_LONGEST_URL} characters")
        until = local(self._clock.now() + charge.minutes * 60)
        body = {
            "PaymentMethodId": self._knet or await self._find_knet(charge.fils),
            "InvoiceValue": Decimal(amount_text(charge.fils)),
            "CustomerReference": charge.track_id,
            "DisplayCurrencyIso": _CURRENCY,  # of the page and of the value; the account's own in Kuwait
            "CallBackUrl": charge.return_url,
            "ErrorUrl": charge.return_url,
            "Language": charge.language,
            # Kuwait's wall clock without an offset, as the samples of MyFatoorah's documentation say.
            "ExpiryDate": until.strftime("%Y-%m-%dT%H:%M:%S"),
            "UserDefinedField": charge.description,
        }
        # Each call makes another invoice, so one that was sent is never sent again. Should its answer be lost
        # and the charge be made anew, two invoices carry one track id: harmless, for nobody was ever given the
        # first one's page, and we only ask by the number of the invoice we know.
        try:
            made = _data(await self._ask("v2/ExecutePayment", body, repeatable=False), _EXECUTED)
        except Declined:
            self._knet = 0  # perhaps the account's methods were changed
            raise
        if made.customer_reference not in {None, "", charge.track_id} or made.is_direct_payment:
            raise Malformed(SERVICE, "another charge than asked for")
        if not made.url or not str(made.invoice_id).isdecimal():
            raise Malformed(SERVICE, "not the agreed shape")
        return Created(str(made.invoice_id), made.url)

    async def enquire(self, track_id: str, provider_ref: str, fils: int) -> Enquiry:  # noqa: ARG002 - the port's shape
        """See `Payments.enquire`. By the invoice's number, never by the track id: that finds the last of several."""
        if not provider_ref:
            return Enquiry(status=Result.MISSING)  # no invoice of ours is known, so nobody was sent to one
        found = await self._ask("v2/GetPaymentStatus", {"Key": provider_ref, "KeyType": "InvoiceId"})
        if found is None:
            return Enquiry(status=Result.MISSING)
        return enquiry(_data(found, _INVOICE), provider_ref, self._clock.now())

    async def refund(self, refund: Refund) -> Refunded:
        """See `Payments.refund`. What is made is a request that MyFatoorah's finance team decides on (refund)."""
        key_type = "PaymentId" if refund.payment_id else "InvoiceId"
        body = {
            "KeyType": key_type,
            "Key": refund.payment_id or refund.provider_ref,
            "ServiceChargeOnCustomer": False,
            "Amount": Decimal(amount_text(refund.fils)),
            "Comment": refund.why,
            "ExternalIdentifier": refund.key,
        }
        headers = {"Idempotency-Key": refund.key}
        answer = await self._ask("v2/MakeRefund", body, repeatable=False, headers=headers)
        made = _data(answer, _REFUND)
        if made.amount != body["Amount"]:
            return Refunded(RefundResult.UNKNOWN, made.refund_reference)
        return Refunded(RefundResult.PENDING, made.refund_reference)

    async def refund_status(self, refund: Refund, reference: str) -> Refunded:
        """See `Payments.refund_status`. Without a reference (the answer was lost) the refund's key finds it.

        A refund that is not found is `RefundResult.UNKNOWN`: the request may still be on its way, and
        asking for it again might give the money back twice.
        """
        by_reference = {"Key": reference, "KeyType": "RefundReference"}
        by_invoice = {"Key": refund.provider_ref, "KeyType": "InvoiceId"}
        found = await self._ask("v2/GetRefundStatus", by_reference if reference else by_invoice)
        rows = [] if found is None else _data(found, _REFUND_ROWS).refund_status_result
        mine = [row for row in rows if _is_mine(row, refund.key, reference)]
        if len(mine) != 1 or not _agrees(mine[0], refund.fils):
            return Refunded(RefundResult.UNKNOWN, reference)
        status = _REFUNDS.get(mine[0].refund_status)
        if status is None:
            raise Malformed(SERVICE, "a status outside the contract")
        return Refunded(status, mine[0].refund_reference)

    def parse_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        """See `Payments.parse_callback`."""
        return webhooks.read(self._secret, body, headers)

    def acknowledge(self, return_url: str) -> str:  # noqa: ARG002 - the port's shape
        """See `Payments.acknowledge`. Any 200 will do."""
        return "OK"

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    # --- inside ----------------------------------------------------------------------------------

    async def _find_knet(self, fils: int) -> int:
        """KNET's number in this account: the documentation has no constant for it."""
        body = {"InvoiceAmount": Decimal(amount_text(fils)), "CurrencyIso": _CURRENCY}
        found = _data(await self._ask("v2/InitiatePayment", body), _METHODS)
        for method in found.payment_methods:
            in_dinars = method.payment_currency_iso in {None, _CURRENCY}
            if method.payment_method_code == _KNET and in_dinars and method.payment_method_id > 0:
                self._knet = method.payment_method_id
                return self._knet
        raise Declined(SERVICE, "the account has no KNET")

    async def _ask(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        repeatable: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> msgspec.Raw | None:
        """``Data`` of the answer; None when it is about something the gateway does not know.

        Raises:
            Unavailable: no answer, or too many questions (there is a limit, of an undisclosed size).
            Declined: a refusal. Its text is left out: it may quote what was sent.
            Malformed: an answer outside the contract.
        """
        content = _ENCODER.encode(body)
        answer = await self._http.ask("POST", path, repeatable=repeatable, content=content, headers=headers)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise Unavailable(SERVICE, f"answered {answer.status}")
        refused = answer.status >= HTTPStatus.BAD_REQUEST
        try:
            head = decoded(SERVICE, answer, _HEAD)
        except Malformed:
            if refused:  # such as the HTML page in front of a blocked address
                raise Declined(SERVICE, f"answered {answer.status}") from None
            raise
        if head.is_success and not refused:
            return head.data
        if (head.message or "").strip().rstrip(".").casefold() == _NOT_THERE:
            return None
        raise Declined(SERVICE, f"answered {answer.status}")


def _data(raw: msgspec.Raw | None, decoder: msgspec.json.Decoder[T]) -> T:
    if raw is None:
        raise Declined(SERVICE, "nothing of that number")
    return decoded(SERVICE, Answer(HTTPStatus.OK, bytes(raw), "application/json"), decoder)


def _is_mine(row: RefundRow, key: str, reference: str) -> bool:
    return row.refund_reference == reference if reference else row.external_identifier == key


def _agrees(row: RefundRow, fils: int) -> bool:
    amounts = {fils_in(row.amount), fils if row.refund_amount is None else fils_in(row.refund_amount)}
    return amounts == {fils} and row.base_currency in {None, _CURRENCY}
