"""What the tests of MyFatoorah share: its counterpart on loopback, and answers put in its place."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.clock import local
from bot.services.payments import Callback, Charge, Enquiry, Payments
from tests.payments.counterparts.bank import Counterpart
from tests.payments.counterparts.myfatoorah import Portal, make
from tests.payments.world import FakeClock, serving

TRACK = "T000000000000000001"
FILS = 15_750
EXECUTE, STATUS, INITIATE = "ExecutePayment", "GetPaymentStatus", "InitiatePayment"


@dataclass
class Line:
    """In front of the gateway's API: keeps what passes, and answers in its place when told to."""

    app: ASGIApp
    passed: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    instead: dict[str, list[Response | None]] = field(default_factory=dict)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope.get("path", "").rpartition("/v2/")[2]
        if not name or "/v2/" not in scope.get("path", ""):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        self.passed.append(name)
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        if self.instead.get(name):
            answer = self.instead[name].pop(0)
            if answer is None:
                await self.over.wait()
                answer = Response(status_code=503)
            await answer(scope, receive, send)
            return

        async def again() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again, send)


@dataclass
class Desk:
    url: str
    clock: FakeClock
    gateway: Counterpart
    line: Line
    browser: httpx.AsyncClient
    told: list[tuple[bytes, dict[str, str]]]

    @property
    def payments(self) -> Payments:
        return self.gateway.payments

    @property
    def portal(self) -> Portal:
        found = self.gateway.app.state.portal  # type: ignore[attr-defined] # a Starlette, kept as an ASGI app
        assert isinstance(found, Portal)
        return found

    @property
    def heard(self) -> list[Callback]:
        return [self.payments.parse_callback(body, headers) for body, headers in self.told]

    def charge(self, track: str = TRACK, fils: int = FILS, **more: Any) -> Charge:
        given = {
            "track_id": track,
            "fils": fils,
            "order": "IQ-7F3C-9A1D",
            "language": "ar",
            "return_url": f"{self.url}/p/token/return",
            "notify_url": f"{self.url}/payments/myfatoorah/notify",
            "minutes": 30,
        }
        return Charge(**{**given, **more})

    async def press(self, page: str, button: str, knob: str = "") -> str:
        answer = await self.browser.post(page, data={"button": button, "knob": knob})
        assert answer.status_code == 303
        return answer.headers["location"]

    async def paid(self, button: str = "approved", knob: str = "") -> str:
        """The number of an invoice on whose page ``button`` was pressed."""
        made = await self.payments.create(self.charge())
        await self.press(made.url, button, knob)
        return made.provider_ref

    async def ask(self, ref: str) -> Enquiry:
        return await self.payments.enquire(TRACK, ref, FILS)

    def answer(self, name: str, *answers: Response | None) -> None:
        self.line.instead[name] = list(answers)

    async def asked_of(self, **changes: Any) -> Enquiry:
        """What the client makes of an invoice with ``changes``."""
        self.answer(STATUS, said(invoice(**changes)))
        return await self.ask("6409989")


@asynccontextmanager
async def open_desk(version: str) -> AsyncGenerator[Desk, None]:
    """The counterpart with webhooks of ``version``, the merchant they reach, and our client."""
    told: list[tuple[bytes, dict[str, str]]] = []

    async def notify(told_of: Request) -> Response:
        told.append((await told_of.body(), dict(told_of.headers)))
        return PlainTextResponse("OK")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        clock = FakeClock()
        gateway = make(clock, f"{url}/gateway", version=version)
        line = Line(gateway.app)
        routes = [Route("/payments/myfatoorah/notify", notify, methods=["POST"]), Mount("/gateway", line)]
        async with (
            serving(Starlette(routes=routes), listening),
            httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as browser,
        ):
            yield Desk(url, clock, gateway, line, browser, told)
            line.over.set()
            await gateway.close()


def said(data: Any, **head: Any) -> Response:
    """The gateway's envelope; amounts given as `Number` are written as they are."""
    text = json.dumps({"IsSuccess": True, "Message": "", "ValidationErrors": None, "Data": data, **head})
    return Response(text.replace('"#', "").replace('#"', ""), media_type="application/json")


def number(text: str) -> str:
    return f"#{text}#"


def invoice(**changes: Any) -> dict[str, Any]:
    """An answer to GetPaymentStatus as in the documentation: nobody has tried, an hour to go."""
    until = local(FakeClock().now() + 3600)
    return {
        "InvoiceId": 6409989,
        "InvoiceStatus": "Pending",
        "CustomerReference": TRACK,
        "ExpiryDate": f"{until:%B} {until.day}, {until.year}",
        "ExpiryTime": f"{until:%H:%M:%S}.017",
        "InvoiceValue": number("15.75"),
        "InvoiceDisplayValue": "15.750 KD",
        "InvoiceTransactions": [],
        **changes,
    }


def one(status: str = "Succss", payment: str = "100202120965964751", **changes: Any) -> dict[str, Any]:
    """A transaction as in the documentation."""
    return {
        "TransactionDate": "2021-07-28T13:27:33.367",
        "PaymentGateway": "KNET",
        "ReferenceId": "120910000653",
        "TransactionId": "202120965959207",
        "PaymentId": payment,
        "AuthorizationId": "B77780",
        "TransactionStatus": status,
        "TransationValue": "15.750",
        "DueValue": "15.750",
        "PaidCurrency": "KD",
        "PaidCurrencyValue": "15.750",
        "Currency": "KD",
        "Error": None,
        "ErrorCode": "",
        **changes,
    }
