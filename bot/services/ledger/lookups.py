"""What operators look for: orders by any of their numbers, what needs a person, what a gateway captured."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.sql.selectable import ScalarSelect

from bot.services.ledger import tables as t
from bot.services.ledger.base import Connected, among
from bot.services.ledger.rows import Attempt, AttemptStatus, Notice, Order, OrderStatus, RefundRow

CAPTURED_WORDS: Final = ("CAPTURED", "SUCCESS", "SUCCSS", "PAID")
"""What gateways call money taken, in upper case (payments reference, 1.7, 2.2 and 2.3; ``Succss`` is theirs)."""

_TAKEN: Final = (AttemptStatus.PAID, AttemptStatus.REFUNDED)
_RETRIES: Final = "did not answer"
"""What the order's history says when the registry was asked in vain: nothing the chat waits for."""


class Capture(msgspec.Struct, frozen=True):
    """An attempt whose money the gateway took.

    Attributes:
        order: the order's public reference.
        at: when we came to believe it (epoch seconds), 0 for an attempt that was never captured.
    """

    attempt: Attempt
    order: str
    at: int

    @property
    def fils(self) -> int:
        """What the gateway took, as far as we know."""
        return self.attempt.captured or self.attempt.fils


class PaidBack(msgspec.Struct, frozen=True):
    """A refund with the attempt and the order it belongs to."""

    refund: RefundRow
    attempt: Attempt
    order: str


class Claim(msgspec.Struct, frozen=True):
    """A notification that deserves a look.

    Attributes:
        order: the order it is about, empty when its track id is none of ours.
        status: of the attempt it is about, empty likewise.
    """

    provider: str
    track: str
    result: str
    fils: int
    at: int
    order: str
    status: str


