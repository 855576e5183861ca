"""Gateways: notifications that anybody can post, and the answers to our own questions."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlencode

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bot.errors import Malformed, OutsideError
from bot.services.payments import Callback, Charge, Enquiry, Refund
from bot.services.payments.knet import Knet, KnetTerms
from bot.services.payments.knet.cipher import encrypted
from bot.services.payments.myfatoorah import MyFatoorah, MyFatoorahTerms
from bot.services.payments.sandbox import SIGNATURE, SandboxPayments
from bot.services.payments.tap import Tap, TapTerms
from bot.wire import Answer
from tests.fuzz.targets.base import (
    CIVIL_ID,
    LOOP,
    NAME,
    Target,
    ended,
    garbled,
    hold,
    spotless,
    texts,
    values,
)
from tests.fuzz.targets.residents import Clock
from tests.payments.counterparts import knet, myfatoorah, myfatoorah_webhooks, tap

NOWHERE: Final = "http://127.0.0.1:9/gateway"
SECRET: Final = "sandbox-secret"
TRACK: Final = "T123"


class Posted(NamedTuple):
    """A notification, or with ``status`` the answer to our question; for the gateway number ``at``."""

    at: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 0


def _gateways() -> list[Any]:
    clock = Clock()
    return [
        Knet(
            KnetTerms(tranportal_id=knet.TERMINAL, password=knet.PASSWORD, key=knet.KEY, url=NOWHERE), clock
        ),
        Tap(TapTerms(tap.SECRET, tap.MERCHANT, tap.EMAIL, NOWHERE), clock),
        MyFatoorah(MyFatoorahTerms(myfatoorah.TOKEN, myfatoorah_webhooks.SECRET, NOWHERE), clock),
        SandboxPayments(NOWHERE, SECRET, clock),
    ]


# --- notifications --------------------------------------------------------------------------------


def _fields(names: list[str], good: dict[str, str]) -> SearchStrategy[list[tuple[str, str]]]:
    odd = st.tuples(
        st.sampled_from(names),
        st.one_of(texts(20), st.sampled_from(["null", "CAPTURED", "NOT CAPTURED", "1.000", CIVIL_ID])),
    )
    return st.lists(odd, max_size=4).map(lambda more: [*good.items(), *more])


@st.composite
def for_knet(draw: st.DrawFn) -> Posted:
    """Enciphered rightly, nonsense inside, give or take."""
    names = [
        "paymentid",
        "result",
        "auth",
        "ref",
        "tranid",
        "trackid",
        "amt",
        "udf1",
        "authRespCode",
        "Error",
        "ErrorText",
        "x",
    ]
    good = (
        {"paymentid": "100", "result": "CAPTURED", "trackid": TRACK, "amt": "1.000", "udf1": NAME}
        if draw(st.booleans())
        else {}
    )
    text = urlencode(draw(_fields(names, good)), errors="replace") if draw(st.booleans()) else draw(texts(80))
    sealed = encrypted(text.encode("utf-8", "replace").decode(), knet.KEY.encode())
    body = draw(
        st.sampled_from(
            [
                sealed,
                f"trandata={sealed}",
                f"trandata={sealed}&trandata={sealed}",
                f"paymentid=1&trandata={sealed[:-1]}",
            ]
        )
    )
    return Posted(0, draw(garbled(st.just(body.encode()))))


@st.composite
def for_tap(draw: st.DrawFn) -> Posted:
    """A charge, signed where that can be done."""
    amount = st.one_of(st.sampled_from([1, 1.5, 0.001, 1e300, -1, 0, 10**30, 1e-9]), values(2))
    made: dict[str, Any] = {
        "id": draw(st.one_of(st.just("chg_TS01A0120261234Ab12345678"), texts(30))), "object": "charge", "status": draw(st.sampled_from(["CAPTURED", "FAILED", "x"])),
        "amount": draw(amount), "currency": draw(st.sampled_from(["KWD", "USD", "", NAME])),
        "reference": draw(st.one_of(st.just({"transaction": TRACK, "gateway": "1", "payment": "2"}), values(4))),
        "transaction": draw(st.one_of(st.just({"created": "1795251600000"}), st.just({"created": 10**30}), values(4))),
        "customer": {"first_name": NAME, "phone": CIVIL_ID},
    }  # fmt: skip
    try:
        signed = (("hashstring", tap.signature(made)),)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        signed = (("hashstring", draw(texts(64))),)
    return Posted(1, draw(garbled(st.just(json.dumps(made).encode()))), signed)


@st.composite
def for_myfatoorah(draw: st.DrawFn) -> Posted:
    """A webhook of either version, signed where that can be done."""
    version = draw(st.sampled_from(["v1", "v2"]))
    value = st.one_of(
        texts(12),
        st.sampled_from(["1.000", "KWD", "SUCCESS", "12345", TRACK, 5, 10**30, True, None]),
        values(3),
    )
    if version == "v1":
        names = [
            "InvoiceId",
            "TransactionStatus",
            "PaymentId",
            "CustomerReference",
            "InvoiceValueInBaseCurrency",
            "BaseCurrency",
            "CustomerName",
            "a.b",
            "RefundId",
            "RefundStatus",
        ]
        data: dict[str, Any] = {name: draw(value) for name in names if draw(st.integers(0, 4))}
    else:
        inner = st.dictionaries(
            st.sampled_from(["Id", "Status", "PaymentId", "ExternalIdentifier", "ValueInBaseCurrency"]),
            value,
            max_size=5,
        )
        data = {
            name: draw(st.one_of(inner, inner, value))
            for name in ("Invoice", "Transaction", "Refund", "Amount", "ReferencedInvoice", "Customer")
        }
    event = draw(st.sampled_from([1, 2]))
    try:
        body, headers = myfatoorah_webhooks.webhook(data, event, version)
    except (LookupError, TypeError, ValueError, AttributeError):
        body, headers = json.dumps({"Data": data, "Event": event}).encode(), {"myfatoorah-signature": "x"}
    return Posted(
        2, draw(garbled(st.just(body))), tuple((name.lower(), value) for name, value in headers.items())
    )


@st.composite
def for_sandbox(draw: st.DrawFn) -> Posted:
    """A notice, signed."""
    notice = {
        name: draw(st.one_of(texts(12), st.just("1.000"), values(2)))
        for name in ("event", "id", "track_id", "amount", "currency", "status")
    }
    body = draw(garbled(st.just(json.dumps(notice).encode())))
    return Posted(3, body, ((SIGNATURE, hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()),))


# --- answers --------------------------------------------------------------------------------------

WORDS: Final = ("CAPTURED", "Paid", "Succss", "Failed", "KWD", "KD", "1.000", "1,000.000", "12345", TRACK, "charge", "null", "August 28, 2026", "03:59:25.017",
                "refund_1", "IPAY0100263", "!ERROR!", "FAILURE(CAPTURED)", tap.MERCHANT)  # fmt: skip
NAMES: Final = ("IsSuccess", "Message", "Data", "InvoiceId", "InvoiceStatus", "InvoiceValue", "InvoiceTransactions", "TransactionStatus", "TransationValue", "ExpiryDate",
                "ExpiryTime", "PaymentURL", "PaymentMethods", "RefundReference", "RefundStatusResult", "Amount", "id", "object", "status", "amount", "currency", "reference",
                "transaction", "response", "code", "errors", "merchant", "charge_id", "track_id", "url")  # fmt: skip


def answers() -> SearchStrategy[Posted]:
    """What a gateway answers, give or take."""
    leaf = st.one_of(
        st.sampled_from(WORDS), st.sampled_from([1, 1.0, 5.25, 1e300, 10**30, True, None]), texts(8)
    )
    tree = st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=8)
        ),
        max_leaves=20,
    )
    objects = st.dictionaries(st.sampled_from(NAMES), tree, max_size=12).map(
        lambda found: json.dumps(found).encode()
    )
    element = st.builds(
        "<{0}>{1}</{0}>".format,
        st.sampled_from(
            ["result", "trackid", "amt", "ref", "tranid", "error_code_tag", "error_text", "response", "auth"]
        ),
        st.sampled_from(WORDS),
    )
    odd = st.sampled_from(
        [
            "<!DOCTYPE a [<!ENTITY b 'c'>]>",
            "<?x y?>",
            "<a>" * 9,
            "&b;",
            "<html>",
            '<?xml version="1.0"?>',
            "<response>",
            "</response>",
        ]
    )
    xml = st.lists(st.one_of(element, element, element, odd), max_size=8).map(
        lambda found: "".join(found).encode()
    )
    body = st.one_of(garbled(objects), garbled(xml), objects, xml)
    return st.builds(
        Posted,
        st.integers(0, 3),
        body,
        st.just(()),
        st.sampled_from([200, 200, 200, 201, 400, 404, 409, 429]),
    )


class _Answering:
    """In place of `bot.services.http.Http`."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def ask(self, *_: Any, **__: Any) -> Answer:
        return self._answer


