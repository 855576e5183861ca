"""The sandbox registry: `openapi/registry.yaml` as a Starlette application over a synthetic population.

Every request is answered in the same order: size (413), token (401), weather (`bot.sandbox.faults`), media
type (415), JSON (400), shape (422), then the work. No answer and no log line repeats what was asked.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable
from datetime import date, timedelta
from typing import Any, Final, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bot.clock import local
from bot.errors import UNDECODABLE, ConfigError
from bot.ports import Clock
from bot.rules import RULES, now
from bot.sandbox import population, relations
from bot.sandbox.cast import Temper
from bot.sandbox.faults import HANG, Broken, Fault, Faults, wait
from bot.sandbox.paying import settled
from bot.sandbox.people import Person, passport_until
from bot.sandbox.problems import Problem, failure, told
from bot.sandbox.recorded import Payment, Recorded
from bot.sandbox.records import SETTLING, Records, Residency
from bot.sandbox.wire import (
    ByCivilId,
    ByReference,
    Key,
    Paid,
    Receipt,
    Renewed,
    ShownPermit,
    WhichPermits,
    WhichWorkers,
    WhoForWhom,
    WhoIsDue,
    WhoseBodies,
    WhoseFamily,
    WhoseReference,
    shown,
    shown_body,
)

__all__ = ["MAX_BODY", "SETTLING", "registry_app"]

MAX_BODY: Final = 64 * 1024
"""Bytes of a request; a payment of 100 fines is about 5 kB."""

_SLOW = 7.0
_PREFIX = "/v1"

T = TypeVar("T")


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


class _Desk:
    """The registry's counter: one method for each operation of the document."""

    def __init__(self, clock: Clock, token: str, faults: Faults, recorded: Recorded) -> None:
        self._clock = clock
        self._token = token.encode()
        self._faults = faults
        self._recorded = recorded
        self._records = Records(recorded)

    def routes(self) -> list[Route]:
        return [
            Route(f"{_PREFIX}/health", self._guarded(self._health, None, public=True)),
            self._post("fines/search", self._fines, msgspec.json.Decoder(ByCivilId | ByReference)),
            self._post("references/search", self._reference, msgspec.json.Decoder(WhoseReference)),
            self._post("relations/search", self._relations, msgspec.json.Decoder(WhoForWhom)),
            self._post("families/search", self._family, msgspec.json.Decoder(WhoseFamily)),
            self._post("permits/search", self._permits, msgspec.json.Decoder(WhichPermits)),
            self._post("bodies/search", self._bodies, msgspec.json.Decoder(WhoseBodies)),
            self._post("workers/due", self._due, msgspec.json.Decoder(WhoIsDue)),
            self._post("workers/search", self._workers, msgspec.json.Decoder(WhichWorkers)),
            self._post("payments", self._pay, msgspec.json.Decoder(Paid)),
            Route(f"{_PREFIX}/payments/{{order}}", self._guarded(self._payment, None)),
        ]

    def _post(
        self, path: str, work: Callable[[Request, T], Awaitable[Response]], decoder: msgspec.json.Decoder[T]
    ) -> Route:
        return Route(f"{_PREFIX}/{path}", self._guarded(work, decoder), methods=["POST"])

    # --- operations ----------------------------------------------------------------------------

    async def _health(self, _request: Request, _asked: None) -> Response:
        return _json({"status": "ok"})

    async def _fines(self, request: Request, asked: ByCivilId | ByReference) -> Response:
        find = population.by_civil_id if isinstance(asked, ByCivilId) else population.by_reference
        person = find(asked.number, self._today())
        await self._temper(request, person)
        fines = self._records.fines(person, self._today())
        return _json({"fines": self._records.shown(fines, self._clock.now())})

    async def _reference(self, request: Request, asked: WhoseReference) -> Response:
        person: Person | None = population.by_civil_id(asked.civil_id, self._today())
        await self._temper(request, person)
        if person is None or (person.passport, passport_until(person, self._today())) != (
            asked.passport,
            asked.expiry,
        ):
            raise Problem(404, "no_match", "Nobody has these three together")
        return _json({"reference": person.reference})

    async def _relations(self, request: Request, asked: WhoForWhom) -> Response:
        today = self._today()
        actor = population.by_civil_id(asked.actor, today)
        await self._temper(request, actor)
        person = population.by_civil_id(asked.person, today)
        known: list[str] = []
        if actor is not None and person is not None:
            if person in relations.dependants(actor, today):
                known.append("sponsor")
            known += {
                "government" if body.government else "company"
                for body in relations.users_bodies(actor, today)
                if body.number == relations.employer(person, today)
            }
        return _json({"relations": known})

    async def _family(self, request: Request, asked: WhoseFamily) -> Response:
        sponsor = population.by_civil_id(asked.sponsor, self._today())
        await self._temper(request, sponsor)
        return _json({"permits": self._shown(self._records.family(sponsor, self._today()))})

    async def _permits(self, _request: Request, asked: WhichPermits) -> Response:
        found = (self._records.by_permit(number, self._today()) for number in dict.fromkeys(asked.permits))
        return _json({"permits": self._shown(found)})

    async def _bodies(self, request: Request, asked: WhoseBodies) -> Response:
        today = self._today()
        actor = population.by_civil_id(asked.actor, today)
        await self._temper(request, actor)
        by = today + timedelta(days=now(RULES.renewal.window, today).days - 1)
        bodies = self._records.bodies(actor, by, today)
        return _json({"bodies": [shown_body(body, due) for body, due in bodies]})

    async def _due(self, _request: Request, asked: WhoIsDue) -> Response:
        after = (asked.after.expires, asked.after.permit) if asked.after else None
        found, more = self._records.due(asked.body, asked.by, self._today(), after, asked.limit)
        return _json({"permits": self._shown(found), "more": more})

    async def _workers(self, _request: Request, asked: WhichWorkers) -> Response:
        today = self._today()
        people = (population.by_civil_id(number, today) for number in dict.fromkeys(asked.civil_ids))
        found = (self._records.worker(asked.body, person, today) for person in people)
        return _json({"permits": self._shown(found)})

    async def _pay(self, request: Request, asked: Paid) -> Response:
        try:
            key = msgspec.convert({"key": request.headers.get("idempotency-key")}, Key).key
        except msgspec.ValidationError:
            raise Problem(400, "no_key", "Idempotency-Key is missing or malformed") from None
        digest = hashlib.sha256(msgspec.json.encode(asked)).digest()
        for known, code in (
            (self._recorded.of_key(key), "key_reused"),
            (self._recorded.of_order(asked.order), "order_differs"),
        ):
            if known is None:
                continue
            if known.digest != digest:
                raise Problem(409, code, "Recorded before with other contents")
            return self._receipt(known)
        done = settled(asked, self._records, self._recorded, self._clock.now())
        payment = Payment(asked.order, key, digest, self._clock.now())
        self._recorded.add(payment, done.fines, done.renewals)
        return self._receipt(payment, 201)

    async def _payment(self, request: Request, _asked: None) -> Response:
        known = self._recorded.of_order(request.path_params["order"])
        if known is None:
            raise Problem(404, "not_recorded", "No payment of this order is recorded")
        return self._receipt(known)

    # --- what they share -----------------------------------------------------------------------

    def _receipt(self, payment: Payment, status: int = 200) -> Response:
        renewed = tuple(Renewed(each.permit, each.until) for each in self._recorded.renewals(payment.order))
        return _json(Receipt(payment.order, payment.at, renewed), status)

    def _shown(self, residencies: Iterable[Residency | None]) -> list[ShownPermit]:
        at = self._clock.now()
        return [shown(each, self._records.shown(each.fines, at)) for each in residencies if each is not None]

    def _today(self) -> date:
        return local(self._clock.now()).date()

    # --- what every request goes through -------------------------------------------------------

    def _guarded(
        self,
        work: Callable[[Request, T], Awaitable[Response]],
        decoder: msgspec.json.Decoder[T] | None,
        *,
        public: bool = False,
    ) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            body = await _read(request)
            if not public:
                self._authorise(request)
            if (broken := await self._weather(request)) is not None:
                return broken
            asked: Any = None if decoder is None else _decoded(request, body, decoder)
            return await work(request, asked)

        return serve

    def _authorise(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode("latin-1"), self._token):
            raise Problem(401, "unauthorised", "A bearer token is needed", {"WWW-Authenticate": "Bearer"})

    async def _weather(self, request: Request) -> Response | None:
        try:
            latency, fault = self._faults.next(request.headers)
        except ValueError:
            raise Problem(400, "bad_header", "An X-Sandbox header is malformed") from None
        await wait(request, self._clock, HANG if fault is Fault.TIMEOUT else latency)
        if fault is Fault.DROP:
            return Broken()
        if fault is Fault.MALFORMED:
            return Response(b'{"fines":"soon","reference":7', media_type="application/json")
        if fault is not None:
            raise failure(fault)
        return None

    async def _temper(self, request: Request, person: Person | None) -> None:
        temper = population.look(person, self._today()).temper
        if temper is Temper.SLOW:
            await wait(request, self._clock, _SLOW)
        elif temper is Temper.DOWN:
            raise failure(Fault.UNAVAILABLE)
        elif temper is Temper.BUSY:
            raise failure(Fault.BUSY)


async def _read(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise Problem(413, "too_large", "The request is too large", {"Connection": "close"})
    except ClientDisconnect:
        raise Problem(400, "bad_request", "The request ended early") from None
    return bytes(body)


def _decoded(request: Request, body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, "media_type", "Send application/json")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:  # its text can quote the request: it stays here
        raise Problem(422, "invalid", "The request does not fit the document") from None
    except UNDECODABLE:
        raise Problem(400, "malformed_json", "The request is not JSON") from None


def registry_app(clock: Clock, token: str, faults: Faults, recorded: Recorded) -> Starlette:
    """The sandbox registry, to be served under any prefix.

    Args:
        clock: what "today" and "15 minutes ago" are; also what latency waits on.
        token: the bearer token it asks for.
        faults: the weather.
        recorded: where payments are kept; the caller closes it.

    Raises:
        ConfigError: no token.
    """
    if not token:
        raise ConfigError("REGISTRY_TOKEN: the sandbox registry needs one")
    app = Starlette(
        routes=_Desk(clock, token, faults, recorded).routes(),
        exception_handlers={Problem: told, HTTPException: told, Exception: told},
    )
    app.router.redirect_slashes = False
    return app
