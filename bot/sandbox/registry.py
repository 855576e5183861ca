"""The sandbox registry: `openapi/registry.yaml` as a Starlette application over a synthetic population.

Every request is answered in the same order: size (413), token (401), weather (`bot.sandbox.faults`), media
type (415), JSON (400), shape (422), then the work. No answer and no log line repeats what was asked.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, Final, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bot.clock import local
from bot.errors import ConfigError
from bot.ports import Clock
from bot.sandbox import population, relations
from bot.sandbox.cast import Temper
from bot.sandbox.faults import HANG, Broken, Fault, Faults, wait
from bot.sandbox.fines import FineRecord
from bot.sandbox.people import Person
from bot.sandbox.recorded import Payment, Recorded

MAX_BODY: Final = 64 * 1024
"""Bytes of a request; a payment of 100 fines is about 5 kB."""

SETTLING: Final = 15 * 60
"""Seconds a paid fine stays visible: the ministry's page says data refresh within 15 minutes."""

_SLOW = 7.0
_BUSY_AFTER = 30
_PREFIX = "/v1"

T = TypeVar("T")


def _text(pattern: str, most: int) -> Any:
    # \Z and not $: the latter would let a newline through.
    return msgspec.Meta(pattern=rf"^{pattern}\Z", max_length=most)


class _ByCivilId(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="by", tag="civil_id"):
    number: Annotated[str, _text("[0-9]{12}", 12)]


class _ByReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="by", tag="reference"):
    number: Annotated[str, _text("[0-9]{6,12}", 12)]


class _WhoseReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    civil_id: Annotated[str, _text("[0-9]{12}", 12)]
    passport: Annotated[str, _text("[A-Z0-9]{5,15}", 15)]
    expiry: date


class _WhoForWhom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    actor: Annotated[str, _text("[0-9]{12}", 12)]
    person: Annotated[str, _text("[0-9]{12}", 12)]


class _PaidFine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fine: Annotated[str, _text("[A-Za-z0-9-]{1,40}", 40)]
    fils: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]


class _Paid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    order: Annotated[str, _text("[A-Z0-9-]{4,40}", 40)]
    paid_at: Annotated[int, msgspec.Meta(ge=1_577_836_800, le=4_102_444_800)]  # years 2020 to 2100
    gateway_reference: Annotated[str, _text("[A-Za-z0-9._:-]{1,64}", 64)]
    items: Annotated[tuple[_PaidFine, ...], msgspec.Meta(min_length=1, max_length=100)]


class _Key(msgspec.Struct, frozen=True):
    key: Annotated[str, _text("[A-Za-z0-9._:-]{1,128}", 128)]


class _Receipt(msgspec.Struct, frozen=True):
    order: str
    recorded_at: int


