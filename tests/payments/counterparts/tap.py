"""Tap, as its public pages describe it: charges, KNET's page, webhooks, refunds.

Sources (developers.tap.company): reference/charges, reference/create-a-charge, docs/knet, docs/webhook,
docs/idempotency, reference/refunds, reference/create-a-refund, reference/charge-response-codes. Where they
say nothing, the choice is marked. Nothing here uses our client's code.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from html import escape
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.ports import Clock
from bot.services.payments.tap import Tap, TapTerms
from tests.payments.counterparts.bank import BUTTONS, KNOBS, SILENCE, Bank, Counterpart, Kept

SECRET: Final = "sk_test_CounterpartOfTap0123456789"
MERCHANT: Final = "18778851"
EMAIL: Final = "payments@operator.example"

_DAY: Final = 24 * 3600  # docs/idempotency: "valid for 24 hours"
_DELIVERIES: Final = 3  # docs/webhook: "two more retry attempts"
_CURRENCIES: Final = ("AED", "BHD", "EGP", "EUR", "GBP", "JOD", "KWD", "OMR", "QAR", "SAR", "USD")

_STANDING: Final = {
    "captured": ("CAPTURED", "000", "Captured"),
    "cancelled": ("CANCELLED", "302", "Canceled"),
    "unknown": ("UNKNOWN", "901", "Unknown"),
    "progress": ("IN_PROGRESS", "200", "In Progress"),
    "open": ("INITIATED", "100", "Initiated"),
    "abandoned": ("ABANDONED", "301", "Abandoned"),
    "expired": ("CANCELLED", "304", "Expired"),
}
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_SILENT: Final = ("INITIATED", "IN_PROGRESS", "ABANDONED")  # no webhook (docs/webhook, note 2)


class Refusal(Exception):
    """A request Tap does not take; ``code`` of its table of errors."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


