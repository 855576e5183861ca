"""KNET behind the port: an address to open, a notification to read, a pipe to ask."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from bot.dialogs.checkout import RefusalReason
from bot.errors import Declined, Malformed, Unavailable
from bot.ports import Clock
from bot.services.http import Breaker, Http, make_client
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
from bot.services.payments.knet.messages import (
    CURRENCY,
    ENQUIRE,
    REFUND,
    SERVICE,
    notification,
    page_address,
    pipe_answer,
    pipe_request,
)
from bot.services.payments.knet.terms import KnetTerms
from bot.wire import Answer

TIMEOUT: Final = 20.0
"""Seconds for one call of the pipe, retries included (ours; the manual names none)."""

_PIPE = "kpg/tranPipe.htm?param=tranInit"  # K-064 3.6.2, 3.7.2
_SHORT = 64  # characters the ledger keeps of a number of KNET's
_AUTH = 32  # likewise, of an authorisation code

_RESULTS: Final[Mapping[str, Result]] = {
    "SUCCESS": Result.PAID,
    "CAPTURED": Result.PAID,
    "FAILURE": Result.FAILED,
    "NOT CAPTURED": Result.FAILED,
    "CANCELED": Result.FAILED,
    "HOST TIMEOUT": Result.UNKNOWN,
    # The manual calls SUSPECTED failed; a sister gateway means by it that the enquiry differs from the
    # transaction. The others belong to the gateway's product family: not paid, for a person to look at.
    "SUSPECTED": Result.SUSPECT,
    "SUSPECT": Result.SUSPECT,
    "DENIED BY RISK": Result.SUSPECT,
    "VOIDED": Result.SUSPECT,
    "SUSPENDED": Result.SUSPECT,
    "PROCESSED": Result.SUSPECT,
}
"""``result`` of an enquiry, bare or as ``FAILURE(…)`` (K-064 3.6.2; the family's words from public clients)."""

_FAILURE = re.compile(r"FAILURE ?\(([A-Z ]{1,32})\)", re.ASCII)
_CODE = re.compile(r"IPAY[0-9]{7}", re.ASCII)
_NO_SUCH = "IPAY0100263"  # transaction details not available: nobody opened the page, or it was abandoned
_HOST_TIMEOUT = "IPAY0100158"
_REFUSALS = "IPAY01"  # IPAY02… are the gateway's own faults: nothing can be concluded from them (K-064 10)

_CODES = ("authrespcode", "authresponsecode", "authrescode")  # samples do not agree on the name


class Knet:
    """Implements `bot.services.payments.Payments`.

    Args:
        terms: the terminal.
        clock: rests after failures.
        timeout: seconds for one call of the pipe.
    """

    name = "knet"
    reopens = False  # a track id opened a second time is answered IPAY0100114 (K-064 10)
    keyed_refunds = False

    def __init__(self, terms: KnetTerms, clock: Clock, *, timeout: float = TIMEOUT) -> None:
        self._terms = terms
        parts = urlsplit(terms.url)
        # The page the address leads to is on the same host (K-064 3.1, 9.1, and the kits; not tried live).
        self.hosts: Final = tuple(dict.fromkeys((parts.hostname or "", parts.netloc)))
        self._client = make_client(f"{terms.base}/")
        self._http = Http(SERVICE, self._client, Breaker(clock), timeout=timeout)

    async def create(self, charge: Charge) -> Created:
        """See `Payments.create`. Sends nothing: the browser carries the request; KNET has no number of it yet."""
        return Created("", page_address(self._terms, charge))

    async def enquire(self, track_id: str, provider_ref: str, fils: int) -> Enquiry:  # noqa: ARG002 - the port's shape
        """See `Payments.enquire`.

        KNET cannot tell a page that waits from one never opened: both are `Result.MISSING`. The answer
        carries no currency and no terminal; a terminal takes dinars only and sees only its own.
        """
        answer = await self._ask(ENQUIRE, track_id, fils, repeatable=True)
        if answer.status != HTTPStatus.OK:
            busy = answer.status == HTTPStatus.TOO_MANY_REQUESTS
            raise (Unavailable if busy else Declined)(SERVICE, f"answered {answer.status}")
        fields = pipe_answer(answer.body)
        code = _error(fields)  # K-064 3.5.5: an error first, then the result
        if code == _NO_SUCH:
            return Enquiry(status=Result.MISSING)
        if code and code != _HOST_TIMEOUT:
            raise Unavailable(SERVICE, f"answered {code}")
        status = Result.UNKNOWN if code else _RESULTS.get(_word(fields))
        if status is None:
            raise Malformed(SERVICE, "a result outside the contract")
        paid = status is Result.PAID
        return Enquiry(
            status=status,
            track_id=_short(fields.get("trackid", "")),
            fils=_fils(fields.get("amt", ""), needed=paid),
            currency=CURRENCY,
            bank_reference=_short(fields.get("ref", "")) if paid else "",
            reason=_reason(fields) if status is Result.FAILED else "",
            payment_id=_short(fields.get("payid", "") or fields.get("paymentid", "")),
            transaction=_short(fields.get("tranid", "")),
            authorisation=_short(fields.get("auth", ""), _AUTH),
        )

    async def refund(self, refund: Refund) -> Refunded:
        """See `Payments.refund`. Sent once; only ``CAPTURED`` is success (K-064 3.7, 7).

        Whatever leaves open whether the money went (no answer, one that is no answer of KNET's) raises
        `Unavailable`; a bank that did not answer KNET, and a word KNET does not use for refunds, are
        `RefundResult.UNKNOWN`: REFUSED would invite somebody to give it back a second time.
        """
        try:
            answer = await self._ask(REFUND, refund.track_id, refund.fils, repeatable=False)
            if answer.status != HTTPStatus.OK:
                raise Unavailable(SERVICE, f"answered {answer.status}")
            fields = pipe_answer(answer.body)
            reference = _short(fields.get("ref", "") or fields.get("tranid", ""))
        except Malformed as error:
            raise Unavailable(SERVICE, error.reason) from None
        return Refunded(_given_back(fields, refund), reference)

    async def refund_status(self, refund: Refund, reference: str) -> Refunded:  # noqa: ARG002 - the port's shape
        """See `Payments.refund_status`. KNET has no such question; its portal shows refunds."""
        return Refunded(RefundResult.UNKNOWN, reference)

    def parse_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:  # noqa: ARG002 - KNET signs nothing
        """See `Payments.parse_callback`, and `notification` for what is done against oracles."""
        read = notification(body, self._terms.key.encode())
        if read is None:
            raise Malformed(SERVICE, "notification refused")
        return read

    def acknowledge(self, return_url: str) -> str:
        """See `Payments.acknowledge`: one line of plain text, or KNET voids what was paid (K-064 5, 9.2)."""
        return f"REDIRECT={return_url}"

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask(self, action: str, track_id: str, fils: int, *, repeatable: bool) -> Answer:
        content = pipe_request(self._terms, action, track_id, fils)
        return await self._http.ask(
            "POST", _PIPE, repeatable=repeatable, content=content, media_type="application/xml"
        )


def _error(fields: Mapping[str, str]) -> str:
    """The error's code, empty without an error; codes that contradict one another are no code we know."""
    result, tag = fields["result"], fields.get("error_code_tag", "")
    if not (result.startswith("!ERROR!") or tag or fields.get("error_text")):
        return ""
    found = set(_CODE.findall(f"{result} {tag} {fields.get('error_text', '')}"))
    return found.pop() if len(found) == 1 else "an error"


def _word(fields: Mapping[str, str]) -> str:
    result = fields["result"]
    if (failure := _FAILURE.fullmatch(result)) is None:
        return result
    # `FAILURE(CAPTURED)` contradicts itself, and is not to be read as a success.
    return "" if _RESULTS.get(failure[1]) is Result.PAID else failure[1]


def _reason(fields: Mapping[str, str]) -> RefusalReason:
    if _word(fields) == "CANCELED":
        return RefusalReason.CANCELLED
    return refusal(next((fields[name] for name in _CODES if fields.get(name)), ""))


def _given_back(fields: Mapping[str, str], refund: Refund) -> RefundResult:
    if code := _error(fields):
        refused = code.startswith(_REFUSALS) and code != _HOST_TIMEOUT
        return RefundResult.REFUSED if refused else RefundResult.UNKNOWN
    word = _word(fields)
    if word == "CAPTURED":
        # Said of another payment or amount, it proves nothing about ours.
        track, amount = fields.get("trackid", ""), fields.get("amt", "")
        ours = track in {"", refund.track_id} and amount in {"", amount_text(refund.fils)}
        return RefundResult.DONE if ours else RefundResult.UNKNOWN
    failed = _RESULTS.get(word) is Result.FAILED
    return RefundResult.REFUSED if failed else RefundResult.UNKNOWN


def _fils(amount: str, *, needed: bool) -> int:
    if not amount and not needed:
        return 0
    try:
        fils = fils_of(amount)
    except ValueError:
        fils = 0
    if not fils:
        raise Malformed(SERVICE, "an amount outside the contract")
    return fils


def _short(text: str, most: int = _SHORT) -> str:
    if len(text) > most or not text.isascii() or not text.isprintable():
        raise Malformed(SERVICE, "a field outside the contract")
    return text
