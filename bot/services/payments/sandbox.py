"""Client of the sandbox gateway (`bot.sandbox.gateway`), a stand-in with the manners of the real ones."""

import hashlib
import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from bot.dialogs.checkout import RefusalReason
from bot.errors import UNDECODABLE, Declined, Malformed, Unavailable
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
    fils_of,
    refusal,
)
from bot.wire import Answer

SIGNATURE: Final = "x-sandbox-signature"
"""Header of a notification: lower-case hex HMAC-SHA256 of the raw body under the shared secret."""

_SERVICE = "payments"
_TIMEOUT = 20.0  # seconds

_RESULTS: Final[Mapping[str, Result]] = {
    "INITIATED": Result.OPEN,
    "PENDING": Result.PENDING,
    "CAPTURED": Result.PAID,
    "NOT CAPTURED": Result.FAILED,
    "CANCELED": Result.FAILED,
    "EXPIRED": Result.EXPIRED,
    "HOST TIMEOUT": Result.UNKNOWN,
    "REFUNDED": Result.REFUNDED,
}


class _Charge(msgspec.Struct):
    id: str
    track_id: str
    amount: str
    currency: str
    status: str
    url: str = ""
    reference: str = ""
    code: str = ""


class _Refund(msgspec.Struct):
    status: str
    reference: str


class _Notice(msgspec.Struct):
    event: str
    id: str
    track_id: str
    amount: str
    currency: str
    status: str


_CHARGE: Final = msgspec.json.Decoder(_Charge)
_REFUND: Final = msgspec.json.Decoder(_Refund)


class SandboxPayments:
    """Implements `bot.services.payments.Payments`.

    Args:
        url: address of the gateway, without a slash at the end.
        secret: shared with the gateway: bearer token of our requests and key of its signatures.
        clock: rests after failures.
    """

    name = "sandbox"
    reopens = True
    keyed_refunds = True

    def __init__(self, url: str, secret: str, clock: Clock) -> None:
        self._secret = secret
        parts = urlsplit(url)
        self.hosts: Final = (parts.hostname or "", parts.netloc)
        self._client = make_client(f"{url}/", secret)
        self._http = Http(_SERVICE, self._client, Breaker(clock), timeout=_TIMEOUT)

    async def create(self, charge: Charge) -> Created:
        """See `Payments.create`."""
        body = {
            "track_id": charge.track_id,
            "amount": amount_text(charge.fils),
            "currency": "KWD",
            "language": charge.language,
            "return_url": charge.return_url,
            "notify_url": charge.notify_url,
            "description": charge.description,
        }
        made = decoded(_SERVICE, await self._ask("POST", "v1/charges", body), _CHARGE)
        if made.track_id != charge.track_id or not made.url:
            raise Malformed(_SERVICE, "another charge than asked for")
        return Created(made.id, made.url)

    async def enquire(self, track_id: str, provider_ref: str, fils: int) -> Enquiry:  # noqa: ARG002 - the port's shape
        """See `Payments.enquire`."""
        answer = await self._ask("GET", f"v1/charges/{track_id}", missing=True)
        if answer.status == HTTPStatus.NOT_FOUND:
            return Enquiry(status=Result.MISSING)
        found = decoded(_SERVICE, answer, _CHARGE)
        status = _RESULTS.get(found.status)
        if status is None:
            raise Malformed(_SERVICE, "a status outside the contract")
        return Enquiry(
            status=status,
            track_id=found.track_id,
            fils=_fils(found.amount),
            currency=found.currency,
            bank_reference=found.reference if status is Result.PAID else "",
            reason=_reason(found) if status is Result.FAILED else "",
            payment_id=found.id,
        )

    async def refund(self, refund: Refund) -> Refunded:
        """See `Payments.refund`. Only ``CAPTURED`` is success, as with KNET."""
        body = {"track_id": refund.track_id, "amount": amount_text(refund.fils), "key": refund.key}
        # Once: after a lost answer to be declined would not mean that nothing went back.
        answer = await self._ask("POST", "v1/refunds", body, repeatable=False)
        return _refunded(decoded(_SERVICE, answer, _REFUND))

    async def refund_status(self, refund: Refund, reference: str) -> Refunded:  # noqa: ARG002 - the port's shape
        """See `Payments.refund_status`."""
        answer = await self._ask("GET", f"v1/refunds/{refund.key}", missing=True)
        if answer.status == HTTPStatus.NOT_FOUND:
            return Refunded(RefundResult.REFUSED)
        return _refunded(decoded(_SERVICE, answer, _REFUND))

    def parse_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        """See `Payments.parse_callback`."""
        wanted = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
        given = headers.get(SIGNATURE, "")
        if not hmac.compare_digest(wanted.encode(), given.encode()):
            raise Malformed(_SERVICE, "notification refused")
        try:
            notice = msgspec.json.decode(body, type=_Notice)
            fils = fils_of(notice.amount)
        except (*UNDECODABLE, ValueError):
            raise Malformed(_SERVICE, "notification refused") from None
        return Callback(
            track_id=notice.track_id,
            provider_ref=notice.id,
            event=notice.event,
            result=notice.status,
            fils=fils,
            paid=notice.status == "CAPTURED",
            plain=msgspec.structs.asdict(notice),
        )

    def acknowledge(self, return_url: str) -> str:  # noqa: ARG002 - the port's shape
        """See `Payments.acknowledge`."""
        return "OK"

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        missing: bool = False,
        repeatable: bool = True,
    ) -> Answer:
        # Repeatable as a rule: a charge is named by its track id.
        content = None if body is None else msgspec.json.encode(body)
        answer = await self._http.ask(method, path, repeatable=repeatable, content=content)
        if answer.status < HTTPStatus.BAD_REQUEST or (missing and answer.status == HTTPStatus.NOT_FOUND):
            return answer
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise Unavailable(_SERVICE, f"answered {answer.status}")
        raise Declined(_SERVICE, f"answered {answer.status}")


def _refunded(found: _Refund) -> Refunded:
    done = found.status == "CAPTURED"
    return Refunded(RefundResult.DONE if done else RefundResult.REFUSED, found.reference)


def _fils(amount: str) -> int:
    try:
        return fils_of(amount)
    except ValueError:
        raise Malformed(_SERVICE, "an amount without three decimals") from None


def _reason(charge: _Charge) -> str:
    return RefusalReason.CANCELLED if charge.status == "CANCELED" else refusal(charge.code)