CHARGE: Final = Charge(
    track_id=TRACK, fils=1000, order="IQ-7F3C-9A1D", language="ar", return_url="http://127.0.0.1/p/t/return", notify_url="http://127.0.0.1/payments/x/notify", minutes=30
)  # fmt: skip
REFUND: Final = Refund(
    key="R1",
    track_id=TRACK,
    provider_ref="chg_TS01A0120261234Ab12345678",
    payment_id="1",
    fils=1000,
    why="Order IQ-7F3C-9A1D",
)


class Gateways(Target[Posted]):
    """Every gateway's client."""

    name = "gateways"
    about = "notifications and answers of four gateways: one claim, or one refusal in one wording that tells nothing"
    modules = ("bot.services.payments",)
    examples = 120

    def __init__(self) -> None:
        self._all = _gateways()

    def inputs(self) -> SearchStrategy[Posted]:
        return st.one_of(for_knet(), for_tap(), for_myfatoorah(), for_sandbox(), answers(), answers())

    def raw(self, data: bytes) -> Posted:
        """The first byte names the gateway and what it is; a notification is signed as far as that needs no reading."""
        kind, body = (data[:1] or b"\0")[0], data[1:]
        at = kind % 4
        if kind & 4:
            return Posted(at, body, (), 200)
        if at == 0:
            return Posted(0, encrypted(body.decode("utf-8", "replace"), knet.KEY.encode()).encode())
        headers: dict[str, str] = {}
        try:
            if at == 1:
                headers = {"hashstring": tap.signature(json.loads(body))}
            if at == 2:
                told = json.loads(body)
                headers = myfatoorah_webhooks.webhook(told["Data"], told["Event"]["Code"], "v2")[1]
        except Exception:  # noqa: BLE001 - what cannot be signed comes unsigned
            headers = {}
        return Posted(at, body, tuple((name.lower(), value) for name, value in headers.items()))

    def feed(self, given: Posted) -> None:
        gateway = self._all[given.at]
        if not given.status:
            self._notified(gateway, given)
            return
        gateway._http = cast("Any", _Answering(Answer(given.status, given.body, "application/json")))
        asked: list[Callable[[], Any]] = [
            lambda: gateway.create(CHARGE),
            lambda: gateway.enquire(TRACK, REFUND.provider_ref if given.at == 1 else "12345", 1000),
            lambda: gateway.refund(REFUND),
            lambda: gateway.refund_status(REFUND, "refund_1"),
        ]
        for ask in asked:
            try:
                said = LOOP.run(ended(ask()))
            except OutsideError as error:
                spotless(error)
            else:
                hold(not isinstance(said, Enquiry) or 0 <= said.fils < 10**9, f"an amount {said!r}")

    def _notified(self, gateway: Any, given: Posted) -> None:
        try:
            claim = gateway.parse_callback(given.body, dict(given.headers))
        except Malformed as error:
            spotless(error)
            hold(error.reason == "notification refused", f"a refusal that tells more: {error.reason}")
            return
        hold(isinstance(claim, Callback), "no claim")
        hold(0 <= claim.fils < 10**9, f"an amount {claim.fils}")
        hold(len(claim.track_id) <= 19 or given.at == 3, "a longer track id than ours")
        json.dumps(claim.plain).encode()
