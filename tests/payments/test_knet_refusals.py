"""What KNET's adapter makes of forged notifications, of answers outside the contract, and of bad settings.

Nothing it says or logs may hold a credential, a body or a deciphered field.
"""

import asyncio
import socket
import traceback
from collections.abc import AsyncGenerator, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote_plus

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.dialogs.checkout import RefusalReason
from bot.errors import BotError, ConfigError, Declined, Malformed, OutsideError, Unavailable
from bot.services.payments import Refund, RefundResult, Result
from bot.services.payments.knet import Knet, KnetTerms
from bot.services.payments.knet.cipher import decrypted
from bot.services.payments.knet.messages import notification, pipe_answer
from tests.payments.counterparts.knet import KEY, PASSWORD, TERMINAL, encipher, terms
from tests.payments.test_knet_vectors import DECLINED, PAID, PROBE, REFUSED
from tests.payments.world import FakeClock, serving

TRACK = "KB7F3C9A1D2E40518"
FILS = 5250
GENUINE = dict(pair.split("=") for pair in PAID[0].split("&"))
SECRETS = (PASSWORD, KEY, TERMINAL, TRACK, "600100000001", "999554", "SECRETS")

# The record of a payment, as the pipe tells it (K-064 3.6.2).
FIELDS = {
    "result": "SUCCESS",
    "auth": "999554",
    "ref": "600100000001",
    "avr": "N",
    "postdate": "0131",
    "tranid": "600100000002",
    "trackid": TRACK,
    "payid": "100202600000000001",
    "udf1": "null",
    "amt": "5.250",
    "authRespCode": "00",
}


def told(**changes: str) -> bytes:
    return "".join(f"<{name}>{value}</{name}>" for name, value in {**FIELDS, **changes}.items()).encode()


def error(code: str) -> bytes:
    tags = f"<error_code_tag>{code}</error_code_tag><error_service_tag>null</error_service_tag>"
    return f"<result>!ERROR!-{code}-SECRETS.</result>{tags}".encode()


def silent_about(problem: BaseException, logs: list[MutableMapping[str, Any]]) -> bool:
    """Whether neither the error nor the log says anything of what was sent or received."""
    said = "".join(traceback.format_exception(problem)) + repr(problem) + repr(logs)
    return not any(secret in said for secret in SECRETS)


