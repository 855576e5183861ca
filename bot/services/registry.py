"""The registry: what somebody owes, which reference is theirs, and recording what was paid.

Contract: the OpenAPI document of the sandbox, explained in docs/registry.md. Numbers of persons travel in
bodies only.
"""

from datetime import date
from typing import Annotated, Final
from urllib.parse import quote

import httpx
import msgspec

from bot.dialogs.find_reference import FindReference, FindReferenceRefused, Reference
from bot.dialogs.violations import FindFines, FindFinesRefused, Owed
from bot.domain import Fine, FineKind, Item, Relation, Subject, Unpayable
from bot.errors import Declined, Malformed, OutsideError, Unavailable
from bot.i18n.text import Local
from bot.ports import Asked, Clock, Effect, Executor, Failed
from bot.services.http import Answer, Breaker, Http, decoded

SERVICE: Final = "registry"

_OK: Final = 200
_CREATED: Final = 201
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_BUSY: Final = 429
_HEALTH_SECONDS: Final = 3.0
_CONFLICTS: Final = frozenset(
    {"already_paid", "amount_differs", "unknown_fine", "not_payable", "order_differs", "key_reused"}
)

_FineId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{1,40}\Z")]
_Words = Annotated[str, msgspec.Meta(max_length=200)]


class _Local(msgspec.Struct, frozen=True):
    ar: _Words
    en: _Words


class _Fine(msgspec.Struct, frozen=True):
    id: _FineId
    kind: FineKind
    title: _Local
    on: date
    fils: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
    barrier: str | None


class _Fines(msgspec.Struct, frozen=True):
    fines: Annotated[tuple[_Fine, ...], msgspec.Meta(max_length=1000)]


class _Reference(msgspec.Struct, frozen=True):
    reference: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6,12}\Z")]


class _Relations(msgspec.Struct, frozen=True):
    relations: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=20)], ...], msgspec.Meta(max_length=3)]


class _Recorded(msgspec.Struct, frozen=True):
    order: str


class _Problem(msgspec.Struct, frozen=True):
    code: str


_FINES: Final = msgspec.json.Decoder(_Fines)
_REFERENCE: Final = msgspec.json.Decoder(_Reference)
_RELATIONS: Final = msgspec.json.Decoder(_Relations)
_RECORDED: Final = msgspec.json.Decoder(_Recorded)
_PROBLEM: Final = msgspec.json.Decoder(_Problem)


class Registry:
    """The client.

    Args:
        client: with the registry's base URL and token (`bot.services.http.make_client`); not closed here.
        clock: measures the breaker's rest.
        timeout: seconds for one call, retries included.
    """

    def __init__(self, client: httpx.AsyncClient, clock: Clock, *, timeout: float) -> None:
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
        fines = decoded(SERVICE, answer, _FINES).fines
        if len({fine.id for fine in fines}) != len(fines):
            raise Malformed(SERVICE, "the same fine twice")
        return Owed(tuple(_fine(fine) for fine in sorted(fines, key=lambda fine: fine.on)))

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
        return Reference(decoded(SERVICE, answer, _REFERENCE).reference)

    async def relations(self, actor: str, person: str) -> frozenset[Relation]:
        """By what rights ``actor`` acts for ``person``; both are civil IDs.

        Raises:
            OutsideError: no answer, a refusal or nonsense.
        """
        body = msgspec.json.encode({"actor": actor, "person": person})
        answer = await self._http.ask("POST", "v1/relations/search", content=body, repeatable=True)
        if answer.status != _OK:
            raise _refused(answer)
        known = set(Relation)
        said = decoded(SERVICE, answer, _RELATIONS).relations
        return frozenset(Relation(word) for word in said if word in known)

    async def record_payment(
        self, order: str, paid_at: int, gateway_reference: str, items: tuple[Item, ...]
    ) -> None:
        """Tell the registry that ``items`` are paid. Returns when it is recorded, now or before.

        Args:
            order: public order reference; also the idempotency key.
            paid_at: epoch seconds.
            gateway_reference: the gateway's reference of the payment.
            items: what was paid.

        Raises:
            Declined: ``already_paid`` under another order, ``amount_differs``, ``unknown_fine``,
                ``not_payable``, ``order_differs`` or ``key_reused``.
            OutsideError: no answer, another refusal or nonsense; asking again is safe.
        """
        body = msgspec.json.encode(
            {
                "order": order,
                "paid_at": paid_at,
                "gateway_reference": gateway_reference,
                "items": [{"fine": item.number, "fils": item.fils} for item in items],
            }
        )
        answer = await self._http.ask(
            "POST", "v1/payments", content=body, headers={"Idempotency-Key": order}, repeatable=True
        )
        if answer.status not in {_OK, _CREATED}:
            raise _refused(answer)
        _same_order(answer, order)

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


def executors(registry: Registry) -> dict[type[Effect], Executor]:
    """The effects that ``registry`` executes. Look-ups change nothing, so the key is not needed."""

    async def find_fines(effect: FindFines, asked: Asked) -> Owed:
        del asked
        return await registry.find_fines(effect.by, effect.number)

    async def find_reference(effect: FindReference, asked: Asked) -> Reference:
        del asked
        return await registry.find_reference(effect.civil_id, effect.passport, effect.expiry)

    return {FindFines: find_fines, FindReference: find_reference}


def _fine(fine: _Fine) -> Fine:
    barrier = fine.barrier
    if barrier is None:
        barrier = ""
    elif barrier not in set(Unpayable):
        barrier = Unpayable.OTHER
    title = Local(fine.title.ar, fine.title.en)
    return Fine(fine.id, fine.kind, title, fine.on.isoformat(), fine.fils, barrier)


def _code(answer: Answer) -> str:
    return decoded(SERVICE, answer, _PROBLEM).code


def _same_order(answer: Answer, order: str) -> None:
    if decoded(SERVICE, answer, _RECORDED).order != order:
        raise Malformed(SERVICE, "answered about another order")


def _refused(answer: Answer) -> OutsideError:
    """The error for an answer that no caller expects."""
    if answer.status == _BUSY:
        return Unavailable(SERVICE, "busy")
    if answer.status in {401, 403}:
        return Declined(SERVICE, "unauthorised")
    if answer.status == _CONFLICT and (code := _code(answer)) in _CONFLICTS:
        return Declined(SERVICE, code)
    return Malformed(SERVICE, f"answered {answer.status}")
