"""Client of Tap (api.tap.company, v2): KNET through an aggregator."""

import hmac
import re
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from bot.errors import Declined, Malformed, Unavailable
from bot.ports import Clock
from bot.services.http import Breaker, Http, decoded, make_client
from bot.services.payments import Callback, Charge, Created, Enquiry, Refund, Refunded, RefundResult, Result
from bot.services.payments.tap import contract
from bot.services.payments.tap.contract import KWD, ChargeShape, Faults, RefundShape
from bot.services.payments.tap.terms import TapTerms
from bot.wire import Answer

_SERVICE: Final = "payments"
_SHORTEST, _LONGEST = 5, 60  # minutes a page of Tap may live (reference/charges)
_LARGEST_NOTICE: Final = 64 * 1024  # bytes; Tap's samples have about 2.5 kB

# Of these only sandbox.payments.tap.company stands in Tap's own pages about KNET (docs/knet); the others are
# named by Tap's public scripts and by clients of Tap. docs/redirect says that KNET's page may be given
# directly, hence KNET's own hosts. None was seen live: an address elsewhere is refused until the operator
# sets PAY_HOSTS.
_LIVE_HOSTS: Final = (
    "checkout.payments.tap.company",
    "checkout.tap.company",
    "pgp.payments.tap.company",
    "www.kpay.com.kw",
)
_TEST_HOSTS: Final = (
    "sandbox.payments.tap.company",
    "acceptance.sandbox.tap.company",
    "www.kpaytest.com.kw",
)

_CHARGE_ID: Final = re.compile(r"chg_[A-Za-z0-9_]{1,60}", re.ASCII)
_REFUND_ID: Final = re.compile(r"re_[A-Za-z0-9_]{1,60}", re.ASCII)
_TRACK: Final = re.compile(r"[A-Za-z0-9]{1,40}", re.ASCII)
_CODE: Final = re.compile(r"[0-9]{1,5}", re.ASCII)

# Amounts leave as numbers with three decimals, as Tap's samples write them.
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_CHARGE: Final = msgspec.json.Decoder(ChargeShape)
_REFUND: Final = msgspec.json.Decoder(RefundShape)
_FAULTS: Final = msgspec.json.Decoder(Faults)