class TapServer:
    """Tap with its bank behind it, mounted at ``url``."""

    def __init__(self, clock: Clock, url: str) -> None:
        self.clock = clock
        self.url = url
        self.bank = Bank(clock)
        self.kept: dict[str, Kept] = {}
        self.charges: dict[str, Kept] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._once: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        self._numbers = count(1)
        self._http = httpx.AsyncClient(trust_env=False, timeout=30)

    # What our server calls.

    async def create_charge(self, request: Request) -> Response:
        asked = await self._asked(request)
        check_charge(asked)
        return _json(self._idempotent("charge", asked, self._new_charge))

    async def retrieve_charge(self, request: Request) -> Response:
        self._admit(request)
        charge_id = request.path_params["id"]
        if not charge_id.startswith("chg_"):
            raise Refusal("1143")
        if (kept := self.charges.get(charge_id)) is None:
            raise Refusal("1144", 404)
        shown = self.charge(kept, self.standing(kept))
        match kept.knob:
            case "amount":
                shown["amount"] = _number(kept.fils - 1)
            case "currency":
                shown["currency"] = "BHD"
            case "track":
                shown["reference"]["transaction"] = "SOMEONEELSE"
            case "merchant":
                shown["merchant"]["id"] = "599424"
        return _json(shown)

    async def create_refund(self, request: Request) -> Response:
        asked = await self._asked(request)
        kept = self._refundable(asked)
        return _json(self._idempotent("refund", asked, lambda given: self._new_refund(given, kept)))

    async def retrieve_refund(self, request: Request) -> Response:
        self._admit(request)
        if (found := self.refunds.get(request.path_params["id"])) is None:
            raise Refusal("1160", 404)
        due = found["status"] == "PENDING" and self.clock.now() >= int(found["created"]) // 1000 + SILENCE
        if due:
            found.update(status="REFUNDED", response={"code": "000", "message": "Refunded"})
        return _json(found)

    # What a browser sees.

    async def page(self, request: Request) -> Response:
        kept = self.charges.get("chg_" + request.path_params["number"])
        if kept is None:
            return PlainTextResponse("no such page", 404)
        if request.method == "GET":
            kept.more["seen"] = True
            buttons = "".join(f'<button name="button" value="{each}">{each}</button>' for each in BUTTONS)
            text = f"KNET {escape(kept.track)} {_number(kept.fils)} KWD"
            return HTMLResponse(
                f'<!doctype html><title>KNET</title><form method="post">{text}{buttons}</form>'
            )
        form = dict(parse_qsl((await request.body()).decode()))
        button, knob = form.get("button", ""), form.get("knob", "")
        if button not in BUTTONS or knob not in KNOBS:
            return PlainTextResponse("no such button", 400)
        kept.more["seen"] = True
        stale = self.standing(kept) in {"abandoned", "expired"} and knob != "again"
        if not stale and self.bank.press(kept, button, knob):
            await self.bank.tell(kept, lambda state: self._notify(kept, state))
        return RedirectResponse(f"{kept.more['asked']['redirect']['url']}?tap_id={kept.more['id']}", 303)

    # How things stand.

    def standing(self, kept: Kept, state: str = "") -> str:
        """A word of `_STANDING`, or ``refused``."""
        state = state or self.bank.state(kept)
        if state == "silent":
            # Chosen: the bank that will be heard of is Tap's UNKNOWN, the other one its IN_PROGRESS.
            return "unknown" if kept.speaks else "progress"
        if state == "open":
            minutes = kept.more["asked"]["transaction"]["expiry"]["period"]
            if self.clock.now() >= kept.created + 60 * minutes:
                # Chosen: 301 for a page nobody saw, 304 for one that was left.
                return "expired" if kept.more.get("seen") else "abandoned"
        return state

    def charge(self, kept: Kept, standing: str) -> dict[str, Any]:
        """A charge as Tap answers and posts it (docs/knet)."""
        asked, number = kept.more["asked"], kept.more["id"].removeprefix("chg_")
        refused = ("DECLINED", *(("505", "Insufficient Funds") if kept.code == "51" else ("501", "Declined")))
        status, code, message = _STANDING.get(standing, refused)
        reference = {
            "track": f"tck_{number}",
            **{name: asked["reference"][name] for name in ("transaction", "order")},
        }
        transaction: dict[str, Any] = {
            "timezone": "UTC+03:00",
            "created": str(kept.created * 1000),
            "expiry": asked["transaction"]["expiry"],
            "asynchronous": False,
            "amount": _number(kept.fils),
            "currency": "KWD",
        }
        shown: dict[str, Any] = {
            "id": kept.more["id"],
            "object": "charge",
            "live_mode": False,
            "customer_initiated": True,
            "api_version": "V2",
            "method": "GET",
            "status": status,
            "amount": _number(kept.fils),
            "currency": "KWD",
            "threeDSecure": True,
            "card_threeDSecure": False,
            "save_card": False,
            "merchant_id": "",
            "product": "",
            "description": asked.get("description", ""),
            "metadata": {},
            "transaction": transaction,
            "reference": reference,
            "response": {"code": code, "message": message},
            "receipt": {"id": f"20{number}", "email": False, "sms": False},
            "customer": {"id": "cus_TS0001", **asked["customer"]},
            "merchant": {"country": "KW", "currency": "KWD", "id": asked["merchant"]["id"]},
            "source": {"object": "source", "type": "CARD_NOT_PRESENT", "id": "src_kw.knet"},
            "redirect": {"status": "PENDING", "url": asked["redirect"]["url"]},
            "post": {"status": "PENDING", "url": asked["post"]["url"]},
            "auto_reversed": False,
        }
        if status == "INITIATED":
            transaction["url"] = f"{self.url}/pay/{number}"
            return shown
        reference["payment"] = f"972022{number[-13:]}"
        if standing in {"captured", "refused"}:
            reference["gateway"] = f"2022{number[-11:]}"
            said = ("00", "CAPTURED") if standing == "captured" else (kept.code or "05", "NOT CAPTURED")
            shown["gateway"] = {"response": {"code": said[0], "message": said[1]}}
        if standing == "captured":
            reference["acquirer"] = f"2354{number[-8:]}"
            transaction["authorization_id"] = "B63465"
        return shown

    async def close(self) -> None:
        await self.bank.close()
        await self._http.aclose()

    # Its insides.

    async def _notify(self, kept: Kept, state: str) -> None:
        shown = self.charge(kept, self.standing(kept, state))
        if shown["status"] in _SILENT:
            return
        shown["method"] = "POST"
        headers = {"content-type": "application/json", "hashstring": signature(shown)}
        for _ in range(_DELIVERIES):
            try:
                answer = await self._http.post(
                    kept.more["asked"]["post"]["url"], content=_text(shown), headers=headers
                )
            except httpx.TransportError:
                continue
            if answer.is_success:
                return

    def _idempotent(
        self, kind: str, asked: dict[str, Any], new: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> dict[str, Any]:
        key = (kind, asked.get("reference", {}).get("idempotent", ""))
        first = self._once.get(key)
        if first is not None and self.clock.now() < first[0] + _DAY:
            return first[1]
        answer = deepcopy(new(asked))
        if key[1]:
            self._once[key] = self.clock.now(), answer
        return answer

    def _new_charge(self, asked: dict[str, Any]) -> dict[str, Any]:
        track = asked["reference"]["transaction"]
        kept = Kept(track, int(asked["amount"] * 1000), self.clock.now())
        kept.more = {"asked": asked, "id": f"chg_TS05A{next(self._numbers):022d}"}
        self.kept[track] = self.charges[kept.more["id"]] = kept
        return self.charge(kept, "open")

    def _refundable(self, asked: dict[str, Any]) -> Kept:
        charge_id, amount = asked.get("charge_id"), asked.get("amount")
        if not charge_id:
            raise Refusal("1142")
        if (kept := self.charges.get(str(charge_id))) is None:
            raise Refusal("1144", 404)
        if not _is_amount(amount):
            raise Refusal("1117")
        if asked.get("currency") != "KWD":
            raise Refusal("1149")
        if not asked.get("reason"):
            raise Refusal("1156")
        if len(asked["reason"]) >= 250:
            raise Refusal("1157")
        return kept

    def _new_refund(self, asked: dict[str, Any], kept: Kept) -> dict[str, Any]:
        fils, key = int(asked["amount"] * 1000), asked["reference"]["merchant"]
        number = next(self._numbers)
        # Chosen: a charge that was not captured has nothing to give back.
        left = kept.fils - sum(kept.refunded.values()) if self.bank.state(kept) == "captured" else 0
        if fils > left:
            raise Refusal("1161")
        status, code = kept.more.get("refund", ("PENDING", "100"))
        if status == "PENDING":
            # Money that went back twice for one key must be seen.
            kept.refunded[f"{key}/{number}" if key in kept.refunded else key] = fils
        made = {
            "id": f"re_TS07A{number:022d}",
            "object": "refund",
            "api_version": "V2",
            "live_mode": False,
            "status": status,
            "amount": _number(fils),
            "currency": "KWD",
            "charge_id": kept.more["id"],
            "created": str(self.clock.now() * 1000),
            "reference": {"merchant": key},
            "response": {"code": code, "message": status.capitalize()},
            "description": asked.get("description", ""),
            "reason": asked["reason"],
        }
        self.refunds[made["id"]] = made
        return made

    def _admit(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Refusal("2107", 401)
        if key.startswith("pk_"):
            raise Refusal("2106", 401)
        if key != SECRET:
            raise Refusal("2104", 401)
        self.headers.append(dict(request.headers))

    async def _asked(self, request: Request) -> dict[str, Any]:
        self._admit(request)
        try:
            asked = json.loads(await request.body(), parse_float=Decimal)
        except ValueError:
            raise Refusal("2100") from None
        if not isinstance(asked, dict) or not asked:
            raise Refusal("1102")
        self.requests.append(asked)
        return asked


def check_charge(asked: dict[str, Any]) -> None:
    """Refuse what Tap refuses (reference/charge-response-codes, the table of errors)."""
    reference, customer = asked.get("reference", {}), asked.get("customer", {})
    expiry = asked.get("transaction", {}).get("expiry", {"period": 30, "type": "MINUTE"})
    faults = {
        "1117": not _is_amount(asked.get("amount")),
        "1118": asked.get("currency") not in _CURRENCIES,
        "1119": asked.get("currency") != "KWD",
        "1124": not asked.get("source", {}).get("id"),
        "1125": asked.get("source", {}).get("id") != "src_kw.knet",
        "1110": not asked.get("redirect", {}).get("url"),
        "1111": not _is_url(asked.get("redirect", {}).get("url", "http://")),
        "1103": asked.get("threeDSecure") not in {True, False}
        or expiry.get("type") != "MINUTE"
        or not 5 <= expiry.get("period", 0) <= 60
        or not _is_url(asked.get("post", {}).get("url", "http://")),
        "1121": len(asked.get("description", "")) >= 1000,
        "1122": len(reference.get("order", "")) >= 100,
        "1123": len(reference.get("transaction", "")) >= 100,
        "1129": not customer,
        "1130": not customer.get("first_name"),
        "1138": "@" not in customer.get("email", "@"),
        "1139": not customer.get("email") and not customer.get("phone"),
        "1164": asked.get("merchant", {}).get("id") != MERCHANT,
    }
    for code, wrong in faults.items():
        if wrong:
            raise Refusal(code)


def signature(shown: dict[str, Any]) -> str:
    """The header ``hashstring`` (docs/webhook), for dinars."""
    reference = shown["reference"]
    text = "".join(
        (
            f"x_id{shown['id']}",
            f"x_amount{Decimal(str(shown['amount'])).quantize(Decimal('0.001'))}",
            f"x_currency{shown['currency']}",
            f"x_gateway_reference{reference.get('gateway', '')}",
            f"x_payment_reference{reference.get('payment', '')}",
            f"x_status{shown['status']}",
            f"x_created{shown['transaction']['created']}",
        )
    )
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


def _number(fils: int) -> Decimal:
    """``5250`` as ``5.25``, ``45000`` as ``45.0``: Tap writes no more decimals than it needs."""
    whole, rest = divmod(fils, 1000)
    return Decimal(f"{whole}.{f'{rest:03d}'.rstrip('0') or '0'}")


def _text(value: dict[str, Any]) -> bytes:
    return _ENCODER.encode(value)


def _json(value: dict[str, Any], status: int = 200) -> Response:
    return Response(_text(value), status, media_type="application/json")


def _is_amount(amount: Any) -> bool:
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        return False
    return amount > 0 and Decimal(amount).as_tuple().exponent in {0, -1, -2, -3}


def _is_url(text: Any) -> bool:
    return isinstance(text, str) and text.startswith(("http://", "https://"))


async def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return _json({"errors": [{"code": refusal.code, "description": "refused"}]}, refusal.status)


def make(clock: Clock, url: str) -> Counterpart:
    """Tap at ``url`` with our client toward it."""
    server = TapServer(clock, url)
    payments = Tap(TapTerms(SECRET, MERCHANT, EMAIL, url), clock)
    app = Starlette(
        routes=[
            Route("/v2/charges", server.create_charge, methods=["POST"]),
            Route("/v2/charges/", server.create_charge, methods=["POST"]),
            Route("/v2/refunds", server.create_refund, methods=["POST"]),
            Route("/v2/refunds/", server.create_refund, methods=["POST"]),
            Route("/v2/charges/{id}", server.retrieve_charge),
            Route("/v2/refunds/{id}", server.retrieve_refund),
            Route("/pay/{number}", server.page, methods=["GET", "POST"]),
        ],
        exception_handlers={Refusal: _refused},
    )
    app.state.server = server

    async def close() -> None:
        await payments.close()
        await server.close()

    return Counterpart(app, payments, ("/v2/",), server.kept, close)