class _Problem(Exception):
    """A refusal, told as problem+json (RFC 9457). ``title`` never quotes the request."""

    def __init__(self, status: int, code: str, title: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.title, self.headers = status, code, title, headers


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _told(_request: Request, problem: Exception) -> Response:
    """The problem+json of one of ours, or of a routing error of Starlette's."""
    if isinstance(problem, HTTPException):
        code = {404: "not_found", 405: "method_not_allowed"}.get(problem.status_code, "bad_request")
        problem = _Problem(
            problem.status_code, code, "No such resource or method", dict(problem.headers or {})
        )
    if not isinstance(problem, _Problem):
        problem = _Problem(500, "internal", "Something went wrong")
    body = {"type": "about:blank", "title": problem.title, "status": problem.status, "code": problem.code}
    return Response(
        msgspec.json.encode(body), problem.status, problem.headers, media_type="application/problem+json"
    )


def _failure(fault: Fault) -> _Problem:
    if fault is Fault.BUSY:
        return _Problem(429, "busy", "Too many requests", {"Retry-After": str(_BUSY_AFTER)})
    if fault is Fault.ERROR:
        return _Problem(500, "internal", "Something went wrong")
    return _Problem(503, "unavailable", "The registry is not available")


class _Desk:
    """The registry's counter: one method for each operation of the document."""

    def __init__(self, clock: Clock, token: str, faults: Faults, recorded: Recorded) -> None:
        self._clock = clock
        self._token = token.encode()
        self._faults = faults
        self._recorded = recorded

    def routes(self) -> list[Route]:
        return [
            Route(f"{_PREFIX}/health", self._guarded(self._health, None, public=True)),
            Route(
                f"{_PREFIX}/fines/search",
                self._guarded(self._fines, msgspec.json.Decoder(_ByCivilId | _ByReference)),
                methods=["POST"],
            ),
            Route(
                f"{_PREFIX}/references/search",
                self._guarded(self._reference, msgspec.json.Decoder(_WhoseReference)),
                methods=["POST"],
            ),
            Route(
                f"{_PREFIX}/relations/search",
                self._guarded(self._relations, msgspec.json.Decoder(_WhoForWhom)),
                methods=["POST"],
            ),
            Route(
                f"{_PREFIX}/payments",
                self._guarded(self._pay, msgspec.json.Decoder(_Paid)),
                methods=["POST"],
            ),
            Route(f"{_PREFIX}/payments/{{order}}", self._guarded(self._payment, None)),
        ]

    # --- operations ----------------------------------------------------------------------------

    async def _health(self, _request: Request, _asked: None) -> Response:
        return _json({"status": "ok"})

    async def _fines(self, request: Request, asked: _ByCivilId | _ByReference) -> Response:
        find = population.by_civil_id if isinstance(asked, _ByCivilId) else population.by_reference
        look = population.look(find(asked.number, self._today()), self._today())
        await self._temper(request, look.temper)
        return _json({"fines": [shown for fine in look.fines if (shown := self._shown(fine))]})

    async def _reference(self, request: Request, asked: _WhoseReference) -> Response:
        person: Person | None = population.by_civil_id(asked.civil_id, self._today())
        await self._temper(request, population.look(person, self._today()).temper)
        if person is None or (person.passport, person.expiry) != (asked.passport, asked.expiry):
            raise _Problem(404, "no_match", "Nobody has these three together")
        return _json({"reference": person.reference})

    async def _relations(self, request: Request, asked: _WhoForWhom) -> Response:
        today = self._today()
        actor = population.by_civil_id(asked.actor, today)
        await self._temper(request, population.look(actor, today).temper)
        person = population.by_civil_id(asked.person, today)
        known: list[str] = []
        if actor is not None and person is not None:
            if person in relations.dependants(actor, today):
                known.append("sponsor")
            body = relations.employer(actor, today)
            if body is not None and person in relations.workers(actor, today):
                known.append("government" if body.government else "company")
        return _json({"relations": known})

    async def _pay(self, request: Request, asked: _Paid) -> Response:
        try:
            key = msgspec.convert({"key": request.headers.get("idempotency-key")}, _Key).key
        except msgspec.ValidationError:
            raise _Problem(400, "no_key", "Idempotency-Key is missing or malformed") from None
        digest = hashlib.sha256(msgspec.json.encode(asked)).digest()
        for known, code in (
            (self._recorded.of_key(key), "key_reused"),
            (self._recorded.of_order(asked.order), "order_differs"),
        ):
            if known is None:
                continue
            if known.digest != digest:
                raise _Problem(409, code, "Recorded before with other contents")
            return _json(_Receipt(known.order, known.at))
        fines = self._settled(asked)
        self._recorded.add(Payment(asked.order, key, digest, self._clock.now()), fines)
        return _json(_Receipt(asked.order, self._clock.now()), 201)

    async def _payment(self, request: Request, _asked: None) -> Response:
        known = self._recorded.of_order(request.path_params["order"])
        if known is None:
            raise _Problem(404, "not_recorded", "No payment of this order is recorded")
        return _json(_Receipt(known.order, known.at))

    # --- the rules behind them -----------------------------------------------------------------

    def _settled(self, asked: _Paid) -> tuple[str, ...]:
        """The fines ``asked`` pays, once every one of them is found payable at its amount."""
        sums: dict[str, int] = {}
        for item in asked.items:
            sums[item.fine] = sums.get(item.fine, 0) + item.fils
        for number, fils in sums.items():
            fine = population.fine(number, self._today())
            if fine is None:
                raise _Problem(409, "unknown_fine", "A fine does not exist")
            if self._recorded.paid_at(number) is not None:
                raise _Problem(409, "already_paid", "A fine is recorded as paid under another order")
            if fine.barrier is not None:
                raise _Problem(409, "not_payable", "A fine cannot be paid online")
            if fine.fils != fils:
                raise _Problem(409, "amount_differs", "An amount is not the one due")
        return tuple(sums)

    def _shown(self, fine: FineRecord) -> FineRecord | None:
        paid_at = self._recorded.paid_at(fine.id)
        if paid_at is None:
            return fine
        return (
            msgspec.structs.replace(fine, barrier="settling")
            if self._clock.now() < paid_at + SETTLING
            else None
        )

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
            raise _Problem(401, "unauthorised", "A bearer token is needed", {"WWW-Authenticate": "Bearer"})

    async def _weather(self, request: Request) -> Response | None:
        try:
            latency, fault = self._faults.next(request.headers)
        except ValueError:
            raise _Problem(400, "bad_header", "An X-Sandbox header is malformed") from None
        await wait(request, self._clock, HANG if fault is Fault.TIMEOUT else latency)
        if fault is Fault.DROP:
            return Broken()
        if fault is Fault.MALFORMED:
            return Response(b'{"fines":"soon","reference":7', media_type="application/json")
        if fault is not None:
            raise _failure(fault)
        return None

    async def _temper(self, request: Request, temper: Temper) -> None:
        if temper is Temper.SLOW:
            await wait(request, self._clock, _SLOW)
        elif temper is Temper.DOWN:
            raise _failure(Fault.UNAVAILABLE)
        elif temper is Temper.BUSY:
            raise _failure(Fault.BUSY)


async def _read(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise _Problem(413, "too_large", "The request is too large", {"Connection": "close"})
    except ClientDisconnect:
        raise _Problem(400, "bad_request", "The request ended early") from None
    return bytes(body)


def _decoded(request: Request, body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise _Problem(415, "media_type", "Send application/json")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:  # its text can quote the request: it stays here
        raise _Problem(422, "invalid", "The request does not fit the document") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _Problem(400, "malformed_json", "The request is not JSON") from None


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
        exception_handlers={_Problem: _told, HTTPException: _told, Exception: _told},
    )
    app.router.redirect_slashes = False
    return app