class Tap:
    """Implements `bot.services.payments.Payments`.

    A key (`Charge.track_id`, `Refund.key`) is Tap's ``reference.idempotent``: for 24 hours the same one is
    answered with the first answer and nothing new is begun, for charges and refunds alike
    (docs/idempotency). So both may be asked again within a day; a refund of unknown outcome must not be
    asked again later than that.

    Args:
        terms: the operator's.
        clock: rests after failures.
        timeout: seconds for one call, repetitions included. Tap names no figure, and behind it stands KNET.
    """

    name = "tap"
    reopens = True
    keyed_refunds = True

    def __init__(self, terms: TapTerms, clock: Clock, *, timeout: float = 30.0) -> None:
        self._terms = terms
        parts = urlsplit(terms.url)
        here = (parts.hostname or "", parts.netloc) if terms.loopback else ()
        self.hosts: Final = (*here, *(_TEST_HOSTS if terms.test else _LIVE_HOSTS))
        self._client = make_client(f"{terms.url.rstrip('/')}/", terms.secret_key)
        self._http = Http(_SERVICE, self._client, Breaker(clock), timeout=timeout)

    async def create(self, charge: Charge) -> Created:
        """See `Payments.create`."""
        answer = await self._ask(
            "POST", "v2/charges/", self._request(charge), {"lang_code": charge.language.upper()}
        )
        made = decoded(_SERVICE, answer, _CHARGE)
        asked = (charge.track_id, charge.fils, KWD)
        if (made.reference.transaction, _fils(made.amount), made.currency) != asked:
            raise Malformed(_SERVICE, "another charge than asked for")
        standing = contract.result_of(made, self._terms.merchant)
        if standing is Result.SUSPECT:
            raise Malformed(_SERVICE, "a charge that contradicts itself")
        if standing in {Result.FAILED, Result.EXPIRED}:
            # Among them code 403, "duplicate": Tap holds a charge of this key and does not show it.
            raise Declined(_SERVICE, made.code if _CODE.fullmatch(made.code) else "refused")
        if _CHARGE_ID.fullmatch(made.id) is None or not made.transaction.url:
            raise Malformed(_SERVICE, "a charge without a page")
        return Created(made.id, made.transaction.url)

    async def enquire(self, track_id: str, provider_ref: str, fils: int) -> Enquiry:  # noqa: ARG002 - the port's shape
        """See `Payments.enquire`. Tap is asked by its own number; without one nobody was sent to a page."""
        if not provider_ref:
            return Enquiry(status=Result.MISSING)
        if _CHARGE_ID.fullmatch(provider_ref) is None:
            raise Malformed(_SERVICE, "not a number of Tap's")
        try:
            answer = await self._ask("GET", f"v2/charges/{provider_ref}")
        except Declined as declined:
            if declined.reason == contract.CHARGE_NOT_FOUND:
                return Enquiry(status=Result.MISSING)
            raise
        found = decoded(_SERVICE, answer, _CHARGE)
        if found.id != provider_ref or found.object != "charge":
            raise Malformed(_SERVICE, "another charge than asked for")
        status = contract.result_of(found, self._terms.merchant)
        if status is None:
            raise Malformed(_SERVICE, "a status outside the contract")
        reference = found.reference
        paid = status is Result.PAID
        return Enquiry(
            status=status,
            track_id=reference.transaction or "",
            fils=_fils(found.amount),
            currency=found.currency,
            bank_reference=(reference.acquirer or reference.gateway or "") if paid else "",
            reason=contract.reason_of(found) if status is Result.FAILED else "",
            payment_id=(reference.payment or found.id)[:64],
            transaction=reference.gateway or "",
            authorisation=found.transaction.authorization_id or "",
        )

    async def refund(self, refund: Refund) -> Refunded:
        """See `Payments.refund`. Only ``REFUNDED`` is success; most begin as ``PENDING``."""
        if not refund.provider_ref:
            raise Declined(_SERVICE, "no charge to refund")
        body = {
            "charge_id": refund.provider_ref,
            "amount": contract.number_of_fils(refund.fils),
            "currency": KWD,
            # Tap's page wants one of three words; what we have to say goes into the description.
            "reason": "requested_by_customer",
            "description": refund.why,
            "reference": {"merchant": refund.key, "idempotent": refund.key},
        }
        # Once: after a lost answer to be declined would not mean that nothing went back.
        answer = await self._ask("POST", "v2/refunds/", body, repeatable=False)
        return _refunded(decoded(_SERVICE, answer, _REFUND), refund)

    async def refund_status(self, refund: Refund, reference: str) -> Refunded:
        """See `Payments.refund_status`. Without Tap's number of the refund Tap cannot be asked."""
        if not reference:
            return Refunded(RefundResult.UNKNOWN)
        if _REFUND_ID.fullmatch(reference) is None:
            raise Malformed(_SERVICE, "not a number of Tap's")
        answer = await self._ask("GET", f"v2/refunds/{reference}")
        found = decoded(_SERVICE, answer, _REFUND)
        if found.id != reference:
            raise Malformed(_SERVICE, "another refund than asked for")
        return _refunded(found, refund)

    def parse_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        """See `Payments.parse_callback`.

        The signature does not cover our track id: like Tap's own number, it only says where to look.
        """
        try:
            if len(body) > _LARGEST_NOTICE:
                raise Malformed(_SERVICE, "notification refused")
            notice = _CHARGE.decode(body)
            fils = contract.fils_of_number(notice.amount)  # before it is written out to be signed
            wanted = contract.hashstring(self._terms.secret_key, notice).encode()
            if not hmac.compare_digest(wanted, headers.get("hashstring", "").encode()):
                raise Malformed(_SERVICE, "notification refused")
        except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
            raise Malformed(_SERVICE, "notification refused") from None
        if notice.object != "charge" or _CHARGE_ID.fullmatch(notice.id) is None:
            raise Malformed(_SERVICE, "notification refused")
        track = notice.reference.transaction or ""
        return Callback(
            track_id=track if _TRACK.fullmatch(track) else "",
            provider_ref=notice.id,
            event=notice.id,
            result=notice.status,
            fils=fils if notice.currency == KWD else 0,
            paid=notice.status == contract.CAPTURED,
            plain=_plain(notice),
        )

    def acknowledge(self, return_url: str) -> str:  # noqa: ARG002 - the port's shape
        """See `Payments.acknowledge`."""
        return "OK"

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _request(self, charge: Charge) -> dict[str, Any]:
        return {
            "amount": contract.number_of_fils(charge.fils),
            "currency": KWD,
            "customer_initiated": True,
            "threeDSecure": True,
            "save_card": False,
            "description": charge.description,
            "reference": {
                "transaction": charge.track_id,
                "order": charge.order,
                "idempotent": charge.track_id,
            },
            "receipt": {"email": False, "sms": False},
            # Nobody's data: a word Tap insists on, and the operator's address.
            "customer": {"first_name": "Resident", "email": self._terms.email},
            "merchant": {"id": self._terms.merchant},
            "source": {"id": "src_kw.knet"},
            "post": {"url": charge.notify_url},
            "redirect": {"url": charge.return_url},
            "transaction": {
                "expiry": {"period": min(max(charge.minutes, _SHORTEST), _LONGEST), "type": "MINUTE"}
            },
        }

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        repeatable: bool = True,
    ) -> Answer:
        # Repeatable as a rule: what begins something carries its key.
        content = None if body is None else _ENCODER.encode(body)
        answer = await self._http.ask(method, path, repeatable=repeatable, content=content, headers=headers)
        if answer.status < HTTPStatus.BAD_REQUEST:
            return answer
        if answer.status in {HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}:
            raise Unavailable(_SERVICE, f"answered {answer.status}")
        raise _refusal(answer)