class Pipe:
    """A gateway that answers what a test wants it to."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.reset()

    def reset(self) -> None:
        self.status = 200
        self.body = b""
        self.media = "text/html"
        self.hangs = False
        self.asked = 0
        self.over = asyncio.Event()
        self.knet = Knet(terms(self.url), FakeClock(), timeout=2.0)

    async def answer(self, _request: Request) -> Response:
        self.asked += 1
        if self.hangs:
            await self.over.wait()
        return Response(self.body, self.status, {"location": "/elsewhere"}, self.media)

    async def refund(self) -> RefundResult:
        wanted = Refund(key="R1", track_id=TRACK, provider_ref="", payment_id="", fils=FILS, why="Order")
        return (await self.knet.refund(wanted)).status


@pytest.fixture(scope="module")
async def served() -> AsyncGenerator[Pipe, None]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        pipe = Pipe(f"http://127.0.0.1:{listening.getsockname()[1]}")
        app = Starlette(routes=[Route("/kpg/tranPipe.htm", pipe.answer, methods=["POST"])])
        async with serving(app, listening):
            yield pipe


@pytest.fixture
async def pipe(served: Pipe) -> AsyncGenerator[Pipe, None]:
    served.reset()
    yield served
    served.over.set()
    await served.knet.close()


# --- enquiries --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"result": "SUCCESS"}, Result.PAID, ""),
        ({"result": "CAPTURED"}, Result.PAID, ""),
        ({"result": "FAILURE", "authRespCode": "null"}, Result.FAILED, RefusalReason.DECLINED),
        ({"result": "FAILURE(NOT CAPTURED)", "authRespCode": "55"}, Result.FAILED, RefusalReason.PIN),
        ({"result": "NOT CAPTURED", "authRespCode": "51"}, Result.FAILED, RefusalReason.FUNDS),
        ({"result": "FAILURE(CANCELED)"}, Result.FAILED, RefusalReason.CANCELLED),
        ({"result": "FAILURE(HOST TIMEOUT)"}, Result.UNKNOWN, ""),
        ({"result": "HOST TIMEOUT"}, Result.UNKNOWN, ""),
        ({"result": "SUSPECTED"}, Result.SUSPECT, ""),
        ({"result": "FAILURE(SUSPECT)"}, Result.SUSPECT, ""),
        ({"result": "DENIED BY RISK"}, Result.SUSPECT, ""),
        ({"result": "FAILURE(VOIDED)"}, Result.SUSPECT, ""),
        ({"result": "SUSPENDED"}, Result.SUSPECT, ""),
        ({"result": "PROCESSED"}, Result.SUSPECT, ""),
    ],
)
async def test_every_result_of_an_enquiry(
    pipe: Pipe, changes: dict[str, str], status: Result, reason: str
) -> None:
    pipe.body = told(**changes)
    found = await pipe.knet.enquire(TRACK, "", FILS)
    assert (found.status, found.reason, found.track_id, found.fils) == (status, reason, TRACK, FILS)
    assert found.bank_reference == ("600100000001" if status is Result.PAID else "")


async def test_the_text_null_is_nothing(pipe: Pipe) -> None:
    pipe.body = told(result="FAILURE(CANCELED)", auth="null", tranid=" null ", payid="null", amt="null")
    found = await pipe.knet.enquire(TRACK, "", FILS)
    assert (found.authorisation, found.transaction, found.payment_id, found.fils) == ("", "", "", 0)


async def test_the_other_name_of_the_banks_code(pipe: Pipe) -> None:
    pipe.body = told(result="FAILURE", authRespCode="null") + b"<authResponseCode>54</authResponseCode>"
    assert (await pipe.knet.enquire(TRACK, "", FILS)).reason == RefusalReason.CARD


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0" encoding="UTF-8"?>\n' + told(),
        b"<response>" + told() + b"</response>",
        b"\r\n " + told().replace(b"><", b">\n<") + b"\n",
    ],
)
async def test_other_wrappings_of_the_same_answer(pipe: Pipe, body: bytes) -> None:
    pipe.body = body
    assert (await pipe.knet.enquire(TRACK, "", FILS)).status is Result.PAID


async def test_the_request_of_an_enquiry() -> None:
    asked: list[tuple[str, str, bytes]] = []

    async def keep(request: Request) -> Response:
        asked.append((str(request.url), request.headers["content-type"], await request.body()))
        return Response(told())

    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        knet = Knet(KnetTerms(tranportal_id="1", password="a<b>c", key=KEY, url=f"{url}/"), FakeClock())
        async with serving(Starlette(routes=[Route("/kpg/tranPipe.htm", keep, methods=["POST"])]), listening):
            await knet.enquire(TRACK, "", FILS)
            await knet.close()
    wanted = (
        "<id>1</id><password>a&lt;b&gt;c</password><action>8</action><amt>5.250</amt>"
        f"<transid>{TRACK}</transid><trackid>{TRACK}</trackid><udf5>TrackID</udf5>"
    )
    assert asked == [(f"{url}/kpg/tranPipe.htm?param=tranInit", "application/xml", wanted.encode())]


@pytest.mark.parametrize(
    "body",
    [
        b"<result>!ERROR!-IPAY0100263-Transaction details not available.</result>",
        error("IPAY0100263"),
        b"<error_code_tag>IPAY0100263</error_code_tag><result>null!</result>",
    ],
)
async def test_what_the_gateway_does_not_know_is_missing(pipe: Pipe, body: bytes) -> None:
    pipe.body = body
    assert (await pipe.knet.enquire(TRACK, "", FILS)).status is Result.MISSING


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (error("IPAY0100015"), "answered IPAY0100015"),
        (error("IPAY0200005"), "answered IPAY0200005"),
        (error("GW00201"), "answered an error"),
        (b"<result>!ERROR!-SECRETS</result>", "answered an error"),
        (
            b"<result>!ERROR!-IPAY0100263-x</result><error_code_tag>IPAY0100015</error_code_tag>",
            "answered an error",
        ),
        (told(error_code_tag="IPAY0100015"), "answered IPAY0100015"),
        (told(error_text="SECRETS"), "answered an error"),
    ],
)
async def test_any_other_error_leaves_it_open(pipe: Pipe, body: bytes, reason: str) -> None:
    pipe.body = body
    with structlog.testing.capture_logs() as logs, pytest.raises(Unavailable) as failed:
        await pipe.knet.enquire(TRACK, "", FILS)
    assert failed.value.reason == reason
    assert silent_about(failed.value, logs)


async def test_a_bank_that_does_not_answer_the_gateway_is_no_fault_of_the_gateway(pipe: Pipe) -> None:
    pipe.body = error("IPAY0100158")
    assert (await pipe.knet.enquire(TRACK, "", FILS)).status is Result.UNKNOWN


BOMB = b'<!DOCTYPE a [<!ENTITY a "SECRETS"><!ENTITY b "&a;&a;">]>'
BAD_XML = {
    "nothing": b"",
    "text": b"SECRETS",
    "a page": b"<!doctype html><html><body><p>SECRETS<br></body></html>",
    "a page of XML": b"<html><body><p>SECRETS</p></body></html>",
    "cut off": told()[:-5],
    "no result": told(result="null"),
    "a document type": BOMB + told(),
    "a document type at the root": b"<?xml version='1.0'?>" + BOMB + b"<response>" + told() + b"</response>",
    "an entity": told(ref="&b;"),
    "a file": told(ref="&#38;").replace(b"<auth>", b'<?xml-stylesheet href="file:///"?><auth>'),
    "out of the root": b"</answer>" + told() + b"<answer>",
    "a field twice": told() + b"<result>FAILURE</result>",
    "a field twice in another case": told() + b"<RESULT>FAILURE</RESULT>",
    "text between": b"SECRETS" + told(),
    "text behind": told() + b"SECRETS",
    "an element in a field": told(result="SUC<b/>CESS"),
    "deep": b"<a><b><c>" + told() + b"</c></b></a>",
    "many": told() + b"".join(b"<a%d/>" % n for n in range(60)),
    "not UTF-8": told(ref="x").replace(b"x<", b"\xff<"),
    "a number of nobody": told(ref="&#1632;"),
    "too long a number": told(payid="1" * 65),
    "too long an authorisation": told(auth="1" * 33),
}
BAD_FIELDS = {
    "another word": told(result="SECRETS"),
    "a failure that succeeded": told(result="FAILURE(CAPTURED)"),
    "lower case": told(result="success"),
    "four decimals": told(amt="5.2500"),
    "no decimals": told(amt="5"),
    "a comma": told(amt="5,250"),
    "nothing paid": told(amt="0.000"),
    "less than nothing": told(amt="-5.250"),
    "no amount": told(amt="null"),
    "an amount of a failure": told(result="FAILURE", amt="5.25"),
}


@pytest.mark.parametrize("body", [*BAD_XML.values(), *BAD_FIELDS.values()], ids=[*BAD_XML, *BAD_FIELDS])
async def test_an_answer_outside_the_contract(pipe: Pipe, body: bytes) -> None:
    pipe.body = body
    with structlog.testing.capture_logs() as logs, pytest.raises(Malformed) as failed:
        await pipe.knet.enquire(TRACK, "", FILS)
    assert silent_about(failed.value, logs)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(301, Malformed), (404, Declined), (403, Declined), (429, Unavailable), (500, Unavailable)],
)
async def test_an_answer_that_is_none_of_the_gateways(
    pipe: Pipe, status: int, kind: type[OutsideError]
) -> None:
    pipe.status, pipe.body = status, told()
    with structlog.testing.capture_logs() as logs, pytest.raises(kind) as failed:
        await pipe.knet.enquire(TRACK, "", FILS)
    assert silent_about(failed.value, logs)
    assert pipe.asked == (3 if status == 500 else 1)


async def test_an_answer_too_long(pipe: Pipe) -> None:
    pipe.body = told() + b" " * 1024 * 1024
    with pytest.raises(Malformed):
        await pipe.knet.enquire(TRACK, "", FILS)


async def test_no_answer(pipe: Pipe) -> None:
    pipe.hangs, pipe.knet = True, Knet(terms(pipe.url), FakeClock(), timeout=0.2)
    with structlog.testing.capture_logs() as logs, pytest.raises(Unavailable) as failed:
        await pipe.knet.enquire(TRACK, "", FILS)
    assert silent_about(failed.value, logs)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_malformed(body: bytes) -> None:
    with suppress(Malformed):
        assert pipe_answer(body)["result"]


# --- refunds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (told(result="CAPTURED"), RefundResult.DONE),
        (told(result="CAPTURED", trackid="null", amt="null"), RefundResult.DONE),
        (told(result="CAPTURED", trackid="ANOTHER"), RefundResult.UNKNOWN),
        (told(result="CAPTURED", amt="5.249"), RefundResult.UNKNOWN),
        (told(result="SUCCESS"), RefundResult.UNKNOWN),
        (told(result="PROCESSED"), RefundResult.UNKNOWN),
        (told(result="SECRETS"), RefundResult.UNKNOWN),
        (told(result="FAILURE(CAPTURED)"), RefundResult.UNKNOWN),
        (told(result="HOST TIMEOUT"), RefundResult.UNKNOWN),
        (told(result="FAILURE(SUSPECT)"), RefundResult.UNKNOWN),
        (told(result="NOT CAPTURED"), RefundResult.REFUSED),
        (told(result="FAILURE"), RefundResult.REFUSED),
        (told(result="FAILURE(NOT CAPTURED)"), RefundResult.REFUSED),
        (told(result="CAPTURED", error_code_tag="IPAY0100137"), RefundResult.REFUSED),
        (error("IPAY0100137"), RefundResult.REFUSED),
        (error("IPAY0100263"), RefundResult.REFUSED),
        (error("IPAY0100158"), RefundResult.UNKNOWN),
        (error("IPAY0200005"), RefundResult.UNKNOWN),
        (error("GW00201"), RefundResult.UNKNOWN),
    ],
)
async def test_only_captured_is_a_refund(pipe: Pipe, body: bytes, status: RefundResult) -> None:
    pipe.body = body
    assert await pipe.refund() is status
    assert pipe.asked == 1


@pytest.mark.parametrize("body", BAD_XML.values(), ids=BAD_XML)
async def test_an_answer_nobody_understands_leaves_a_refund_open(pipe: Pipe, body: bytes) -> None:
    pipe.body = body.replace(b"SUCCESS", b"CAPTURED")
    if b"<payid>11" in body or b"<auth>11" in body:
        assert await pipe.refund() is RefundResult.DONE  # these two are not read here
        return
    with structlog.testing.capture_logs() as logs, pytest.raises(Unavailable) as failed:
        await pipe.refund()
    assert silent_about(failed.value, logs)
    assert pipe.asked == 1


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
async def test_a_refund_that_was_sent_is_never_sent_again(pipe: Pipe, status: int) -> None:
    pipe.status, pipe.body = status, told(result="CAPTURED")
    with structlog.testing.capture_logs() as logs, pytest.raises(Unavailable) as failed:
        await pipe.refund()
    assert silent_about(failed.value, logs)
    assert pipe.asked == 1


async def test_a_refund_without_an_answer_is_never_sent_again(pipe: Pipe) -> None:
    pipe.hangs, pipe.knet = True, Knet(terms(pipe.url), FakeClock(), timeout=0.2)
    with pytest.raises(Unavailable):
        await pipe.refund()
    assert pipe.asked == 1


# --- notifications ----------------------------------------------------------------------------------


def enciphered(**changes: str) -> bytes:
    fields = {**GENUINE, **changes}
    return encipher("&".join(f"{name}={quote_plus(value)}" for name, value in fields.items())).encode()


FORGERIES = {
    "nothing": b"",
    "no trandata": b"paymentid=1&result=CAPTURED&trackid=" + TRACK.encode(),
    "plain error fields": f"Error=IPAY0100048&ErrorText=x&paymentid=1&trackid={TRACK}&amt=5.250".encode(),
    "plain text": PAID[0].encode(),
    "empty trandata": b"trandata=",
    "two of them": b"trandata=" + PAID[1].encode() + b"&trandata=" + DECLINED[1].encode(),
    "the probe": PROBE.encode(),
    "cut off": PAID[1][:-2].encode(),
    "a block less": PAID[1][:-32].encode(),
    "without its beginning": PAID[1][32:].encode(),
    "altered": f"{PAID[1][:100]}0{PAID[1][101:]}".encode(),
    "not hexadecimal": b"trandata=" + b"G" * 64,
    "not ASCII": "trandata=٣٣".encode(),
    "not text": b"\xff\x00" * 16,
    "too long": b"a=" + b"a" * 16 * 1024 + b"&trandata=" + PAID[1].encode(),
    "many fields": b"a=1&" * 100 + b"trandata=" + PAID[1].encode(),
    "another key": encipher(PAID[0], "ANOTHERKEY012345").encode(),
    "no result": enciphered(result=""),
    "a strange result": enciphered(result="captured"),
    "too long a result": enciphered(result="C" * 33),
    "no track id": enciphered(trackid=""),
    "a track id not ours": enciphered(trackid="K" * 20),
    "a track id with marks": enciphered(trackid="K-1"),
    "too long a payment id": enciphered(paymentid="1" * 65),
    "four decimals": enciphered(amt="5.2500"),
    "two decimals": enciphered(amt="5.25"),
    "nothing paid": enciphered(amt="0.000"),
    "less than nothing": enciphered(amt="-5.250"),
    "no amount at all": enciphered(amt="SECRETS"),
    "Arabic": enciphered(udf1="مخالفة"),
    "a line break": enciphered(udf1="a\nb"),
    "too long a field": enciphered(udf1="a" * 256),
    "a field twice": encipher(f"{PAID[0]}&result=CAPTURED").encode(),
    "a field under both names": encipher(f"{PAID[0]}&authResponseCode=00").encode(),
    "rubbish in a field nobody knows": encipher(f"{PAID[0]}&more=\x01").encode(),
}


@pytest.mark.parametrize("body", FORGERIES.values(), ids=FORGERIES)
async def test_all_rubbish_is_refused_alike(pipe: Pipe, body: bytes) -> None:
    with structlog.testing.capture_logs() as logs, pytest.raises(Malformed) as refused:
        pipe.knet.parse_callback(body, {})
    assert str(refused.value) == REFUSED
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    assert not logs
    assert silent_about(refused.value, logs)


async def test_what_a_resident_holds_is_no_oracle_for_the_password(pipe: Pipe) -> None:
    # They may cut an answer of their own and append what they want deciphered; the byte before it takes
    # every value, so that the padding is sound in one of the cases at least.
    genuine, wanted = PAID[1][:-64], PAID[1][:32]
    assert TRACK.encode() in decrypted(genuine, KEY.encode())[0]
    for last in range(256):
        with pytest.raises(Malformed) as refused:
            pipe.knet.parse_callback(f"{genuine}{'00' * 15}{last:02X}{wanted}".encode(), {})
        assert str(refused.value) == REFUSED


@pytest.mark.parametrize("changes", [{"amt": ""}, {"amt": "null"}, {"paymentid": ""}, {"auth": "null"}])
async def test_what_may_be_missing(pipe: Pipe, changes: dict[str, str]) -> None:
    read = pipe.knet.parse_callback(enciphered(**changes), {})
    assert read.event == (TRACK if "paymentid" in changes else GENUINE["paymentid"])
    assert read.fils == (0 if "amt" in changes else FILS)
    assert read.plain[next(iter(changes))] == ""


async def test_an_error_comes_before_the_result(pipe: Pipe) -> None:
    read = pipe.knet.parse_callback(encipher(f"{PAID[0]}&Error=IPAY0100045&ErrorText=x").encode(), {})
    assert (read.result, read.paid) == ("CAPTURED", False)
    assert set(read.plain) == set(GENUINE)


async def test_a_repeat_carries_the_same_event(pipe: Pipe) -> None:
    first, second = (pipe.knet.parse_callback(PAID[1].encode(), {}) for _ in range(2))
    assert first == second


@given(
    st.binary(max_size=200)
    | st.text(alphabet="0123456789abcdefABCDEF=&trandata%", max_size=200).map(str.encode)
)
def test_any_bytes_are_refused(body: bytes) -> None:
    assert notification(body, KEY.encode()) is None


@given(
    st.text(max_size=60) | st.builds("result={}&trackid={}&amt={}".format, st.text(), st.text(), st.text())
)
def test_any_text_under_the_right_key_is_read_strictly_or_refused(plain: str) -> None:
    read = notification(encipher(plain).encode(), KEY.encode())
    assert read is None or (read.track_id.isalnum() and read.track_id.isascii() and read.fils >= 0)


# --- settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"tranportal_id": ""}, "KNET_ID"),
        ({"tranportal_id": "9" * 256}, "KNET_ID"),
        ({"tranportal_id": "99 99"}, "KNET_ID"),
        ({"password": ""}, "KNET_PASSWORD"),
        ({"password": "SECRETS&amt=1"}, "KNET_PASSWORD"),
        ({"password": "SECRETS012345678"}, "KNET_PASSWORD"),
        ({"password": "SECRETSسر"}, "KNET_PASSWORD"),
        ({"key": ""}, "KNET_KEY"),
        ({"key": "SECRETS"}, "KNET_KEY"),
        ({"key": "SECRETS0123456789"}, "KNET_KEY"),
        ({"key": "SECRETS01234567ق"}, "KNET_KEY"),
        ({"url": ""}, "KNET_URL"),
        ({"url": "http://www.kpay.com.kw"}, "KNET_URL"),
        ({"url": "ftp://127.0.0.1"}, "KNET_URL"),
        ({"url": "https://"}, "KNET_URL"),
        ({"url": "https://www.kpay.com.kw/?"}, "KNET_URL"),
        ({"url": "https://www.kpay.com.kw#a"}, "KNET_URL"),
        ({"url": "https://SECRETS@www.kpay.com.kw"}, "KNET_URL"),
        ({"url": "https://[::"}, "KNET_URL"),
        ({"url": "https://www.kpay.com.kw:99999"}, "KNET_URL"),
    ],
)
def test_a_bad_setting_is_named_and_not_shown(changes: dict[str, str], named: str) -> None:
    fields = {"tranportal_id": TERMINAL, "password": PASSWORD, "key": KEY, **changes}
    with pytest.raises(ConfigError, match=f"^{named}: ") as refused:
        KnetTerms(**fields)
    assert silent_about(refused.value, [])


@pytest.mark.parametrize(
    "url", ["http://localhost:5000/gateway", "http://[::1]:5000", "https://kpaytest.com.kw/"]
)
async def test_addresses_that_will_do(url: str) -> None:
    knet = Knet(KnetTerms(tranportal_id="1", password="0" * 15, key=KEY, url=url), FakeClock())
    assert knet.hosts
    await knet.close()


def test_credentials_are_not_shown() -> None:
    shown = terms("https://www.kpaytest.com.kw")
    assert repr(shown) == str(shown) == "KnetTerms(…)"
    assert list(shown.__rich_repr__()) == []
    assert isinstance(ConfigError("x"), BotError)
