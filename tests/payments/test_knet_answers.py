"""What KNET's adapter makes of every answer of the pipe, and of answers outside the contract.

Nothing it says or logs may hold a credential, a body or a deciphered field.
"""

import asyncio
import socket
import traceback
from collections.abc import AsyncGenerator, MutableMapping
from contextlib import suppress
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.dialogs.checkout import RefusalReason
from bot.errors import Declined, Malformed, OutsideError, Unavailable
from bot.services.payments import Refund, RefundResult, Result
from bot.services.payments.knet import Knet, KnetTerms
from bot.services.payments.knet.messages import pipe_answer
from tests.payments.counterparts.knet import KEY, PASSWORD, TERMINAL, terms
from tests.payments.world import FakeClock, serving

TRACK = "KB7F3C9A1D2E40518"
FILS = 5250
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