def _refusal(answer: Answer) -> Declined | Malformed:
    """What a 4xx answer means: Tap names an error of its table, a proxy's page does not."""
    try:
        errors = decoded(_SERVICE, answer, _FAULTS).errors
    except Malformed:
        errors = []
    code = str(errors[0].code) if errors else ""
    if _CODE.fullmatch(code) is None:
        return Malformed(_SERVICE, f"answered {answer.status}")
    return Declined(_SERVICE, code)


def _refunded(found: RefundShape, refund: Refund) -> Refunded:
    status = contract.refund_result(found)
    if status is None or _REFUND_ID.fullmatch(found.id) is None:
        raise Malformed(_SERVICE, "a refund outside the contract")
    told = (found.charge_id, _fils(found.amount), found.currency)
    if told != (refund.provider_ref, refund.fils, KWD):
        # Money may have moved, but not as asked: a person must look, and needs the number.
        return Refunded(RefundResult.UNKNOWN, found.id)
    return Refunded(status, found.id)


def _fils(amount: Decimal) -> int:
    try:
        return contract.fils_of_number(amount)
    except ValueError:
        raise Malformed(_SERVICE, "not an amount of dinars with three decimals at most") from None


def _plain(notice: ChargeShape) -> dict[str, str]:
    reference, created = notice.reference, notice.transaction.created
    return {
        "id": notice.id,
        "status": notice.status,
        "amount": f"{notice.amount:f}",
        "currency": notice.currency,
        "response.code": notice.code,
        "reference.transaction": reference.transaction or "",
        "reference.payment": reference.payment or "",
        "reference.gateway": reference.gateway or "",
        "reference.acquirer": reference.acquirer or "",
        "transaction.created": "" if created is None else str(created),
        "transaction.authorization_id": notice.transaction.authorization_id or "",
    }
