"""A settlement file's rows against the ledger: by track id first, by the gateway's numbers second."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from bot.clock import local
from bot.operators.orders import midnight
from bot.operators.settlement import SettledRow
from bot.services.ledger import AttemptStatus, Capture, Ledger, PaidBack, Reads, RefundStatus

BATCH: Final = 500
"""Rows looked up at once, and rows of a page of the ledger."""

_TAKEN: Final = (AttemptStatus.PAID, AttemptStatus.REFUNDED)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Where the two sides disagree.

    Attributes:
        kind: ``missing_here``, ``missing_there``, ``different`` or ``duplicate``.
        refund: whether it is about money that went back.
        row: line of the file, 0 when the file has none.
        number: track id, or whatever the file calls the payment.
        theirs: fils in the file, None without a row.
        ours: fils in the ledger, None where it has nothing.
        note: what differs.
        edge: near the end of the period, so that the next file may bring it.
    """

    kind: str
    refund: bool
    row: int
    order: str
    number: str
    theirs: int | None
    ours: int | None
    note: str
    edge: bool = False


class Sum(msgspec.Struct):
    """How many, and how much."""

    count: int = 0
    fils: int = 0

    def add(self, fils: int) -> None:
        """Count one more."""
        self.count += 1
        self.fils += fils


class Sums(msgspec.Struct):
    """Payments and refunds apart."""

    payments: Sum
    refunds: Sum

    def of(self, *, refund: bool) -> Sum:
        """The sum it belongs to."""
        return self.refunds if refund else self.payments


def no_sums() -> Sums:
    """Nothing yet."""
    return Sums(Sum(), Sum())


class Matching:
    """Takes rows in, and in the end what the ledger has besides.

    Args:
        ledger: read only.
        provider: the gateway whose file it is.
        tolerance: days a payment's day here may differ from the file's.
    """

    def __init__(self, ledger: Ledger, provider: str, tolerance: int) -> None:
        self._ledger = ledger
        self._provider = provider
        self._tolerance = timedelta(days=tolerance)
        self._seen: set[int] = set()
        self._seen_refunds: set[int] = set()
        self.theirs = no_sums()
        self.ours = no_sums()
        self.matched = no_sums()
        self.differences: list[Difference] = []
        self.first: date | None = None
        self.last: date | None = None

    async def take(self, rows: Sequence[SettledRow]) -> None:
        """Match a batch of rows."""
        async with self._ledger.read() as read:
            book = await _Book.of(read, self._provider, rows)
        for row in rows:
            self.theirs.of(refund=row.refund).add(row.fils)
            if row.on is not None:
                self.first = min(self.first or row.on, row.on)
                self.last = max(self.last or row.on, row.on)
            if row.refund:
                self._refund(row, book)
            else:
                self._payment(row, book)

    async def rest(self, first: date, last: date) -> None:
        """What the ledger has of ``first`` to ``last`` (both included) and no row named."""
        since, until = midnight(first), midnight(last + timedelta(days=1))
        late = midnight(last + timedelta(days=1) - self._tolerance)
        after = 0
        while True:
            async with self._ledger.read() as read:
                page = await read.captures(self._provider, since, until, after, BATCH)
            for each in page:
                if each.attempt.id not in self._seen:
                    self._missing_there(each, each.fils, each.at >= late)
            if len(page) < BATCH:
                break
            after = page[-1].attempt.id
        after = 0
        while True:
            async with self._ledger.read() as read:
                refunds = await read.paid_back(self._provider, since, until, after, BATCH)
            for gone in refunds:
                if gone.refund.id not in self._seen_refunds:
                    self._missing_there(gone, gone.refund.fils, gone.refund.updated >= late)
            if len(refunds) < BATCH:
                return
            after = refunds[-1].refund.id

    # --- payments --------------------------------------------------------------------------------

    def _payment(self, row: SettledRow, book: "_Book") -> None:
        found = book.capture(row, self._seen)
        if found is None:
            self._differ("missing_here", row, "", None, "the ledger knows no such payment")
            return
        if found.attempt.id in self._seen:
            self._differ("duplicate", row, found.order, found.fils, "the file has this payment before")
            return
        self._seen.add(found.attempt.id)
        self.ours.payments.add(found.fils)
        if note := self._payment_note(row, found):
            self._differ("different", row, found.order, found.fils, note)
        else:
            self.matched.payments.add(row.fils)

    def _payment_note(self, row: SettledRow, found: Capture) -> str:
        attempt = found.attempt
        review = attempt.status is AttemptStatus.REVIEW and attempt.captured > 0
        if attempt.status not in _TAKEN and not review:
            return f"captured there, {attempt.status} here"
        if row.currency != attempt.currency:
            return f"currency: {row.currency} there"
        if row.fils != found.fils:
            return "amount"
        if row.on is not None and abs(row.on - local(found.at).date()) > self._tolerance:
            return f"day: {row.on} there, {local(found.at).date()} here"
        return ""

    # --- refunds ---------------------------------------------------------------------------------

    def _refund(self, row: SettledRow, book: "_Book") -> None:
        known = book.refunds(row)
        fresh = [each for each in known if each.refund.id not in self._seen_refunds]
        same = [each for each in fresh if each.refund.fils == row.fils] or fresh[:1]
        done = [each for each in same if each.refund.status is RefundStatus.DONE] or same[:1]
        if not done:
            again = any(each.refund.fils == row.fils for each in known)
            kind = "duplicate" if again else "missing_here"
            note = "the file has this refund before" if again else "the ledger knows no such refund"
            self._differ(kind, row, known[0].order if known else "", None, note)
            return
        refund = done[0].refund
        self._seen_refunds.add(refund.id)
        self.ours.refunds.add(refund.fils)
        note = ""
        if refund.status is not RefundStatus.DONE:
            note = f"given back there, {refund.status} here"
        elif row.currency != "KWD":
            note = f"currency: {row.currency} there"
        elif refund.fils != row.fils:
            note = "amount"
        if note:
            self._differ("different", row, done[0].order, refund.fils, note)
        else:
            self.matched.refunds.add(row.fils)

    # --- inside ----------------------------------------------------------------------------------

    def _differ(self, kind: str, row: SettledRow, order: str, ours: int | None, note: str) -> None:
        number = row.track or row.payment or row.reference or row.refund_id
        self.differences.append(
            Difference(
                kind=kind,
                refund=row.refund,
                row=row.number,
                order=order,
                number=number,
                theirs=row.fils,
                ours=ours,
                note=note,
            )
        )

    def _missing_there(self, found: Capture | PaidBack, fils: int, edge: bool) -> None:  # noqa: FBT001 - private
        refund = isinstance(found, PaidBack)
        self.ours.of(refund=refund).add(fils)
        note = "the file does not have it" + ("; the next one may" if edge else "")
        self.differences.append(
            Difference(
                kind="missing_there",
                refund=refund,
                row=0,
                order=found.order,
                number=found.refund.key if isinstance(found, PaidBack) else found.attempt.track,
                theirs=None,
                ours=fils,
                note=note,
                edge=edge,
            )
        )


