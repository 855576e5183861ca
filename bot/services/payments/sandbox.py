"""Client of the sandbox gateway (`bot.sandbox.gateway`), a stand-in with the manners of the real ones."""

import hashlib
import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from bot.dialogs.checkout import RefusalReason
from bot.errors import Declined, Malformed, Unavailable
from bot.services.payments import (
    Callback,
    Charge,
    Created,
    Enquiry,
    Refunded,
    Result,
    amount_text,
    fils_of,
    refusal,
)

SIGNATURE: Final = "x-sandbox-signature"
"""Header of a notification: lower-case hex HMAC-SHA256 of the raw body under the shared secret."""

_SERVICE = "payments"
_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_LIMIT = 64 * 1024

_RESULTS: Final[Mapping[str, Result]] = {
    "INITIATED": Result.PENDING,
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


_Answer = TypeVar("_Answer", _Charge, _Refund)


class _Notice(msgspec.Struct):
    event: str
    id: str
    track_id: str
    amount: str
    currency: str
    status: str


class SandboxPayments:
    """Implements `bot.services.payments.Payments`.

    Args:
        url: address of the gateway, without a slash at the end.
        secret: shared with the gateway: bearer token of our requests and key of its signatures.
    """

    def __init__(self, url: str, secret: str) -> None:
        self._secret = secret
        self.name: Final = "sandbox"
        self.host: Final = urlsplit(url).hostname or ""
        self._client = httpx.AsyncClient(
            base_url=url, timeout=_TIMEOUT, headers={"authorization": f"Bearer {secret}"}
        )

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
        made = _decode(await self._ask("POST", "/v1/charges", body), _Charge)
        if made.track_id != charge.track_id or not made.url:
            raise Malformed(_SERVICE, "another charge than asked for")
        return Created(made.id, made.url)

    async def enquire(self, track_id: str, provider_ref: str, fils: int) -> Enquiry:  # noqa: ARG002 - the port's shape
        """See `Payments.enquire`."""
        answer = await self._ask("GET", f"/v1/charges/{track_id}", missing=True)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return Enquiry(status=Result.MISSING)
        found = _decode(answer, _Charge)
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
        )

    async def refund(self, track_id: str, provider_ref: str, fils: int, key: str) -> Refunded:  # noqa: ARG002 - the port's shape
        """See `Payments.refund`. Only ``CAPTURED`` is success, as with KNET."""
        body = {"track_id": track_id, "amount": amount_text(fils), "key": key}
        done = _decode(await self._ask("POST", "/v1/refunds", body), _Refund)
        if done.status != "CAPTURED":
            raise Declined(_SERVICE, "refund_refused")
        return Refunded(done.reference)

    def parse_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        """See `Payments.parse_callback`."""
        wanted = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
        given = headers.get(SIGNATURE, "")
        if not hmac.compare_digest(wanted.encode(), given.encode()):
            raise Malformed(_SERVICE, "notification refused")
        try:
            notice = msgspec.json.decode(body, type=_Notice)
            fils = fils_of(notice.amount)
        except (msgspec.DecodeError, ValueError):
            raise Malformed(_SERVICE, "notification refused") from None
        return Callback(
            track_id=notice.track_id,
            provider_ref=notice.id,
            event=notice.event,
            result=notice.status,
            fils=fils,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, missing: bool = False
    ) -> httpx.Response:
        try:
            answer = await self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            # The type only: httpx puts the address into the text, and addresses hold track ids.
            raise Unavailable(_SERVICE, type(error).__name__) from None
        if answer.is_success or (missing and answer.status_code == HTTPStatus.NOT_FOUND):
            return answer
        if answer.is_server_error or answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise Unavailable(_SERVICE, f"answered {answer.status_code}")
        raise Declined(_SERVICE, f"answered {answer.status_code}")


def _decode(answer: httpx.Response, kind: type[_Answer]) -> _Answer:
    if len(answer.content) > _LIMIT:
        raise Malformed(_SERVICE, "too long an answer")
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError:
        raise Malformed(_SERVICE, "not the JSON of the contract") from None


def _fils(amount: str) -> int:
    try:
        return fils_of(amount)
    except ValueError:
        raise Malformed(_SERVICE, "an amount without three decimals") from None


def _reason(charge: _Charge) -> str:
    return RefusalReason.CANCELLED if charge.status == "CANCELED" else refusal(charge.code)