class Lookups(Connected):
    """Queries of the operators' commands."""

    async def find_orders(self, number: str, limit: int) -> list[Order]:
        """Orders that ``number`` names, newest first.

        Args:
            number: an order reference, track id, payment id, bank or gateway reference, or a refund's key
                or number. Letters may be small where ours are capitals.
            limit: at most so many.
        """
        ours = number.upper()
        attempts, refunds = t.attempts.c, t.refunds.c
        tried = exists().where(
            attempts.order_id == t.orders.c.id,
            or_(
                attempts.track == ours,
                attempts.payment == number,
                attempts.bank == number,
                attempts.bank_transaction == number,
                attempts.provider_ref == number,
            ),
        )
        given = exists().where(
            attempts.order_id == t.orders.c.id,
            refunds.attempt_id == attempts.id,
            or_(refunds.key == ours, refunds.reference == number),
        )
        found = or_(t.orders.c.ref == ours, t.orders.c.bank == number, tried, given)
        query = select(t.orders).where(found).order_by(t.orders.c.id.desc()).limit(limit)
        return await self._all(query, Order)

    async def recent_orders(self, status: str, since: int, limit: int) -> list[Order]:
        """Orders made at or after ``since``, newest first; those in ``status`` unless it is empty."""
        query = select(t.orders).where(t.orders.c.created >= since)
        if status:
            query = query.where(t.orders.c.status == status)
        return await self._all(query.order_by(t.orders.c.id.desc()).limit(limit), Order)

    async def audit_rows(self, since: int, limit: int) -> list[dict[str, Any]]:
        """The audit trail from ``since`` on, newest first: at, who, what, about."""
        query = select(t.audit).where(t.audit.c.at >= since).order_by(t.audit.c.id.desc()).limit(limit)
        return await self._rows(query)

    async def audit_count(self, what: str, since: int) -> int:
        """How often ``what`` was written into the audit trail from ``since`` on."""
        mine = t.audit.c.what == what, t.audit.c.at >= since
        return await self._number(select(func.count()).select_from(t.audit).where(*mine))

    # --- what needs a person ---------------------------------------------------------------------

    async def orders_in_review(self) -> list[Order]:
        """Orders that wait for a person, oldest first."""
        query = select(t.orders).where(t.orders.c.status == OrderStatus.REVIEW)
        return await self._all(query.order_by(t.orders.c.id), Order)

    async def attempts_in_review(self) -> list[Capture]:
        """Attempts that wait for a person, oldest first."""
        return await self._captures(_captures().where(t.attempts.c.status == AttemptStatus.REVIEW))

    async def unposted(self, before: int) -> list[Order]:
        """Orders paid before ``before`` that the registry has not recorded."""
        query = select(t.orders).where(t.orders.c.status == OrderStatus.PAID, t.orders.c.paid_at < before)
        return await self._all(query.order_by(t.orders.c.id), Order)

    async def open_refunds(self) -> list[PaidBack]:
        """Refunds of which the gateway has not said the last word, oldest first."""
        return await self._paid_back(_paid_back().where(t.refunds.c.status.in_(t.OPEN_REFUNDS)))

    async def untold(self, before: int) -> list[tuple[Notice, str]]:
        """Notices whose chat does not know yet what happened before ``before``, with the order's reference.

        A notice does not say when it came to be; the latest event of its order does.
        """
        order_id = t.notices.c.order_id
        steps = (
            _latest(
                t.order_history.c.at,
                t.order_history.c.order_id == order_id,
                t.order_history.c.what != _RETRIES,
            ),
            _latest(
                t.attempt_history.c.at,
                t.attempt_history.c.attempt_id == t.attempts.c.id,
                t.attempts.c.order_id == order_id,
            ),
            _latest(
                t.refunds.c.updated,
                t.refunds.c.attempt_id == t.attempts.c.id,
                t.attempts.c.order_id == order_id,
            ),
        )
        query = (
            select(t.notices, t.orders.c.ref)
            .join(t.orders)
            .where(t.notices.c.told_at == 0, *(func.coalesce(step, 0) < before for step in steps))
            .order_by(t.notices.c.id)
        )
        return [(_part(row, Notice), str(row["ref"])) for row in await self._rows(query)]

    async def false_claims(self, since: int, before: int) -> list[Claim]:
        """Notifications in that time that claimed a capture which no enquiry has confirmed."""
        says = func.upper(t.gateway_events.c.result).in_(CAPTURED_WORDS)
        known = t.attempts.c.status.not_in([*_TAKEN, AttemptStatus.REVIEW])
        events = t.gateway_events.c
        return await self._claims(says, known, events.at >= since, events.at < before)

    async def altered_claims(self, since: int) -> list[Claim]:
        """Notifications from ``since`` on that were repeated with another amount."""
        return await self._claims(t.gateway_events.c.altered, t.gateway_events.c.at >= since)

    # --- what a gateway captured -----------------------------------------------------------------

    async def captures(self, provider: str, since: int, until: int, after: int, limit: int) -> list[Capture]:
        """The provider's captured attempts of ``since`` ≤ time < ``until``, a page at a time.

        Args:
            provider: the gateway's name.
            since: epoch seconds.
            until: epoch seconds.
            after: id of the last attempt of the page before, 0 at first.
            limit: size of a page.
        """
        taken = or_(
            t.attempts.c.status.in_(_TAKEN),
            and_(t.attempts.c.status == AttemptStatus.REVIEW, t.attempts.c.captured > 0),
        )
        at = _captured_at()
        mine = t.attempts.c.provider == provider, t.attempts.c.id > after, taken, at >= since, at < until
        return await self._captures(_captures().where(*mine).limit(limit))

    async def captures_by_track(self, provider: str, tracks: Sequence[str]) -> list[Capture]:
        """The provider's attempts with these track ids, captured or not."""
        mine = t.attempts.c.provider == provider, among(t.attempts.c.track, tracks)
        return await self._captures(_captures().where(*mine))

    async def captures_by_number(self, provider: str, numbers: Sequence[str]) -> list[Capture]:
        """The provider's attempts that a payment id or a reference of ``numbers`` names."""
        attempts = t.attempts.c
        columns = (attempts.payment, attempts.provider_ref, attempts.bank, attempts.bank_transaction)
        named = or_(*(among(column, numbers) for column in columns))
        return await self._captures(_captures().where(attempts.provider == provider, named))

    async def paid_back_of(self, attempt_ids: Sequence[int]) -> list[PaidBack]:
        """Refunds of these attempts, whatever became of them, oldest first."""
        return await self._paid_back(_paid_back().where(among(t.refunds.c.attempt_id, attempt_ids)))

    async def paid_back_by_number(self, provider: str, numbers: Sequence[str]) -> list[PaidBack]:
        """The provider's refunds that their key or the gateway's number of them names."""
        named = or_(among(t.refunds.c.key, numbers), among(t.refunds.c.reference, numbers))
        return await self._paid_back(_paid_back().where(t.attempts.c.provider == provider, named))

    async def paid_back(
        self, provider: str, since: int, until: int, after: int, limit: int
    ) -> list[PaidBack]:
        """Refunds that were done in that time, a page at a time; arguments as for `captures`."""
        mine = t.attempts.c.provider == provider, t.refunds.c.id > after, t.refunds.c.status == "done"
        then = t.refunds.c.updated >= since, t.refunds.c.updated < until
        return await self._paid_back(_paid_back().where(*mine, *then).limit(limit))

    # --- inside ----------------------------------------------------------------------------------

    async def _captures(self, query: Select[Any]) -> list[Capture]:
        rows = await self._rows(query)
        return [Capture(_part(row, Attempt), str(row["order_ref"]), int(row["at"] or 0)) for row in rows]

    async def _paid_back(self, query: Select[Any]) -> list[PaidBack]:
        found: list[PaidBack] = []
        for row in await self._rows(query):
            refund = {name.removeprefix("r_"): row[name] for name in row if name.startswith("r_")}
            found.append(
                PaidBack(msgspec.convert(refund, RefundRow), _part(row, Attempt), str(row["order_ref"]))
            )
        return found

    async def _claims(self, *conditions: ColumnElement[bool]) -> list[Claim]:
        events = t.gateway_events
        mine = and_(t.attempts.c.track == events.c.track, t.attempts.c.provider == events.c.provider)
        query = (
            select(events, t.attempts.c.status.label("attempt_status"), t.orders.c.ref.label("order_ref"))
            .select_from(events.outerjoin(t.attempts, mine).outerjoin(t.orders))
            .where(*conditions)
            .order_by(events.c.id)
        )
        return [
            Claim(
                row["provider"],
                row["track"],
                row["result"],
                row["fils"],
                row["at"],
                row["order_ref"] or "",
                row["attempt_status"] or "",
            )
            for row in await self._rows(query)
        ]


