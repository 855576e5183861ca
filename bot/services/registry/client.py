"""The registry's client."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec
import structlog

from bot.dialogs.find_reference import FindReference, FindReferenceRefused, Reference
from bot.dialogs.violations import FindFines, FindFinesRefused, Owed
from bot.domain import Item, ItemKind, Relation, Subject
from bot.errors import Declined, Malformed, OutsideError, Unavailable
from bot.ports import Asked, Clock, Effect, Executor, Failed
from bot.residency.facts import Body, Permit
from bot.services.http import Breaker, Client, Http, decoded
from bot.services.registry import answers
from bot.services.registry.answers import MOST_NUMBERS, MOST_WORKERS
from bot.wire import Answer

SERVICE: Final = "registry"

CONFLICTS: Final = frozenset(
    (
        "already_paid",
        "amount_differs",
        "unknown_fine",
        "not_payable",
        "unknown_permit",
        "not_renewable",
        "years_not_offered",
        "order_differs",
        "key_reused",
    )
)
"""Words of the contract for a payment that does not agree with the records: a person must look."""

_OK: Final = 200
_CREATED: Final = 201
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_BUSY: Final = 429
_HEALTH_SECONDS: Final = 3.0

_log = structlog.get_logger()
T = TypeVar("T")


class Registry:
    """The client.

    Args:
        client: with the registry's base URL and token (`bot.services.http.make_wire`, `make_client`); not closed here.
        clock: measures the breaker's rest.
        timeout: seconds for one call, retries included.
    """

    def __init__(self, client: Client, clock: Clock, *, timeout: float) -> None:
        self._http = Http(SERVICE, client, Breaker(clock), timeout=timeout)
        # Health is asked when things are bad: no breaker in the way, once, and briefly.
        self._probe = Http(SERVICE, client, None, timeout=min(_HEALTH_SECONDS, timeout), attempts=1)

    async def find_fines(self, by: Subject, number: str) -> Owed:
        """What is owed, oldest first. Unknown and clean numbers answer alike: with nothing.

        Raises:
            Failed: ``busy``.
            OutsideError: no answer, a refusal or nonsense.
        """
        body = msgspec.json.encode({"by": by, "number": number})
        answer = await self._http.ask("POST", "v1/fines/search", content=body, repeatable=True)
        if answer.status == _BUSY:
            raise Failed(FindFinesRefused.BUSY)
        if answer.status != _OK:
            raise _refused(answer)
        try:
            return Owed(answers.fines(decoded(SERVICE, answer, answers.FINES).fines))
        except ValueError:
            raise Malformed(SERVICE, "the same fine twice") from None

    async def find_reference(self, civil_id: str, passport: str, expiry: str) -> Reference:
        """The MOI reference number. ``expiry``: ISO 8601 date.

        Raises:
            Failed: ``no_match``.
            OutsideError: no answer, a refusal or nonsense.
        """
        body = msgspec.json.encode({"civil_id": civil_id, "passport": passport, "expiry": expiry})
        answer = await self._http.ask("POST", "v1/references/search", content=body, repeatable=True)
        if answer.status == _NOT_FOUND and _code(answer) == FindReferenceRefused.NO_MATCH:
            raise Failed(FindReferenceRefused.NO_MATCH)
        if answer.status != _OK:
            raise _refused(answer)
        return Reference(decoded(SERVICE, answer, answers.REFERENCE).reference)

    async def relations(self, actor: str, person: str) -> frozenset[Relation]:
        """By what rights ``actor`` acts for ``person``; both are civil IDs.

        Raises:
            OutsideError: no answer, a refusal or nonsense.
        """
        known = set(Relation)
        asked = {"actor": actor, "person": person}
        said = (await self._search("relations/search", asked, answers.RELATIONS)).relations
        return frozenset(Relation(word) for word in said if word in known)

    async def family(self, sponsor: str) -> tuple[Permit, ...]:
        """The residencies on the file of ``sponsor`` (civil ID): their own first, where they have one.

        Raises:
            OutsideError: no answer, a refusal or nonsense.
        """
        found = await self._search("families/search", {"sponsor": sponsor}, answers.FAMILY)
        return _permits(found.permits)

    async def permits(self, numbers: Sequence[str]) -> tuple[Permit, ...]:
        """The residencies with these permit numbers, in their order; those nobody knows are left out.

        Raises:
            OutsideError: no answer, a refusal or nonsense.
        """
        found: dict[str, Permit] = {}
        for some in _portions(numbers):
            got = _permits((await self._search("permits/search", {"permits": some}, answers.PERMITS)).permits)
            found |= {each.number: each for each in got}
            if not found.keys() <= set(numbers):
                raise Malformed(SERVICE, "a permit nobody asked for")
        return tuple(found[number] for number in dict.fromkeys(numbers) if number in found)

    async def bodies(self, actor: str) -> tuple[Body, ...]:
        """The companies and government bodies that ``actor`` (civil ID) is an authorised user of.

        Raises:
            OutsideError: no answer, a refusal or nonsense.
        """
        found = (await self._search("bodies/search", {"actor": actor}, answers.BODIES)).bodies
        if len({each.number for each in found}) != len(found):
            raise Malformed(SERVICE, "the same body twice")
        return tuple(answers.body(each) for each in found)

    async def workers_due(self, body: str, by: date, limit: int) -> tuple[Permit, ...]:
        """The residencies of the body's workers that end no later than ``by``, the soonest first.

        Args:
            body: unified number.
            by: a day; those that are over are among them.
            limit: at most so many.

        Raises:
            OutsideError: no answer, a refusal or nonsense.
        """
        found: dict[str, Permit] = {}
        after: dict[str, Any] | None = None
        while len(found) < limit:
            most = min(limit - len(found), MOST_WORKERS)
            asked = {"body": body, "by": by, "limit": most, "after": after}
            page = await self._search("workers/due", asked, answers.DUE)
            fresh = {each.number: each for each in _permits(page.permits) if each.number not in found}
            if len(fresh) > most or any(each.expires > by for each in fresh.values()):
                raise Malformed(SERVICE, "workers nobody asked for")
            if not fresh:
                break
            found |= fresh
            last = page.permits[-1]
            after = {"expires": last.expires, "permit": last.number}
            if not page.more:
                break
        return tuple(found.values())

    async def workers(self, body: str, civil_ids: Sequence[str]) -> tuple[Permit, ...]:
        """The residencies of these workers of the body, in their order; who is no worker of it is left out.

        Raises:
            OutsideError: no answer, a refusal or nonsense.
        """
        found: dict[str, Permit] = {}
        for some in _portions(civil_ids):
            asked = {"body": body, "civil_ids": some}
            got = _permits((await self._search("workers/search", asked, answers.PERMITS)).permits)
            found |= {each.civil_id: each for each in got}
            if not found.keys() <= set(civil_ids):
                raise Malformed(SERVICE, "a worker nobody asked for")
        return tuple(found[number] for number in dict.fromkeys(civil_ids) if number in found)

    async def record_payment(
        self, order: str, paid_at: int, gateway_reference: str, items: tuple[Item, ...]
    ) -> None:
        """Tell the registry that ``items`` are paid. Returns when it is recorded, now or before.

        Args:
            order: public order reference, or that of a part of it (``IQ-7F3C-9A1D-2``); also the idempotency key.
            paid_at: epoch seconds.
            gateway_reference: the gateway's reference of the payment.
            items: what was paid: fines and renewals, recorded all or none.

        Raises:
            Declined: a word of `CONFLICTS`; nothing was recorded.
            OutsideError: no answer, another refusal or nonsense; asking again is safe.
        """
        body = msgspec.json.encode(
            {
                "order": order,
                "paid_at": paid_at,
                "gateway_reference": gateway_reference,
                "items": [_paid(item) for item in items],
            }
        )
        answer = await self._http.ask(
            "POST", "v1/payments", content=body, headers={"Idempotency-Key": order}, repeatable=True
        )
        if answer.status not in {_OK, _CREATED}:
            raise _refused(answer)
        renewed = {each.permit: each.until.isoformat() for each in _same_order(answer, order).renewed}
        until = {item.number: item.until for item in items if item.kind is ItemKind.RENEWAL}
        if renewed.keys() != until.keys():
            raise Malformed(SERVICE, "answered about other residencies")
        if renewed != until:  # recorded all the same: the registry's day holds
            differ = sorted(number for number in until if renewed[number] != until[number])
            _log.warning("registry.until_differs", order=order, permits=differ)

    async def payment_recorded(self, order: str) -> bool:
        """Whether the payment of ``order`` is recorded.

        Raises:
            OutsideError: no answer, a refusal or nonsense.
        """
        answer = await self._http.ask("GET", f"v1/payments/{quote(order, safe='')}", repeatable=True)
        if answer.status == _NOT_FOUND and _code(answer) == "not_recorded":
            return False
        if answer.status != _OK:
            raise _refused(answer)
        _same_order(answer, order)
        return True

    async def healthy(self) -> bool:
        """Whether the registry says that it can answer. Never raises."""
        try:
            answer = await self._probe.ask("GET", "v1/health", repeatable=True)
        except OutsideError:
            return False
        return answer.status == _OK

    async def _search(self, path: str, asked: dict[str, Any], decoder: msgspec.json.Decoder[T]) -> T:
        body = msgspec.json.encode(asked)
        answer = await self._http.ask("POST", f"v1/{path}", content=body, repeatable=True)
        if answer.status != _OK:
            raise _refused(answer)
        return decoded(SERVICE, answer, decoder)


def executors(registry: Registry) -> dict[type[Effect], Executor]:
    """The effects that ``registry`` executes. Look-ups change nothing, so the key is not needed."""

    async def find_fines(effect: FindFines, asked: Asked) -> Owed:
        del asked
        return await registry.find_fines(effect.by, effect.number)

    async def find_reference(effect: FindReference, asked: Asked) -> Reference:
        del asked
        return await registry.find_reference(effect.civil_id, effect.passport, effect.expiry)

    return {FindFines: find_fines, FindReference: find_reference}


def _permits(found: Sequence[answers.PermitAnswer]) -> tuple[Permit, ...]:
    if len({each.number for each in found}) != len(found) or len({each.civil_id for each in found}) != len(
        found
    ):
        raise Malformed(SERVICE, "the same person twice")
    try:
        return tuple(answers.permit(each) for each in found)
    except ValueError:
        raise Malformed(SERVICE, "the same fine twice") from None


def _portions(numbers: Sequence[str]) -> list[list[str]]:
    """``numbers`` without repetitions, as many at a time as the registry takes."""
    once = list(dict.fromkeys(numbers))
    return [once[first : first + MOST_NUMBERS] for first in range(0, len(once), MOST_NUMBERS)]


def _paid(item: Item) -> dict[str, str | int]:
    if item.kind is ItemKind.RENEWAL:
        return {"permit": item.number, "years": item.years, "fils": item.fils}
    return {"fine": item.number, "fils": item.fils}


def _code(answer: Answer) -> str:
    return decoded(SERVICE, answer, answers.PROBLEM).code


def _same_order(answer: Answer, order: str) -> answers.RecordedAnswer:
    said = decoded(SERVICE, answer, answers.RECORDED)
    if said.order != order:
        raise Malformed(SERVICE, "answered about another order")
    return said


def _refused(answer: Answer) -> OutsideError:
    """The error for an answer that no caller expects."""
    if answer.status == _BUSY:
        return Unavailable(SERVICE, "busy")
    if answer.status in {401, 403}:
        return Declined(SERVICE, "unauthorised")
    if answer.status == _CONFLICT and (code := _code(answer)) in CONFLICTS:
        return Declined(SERVICE, code)
    return Malformed(SERVICE, f"answered {answer.status}")
