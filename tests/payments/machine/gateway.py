"""Two gateways before the bank, behind the port the service knows; one of each kind there is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from bot.errors import Declined, Malformed, Unavailable
from bot.ports import Clock
from bot.services.payments import (
    Callback,
    Charge,
    Created,
    Enquiry,
    Refund,
    Refunded,
    RefundResult,
    Result,
    refusal,
)
from tests.payments.machine import bank as b
from tests.payments.machine.bank import Bank, Given, Told, Word

SIGNED = "x-bank"


class Mood(StrEnum):
    """What becomes of a call."""

    WELL = "well"
    DOWN = "down"  # it does not arrive
    LOST = "lost"  # it is done, and the answer is lost
    ODD = "odd"  # it is done, and the answer cannot be read
    RUDE = "rude"  # refused
    LATER = "later"  # refunds are taken on, and done in an hour
    NEVER = "never"  # refunds are taken on, and refused in an hour


RESULTS: Mapping[Word, Result] = {
    Word.NOTHING: Result.MISSING,
    Word.OPEN: Result.OPEN,
    Word.DECIDING: Result.PENDING,
    Word.SILENT: Result.UNKNOWN,
    Word.CAPTURED: Result.PAID,
    Word.REFUSED: Result.FAILED,
    Word.OVER: Result.EXPIRED,
    Word.ODD: Result.SUSPECT,
    Word.RETURNED: Result.REFUNDED,
}
_NUMBERLESS = (Result.MISSING, Result.UNKNOWN)


class Notice(msgspec.Struct):
    """The body of a notification."""

    track: str
    event: str
    claims: str
    fils: int


def notification(told: Told) -> bytes:
    """The body of ``told``."""
    return msgspec.json.encode(Notice(told.charge.track, told.event, told.claims, told.fils))


@dataclass
class BankPayments:
    """Implements `bot.services.payments.Payments`.

    Attributes:
        reopens: of the kind that makes its page at a call, ends it, keys its refunds and answers about them
            (as Tap does); if not, of the kind whose page is an address that works once, that knows nothing
            of a charge before somebody pays, and gives back as often as it is asked to (as KNET does).
        gate: passed before and after each call takes effect.
        mood: of all calls.
        refunding: of calls that give back, besides.
    """

    name: str
    reopens: bool
    bank: Bank
    clock: Clock
    gate: Callable[[], Awaitable[None]]
    mood: Mood = Mood.WELL
    refunding: Mood = Mood.WELL
    hosts: tuple[str, ...] = ("pay.example",)
    enquiries: int = field(default=0)

    @property
    def keyed_refunds(self) -> bool:
        return self.reopens

    async def create(self, charge: Charge) -> Created:
        if not self.reopens:  # an address is made up here; nothing goes out
            self._know(charge)
            return Created("", f"https://pay.example/{self.name}?{charge.track_id}")
        await self._arrive()
        self._know(charge)
        await self._answer()
        return Created(f"R{charge.track_id}", f"https://pay.example/{self.name}/{charge.track_id}")

    async def enquire(self, track_id: str, provider_ref: str, fils: int) -> Enquiry:
        assert provider_ref in {"", f"R{track_id}"}
        assert fils > 0
        await self._arrive()
        self.enquiries += 1
        said = self._said(track_id)
        await self._answer()
        return said

    async def refund(self, refund: Refund) -> Refunded:
        await self._arrive(self.refunding)
        now = self.clock.now()
        charge = self.bank.charges[refund.track_id]
        wait = 3600 if self.reopens and self.refunding in {Mood.LATER, Mood.NEVER} else 0
        refused = self.refunding is Mood.NEVER
        wanted = Given(refund.key, refund.fils, now, now + wait, refused=refused)
        given = self.bank.give_back(charge, wanted, keyed=self.keyed_refunds)
        await self._answer(self.refunding)
        return self._how(given)

    async def refund_status(self, refund: Refund, reference: str) -> Refunded:
        assert reference in {"", f"B{refund.key}"}
        await self._arrive()
        given = self.bank.refund(self.bank.charges[refund.track_id], refund.key)
        await self._answer()
        if not self.reopens:
            return Refunded(RefundResult.UNKNOWN)
        return Refunded(RefundResult.REFUSED) if given is None else self._how(given)

    def parse_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        if headers.get(SIGNED) != self.name:
            raise Malformed("payments", "notification refused")
        told = msgspec.json.decode(body, type=Notice)
        paid = told.claims == Word.CAPTURED
        return Callback(track_id=told.track, event=told.event, result=told.claims, fils=told.fils, paid=paid)

    def acknowledge(self, return_url: str) -> str:
        return f"REDIRECT={return_url}"

    async def close(self) -> None:
        pass

    # --- inside ----------------------------------------------------------------------------------

    async def _arrive(self, besides: Mood = Mood.WELL) -> None:
        await self.gate()
        if Mood.DOWN in {self.mood, besides}:
            raise Unavailable("payments", "answered 503")
        if Mood.RUDE in {self.mood, besides}:
            raise Declined("payments", "answered 400")

    async def _answer(self, besides: Mood = Mood.WELL) -> None:
        await self.gate()
        if Mood.LOST in {self.mood, besides}:
            raise Unavailable("payments", "timeout")
        if Mood.ODD in {self.mood, besides}:
            raise Malformed("payments", "not JSON")

    def _know(self, charge: Charge) -> None:
        known = self.bank.charge(
            b.Charge(
                self.name,
                charge.track_id,
                charge.fils,
                charge.return_url,
                self.clock.now(),
                ends=self.reopens,
            )
        )
        assert (known.asked, known.back) == (charge.fils, charge.return_url)

    def _said(self, track_id: str) -> Enquiry:
        charge = self.bank.charges.get(track_id)
        if charge is None:
            return Enquiry(status=Result.MISSING)
        word = charge.says(self.clock.now())
        result = RESULTS[word]
        if result is Result.OPEN and not self.reopens:
            result = Result.MISSING
        if result in _NUMBERLESS:
            return Enquiry(status=result)
        paid = result is Result.PAID
        return Enquiry(
            status=result,
            track_id=charge.named,
            fils=charge.taken or charge.asked,
            currency=charge.currency,
            bank_reference=f"B{track_id}" if paid else "",
            reason=refusal(charge.code) if result is Result.FAILED else "",
            payment_id=f"P{track_id}",
        )

    def _how(self, given: Given) -> Refunded:
        reference = f"B{given.key}"
        if given.done_at > self.clock.now():
            return Refunded(RefundResult.PENDING, reference)
        return Refunded(RefundResult.REFUSED if given.refused else RefundResult.DONE, reference)