class _Book:
    """What the ledger knows of one batch's numbers."""

    def __init__(self, tracks: Iterable[Capture], named: Iterable[Capture], back: Iterable[PaidBack]) -> None:
        self._tracks = {each.attempt.track: each for each in tracks}
        self._named: dict[str, list[Capture]] = {}
        for each in named:
            attempt = each.attempt
            for number in {attempt.payment, attempt.provider_ref, attempt.bank, attempt.bank_transaction}:
                self._named.setdefault(number, []).append(each)
        self._back: dict[int, list[PaidBack]] = {}
        self._back_named: dict[str, PaidBack] = {}
        for gone in back:
            self._back.setdefault(gone.attempt.id, []).append(gone)
            self._back_named |= {gone.refund.key: gone}
            if gone.refund.reference:
                self._back_named |= {gone.refund.reference: gone}

    @classmethod
    async def of(cls, read: Reads, provider: str, rows: Sequence[SettledRow]) -> "_Book":
        """Look everything up that ``rows`` name."""
        tracks = await read.captures_by_track(provider, _some(row.track for row in rows))
        known = {each.attempt.track for each in tracks}
        lost = [row for row in rows if row.track not in known]
        numbers = _some(number for row in lost for number in (row.payment, row.reference))
        named = await read.captures_by_number(provider, numbers) if numbers else []
        back = [row for row in rows if row.refund]
        ids = [each.attempt.id for each in (*tracks, *named)] if back else []
        theirs = _some(number for row in back for number in (row.refund_id, row.reference, row.payment))
        found = await read.paid_back_of(ids) if ids else []
        by_number = await read.paid_back_by_number(provider, theirs) if theirs else []
        return cls(tracks, named, {each.refund.id: each for each in (*found, *by_number)}.values())

    def capture(self, row: SettledRow, seen: set[int]) -> Capture | None:
        """The attempt the row is about; of several, one that no row named before, with the row's amount."""
        if row.track in self._tracks:
            return self._tracks[row.track]
        for number in (row.payment, row.reference):
            found = self._named.get(number, []) if number else []
            if found:
                return min(found, key=lambda each: (each.attempt.id in seen, each.fils != row.fils))
        return None

    def refunds(self, row: SettledRow) -> list[PaidBack]:
        """The refunds the row may be about; exactly one where the row names it."""
        for number in (row.refund_id, row.reference, row.payment):
            if number and number in self._back_named:
                return [self._back_named[number]]
        found = self.capture(row, set())
        return [] if found is None else self._back.get(found.attempt.id, [])


def _some(numbers: Iterable[str]) -> list[str]:
    return sorted({number for number in numbers if number})