def _part(row: dict[str, Any], kind: type[Any]) -> Any:
    """``kind`` from those of the row's columns that are its fields."""
    # Names that SQL must quote come as a subclass of str, which msgspec does not take.
    return msgspec.convert({name: row[name] for name in kind.__struct_fields__}, kind)


def _latest(column: ColumnElement[int], *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.max(column)).where(*conditions).correlate(t.notices).scalar_subquery()


def _captured_at() -> ColumnElement[int]:
    """When the attempt was found to be paid, or else to need a person."""

    def first(status: AttemptStatus) -> ScalarSelect[int]:
        mine = t.attempt_history.c.attempt_id == t.attempts.c.id, t.attempt_history.c.status == status
        return select(func.min(t.attempt_history.c.at)).where(*mine).correlate(t.attempts).scalar_subquery()

    return func.coalesce(first(AttemptStatus.PAID), first(AttemptStatus.REVIEW))


def _captures() -> Select[Any]:
    columns = (t.attempts, t.orders.c.ref.label("order_ref"), _captured_at().label("at"))
    return select(*columns).join(t.orders, t.orders.c.id == t.attempts.c.order_id).order_by(t.attempts.c.id)


def _paid_back() -> Select[Any]:
    refund = [column.label(f"r_{column.name}") for column in t.refunds.c]
    return (
        select(*refund, t.attempts, t.orders.c.ref.label("order_ref"))
        .select_from(t.refunds.join(t.attempts).join(t.orders))
        .order_by(t.refunds.c.id)
    )
