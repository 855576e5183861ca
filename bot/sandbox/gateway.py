"""The sandbox payment gateway: a JSON API and a hosted page that takes no card and moves no money.

A person presses a button where a real page would ask for a card. A script does the same; this pays a link
that the chat gave (our page, the gateway's page and the way back, one after the other)::

    curl -sL --post303 -d button=approved http://127.0.0.1:8080/p/<token>

and this presses a button on the gateway's own page::

    curl -s -d button=approved http://127.0.0.1:8090/gateway/pay/<id>

``button`` is one of ``approved``, ``funds``, ``pin``, ``cancel``, ``timeout`` (captured, but the bank keeps
silent for a minute) and ``pending`` (the bank keeps silent for good). ``knob`` adds a fault: ``duplicate``,
``missing`` or ``late`` notification; ``amount``, ``currency`` or ``track`` reported wrongly; ``again``
presses a button of a page that is settled or expired; ``refund_refused``: no refund of this charge is given;
``refund_silent``: it is given, but the gateway does not answer about it for a minute.

API, with ``Authorization: Bearer <secret>``: ``POST /v1/charges`` (once for each ``track_id``),
``GET /v1/charges/{track_id}``, ``POST /v1/refunds`` (in parts or whole, once for each ``key``),
``GET /v1/refunds/{key}``. Amounts are texts with three decimals. A notification is JSON, signed by
``X-Sandbox-Signature``: hex HMAC-SHA256 of the body.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.errors import UNDECODABLE
from bot.ports import Clock
from bot.sandbox.gateway_page import PAGE_HEADERS, STYLE, page
from bot.sandbox.gateway_refunds import REFUND_KNOBS, SILENCE, Returned, all_returned, fils, may_return
from bot.tasks import Tasks

if TYPE_CHECKING:
    import httpx

PAGE_LIFE: Final = 30 * 60
"""Seconds an unused page lives (Tap's default, 5 to 60 minutes are allowed there)."""

LATE: Final = 120
"""Seconds a ``late`` notification is late."""

_KEEP: Final = 30 * 24 * 3600
_BODY: Final = 16 * 1024
_NOTIFY_TIMEOUT: Final = 10.0
_TRACK = re.compile(r"[A-Za-z0-9]{1,40}", re.ASCII)

_BUTTONS: Final = {
    "approved": ("CAPTURED", "00"),
    "funds": ("NOT CAPTURED", "51"),
    "pin": ("NOT CAPTURED", "55"),
    "cancel": ("CANCELED", ""),
    "timeout": ("HOST TIMEOUT", ""),
    "pending": ("PENDING", ""),
}
KNOBS: Final = ("duplicate", "missing", "late", "amount", "currency", "track", "again", *REFUND_KNOBS)


class Charge(msgspec.Struct):
    """One charge as the gateway keeps it. No personal data: a description, addresses, an amount.

    Attributes:
        amount: three decimals, as it was asked for.
        knob: the fault chosen on the page.
        speaks: when the silent bank of ``HOST TIMEOUT`` is heard of (epoch seconds).
        returned: what was given back, by idempotency key.
    """

    id: str
    track_id: str
    amount: str
    currency: str
    language: str
    return_url: str
    notify_url: str
    description: str
    created: int
    status: str = "INITIATED"
    code: str = ""
    reference: str = ""
    knob: str = ""
    speaks: int = 0
    returned: dict[str, Returned] = {}


class _NewCharge(msgspec.Struct, frozen=True):
    track_id: str
    amount: str
    currency: str
    language: str
    return_url: str
    notify_url: str
    description: str = ""


class _NewRefund(msgspec.Struct, frozen=True):
    track_id: str
    amount: str
    key: str


class Gateway:
    """The gateway's memory and its answers.

    Args:
        clock: for expiry and silence.
        secret: bearer token of the API and key of the signatures.
        store: JSON file the charges survive a restart in; None keeps them in memory.
        base_url: address residents' browsers find the mounted gateway at, without a slash at the end.
    """

    def __init__(self, clock: Clock, secret: str, store: Path | None, base_url: str) -> None:
        self._clock = clock
        self._secret = secret.encode()
        self._store = store
        self._base = base_url
        self._tasks = Tasks()
        self._client: httpx.AsyncClient | None = None
        self._charges: dict[str, Charge] = self._load()

    def routes(self) -> list[Route]:
        """To be mounted below the path of ``base_url``."""
        return [
            Route("/v1/charges", self._create, methods=["POST"]),
            Route("/v1/charges/{track}", self._show, methods=["GET"]),
            Route("/v1/refunds", self._refund, methods=["POST"]),
            Route("/v1/refunds/{key}", self._show_refund, methods=["GET"]),
            Route("/pay.css", _style, methods=["GET"]),
            Route("/pay/{id}", self._page, methods=["GET"]),
            Route("/pay/{id}", self._press, methods=["POST"]),
        ]

    async def close(self) -> None:
        """Drop notifications that are still to be sent and close the connections."""
        await self._tasks.close()
        if self._client is not None:
            await self._client.aclose()

    # --- the API ---------------------------------------------------------------------------------

    async def _create(self, request: Request) -> Response:
        if (refused := self._stranger(request)) is not None:
            return refused
        try:
            new = msgspec.json.decode(await _body(request), type=_NewCharge)
        except (*UNDECODABLE, ValueError):
            return _error(400, "malformed")
        if not (_TRACK.fullmatch(new.track_id) and fils(new.amount) and new.currency == "KWD"):
            return _error(422, "track_amount_or_currency")
        if not all(urlsplit(url).scheme in {"http", "https"} for url in (new.return_url, new.notify_url)):
            return _error(422, "address")
        known = self._charges.get(new.track_id)
        if known is not None and known.amount != new.amount:
            return _error(409, "duplicate")
        if known is None:
            # Its address is all that protects the page, so it is not to be guessed.
            known = Charge(id=_digits("1", 18), created=self._clock.now(), **msgspec.structs.asdict(new))
            self._charges[new.track_id] = known
            self._save()
        return JSONResponse(self._public(known), status_code=201)

    async def _show(self, request: Request) -> Response:
        if (refused := self._stranger(request)) is not None:
            return refused
        charge = self._charges.get(request.path_params["track"])
        return _error(404, "unknown") if charge is None else JSONResponse(self._public(charge))

    async def _refund(self, request: Request) -> Response:
        if (refused := self._stranger(request)) is not None:
            return refused
        try:
            wanted = msgspec.json.decode(await _body(request), type=_NewRefund)
        except (*UNDECODABLE, ValueError):
            return _error(400, "malformed")
        charge = self._charges.get(wanted.track_id)
        if charge is None:
            return _error(404, "unknown")
        given = charge.returned.get(wanted.key)
        if given is not None and given.amount != wanted.amount:
            return _error(409, "duplicate")
        if given is None:
            given = self._give_back(charge, wanted)
        return self._told(given)

    async def _show_refund(self, request: Request) -> Response:
        if (refused := self._stranger(request)) is not None:
            return refused
        key = request.path_params["key"]
        found = (charge.returned[key] for charge in self._charges.values() if key in charge.returned)
        given = next(found, None)
        return _error(404, "unknown") if given is None else self._told(given)

    def _give_back(self, charge: Charge, wanted: _NewRefund) -> Returned | None:
        captured = self._status(charge) == "CAPTURED" and charge.knob != "refund_refused"
        if not captured or not may_return(charge.amount, charge.returned, wanted.amount):
            return None
        silence = SILENCE if charge.knob == "refund_silent" else 0
        given = Returned(wanted.amount, _reference(), self._clock.now() + silence)
        charge.returned[wanted.key] = given
        if all_returned(charge.amount, charge.returned):
            charge.status = "REFUNDED"
        self._save()
        return given

    def _told(self, given: Returned | None) -> Response:
        if given is None:
            return JSONResponse({"status": "NOT CAPTURED", "reference": ""})
        if self._clock.now() < given.speaks:
            return _error(503, "silent")
        return JSONResponse({"status": "CAPTURED", "reference": given.reference})

    def _stranger(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        return None if hmac.compare_digest(given, self._secret) else _error(401, "unauthorised")

    def _status(self, charge: Charge) -> str:
        now = self._clock.now()
        if charge.status == "HOST TIMEOUT" and now >= charge.speaks:
            return "CAPTURED"
        if charge.status == "INITIATED" and now >= charge.created + PAGE_LIFE:
            return "EXPIRED"
        return charge.status

    def _public(self, charge: Charge) -> dict[str, str]:
        return {
            "id": charge.id,
            "track_id": charge.track_id[::-1] if charge.knob == "track" else charge.track_id,
            "amount": "0.001" if charge.knob == "amount" else charge.amount,
            "currency": "USD" if charge.knob == "currency" else charge.currency,
            "status": self._status(charge),
            "url": f"{self._base}/pay/{charge.id}",
            "reference": charge.reference,
            "code": charge.code,
        }

    # --- the page --------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        if (charge := self._by_id(request)) is None:
            return _error(404, "unknown")
        asked = request.query_params.get("lang", "")
        knob = request.query_params.get("knob", "")
        body = page(
            language=asked if asked in {"ar", "en"} else charge.language,
            amount=charge.amount,
            track=charge.track_id,
            description=charge.description,
            status=self._status(charge),
            knob=knob if knob in KNOBS else "",
            back=charge.return_url,
        )
        return Response(body, headers=self._page_headers(charge), media_type="text/html")

    async def _press(self, request: Request) -> Response:
        if (charge := self._by_id(request)) is None:
            return _error(404, "unknown")
        try:
            form = parse_qs((await _body(request)).decode("ascii"))
        except ValueError:
            return _error(400, "malformed")
        button, knob = form.get("button", [""])[0], form.get("knob", [""])[0]
        if button not in _BUTTONS or knob not in {"", *KNOBS}:
            return _error(400, "button_or_knob")
        if self._status(charge) == "INITIATED" or knob == "again":
            self._settle(charge, button, knob)
            await self._notify(charge)
        return RedirectResponse(charge.return_url, status_code=303, headers=self._page_headers(charge))

    def _settle(self, charge: Charge, button: str, knob: str) -> None:
        charge.status, charge.code = _BUTTONS[button]
        charge.knob = knob
        if button in {"approved", "timeout"}:
            charge.reference = charge.reference or _reference()
            charge.speaks = self._clock.now() + SILENCE
        self._save()

    async def _notify(self, charge: Charge) -> None:
        body = self._notification(charge)
        if charge.knob == "late":
            self._tasks.spawn(self._later(charge.notify_url, body), "sandbox late notification")
        elif charge.knob != "missing":
            for _ in range(2 if charge.knob == "duplicate" else 1):
                await self._send(charge.notify_url, body)

    async def _later(self, url: str, body: bytes) -> None:
        await self._clock.sleep(LATE)
        await self._send(url, body)

    async def _send(self, url: str, body: bytes) -> None:
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {"content-type": "application/json", "x-sandbox-signature": signature}
        import httpx  # noqa: PLC0415 - a start does without: not before a payment

        self._client = self._client or httpx.AsyncClient(timeout=_NOTIFY_TIMEOUT)
        # A merchant who does not answer is told nothing more, as with the gateways that send only once.
        with suppress(httpx.HTTPError):
            await self._client.post(url, content=body, headers=headers)

    def _notification(self, charge: Charge) -> bytes:
        public = self._public(charge)
        event = hashlib.sha256(f"{charge.id} {public['status']}".encode()).hexdigest()[:24]
        told = ("id", "track_id", "amount", "currency", "status", "reference")
        return msgspec.json.encode({"event": event, **{name: public[name] for name in told}})

    def _by_id(self, request: Request) -> Charge | None:
        wanted = request.path_params["id"]
        return next((charge for charge in self._charges.values() if charge.id == wanted), None)

    def _page_headers(self, charge: Charge) -> dict[str, str]:
        # Browsers hold a form's redirect to form-action too, and the way back is another origin.
        back = urlsplit(charge.return_url)
        policy = (
            f"{PAGE_HEADERS['content-security-policy']}; form-action 'self' {back.scheme}://{back.netloc}"
        )
        return {**PAGE_HEADERS, "content-security-policy": policy}

    # --- the memory ------------------------------------------------------------------------------

    def _load(self) -> dict[str, Charge]:
        if self._store is None or not self._store.exists():
            return {}
        return msgspec.json.decode(self._store.read_bytes(), type=dict[str, Charge])

    def _save(self) -> None:
        oldest = self._clock.now() - _KEEP
        self._charges = {track: each for track, each in self._charges.items() if each.created > oldest}
        if self._store is not None:
            fresh = self._store.with_suffix(".new")
            fresh.write_bytes(msgspec.json.encode(self._charges))
            fresh.replace(self._store)


def gateway_app(
    clock: Clock, secret: str, store: Path | None = None, *, base_url: str, debug: bool = False
) -> Starlette:
    """The gateway as an application to be mounted below the path of ``base_url``.

    A mounted application's lifespan is not run by its host: ``app.state.gateway.close()`` is the host's to
    call at the end. Arguments as for `Gateway`.
    """
    gateway = Gateway(clock, secret, store, base_url)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None, None]:
        yield
        await gateway.close()

    app = Starlette(debug=debug, routes=gateway.routes(), lifespan=lifespan)
    app.state.gateway = gateway
    return app


async def _style(_request: Request) -> Response:
    return Response(STYLE, media_type="text/css", headers={"x-content-type-options": "nosniff"})


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY:
            raise ValueError("too long a body")
    return bytes(body)


def _reference() -> str:
    return _digits("6", 12)


def _digits(first: str, length: int) -> str:
    """A number as long as a bank's: it must fit a phone's line."""
    return first + "".join(secrets.choice("0123456789") for _ in range(length - 1))


def _error(status: int, word: str) -> Response:
    body: dict[str, Any] = {"error": word}
    return JSONResponse(body, status_code=status)
